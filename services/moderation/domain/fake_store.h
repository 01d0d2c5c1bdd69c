// All of moderation's stores in memory: what the tests of the use cases run on. The contract suite (store_contract.h)
// holds them and PostgreSQL to the same behaviour. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "moderation/domain/policies.h"
#include "moderation/domain/policy_cache.h"
#include "moderation/domain/queue.h"

namespace parvis::moderation {

// What the three fakes share, as one database would be.
struct FakeData {
  struct Kept {
    PolicyRecord record;
    std::vector<PolicyVersionRecord> versions;
    std::string request_id;
  };
  using Key = std::pair<std::string, std::string>;  // workspace, id
  std::mutex mutex;
  bool down = false;         // every call is UNAVAILABLE
  mutable int refused = 0;   // how many were
  int active_questions = 0;  // how often Active was asked
  std::map<Key, Kept> policies;
  std::map<std::string, ActivePolicy> active;
  std::map<Key, Review> reviews;
  std::map<Key, Decision> decisions;
  std::map<CommentKey, CommentState> comments;
  std::map<std::string, StreamPosition> positions;
  std::vector<std::string> commands;  // ids, in the order written
  Status Up() const;
};

class FakePolicyStore : public PolicyStore, public ActivePolicyStore {
 public:
  explicit FakePolicyStore(FakeData& data, const PolicyQuota& quota = {}) : d_(data), quota_(quota) {}
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
  StatusOr<std::map<std::string, ActivePolicy>> Active(const std::vector<std::string>& workspace_ids) override;
  StatusOr<std::string> Source(const std::string& workspace_id, const ActivePolicy& policy) override;

 private:
  StatusOr<FakeData::Kept*> Find(const Call& call, const std::string& id);
  PolicyRecord View(const Call& call, const FakeData::Kept& kept) const;
  FakeData& d_;
  const PolicyQuota quota_;
};

class FakeReviewStore : public ReviewStore {
 public:
  explicit FakeReviewStore(FakeData& data) : d_(data) {}
  StatusOr<Review> Get(const Call& call, const std::string& id) override;
  StatusOr<std::vector<Review>> List(const Call& call, const ReviewFilter& filter,
                                     const std::optional<ReviewCursor>& after, absl::Time now, int limit) override;
  StatusOr<Review> Alter(const Call& call, const std::string& id, const Change& change) override;
  StatusOr<std::vector<Decision>> ListDecisions(const Call& call, const DecisionFilter& filter,
                                                const std::optional<TimeCursor>& after, int limit) override;

 private:
  Review Load(const Review& review) const;
  FakeData& d_;
};

class FakeQueueStore : public QueueStore {
 public:
  explicit FakeQueueStore(FakeData& data) : d_(data) {}
  Status Apply(const StreamPositions& positions, const std::vector<CommentKey>& keys, const Planner& plan) override;

 private:
  FakeData& d_;
};

}  // namespace parvis::moderation
