// The connectors as measuring sees them.
#include "ingestion/network/meter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ingestion/domain/fakes.h"
#include "platform/net/http_client.h"
#include "platform/obs/log.h"

namespace parvis::ingestion {
namespace {

class MeterTest : public ::testing::Test {
 protected:
  MeterTest() {
    obs::SetLogSink([](std::string_view) {});
  }
  ~MeterTest() override { obs::SetLogSink(nullptr); }
  double Measures(const std::string& outcome) {
    return metrics_.counter("parvis_ingestion_measures_total", "", {{"network", "x"}, {"outcome", outcome}}).Value();
  }
  RealClock clock_;
  obs::Metrics metrics_;
  net::HttpClient client_{net::HttpClientConfig(), clock_, metrics_};
  const Connectors connectors_ = networks::MakeConnectors(client_, clock_);
  FakeDesk desk_;
  ConnectorMeter meter_{connectors_, desk_};
};

TEST_F(MeterTest, NetworksThatDoNotCountAreLeftOut) {
  EXPECT_TRUE(meter_.CountsPosts("x"));
  EXPECT_FALSE(meter_.CountsPosts("feed"));
  EXPECT_FALSE(meter_.CountsPosts("of a newer release"));
  const std::vector<std::string> channels = meter_.Networks().channels;
  EXPECT_NE(std::find(channels.begin(), channels.end(), "facebook"), channels.end());
  EXPECT_EQ(std::find(channels.begin(), channels.end(), "feed"), channels.end());
}

TEST_F(MeterTest, AChannelThatAccountsDoesNotKnowIsNotMeasured) {
  MeasureJob job;
  job.network = "x";
  EXPECT_EQ(meter_.Measure(BackgroundCall("test"), job, {"1"}).status().code(), Code::kNotFound);
  job.network = "of a newer release";
  EXPECT_EQ(ReasonOf(meter_.Measure(BackgroundCall("test"), job, {"1"}).status()), "NETWORK_UNKNOWN");
}

TEST_F(MeterTest, CountsHowMeasuringEnds) {
  MeasureMetrics counted(connectors_, metrics_);
  const MeasureRunner::Watchers watchers = counted.Watchers();
  MeasureJob job;
  job.network = "x";
  watchers.measured(job, MeasureResult{.samples = 7, .missing = 2});
  watchers.measured(job, MakeError(Code::kResourceExhausted, "RATE_LIMITED", ""));
  watchers.measured(job, MakeError(Code::kAborted, "FENCED", ""));
  watchers.measured(job, MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", ""));
  watchers.measured(job, MakeError(Code::kUnavailable, "TRANSIENT", ""));
  for (const char* outcome : {"ok", "limited", "fenced", "refused", "failed"})
    EXPECT_EQ(Measures(outcome), 1) << outcome;
  EXPECT_EQ(metrics_.counter("parvis_ingestion_samples_total", "", {{"network", "x"}}).Value(), 7);
  EXPECT_EQ(metrics_.counter("parvis_ingestion_measures_missing_total", "", {{"network", "x"}}).Value(), 2);
  watchers.listed({.channels = 3, .most_overdue = absl::Seconds(9)});
  EXPECT_EQ(metrics_.gauge("parvis_ingestion_measure_late_seconds", "").Value(), 9);
}

}  // namespace
}  // namespace parvis::ingestion
