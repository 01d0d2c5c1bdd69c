// Policies in PostgreSQL. Thread-safe.
#pragma once

#include "moderation/domain/policies.h"
#include "moderation/domain/policy_cache.h"
#include "platform/db/pool.h"

namespace parvis::moderation {

// Over the api role: one workspace a call, by row-level security.
class PgPolicyStore : public PolicyStore {
 public:
  PgPolicyStore(db::Pool& api, const PolicyQuota& quota) : pool_(api), quota_(quota) {}
  StatusOr<PolicyRecord> Create(const Call& call, const PolicyRecord& policy, const std::string& member_id,
                                const std::string& request_id) override;
  StatusOr<PolicyRecord> Get(const Call& call, const std::string& id) override;
  StatusOr<std::vector<PolicyRecord>> List(const Call& call, const std::optional<TimeCursor>& after,
                                           int limit) override;
  StatusOr<PolicyRecord> Update(const Call& call, const std::string& id, const PolicyChange& change,
                                const std::string& member_id, absl::Time now) override;
  StatusOr<std::vector<PolicyVersionRecord>> ListVersions(const Call& call, const std::string& id, int64_t before,
                                                          int limit) override;
  StatusOr<PolicyRecord> Activate(const Call& call, const std::string& id, int64_t version,
                                  const std::string& member_id, absl::Time now) override;
  StatusOr<PolicyRecord> Deactivate(const Call& call, const std::string& id) override;

 private:
  db::Pool& pool_;
  const PolicyQuota quota_;
};

// Over the stream role: many workspaces at once.
class PgActivePolicyStore : public ActivePolicyStore {
 public:
  explicit PgActivePolicyStore(db::Pool& stream) : pool_(stream) {}
  StatusOr<std::map<std::string, ActivePolicy>> Active(const std::vector<std::string>& workspace_ids) override;
  StatusOr<std::string> Source(const std::string& workspace_id, const ActivePolicy& policy) override;

 private:
  db::Pool& pool_;
};

}  // namespace parvis::moderation
