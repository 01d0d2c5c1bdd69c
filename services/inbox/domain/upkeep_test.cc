#include "inbox/domain/upkeep.h"

#include <gtest/gtest.h>

#include <atomic>

#include "inbox/domain/claim.h"
#include "inbox/domain/testing/memory_store.h"
#include "inbox/domain/testing/scenario.h"
#include "platform/testing/wait.h"

namespace parvis::inbox {
namespace {

TEST(Upkeep, AClaimThatRanOutIsGivenBackByItself) {
  FakeClock clock;
  testing::MemoryStore store(clock);
  StreamPosition position = *store.Claim("g", "t", 0);
  ++position.next;
  ASSERT_TRUE(FoldBatch(store, position, {testing::Comment("t", "m", 1)}).ok());
  ASSERT_TRUE(ClaimConversation(store, testing::CallOf(), testing::IdOf("t"), absl::Minutes(5)).ok());
  std::atomic<int> changed = 0;
  Upkeep upkeep(store, {.interval = absl::Milliseconds(5)}, [&] { ++changed; });
  upkeep.Start();
  clock.Advance(absl::Minutes(6));
  EXPECT_TRUE(parvis::testing::WaitFor([&] { return changed == 1; }));
  upkeep.Stop();
  EXPECT_EQ(store.GetConversation(testing::CallOf(), testing::IdOf("t"))->claim.member_id, "");
  EXPECT_EQ(store.events().back().type, EventType::kReleased);
}

class Broken : public UpkeepStore {
 public:
  StatusOr<int> ReleaseExpiredClaims(int) override { return MakeError(Code::kUnavailable, "FIRST", "away"); }
  StatusOr<int> TrimFeeds(absl::Duration, int) override { return ++trimmed; }
  StatusOr<int> ForgetAbsentMessages(absl::Duration, int) override { return MakeError(Code::kUnavailable, "LAST", "away"); }
  int trimmed = 0;
};

TEST(Upkeep, OneFailureDoesNotStopTheRest) {
  Broken store;
  EXPECT_EQ(ReasonOf(UpkeepRound(store, {}, [] {})), "FIRST");
  EXPECT_EQ(store.trimmed, 1);
}

}  // namespace
}  // namespace parvis::inbox
