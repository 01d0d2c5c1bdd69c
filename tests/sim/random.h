// The one source of chance of a simulation: everything that happens follows from its seed.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include <absl/time/time.h>

#include "platform/base/splitmix64.h"

namespace parvis::sim {

class Random : public SplitMix64 {
 public:
  using SplitMix64::SplitMix64;
  int Below(int n) { return static_cast<int>(Next() % static_cast<uint64_t>(n)); }
  int Between(int low, int high) { return low + Below(high - low + 1); }
  absl::Duration Between(absl::Duration low, absl::Duration high) {
    const int64_t from = absl::ToInt64Microseconds(low), to = absl::ToInt64Microseconds(high);
    return absl::Microseconds(from + static_cast<int64_t>(Next() % static_cast<uint64_t>(to - from + 1)));
  }
  // Exponential: mostly short, sometimes many times the mean.
  absl::Duration Around(absl::Duration mean) {
    const double factor = -std::log(1.0 - Unit());
    return absl::Microseconds(1 + static_cast<int64_t>(static_cast<double>(absl::ToInt64Microseconds(mean)) * factor));
  }
  template <class T>
  T& Of(std::vector<T>& items) {
    return items[static_cast<size_t>(Below(static_cast<int>(items.size())))];
  }
};

}  // namespace parvis::sim
