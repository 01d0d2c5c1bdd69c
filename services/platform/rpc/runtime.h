// What is behind rpc::Runtime: shared by unary.cc, stream.cc and server.cc; no one else includes it.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "platform/base/secret.h"
#include "platform/rpc/access.h"
#include "platform/rpc/fair_executor.h"
#include "platform/rpc/server.h"
#include "platform/rpc/tenants.h"

namespace parvis::rpc {

// A stream as its keeper sees it.
class OpenStream {
 public:
  virtual ~OpenStream() = default;
  virtual void EndWith(const Status& status) = 0;
  // Cancels the call when its reader has not taken a message for too long after the end was decided.
  virtual void CheckStall(Instant now) = 0;
};

// All open streams: their number is bounded, they end when the server stops, and those whose client neither reads nor
// leaves are cancelled by a thread that exists only once there has been a stream.
class StreamKeeper {
 public:
  StreamKeeper(int streams_max, int tenant_streams_max, const Clock& clock)
      : streams_max_(streams_max), tenant_streams_max_(tenant_streams_max), clock_(clock) {}
  ~StreamKeeper();
  bool Add(const std::shared_ptr<OpenStream>& stream);  // false: too many
  // Whose it is, known once its key has been checked; false: this tenant has too many.
  bool Assign(OpenStream* stream, TenantId tenant);
  void Remove(OpenStream* stream);
  void EndAll(const Status& status);
  int size() const;

 private:
  struct Entry {
    std::weak_ptr<OpenStream> stream;
    TenantId tenant = kUnknownTenant;
  };
  void Watch();
  std::vector<std::shared_ptr<OpenStream>> All() const;  // mutex_ held
  const int streams_max_, tenant_streams_max_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<OpenStream*, Entry> streams_;
  std::unordered_map<TenantId, int> of_tenant_;  // only tenants that have one
  bool stop_ = false;
  std::thread thread_;
};

// The series of parvis_rpc_server_duration_seconds, found by name once for every method and code: a look-up by labels
// in the registry costs as much as a small call. Thread-safe.
class Durations {
 public:
  explicit Durations(obs::Metrics& metrics) : metrics_(metrics) {}
  obs::Histogram& Of(std::string_view method, Code code);

 private:
  static constexpr size_t kCodes = 17;  // OK to UNAUTHENTICATED
  using OfMethod = std::array<std::atomic<obs::Histogram*>, kCodes>;
  obs::Histogram& Find(std::string_view method, Code code) const;
  OfMethod& SeriesOf(std::string_view method);

  obs::Metrics& metrics_;
  std::shared_mutex mutex_;
  std::map<std::string, OfMethod, std::less<>> methods_;  // those of our own protos: bounded
};

struct Runtime::Impl {
  Impl(std::string service, const ServerConfig& config, Authenticator& authenticator, const Clock& clock,
       obs::Metrics& metrics);

  // What is known before any check: deadline (capped) and trace. Cheap; on gRPC's thread.
  Call BeginCall(const grpc::CallbackServerContext& context, Instant now) const;
  // In whose lane the call waits: by what was learned of its key before. Cheap; on gRPC's thread.
  TenantId TenantFor(const grpc::CallbackServerContext& context);
  // Token, role, workspace. Blocks (a database, another service): on the executor. Learns whose key it is unless `lane`
  // (what TenantFor said) knew it, and tells who asks in the trailing metadata.
  Status Admit(grpc::CallbackServerContext& context, const char* method, const google::protobuf::Message& request,
               TenantId lane, Call& call);
  // Counts, logs, hides what an internal error would tell, and encodes.
  grpc::Status Conclude(const char* method, const Call& call, Instant began, const Status& status);
  Status Overloaded(FairExecutor::Taken taken) const;

  const std::string service;
  const std::string domain;
  const ServerConfig config;
  Authenticator& authenticator;
  const Clock& clock;
  obs::Metrics& metrics;
  Status key_status;  // why the service key could not be read; the server then does not start
  Secret service_key;
  AccessTable access;
  Tenants tenants;
  const TenantId services_tenant = TenantIdOf("services");  // other services' calls share one lane
  Durations durations;
  obs::Gauge& queued;
  obs::Gauge& streams_open;
  StreamKeeper streams;
  FairExecutor executor;  // last: its tasks use all of the above

 private:
  StatusOr<Principal> Authenticate(std::string_view header);
};

// Runs `body`, turning what it throws into INTERNAL UNCAUGHT_EXCEPTION.
template <class Body>
Status Guarded(Body body) {
  try {
    return body();
  } catch (const std::exception& e) {
    return MakeError(Code::kInternal, "UNCAUGHT_EXCEPTION", e.what());
  } catch (...) {
    return MakeError(Code::kInternal, "UNCAUGHT_EXCEPTION", "an exception of unknown type");
  }
}

}  // namespace parvis::rpc
