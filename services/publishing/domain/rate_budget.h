// What one channel may still send to one of its network's budgets (NetworkWriter::BudgetOf), by the network's own headers.
// In the memory of the shard's owner only: no two replicas ever share a budget. Not thread-safe: belongs to the deliverer's
// thread.
#pragma once

#include <optional>

#include "platform/base/clock.h"
#include "publishing/domain/network_writer.h"

namespace parvis::publishing {

class RateBudget {
 public:
  // Learns from an answer. Retry-After is authoritative; else a window that is used up blocks until it ends. `limited`:
  // the call was refused for the rate. Waits are capped by `wait_max`.
  void Observe(const RateSignal& signal, bool limited, Instant now, absl::Duration default_wait, absl::Duration wait_max);
  // How long until a call may start; zero when now.
  absl::Duration WaitNow(Instant now) const;
  // A call starts: one less remains in the known window.
  void Take(Instant now);
  // The call that was taken for did not reach the network after all.
  void GiveBack(Instant now);
  // Nothing that is known holds any more: forgetting it changes nothing.
  bool Over(Instant now) const { return now >= blocked_until_ && now >= window_end_; }

 private:
  Instant blocked_until_{0};
  std::optional<int> remaining_;
  Instant window_end_{0};
};

}  // namespace parvis::publishing
