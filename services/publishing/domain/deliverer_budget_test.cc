// Rate budgets as the deliverer keeps them: what waits for which, for how long, and what is remembered.
#include <algorithm>

#include "publishing/domain/testing/deliverer_fixture.h"

namespace parvis::publishing {
namespace {

// What a channel of a network that counts its endpoints apart is asked for: 100 hides and, later, some replies.
class BudgetTest : public DelivererTest {
 protected:
  BudgetTest() {
    network_.budgets = {{DeliveryKind::kPost, "create"}, {DeliveryKind::kReply, "create"}, {DeliveryKind::kHide, "hide"},
                        {DeliveryKind::kUnhide, "hide"}, {DeliveryKind::kDelete, "delete"}};
    network_.windows[{kChannel, "hide"}] = {50, 0};
    network_.windows[{kChannel, "create"}] = {100, 0};
  }
  Delivery Hide(int i, const std::string& channel = kChannel) {
    Delivery d = Reply("hide " + std::to_string(i), "h" + std::to_string(i), channel);
    d.kind = DeliveryKind::kHide;
    d.due_time = d.ready_time = d.due_time + absl::Milliseconds(i);
    return d;
  }
  std::vector<Delivery> AcceptHides(int count) {
    std::vector<Delivery> hides;
    for (int i = 0; i < count; ++i) Accept(hides.emplace_back(Hide(i)));
    return hides;
  }
  int Count(const std::vector<Delivery>& list, State state) {
    return static_cast<int>(std::count_if(list.begin(), list.end(), [&](const auto& d) { return Get(d).state == state; }));
  }
};

TEST_F(BudgetTest, AUsedUpWindowHoldsBackOnlyWhatDrawsOnIt) {
  const std::vector<Delivery> hides = AcceptHides(300);
  PassTime(absl::Seconds(10));
  ASSERT_EQ(Count(hides, State::kDelivered), 50);
  EXPECT_EQ(Get(hides.back()).state, State::kScheduled);
  std::vector<Delivery> others;
  for (int i = 0; i < 20; ++i) Accept(others.emplace_back(Reply("r" + std::to_string(i), "t" + std::to_string(i))));
  Delivery post = Reply("post");
  post.kind = DeliveryKind::kPost;
  post.lane = LaneOf(post);
  Delivery gone = Reply("gone", "t99");
  gone.kind = DeliveryKind::kDelete;
  Accept(others.emplace_back(post));
  Accept(others.emplace_back(gone));
  PassTime(absl::Seconds(3));
  EXPECT_EQ(Count(others, State::kDelivered), 22);
  EXPECT_EQ(Count(hides, State::kDelivered), 50);
  EXPECT_EQ(network_.limited, 0) << "the headers told: nobody had to be refused";
}

TEST_F(BudgetTest, ATurnThatWasNotTakenIsNotLostToTheWindow) {
  std::vector<Delivery> hides = AcceptHides(49);
  PassTime(absl::Seconds(5));
  ASSERT_EQ(Count(hides, State::kDelivered), 49);
  // One is left. The one claimed for it is overtaken by an earlier one of its lane before its call begins.
  Delivery late = Hide(60, kChannel), other = Hide(61, kChannel);
  late.due_time = late.ready_time = other.due_time = other.ready_time = clock_.WallNow() + absl::Seconds(1);
  Accept(late);
  Accept(other);
  Steps();
  Delivery first = Reply("first", late.thread);
  first.due_time = late.due_time - absl::Milliseconds(1);
  first.ready_time = clock_.WallNow() + absl::Minutes(1);
  Accept(first);
  PassTime(absl::Seconds(4));
  EXPECT_EQ(Count({late, other}, State::kDelivered), 1);
  EXPECT_EQ(network_.limited, 0);
}

TEST_F(BudgetTest, WhenTheWindowEndsTheOldestGoOn) {
  const std::vector<Delivery> hides = AcceptHides(120);
  for (const int delivered : {50, 100, 120}) {
    PassTime(absl::Seconds(20));
    EXPECT_EQ(Count(hides, State::kDelivered), delivered);
    EXPECT_EQ(Count({hides.begin(), hides.begin() + delivered}, State::kDelivered), delivered) << "in due order";
    clock_.Advance(absl::Minutes(15) - absl::Seconds(20));
    Steps();
  }
  EXPECT_EQ(network_.limited, 0);
}

TEST_F(BudgetTest, ARefusalForTheRateIsOfItsBudget) {
  network_.windows[{kChannel, "hide"}] = {50, 0, absl::Minutes(15), clock_.Now() + absl::Minutes(15)};   // by somebody else
  const Delivery hide = Hide(0), second = Hide(1), reply = Reply("r");
  Accept(hide);
  Steps();
  Accept(second);
  Accept(reply);
  PassTime(absl::Seconds(5));
  EXPECT_EQ(network_.limited, 1) << "the second one is not tried";
  EXPECT_EQ(Get(hide).error_reason, "RATE_LIMITED");
  EXPECT_EQ(Get(reply).state, State::kDelivered);
  clock_.Advance(absl::Minutes(15));
  Steps();
  EXPECT_EQ(Get(hide).state, State::kDelivered);
  EXPECT_EQ(Get(second).state, State::kDelivered);
}

TEST_F(BudgetTest, ALimitOfTheWholeChannelHoldsBackEverything) {
  network_.budgets.clear();   // one budget for all kinds
  network_.windows = {{{kChannel, ""}, {10, 0}}};
  const std::vector<Delivery> hides = AcceptHides(20);
  PassTime(absl::Seconds(5));
  const Delivery reply = Reply("r"), elsewhere = Reply("e", "t2", kOtherChannel);
  Accept(reply);
  Accept(elsewhere);
  PassTime(absl::Seconds(5));
  EXPECT_EQ(Count(hides, State::kDelivered), 10);
  EXPECT_EQ(Get(reply).state, State::kScheduled);
  EXPECT_EQ(Get(elsewhere).state, State::kDelivered);
}

TEST_F(BudgetTest, NothingOvertakesInALaneWhateverItDrawsOn) {
  AcceptHides(50);
  PassTime(absl::Seconds(5));
  Delivery hide = Hide(51);
  hide.lane = LaneOf(hide);
  Accept(hide);
  Delivery behind = Hide(52);   // the same comment is deleted: another budget, the same lane
  behind.kind = DeliveryKind::kDelete;
  behind.target_remote_id = hide.target_remote_id;
  behind.lane = LaneOf(behind);
  behind.due_time = behind.ready_time = hide.due_time + absl::Milliseconds(1);
  behind.lane = hide.lane;
  Accept(behind);
  const size_t steps = store_.history(behind.id).size();
  PassTime(absl::Seconds(30));
  EXPECT_EQ(Get(behind).state, State::kScheduled);
  EXPECT_LE(store_.history(behind.id).size(), steps + 4) << "it is not claimed and given back again and again";
  clock_.Advance(absl::Minutes(15));
  PassTime(absl::Seconds(2));
  EXPECT_EQ(Get(hide).state, State::kDelivered);
  EXPECT_EQ(Get(behind).state, State::kDelivered);
}

TEST_F(BudgetTest, ABudgetOfItsOwnForAnUploadIsNotThePosts) {
  const Delivery first = Reply("a", "t1"), second = Reply("b", "t2");
  network_.next_budget = "media";
  Next({Behaviour::kRateLimit});
  Accept(first);
  Steps();
  Accept(second);
  PassTime(absl::Seconds(1));
  EXPECT_EQ(Get(first).error_reason, "RATE_LIMITED");
  EXPECT_EQ(Get(second).state, State::kDelivered);
}

TEST_F(BudgetTest, WhatIsKnownOfAChannelGoesWithItsLastWindow) {
  for (int i = 0; i < 200; ++i) {
    const std::string channel = "0190a0b1-0000-7000-8000-" + std::to_string(100'000'000'000 + i);
    network_.windows[{channel, "hide"}] = {50, 0};
    Accept(Hide(i, channel));
    Accept(Reply("r" + std::to_string(i), "t", channel));
  }
  PassTime(absl::Seconds(20));
  EXPECT_EQ(deliverer_->known_channels(), 200) << "their windows are remembered until they end";
  clock_.Advance(absl::Minutes(15));
  PassTime(absl::Seconds(2));
  EXPECT_EQ(deliverer_->known_channels(), 0);
  Accept(Hide(1000));
  PassTime(absl::Seconds(3));
  EXPECT_EQ(deliverer_->known_channels(), 1);
  deliverer_->SetOwned({});
  Steps();
  EXPECT_EQ(deliverer_->known_channels(), 0) << "the channel has another owner by now";
}

// A network that is down for a minute while 200 deliveries are due: a probe now and then, and then everything at once.
TEST_F(DelivererTest, ANetworkThatIsDownIsProbedAndNotStormed) {
  std::vector<Delivery> all;
  for (int i = 0; i < 200; ++i) Accept(all.emplace_back(Reply("d" + std::to_string(i), "t" + std::to_string(i))));
  for (int i = 0; i < 1000; ++i) network_.next.push_back(i % 2 == 0 ? Behaviour::kTransient : Behaviour::kNotSent);
  PassTime(absl::Minutes(1));
  const int failed = 1000 - static_cast<int>(network_.next.size());
  EXPECT_LE(failed, 3 + 4 + 10) << "until it is known, those under way, and the probes";
  EXPECT_GE(failed, 5) << "it is asked again";
  network_.next.clear();
  PassTime(absl::Seconds(40));
  int delivered = 0;
  for (const Delivery& d : all) delivered += Get(d).state == State::kDelivered;
  EXPECT_GE(delivered, 180) << "all but those that wait for their own next try";
}

// The store of media is away: what needs none goes out meanwhile, and what waits does so by its own schedule.
TEST_F(DelivererTest, WhatWaitsForItsMediumIsNoNetworkThatIsDown) {
  std::vector<Delivery> waiting;
  for (int i = 0; i < 20; ++i) Accept(waiting.emplace_back(Reply("w" + std::to_string(i), "w" + std::to_string(i))));
  network_.next.assign(20, Behaviour::kWithoutMedium);
  Steps(20);
  ASSERT_TRUE(network_.next.empty()) << "all were tried at once: the channel's network was never doubted";
  for (const Delivery& d : waiting) {
    const State state = Get(d).state;
    EXPECT_TRUE(state == State::kScheduled || state == State::kClaimed) << "neither unknown nor failed: " << static_cast<int>(state);
  }
  const Delivery plain = Reply("plain", "t99");
  Accept(plain);
  PassTime(absl::Milliseconds(500));
  EXPECT_EQ(Get(plain).state, State::kDelivered);
  PassTime(absl::Seconds(3));
  for (const Delivery& d : waiting) EXPECT_EQ(network_.CountOf(d.id), 1) << "the medium is there again";
}

TEST(OutageGateTest, OpensWithTheFirstAnswerAndCountsInARow) {
  OutageGate gate;
  Instant now{1'000'000'000};
  const WriteOutcome lost{.result = WriteResult::kUnknown}, taken{.result = WriteResult::kAccepted};
  const auto observe = [&](const WriteOutcome& outcome) { gate.Observe(outcome, now, 1, absl::Seconds(1), absl::Seconds(8)); };
  for (const WriteOutcome& outcome : {lost, lost, taken, lost, lost}) observe(outcome);
  EXPECT_FALSE(gate.Doubtful());
  for (const int seconds : {1, 2, 4, 8, 8}) {
    observe(lost);
    EXPECT_TRUE(gate.Doubtful());
    EXPECT_EQ(gate.WaitNow(now), absl::Seconds(seconds));
    observe(lost);   // was under way together with it
    EXPECT_EQ(gate.WaitNow(now), absl::Seconds(seconds));
    now = now + absl::Seconds(seconds);
    EXPECT_EQ(gate.WaitNow(now), absl::ZeroDuration());
    EXPECT_TRUE(gate.Remembered(now));
  }
  observe(taken);
  EXPECT_FALSE(gate.Doubtful());
}

}  // namespace
}  // namespace parvis::publishing
