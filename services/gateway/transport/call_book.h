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
#include "platform/obs/degraded.h"
#include "platform/obs/metrics.h"
#include "platform/rpc/tenants.h"

namespace parvis::gateway {

class CallBook {
 public:
  // How much may be at hand at once: all together, of one tenant, of one key.
  struct Limits {
    int calls_max = 1000, calls_per_tenant_max = 100;
    int streams_max = 1000, streams_per_tenant_max = 300, streams_per_key_max = 50;
    int keys_max = 100000;  // whose tenant is remembered
  };
  CallBook(const Limits& limits, const Clock& clock, obs::Metrics& metrics);
  // `method` may be null (no such method).
  void Measure(const Method* method, std::string_view code, Instant began);
  // A call to a backend is at hand, until Leave; unless kEntered, there is no Leave to come.
  enum class Room { kEntered, kFull, kTenantFull, kKeyFull };
  Room EnterUnary(const void* call, uint64_t tenant);
  // The same for a stream; `cancel` is called when it must end, from any thread. kFull also when the gateway stops.
  Room EnterStream(const void* call, uint64_t tenant, uint64_t key, std::function<void()> cancel);
  void Leave(const void* call);
  // No new streams; cancels those at hand.
  void EndStreams();
  // Waits until no call is at hand; false if that took too long.
  bool WaitIdle(absl::Duration limit);
  // A backend's answer of a call to `package`; a refusal of ours for want of room.
  void NoteBackend(const grpc::Status& status, const std::string& package);
  void NoteShed(std::string_view reason) { metrics_.degraded().Note(obs::Mode::kCallsShed, reason); }
  rpc::Tenants& tenants() { return tenants_; }

 private:
  struct Entry {
    bool stream = false;
    uint64_t tenant = 0;
    uint64_t key = 0;  // of a stream
    std::function<void()> cancel;
  };
  // How many one has; only those that have some.
  class Counts {
   public:
    bool Full(uint64_t whose, int max) const {
      const auto it = counts_.find(whose);
      return it != counts_.end() && it->second >= max;
    }
    void Add(uint64_t whose) { ++counts_[whose]; }
    void Remove(uint64_t whose) {
      const auto it = counts_.find(whose);
      if (--it->second == 0) counts_.erase(it);
    }

   private:
    std::unordered_map<uint64_t, int> counts_;
  };
  const Limits limits_;
  const Clock& clock_;
  obs::Metrics& metrics_;
  obs::Gauge& streams_open_;
  obs::Gauge& calls_open_;
  rpc::Tenants tenants_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::map<const void*, Entry> calls_;
  int streams_ = 0, unary_ = 0;
  Counts unary_of_tenant_, streams_of_tenant_, streams_of_key_;
  bool stopping_ = false;
};

}  // namespace parvis::gateway
