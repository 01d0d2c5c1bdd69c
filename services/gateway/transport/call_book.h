// The calls at hand: counted, measured, and ended when the gateway stops.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <unordered_map>

#include <grpcpp/support/status.h>

#include "gateway/transport/method_table.h"
#include "platform/base/clock.h"
#include "platform/obs/metrics.h"

namespace parvis::gateway {

class CallBook {
 public:
  CallBook(int streams_max, int streams_per_key_max, const Clock& clock, obs::Metrics& metrics);
  // `method` may be null (no such method).
  void Measure(const Method* method, std::string_view code, Instant began);
  // A call to a backend is at hand, until Leave.
  void EnterUnary(const void* call);
  // The same for a stream of the key with this hash; `cancel` is called when it must end, from any thread. Unless
  // kEntered, there is no Leave to come. kFull also when the gateway stops.
  enum class Room { kEntered, kFull, kKeyFull };
  Room EnterStream(const void* call, uint64_t key, std::function<void()> cancel);
  void Leave(const void* call);
  // No new streams; cancels those at hand.
  void EndStreams();
  // Waits until no call is at hand; false if that took too long.
  bool WaitIdle(absl::Duration limit);
  const Clock& clock() const { return clock_; }

 private:
  struct Entry {
    bool stream = false;
    uint64_t key = 0;  // of a stream
    std::function<void()> cancel;
  };
  const int streams_max_, streams_per_key_max_;
  const Clock& clock_;
  obs::Metrics& metrics_;
  obs::Gauge& streams_open_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::map<const void*, Entry> calls_;
  int streams_ = 0;
  std::unordered_map<uint64_t, int> streams_of_key_;  // only keys that have one
  bool stopping_ = false;
};

}  // namespace parvis::gateway
