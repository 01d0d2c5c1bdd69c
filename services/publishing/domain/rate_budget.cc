#include "publishing/domain/rate_budget.h"

#include <algorithm>

namespace parvis::publishing {

void RateBudget::Observe(const RateSignal& signal, bool limited, Instant now, absl::Duration default_wait,
                         absl::Duration wait_max) {
  if (signal.remaining && signal.reset_in) {
    const Instant end = now + std::clamp(*signal.reset_in, absl::ZeroDuration(), wait_max);
    // Answers overtake each other: inside one window the lowest count is the latest.
    const bool same_window = remaining_ && now < window_end_ && end - window_end_ < absl::Seconds(2);
    remaining_ = same_window ? std::min(*remaining_, *signal.remaining) : *signal.remaining;
    window_end_ = end;
  }
  if (signal.retry_after || limited) {
    const absl::Duration wait = signal.retry_after.value_or(signal.reset_in.value_or(default_wait));
    blocked_until_ = std::max(blocked_until_, now + std::clamp(wait, absl::ZeroDuration(), wait_max));
  }
}

absl::Duration RateBudget::WaitNow(Instant now) const {
  if (now < blocked_until_) return blocked_until_ - now;
  if (remaining_ && *remaining_ <= 0 && now < window_end_) return window_end_ - now;
  return absl::ZeroDuration();
}

void RateBudget::Take(Instant now) {
  if (remaining_ && now < window_end_) --*remaining_;
  if (now >= window_end_) remaining_.reset();
}

void RateBudget::GiveBack(Instant now) {
  if (remaining_ && now < window_end_) ++*remaining_;
}

}  // namespace parvis::publishing
