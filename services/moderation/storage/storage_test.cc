// The stores' contract on PostgreSQL, and what is special about it.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "moderation/domain/store_contract.h"
#include "moderation/storage/pg_policies.h"
#include "moderation/storage/pg_queue.h"
#include "moderation/storage/pg_reviews.h"
#include "moderation/storage/reasons_json.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/postgres.h"

namespace parvis::moderation {
namespace {

testing::ServiceDatabase& Database() {
  static auto* const db = new testing::ServiceDatabase("moderation");
  return *db;
}

StreamRecord Encode(const Command& command) { return {"commands", command.channel_id, command.command_id, {}}; }

class PgEnvironment : public StoreEnvironment {
 public:
  PgEnvironment() { Database().Clear(); }
  PolicyStore& policies() override { return policies_; }
  ActivePolicyStore& active() override { return active_; }
  ReviewStore& reviews() override { return reviews_; }
  QueueStore& queue() override { return queue_; }
  StreamPosition Claim() override { return offsets_.Claim("moderation.queue", "t", 0).value(); }
  std::vector<std::string> Commands() override {
    std::vector<std::string> out;
    db::OutboxTable outbox(Database().stream());
    // Reads without taking: the callback's error puts everything back.
    (void)outbox.Drain(1000, [&](const std::vector<OutboxRow>& rows) -> Status {
      for (const OutboxRow& row : rows) out.push_back(row.record.payload);
      return MakeError(Code::kUnavailable, "KEEP", "only looked at");
    });
    return out;
  }

 private:
  PgPolicyStore policies_{Database().api(), kContractQuota};
  PgActivePolicyStore active_{Database().stream()};
  PgReviewStore reviews_{Database().api(), Encode};
  PgQueueStore queue_{Database().stream(), Encode};
  db::OffsetTable offsets_{Database().stream(), "moderation"};
};

INSTANTIATE_TEST_SUITE_P(Pg, StoreContract, ::testing::Values([]() -> std::unique_ptr<StoreEnvironment> {
                           return std::make_unique<PgEnvironment>();
                         }));

// However many create at once, there are never more than the quota.
TEST(Quota, HoldsAgainstCallersAtOnce) {
  PgEnvironment env;
  const Call call = BackgroundCall("test", "018f0000-0000-7000-8000-000000000001");
  FakeClock clock;
  std::atomic<int> stored{0}, refused{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&, i] {
      for (int n = 0; n < 3; ++n) {
        PolicyRecord policy;
        policy.id = UuidOfName(std::to_string(i) + "/" + std::to_string(n));
        policy.display_name = "P", policy.source = "s";
        policy.version = policy.revision = 1;
        policy.create_time = policy.update_time = clock.WallNow();
        const Status status = env.policies().Create(call, policy, "m", "").status();
        stored += status.ok();
        refused += ReasonOf(status) == "POLICIES_TOO_MANY";
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(stored, kContractQuota.policies);
  EXPECT_EQ(refused, 12 - kContractQuota.policies);
  EXPECT_EQ(Database().Number("SELECT count(*) FROM moderation.policies"), kContractQuota.policies);
}

TEST(Reasons, SurviveJson) {
  const std::vector<Reason> reasons = {
      {"a", Action::kHide, "Dit \"non\"\n\\", {{0, 3, "é🖕"}, {9, 10, "x"}}, "literal"},
      {"b", Action::kHold, "", {}, "link"}};
  EXPECT_EQ(ReasonsFromJson(ReasonsToJson(reasons)), reasons);
  EXPECT_TRUE(ReasonsFromJson("not json").empty());
  EXPECT_EQ(WithoutNul(std::string("a\0b", 3)),
            "a\xEF\xBF\xBD"
            "b");
}

// Without a workspace the api role sees nothing, whatever it asks.
TEST(RowLevelSecurity, UnsetMeansNothing) {
  PgEnvironment env;
  Call nobody = BackgroundCall("test");
  EXPECT_TRUE(env.reviews().List(nobody, {}, std::nullopt, absl::FromUnixSeconds(0), 10).ok() == false ||
              env.reviews().List(nobody, {}, std::nullopt, absl::FromUnixSeconds(0), 10)->empty());
  EXPECT_EQ(
      Database().Number(
          "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = "
          "'moderation' "
          "AND c.relname IN ('policies', 'policy_versions', 'active_policies', 'comments', 'reviews', 'decisions') "
          "AND c.relrowsecurity AND c.relforcerowsecurity"),
      6);
}

}  // namespace
}  // namespace parvis::moderation
