// Activities, the binding cache and receiving, on fakes.
#include <gtest/gtest.h>

#include "ingestion/domain/fakes.h"
#include "ingestion/domain/runner.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

Happening AHappening(const std::string& account, const std::string& remote_id, absl::Time at) {
  Happening happening;
  happening.account = account;
  happening.remote_id = remote_id;
  happening.thread = "t1";
  happening.text = "bonjour";
  happening.occurred_at = at;
  happening.revision = absl::ToUnixMicros(at);
  return happening;
}

TEST(ActivityTest, EqualNaturalKeysGiveEqualIdsWhicheverWayTheyCame) {
  const absl::Time at = absl::FromUnixSeconds(1'790'000'000);
  const Binding binding{"w", "c"};
  Activity pushed = MakeActivity(AHappening("1", "55", at), binding, "facebook", Origin::kWebhook, at);
  Happening read = AHappening("", "55", at);
  read.author_name = "known to the poll only";
  Activity polled = MakeActivity(read, binding, "facebook", Origin::kPoll, at + absl::Hours(1));
  EXPECT_EQ(pushed.id, polled.id);
  Happening other = read;
  other.revision += 1;
  EXPECT_NE(MakeActivity(other, binding, "facebook", Origin::kPoll, at).id, pushed.id);
  other = read;
  other.kind = Kind::kEdit;
  EXPECT_NE(MakeActivity(other, binding, "facebook", Origin::kPoll, at).id, pushed.id);
  EXPECT_NE(MakeActivity(read, {"w", "d"}, "facebook", Origin::kPoll, at).id, pushed.id);
  EXPECT_NE(ActivityId("c", Kind::kComment, "1/2", 3), ActivityId("c", Kind::kComment, "2", 31));
}

TEST(ActivityTest, KeepsWithinTheBoundsOfTheTopic) {
  Happening long_one = AHappening("1", "55", absl::UnixEpoch());
  long_one.thread = "";
  long_one.text = std::string((64 << 10) - 1, 'a') + "é";
  long_one.author_name = std::string("a\0b", 3);
  long_one.attachments.assign(1000, {"image/png", std::string(5000, 'u')});
  Activity activity = MakeActivity(long_one, {"w", "c"}, "x", Origin::kPoll, absl::UnixEpoch());
  EXPECT_EQ(activity.what.text.size(), static_cast<size_t>((64 << 10) - 1)) << "cut between characters";
  EXPECT_EQ(activity.what.author_name,
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(activity.what.attachments.size(), 50u);
  EXPECT_EQ(activity.what.attachments[0].second.size(), 2048u);
  EXPECT_EQ(activity.what.thread, "55");
  EXPECT_EQ(activity.what.conversation, "55");
}

class ReceiveTest : public ::testing::Test {
 protected:
  void Build(BindingCache::Options options = {}) {
    cache_ = std::make_unique<BindingCache>(finder_, executor_, clock_, options);
    receiver_ = std::make_unique<Receiver>(*cache_, sink_, heard_, clock_,
                                           Receiver::Options{{{"facebook", absl::Hours(36)}}, absl::Hours(48)});
  }
  void SetUp() override { Build(); }
  void TearDown() override {
    finder_.Unblock();
    executor_.Stop();
  }
  absl::Time Now() { return clock_.WallNow(); }
  ReceiveOutcome Receive(std::vector<Happening> happenings, std::vector<RawPart> parts = {},
                         const std::string& network = "facebook") {
    auto outcome = std::make_shared<std::pair<std::atomic<bool>, ReceiveOutcome>>();
    receiver_->Receive(Trace::New(), network, std::move(happenings), std::move(parts),
                       [outcome](const ReceiveOutcome& o) {
                         outcome->second = o;
                         outcome->first = true;
                       });
    EXPECT_TRUE(testing::WaitFor([&] { return outcome->first.load(); }));
    return outcome->second;
  }

  FakeClock clock_;
  FakeSink sink_;
  FakeFinder finder_;
  HeardBook heard_{100};
  Executor executor_{{.name = "bindings", .threads = 2, .queue_max = 100}};
  std::unique_ptr<BindingCache> cache_;
  std::unique_ptr<Receiver> receiver_;
};

TEST_F(ReceiveTest, OneAccountInTwoWorkspacesMakesTwoActivities) {
  finder_.Bind("facebook", "1", {"w1", "c1"});
  finder_.Bind("facebook", "1", {"w2", "c2"});
  finder_.Bind("facebook", "2", {"w1", "c3"});
  ReceiveOutcome outcome =
      Receive({AHappening("1", "a", Now()), AHappening("2", "b", Now()), AHappening("9", "c", Now())});
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.activities, 3);
  EXPECT_EQ(outcome.unknown, 1);
  std::vector<Activity> got = sink_.activities();
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].channel_id, "c1");
  EXPECT_EQ(got[1].channel_id, "c2");
  EXPECT_NE(got[0].id, got[1].id);
  EXPECT_EQ(got[1].what.text, "bonjour");
  EXPECT_EQ(got[2].channel_id, "c3");
  EXPECT_EQ(heard_.Take().size(), 3u);
}

