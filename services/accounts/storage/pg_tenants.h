// Organisations, workspaces and members in PostgreSQL.
#pragma once

#include "accounts/domain/members.h"
#include "accounts/domain/tenants.h"
#include "platform/db/pool.h"

namespace parvis::accounts {

// Creating tenants and listing the workspaces of an organisation crosses workspaces: that goes through `stream`;
// everything inside a workspace goes through `api`, under row-level security.
class PgTenantStore : public TenantStore {
 public:
  PgTenantStore(db::Pool& api, db::Pool& stream) : api_(api), stream_(stream) {}
  StatusOr<Created> InsertOrganization(const Call& call, const Organization& made, const Request& request) override;
  StatusOr<Organization> GetOrganization(const Call& call, const std::string& id) override;
  StatusOr<Created> InsertWorkspace(const Call& call, const Workspace& made, const Request& request) override;
  StatusOr<Workspace> GetWorkspace(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Workspace>> ListWorkspaces(const Call& call, const std::string& organization_id,
                                                  const Page& page) override;
  StatusOr<Workspace> UpdateWorkspace(const Call& call, const Workspace& changed, int64_t version) override;

 private:
  db::Pool& api_;
  db::Pool& stream_;
};

class PgMemberStore : public MemberStore {
 public:
  explicit PgMemberStore(db::Pool& api) : api_(api) {}
  StatusOr<Created> InsertMember(const Call& call, const Member& made, const Request& request) override;
  StatusOr<Member> GetMember(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Member>> ListMembers(const Call& call, const Page& page) override;
  StatusOr<Member> UpdateMember(const Call& call, const Member& changed, int64_t version) override;
  Status DeleteMember(const Call& call, const std::string& id, int64_t version, absl::Time now) override;

 private:
  db::Pool& api_;
};

}  // namespace parvis::accounts
