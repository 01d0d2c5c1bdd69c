// What every implementation of moderation's stores must do; run on the fakes (domain tests) and on PostgreSQL (storage
// tests). An implementation gives a subclass of StoreEnvironment and instantiates the suite with it:
//   INSTANTIATE_TEST_SUITE_P(Fake, StoreContract, testing::Values([] { return std::make_unique<FakeEnvironment>(); }));
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>

#include <gtest/gtest.h>

#include "moderation/domain/policies.h"
#include "moderation/domain/policy_cache.h"
#include "moderation/domain/queue.h"
#include "moderation/domain/review.h"

namespace parvis::moderation {

class StoreEnvironment {
 public:
  virtual ~StoreEnvironment() = default;
  virtual PolicyStore& policies() = 0;
  virtual ActivePolicyStore& active() = 0;
  virtual ReviewStore& reviews() = 0;
  virtual QueueStore& queue() = 0;
  // Claims partition 0 of the queue: a position with a new epoch.
  virtual StreamPosition Claim() = 0;
  // The ids of all commands that were written, in order.
  virtual std::vector<std::string> Commands() = 0;
};

// What the stores under test are made with.
inline constexpr PolicyQuota kContractQuota{.policies = 3, .versions = 4};

using MakeEnvironment = std::function<std::unique_ptr<StoreEnvironment>()>;

class StoreContract : public testing::TestWithParam<MakeEnvironment> {
 protected:
  void SetUp() override { env_ = GetParam()(); }
  Call In(const std::string& workspace, const std::string& member = "") const;
  // An assessed comment of kWorkspace; `n` tells comments apart.
  Assessed Comment(int n, Action action, int64_t revision = 100) const;
  Status Apply(const std::vector<Assessed>& batch);
  PolicyRecord MakePolicy(const Call& call, const std::string& source, absl::Time at,
                          const std::string& request_id = "");

  std::unique_ptr<StoreEnvironment> env_;
  FakeClock clock_;
  Ids ids_{clock_, 1};
  std::optional<StreamPosition> position_;
  const std::string ws_ = "018f0000-0000-7000-8000-000000000001";
  const std::string other_ = "018f0000-0000-7000-8000-000000000002";
};

}  // namespace parvis::moderation
