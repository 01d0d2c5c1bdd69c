#include <gtest/gtest.h>

#include "metrics/domain/campaign_report.h"
#include "metrics/domain/fakes.h"
#include "metrics/domain/store_contract.h"

namespace parvis::metrics {
namespace {

Stores FakeStores() {
  const auto store = std::make_shared<FakeStore>();
  return {store, store, store, [next = int64_t{0}]() mutable { return StreamPosition{.group = "g", .topic = "t", .next = ++next}; }};
}
INSTANTIATE_TEST_SUITE_P(Fake, StoreContract, ::testing::Values(&FakeStores));

TEST(ActivityFactId, IsTheCommentsOwnAndTheEditsOwn) {
  EXPECT_EQ(ActivityFactId("comment", kChannel, "1", "a"), ActivityFactId("comment", kChannel, "1", "b"));
  EXPECT_NE(ActivityFactId("comment", kChannel, "1", "a"), ActivityFactId("comment", kChannel, "2", "a"));
  EXPECT_NE(ActivityFactId("comment", kChannel, "1", "a"), ActivityFactId("mention", kChannel, "1", "a"));
  EXPECT_NE(ActivityFactId("edit", kChannel, "1", "a"), ActivityFactId("edit", kChannel, "1", "b"));
  EXPECT_NE(ActivityFactId("comment", kChannel, "", "a"), ActivityFactId("comment", kChannel, "", "b"));
}

TEST(QueryTimeseries, GivesEveryStepZerosIncluded) {
  FakeStore store;
  ASSERT_TRUE(store.FoldActivities(StreamPosition{.next = 1}, {Comment("1", kNoon + absl::Minutes(90))}).ok());
  TimeseriesQuery query{.metric = "comments", .start = kNoon + absl::Minutes(5), .end = kNoon + absl::Minutes(121), .step = Step::kHour};
  const auto points = QueryTimeseries(BackgroundCall("t", kWorkspace), query, 100, store);
  ASSERT_TRUE(points.ok());
  EXPECT_EQ(*points, (std::vector<Point>{{kNoon, 0}, {kNoon + absl::Hours(1), 1}, {kNoon + absl::Hours(2), 0}}));
}

TEST(QueryTimeseries, RefusesWhatCannotBeAnswered) {
  FakeStore store;
  const auto reason = [&](const std::string& metric, absl::Duration length, int64_t steps_max) {
    const TimeseriesQuery query{.metric = metric, .start = kNoon, .end = kNoon + length, .step = Step::kMinute};
    return ReasonOf(QueryTimeseries(BackgroundCall("t", kWorkspace), query, steps_max, store).status());
  };
  EXPECT_EQ(reason("comments", absl::Minutes(10), 10), "");
  EXPECT_EQ(reason("comments", absl::Minutes(11), 10), "TOO_MANY_STEPS");
  EXPECT_EQ(reason("comments", absl::Hours(24 * 365 * 9000), 10), "TOO_MANY_STEPS");
  EXPECT_EQ(reason("comments", absl::ZeroDuration(), 10), "TIME_RANGE");
  EXPECT_EQ(reason("comments", -absl::Minutes(1), 10), "TIME_RANGE");
  EXPECT_EQ(reason("likes", absl::Minutes(1), 10), "METRIC_UNKNOWN");
  for (const std::string& name : MetricNames()) EXPECT_EQ(reason(name, absl::Minutes(1), 10), "");
}

TEST(QueryCounters, RefusesWhatCannotBeAnswered) {
  FakeStore store;
  const auto reasons = [&](const CounterQuery& query) {
    std::string all;
    for (const Violation& one : ToError(QueryCounters(BackgroundCall("t", kWorkspace), query, 10, store).status()).violations) {
      all += one.field + " " + one.reason + ";";
    }
    return all;
  };
  EXPECT_EQ(reasons({}), "");
  EXPECT_EQ(reasons({.subject = CounterSubject::kChannels, .campaign_id = kCampaign, .post_remote_id = "1"}),
            "campaign NOT_POSSIBLE;post_remote_id NOT_POSSIBLE;");
  EXPECT_EQ(reasons({.post_remote_id = "1"}), "channel CHANNEL_MISSING;");
  EXPECT_EQ(reasons({.range = CounterQuery::Range{kNoon, kNoon + absl::Hours(1), Step::kMinute}}), "step STEP_UNKNOWN;");
  EXPECT_EQ(reasons({.range = CounterQuery::Range{kNoon, kNoon, Step::kHour}}), "end_time TIME_RANGE;");
  EXPECT_EQ(reasons({.range = CounterQuery::Range{kNoon, kNoon + absl::Hours(11), Step::kHour}}), "end_time TOO_MANY_STEPS;");
}

class FixedReports : public ReportStore {
 public:
  StatusOr<Figures> CampaignFigures(const Call&, const std::string&) override { return figures; }
  Figures figures;
};

TEST(GetCampaignReport, PutsTheFiguresOfEachNetworkTogether) {
  FixedReports store;
  store.figures.posts = {{.network = "x", .planned = 2, .delivered = 1}, {.network = "", .planned = 3, .delivered = 2},
                         {.network = "facebook", .planned = 1, .delivered = 1}};
  store.figures.comments = {{.network = "facebook", .comments = 10, .hidden = 2}, {.network = "", .comments = 10, .hidden = 2}};
  store.figures.conversations = {{.network = "facebook", .conversations = 8, .answered = 6}, {.network = "", .conversations = 8, .answered = 6}};
  store.figures.counters = {{"", "likes", 9}, {"facebook", "likes", 9}};
  for (size_t i = 0; i < kReasonsMax + 5; ++i) store.figures.reasons.push_back({"", "hidden", "rule" + std::to_string(i), 1});
  FakeClock clock;
  const auto report = GetCampaignReport(BackgroundCall("t", kWorkspace), kCampaign, clock, store);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->compute_time, clock.WallNow());
  EXPECT_EQ(report->total.posts.planned, 3);
  EXPECT_EQ(report->total.comments.comments, 10);
  EXPECT_EQ(report->total.answer_rate, 0.75);
  EXPECT_EQ(report->total.reasons.size(), kReasonsMax);
  ASSERT_EQ(report->networks.size(), 2u);
  EXPECT_EQ(report->networks[0].posts.network, "facebook");
  EXPECT_EQ(report->networks[0].comments.hidden, 2);
  EXPECT_EQ(report->networks[1].posts.network, "x");
  EXPECT_EQ(report->networks[1].answer_rate, 0);
  EXPECT_EQ(report->total.counters.at("likes"), 9);
  EXPECT_EQ(report->networks[0].counters.at("likes"), 9);
  EXPECT_TRUE(report->networks[1].counters.empty());
}

}  // namespace
}  // namespace parvis::metrics
