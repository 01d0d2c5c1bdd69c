#include "gateway/transport/call_book.h"

#include <vector>

namespace parvis::gateway {

CallBook::CallBook(const Limits& limits, const Clock& clock, obs::Metrics& metrics)
    : limits_(limits),
      clock_(clock),
      metrics_(metrics),
      streams_open_(metrics.gauge("parvis_gateway_streams", "Server streams that are open.")),
      calls_open_(metrics.gauge("parvis_gateway_calls", "Calls that wait for their backend's answer.")),
      tenants_(limits.keys_max) {
  metrics.degraded().Declare(obs::Mode::kCallsShed);
  metrics.degraded().Declare(obs::Mode::kBackendAway);
}

void CallBook::NoteBackend(const grpc::Status& status, const std::string& package) {
  // Without details it is gRPC's own word: the service was not reached.
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE || !status.error_details().empty()) return;
  metrics_.degraded().Note(obs::Mode::kBackendAway, package);
}

void CallBook::Measure(const Method* method, std::string_view code, Instant began) {
  metrics_
      .histogram("parvis_gateway_call_duration_seconds",
                 "Time from a call's arrival to its answer (a stream: its end).",
                 {{"service", method == nullptr ? "none" : method->service},
                  {"method", method == nullptr ? "none" : method->name},
                  {"code", std::string(code)}})
      .Observe(absl::ToDoubleSeconds(clock_.Now() - began));
}

CallBook::Room CallBook::EnterUnary(const void* call, uint64_t tenant) {
  std::lock_guard lock(mutex_);
  if (unary_ >= limits_.calls_max) return Room::kFull;
  if (unary_of_tenant_.Full(tenant, limits_.calls_per_tenant_max)) return Room::kTenantFull;
  unary_of_tenant_.Add(tenant);
  calls_open_.Set(++unary_);
  calls_[call] = {/*stream=*/false, tenant, 0, {}};
  return Room::kEntered;
}

CallBook::Room CallBook::EnterStream(const void* call, uint64_t tenant, uint64_t key, std::function<void()> cancel) {
  std::lock_guard lock(mutex_);
  if (stopping_ || streams_ >= limits_.streams_max) return Room::kFull;
  if (streams_of_tenant_.Full(tenant, limits_.streams_per_tenant_max)) return Room::kTenantFull;
  if (streams_of_key_.Full(key, limits_.streams_per_key_max)) return Room::kKeyFull;
  streams_of_tenant_.Add(tenant);
  streams_of_key_.Add(key);
  streams_open_.Set(++streams_);
  calls_[call] = {/*stream=*/true, tenant, key, std::move(cancel)};
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
      streams_of_tenant_.Remove(it->second.tenant);
      streams_of_key_.Remove(it->second.key);
    } else {
      calls_open_.Set(--unary_);
      unary_of_tenant_.Remove(it->second.tenant);
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
