// Cancellation: ends what is done for a call before its deadline, because who asked for it stops. Whoever waits or calls on
// behalf of the call looks at it; nothing is interrupted by force.
#pragma once

#include <condition_variable>
#include <mutex>

#include <absl/time/time.h>

namespace parvis {

// Thread-safe. Once cancelled it stays so.
class Cancellation {
 public:
  void Cancel();
  bool cancelled() const;
  // Blocks until it is cancelled, at most for `limit` of the real clock; whether it is.
  bool Wait(absl::Duration limit) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable wake_;
  bool cancelled_ = false;
};

}  // namespace parvis
