// Waiting for a condition with a deadline, so that no test sleeps and hopes. For threads of the test; header only.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include <absl/time/clock.h>
#include <absl/time/time.h>

namespace parvis::testing {

// True as soon as `condition` is; false when it was still false at the deadline. Asks every few milliseconds.
inline bool WaitFor(const std::function<bool()>& condition, absl::Duration deadline = absl::Seconds(10)) {
  const absl::Time end = absl::Now() + deadline;
  std::mutex mutex;
  std::condition_variable never;
  while (!condition()) {
    if (absl::Now() >= end) return condition();
    std::unique_lock lock(mutex);
    never.wait_for(lock, std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace parvis::testing
