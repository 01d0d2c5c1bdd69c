// How often one key may call: a token bucket per key, for a bounded number of keys.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>

#include <absl/time/time.h>

#include "platform/base/clock.h"

namespace parvis::gateway {

struct KeyLimitsConfig {
  double per_second = 100;  // refill, calls a second
  double burst = 200;       // a bucket's size, calls
  int keys_max = 100000;    // keys remembered
};

// Thread-safe. When keys_max is reached the key unused for longest is forgotten: its bucket had the longest time to
// fill up, so forgetting forgives little.
class KeyLimits {
 public:
  explicit KeyLimits(const KeyLimitsConfig& config) : config_(config) {}
  // Takes one call from the key's bucket; nothing, or how long to wait until the next is there.
  std::optional<absl::Duration> Take(uint64_t key_hash, Instant now);
  int keys() const;

 private:
  struct Bucket {
    double tokens = 0;
    Instant filled_at;
    std::list<uint64_t>::iterator place;
  };
  const KeyLimitsConfig config_;
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, Bucket> buckets_;
  std::list<uint64_t> order_;  // unused for longest first
};

}  // namespace parvis::gateway
