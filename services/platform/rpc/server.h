// The gRPC server: callback API, health per service, reflection, drain. Handlers run on one bounded executor (see
// unary.h); gRPC's own threads are never blocked.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/app/config.h"
#include "platform/base/call.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"
#include "platform/base/secret.h"
#include "platform/obs/metrics.h"

namespace grpc {
class Service;
}

namespace parvis::rpc {

struct ServerConfig {
  std::string address = "127.0.0.1:0";
  int threads = 8;                                  // executor
  int queue_max = 256;                              // calls waiting; beyond: RESOURCE_EXHAUSTED OVERLOADED
  absl::Duration deadline_max = absl::Seconds(30);  // cap; also given to calls without a deadline
  int message_max_bytes = 4 << 20;
  int streams_max = 1000;                           // open server streams
  bool reflection = true;
  std::string service_key_file;                     // shared secret of the short-lived tokens between services
  void Declare(app::Options& o, std::string_view prefix = "rpc_");
};

// Port: who does this bearer token belong to? Called on the executor. Implementations: AccountsAuthenticator
// (authenticator.h, with a cache of at most 30 s); accounts itself looks into its own store.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // UNAUTHENTICATED TOKEN_UNKNOWN / TOKEN_REVOKED / TOKEN_EXPIRED.
  virtual StatusOr<Principal> Authenticate(const std::string& token) = 0;
};

// What the Unary and Stream adapters need. Outlives the server. Checks, in this order: bearer token (service tokens are
// verified here, all others go to the Authenticator), the method's declared role, and that the workspace named by the
// request's `parent`, `name` or resource's `name` ("workspaces/{w}/...") is the principal's. Service principals may
// name any workspace.
class Runtime {
 public:
  Runtime(std::string service, const ServerConfig& config, Authenticator& authenticator, const Clock& clock,
          obs::Metrics& metrics);
  ~Runtime();
  struct Impl;
  Impl& impl() { return *impl_; }
  // For graceful stop: runs what is queued.
  void StopExecutor();

 private:
  std::unique_ptr<Impl> impl_;
};

class Server {
 public:
  // `services` are owned by the caller and outlive the server.
  Server(const ServerConfig& config, std::vector<grpc::Service*> services);
  ~Server();
  Status Start();                       // UNAVAILABLE ADDRESS_IN_USE
  void Stop(absl::Duration limit);      // health NOT_SERVING, no new calls, in-flight calls finish within `limit`
  std::string address() const;          // "127.0.0.1:43210", after Start

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::rpc
