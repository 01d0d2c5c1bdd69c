#include "publishing/domain/testing/deliverer_fixture.h"

#include <numeric>
#include <random>

namespace parvis::publishing {
namespace {

TEST_F(DelivererTest, DeliversWhatIsDue) {
  const Delivery d = Reply("hello");
  Accept(d);
  Steps();
  EXPECT_EQ(Get(d).state, State::kDelivered);
  EXPECT_EQ(Get(d).remote_id, "r1");
  EXPECT_EQ(network_.CountOf(d.id), 1);
}

TEST_F(DelivererTest, IsFetchedAheadAndGoesOutOnTime) {
  Delivery d = Reply("later");
  d.due_time = d.ready_time = clock_.WallNow() + absl::Seconds(1);
  Accept(d);
  Steps();
  EXPECT_EQ(Get(d).state, State::kClaimed) << "in memory, waiting for its second";
  EXPECT_EQ(network_.calls, 0);
  clock_.Advance(absl::Seconds(1));
  Steps(2);
  EXPECT_EQ(Get(d).state, State::kDelivered);
  EXPECT_EQ(Get(d).sent_time, d.due_time);
}

TEST_F(DelivererTest, TheIntentIsCommittedBeforeTheCall) {
  hold_calls_ = true;
  const Delivery d = Reply("x");
  Accept(d);
  Steps();
  ASSERT_EQ(queue_.size(), 1u);
  EXPECT_EQ(Get(d).state, State::kSent);
  EXPECT_EQ(network_.calls, 0);
}

TEST_F(DelivererTest, WithoutACommittedIntentThereIsNoCall) {
  const Delivery d = Reply("x");
  Accept(d);
  store_.FailApply(3);
  Steps(3);
  EXPECT_EQ(network_.calls, 0);
  Steps();
  EXPECT_EQ(network_.CountOf(d.id), 1);
}

TEST_F(DelivererTest, ALostCommitAnswerBeforeTheCallIsNoDouble) {
  const Delivery d = Reply("x");
  Accept(d);
  store_.FailApply(-1);   // the intent is committed, but we are not told
  Steps();
  EXPECT_EQ(Get(d).state, State::kDelivered);
  EXPECT_EQ(network_.CountOf(d.id), 1);
}

TEST_F(DelivererTest, AnOutcomeIsKeptUntilTheLedgerTakesIt) {
  hold_calls_ = true;
  const Delivery d = Reply("x");
  Accept(d);
  Steps();
  queue_.front()();
  store_.FailApply(4);
  Steps(10);
  EXPECT_EQ(Get(d).state, State::kDelivered);
  EXPECT_EQ(network_.CountOf(d.id), 1);
}

// The heart of guarantee 3: killed between the network's accept and our commit.
TEST_F(DelivererTest, KilledAfterTheAcceptIsUnknownThenFoundNeverDoubled) {
  hold_calls_ = true;
  const Delivery d = Reply("x");
  Accept(d);
  Steps();
  queue_.front()();   // the network has it; the outcome dies with us
  ASSERT_EQ(network_.CountOf(d.id), 1);
  hold_calls_ = false;
  Crash();
  Steps();
  EXPECT_EQ(Get(d).state, State::kSent) << "the call could still be under way";
  bool was_unknown = false;
  for (int i = 0; i < 100 && Get(d).state != State::kDelivered; ++i) {
    PassTime(absl::Milliseconds(500));
    was_unknown = was_unknown || Get(d).state == State::kUnknown;
  }
  EXPECT_TRUE(was_unknown);
  EXPECT_EQ(Get(d).state, State::kDelivered);
  EXPECT_EQ(Get(d).remote_id, "r1");
  EXPECT_EQ(network_.CountOf(d.id), 1);
}

TEST_F(DelivererTest, KilledBeforeTheCallIsShownToAPersonNotSentBlindly) {
  hold_calls_ = true;
  const Delivery d = Reply("x");
  Accept(d);
  Steps();   // the intent is committed, the call never made
  hold_calls_ = false;
  Crash();
  PassTime(absl::Seconds(60));
  EXPECT_EQ(Get(d).state, State::kUnknown);
  EXPECT_TRUE(Get(d).needs_human);
  EXPECT_EQ(network_.CountOf(d.id), 0);
  EXPECT_GE(network_.reads, 2);
}

TEST_F(DelivererTest, KilledBeforeTheCallIsSentOnceMoreWhereAKeyProtects) {
  network_.traits.idempotency_key = true;
  hold_calls_ = true;
  const Delivery d = Reply("x");
  Accept(d);
  Steps();
  hold_calls_ = false;
  Crash();
  PassTime(absl::Seconds(60));
  EXPECT_EQ(Get(d).state, State::kDelivered);
  EXPECT_EQ(network_.CountOf(d.id), 1);
}

TEST_F(DelivererTest, AClaimOfADeadOwnerIsTakenBackAtOnce) {
  Delivery d = Reply("x");
  d.due_time = d.ready_time = clock_.WallNow() + absl::Seconds(1);
  Accept(d);
  Steps();
  ASSERT_EQ(Get(d).state, State::kClaimed);
  Crash();
  clock_.Advance(absl::Seconds(1));
  Steps();
  EXPECT_EQ(Get(d).state, State::kDelivered);
}

TEST_F(DelivererTest, AZombieWithAClaimCannotSend) {
  Delivery d = Reply("x");
  d.due_time = d.ready_time = clock_.WallNow() + absl::Seconds(1);
  Accept(d);
  Steps();
  Deliverer* zombie = deliverer_.get();
  Crash();
  Steps();
  clock_.Advance(absl::Seconds(1));
  for (int i = 0; i < 5; ++i) zombie->Step();
  EXPECT_EQ(network_.calls, 0);
  Steps();
  EXPECT_EQ(network_.CountOf(d.id), 1);
}

TEST_F(DelivererTest, ALateAnswerToAZombieStillCounts) {
  hold_calls_ = true;
  const Delivery d = Reply("x");
  Accept(d);
  Steps();
  auto call = std::move(queue_.front());
  Deliverer* zombie = deliverer_.get();
  hold_calls_ = false;
  Crash();
  Steps();
  call();
  zombie->Step();
  EXPECT_EQ(Get(d).state, State::kDelivered);
  EXPECT_EQ(network_.CountOf(d.id), 1);
}

TEST_F(DelivererTest, AcceptThenLoseIsReadBack) {
  Next({Behaviour::kAcceptThenLose});
  const Delivery d = Reply("x");
  Accept(d);
  Steps();
  EXPECT_EQ(Get(d).state, State::kUnknown);
  PassTime(absl::Seconds(5));
  EXPECT_EQ(Get(d).state, State::kDelivered);
  EXPECT_EQ(network_.CountOf(d.id), 1);
}

TEST_F(DelivererTest, ReadingBackDoesNotAdoptAnothersItem) {
  const Delivery first = Reply("same");
  Accept(first);
  Steps();
  Next({Behaviour::kLose});
  Delivery second = MakeReply("second", clock_.WallNow());
  second.content.text = "same";
  Accept(second);
  PassTime(absl::Seconds(40));
  EXPECT_EQ(Get(first).remote_id, "r1");
  EXPECT_TRUE(Get(second).needs_human) << "r1 is the first one's";
}

TEST_F(DelivererTest, HideIsDoneAgainAfterLookingAtTheTarget) {
  Next({Behaviour::kLose});
  Delivery d = Reply("");
  d.kind = DeliveryKind::kHide;
  Accept(d);
  PassTime(absl::Seconds(20));
  EXPECT_EQ(Get(d).state, State::kDelivered);
  EXPECT_TRUE(network_.hidden.contains(d.target_remote_id));
}

TEST_F(DelivererTest, RateLimitedWaitsAsLongAsTheNetworkSays) {
  Next({Behaviour::kRateLimit});
  const Delivery d = Reply("x"), other = Reply("y", "t2"), elsewhere = Reply("z", "t3", kOtherChannel);
  Accept(d);
  Steps();
  Accept(other);
  Accept(elsewhere);
  PassTime(absl::Seconds(29));
  EXPECT_EQ(network_.calls, 2) << "only the other channel's";
  EXPECT_EQ(Get(d).error_reason, "RATE_LIMITED");
  EXPECT_EQ(Get(elsewhere).state, State::kDelivered);
  PassTime(absl::Seconds(3));
  EXPECT_EQ(Get(d).state, State::kDelivered);
  EXPECT_EQ(Get(other).state, State::kDelivered);
}

TEST_F(DelivererTest, ATokenThatExpiredPausesTheChannelOnce) {
  Next({Behaviour::kTokenExpired});
  std::vector<Delivery> all;
  calls_per_channel_ = 1;
  Crash();
  for (int i = 0; i < 20; ++i) all.push_back(Reply(std::to_string(i), "t" + std::to_string(i)));
  for (const Delivery& d : all) Accept(d);
  PassTime(absl::Seconds(30));
  EXPECT_EQ(network_.calls, 1) << "no loop of retries";
  for (const Delivery& d : all) {
    EXPECT_EQ(Get(d).state, State::kScheduled);
    EXPECT_EQ(Get(d).error_reason, "TOKEN_EXPIRED");
  }
  network_.version = "2";
  PassTime(absl::Seconds(10));
  for (const Delivery& d : all) EXPECT_EQ(Get(d).state, State::kDelivered);
}

TEST_F(DelivererTest, EveryPausedChannelIsAskedForHoweverManyWaitLonger) {
  network_.version = "2";
  for (int i = 0; i < 450; ++i) {
    const std::string channel = "0190a0b1-0000-7000-8000-" + std::to_string(100'000'000'000 + i);
    const std::string version = i < 440 ? "2" : "1";   // the last ten have new credentials by now
    ASSERT_TRUE(store_.Pause({kWorkspace, channel, "TOKEN_EXPIRED", version, clock_.WallNow() + absl::Seconds(i)}).ok());
  }
  PassTime(absl::Seconds(16));
  std::vector<int> shards(kShards);
  std::iota(shards.begin(), shards.end(), 0);
  EXPECT_EQ(store_.ListPaused(shards, std::nullopt, 1000)->size(), 440u);
}

TEST_F(DelivererTest, TooLateIsExpiredNotSent) {
  store_.Pause({kWorkspace, kChannel, "TOKEN_EXPIRED", "1", clock_.WallNow()}).IgnoreError();
  Delivery d = Reply("x");
  d.expire_time = clock_.WallNow() + absl::Seconds(10);
  Accept(d);
  PassTime(absl::Seconds(12));
  EXPECT_EQ(Get(d).state, State::kExpired);
  EXPECT_EQ(network_.calls, 0);
}

TEST_F(DelivererTest, RepliesOfAThreadGoOutInOrderThroughTrouble) {
  Next({Behaviour::kAccept, Behaviour::kTransient, Behaviour::kNotSent, Behaviour::kAcceptThenLose});
  std::vector<Delivery> replies;
  for (int i = 0; i < 8; ++i) {
    replies.push_back(MakeReply(std::to_string(i), clock_.WallNow() + absl::Milliseconds(i)));
  }
  for (auto it = replies.rbegin(); it != replies.rend(); ++it) Accept(*it);
  PassTime(absl::Seconds(60));
  std::vector<std::string> texts;
  for (const Accepted& item : network_.accepted) texts.push_back(item.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7"}));
}

TEST_F(DelivererTest, CancelledWhileClaimedIsNotSent) {
  Delivery d = Reply("x");
  d.due_time = d.ready_time = clock_.WallNow() + absl::Seconds(1);
  Accept(d);
  Steps();
  Delivery held = Get(d);
  Change cancel{held, {State::kClaimed}, held.fence, "cancelled", "m1", false};
  cancel.after.state = State::kCancelled;
  cancel.after.fence += 1;
  ASSERT_TRUE(store_.Apply({cancel}, clock_.WallNow())->front());
  PassTime(absl::Seconds(3));
  EXPECT_EQ(Get(d).state, State::kCancelled);
  EXPECT_EQ(network_.calls, 0);
}

TEST_F(DelivererTest, WhatIsNotOursIsLeftAlone) {
  deliverer_->SetOwned({});
  const Delivery d = Reply("x");
  Accept(d);
  PassTime(absl::Seconds(3));
  EXPECT_EQ(Get(d).state, State::kScheduled);
}

TEST_F(DelivererTest, AZombiesLateClaimIsNoticed) {
  store_.SetEpoch(0, ++epoch_);   // and the consumer does not tell us that the partition is not ours any more
  PassTime(absl::Seconds(4));
  EXPECT_EQ(fenced_, 0);
  PassTime(absl::Seconds(2));
  deliverer_->SetOwned({Position()});
  PassTime(absl::Seconds(8));
  EXPECT_EQ(fenced_, 1) << "once, and not again under the new claim";
}

TEST_F(DelivererTest, StoppingGivesBackWhatIsHeld) {
  Delivery d = Reply("x");
  d.due_time = d.ready_time = clock_.WallNow() + absl::Seconds(1);
  Accept(d);
  Steps();
  deliverer_->Stop(absl::ZeroDuration());
  EXPECT_EQ(Get(d).state, State::kScheduled);
}

TEST_F(DelivererTest, ASlowClaimIsNotRepeatedAtOnce) {
  int claims = 0;
  const Delivery d = Reply("x");
  Accept(d);
  Steps();
  store_.OnClaim([&] {   // it goes past a backlog that may not be sent
    ++claims;
    clock_.Advance(absl::Milliseconds(50));
  });
  const Instant until = clock_.Now() + absl::Seconds(10);
  while (clock_.Now() < until) clock_.Advance(std::max(deliverer_->Step(), absl::Milliseconds(1)));
  EXPECT_LE(claims, 21) << "a tenth of the time";
  EXPECT_GE(claims, 15);
}

TEST_F(DelivererTest, AClaimThatWaitedForTheDatabaseIsMadeAgainSoon) {
  store_.OnClaim([&] {
    clock_.Advance(absl::Seconds(4));
    store_.OnClaim(nullptr);
  });
  deliverer_->Step();
  const Delivery d = Reply("x");
  Accept(d);
  PassTime(absl::Seconds(1));
  EXPECT_EQ(Get(d).state, State::kDelivered);
}

TEST_F(DelivererTest, AnExpiredTokenThatIsLearntOfWhileStoppingPausesTheChannel) {
  Next({Behaviour::kTokenExpired});
  hold_calls_ = true;
  const Delivery d = Reply("x");
  Accept(d);
  Steps();
  ASSERT_EQ(queue_.size(), 1u);
  queue_.front()();   // the answer is there; nobody has looked at it
  deliverer_->Stop(absl::Seconds(1));
  EXPECT_EQ(Get(d).state, State::kScheduled);
  EXPECT_EQ(store_.ListPaused({ShardOf(d.channel_id)}, std::nullopt, 10)->size(), 1u) << "before the delivery is free for the next";
}

// Random faults and crashes: whatever happens, no delivery is accepted twice and none is lost from sight.
class DelivererChaos : public DelivererTest, public ::testing::WithParamInterface<int> {};

TEST_P(DelivererChaos, NeverTwiceWhateverHappens) {
  std::mt19937_64 random(GetParam());
  std::vector<Delivery> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(Reply("d" + std::to_string(i), "t" + std::to_string(i % 5)));
    Accept(all.back());
  }
  for (int round = 0; round < 60; ++round) {
    const Behaviour faults[] = {Behaviour::kAccept,  Behaviour::kAcceptThenLose, Behaviour::kLose,
                                Behaviour::kNotSent, Behaviour::kTransient,      Behaviour::kAccept};
    network_.next.push_back(faults[random() % 6]);
    hold_calls_ = random() % 3 == 0;
    deliverer_->Step();
    while (!queue_.empty() && random() % 2 == 0) {
      auto task = std::move(queue_.front());
      queue_.pop_front();
      task();
    }
    if (random() % 15 == 0) Crash();
    if (random() % 10 == 0) store_.FailApply(random() % 2 == 0 ? 1 : -1);
    clock_.Advance(absl::Milliseconds(random() % 4000));
  }
  hold_calls_ = false;
  network_.next.clear();
  Crash();
  PassTime(absl::Seconds(120));
  for (const Delivery& d : all) {
    EXPECT_LE(network_.CountOf(d.id), 1);
    const Delivery end = Get(d);
    EXPECT_TRUE(end.state == State::kDelivered || end.needs_human) << StateName(end.state);
    EXPECT_EQ(network_.CountOf(d.id) == 1 || end.state != State::kDelivered, true);
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, DelivererChaos, ::testing::Range(1, 13));

}  // namespace
}  // namespace parvis::publishing
