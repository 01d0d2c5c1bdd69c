// Runs things later: answers that a fault delays.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "platform/base/clock.h"

namespace parvis::sandbox {

class Later {
 public:
  Later(const Clock& clock, int waiting_max);
  ~Later();  // Stop()
  // Runs `task` on the thread of this object after `delay`; at once, on the caller's, when too much waits already or
  // after Stop.
  void Run(absl::Duration delay, std::function<void()> task);
  void Stop();  // what still waits is run now

 private:
  void Work();
  const Clock& clock_;
  const int waiting_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::multimap<Instant, std::function<void()>> waiting_;
  std::thread thread_;
};

}  // namespace parvis::sandbox
