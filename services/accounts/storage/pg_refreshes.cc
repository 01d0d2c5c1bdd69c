#include "accounts/storage/pg_refreshes.h"

#include <algorithm>

#include "accounts/storage/channel_rows.h"
#include "platform/obs/log.h"

namespace parvis::accounts {
namespace {

// The claim is still this one, and about these credentials.
#define STILL_HELD                                                            \
  " WHERE workspace_id = $1 AND channel_id = $2 AND refresh_holder = $3 AND " \
  "credentials_version = $4 AND state <> 'disconnected'"

}  // namespace

StatusOr<std::vector<RefreshClaim>> PgRefreshStore::ClaimDue(const Call& call, const std::string& holder,
                                                             absl::Time now, absl::Duration lease, int limit) {
  struct Sealed {
    RefreshClaim claim;
    std::string key_id, bytes;
  };
  std::vector<Sealed> found;
  PARVIS_RETURN_IF_ERROR(stream_.Run(call, [&](db::Tx& tx) -> Status {
    found.clear();
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query(
            "WITH due AS MATERIALIZED (SELECT workspace_id AS of_workspace, channel_id AS of_channel FROM channels "
            "WHERE refresh_time <= $2 AND (refresh_lease_time IS NULL OR refresh_lease_time <= $2) "
            "AND (state = 'connected' OR (state = 'broken' AND state_reason = 'TOKEN_EXPIRED')) "
            "ORDER BY refresh_time LIMIT $4 FOR UPDATE SKIP LOCKED) "
            "UPDATE channels SET refresh_holder = $1, refresh_lease_time = $3 FROM due "
            "WHERE workspace_id = of_workspace AND channel_id = of_channel "
            "RETURNING " CHANNEL_COLUMNS ", refresh_use_time, refresh_failures, seal_key_id, credentials",
            {holder, now, now + lease, limit}));
    for (int i = 0; i < rows.size(); ++i) {
      Sealed one{{ToChannel(rows, i), {}, holder, std::nullopt, static_cast<int>(rows.Int(i, kChannelColumns + 1))},
                 rows.Text(i, kChannelColumns + 2),
                 rows.Bytes(i, kChannelColumns + 3)};
      if (!rows.IsNull(i, kChannelColumns)) one.claim.use_time = rows.Time(i, kChannelColumns);
      found.push_back(std::move(one));
    }
    return absl::OkStatus();
  }));
  std::vector<RefreshClaim> claims;
  for (Sealed& one : found) {
    const Channel& channel = one.claim.channel;
    const auto open = [&]() -> StatusOr<CredentialFields> {
      PARVIS_ASSIGN_OR_RETURN(Secret packed,
                              sealer_.Open(SealedFor(channel.workspace_id, channel.id), one.key_id, one.bytes));
      return UnpackCredentials(packed);
    };
    StatusOr<CredentialFields> opened = open();
    if (!opened.ok()) {
      obs::Err("credentials cannot be refreshed", {{"channel", channel.id}, {"error", opened.status()}});
      continue;
    }
    one.claim.credentials = *std::move(opened);
    claims.push_back(std::move(one.claim));
  }
  std::sort(claims.begin(), claims.end(),
            [](const auto& a, const auto& b) { return a.channel.refresh_time < b.channel.refresh_time; });
  return claims;
}

Status PgRefreshStore::Change(const Call& call, const RefreshClaim& claim, const char* sql,
                              std::vector<db::Param> more) {
  std::vector<db::Param> params = {call.workspace_id, claim.channel.id, claim.holder,
                                   claim.channel.credentials_version};
  params.insert(params.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query(sql, params));
    if (rows.affected() == 1) return absl::OkStatus();
    return MakeError(Code::kAborted, "CLAIM_LOST", "the channel's credentials are no longer ours to refresh");
  });
}

Status PgRefreshStore::RecordUse(const Call& call, const RefreshClaim& claim, absl::Time now) {
  return Change(call, claim, "UPDATE channels SET refresh_use_time = $5" STILL_HELD, {now});
}

Status PgRefreshStore::StoreRefreshed(const Call& call, const RefreshClaim& claim, const Channel& fresh,
                                      const CredentialFields& credentials) {
  PARVIS_ASSIGN_OR_RETURN(Sealer::Sealed sealed,
                          sealer_.Seal(SealedFor(call.workspace_id, fresh.id), PackCredentials(credentials)));
  return Change(
      call, claim,
      "UPDATE channels SET state = 'connected', state_reason = '', state_message = '', "
      "credentials_version = credentials_version + 1, update_time = $5, credentials_expire_time = $6, "
      "refresh_time = $7, seal_key_id = $8, credentials = $9, " REFRESH_RESET STILL_HELD,
      {fresh.update_time, fresh.credentials_expire_time, fresh.refresh_time, sealed.key_id, db::Bytes(sealed.bytes)});
}

Status PgRefreshStore::Postpone(const Call& call, const RefreshClaim& claim, absl::Time next) {
  return Change(
      call, claim,
      "UPDATE channels SET refresh_time = $5, refresh_use_time = $6, refresh_failures = refresh_failures + 1, "
      "refresh_holder = NULL, refresh_lease_time = NULL" STILL_HELD,
      {next, claim.use_time});
}

Status PgRefreshStore::NeedSignIn(const Call& call, const RefreshClaim& claim, const std::string& reason,
                                  const std::string& message, absl::Time now) {
  return Change(call, claim,
                "UPDATE channels SET state = 'broken', state_reason = $5, state_message = $6, update_time = $7, "
                "refresh_time = NULL, " REFRESH_RESET STILL_HELD,
                {reason, message, now});
}

}  // namespace parvis::accounts
