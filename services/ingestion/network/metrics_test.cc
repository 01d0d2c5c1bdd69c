// What polling counts and logs.
#include "ingestion/network/metrics.h"

#include <gtest/gtest.h>

#include <absl/strings/match.h>

#include "platform/net/http_client.h"
#include "platform/obs/log.h"

namespace parvis::ingestion {
namespace {

class PollMetricsTest : public ::testing::Test {
 protected:
  PollMetricsTest() {
    obs::SetLogSink([this](std::string_view line) { lines_.emplace_back(line); });
    source_.binding = {"w1", "c1"};
    source_.network = "facebook";
    source_.failures = 2;
    source_.cursor = "cursor";
  }
  ~PollMetricsTest() override { obs::SetLogSink(nullptr); }
  double Polls(const std::string& network, const std::string& outcome) {
    return metrics_.counter("parvis_ingestion_polls_total", "", {{"network", network}, {"outcome", outcome}}).Value();
  }
  double Activities(const std::string& network) {
    return metrics_.counter("parvis_ingestion_polled_activities_total", "", {{"network", network}}).Value();
  }
  double SyncFailures() { return metrics_.counter("parvis_ingestion_sync_failures_total", "").Value(); }
  void Polled(const StatusOr<PollResult>& result) { watchers_.polled(source_, result); }
  void Fails(Code code, const std::string& reason) { Polled(MakeError(code, reason, "because")); }

  RealClock clock_;
  obs::Metrics metrics_;
  net::HttpClient client_{net::HttpClientConfig(), clock_, metrics_};
  const Connectors connectors_ = networks::MakeConnectors(client_, clock_);
  PollMetrics poll_metrics_{connectors_, metrics_, absl::Minutes(5)};
  const Runner::Watchers watchers_ = poll_metrics_.Watchers();
  Source source_;
  std::vector<std::string> lines_;
};

TEST_F(PollMetricsTest, EverySeriesIsThereBeforeAnythingHappens) {
  const std::string exposed = metrics_.Expose();
  for (const auto& [network, connector] : connectors_) {
    for (const char* outcome : {"ok", "failed", "limited", "refused", "fenced"}) {
      EXPECT_TRUE(absl::StrContains(
          exposed, "parvis_ingestion_polls_total{network=\"" + network + "\",outcome=\"" + outcome + "\"} 0"))
          << network << " " << outcome;
    }
  }
}

TEST_F(PollMetricsTest, PollsAreCountedByHowTheyEnded) {
  Polled(PollResult{.activities = 7});
  Polled(PollResult{});
  EXPECT_EQ(Polls("facebook", "ok"), 2);
  EXPECT_EQ(Activities("facebook"), 7);
  EXPECT_TRUE(lines_.empty());  // what goes well is not logged
  Fails(Code::kUnauthenticated, "TOKEN_EXPIRED");
  Fails(Code::kPermissionDenied, "PERMISSION_DENIED");
  EXPECT_EQ(Polls("facebook", "refused"), 2);
  Fails(Code::kAborted, "FENCED");
  EXPECT_EQ(Polls("facebook", "fenced"), 1);
  Fails(Code::kAborted, "SOMETHING_ELSE");
  Fails(Code::kUnavailable, "ACCOUNTS_UNAVAILABLE");
  Fails(Code::kResourceExhausted, "RATE_LIMITED");
  EXPECT_EQ(Polls("facebook", "limited"), 1);
  Fails(Code::kResourceExhausted, "BUS_QUEUE_FULL");  // not the network's word
  EXPECT_EQ(Polls("facebook", "failed"), 3);
  EXPECT_EQ(Polls("facebook", "ok"), 2);
  EXPECT_EQ(Activities("facebook"), 7);
  EXPECT_EQ(Polls("x", "failed"), 0);
  EXPECT_EQ(SyncFailures(), 0);
}

TEST_F(PollMetricsTest, AFailedPollIsLoggedWithItsChannelAndReason) {
  Fails(Code::kUnavailable, "NETWORK_DOWN");
  ASSERT_EQ(lines_.size(), 1u);
  for (const char* part : {"\"level\":\"warning\"", "a poll failed", "\"network\":\"facebook\"", "\"channel\":\"c1\"",
                           "\"failures\":3", "NETWORK_DOWN", "\"workspace\":\"w1\""}) {
    EXPECT_TRUE(absl::StrContains(lines_[0], part)) << part << " in " << lines_[0];
  }
}

TEST_F(PollMetricsTest, AChannelThatIsTooLateIsADegradedMode) {
  obs::Degraded& degraded = metrics_.degraded();
  DueList due;
  due.due = 9000;
  due.paused = 12;
  due.most_overdue = absl::Minutes(5);
  watchers_.listed(due, 32);
  EXPECT_EQ(metrics_.gauge("parvis_ingestion_polls_due", "").Value(), 9000);
  EXPECT_EQ(metrics_.gauge("parvis_ingestion_polls_paused", "").Value(), 12);
  EXPECT_EQ(metrics_.gauge("parvis_ingestion_polls_running", "").Value(), 32);
  EXPECT_EQ(metrics_.gauge("parvis_ingestion_poll_late_seconds", "").Value(), 300);
  EXPECT_FALSE(degraded.Is(obs::Mode::kPollsLate));
  due.most_overdue = absl::Seconds(301.5);
  watchers_.listed(due, 32);
  EXPECT_TRUE(degraded.Is(obs::Mode::kPollsLate));
  EXPECT_TRUE(absl::StrContains(degraded.Text(), "9000 channels are due, the most overdue since 5m1s"))
      << degraded.Text();
  watchers_.listed({}, 0);
  EXPECT_FALSE(degraded.Is(obs::Mode::kPollsLate));
}

TEST(HostOf, IsTheHostAndPortInLowerCase) {
  EXPECT_EQ(HostOf("https://Blog.Example/wp-json"), "blog.example");
  EXPECT_EQ(HostOf("http://127.0.0.1:8080"), "127.0.0.1:8080");
  EXPECT_EQ(HostOf("https://user:word@blog.example?x=/y"), "blog.example") << "no secret";
  EXPECT_EQ(HostOf("blog.example"), "");
  EXPECT_EQ(HostOf(""), "");
  EXPECT_EQ(HostOf("https://" + std::string(1000, 'a')).size(), 255u);
}

// A network that was connected once and is no longer built in: nothing to count, nothing to crash on.
TEST_F(PollMetricsTest, ANetworkWithoutAConnectorIsPassedOver) {
  source_.network = "gone";
  Polled(PollResult{.activities = 1});
  Fails(Code::kInternal, "X");
  EXPECT_FALSE(absl::StrContains(metrics_.Expose(), "\"gone\""));
}

TEST_F(PollMetricsTest, RoundsThatFailAreCountedAndSaid) {
  watchers_.synced(absl::OkStatus());
  watchers_.claim_failed(absl::OkStatus());
  EXPECT_EQ(SyncFailures(), 0);
  watchers_.synced(MakeError(Code::kUnavailable, "ACCOUNTS_UNAVAILABLE", "away"));
  watchers_.claim_failed(MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "away"));
  EXPECT_EQ(SyncFailures(), 2);
  ASSERT_EQ(lines_.size(), 2u);
  EXPECT_TRUE(absl::StrContains(lines_[0], "the channels could not be brought up to date")) << lines_[0];
  EXPECT_TRUE(absl::StrContains(lines_[1], "DB_UNAVAILABLE")) << lines_[1];
}

}  // namespace
}  // namespace parvis::ingestion
