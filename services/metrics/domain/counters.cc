#include "metrics/domain/counters.h"

namespace parvis::metrics {
namespace {

// The changes as levels, one for each step.
std::vector<Point> Levels(const std::vector<Point>& changes, const CounterQuery::Range& range, absl::Duration width) {
  std::vector<Point> levels;
  int64_t level = 0;
  auto change = changes.begin();
  for (absl::Time at = range.start; at < range.end; at += width) {
    for (; change != changes.end() && change->start <= at; ++change) level += change->value;
    levels.push_back({at, level});
  }
  return levels;
}

Status Check(const CounterQuery& query) {
  std::vector<Violation> violations;
  if (query.subject == CounterSubject::kChannels) {
    if (!query.campaign_id.empty()) {
      violations.push_back({"campaign", "channels belong to no campaign: leave it empty", "NOT_POSSIBLE"});
    }
    if (!query.post_remote_id.empty()) {
      violations.push_back({"post_remote_id", "is of a post: ask for COUNTER_SUBJECT_POSTS", "NOT_POSSIBLE"});
    }
  } else if (!query.post_remote_id.empty() && query.channel_id.empty()) {
    violations.push_back({"channel", "must be set with post_remote_id", "CHANNEL_MISSING"});
  }
  if (query.range && query.range->step == Step::kMinute) {
    violations.push_back({"step", "must be STEP_HOUR or STEP_DAY", "STEP_UNKNOWN"});
  }
  return violations.empty() ? absl::OkStatus() : InvalidFields(std::move(violations));
}

}  // namespace

StatusOr<std::vector<CounterSeries>> QueryCounters(const Call& call, CounterQuery query, int64_t steps_max,
                                                   CounterStore& store) {
  PARVIS_RETURN_IF_ERROR(Check(query));
  absl::Duration width;
  if (query.range) {
    width = WidthOf(query.range->step);
    PARVIS_RETURN_IF_ERROR(WidenToSteps(query.range->start, query.range->end, width, steps_max));
  }
  PARVIS_ASSIGN_OR_RETURN(std::vector<CounterSeries> series, store.Counters(call, query));
  for (CounterSeries& one : series) {
    if (query.range) one.points = Levels(one.points, *query.range, width);
  }
  return series;
}

}  // namespace parvis::metrics
