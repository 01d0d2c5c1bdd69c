#include "gateway/transport/call_book.h"

#include <vector>

namespace parvis::gateway {

CallBook::CallBook(int streams_max, int streams_per_key_max, const Clock& clock, obs::Metrics& metrics)
    : streams_max_(streams_max),
      streams_per_key_max_(streams_per_key_max),
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

void CallBook::EnterUnary(const void* call) {
  std::lock_guard lock(mutex_);
  calls_[call] = {};
}

CallBook::Room CallBook::EnterStream(const void* call, uint64_t key, std::function<void()> cancel) {
  std::lock_guard lock(mutex_);
  if (stopping_ || streams_ >= streams_max_) return Room::kFull;
  const auto of_key = streams_of_key_.find(key);
  if (of_key != streams_of_key_.end() && of_key->second >= streams_per_key_max_) return Room::kKeyFull;
  ++streams_of_key_[key];
  streams_open_.Set(++streams_);
  calls_[call] = {/*stream=*/true, key, std::move(cancel)};
  return Room::kEntered;
}

void CallBook::Leave(const void* call) {
  Entry entry;
  {
    std::lock_guard lock(mutex_);
    const auto it = calls_.find(call);
    if (it == calls_.end()) return;
    if (it->second.stream) {
      streams_open_.Set(--streams_);
      const auto of_key = streams_of_key_.find(it->second.key);
      if (--of_key->second == 0) streams_of_key_.erase(of_key);
    }
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
