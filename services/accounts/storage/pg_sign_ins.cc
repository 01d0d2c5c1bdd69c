#include "accounts/storage/pg_sign_ins.h"

#include "accounts/storage/channel_rows.h"

namespace parvis::accounts {
namespace {

constexpr char kVerifier[] = "code_verifier";

std::string SealedFor(const Call& call, const std::string& state_hash) {
  return call.workspace_id + "|sign-in|" + state_hash;
}

std::optional<std::string> Maybe(const std::string& id) { return id.empty() ? std::nullopt : std::optional(id); }

}  // namespace

Status PgSignInStore::InsertSignIn(const Call& call, const PendingSignIn& made, int waiting_max) {
  CredentialFields secrets = made.app;
  secrets[kVerifier] = made.verifier;
  PARVIS_ASSIGN_OR_RETURN(Sealer::Sealed sealed,
                          sealer_.Seal(SealedFor(call, made.state_hash), PackCredentials(secrets)));
  return api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(tx.Exec("DELETE FROM sign_ins WHERE workspace_id = $1 AND expire_time <= $2",
                                   {call.workspace_id, made.create_time})
                               .status());
    PARVIS_ASSIGN_OR_RETURN(db::Rows waiting,
                            tx.Query("SELECT count(*) FROM sign_ins WHERE workspace_id = $1 AND member_id = $2",
                                     {call.workspace_id, made.member_id}));
    if (waiting.Int(0, 0) >= waiting_max) {
      return MakeError(Code::kResourceExhausted, "TOO_MANY_SIGN_INS",
                       "this member has begun many sign-ins and completed none; they are forgotten after ten minutes");
    }
    return tx
        .Exec(
            "INSERT INTO sign_ins (workspace_id, state_hash, member_id, key_id, network, base_url, redirect_uri, "
            "channel_id, remote_id, display_name, seal_key_id, secrets, create_time, expire_time) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            {call.workspace_id, db::Bytes(made.state_hash), made.member_id, made.key_id, made.network, made.base_url,
             made.redirect_uri, Maybe(made.channel_id), made.remote_id, made.display_name, sealed.key_id,
             db::Bytes(sealed.bytes), made.create_time, made.expire_time})
        .status();
  });
}

StatusOr<std::optional<PendingSignIn>> PgSignInStore::TakeSignIn(const Call& call, const std::string& state_hash,
                                                                 const std::string& member_id,
                                                                 const std::string& key_id, absl::Time now) {
  std::optional<PendingSignIn> taken;
  std::string seal_key_id, bytes;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    taken.reset();
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("DELETE FROM sign_ins WHERE workspace_id = $1 AND state_hash = $2 AND member_id = $3 AND key_id = $4 "
                 "AND expire_time > $5 RETURNING network, base_url, redirect_uri, channel_id, remote_id, display_name, "
                 "create_time, expire_time, seal_key_id, secrets",
                 {call.workspace_id, db::Bytes(state_hash), member_id, key_id, now}));
    if (rows.empty()) return absl::OkStatus();
    taken = PendingSignIn{.state_hash = state_hash,
                          .workspace_id = call.workspace_id,
                          .member_id = member_id,
                          .key_id = key_id,
                          .network = rows.Text(0, 0),
                          .base_url = rows.Text(0, 1),
                          .redirect_uri = rows.Text(0, 2),
                          .channel_id = rows.Text(0, 3),
                          .remote_id = rows.Text(0, 4),
                          .display_name = rows.Text(0, 5),
                          .verifier = Secret(),
                          .app = {},
                          .create_time = rows.Time(0, 6),
                          .expire_time = rows.Time(0, 7)};
    seal_key_id = rows.Text(0, 8);
    bytes = rows.Bytes(0, 9);
    return absl::OkStatus();
  }));
  if (!taken) return taken;
  PARVIS_ASSIGN_OR_RETURN(Secret packed, sealer_.Open(SealedFor(call, state_hash), seal_key_id, bytes));
  PARVIS_ASSIGN_OR_RETURN(taken->app, UnpackCredentials(packed));
  taken->verifier = taken->app[kVerifier];
  taken->app.erase(kVerifier);
  return taken;
}

}  // namespace parvis::accounts
