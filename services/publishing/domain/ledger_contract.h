// The contract of DeliveryLedger as a suite: runs on FakeStore and on PostgreSQL. A fixture gives `Ledger()`, and
// `Epoch(partition)` which claims the partition as the consumer does and returns the position.
#pragma once

#include <gtest/gtest.h>

#include <numeric>

#include "publishing/domain/post_store.h"
#include "publishing/domain/settle.h"
#include "publishing/domain/testing/builders.h"
#include "publishing/domain/thread.h"

namespace parvis::publishing {

class LedgerFixture {
 public:
  virtual ~LedgerFixture() = default;
  virtual DeliveryLedger& ledger() = 0;
  virtual DeliveryStore& deliveries() = 0;
  virtual StreamPosition ClaimPartition() = 0;   // raises the epoch
};
using MakeLedgerFixture = std::unique_ptr<LedgerFixture> (*)();

class LedgerContract : public ::testing::TestWithParam<MakeLedgerFixture> {
 protected:
  void SetUp() override {
    fixture_ = GetParam()();
    position_ = fixture_->ClaimPartition();
    std::iota(shards_.begin(), shards_.end(), 0);
    rules_.actor = "publishing/test";
  }
  DeliveryLedger& ledger() { return fixture_->ledger(); }
  void Accept(const std::vector<Delivery>& deliveries) {
    position_.next += 1;
    const auto added = ledger().Accept(position_, deliveries, now_, "test");
    ASSERT_TRUE(added.ok()) << added.status();
  }
  ClaimRequest Request() {
    ClaimRequest request;
    request.owned = {position_};
    request.shards = shards_;
    request.now = now_;
    request.horizon = now_;
    request.lease_until = now_ + absl::Seconds(60);
    request.actor = "test";
    return request;
  }
  std::vector<Delivery> Claim() {
    const auto claimed = ledger().Claim(Request());
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    return claimed.ok() ? *claimed : std::vector<Delivery>{};
  }
  std::optional<Delivery> Apply(const Change& change) {
    const auto applied = ledger().Apply({change}, now_);
    EXPECT_TRUE(applied.ok()) << applied.status();
    return applied.ok() ? applied->front() : std::nullopt;
  }
  Delivery Get(const Delivery& delivery) {
    const auto got = fixture_->deliveries().GetDelivery(CallOf("m1", delivery.workspace_id), delivery.id);
    EXPECT_TRUE(got.ok()) << got.status();
    return got.ok() ? *got : Delivery{};
  }
  static std::vector<std::string> Texts(const std::vector<Delivery>& list) {
    std::vector<std::string> texts;
    for (const Delivery& d : list) texts.push_back(d.content.text);
    return texts;
  }
  using Names = std::vector<std::string>;

