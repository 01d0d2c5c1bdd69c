// Use cases: organisations and workspaces.
#pragma once

#include <string>
#include <vector>

#include "accounts/domain/types.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/ids.h"

namespace parvis::accounts {

// Port: where organisations and workspaces are kept. Thread-safe; blocks.
class TenantStore {
 public:
  virtual ~TenantStore() = default;
  // Creations: FAILED_PRECONDITION REQUEST_ID_REUSED when the request's id came with another content before.
  virtual StatusOr<Created> InsertOrganization(const Call& call, const Organization& made, const Request& request) = 0;
  // NOT_FOUND.
  virtual StatusOr<Organization> GetOrganization(const Call& call, const std::string& id) = 0;
  // NOT_FOUND when the organisation does not exist.
  virtual StatusOr<Created> InsertWorkspace(const Call& call, const Workspace& made, const Request& request) = 0;
  // NOT_FOUND, also when `call.workspace_id` is another workspace.
  virtual StatusOr<Workspace> GetWorkspace(const Call& call, const std::string& id) = 0;
  virtual StatusOr<std::vector<Workspace>> ListWorkspaces(const Call& call, const std::string& organization_id,
                                                          const Page& page) = 0;
  // Writes display_name, time_zone and update_time if the stored version is `version`, which it raises; ABORTED
  // ETAG_MISMATCH otherwise. NOT_FOUND.
  virtual StatusOr<Workspace> UpdateWorkspace(const Call& call, const Workspace& changed, int64_t version) = 0;
};

// What may be changed; unset stays as it is. `version` 0: whatever the version is.
struct WorkspaceChange {
  std::optional<std::string> display_name, time_zone;
  int64_t version = 0;
};

class Tenants {
 public:
  Tenants(TenantStore& store, Ids& ids, const Clock& clock) : store_(store), ids_(ids), clock_(clock) {}

  StatusOr<Organization> CreateOrganization(const Call& call, Organization wanted, Request request);
  StatusOr<Organization> GetOrganization(const Call& call, const std::string& id);
  // An owner may do so only in the organisation of the own workspace: PERMISSION_DENIED ANOTHER_ORGANIZATION.
  StatusOr<Workspace> CreateWorkspace(const Call& call, Workspace wanted, Request request);
  StatusOr<Workspace> GetWorkspace(const Call& call, const std::string& id);
  StatusOr<std::vector<Workspace>> ListWorkspaces(const Call& call, const std::string& organization_id,
                                                  const Page& page);
  StatusOr<Workspace> UpdateWorkspace(const Call& call, const std::string& id, const WorkspaceChange& change);

 private:
  TenantStore& store_;
  Ids& ids_;
  const Clock& clock_;
};

}  // namespace parvis::accounts
