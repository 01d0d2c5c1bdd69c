// The runner and its schedule together, on fakes.
#include "ingestion/domain/runner.h"

#include <gtest/gtest.h>

#include <atomic>

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

}  // namespace
}  // namespace parvis::ingestion
