// The sandbox's one source of chance: everything that its audience and its faults do follows from the seed.
#pragma once

#include <cstdint>
#include <iterator>

#include "platform/base/splitmix64.h"

namespace parvis::sandbox {

class Rng : public SplitMix64 {
 public:
  using SplitMix64::SplitMix64;
  // 0 .. n-1; 0 when n is 0. The bias of the modulo is below 2^-40 for the sizes used here.
  uint64_t Below(uint64_t n) { return n == 0 ? 0 : Next() % n; }
  template <class List>
  const auto& Pick(const List& list) {
    return list[Below(std::size(list))];
  }
};

}  // namespace parvis::sandbox
