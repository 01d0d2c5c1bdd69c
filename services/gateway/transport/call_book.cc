#include "gateway/transport/call_book.h"

#include <vector>

namespace parvis::gateway {

CallBook::CallBook(int streams_max, const Clock& clock, obs::Metrics& metrics)
    : streams_max_(streams_max),
      clock_(clock),
      metrics_(metrics),
      streams_open_(metrics.gauge("parvis_gateway_streams", "Server streams that are open.")) {}

void CallBook::Measure(const Method* method, std::string_view code, Instant began) {
  metrics_
      .histogram("parvis_gateway_call_duration_seconds",
                 "Time from a call's arrival to its answer (a stream: its end).",
                 {{"service", method == nullptr ? "none" : method->service},
                  {"method", method == nullptr ? "none" : method->name},
                  {"code", std::string(code)}})
      .Observe(absl::ToDoubleSeconds(clock_.Now() - began));
}

bool CallBook::Enter(const void* call, bool stream, std::function<void()> cancel) {
  std::lock_guard lock(mutex_);
  if (stream && (stopping_ || streams_ >= streams_max_)) return false;
  streams_ += stream ? 1 : 0;
  streams_open_.Set(streams_);
  calls_[call] = {stream, std::move(cancel)};
  return true;
}

void CallBook::Leave(const void* call) {
  Entry entry;
  {
    std::lock_guard lock(mutex_);
    const auto it = calls_.find(call);
    if (it == calls_.end()) return;
    streams_ -= it->second.stream ? 1 : 0;
    streams_open_.Set(streams_);
    entry = std::move(it->second);  // destroyed outside the lock: it may hold the last reference to the call
    calls_.erase(it);
    if (calls_.empty()) idle_.notify_all();
  }
}

void CallBook::EndStreams() {
  std::vector<std::function<void()>> cancels;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [call, entry] : calls_) {
      if (entry.stream) cancels.push_back(entry.cancel);
    }
  }
  for (const auto& cancel : cancels) cancel();
}

bool CallBook::WaitIdle(absl::Duration limit) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, absl::ToChronoNanoseconds(limit), [this] { return calls_.empty(); });
}

}  // namespace parvis::gateway
