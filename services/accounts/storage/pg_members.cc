#include "accounts/domain/rules.h"
#include "accounts/storage/pg_tenants.h"
#include "accounts/storage/rows.h"

namespace parvis::accounts {
namespace {

#define MEMBER_COLUMNS "workspace_id, member_id, display_name, email, roles, version, create_time, update_time"

Member ToMember(const db::Rows& rows, int row) {
  return {.id = rows.Text(row, 1),
          .workspace_id = rows.Text(row, 0),
          .display_name = rows.Text(row, 2),
          .email = rows.Text(row, 3),
          .roles = RolesFromNames(rows.TextArray(row, 4)),
          .version = rows.Int(row, 5),
          .create_time = rows.Time(row, 6),
          .update_time = rows.Time(row, 7)};
}

std::string NameOf(const Call& call, const std::string& id) {
  return "workspaces/" + call.workspace_id + "/members/" + id;
}

Status EmailTaken() {
  return MakeError(Code::kAlreadyExists, "EMAIL_TAKEN", "another member of the workspace has this address");
}

// Locks the workspace's row, so that two owners cannot leave at once, and checks what a change of a member must
// respect.
Status CheckChange(db::Tx& tx, const Call& call, const std::string& id, int64_t version, bool stays_owner) {
  PARVIS_RETURN_IF_ERROR(
      tx.Query("SELECT 1 FROM workspaces WHERE workspace_id = $1 FOR NO KEY UPDATE", {call.workspace_id}).status());
  PARVIS_ASSIGN_OR_RETURN(db::Rows now, tx.Query("SELECT version, 'owner' = ANY(roles) FROM members "
                                                 "WHERE workspace_id = $1 AND member_id = $2",
                                                 {call.workspace_id, id}));
  if (now.empty()) return NotFound(NameOf(call, id));
  if (version != 0 && now.Int(0, 0) != version) {
    return MakeError(Code::kAborted, "ETAG_MISMATCH", "the member was changed meanwhile; read it again");
  }
  if (stays_owner || !now.Bool(0, 1)) return absl::OkStatus();
  PARVIS_ASSIGN_OR_RETURN(db::Rows others, tx.Query("SELECT 1 FROM members WHERE workspace_id = $1 AND member_id <> $2 "
                                                    "AND 'owner' = ANY(roles) LIMIT 1",
                                                    {call.workspace_id, id}));
  if (!others.empty()) return absl::OkStatus();
  return MakeError(Code::kFailedPrecondition, "LAST_OWNER",
                   "the workspace would be left without an owner; make somebody else owner first");
}

}  // namespace

StatusOr<Created> PgMemberStore::InsertMember(const Call& call, const Member& made, const Request& request) {
  Created created;
  Status status = api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        created, Once(tx, call.workspace_id, request, made.id, [&]() -> Status {
          return tx
              .Exec("INSERT INTO members (" MEMBER_COLUMNS
                    ", email_folded) "
                    "VALUES ($1, $2, $3, $4, $5::text[], 1, $6, $7, $8)",
                    {call.workspace_id, made.id, made.display_name, made.email, db::Array(RoleNames(made.roles)),
                     made.create_time, made.update_time, FoldEmail(made.email)})
              .status();
        }));
    return absl::OkStatus();
  });
  if (Violates(status, "members_email")) return EmailTaken();
  if (Violates(status, "members_workspace_id_fkey")) return NotFound("workspaces/" + call.workspace_id);
  PARVIS_RETURN_IF_ERROR(status);
  return created;
}

StatusOr<Member> PgMemberStore::GetMember(const Call& call, const std::string& id) {
  Member found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows, tx.Query("SELECT " MEMBER_COLUMNS " FROM members WHERE workspace_id = $1 AND member_id = $2",
                                {call.workspace_id, id}));
    if (rows.empty()) return NotFound(NameOf(call, id));
    found = ToMember(rows, 0);
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<std::vector<Member>> PgMemberStore::ListMembers(const Call& call, const Page& page) {
  std::vector<Member> found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows, tx.Query("SELECT " MEMBER_COLUMNS " FROM members WHERE workspace_id = $1 AND member_id > $2 "
                                "ORDER BY member_id LIMIT $3",
                                {call.workspace_id, page.after.empty() ? kNoWorkspace : page.after, page.limit}));
    found.clear();
    for (int i = 0; i < rows.size(); ++i) found.push_back(ToMember(rows, i));
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<Member> PgMemberStore::UpdateMember(const Call& call, const Member& changed, int64_t version) {
  Member after;
  Status status = api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(CheckChange(tx, call, changed.id, version, changed.roles.contains(Role::kOwner)));
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("UPDATE members SET display_name = $3, email = $4, email_folded = $5, roles = $6::text[], "
                 "update_time = $7, version = version + 1 WHERE workspace_id = $1 AND member_id = $2 "
                 "RETURNING " MEMBER_COLUMNS,
                 {call.workspace_id, changed.id, changed.display_name, changed.email, FoldEmail(changed.email),
                  db::Array(RoleNames(changed.roles)), changed.update_time}));
    if (rows.empty()) return NotFound(NameOf(call, changed.id));
    after = ToMember(rows, 0);
    return absl::OkStatus();
  });
  if (Violates(status, "members_email")) return EmailTaken();
  PARVIS_RETURN_IF_ERROR(status);
  return after;
}

Status PgMemberStore::DeleteMember(const Call& call, const std::string& id, int64_t version, absl::Time now) {
  return api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(CheckChange(tx, call, id, version, /*stays_owner=*/false));
    PARVIS_RETURN_IF_ERROR(tx.Exec("UPDATE api_keys SET revoke_time = $3 "
                                   "WHERE workspace_id = $1 AND member_id = $2 AND revoke_time IS NULL",
                                   {call.workspace_id, id, now})
                               .status());
    return tx.Exec("DELETE FROM members WHERE workspace_id = $1 AND member_id = $2", {call.workspace_id, id}).status();
  });
}

}  // namespace parvis::accounts