  std::unique_ptr<LedgerFixture> fixture_;
  StreamPosition position_;
  std::vector<int> shards_ = std::vector<int>(kShards);
  const absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  SettleRules rules_;
  NetworkTraits traits_;
};

TEST_P(LedgerContract, ACommandIsOneDeliveryHoweverOftenItComes) {
  const Delivery reply = MakeReply("a", now_);
  position_.next = 1;
  EXPECT_EQ(*ledger().Accept(position_, {reply, reply}, now_, "test"), 1);
  position_.next = 2;
  EXPECT_EQ(*ledger().Accept(position_, {reply, MakeReply("b", now_)}, now_, "test"), 1);
  EXPECT_EQ(Get(reply).sequence, 1);
}

TEST_P(LedgerContract, AZombieNeitherAcceptsNorClaims) {
  const StreamPosition old = position_;
  Accept({MakeReply("a", now_)});
  position_ = fixture_->ClaimPartition();
  EXPECT_EQ(ReasonOf(ledger().Accept(old, {MakeReply("b", now_)}, now_, "test").status()), "FENCED");
  ClaimRequest request = Request();
  request.owned = {old};
  EXPECT_EQ(ReasonOf(ledger().Claim(request).status()), "FENCED");
  EXPECT_EQ(Claim().size(), 1u);
}

TEST_P(LedgerContract, ClaimsWhatIsReadyInOrderAndOnlyOnce) {
  Accept({MakeReply("late", now_ + absl::Seconds(1), "t1"), MakeReply("b", now_, "t2"),
          MakeReply("a", now_ - absl::Seconds(5), "t3")});
  const auto claimed = Claim();
  EXPECT_EQ(Texts(claimed), (Names{"a", "b"}));
  EXPECT_EQ(claimed[0].state, DeliveryState::kClaimed);
  EXPECT_EQ(claimed[0].fence, 1);
  EXPECT_TRUE(Claim().empty());
}

TEST_P(LedgerContract, AClaimIsOfTheShardsAndChannelsAskedFor) {
  Accept({MakeReply("a", now_), MakeReply("b", now_, "t", kOtherChannel)});
  ClaimRequest request = Request();
  request.shards = {(ShardOf(kChannel) + 1) % kShards == ShardOf(kOtherChannel) ? (ShardOf(kChannel) + 2) % kShards
                                                                               : (ShardOf(kChannel) + 1) % kShards};
  EXPECT_TRUE(ledger().Claim(request)->empty());
  request = Request();
  request.skip = {{kOtherChannel, DeliveryKind::kReply}, {kChannel, DeliveryKind::kHide}};
  EXPECT_EQ(Texts(*ledger().Claim(request)), Names{"a"});
}

TEST_P(LedgerContract, WhatIsSkippedIsNotOvertakenInItsLane) {
  Delivery hide = MakeReply("hide", now_ - absl::Seconds(2));
  hide.kind = DeliveryKind::kHide;
  Accept({hide, MakeReply("behind it", now_ - absl::Seconds(1)), MakeReply("other", now_, "t9")});
  ClaimRequest request = Request();
  request.skip = {{kChannel, DeliveryKind::kHide}};
  EXPECT_EQ(Texts(*ledger().Claim(request)), Names{"other"});
  EXPECT_EQ(Texts(Claim()), (Names{"hide", "behind it"}));
}

TEST_P(LedgerContract, APausedChannelWaitsAndSaysWhy) {
  const Delivery reply = MakeReply("a", now_);
  Accept({reply});
  ASSERT_TRUE(ledger().Pause({kWorkspace, kChannel, "TOKEN_EXPIRED", "7", now_}).ok());
  ASSERT_TRUE(ledger().Pause({kWorkspace, kChannel, "TOKEN_EXPIRED", "8", now_}).ok());
  EXPECT_TRUE(Claim().empty());
  EXPECT_EQ(Get(reply).error_reason, "TOKEN_EXPIRED");
  const auto paused = ledger().ListPaused(shards_, std::nullopt, 10);
  ASSERT_EQ(paused->size(), 1u);
  EXPECT_EQ(paused->front().credentials_version, "7");
  ASSERT_TRUE(ledger().Pause({kWorkspace, kOtherChannel, "TOKEN_EXPIRED", "1", now_}).ok());
  ASSERT_EQ(ledger().ListPaused(shards_, std::nullopt, 1)->front().channel_id, kChannel);
  const auto rest = ledger().ListPaused(shards_, paused->front(), 10);
  ASSERT_EQ(rest->size(), 1u);
  EXPECT_EQ(rest->front().channel_id, kOtherChannel);
  EXPECT_TRUE(ledger().ListPaused(shards_, rest->front(), 10)->empty());
  ASSERT_TRUE(ledger().Resume(kWorkspace, kChannel).ok());
  EXPECT_EQ(Get(reply).error_reason, "");
  EXPECT_EQ(Claim().size(), 1u);
}

TEST_P(LedgerContract, OnlyTheHolderOfTheFenceMovesADelivery) {
  Accept({MakeReply("a", now_)});
  const Delivery claimed = Claim().front();
  Delivery stale = claimed;
  stale.fence -= 1;
  EXPECT_FALSE(Apply(BeginSend(stale, now_, now_ + absl::Seconds(25), rules_)));
  const auto sent = Apply(BeginSend(claimed, now_, now_ + absl::Seconds(25), rules_));
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->state, DeliveryState::kSent);
  EXPECT_EQ(sent->attempts, 1);
  EXPECT_FALSE(Apply(Release(claimed, now_, "", "", rules_))) << "it is sent: no claim to give back";
}

TEST_P(LedgerContract, ALateOutcomeCountsUntilReconciliationBegins) {
  Accept({MakeReply("a", now_, "t1"), MakeReply("b", now_, "t2")});
  const auto claimed = Claim();
  ASSERT_EQ(claimed.size(), 2u);
  for (const bool begun : {false, true}) {
    const auto sent = Apply(BeginSend(claimed[begun ? 1 : 0], now_, now_, rules_));
    ASSERT_TRUE(sent);
    const auto unknown = Apply(Recover(*sent, traits_, now_, rules_));
    ASSERT_TRUE(unknown);
    if (begun) {
      ASSERT_TRUE(Apply(BeginReadBack(*unknown, now_, now_ + absl::Seconds(25), rules_)));
    }
    WriteOutcome accepted;
    accepted.result = WriteResult::kAccepted;
    accepted.remote_id = "r1";
    const auto late = Apply(AfterCall(*sent, accepted, traits_, now_, 0, rules_));
    EXPECT_EQ(late.has_value(), !begun);
    EXPECT_EQ(Get(*sent).state, begun ? DeliveryState::kUnknown : DeliveryState::kDelivered);
  }
}

