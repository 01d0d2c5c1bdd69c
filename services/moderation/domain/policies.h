// Use cases on policies: what managers do with them. Reading and writing goes through the port PolicyStore.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "moderation/domain/assess.h"
#include "moderation/domain/compiled_policy.h"
#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/ids.h"

namespace parvis::moderation {

struct PolicyRecord {
  std::string id;
  std::string display_name;
  std::string source;          // of the latest version
  int64_t version = 0;         // the latest
  int64_t active_version = 0;  // 0: not active
  int64_t revision = 0;        // rises with every change; the etag
  absl::Time create_time, update_time;
};

struct PolicyVersionRecord {
  int64_t version = 0;
  std::string source;
  std::string member_id;  // "" for a key without a member
  absl::Time create_time;
};

// What is changed; what is unset stays.
struct PolicyChange {
  std::optional<std::string> display_name;
  std::optional<std::string> source;
  std::optional<int64_t> if_revision;  // refuse unless this is the current one
};

// Where a list goes on: after the item with these values.
struct TimeCursor {
  absl::Time time;
  std::string id;
};

// How much a workspace may keep. Policies and versions are never deleted (the log of decisions names them), so without
// a bound they would only grow.
struct PolicyQuota {
  int policies = 100;   // of a workspace
  int versions = 1000;  // of a policy
};
// RESOURCE_EXHAUSTED POLICIES_TOO_MANY and POLICY_VERSIONS_TOO_MANY, with metadata "limit".
Status PoliciesTooMany(const PolicyQuota& quota);
Status VersionsTooMany(const PolicyQuota& quota);

// Port. Every call is within call.workspace_id and sees nothing of another one. Stores keep to the PolicyQuota they are
// made with, however many callers write at once.
class PolicyStore {
 public:
  virtual ~PolicyStore() = default;
  // Stores a policy as its version 1. If a policy with this request id (not "") exists, returns that one, unchanged,
  // also when there are too many. RESOURCE_EXHAUSTED POLICIES_TOO_MANY.
  virtual StatusOr<PolicyRecord> Create(const Call& call, const PolicyRecord& policy, const std::string& member_id,
                                        const std::string& request_id) = 0;
  virtual StatusOr<PolicyRecord> Get(const Call& call, const std::string& id) = 0;  // NOT_FOUND
  // Newest first.
  virtual StatusOr<std::vector<PolicyRecord>> List(const Call& call, const std::optional<TimeCursor>& after,
                                                   int limit) = 0;
  // A new source becomes the next version. NOT_FOUND; ABORTED ETAG_MISMATCH; RESOURCE_EXHAUSTED
  // POLICY_VERSIONS_TOO_MANY, and nothing is changed then.
  virtual StatusOr<PolicyRecord> Update(const Call& call, const std::string& id, const PolicyChange& change,
                                        const std::string& member_id, absl::Time now) = 0;
  // Newest first, below `before` if it is not 0. NOT_FOUND when the policy does not exist.
  virtual StatusOr<std::vector<PolicyVersionRecord>> ListVersions(const Call& call, const std::string& id,
                                                                  int64_t before, int limit) = 0;
  // `version` 0 is the latest. NOT_FOUND for the policy or the version.
  virtual StatusOr<PolicyRecord> Activate(const Call& call, const std::string& id, int64_t version,
                                          const std::string& member_id, absl::Time now) = 0;
  virtual StatusOr<PolicyRecord> Deactivate(const Call& call, const std::string& id) = 0;  // NOT_FOUND
};

struct TestedText {
  Verdict verdict;
  std::string normalized;
};

// Thread-safe.
class Policies {
 public:
  static constexpr size_t kDisplayNameMax = 200;  // characters
  static constexpr size_t kTestTextsMax = 100;
  static constexpr size_t kTextBytesMax = 64 << 10;

  Policies(PolicyStore& store, const Normalizer& normalizer, const PolicyLimits& limits, Ids& ids, const Clock& clock)
      : store_(store), normalizer_(normalizer), limits_(limits), ids_(ids), clock_(clock) {}

  // INVALID_ARGUMENT with every error of the name and the source.
  StatusOr<PolicyRecord> Create(const Call& call, const std::string& display_name, const std::string& source,
                                const std::string& request_id);
  StatusOr<PolicyRecord> Update(const Call& call, const std::string& id, const PolicyChange& change);
  StatusOr<PolicyRecord> Get(const Call& call, const std::string& id) { return store_.Get(call, id); }
  StatusOr<std::vector<PolicyRecord>> List(const Call& call, const std::optional<TimeCursor>& after, int limit) {
    return store_.List(call, after, limit);
  }
  StatusOr<std::vector<PolicyVersionRecord>> ListVersions(const Call& call, const std::string& id, int64_t before,
                                                          int limit) {
    return store_.ListVersions(call, id, before, limit);
  }
  StatusOr<PolicyRecord> Activate(const Call& call, const std::string& id, int64_t version);
  StatusOr<PolicyRecord> Deactivate(const Call& call, const std::string& id) { return store_.Deactivate(call, id); }

  // Tries a source, or the latest version of the saved policy `id` when `source` is not set. Saves nothing.
  StatusOr<std::vector<TestedText>> Test(const Call& call, const std::optional<std::string>& source,
                                         const std::string& id, const std::vector<Subject>& texts);

 private:
  Status Check(const std::optional<std::string>& display_name, const std::optional<std::string>& source) const;

  PolicyStore& store_;
  const Normalizer& normalizer_;
  const PolicyLimits limits_;
  Ids& ids_;
  const Clock& clock_;
};

}  // namespace parvis::moderation
