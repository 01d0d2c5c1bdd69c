// Intents that are committed ahead of their calls: where that is done, and what becomes of them when the calls must not begin.
#include <algorithm>

#include "publishing/domain/testing/deliverer_fixture.h"

namespace parvis::publishing {
namespace {

// Forty replies of as many threads, their calls in the test's hands.
class AheadTest : public DelivererTest {
 protected:
  AheadTest() {
    hold_calls_ = true;
    for (int i = 0; i < 40; ++i) Accept(all_.emplace_back(Reply("r" + std::to_string(i), "t" + std::to_string(i))));
    Steps();
  }
  void Call(int count) {
    for (int i = 0; i < count; ++i) {
      auto task = std::move(queue_.front());
      queue_.pop_front();
      task();
    }
  }
  int Count(State state) {
    return static_cast<int>(std::count_if(all_.begin(), all_.end(), [&](const auto& d) { return Get(d).state == state; }));
  }
  std::vector<Delivery> all_;
};

TEST_F(AheadTest, IntentsGoAheadOfTheCallsWhereTheLastWasTaken) {
  EXPECT_EQ(Count(State::kSent), 4) << "nothing is known of the channel yet";
  Call(1);
  Steps(2);
  EXPECT_EQ(Count(State::kSent), 12);
  EXPECT_EQ(queue_.size(), 4u) << "calls at once to one channel";
  Call(1);
  EXPECT_EQ(queue_.size(), 4u) << "the next begins without a step";
  EXPECT_EQ(network_.calls, 2);
  hold_calls_ = false;
  while (!queue_.empty()) Call(1);
  PassTime(absl::Seconds(3));
  EXPECT_EQ(Count(State::kDelivered), 40);
  EXPECT_EQ(network_.accepted.size(), 40u);
}

TEST_F(AheadTest, WhatWasNotCalledIsGivenBackAfterARefusal) {
  Call(1);
  Steps(2);
  ASSERT_EQ(Count(State::kSent), 12);
  Next({Behaviour::kRateLimit});
  Call(1);
  EXPECT_EQ(queue_.size(), 3u) << "nothing more begins before the answer was looked at";
  Steps();
  EXPECT_EQ(Count(State::kSent), 3) << "those under way";
  int given_back = 0;
  for (const Delivery& d : all_) {
    for (const Transition& step : store_.history(d.id)) given_back += step.detail == "given back before its call";
    EXPECT_LE(Get(d).attempts, 1);
  }
  EXPECT_EQ(given_back, 8);
  hold_calls_ = false;
  while (!queue_.empty()) Call(1);
  PassTime(absl::Seconds(40));
  EXPECT_EQ(Count(State::kDelivered), 40);
  EXPECT_EQ(network_.accepted.size(), 40u);
}

TEST_F(AheadTest, WhatWaitsTooLongForItsCallIsGivenBack) {
  Call(1);
  Steps(2);
  clock_.Advance(Deliverer::kReadyMax + absl::Milliseconds(1));
  deliverer_->Step();
  Call(1);
  EXPECT_EQ(network_.calls, 2);
  EXPECT_GE(Count(State::kSent), 3);
  for (const Delivery& d : all_) {
    if (Get(d).state == State::kSent) {
      EXPECT_EQ(store_.history(d.id).back().detail, "intent recorded");
    }
  }
  hold_calls_ = false;
  while (!queue_.empty()) Call(1);
  PassTime(absl::Seconds(10));
  EXPECT_EQ(Count(State::kDelivered), 40);
  EXPECT_EQ(network_.accepted.size(), 40u);
}

TEST_F(AheadTest, StoppingGivesBackWhatWasNotCalled) {
  Call(1);
  Steps(2);
  ASSERT_EQ(Count(State::kSent), 12);
  deliverer_->Stop(absl::ZeroDuration());
  EXPECT_EQ(Count(State::kSent), 4) << "their calls are under way";
  EXPECT_EQ(Count(State::kScheduled), 35);
}

}  // namespace
}  // namespace parvis::publishing
