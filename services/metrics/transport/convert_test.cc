#include "metrics/transport/convert.h"

#include <gtest/gtest.h>

#include <set>

#include "platform/base/ids.h"

namespace parvis::metrics {
namespace {

const std::string kWorkspace = "workspaces/" + UuidOfName("workspace");

v1::QueryTimeseriesRequest Good() {
  v1::QueryTimeseriesRequest request;
  request.set_parent(kWorkspace);
  request.set_metric(v1::METRIC_COMMENTS_HIDDEN);
  request.set_channel(kWorkspace + "/channels/" + UuidOfName("channel"));
  request.set_campaign(kWorkspace + "/campaigns/" + UuidOfName("campaign"));
  request.mutable_start_time()->set_seconds(1'800'000'000);
  request.mutable_end_time()->set_seconds(1'800'003'600);
  request.mutable_end_time()->set_nanos(500'000'000);
  request.set_step(v1::STEP_MINUTE);
  return request;
}

TEST(QueryTimeseriesRequest, BecomesAQuery) {
  const auto query = FromProto(Good());
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->metric, "comments_hidden");
  EXPECT_EQ(query->channel_id, UuidOfName("channel"));
  EXPECT_EQ(query->campaign_id, UuidOfName("campaign"));
  EXPECT_EQ(query->start, absl::FromUnixSeconds(1'800'000'000));
  EXPECT_EQ(query->end, absl::FromUnixMillis(1'800'003'600'500));
  EXPECT_EQ(query->step, Step::kMinute);
}

TEST(QueryTimeseriesRequest, NamesEveryFieldThatIsWrong) {
  v1::QueryTimeseriesRequest request;
  request.set_parent("workspaces/x");
  request.set_channel("channels/1");
  request.set_campaign(kWorkspace + "/campaigns/not-a-uuid");
  request.mutable_end_time()->set_seconds(INT64_MAX);
  std::set<std::string> fields;
  for (const Violation& violation : ToError(FromProto(request).status()).violations) fields.insert(violation.field);
  EXPECT_EQ(fields, (std::set<std::string>{"parent", "metric", "channel", "campaign", "start_time", "end_time", "step"}));
}

TEST(QueryCountersRequest, WithoutTimesAsksForTheLatestOnly) {
  v1::QueryCountersRequest request;
  request.set_parent(kWorkspace);
  request.set_subject(v1::COUNTER_SUBJECT_CHANNELS);
  auto query = FromProto(request);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->subject, CounterSubject::kChannels);
  EXPECT_FALSE(query->range.has_value());
  request.set_step(v1::STEP_DAY);
  EXPECT_EQ(ToError(FromProto(request).status()).violations.size(), 2u) << "then both times are needed";
  request.mutable_start_time()->set_seconds(1'800'000'000);
  request.mutable_end_time()->set_seconds(1'800'003'600);
  query = FromProto(request);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->range->step, Step::kDay);
}

TEST(QueryCountersRequest, NamesEveryFieldThatIsWrong) {
  v1::QueryCountersRequest request;
  request.set_channel("channels/1");
  request.set_post_remote_id(std::string(2049, 'x'));
  request.mutable_start_time()->set_seconds(1);
  std::set<std::string> fields;
  for (const Violation& violation : ToError(FromProto(request).status()).violations) fields.insert(violation.field);
  EXPECT_EQ(fields, (std::set<std::string>{"parent", "subject", "channel", "post_remote_id", "end_time", "step"}));
}

TEST(CounterSeries, KeepsEverything) {
  v1::CounterSeries out;
  ToProto(CounterSeries{.network = "x",
                        .counter = "likes",
                        .value = 12,
                        .subjects = 3,
                        .measured = absl::FromUnixSeconds(1'800'000'000),
                        .points = {{absl::FromUnixSeconds(1'799'996'400), 7}}},
          out);
  EXPECT_EQ(out.network(), "x");
  EXPECT_EQ(out.counter(), "likes");
  EXPECT_EQ(out.value(), 12);
  EXPECT_EQ(out.subject_count(), 3);
  EXPECT_EQ(out.measured_time().seconds(), 1'800'000'000);
  ASSERT_EQ(out.points_size(), 1);
  EXPECT_EQ(out.points(0).value(), 7);
}

// The proto's enum and the domain's names are the same list.
TEST(Metric, EveryValueHasAName) {
  std::set<std::string> names;
  for (int value = v1::Metric_MIN; value <= v1::Metric_MAX; ++value) {
    if (!v1::Metric_IsValid(value) || value == v1::METRIC_UNSPECIFIED) continue;
    v1::QueryTimeseriesRequest request = Good();
    request.set_metric(static_cast<v1::Metric>(value));
    const auto query = FromProto(request);
    ASSERT_TRUE(query.ok());
    names.insert(query->metric);
  }
  EXPECT_EQ(names, std::set<std::string>(MetricNames().begin(), MetricNames().end()));
  v1::QueryTimeseriesRequest newer = Good();
  newer.set_metric(static_cast<v1::Metric>(9999));
  EXPECT_EQ(ReasonOf(FromProto(newer).status()), "METRIC_UNKNOWN");
}

TEST(CampaignReport, KeepsWhatIsUnsetUnset) {
  CampaignReport report{.compute_time = absl::FromUnixMicros(1'800'000'000'000'001)};
  report.total.posts = {.planned = 3, .delivered = 1, .lateness_p50 = absl::Microseconds(1'500'000), .partly_delivered = 1};
  report.total.reasons = {{"", "hidden", "insult", 2}};
  report.networks.push_back({.posts = {.network = "x"}, .answer_rate = 0.5, .counters = {{"likes", 9}}});
  v1::CampaignReport out;
  ToProto(kWorkspace + "/campaigns/1/report", report, out);
  EXPECT_EQ(out.compute_time().nanos(), 1000);
  EXPECT_EQ(out.total().posts_planned(), 3);
  EXPECT_EQ(out.total().posts_partly_delivered(), 1);
  EXPECT_EQ(out.total().lateness_p50().seconds(), 1);
  EXPECT_EQ(out.total().lateness_p50().nanos(), 500'000'000);
  EXPECT_FALSE(out.total().has_lateness_p99());
  EXPECT_FALSE(out.total().has_first_response_p50());
  ASSERT_EQ(out.total().reasons_size(), 1);
  EXPECT_EQ(out.total().reasons(0).rule(), "insult");
  ASSERT_EQ(out.networks_size(), 1);
  EXPECT_EQ(out.networks(0).network(), "x");
  EXPECT_EQ(out.networks(0).answer_rate(), 0.5);
  EXPECT_EQ(out.networks(0).network_counters().at("likes"), 9);
}

}  // namespace
}  // namespace parvis::metrics
