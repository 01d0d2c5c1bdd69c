// Polling, on fakes.
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "ingestion/domain/fakes.h"
#include "ingestion/domain/runner.h"
#include "ingestion/domain/source_contract.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

struct FakeBackend {
  FakeClock clock;
  FakeSourceStore fake{clock};
  SourceStore& store() { return fake; }
  void Pass(absl::Duration d) { clock.Advance(d); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Fake, SourceContract, FakeBackend);

const Runner::Networks kAnyNetwork{.pollable = [](const std::string&) { return true; },
                                   .shares_budget = [](const std::string&) { return false; }};

class PollTest : public ::testing::Test {
 protected:
  PollTest() {
    options_.pages_max = 3;
    channel_ = {{"w1", "c1"}, "wordpress", "https://blog.example", 1, true, absl::Seconds(10)};
    EXPECT_TRUE(store_.Sync({channel_}, clock_.WallNow() - absl::Hours(1)).ok());
  }
  static ReadPage APage(const std::string& cursor, bool more, std::vector<std::string> ids) {
    ReadPage page;
    page.cursor = cursor;
    page.more = more;
    for (const std::string& id : ids) {
      Happening happening;
      happening.remote_id = id;
      happening.revision = 1'790'000'000'000'000;
      happening.occurred_at = absl::FromUnixSeconds(1'790'000'000);
      page.happenings.push_back(std::move(happening));
    }
    return page;
  }
  StatusOr<PollResult> PollDue() {
    auto claimed = store_.Claim({{"w1", "c1"}}, absl::Minutes(2));
    if (claimed->empty()) return MakeError(Code::kNotFound, "NOT_DUE", "nothing is due");
    return poller_.Poll(claimed->front());
  }
  Source Get() { return *store_.GetSource(BackgroundCall("test", "w1"), "c1"); }

  FakeClock clock_;
  FakeSourceStore store_{clock_};
  FakeReader reader_;
  FakeSink sink_;
  PollOptions options_;
  KnownChannel channel_;
  Poller poller_{store_,
                 reader_,
                 sink_,
                 clock_,
                 {.pages_max = 3},
                 [](const std::string& network) { return network == "facebook"; },
                 [] { return 0.5; }};
};

TEST_F(PollTest, ReadsToTheEndAndRemembersWhere) {
  reader_.pages[""] = APage("c1", true, {"1", "2"});
  reader_.pages["c1"] = APage("c2", false, {"3"});
  const absl::Time began = clock_.WallNow();
  auto result = PollDue();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->activities, 3);
  EXPECT_EQ(sink_.activities().size(), 3u);
  EXPECT_EQ(sink_.activities()[0].origin, Origin::kPoll);
  Source source = Get();
  EXPECT_EQ(source.cursor, "c2");
  EXPECT_EQ(source.verified_complete, began);
  EXPECT_EQ(source.last_event, absl::FromUnixSeconds(1'790'000'000));
  EXPECT_EQ(source.interval, absl::Seconds(5)) << "something came: twice as often";
  EXPECT_EQ(*source.next_poll - began, absl::Seconds(3.75)) << "the first one: scattered";
  clock_.Advance(absl::Seconds(4));
  ASSERT_TRUE(PollDue().ok());
  EXPECT_EQ(Get().interval, absl::Seconds(10)) << "nothing came: half as often";
  EXPECT_EQ(*Get().next_poll - clock_.WallNow(), absl::Seconds(10));
  EXPECT_EQ(reader_.read, (std::vector<std::string>{"", "c1", "c2"}));
}

TEST_F(PollTest, TheCursorMovesOnlyAfterTheAck) {
  reader_.pages[""] = APage("c1", false, {"1"});
  sink_.Fail(MakeError(Code::kUnavailable, "BUS_UNAVAILABLE", "away"));
  EXPECT_FALSE(PollDue().ok());
  EXPECT_EQ(Get().cursor, "");
  EXPECT_EQ(Get().state, SourceState::kActive);
  EXPECT_EQ(Get().state_reason, "BUS_UNAVAILABLE");
  EXPECT_FALSE(Get().verified_complete.has_value());
  sink_.Fail(absl::OkStatus());
  clock_.Advance(absl::Seconds(2));
  ASSERT_TRUE(PollDue().ok());
  EXPECT_EQ(Get().cursor, "c1");
  EXPECT_EQ(Get().state_reason, "");
  EXPECT_EQ(sink_.activities().size(), 1u);
}

TEST_F(PollTest, ALongListIsReadInTurnsWithoutWaiting) {
  for (int i = 0; i < 5; ++i) {
    reader_.pages[i == 0 ? "" : "c" + std::to_string(i)] =
        APage("c" + std::to_string(i + 1), true, {std::to_string(i)});
  }
  auto result = PollDue();
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->reached_end);
  EXPECT_EQ(Get().cursor, "c3");
  EXPECT_FALSE(Get().verified_complete.has_value());
  EXPECT_EQ(*Get().next_poll, clock_.WallNow()) << "due again at once";
}

TEST_F(PollTest, RefusedCredentialsBreakTheSourceAndAreTriedNoMore) {
  reader_.pages[""] = MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "Session has expired");
  EXPECT_FALSE(PollDue().ok());
  EXPECT_EQ(Get().state, SourceState::kBroken);
  EXPECT_EQ(Get().state_reason, "TOKEN_EXPIRED");
  EXPECT_EQ(reader_.reported, std::vector<std::string>{"TOKEN_EXPIRED"});
  clock_.Advance(absl::Hours(100));
  EXPECT_EQ(ReasonOf(PollDue().status()), "NOT_DUE");
  channel_.credentials_version = 2;
  ASSERT_TRUE(store_.Sync({channel_}, clock_.WallNow()).ok());
  reader_.pages[""] = APage("c1", false, {"1"});
  EXPECT_TRUE(PollDue().ok());
}

TEST_F(PollTest, AMissingPermissionToReadIsNoBrokenChannel) {
  reader_.pages[""] = MakeError(Code::kPermissionDenied, "PERMISSION_DENIED", "not with this tier");
  EXPECT_FALSE(PollDue().ok());
  EXPECT_EQ(Get().state, SourceState::kBroken);
  EXPECT_TRUE(reader_.reported.empty());
}

TEST_F(PollTest, AStopEndsAfterThePageAtHand) {
  reader_.pages[""] = APage("c1", true, {"1"});
  reader_.on_read = [&](const std::string&) { poller_.StopSoon(); };
  auto result = PollDue();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(reader_.read.size(), 1u);
  EXPECT_EQ(Get().cursor, "c1");
  EXPECT_EQ(*Get().next_poll, clock_.WallNow()) << "somebody else goes on at once";
}

TEST_F(PollTest, FailuresWaitLongerAndLongerAndObeyRetryAfter) {
  Source source = Get();
  std::vector<absl::Duration> waits;
  for (int i = 0; i < 12; ++i) {
    PollEnd end = AfterFailure(source, MakeError(Code::kUnavailable, "TRANSIENT", ""), options_, absl::Minutes(1), 0.5);
    waits.push_back(end.next_in);
    source.failures = end.failures;
  }
  EXPECT_EQ(waits[0], absl::Seconds(1));
  EXPECT_EQ(waits[3], absl::Seconds(8));
  EXPECT_EQ(waits[11], absl::Minutes(15)) << "bounded";
  Error limited{.code = Code::kResourceExhausted, .reason = "RATE_LIMITED", .message = ""};
  limited.retry_after = absl::Minutes(40);
  EXPECT_EQ(AfterFailure(Get(), ToStatus(limited), options_, absl::Minutes(1), 0).next_in, absl::Minutes(40));
}

TEST_F(PollTest, ARefusalForTheRateWithoutATimeWaitsTwiceTheInterval) {
  const Status limited = MakeError(Code::kResourceExhausted, "RATE_LIMITED", "too fast");
  PollEnd end = AfterFailure(Get(), limited, options_, absl::Minutes(1), 0.5);
  EXPECT_EQ(end.interval, absl::Seconds(20));
  EXPECT_EQ(end.next_in, absl::Seconds(20));
  EXPECT_EQ(AfterFailure(Get(), limited, options_, absl::Seconds(15), 0.5).interval, absl::Seconds(15));
  // Our own bus being full is no word of the network.
  EXPECT_EQ(
      AfterFailure(Get(), MakeError(Code::kResourceExhausted, "BUS_QUEUE_FULL", ""), options_, absl::Minutes(1), 0.5)
          .next_in,
      absl::Seconds(1));
}

TEST_F(PollTest, NoNetworkSilencesAChannelForEver) {
  Error limited{.code = Code::kResourceExhausted, .reason = "RATE_LIMITED", .message = ""};
  for (const absl::Duration huge : {absl::Hours(24 * 36500), absl::InfiniteDuration()}) {
    limited.retry_after = huge;
    EXPECT_EQ(AfterFailure(Get(), ToStatus(limited), options_, absl::Minutes(1), 0).next_in, absl::Hours(24));
    PollResult result{.activities = 0, .reached_end = true, .rate = {0, huge, huge}, .host = ""};
    const PollEnd end = AfterSuccess({Get(), 1, absl::ZeroDuration()}, result, absl::Seconds(5), absl::Minutes(5),
                                     absl::InfiniteDuration(), 1);
    EXPECT_LT(end.next_in, kPlannedMax) << "else it would be taken for a clock that was set back";
  }
  limited.retry_after = -absl::Hours(1);
  EXPECT_GT(AfterFailure(Get(), ToStatus(limited), options_, absl::Minutes(1), 0).next_in, absl::ZeroDuration());
}

TEST_F(PollTest, ACrowdIsScatteredAndOthersKeepTheirPace) {
  Claimed claimed{Get(), 1, absl::ZeroDuration()};
  claimed.source.interval = absl::Seconds(30);
  claimed.source.last_poll = clock_.WallNow();
  const PollResult nothing{.activities = 0, .reached_end = true, .rate = {}, .host = ""};
  auto wait = [&](double uniform) {
    return AfterSuccess(claimed, nothing, absl::Seconds(5), absl::Minutes(1), absl::Hours(1), uniform).next_in;
  };
  EXPECT_EQ(wait(0), absl::Seconds(54));
  EXPECT_LT(wait(0.999), absl::Seconds(66));
  claimed.late = absl::Seconds(4);
  EXPECT_EQ(wait(0), absl::Seconds(30));
  EXPECT_LE(wait(0.999), absl::Minutes(1));
  claimed.late = absl::ZeroDuration();
  claimed.source.last_poll.reset();
  EXPECT_EQ(wait(0), absl::Seconds(30)) << "nor do all new channels come again at once";
}

TEST_F(PollTest, AUsedUpBudgetWaitsForItsReset) {
  Claimed claimed{Get(), 1, absl::ZeroDuration()};
  claimed.source.last_poll = clock_.WallNow();
  PollResult result{.activities = 5, .reached_end = true, .rate = {}, .host = ""};
  auto after = [&](double uniform) {
    return AfterSuccess(claimed, result, absl::Seconds(5), absl::Minutes(5), absl::Hours(1), uniform);
  };
  EXPECT_EQ(after(0.5).next_in, absl::Seconds(5));
  result.rate = {.remaining = 0, .reset_in = absl::Minutes(12), .retry_after = std::nullopt};
  EXPECT_EQ(after(0).next_in, absl::Minutes(12));
  EXPECT_EQ(after(0.5).next_in, absl::Minutes(12) * 1.05) << "not all at once when the window begins";
  result.rate.remaining = 3;
  EXPECT_EQ(after(0.5).next_in, absl::Seconds(5));
  claimed.source.interval = absl::Minutes(5);
  result.activities = 0;
  PollEnd slow = after(1);
  EXPECT_EQ(slow.interval, absl::Minutes(5));
  EXPECT_LE(slow.next_in, absl::Minutes(5) * 1.1);
}

TEST_F(PollTest, AZombieStopsAndChangesNothing) {
  reader_.pages[""] = APage("c1", true, {"1"});
  reader_.pages["c1"] = APage("c2", false, {"2"});
  reader_.on_read = [&](const std::string& cursor) {
    if (cursor != "c1") return;
    clock_.Advance(absl::Minutes(3));  // the lease runs out while the second page is read
    ASSERT_EQ(store_.Claim({{"w1", "c1"}}, absl::Minutes(2))->size(), 1u);
  };
  EXPECT_EQ(ReasonOf(PollDue().status()), "FENCED");
  EXPECT_EQ(Get().cursor, "c1");
  EXPECT_EQ(Get().failures, 0);
}

TEST_F(PollTest, ABackfillReadsThePastAndSaysSo) {
  ASSERT_TRUE(PollDue().ok());
  Sources sources(store_, clock_);
  Call call = BackgroundCall("test", "w1");
  const absl::Time from = clock_.WallNow() - absl::Hours(48);
  EXPECT_EQ(ReasonOf(sources.Backfill(call, "c1", clock_.WallNow()).status()), "TIME_RANGE");
  EXPECT_EQ(ReasonOf(sources.Backfill(call, "c1", clock_.WallNow() - absl::Hours(24 * 367)).status()), "TIME_RANGE");
  EXPECT_EQ(sources.Backfill(call, "c9", from).status().code(), Code::kNotFound);
  ASSERT_TRUE(sources.Backfill(call, "c1", from).ok());
  reader_.pages[""] = APage("b1", false, {"old"});
  Source before = Get();
  EXPECT_EQ(before.backfill, BackfillState::kRunning);
  reader_.pages[before.cursor] = reader_.pages[""];
  auto result = PollDue();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Get().backfill, BackfillState::kDone);
  EXPECT_EQ(Get().complete_from, from);
  EXPECT_EQ(sink_.activities().back().origin, Origin::kBackfill);
}