TEST_P(LedgerContract, ALaneKeepsItsOrder) {
  Accept({MakeReply("1", now_ - absl::Seconds(2)), MakeReply("2", now_ - absl::Seconds(1)), MakeReply("other", now_, "t9")});
  const auto claimed = Claim();
  ASSERT_EQ(Texts(claimed), (Names{"1", "2", "other"}));
  EXPECT_FALSE(Apply(BeginSend(claimed[1], now_, now_, rules_))) << "1 is not settled";
  EXPECT_TRUE(Apply(BeginSend(claimed[2], now_, now_, rules_)));
  const auto first = Apply(BeginSend(claimed[0], now_, now_ + absl::Seconds(25), rules_));
  ASSERT_TRUE(first);
  ASSERT_TRUE(Apply(Release(claimed[1], claimed[1].ready_time, "", "", rules_)));
  EXPECT_TRUE(Claim().empty()) << "2 waits behind 1, which is being sent";
  WriteOutcome limited{WriteResult::kRefused, Refusal::kRateLimited, "RATE_LIMITED", ""};
  ASSERT_TRUE(Apply(AfterCall(*first, limited, traits_, now_, 0, rules_)));
  EXPECT_TRUE(Claim().empty()) << "1 waits for the rate: 2 must not overtake it";
  Delivery one = Get(*first);
  EXPECT_EQ(one.error_reason, "RATE_LIMITED");
  one.needs_human = true;   // as an unknown that a person settles: it no longer holds up the others
  Change human{one, {DeliveryState::kScheduled}, one.fence, "", "test", false};
  human.after.state = DeliveryState::kUnknown;
  ASSERT_TRUE(Apply(human));
  EXPECT_EQ(Texts(Claim()), Names{"2"});
}

TEST_P(LedgerContract, FindsWhatNobodyWorksOn) {
  Accept({MakeReply("claimed", now_, "t1"), MakeReply("sent", now_, "t2"), MakeReply("unknown", now_, "t3"),
          MakeReply("old", now_ - absl::Hours(30), "t4")});
  const auto expired = ledger().FindExpired(shards_, now_, 10);
  EXPECT_EQ(Texts(*expired), Names{"old"});
  ASSERT_TRUE(Apply(Expire(expired->front(), now_, rules_)));
  for (const Delivery& d : Claim()) {
    if (d.content.text == "claimed") continue;
    const auto sent = Apply(BeginSend(d, now_, now_ + absl::Seconds(25), rules_));
    if (d.content.text == "unknown") {
      ASSERT_TRUE(Apply(Recover(*sent, traits_, now_, rules_)));
    }
  }
  EXPECT_EQ(Texts(*ledger().FindUnsettled(shards_, now_, true, 10)), Names{"claimed"});
  EXPECT_EQ(Texts(*ledger().FindUnsettled(shards_, now_ + absl::Seconds(3), false, 10)), Names{"unknown"});
  EXPECT_EQ(ledger().FindUnsettled(shards_, now_ + absl::Seconds(61), false, 10)->size(), 3u);
}

TEST_P(LedgerContract, EveryStepIsInTheHistoryAndEveryVisibleOneIsNumbered) {
  const Delivery reply = MakeReply("a", now_);
  Accept({reply});
  const auto sent = Apply(BeginSend(Claim().front(), now_, now_, rules_));
  WriteOutcome accepted{WriteResult::kAccepted, Refusal::kNone, "", "", "r1", "https://net.example/r1"};
  const auto done = Apply(AfterCall(*sent, accepted, traits_, now_, 0, rules_));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->sequence, 3) << "scheduled, sent, delivered; claimed is our own business";
  const auto steps = fixture_->deliveries().ListTransitions(CallOf("m1"), reply.id, 0, 10);
  ASSERT_EQ(steps->size(), 4u);
  const DeliveryState states[] = {DeliveryState::kScheduled, DeliveryState::kClaimed, DeliveryState::kSent,
                                  DeliveryState::kDelivered};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ((*steps)[i].number, i + 1);
    EXPECT_EQ((*steps)[i].to, states[i]);
  }
  const Delivery stored = Get(reply);
  EXPECT_EQ(stored.remote_id, "r1");
  EXPECT_EQ(stored.permalink, "https://net.example/r1");
  EXPECT_EQ(*ledger().TakenRemoteIds(kWorkspace, kChannel, {"r1", "r2"}), std::set<std::string>{"r1"});
}

