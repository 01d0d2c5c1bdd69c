#include "networks/wire/wait.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace parvis::networks {

bool WaitWithin(const Call& call, const Clock& clock, absl::Duration pause, absl::Duration reserve) {
  if (call.Remaining(clock) <= pause + reserve) return false;
  std::mutex mutex;
  std::condition_variable nobody_wakes_us;
  std::unique_lock lock(mutex);
  nobody_wakes_us.wait_for(lock, absl::ToChronoNanoseconds(pause), [] { return false; });
  return true;
}

}  // namespace parvis::networks
