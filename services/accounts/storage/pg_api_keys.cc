#include "accounts/storage/pg_api_keys.h"

#include "accounts/storage/rows.h"

namespace parvis::accounts {
namespace {

#define KEY_COLUMNS \
  "k.workspace_id, k.key_id, k.member_id, k.display_name, k.roles, k.create_time, k.expire_time, k.revoke_time"

ApiKey ToKey(const db::Rows& rows, int row) {
  return {.id = rows.Text(row, 1),
          .workspace_id = rows.Text(row, 0),
          .member_id = rows.Text(row, 2),
          .display_name = rows.Text(row, 3),
          .roles = RolesFromNames(rows.TextArray(row, 4)),
          .create_time = rows.Time(row, 5),
          .expire_time = rows.MaybeTime(row, 6),
          .revoke_time = rows.MaybeTime(row, 7)};
}

std::string NameOf(const Call& call, const std::string& id) {
  return "workspaces/" + call.workspace_id + "/apiKeys/" + id;
}

}  // namespace

StatusOr<Created> PgApiKeyStore::InsertApiKey(const Call& call, const ApiKey& made, const std::string& hash,
                                              const Request& request) {
  Created created;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        created, Once(tx, call.workspace_id, request, made.id, [&]() -> Status {
          // The member's row is locked against removal until the key is there, else the key would outlive the member.
          PARVIS_ASSIGN_OR_RETURN(
              db::Rows member,
              tx.Query("SELECT 1 FROM members WHERE workspace_id = $1 AND member_id = $2 FOR KEY SHARE",
                       {call.workspace_id, made.member_id}));
          if (member.empty()) return NotFound("workspaces/" + call.workspace_id + "/members/" + made.member_id);
          return tx
              .Exec(
                  "INSERT INTO api_keys (workspace_id, key_id, member_id, display_name, roles, secret_hash, "
                  "create_time, expire_time) VALUES ($1, $2, $3, $4, $5::text[], $6, $7, $8)",
                  {call.workspace_id, made.id, made.member_id, made.display_name, db::Array(RoleNames(made.roles)),
                   db::Bytes(hash), made.create_time, made.expire_time})
              .status();
        }));
    return absl::OkStatus();
  }));
  return created;
}

StatusOr<ApiKey> PgApiKeyStore::GetApiKey(const Call& call, const std::string& id) {
  ApiKey found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows, tx.Query("SELECT " KEY_COLUMNS " FROM api_keys k WHERE k.workspace_id = $1 AND k.key_id = $2",
                                {call.workspace_id, id}));
    if (rows.empty()) return NotFound(NameOf(call, id));
    found = ToKey(rows, 0);
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<std::vector<ApiKey>> PgApiKeyStore::ListApiKeys(const Call& call, const Page& page) {
  std::vector<ApiKey> found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows, tx.Query("SELECT " KEY_COLUMNS " FROM api_keys k WHERE k.workspace_id = $1 AND k.key_id > $2 "
                                "ORDER BY k.key_id LIMIT $3",
                                {call.workspace_id, page.after.empty() ? kNoWorkspace : page.after, page.limit}));
    found.clear();
    for (int i = 0; i < rows.size(); ++i) found.push_back(ToKey(rows, i));
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<ApiKey> PgApiKeyStore::RevokeApiKey(const Call& call, const std::string& id, absl::Time now) {
  ApiKey after;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows,
                            tx.Query("UPDATE api_keys k SET revoke_time = coalesce(k.revoke_time, $3) "
                                     "WHERE k.workspace_id = $1 AND k.key_id = $2 RETURNING " KEY_COLUMNS,
                                     {call.workspace_id, id, now}));
    if (rows.empty()) return NotFound(NameOf(call, id));
    after = ToKey(rows, 0);
    return absl::OkStatus();
  }));
  return after;
}

StatusOr<std::optional<KeyDirectory::Entry>> PgKeyDirectory::FindKey(const std::string& key_id) {
  std::optional<Entry> found;
  PARVIS_RETURN_IF_ERROR(stream_.Run(BackgroundCall("accounts"), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows, tx.Query("SELECT " KEY_COLUMNS ", k.secret_hash, w.organization_id, m.roles FROM api_keys k "
                                "JOIN workspaces w ON w.workspace_id = k.workspace_id "
                                "LEFT JOIN members m ON m.workspace_id = k.workspace_id AND m.member_id = k.member_id "
                                "WHERE k.key_id = $1",
                                {key_id}));
    if (rows.empty()) return absl::OkStatus();
    found = Entry{.key = ToKey(rows, 0), .hash = rows.Bytes(0, 8), .organization_id = rows.Text(0, 9)};
    if (!rows.IsNull(0, 10)) found->member_roles = RolesFromNames(rows.TextArray(0, 10));
    return absl::OkStatus();
  }));
  return found;
}

}  // namespace parvis::accounts