TEST_F(PollTest, TheGapIsWhatNobodyHasVerified) {
  ASSERT_TRUE(PollDue().ok());
  Source source = Get();
  EXPECT_FALSE(GapOf(source, clock_.WallNow() + absl::Seconds(20)).has_value());
  EXPECT_EQ(GapOf(source, clock_.WallNow() + absl::Hours(2)), absl::Hours(2));
  source.pollable = false;
  EXPECT_FALSE(GapOf(source, clock_.WallNow() + absl::Hours(2)).has_value());
}

TEST_F(PollTest, TheRunnerLearnsChannelsPollsThemAndNotesWebhooks) {
  RealClock clock;
  FakeSourceStore store(clock);
  FakeDesk desk;
  for (int i = 0; i < 5; ++i) {
    const std::string id = "c" + std::to_string(i);
    desk.channels.push_back({{"w1", id}, i == 4 ? "facebook" : "wordpress", "r" + id, 1});
  }
  reader_.pages[""] = APage("c1", false, {"1"});
  Poller poller(
      store, reader_, sink_, clock, {}, [](const std::string& n) { return n == "facebook"; }, [] { return 0.5; });
  HeardBook heard(10);
  std::atomic<int> polled = 0;
  Runner::Options options;
  options.polls.at_once = 1;  // the fake reader is for one thread
  options.tick = options.note_every = absl::Milliseconds(10);
  options.sync_every = absl::Milliseconds(20);
  Runner runner(store, desk, poller, heard, clock, options, kAnyNetwork,
                {.polled = [&](const Source&, const StatusOr<PollResult>& r) { polled += r.ok(); },
                 .synced = {},
                 .claim_failed = {},
                 .listed = {}});
  ASSERT_TRUE(runner.Start().ok());
  ASSERT_TRUE(testing::WaitFor([&] { return polled == 5; }));
  heard.ByWebhook({"w1", "c4"}, clock.WallNow(), clock.WallNow());
  auto get = [&](const std::string& id) { return *store.GetSource(BackgroundCall("test", "w1"), id); };
  EXPECT_TRUE(testing::WaitFor([&] { return get("c4").last_webhook.has_value(); }));
  EXPECT_EQ(get("c4").interval, absl::Minutes(2)) << "only the second way";
  runner.Stop();
  EXPECT_EQ(sink_.activities().size(), 5u);
}

