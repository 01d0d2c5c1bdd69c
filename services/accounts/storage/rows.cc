#include "accounts/storage/rows.h"

namespace parvis::accounts {
namespace {

constexpr Role kAll[] = {Role::kAnalyst,  Role::kModerator, Role::kManager, Role::kOwner,
                         Role::kApprover, Role::kService,   Role::kOperator};

}  // namespace

std::vector<std::string> RoleNames(const std::set<Role>& roles) {
  std::vector<std::string> names;
  for (Role role : roles) names.emplace_back(RoleName(role));
  return names;
}

std::set<Role> RolesFromNames(const std::vector<std::string>& names) {
  std::set<Role> roles;
  for (const std::string& name : names) {
    for (Role role : kAll) {
      if (name == RoleName(role)) roles.insert(role);
    }
  }
  return roles;
}

StatusOr<std::string> MadeBefore(db::Tx& tx, const std::string& scope, const Request& request) {
  if (request.request_id.empty()) return std::string();
  PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query("SELECT resource_id, fingerprint FROM requests "
                                                  "WHERE workspace_id = $1 AND method = $2 AND request_id = $3",
                                                  {scope, request.method, request.request_id}));
  if (rows.empty()) return std::string();
  if (rows.View(0, 1) != request.fingerprint) {
    return MakeError(Code::kFailedPrecondition, "REQUEST_ID_REUSED",
                     "this request_id came before with another content; use a new one for a new request");
  }
  return rows.Text(0, 0);
}

StatusOr<Created> Once(db::Tx& tx, const std::string& scope, const Request& request, const std::string& id,
                       const std::function<Status()>& insert) {
  if (!request.request_id.empty()) {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows inserted, tx.Query("INSERT INTO requests (workspace_id, method, request_id, fingerprint, resource_id) "
                                    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                                    {scope, request.method, request.request_id, request.fingerprint, id}));
    if (inserted.affected() == 0) {
      PARVIS_ASSIGN_OR_RETURN(std::string before, MadeBefore(tx, scope, request));
      return Created{std::move(before), true};
    }
  }
  PARVIS_RETURN_IF_ERROR(insert());
  return Created{id, false};
}

bool Violates(const Status& status, std::string_view constraint) {
  if (status.ok()) return false;
  Error error = ToError(status);
  auto it = error.metadata.find("constraint");
  return it != error.metadata.end() && it->second == constraint;
}

}  // namespace parvis::accounts
