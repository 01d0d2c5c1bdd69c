// Use case: one metric over time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "platform/base/call.h"
#include "platform/base/error.h"

namespace parvis::metrics {

enum class Step { kMinute, kHour, kDay };
absl::Duration WidthOf(Step step);
// Moves both to the steps of UTC around them. INVALID_ARGUMENT TIME_RANGE, TOO_MANY_STEPS, as QueryTimeseries.
Status WidenToSteps(absl::Time& start, absl::Time& end, absl::Duration width, int64_t steps_max);

// Names of all metrics, as in the proto's enum without prefix, lower case ("comments_hidden").
const std::vector<std::string>& MetricNames();

// What a metric counts: facts of one kind (facts.h).
enum class MetricSource { kActivities, kDeliveries, kConversations };
// `metric` is one of MetricNames().
MetricSource SourceOf(std::string_view metric);

struct TimeseriesQuery {
  std::string metric;
  std::string channel_id;   // "" for all
  std::string campaign_id;  // "" for all; else its deliveries, and what hangs below its delivered posts
  absl::Time start, end;
  Step step = Step::kHour;
};
struct Point {
  absl::Time start;
  int64_t value = 0;
  bool operator==(const Point&) const = default;
};

// Port: sums of steps.
class RollupStore {
 public:
  virtual ~RollupStore() = default;
  // The steps of [query.start, query.end) that have a value, in order; both bounds lie on steps.
  virtual StatusOr<std::vector<Point>> Sum(const Call& call, const TimeseriesQuery& query) = 0;
};

// Every step from the one that `start` lies in, until `end`, zeros included. INVALID_ARGUMENT: METRIC_UNKNOWN,
// TIME_RANGE (end not after start), TOO_MANY_STEPS (more than steps_max).
StatusOr<std::vector<Point>> QueryTimeseries(const Call& call, TimeseriesQuery query, int64_t steps_max,
                                             RollupStore& store);

}  // namespace parvis::metrics
