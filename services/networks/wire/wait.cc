#include "networks/wire/wait.h"

#include <condition_variable>
#include <mutex>

namespace parvis::networks {

bool Pause(const Call& call, const Clock& clock, absl::Duration pause) {
  const Instant end = clock.Now() + pause;
  if (call.deadline <= end) return false;
  std::mutex mutex;
  std::condition_variable nobody;  // spurious wake-ups only
  std::unique_lock lock(mutex);
  for (absl::Duration left = end - clock.Now(); left > absl::ZeroDuration(); left = end - clock.Now()) {
    nobody.wait_for(lock, absl::ToChronoNanoseconds(left));
  }
  return true;
}

}  // namespace parvis::networks
