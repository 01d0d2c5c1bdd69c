// The runner and its schedule together, on fakes.
#include "ingestion/domain/runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "ingestion/domain/fakes.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

// Thread-safe; channels of network "app" are refused, and nothing is read twice at the same time.
class PickyReader : public ChannelReader {
 public:
  StatusOr<ReadPage> Read(const Call&, const Source& source, const std::string& cursor, absl::Time, int) override {
    std::lock_guard lock(mutex_);
    ++reads_[source.network];
    if (source.network == "app") {
      Error limited{.code = Code::kResourceExhausted, .reason = "RATE_LIMITED", .message = ""};
      limited.retry_after = absl::Hours(1);
      return ToStatus(limited);
    }
    ReadPage page;
    page.cursor = cursor;
    page.host = "blog.example";
    return page;
  }
  void ReportBroken(const Call&, const Source&, const Status&) override {}
  int reads(const std::string& network) {
    std::lock_guard lock(mutex_);
    return reads_[network];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> reads_;
};

TEST(Runner, ARefusalPausesAllWhoShareTheBudgetAndNobodyElse) {
  RealClock clock;
  FakeSourceStore store(clock);
  std::vector<KnownChannel> channels;
  for (int i = 0; i < 200; ++i) {
    channels.push_back({{i % 2 ? "w1" : "w2", "c" + std::to_string(i)},
                        i < 150 ? "app" : "wordpress",
                        "r",
                        1,
                        true,
                        absl::Minutes(1)});
  }
  ASSERT_TRUE(store.Sync(channels, clock.WallNow()).ok());
  PickyReader reader;
  FakeSink sink;
  Poller poller(store, reader, sink, clock, {}, [](const std::string&) { return false; }, [] { return 0.5; });
  FakeDesk desk;
  desk.failure = MakeError(Code::kUnavailable, "ACCOUNTS_UNAVAILABLE", "nothing changes");
  HeardBook heard(10);
  Runner::Options options;
  options.polls.at_once = 4;
  options.polls.per_host = 2;
  options.tick = absl::Milliseconds(10);
  std::atomic<int64_t> paused = 0, due = -1;
  Runner runner(store, desk, poller, heard, clock, options,
                {.pollable = [](const std::string&) { return true; },
                 .shares_budget = [](const std::string& network) { return network == "app"; }},
                {.polled = {}, .synced = {}, .claim_failed = {}, .listed = [&](const DueList& list, int) {
                   paused = list.paused;
                   due = list.due;
                 }});
  ASSERT_TRUE(runner.Start().ok());
  EXPECT_TRUE(testing::WaitFor([&] { return reader.reads("wordpress") == 50 && due == 0; }));
  runner.Stop();
  EXPECT_LE(reader.reads("app"), 2) << "those under way when the first was refused";
  EXPECT_EQ(paused.load(), 150 - reader.reads("app"));
}

// Sees which channels are being read; each read takes a moment, so that two of one channel would meet.
class WatchfulReader : public ChannelReader {
 public:
  StatusOr<ReadPage> Read(const Call&, const Source& source, const std::string& cursor, absl::Time, int) override {
    const std::string& channel = source.binding.channel_id;
    std::unique_lock lock(mutex_);
    if (!reading_.insert(channel).second) ++met_;
    never_.wait_for(lock, std::chrono::milliseconds(2));
    reading_.erase(channel);
    ++reads_;
    ReadPage page;
    page.cursor = cursor;
    return page;
  }
  void ReportBroken(const Call&, const Source&, const Status&) override {}
  int met() const { return met_; }
  int reads() const { return reads_; }

 private:
  std::mutex mutex_;
  std::condition_variable never_;
  std::set<std::string> reading_;
  std::atomic<int> met_ = 0, reads_ = 0;
};

TEST(Runner, TwoReplicasNeverPollOneChannelAtOnceNotEvenWhileChannelsComeAndGo) {
  RealClock clock;
  FakeSourceStore store(clock);
  std::vector<KnownChannel> channels;
  for (int i = 0; i < 30; ++i) {
    channels.push_back({{"w" + std::to_string(i % 3), "c" + std::to_string(100 + i)},
                        "wordpress",
                        "r",
                        1,
                        true,
                        absl::Milliseconds(5)});
  }
  WatchfulReader reader;
  FakeSink sink;
  PollOptions options;
  options.interval_min = options.interval_max = absl::Milliseconds(5);
  FakeDesk desk;
  desk.failure = MakeError(Code::kUnavailable, "ACCOUNTS_UNAVAILABLE", "nothing changes");
  HeardBook heard(10);
  Runner::Options runner_options;
  runner_options.polls.at_once = 4;
  runner_options.tick = absl::Milliseconds(10);
  auto no = [](const std::string&) { return false; };
  Poller poller(store, reader, sink, clock, options, no, [] { return 0.5; });
  Runner one(store, desk, poller, heard, clock, runner_options, {.pollable = no, .shares_budget = no}, {});
  Runner two(store, desk, poller, heard, clock, runner_options, {.pollable = no, .shares_budget = no}, {});
  ASSERT_TRUE(one.Start().ok() && two.Start().ok());
  for (int round = 1; round <= 5; ++round) {  // all are connected, then all disconnected, some while they are polled
    ASSERT_TRUE(store.Sync(channels, clock.WallNow()).ok());
    EXPECT_TRUE(testing::WaitFor([&] { return reader.reads() >= round * 100; }));
    ASSERT_TRUE(store.Detach("", "", {}).ok());
  }
  one.Stop();
  two.Stop();
  EXPECT_EQ(reader.met(), 0);
  EXPECT_TRUE(store.ListDue(100, {})->sources.empty());
}

}  // namespace
}  // namespace parvis::ingestion
