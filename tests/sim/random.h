// The one source of chance of a simulation: everything that happens follows from its seed.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include <absl/time/time.h>

namespace parvis::sim {

// splitmix64 (Steele, Lea, Flood 2014). Own arithmetic, so that a seed means the same with every standard library.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  double Unit() { return static_cast<double>(Next() >> 11) / static_cast<double>(1ULL << 53); }  // [0, 1)
  bool Chance(double p) { return p > 0 && Unit() < p; }
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

 private:
  uint64_t state_;
};

}  // namespace parvis::sim
