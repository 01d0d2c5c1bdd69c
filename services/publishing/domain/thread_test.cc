#include "publishing/domain/thread.h"

#include "publishing/domain/testing/fake_store.h"
#include "publishing/domain/thread_contract.h"

namespace parvis::publishing {
namespace {

class FakeFixture : public ThreadFixture {
 public:
  PostStore& posts() override { return store_; }
  CampaignStore& campaigns() override { return store_; }
  DeliveryStore& deliveries() override { return store_; }
  DeliveryLedger& ledger() override { return store_; }

 private:
  FakeStore store_;
};

INSTANTIATE_TEST_SUITE_P(Fake, ThreadContract, ::testing::Values([]() -> std::unique_ptr<ThreadFixture> {
                           return std::make_unique<FakeFixture>();
                         }));

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

// The second part of two, failed.
Delivery Failed() {
  Delivery first = MakeThread("one", {"two"}, kNow);
  first.remote_id = "r1";
  Delivery second = *NextOfThread(first, kNow);
  second.state = DeliveryState::kFailed;
  second.error_reason = "REJECTED";
  return second;
}

TEST(Thread, OnlyALaterPartThatDidNotMakeItCanBeResumed) {
  EXPECT_TRUE(CanResume(Failed()));
  for (const DeliveryState state : {DeliveryState::kScheduled, DeliveryState::kClaimed, DeliveryState::kSent, DeliveryState::kDelivered,
                                    DeliveryState::kFailed, DeliveryState::kUnknown, DeliveryState::kCancelled, DeliveryState::kExpired}) {
    Delivery part = Failed();
    part.state = state;
    EXPECT_EQ(CanResume(part), state == DeliveryState::kFailed || state == DeliveryState::kExpired) << StateName(state);
    part.content.part = 0;
    EXPECT_FALSE(CanResume(part)) << "the first part: the post is scheduled again";
  }
  Delivery ended = Failed();
  ended.content.ended = true;
  EXPECT_FALSE(CanResume(ended)) << "the post was cancelled";
}

TEST(Thread, WhatAnswersNobodyKnowsWhatCannotBeResumed) {
  const Delivery next = *NextOfThread(MakeThread("one", {"two"}, kNow), kNow);
  EXPECT_EQ(next.state, DeliveryState::kFailed);
  EXPECT_EQ(next.error_reason, "NOT_FOUND");
  EXPECT_FALSE(CanResume(next));
}

TEST(Thread, AResumedPartIsTriedAsIfForTheFirstTime) {
  Delivery part = Failed();
  part.fence = 4;
  part.tries = part.empty_reads = part.resends = 2;
  part.attempts = 3;
  const Change change = ResumePart(part, kNow + absl::Hours(9), kNow + absl::Hours(11), "m1");
  EXPECT_EQ(change.from, std::vector<DeliveryState>{DeliveryState::kFailed});
  EXPECT_EQ(change.fence, 4);
  EXPECT_EQ(change.after.fence, 5) << "whatever still holds it is too late";
  EXPECT_EQ(change.after.due_time, kNow + absl::Hours(9));
  EXPECT_EQ(change.after.tries + change.after.empty_reads + change.after.resends, 0);
  EXPECT_EQ(change.after.attempts, 3) << "they are counted on";
  EXPECT_EQ(IdempotencyKeyOf(change.after), IdempotencyKeyOf(part));
}

}  // namespace
}  // namespace parvis::publishing
