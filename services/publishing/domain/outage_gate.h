// When a channel's network is down, everything that is due would be tried again and again, each delivery by its own
// schedule: calls that cannot succeed, and a herd when it comes back. The gate lets one call through as a probe, at
// growing intervals, until one gets an answer. Not thread-safe: belongs to the deliverer's thread.
#pragma once

#include <algorithm>
#include <cmath>

#include "platform/base/clock.h"
#include "publishing/domain/network_writer.h"

namespace parvis::publishing {

class OutageGate {
 public:
  static constexpr int kFailures = 3;  // in a row, of any deliveries, before the network is taken for down

  // A call has ended. `jitter` in [0, 1): waits are never shorter than half the step (as of a single delivery's).
  void Observe(const WriteOutcome& outcome, Instant now, double jitter, absl::Duration initial, absl::Duration max) {
    const bool answered = outcome.result == WriteResult::kAccepted ||
                          (outcome.result == WriteResult::kRefused && outcome.refusal != Refusal::kTransient);
    if (answered) {
      failures_ = 0;
      until_ = Instant{0};
      return;
    }
    // Calls that were under way together tell the same once: the gate is closed by then.
    if (now < until_) return;
    if (++failures_ < kFailures) return;
    const double factor = std::pow(2.0, std::min(failures_ - kFailures, 20));
    until_ = now + std::min(max, initial * factor) * (0.5 + 0.5 * jitter);
  }
  // One call at a time, as a probe.
  bool Doubtful() const { return failures_ >= kFailures; }
  // Worth being kept although nothing of the channel is held: a probe will be due soon.
  bool Remembered(Instant now) const { return Doubtful() && now < until_ + absl::Minutes(1); }
  absl::Duration WaitNow(Instant now) const { return now < until_ ? until_ - now : absl::ZeroDuration(); }

 private:
  int failures_ = 0;
  Instant until_{0};
};

}  // namespace parvis::publishing
