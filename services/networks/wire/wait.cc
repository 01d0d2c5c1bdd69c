#include "networks/wire/wait.h"

namespace parvis::networks {

bool WaitWithin(const Call& call, const Clock& clock, absl::Duration pause, absl::Duration reserve) {
  if (call.Remaining(clock) <= pause + reserve) return false;
  const Cancellation nobody_cancels;
  return !(call.cancellation != nullptr ? *call.cancellation : nobody_cancels).Wait(pause);
}

}  // namespace parvis::networks