TEST_F(PollTest, AfterAnOutageThePollsScatter) {
  // Ten thousand channels whose time passed an hour ago; each is polled as soon as it is chosen.
  std::mt19937_64 random(1);
  std::map<int64_t, int> by_second;
  Claimed claimed{Get(), 1, absl::Hours(1)};
  claimed.source.interval = absl::Minutes(1);
  claimed.source.last_poll = clock_.WallNow() - absl::Hours(1);
  const PollResult nothing{.activities = 0, .reached_end = true, .rate = {}, .host = ""};
  for (int i = 0; i < 10'000; ++i) {
    const PollEnd end = AfterSuccess(claimed, nothing, absl::Seconds(5), absl::Minutes(1), absl::Hours(1),
                                     std::uniform_real_distribution<double>(0, 1)(random));
    ++by_second[absl::ToInt64Seconds(end.next_in)];
  }
  EXPECT_GE(by_second.size(), 30u);
  for (const auto& [second, polls] : by_second) EXPECT_LT(polls, 450) << second;  // 333 on average
}

TEST_F(PollTest, DisconnectedChannelsAreDetachedOverSeveralPages) {
  FakeDesk desk;
  for (int i = 0; i < 5; ++i) desk.channels.push_back({{"w1", "d" + std::to_string(i)}, "wordpress", "r", 1});
  HeardBook heard(10);
  Runner runner(store_, desk, poller_, heard, clock_, {}, kAnyNetwork, {});
  ASSERT_TRUE(runner.Sync().ok());
  EXPECT_EQ(Get().state, SourceState::kDetached) << "c1 is none of accounts' channels";
  desk.channels.erase(desk.channels.begin() + 2);
  ASSERT_TRUE(runner.Sync().ok());
  auto state = [&](const std::string& id) { return store_.GetSource(BackgroundCall("test", "w1"), id)->state; };
  EXPECT_EQ(state("d1"), SourceState::kActive);
  EXPECT_EQ(state("d2"), SourceState::kDetached);
  EXPECT_EQ(state("d4"), SourceState::kActive);
  desk.failure = MakeError(Code::kUnavailable, "ACCOUNTS_UNAVAILABLE", "away");
  desk.channels.clear();
  EXPECT_FALSE(runner.Sync().ok());
  EXPECT_EQ(state("d4"), SourceState::kActive) << "an accounts that is away takes nothing away";
}

}  // namespace
}  // namespace parvis::ingestion
