// The calls at hand: counted, measured, and ended when the gateway stops.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>

#include <grpcpp/support/status.h>

#include "gateway/transport/method_table.h"
#include "platform/base/clock.h"
#include "platform/obs/metrics.h"

namespace parvis::gateway {

class CallBook {
 public:
  CallBook(int streams_max, const Clock& clock, obs::Metrics& metrics);
  // `method` may be null (no such method).
  void Measure(const Method* method, std::string_view code, Instant began);
  // A call to a backend is at hand, until Leave; `cancel` is called when a stream must end, from any thread.
  // False: the gateway stops, or there are too many streams.
  bool Enter(const void* call, bool stream, std::function<void()> cancel);
  void Leave(const void* call);
  // No new streams; cancels those at hand.
  void EndStreams();
  // Waits until no call is at hand; false if that took too long.
  bool WaitIdle(absl::Duration limit);
  const Clock& clock() const { return clock_; }

 private:
  struct Entry {
    bool stream = false;
    std::function<void()> cancel;
  };
  const int streams_max_;
  const Clock& clock_;
  obs::Metrics& metrics_;
  obs::Gauge& streams_open_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::map<const void*, Entry> calls_;
  int streams_ = 0;
  bool stopping_ = false;
};

}  // namespace parvis::gateway
