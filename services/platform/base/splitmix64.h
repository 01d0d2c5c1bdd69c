// SplitMix64: random numbers that are the same everywhere for the same seed, as the engines' seeding and the
// distributions of the standard library are not. Not for secrets.
#pragma once

#include <cstdint>

namespace parvis {

// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. Not thread-safe.
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }  // [0, 1)
  bool Chance(double p) { return p > 0 && Unit() < p; }

 private:
  uint64_t state_;
};

}  // namespace parvis
