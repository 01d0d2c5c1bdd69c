// Which compiled policy moderates a workspace right now: for the stream, which must not guess. When the answer is older
// than `fresh`, the store is asked again (one question for all workspaces of a batch); when the store cannot answer,
// the batch waits. A policy that was already in use keeps moderating while its successor compiles on a thread of its
// own.
#pragma once

#include <condition_variable>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "moderation/domain/compiled_policy.h"
#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"

namespace parvis::moderation {

struct ActivePolicy {
  std::string policy_id;  // "" when the workspace has none
  int64_t version = 0;
  bool operator==(const ActivePolicy&) const = default;
};

// Port: across workspaces.
class ActivePolicyStore {
 public:
  virtual ~ActivePolicyStore() = default;
  // Of each workspace that has an active policy.
  virtual StatusOr<std::map<std::string, ActivePolicy>> Active(const std::vector<std::string>& workspace_ids) = 0;
  // The source of one version. NOT_FOUND.
  virtual StatusOr<std::string> Source(const std::string& workspace_id, const ActivePolicy& policy) = 0;
};

struct PolicyInForce {
  ActivePolicy active;
  std::shared_ptr<const CompiledPolicy> compiled;
};

class PolicyCache {
 public:
  struct Options {
    absl::Duration fresh = absl::Seconds(1);
    int entries_max = 1000;  // workspaces; the longest unused go first
    PolicyLimits limits;
  };
  // All outlive the cache. `compiler` runs compilations; it should have few threads.
  PolicyCache(ActivePolicyStore& store, const Normalizer& normalizer, Executor& compiler, const Clock& clock,
              const Options& options);

  // Waits for the compilations under way: they use the cache.
  ~PolicyCache();

  // The policies of these workspaces (distinct). UNAVAILABLE, or the store's error made UNAVAILABLE, when one cannot be
  // told.
  StatusOr<std::map<std::string, PolicyInForce>> Of(const std::vector<std::string>& workspace_ids);
  int entries() const;

 private:
  struct Entry {
    PolicyInForce in_force;
    Instant asked;
    ActivePolicy compiling;  // what a background compilation will bring
    std::list<std::string>::iterator use;
  };
  // Asks the store and adds what is in force now.
  Status Refresh(const std::vector<std::string>& workspace_ids, std::map<std::string, PolicyInForce>* out);
  StatusOr<PolicyInForce> Adopt(const std::string& workspace_id, const ActivePolicy& active, Instant asked);
  bool Submit(const std::string& workspace_id, const ActivePolicy& active);
  StatusOr<std::shared_ptr<const CompiledPolicy>> Load(const std::string& workspace_id, const ActivePolicy& active);
  PolicyInForce Put(const std::string& workspace_id, PolicyInForce in_force, Instant asked);

  ActivePolicyStore& store_;
  const Normalizer& normalizer_;
  Executor& compiler_;
  const Clock& clock_;
  const Options options_;
  const std::shared_ptr<const CompiledPolicy> empty_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  int compilations_ = 0;  // submitted and not ended
  std::unordered_map<std::string, Entry> entries_;
  std::list<std::string> uses_;  // most lately used first
};

}  // namespace parvis::moderation
