// Use case: what the networks count of our posts and channels, now and over time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "metrics/domain/timeseries.h"
#include "platform/base/call.h"
#include "platform/base/error.h"

namespace parvis::metrics {

enum class CounterSubject { kPosts, kChannels };

struct CounterQuery {
  CounterSubject subject = CounterSubject::kPosts;
  std::string channel_id;      // "" for all
  std::string campaign_id;     // "" for all; else its delivered posts
  std::string post_remote_id;  // "" for all; else a post of the channel
  struct Range {
    absl::Time start, end;
    Step step = Step::kHour;  // an hour or a day
  };
  std::optional<Range> range;  // unset: the latest values only
};

// One counter of one network, added up over the subjects that were asked for.
struct CounterSeries {
  std::string network, counter;
  int64_t value = 0;     // the latest values
  int64_t subjects = 0;  // how many have it
  absl::Time measured;   // when the latest of them was read
  std::vector<Point> points;
  bool operator==(const CounterSeries&) const = default;
};

// Port.
class CounterStore {
 public:
  virtual ~CounterStore() = default;
  // By network and counter. The points are by how much the sum has changed within a step, in order, unchanged ones left
  // out; the first (at InfinitePast) is what it stood at when the range began, if that is not 0. All of one moment.
  virtual StatusOr<std::vector<CounterSeries>> Counters(const Call& call, const CounterQuery& query) = 0;
};

// The points are what each counter stood at when each step ended, every step included. INVALID_ARGUMENT: TIME_RANGE,
// TOO_MANY_STEPS (as QueryTimeseries), STEP_UNKNOWN (a minute), NOT_POSSIBLE (a campaign or post of channels),
// CHANNEL_MISSING (a post without channel).
StatusOr<std::vector<CounterSeries>> QueryCounters(const Call& call, CounterQuery query, int64_t steps_max,
                                                   CounterStore& store);

}  // namespace parvis::metrics
