#include "platform/base/backoff.h"

#include <algorithm>

namespace parvis {

Backoff::Backoff(const Options& options, uint64_t seed) : options_(options), random_(seed) {}
Backoff::Backoff(const Options& options) : Backoff(options, std::random_device{}()) {}

bool Backoff::Exhausted() const { return options_.attempts_max > 0 && attempts_ >= options_.attempts_max; }

absl::Duration Backoff::Next() {
  const int doublings = std::min(attempts_++, 30);
  const absl::Duration ceiling = std::min(options_.max, options_.initial * (int64_t{1} << doublings));
  const double share = std::uniform_real_distribution<double>(0, 1)(random_);
  return std::max(options_.floor, ceiling * share);
}

void Backoff::Reset() { attempts_ = 0; }

void RetryBudget::OnFirstTry() {
  const std::lock_guard lock(mutex_);
  tokens_ = std::min(burst_, tokens_ + ratio_);
}

bool RetryBudget::TakeRetry() {
  const std::lock_guard lock(mutex_);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

}  // namespace parvis
