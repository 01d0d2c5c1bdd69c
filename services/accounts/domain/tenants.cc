#include "accounts/domain/tenants.h"

#include "accounts/domain/rules.h"

namespace parvis::accounts {
namespace {

// Operators see all organisations, everybody else the own one.
Status CheckOrganization(const Call& call, const std::string& organization_id) {
  if (call.principal.Has(Role::kOperator) || call.principal.organization_id == organization_id) return absl::OkStatus();
  return MakeError(Code::kPermissionDenied, "ANOTHER_ORGANIZATION", "the key belongs to another organisation");
}

}  // namespace

StatusOr<Organization> Tenants::CreateOrganization(const Call& call, Organization wanted, Request request) {
  std::vector<Violation> violations;
  CheckDisplayName("organization.display_name", wanted.display_name, violations);
  PARVIS_RETURN_IF_ERROR(ToStatus(std::move(violations)));
  wanted.id = ids_.New();
  wanted.create_time = clock_.WallNow();
  PARVIS_ASSIGN_OR_RETURN(Created created, store_.InsertOrganization(call, wanted, request));
  return store_.GetOrganization(call, created.id);
}

StatusOr<Organization> Tenants::GetOrganization(const Call& call, const std::string& id) {
  return store_.GetOrganization(call, id);
}

StatusOr<Workspace> Tenants::CreateWorkspace(const Call& call, Workspace wanted, Request request) {
  PARVIS_RETURN_IF_ERROR(CheckOrganization(call, wanted.organization_id));
  if (wanted.time_zone.empty()) wanted.time_zone = "UTC";
  std::vector<Violation> violations;
  CheckDisplayName("workspace.display_name", wanted.display_name, violations);
  CheckTimeZone("workspace.time_zone", wanted.time_zone, violations);
  PARVIS_RETURN_IF_ERROR(ToStatus(std::move(violations)));
  wanted.id = ids_.New();
  wanted.version = 1;
  wanted.create_time = wanted.update_time = clock_.WallNow();
  PARVIS_ASSIGN_OR_RETURN(Created created, store_.InsertWorkspace(call, wanted, request));
  Call inside = call;  // the caller is not a member of the new workspace yet, but may see what was made
  inside.workspace_id = created.id;
  return store_.GetWorkspace(inside, created.id);
}

StatusOr<Workspace> Tenants::GetWorkspace(const Call& call, const std::string& id) {
  return store_.GetWorkspace(call, id);
}

StatusOr<std::vector<Workspace>> Tenants::ListWorkspaces(const Call& call, const std::string& organization_id,
                                                         const Page& page) {
  PARVIS_RETURN_IF_ERROR(CheckOrganization(call, organization_id));
  return store_.ListWorkspaces(call, organization_id, page);
}

StatusOr<Workspace> Tenants::UpdateWorkspace(const Call& call, const std::string& id, const WorkspaceChange& change) {
  std::vector<Violation> violations;
  if (change.display_name) CheckDisplayName("workspace.display_name", *change.display_name, violations);
  if (change.time_zone) CheckTimeZone("workspace.time_zone", *change.time_zone, violations);
  PARVIS_RETURN_IF_ERROR(ToStatus(std::move(violations)));
  PARVIS_ASSIGN_OR_RETURN(Workspace workspace, store_.GetWorkspace(call, id));
  int64_t version = change.version != 0 ? change.version : workspace.version;
  if (change.display_name) workspace.display_name = *change.display_name;
  if (change.time_zone) workspace.time_zone = *change.time_zone;
  workspace.update_time = clock_.WallNow();
  return store_.UpdateWorkspace(call, workspace, version);
}

}  // namespace parvis::accounts
