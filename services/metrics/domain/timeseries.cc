#include "metrics/domain/timeseries.h"

#include <algorithm>

namespace parvis::metrics {
namespace {

absl::Duration Width(Step step) {
  switch (step) {
    case Step::kMinute: return absl::Minutes(1);
    case Step::kHour: return absl::Hours(1);
    case Step::kDay: return absl::Hours(24);
  }
  return absl::Hours(1);
}

// Steps are those of UTC, which has no summer time: plain division.
absl::Time Floor(absl::Time time, absl::Duration width) {
  return absl::UnixEpoch() + absl::Floor(time - absl::UnixEpoch(), width);
}

}  // namespace

const std::vector<std::string>& MetricNames() {
  static const std::vector<std::string> names = {
      "comments", "mentions", "messages", "reactions", "edits", "removals", "comments_held", "comments_hidden",
      "comments_deleted", "comments_escalated", "comments_question", "comments_complaint", "posts_delivered",
      "posts_failed", "posts_unknown", "replies_delivered", "replies_failed", "replies_unknown", "hides_delivered",
      "conversations_created", "conversations_resolved", "conversations_reopened", "replies_written", "cases_opened",
      "cases_escalated", "cases_resolved"};
  return names;
}

StatusOr<std::vector<Point>> QueryTimeseries(const Call& call, TimeseriesQuery query, int64_t steps_max, RollupStore& store) {
  const auto& names = MetricNames();
  if (std::find(names.begin(), names.end(), query.metric) == names.end()) {
    return InvalidField("metric", "METRIC_UNKNOWN", "must be one of the metrics");
  }
  if (query.end <= query.start) return InvalidField("end_time", "TIME_RANGE", "must be after start_time");
  const absl::Duration width = Width(query.step);
  if ((query.end - query.start) / width > static_cast<double>(steps_max)) {
    return InvalidField("end_time", "TOO_MANY_STEPS", "must be at most " + std::to_string(steps_max) +
                        " steps after start_time: ask for less or for wider steps");
  }
  query.start = Floor(query.start, width);
  const absl::Time last = Floor(query.end - absl::Nanoseconds(1), width);
  query.end = last + width;
  PARVIS_ASSIGN_OR_RETURN(const std::vector<Point> sums, store.Sum(call, query));
  std::vector<Point> points;
  auto sum = sums.begin();
  for (absl::Time at = query.start; at <= last; at += width) {
    while (sum != sums.end() && sum->start < at) ++sum;
    points.push_back({at, sum != sums.end() && sum->start == at ? sum->value : 0});
  }
  return points;
}

}  // namespace parvis::metrics
