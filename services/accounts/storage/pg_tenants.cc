#include "accounts/storage/pg_tenants.h"

#include "accounts/storage/rows.h"

namespace parvis::accounts {
namespace {

Workspace ToWorkspace(const db::Rows& rows, int row) {
  return {.id = rows.Text(row, 0),
          .organization_id = rows.Text(row, 1),
          .display_name = rows.Text(row, 2),
          .time_zone = rows.Text(row, 3),
          .version = rows.Int(row, 4),
          .create_time = rows.Time(row, 5),
          .update_time = rows.Time(row, 6)};
}

#define WORKSPACE_COLUMNS "workspace_id, organization_id, display_name, time_zone, version, create_time, update_time"

}  // namespace

StatusOr<Created> PgTenantStore::InsertOrganization(const Call& call, const Organization& made,
                                                    const Request& request) {
  Created created;
  PARVIS_RETURN_IF_ERROR(stream_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        created, Once(tx, kNoWorkspace, request, made.id, [&]() -> Status {
          return tx
              .Exec("INSERT INTO organizations (organization_id, display_name, create_time) VALUES ($1, $2, $3)",
                    {made.id, made.display_name, made.create_time})
              .status();
        }));
    return absl::OkStatus();
  }));
  return created;
}

StatusOr<Organization> PgTenantStore::GetOrganization(const Call& call, const std::string& id) {
  Organization found;
  PARVIS_RETURN_IF_ERROR(stream_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("SELECT organization_id, display_name, create_time FROM organizations WHERE organization_id = $1",
                 {id}));
    if (rows.empty()) return NotFound("organizations/" + id);
    found = {rows.Text(0, 0), rows.Text(0, 1), rows.Time(0, 2)};
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<Created> PgTenantStore::InsertWorkspace(const Call& call, const Workspace& made, const Request& request) {
  Created created;
  Status status = stream_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(created, Once(tx, kNoWorkspace, request, made.id, [&]() -> Status {
                              return tx
                                  .Exec("INSERT INTO workspaces (" WORKSPACE_COLUMNS
                                        ") VALUES ($1, $2, $3, $4, 1, $5, $6)",
                                        {made.id, made.organization_id, made.display_name, made.time_zone,
                                         made.create_time, made.update_time})
                                  .status();
                            }));
    return absl::OkStatus();
  });
  if (Violates(status, "workspaces_organization_id_fkey")) return NotFound("organizations/" + made.organization_id);
  PARVIS_RETURN_IF_ERROR(status);
  return created;
}

StatusOr<Workspace> PgTenantStore::GetWorkspace(const Call& call, const std::string& id) {
  Workspace found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows,
                            tx.Query("SELECT " WORKSPACE_COLUMNS " FROM workspaces WHERE workspace_id = $1", {id}));
    if (rows.empty()) return NotFound("workspaces/" + id);
    found = ToWorkspace(rows, 0);
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<std::vector<Workspace>> PgTenantStore::ListWorkspaces(const Call& call, const std::string& organization_id,
                                                               const Page& page) {
  std::vector<Workspace> found;
  PARVIS_RETURN_IF_ERROR(stream_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("SELECT " WORKSPACE_COLUMNS " FROM workspaces WHERE organization_id = $1 AND workspace_id > $2 "
                 "ORDER BY workspace_id LIMIT $3",
                 {organization_id, page.after.empty() ? kNoWorkspace : page.after, page.limit}));
    found.clear();
    for (int i = 0; i < rows.size(); ++i) found.push_back(ToWorkspace(rows, i));
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<Workspace> PgTenantStore::UpdateWorkspace(const Call& call, const Workspace& changed, int64_t version) {
  Workspace after;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("UPDATE workspaces SET display_name = $3, time_zone = $4, update_time = $5, version = version + 1 "
                 "WHERE workspace_id = $1 AND version = $2 RETURNING " WORKSPACE_COLUMNS,
                 {changed.id, version, changed.display_name, changed.time_zone, changed.update_time}));
    if (rows.empty()) {
      PARVIS_ASSIGN_OR_RETURN(db::Rows there,
                              tx.Query("SELECT 1 FROM workspaces WHERE workspace_id = $1", {changed.id}));
      if (there.empty()) return NotFound("workspaces/" + changed.id);
      return MakeError(Code::kAborted, "ETAG_MISMATCH", "the workspace was changed meanwhile; read it again");
    }
    after = ToWorkspace(rows, 0);
    return absl::OkStatus();
  }));
  return after;
}

}  // namespace parvis::accounts