TEST_F(ReceiveTest, UnknownAndImplausibleAccountsAreCountedNotAskedForTwice) {
  EXPECT_EQ(Receive({AHappening("9", "a", Now())}).unknown, 1);
  EXPECT_EQ(Receive({AHappening("9", "b", Now())}).unknown, 1);
  EXPECT_EQ(finder_.asked(), 1) << "remembered for a moment";
  EXPECT_EQ(Receive({AHappening("", "b", Now()), AHappening(std::string(501, '1'), "c", Now())}).unknown, 2);
  EXPECT_EQ(finder_.asked(), 1);
  finder_.Bind("facebook", "9", {"w1", "c1"});
  clock_.Advance(absl::Seconds(3));
  EXPECT_EQ(Receive({AHappening("9", "c", Now())}).activities, 1) << "connected meanwhile";
}

TEST_F(ReceiveTest, WhatIsOlderThanTheNetworkKeepsTryingIsRefused) {
  finder_.Bind("facebook", "1", {"w1", "c1"});
  const Happening old = AHappening("1", "a", Now() - absl::Hours(37)),
                  late = AHappening("1", "b", Now() - absl::Hours(35));
  ReceiveOutcome mixed = Receive({old, late});
  EXPECT_TRUE(mixed.status.ok());
  EXPECT_EQ(mixed.replayed, 1);
  EXPECT_EQ(mixed.activities, 1);
  ReceiveOutcome replay = Receive({old});
  EXPECT_EQ(ReasonOf(replay.status), "WEBHOOK_REPLAYED");
  EXPECT_EQ(sink_.activities().size(), 1u);
  EXPECT_EQ(Receive({old}, {}, "x").replayed, 0) << "another network, another window";
  Happening edited = old;  // an old comment, edited just now
  edited.kind = Kind::kEdit;
  edited.revision = absl::ToUnixMicros(Now());
  EXPECT_EQ(Receive({edited}).activities, 1);
}

// X dates a removal by the removed post when it tells no other time: the removal of an old post is no replay.
TEST_F(ReceiveTest, ARemovalIsTakenHoweverOldWhatItRemoves) {
  finder_.Bind("facebook", "1", {"w1", "c1"});
  Happening removal = AHappening("1", "a", Now() - absl::Hours(24 * 400));
  removal.kind = Kind::kRemoval;
  const ReceiveOutcome outcome = Receive({removal});
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.activities, 1);
  EXPECT_EQ(outcome.replayed, 0);
}

// As long as each network may still send: Facebook repeats for 36 h, X replays 5 days on request.
TEST_F(ReceiveTest, EachNetworkHasItsOwnReplayWindow) {
  Receiver receiver(*cache_, sink_, heard_, clock_, {});
  const auto taken = [&](const std::string& network, absl::Duration age) {
    finder_.Bind(network, "1", {"w1", "c1"});
    std::atomic<int> activities = -1;
    receiver.Receive(Trace::New(), network, {AHappening("1", "a", Now() - age)}, {},
                     [&](const ReceiveOutcome& o) { activities = o.activities; });
    EXPECT_TRUE(testing::WaitFor([&] { return activities >= 0; }));
    return activities == 1;
  };
  EXPECT_TRUE(taken("facebook", absl::Hours(36)));
  EXPECT_FALSE(taken("facebook", absl::Hours(38)));
  EXPECT_TRUE(taken("x", absl::Hours(5 * 24)));
  EXPECT_FALSE(taken("x", absl::Hours(5 * 24 + 2)));
  EXPECT_TRUE(taken("another", absl::Hours(47)));
  EXPECT_FALSE(taken("another", absl::Hours(49)));
}

