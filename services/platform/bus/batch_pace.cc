#include "platform/bus/batch_pace.h"

#include <algorithm>
#include <cstdint>

namespace parvis::bus {
namespace {

constexpr int kAskMillis = 200;

}  // namespace

absl::Duration Stretched(absl::Duration wait, absl::Duration most, size_t owned, size_t all) {
  if (owned == 0 || all <= owned) return wait;
  return std::max(wait, std::min(most, wait * static_cast<int64_t>(all) / static_cast<int64_t>(owned)));
}

void BatchPace::Update(rd_kafka_t* rk, const std::vector<std::string>& topics, size_t owned) {
  if (owned == owned_) return;
  size_t all = 0;
  for (const std::string& topic : topics) {
    const auto numbers = PartitionsOf(rk, topic, kAskMillis);
    if (!numbers.ok()) return;
    all += numbers->size();
  }
  owned_ = owned;
  apart_ = Stretched(wait_, most_, owned, all);
}

}  // namespace parvis::bus
