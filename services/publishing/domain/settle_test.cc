#include "publishing/domain/settle.h"

#include <gtest/gtest.h>

#include "publishing/domain/testing/builders.h"

namespace parvis::publishing {
namespace {

using State = DeliveryState;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

Delivery Sent(DeliveryKind kind = DeliveryKind::kPost) {
  Delivery d = MakeReply("x", kNow);
  d.kind = kind;
  d.state = State::kSent;
  d.fence = 3;
  d.attempts = 1;
  d.sent_time = d.first_sent_time = kNow;
  return d;
}

struct OutcomeCase {
  const char* name;
  WriteOutcome outcome;
  DeliveryKind kind;
  State to;
  const char* reason;
};

class AfterCallTable : public ::testing::TestWithParam<OutcomeCase> {};

TEST_P(AfterCallTable, GivesTheState) {
  const OutcomeCase& c = GetParam();
  const Change change = AfterCall(Sent(c.kind), c.outcome, {}, kNow, 0.5, {});
  EXPECT_EQ(change.after.state, c.to);
  EXPECT_EQ(change.after.error_reason, c.reason);
  EXPECT_EQ(change.fence, 3);
  EXPECT_EQ(change.from, (std::vector<State>{State::kSent, State::kUnknown}));
  EXPECT_FALSE(change.after.needs_human);
}

WriteOutcome Refusing(Refusal refusal, const char* reason) { return {WriteResult::kRefused, refusal, reason, "no"}; }

INSTANTIATE_TEST_SUITE_P(
    All, AfterCallTable,
    ::testing::Values(
        OutcomeCase{"Accepted", {WriteResult::kAccepted}, DeliveryKind::kPost, State::kDelivered, ""},
        OutcomeCase{"Unknown", {WriteResult::kUnknown}, DeliveryKind::kPost, State::kUnknown, "OUTCOME_UNKNOWN"},
        OutcomeCase{"UnknownHide", {WriteResult::kUnknown}, DeliveryKind::kHide, State::kUnknown, "OUTCOME_UNKNOWN"},
        OutcomeCase{"NotSent", {WriteResult::kNotSent}, DeliveryKind::kPost, State::kScheduled, "TRANSIENT"},
        OutcomeCase{"Transient", Refusing(Refusal::kTransient, ""), DeliveryKind::kPost, State::kScheduled, "TRANSIENT"},
        OutcomeCase{"Token", Refusing(Refusal::kTokenExpired, ""), DeliveryKind::kPost, State::kScheduled, "TOKEN_EXPIRED"},
        OutcomeCase{"Rate", Refusing(Refusal::kRateLimited, ""), DeliveryKind::kPost, State::kScheduled, "RATE_LIMITED"},
        OutcomeCase{"Permission", Refusing(Refusal::kPermission, ""), DeliveryKind::kPost, State::kFailed,
                    "PERMISSION_DENIED"},
        OutcomeCase{"Invalid", Refusing(Refusal::kInvalid, "REJECTED"), DeliveryKind::kPost, State::kFailed, "REJECTED"},
        OutcomeCase{"Duplicate", Refusing(Refusal::kDuplicate, ""), DeliveryKind::kPost, State::kFailed, "DUPLICATE"},
        OutcomeCase{"NotFoundReply", Refusing(Refusal::kNotFound, ""), DeliveryKind::kReply, State::kFailed, "NOT_FOUND"},
        OutcomeCase{"NotFoundHide", Refusing(Refusal::kNotFound, ""), DeliveryKind::kHide, State::kFailed, "NOT_FOUND"},
        OutcomeCase{"NotFoundDelete", Refusing(Refusal::kNotFound, ""), DeliveryKind::kDelete, State::kDelivered, ""}),
    [](const auto& info) { return info.param.name; });

TEST(AfterCall, RetryAfterIsAuthoritative) {
  WriteOutcome outcome = Refusing(Refusal::kRateLimited, "");
  outcome.rate.reset_in = absl::Seconds(5);
  outcome.rate.retry_after = absl::Seconds(90);
  EXPECT_EQ(AfterCall(Sent(), outcome, {}, kNow, 0, {}).after.ready_time, kNow + absl::Seconds(90));
  outcome.rate.retry_after.reset();
  EXPECT_EQ(AfterCall(Sent(), outcome, {}, kNow, 0, {}).after.ready_time, kNow + absl::Seconds(5));
}

TEST(AfterCall, NotSentDoesNotCountAsAnAttemptAndBacksOff) {
  Delivery d = Sent();
  absl::Duration before = absl::ZeroDuration();
  for (int i = 0; i < 5; ++i) {
    const Change change = AfterCall(d, {WriteResult::kNotSent}, {}, kNow, 1.0, {});
    EXPECT_EQ(change.after.attempts, 0);
    EXPECT_GT(change.after.ready_time - kNow, before);
    before = change.after.ready_time - kNow;
    d.tries = change.after.tries;
  }
  d.tries = 50;
  EXPECT_LE(AfterCall(d, {WriteResult::kNotSent}, {}, kNow, 1.0, {}).after.ready_time, kNow + SettleRules{}.retry_max);
}

TEST(AfterCall, DuplicateAfterAnUnknownIsLookedFor) {
  Delivery d = Sent();
  d.resends = 1;
  EXPECT_EQ(AfterCall(d, Refusing(Refusal::kDuplicate, ""), {}, kNow, 0, {}).after.state, State::kUnknown);
}

TEST(AfterCall, ARefusedSecondTrySaysNothingAboutTheFirst) {
  Delivery d = Sent();
  d.resends = 1;
  for (const Refusal refusal : {Refusal::kInvalid, Refusal::kPermission, Refusal::kNotFound}) {
    const Change change = AfterCall(d, Refusing(refusal, "REJECTED"), {}, kNow, 0, {});
    EXPECT_EQ(change.after.state, State::kUnknown);
    EXPECT_FALSE(change.after.needs_human) << "it is looked for once more";
  }
  EXPECT_EQ(AfterCall(d, Refusing(Refusal::kTransient, ""), {}, kNow, 0, {}).after.state, State::kScheduled);
}

TEST(Expire, LeavesToAPersonWhatMayHaveArrived) {
  Delivery d = Sent();
  d.state = State::kScheduled;
  EXPECT_EQ(Expire(d, kNow, {}).after.state, State::kExpired);
  d.resends = 1;
  const Change change = Expire(d, kNow, {});
  EXPECT_EQ(change.after.state, State::kUnknown);
  EXPECT_TRUE(change.after.needs_human);
  EXPECT_EQ(change.after.check_time, absl::InfiniteFuture());
  EXPECT_EQ(change.after.fence, d.fence + 1);
}

// ---- reading back --------------------------------------------------------------------------------------------------

Delivery Unknown(DeliveryKind kind = DeliveryKind::kPost) {
  Delivery d = Sent(kind);
  d.state = State::kUnknown;
  d.reconciling = true;
  return d;
}
using Found = std::vector<FoundItem>;

TEST(AfterReadBack, FoundIsDelivered) {
  const Change change = AfterReadBack(Unknown(), Found{{"r7", "https://x/r7"}}, {}, kNow, {});
  EXPECT_EQ(change.after.state, State::kDelivered);
  EXPECT_EQ(change.after.remote_id, "r7");
}

TEST(AfterReadBack, OneEmptyListingProvesNothing) {
  const Change change = AfterReadBack(Unknown(), Found{}, {}, kNow, {});
  EXPECT_EQ(change.after.state, State::kUnknown);
  EXPECT_FALSE(change.after.needs_human);
  EXPECT_EQ(change.after.check_time, kNow + SettleRules{}.read_spacing);
}

TEST(AfterReadBack, NeverTwiceWithoutAidOfTheNetwork) {
  Delivery d = Unknown();
  d.empty_reads = 1;
  const Change change = AfterReadBack(d, Found{}, {}, kNow, {});
  EXPECT_EQ(change.after.state, State::kUnknown);
  EXPECT_TRUE(change.after.needs_human);
}

TEST(AfterReadBack, OneMoreTryWhereTheNetworkKeepsItFromDoubling) {
  NetworkTraits keyed, dedupes;
  keyed.idempotency_key = true;
  dedupes.content_dedupe = true;
  for (const NetworkTraits& traits : {keyed, dedupes}) {
    Delivery d = Unknown();
    d.empty_reads = 1;
    Change change = AfterReadBack(d, Found{}, traits, kNow, {});
    EXPECT_EQ(change.after.state, State::kScheduled);
    EXPECT_EQ(change.after.resends, 1);
    EXPECT_FALSE(change.after.reconciling);
    d.resends = 1;
    EXPECT_TRUE(AfterReadBack(d, Found{}, traits, kNow, {}).after.needs_human) << "once, not for ever";
    d.resends = 0;
    d.expire_time = kNow;
    EXPECT_TRUE(AfterReadBack(d, Found{}, traits, kNow, {}).after.needs_human) << "too late by now";
  }
  Delivery d = Unknown();
  d.empty_reads = 1;
  d.first_sent_time = kNow - absl::Hours(2);
  EXPECT_TRUE(AfterReadBack(d, Found{}, keyed, kNow, {}).after.needs_human) << "the key is forgotten by now";
}

TEST(AfterReadBack, ThatCannotBeReadIsTriedAgainThenShown) {
  const Status down = MakeError(Code::kUnavailable, "CONNECT_FAILED", "");
  const Change soon = AfterReadBack(Unknown(), down, {}, kNow + absl::Seconds(30), {});
  EXPECT_EQ(soon.after.state, State::kUnknown);
  EXPECT_EQ(soon.after.empty_reads, 0);
  EXPECT_FALSE(soon.after.needs_human);
  EXPECT_TRUE(AfterReadBack(Unknown(), down, {}, kNow + absl::Hours(3), {}).after.needs_human);
}

TEST(AfterReadBack, TheTargetDecidesForHideUnhideAndDelete) {
  const Found visible{{"c", "", false}}, hidden{{"c", "", true}}, gone;
  const auto state = [](DeliveryKind kind, const Found& found) {
    return AfterReadBack(Unknown(kind), found, {}, kNow, {}).after.state;
  };
  EXPECT_EQ(state(DeliveryKind::kHide, hidden), State::kDelivered);
  EXPECT_EQ(state(DeliveryKind::kHide, visible), State::kScheduled);
  EXPECT_EQ(state(DeliveryKind::kHide, gone), State::kFailed);
  EXPECT_EQ(state(DeliveryKind::kUnhide, visible), State::kDelivered);
  EXPECT_EQ(state(DeliveryKind::kUnhide, hidden), State::kScheduled);
  EXPECT_EQ(state(DeliveryKind::kDelete, gone), State::kDelivered);
  EXPECT_EQ(state(DeliveryKind::kDelete, visible), State::kScheduled);
}

TEST(AfterReadBack, OfModerationLooksWhetherItIsOn) {
  const Found off{{"c", "", false}}, on{{"c", "", true}};
  const auto state = [](DeliveryKind kind, const Found& found) {
    return AfterReadBack(Unknown(kind), found, {}, kNow, {}).after.state;
  };
  for (const DeliveryKind kind : {DeliveryKind::kSpam, DeliveryKind::kBan, DeliveryKind::kMute, DeliveryKind::kLock}) {
    EXPECT_EQ(state(kind, on), State::kDelivered) << KindName(kind);
    EXPECT_EQ(state(kind, off), State::kScheduled) << KindName(kind);
  }
  for (const DeliveryKind kind : {DeliveryKind::kApprove, DeliveryKind::kUnban, DeliveryKind::kUnmute, DeliveryKind::kUnlock}) {
    EXPECT_EQ(state(kind, off), State::kDelivered) << KindName(kind);
    EXPECT_EQ(state(kind, on), State::kScheduled) << KindName(kind);
  }
}

TEST(AfterReadBack, WhatTheNetworkNeverShowsIsDoneAgainOnlyWhereThatIsSafe) {
  const Status blind = MakeError(Code::kFailedPrecondition, "READ_BACK_IMPOSSIBLE", "");
  EXPECT_EQ(AfterReadBack(Unknown(DeliveryKind::kMute), blind, {}, kNow, {}).after.state, State::kScheduled);
  for (const DeliveryKind kind : {DeliveryKind::kPrivateReply, DeliveryKind::kReport}) {
    const Change change = AfterReadBack(Unknown(kind), blind, {}, kNow, {});
    EXPECT_EQ(change.after.state, State::kUnknown) << KindName(kind);
    EXPECT_TRUE(change.after.needs_human) << KindName(kind);
  }
}

TEST(AfterReadBack, WhatGoesToOnePersonIsNeverSentAgainByItself) {
  NetworkTraits traits;
  traits.idempotency_key = traits.content_dedupe = true;
  for (const DeliveryKind kind : {DeliveryKind::kPrivateReply, DeliveryKind::kReport}) {
    Delivery d = Unknown(kind);
    d.empty_reads = 1;
    const Change change = AfterReadBack(d, Found{}, traits, kNow, {});
    EXPECT_EQ(change.after.state, State::kUnknown) << KindName(kind);
    EXPECT_TRUE(change.after.needs_human) << KindName(kind);
  }
}

TEST(Recover, GivesBackAClaimAndDoubtsWhatWasSent) {
  Delivery d = Sent();
  EXPECT_EQ(Recover(d, {}, kNow, {}).after.state, State::kUnknown);
  EXPECT_EQ(Recover(d, {}, kNow, {}).after.fence, d.fence) << "a late outcome still counts";
  d.state = State::kClaimed;
  EXPECT_EQ(Recover(d, {}, kNow, {}).after.state, State::kScheduled);
  EXPECT_EQ(Recover(d, {}, kNow, {}).after.fence, d.fence + 1) << "whoever held the claim has lost it";
}

TEST(Lane, IsTheChannelsPostsTheThreadOrTheTarget) {
  Delivery a = MakeReply("a", kNow, "t1"), b = MakeReply("b", kNow, "t1"), c = MakeReply("c", kNow, "t2");
  EXPECT_EQ(LaneOf(a), LaneOf(b));
  EXPECT_NE(LaneOf(a), LaneOf(c));
  a.kind = c.kind = DeliveryKind::kPost;
  EXPECT_EQ(LaneOf(a), LaneOf(c));
  // Two comments of one thread are hidden independently; what is done to one of them keeps its order.
  a.kind = DeliveryKind::kHide, b.kind = c.kind = DeliveryKind::kUnhide;
  a.target_remote_id = c.target_remote_id = "1", b.target_remote_id = "2";
  EXPECT_NE(LaneOf(a), LaneOf(b));
  EXPECT_EQ(LaneOf(a), LaneOf(c));
  // Ban and unban of one person keep their order, by whichever comment they were asked for.
  a.kind = DeliveryKind::kBan, b.kind = DeliveryKind::kUnban;
  a.target_author_id = b.target_author_id = "p";
  EXPECT_EQ(LaneOf(a), LaneOf(b));
}

TEST(Shard, IsStableForEver) {
  // Stored with every delivery: another hash would give what waits to nobody.
  EXPECT_EQ(ShardOf(kChannel), ShardOf(std::string(kChannel)));
  std::vector<int> counts(kShards);
  for (int i = 0; i < 6400; ++i) ++counts[ShardOf(UuidOfName("channel/" + std::to_string(i)))];
  for (const int count : counts) EXPECT_GT(count, 40);
}

}  // namespace
}  // namespace parvis::publishing