TEST_F(ReceiveTest, PartsGoToTheDeadLettersEvenWithoutAnyHappening) {
  ReceiveOutcome outcome = Receive({}, {{"garbage", "NOT_JSON", "at 0"}});
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_EQ(outcome.unparsed, 1);
  ASSERT_EQ(sink_.parts().size(), 1u);
  EXPECT_EQ(sink_.parts()[0].raw, "garbage");
  EXPECT_TRUE(Receive({}).status.ok()) << "nothing at all is fine";
}

TEST_F(ReceiveTest, NothingIsConfirmedBeforeTheAck) {
  finder_.Bind("facebook", "1", {"w1", "c1"});
  Receive({AHappening("1", "warm", Now())});
  heard_.Take();
  sink_.Hold();
  std::atomic<bool> done = false;
  receiver_->Receive(Trace::New(), "facebook", {AHappening("1", "a", Now())}, {},
                     [&](const ReceiveOutcome&) { done = true; });
  EXPECT_EQ(sink_.waiting(), 1) << "known accounts need no other thread";
  EXPECT_FALSE(done);
  EXPECT_TRUE(heard_.Take().empty());
  sink_.Release();
  EXPECT_TRUE(done);
  EXPECT_EQ(heard_.Take().size(), 1u);
  sink_.Fail(MakeError(Code::kResourceExhausted, "BUS_QUEUE_FULL", "full"));
  EXPECT_EQ(ReasonOf(Receive({AHappening("1", "b", Now())}).status), "BUS_QUEUE_FULL");
  EXPECT_TRUE(heard_.Take().empty());
}

TEST_F(ReceiveTest, OneQuestionAtATimeAndAnswersInTheOrderOfTheCalls) {
  finder_.Bind("facebook", "1", {"w1", "c1"});
  finder_.Block();
  std::atomic<int> done = 0;
  for (int i = 0; i < 20; ++i) {
    receiver_->Receive(Trace::New(), "facebook", {AHappening("1", std::to_string(i), Now())}, {},
                       [&](const ReceiveOutcome&) { ++done; });
  }
  EXPECT_EQ(done, 0);
  finder_.Unblock();
  ASSERT_TRUE(testing::WaitFor([&] { return done == 20; }));
  EXPECT_EQ(finder_.asked(), 1);
  std::vector<Activity> got = sink_.activities();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(got[i].what.remote_id, std::to_string(i));
}

TEST_F(ReceiveTest, WithoutAccountsKnownBindingsGoOnAndUnknownOnesAreUnavailable) {
  finder_.Bind("facebook", "1", {"w1", "c1"});
  EXPECT_EQ(Receive({AHappening("1", "a", Now())}).activities, 1);
  EXPECT_EQ(Receive({AHappening("2", "a", Now())}).unknown, 1);
  finder_.Fail(MakeError(Code::kUnavailable, "ACCOUNTS_UNAVAILABLE", "away"));
  clock_.Advance(absl::Minutes(5));
  EXPECT_EQ(Receive({AHappening("1", "b", Now())}).activities, 1) << "an old answer is better than none";
  EXPECT_EQ(ReasonOf(Receive({AHappening("2", "b", Now())}).status), "ACCOUNTS_UNAVAILABLE")
      << "but \"nobody's\" would lose it";
  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(ReasonOf(Receive({AHappening("1", "c", Now())}).status), "ACCOUNTS_UNAVAILABLE");
}

TEST_F(ReceiveTest, TheCacheAndItsWaitersAreBounded) {
  Build({.entries_max = 10, .waiting_max = 3});
  for (int i = 0; i < 100; ++i) Receive({AHappening(std::to_string(i), "a", Now())});
  EXPECT_LE(cache_->size(), 10);
  finder_.Block();
  std::atomic<int> ok = 0, refused = 0;
  for (int i = 0; i < 10; ++i) {
    receiver_->Receive(Trace::New(), "facebook", {AHappening("x" + std::to_string(i), "a", Now())}, {},
                       [&](const ReceiveOutcome& o) { ++(o.status.ok() ? ok : refused); });
  }
  EXPECT_EQ(refused, 7);
  finder_.Unblock();
  EXPECT_TRUE(testing::WaitFor([&] { return ok == 3; }));
}

}  // namespace
}  // namespace parvis::ingestion
