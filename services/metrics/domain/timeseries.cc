#include "metrics/domain/timeseries.h"

#include <algorithm>
#include <utility>

namespace parvis::metrics {
namespace {

using enum MetricSource;
constexpr std::pair<std::string_view, MetricSource> kMetrics[] = {{"comments", kActivities},
                                                                  {"mentions", kActivities},
                                                                  {"messages", kActivities},
                                                                  {"reactions", kActivities},
                                                                  {"edits", kActivities},
                                                                  {"removals", kActivities},
                                                                  {"comments_held", kActivities},
                                                                  {"comments_hidden", kActivities},
                                                                  {"comments_deleted", kActivities},
                                                                  {"comments_escalated", kActivities},
                                                                  {"comments_question", kActivities},
                                                                  {"comments_complaint", kActivities},
                                                                  {"posts_delivered", kDeliveries},
                                                                  {"posts_failed", kDeliveries},
                                                                  {"posts_unknown", kDeliveries},
                                                                  {"replies_delivered", kDeliveries},
                                                                  {"replies_failed", kDeliveries},
                                                                  {"replies_unknown", kDeliveries},
                                                                  {"hides_delivered", kDeliveries},
                                                                  {"conversations_created", kConversations},
                                                                  {"conversations_resolved", kConversations},
                                                                  {"conversations_reopened", kConversations},
                                                                  {"replies_written", kConversations},
                                                                  {"cases_opened", kConversations},
                                                                  {"cases_escalated", kConversations},
                                                                  {"cases_resolved", kConversations}};

// Steps are those of UTC, which has no summer time: plain division.
absl::Time Floor(absl::Time time, absl::Duration width) {
  return absl::UnixEpoch() + absl::Floor(time - absl::UnixEpoch(), width);
}

}  // namespace

absl::Duration WidthOf(Step step) {
  switch (step) {
    case Step::kMinute:
      return absl::Minutes(1);
    case Step::kHour:
      return absl::Hours(1);
    case Step::kDay:
      return absl::Hours(24);
  }
  return absl::Hours(1);
}

Status WidenToSteps(absl::Time& start, absl::Time& end, absl::Duration width, int64_t steps_max) {
  if (end <= start) return InvalidField("end_time", "TIME_RANGE", "must be after start_time");
  if ((end - start) / width > static_cast<double>(steps_max)) {
    return InvalidField(
        "end_time", "TOO_MANY_STEPS",
        "must be at most " + std::to_string(steps_max) + " steps after start_time: ask for less or for wider steps");
  }
  start = Floor(start, width);
  end = Floor(end - absl::Nanoseconds(1), width) + width;
  return absl::OkStatus();
}

const std::vector<std::string>& MetricNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, source] : kMetrics) all.emplace_back(name);
    return all;
  }();
  return names;
}

MetricSource SourceOf(std::string_view metric) {
  for (const auto& [name, source] : kMetrics) {
    if (name == metric) return source;
  }
  return MetricSource::kActivities;
}

StatusOr<std::vector<Point>> QueryTimeseries(const Call& call, TimeseriesQuery query, int64_t steps_max,
                                             RollupStore& store) {
  const auto& names = MetricNames();
  if (std::find(names.begin(), names.end(), query.metric) == names.end()) {
    return InvalidField("metric", "METRIC_UNKNOWN", "must be one of the metrics");
  }
  const absl::Duration width = WidthOf(query.step);
  PARVIS_RETURN_IF_ERROR(WidenToSteps(query.start, query.end, width, steps_max));
  PARVIS_ASSIGN_OR_RETURN(const std::vector<Point> sums, store.Sum(call, query));
  std::vector<Point> points;
  auto sum = sums.begin();
  for (absl::Time at = query.start; at < query.end; at += width) {
    while (sum != sums.end() && sum->start < at) ++sum;
    points.push_back({at, sum != sums.end() && sum->start == at ? sum->value : 0});
  }
  return points;
}

}  // namespace parvis::metrics