TEST_P(LedgerContract, APartOfAThreadIsThereOnceTheOneBeforeIsDelivered) {
  const Delivery first = MakeThread("one", {"two", "three"}, now_ - absl::Seconds(1));
  Accept({first, MakeThread("later", {}, now_)});
  const WriteOutcome accepted{WriteResult::kAccepted, Refusal::kNone, "", "", "r1", ""};
  const auto claimed = Claim();
  ASSERT_EQ(Texts(claimed), (Names{"one", "later"}));
  const auto sent = Apply(BeginSend(claimed[0], now_, now_, rules_));
  ASSERT_TRUE(sent);
  EXPECT_EQ(Texts(*fixture_->deliveries().ListDeliveries(CallOf("m1"), {}, {})), (Names{"later", "one"})) << "nothing to continue yet";
  ASSERT_TRUE(Apply(AfterCall(*sent, accepted, traits_, now_, 0, rules_)));
  EXPECT_FALSE(Apply(AfterCall(*sent, accepted, traits_, now_, 0, rules_))) << "a second time changes nothing";
  const auto listed = *fixture_->deliveries().ListDeliveries(CallOf("m1"), {}, {});
  ASSERT_EQ(Texts(listed), (Names{"later", "two", "one"}));
  const Delivery& second = listed[1];
  EXPECT_EQ(second.target_remote_id, "r1");
  EXPECT_EQ(second.post_remote_id, "r1");
  EXPECT_EQ(second.content.part, 1);
  ASSERT_EQ(second.content.thread.size(), 1u);
  EXPECT_EQ(second.content.thread[0].text, "three");
  EXPECT_EQ(second.state, DeliveryState::kScheduled);
  EXPECT_FALSE(Apply(BeginSend(claimed[1], now_, now_, rules_))) << "no later post comes between the parts";
  EXPECT_EQ(second.id, NextOfThread(Get(first), now_)->id);
}

TEST_P(LedgerContract, WhatFailedIsNotContinued) {
  Accept({MakeThread("one", {"two"}, now_)});
  const auto sent = Apply(BeginSend(Claim().front(), now_, now_, rules_));
  const WriteOutcome refused{WriteResult::kRefused, Refusal::kInvalid, "REJECTED", "no"};
  ASSERT_TRUE(Apply(AfterCall(*sent, refused, traits_, now_, 0, rules_)));
  EXPECT_EQ(Texts(*fixture_->deliveries().ListDeliveries(CallOf("m1"), {}, {})), Names{"one"});
}

TEST_P(LedgerContract, NobodySeesAnotherWorkspacesDeliveries) {
  const Delivery reply = MakeReply("a", now_);
  Accept({reply});
  EXPECT_EQ(fixture_->deliveries().GetDelivery(CallOf("m9", kOtherWorkspace), reply.id).status().code(), Code::kNotFound);
  EXPECT_TRUE(fixture_->deliveries().ListDeliveries(CallOf("m9", kOtherWorkspace), {}, {})->empty());
  EXPECT_EQ(fixture_->deliveries().ListTransitions(CallOf("m9", kOtherWorkspace), reply.id, 0, 5).status().code(),
            Code::kNotFound);
}

TEST_P(LedgerContract, ListsByFilterAndPage) {
  std::vector<Delivery> replies;
  for (int i = 0; i < 5; ++i) replies.push_back(MakeReply(std::to_string(i), now_ - absl::Seconds(i), "t" + std::to_string(i)));
  replies[4].channel_id = kOtherChannel;
  Accept(replies);
  DeliveryFilter filter;
  filter.channel_id = kChannel;
  filter.kind = DeliveryKind::kReply;
  Page page;
  page.size = 3;
  const auto first = fixture_->deliveries().ListDeliveries(CallOf("m1"), filter, page);
  EXPECT_EQ(Texts(*first), (Names{"0", "1", "2"}));
  page.after.emplace(first->back().due_time, first->back().id);
  EXPECT_EQ(Texts(*fixture_->deliveries().ListDeliveries(CallOf("m1"), filter, page)), Names{"3"});
  filter.state = DeliveryState::kFailed;
  EXPECT_TRUE(fixture_->deliveries().ListDeliveries(CallOf("m1"), filter, {})->empty());
}

}  // namespace parvis::publishing
