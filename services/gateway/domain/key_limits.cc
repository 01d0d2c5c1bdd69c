#include "gateway/domain/key_limits.h"

#include <algorithm>

namespace parvis::gateway {

std::optional<absl::Duration> KeyLimits::Take(uint64_t key_hash, Instant now) {
  std::lock_guard lock(mutex_);
  const auto [it, added] = buckets_.try_emplace(key_hash);
  Bucket& bucket = it->second;
  if (added) {
    bucket.tokens = config_.burst;
    bucket.place = order_.insert(order_.end(), key_hash);
    if (static_cast<int>(buckets_.size()) > config_.keys_max) {
      buckets_.erase(order_.front());
      order_.pop_front();
    }
  } else {
    const double seconds = absl::ToDoubleSeconds(now - bucket.filled_at);
    bucket.tokens = std::min(config_.burst, bucket.tokens + std::max(0.0, seconds) * config_.per_second);
    order_.splice(order_.end(), order_, bucket.place);
  }
  bucket.filled_at = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  return absl::Seconds((1 - bucket.tokens) / config_.per_second);
}

int KeyLimits::keys() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(buckets_.size());
}

}  // namespace parvis::gateway
