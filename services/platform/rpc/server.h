// The gRPC server: callback API, health per service, reflection, drain. Handlers run on one bounded executor (see
// unary.h); gRPC's own threads are never blocked.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/app/config.h"
#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/secret.h"
#include "platform/obs/metrics.h"
#include "platform/rpc/tls.h"

namespace grpc {
class Service;
}

namespace parvis::rpc {

struct ServerConfig {
  std::string address = "127.0.0.1:0";
  int threads = 8;                                  // executor
  int queue_max = 256;                              // calls waiting; beyond: RESOURCE_EXHAUSTED OVERLOADED
  // What one tenant (a workspace; keys not seen before together count as one) may have of these, so that the others
  // always find some; beyond: RESOURCE_EXHAUSTED TENANT_OVERLOADED, TOO_MANY_STREAMS_OF_TENANT.
  int tenant_threads_max = 6;
  int tenant_queue_max = 128;
  int tenant_streams_max = 300;
  absl::Duration deadline_max = absl::Seconds(30);  // cap; also given to calls without a deadline
  int message_max_bytes = 4 << 20;
  int streams_max = 1000;      // open server streams; beyond: RESOURCE_EXHAUSTED TOO_MANY_STREAMS
  int stream_queue_max = 256;  // messages waiting for one stream's reader
  bool reflection = false;     // tells everybody who reaches the port what there is to call
  std::string service_key_file;  // shared secret of the short-lived tokens between services
  TlsConfig tls;
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
// verified here, all others go to the Authenticator), the method's declared role, and the workspace: every resource
// name in the request (fields `name`, `names`, `parent` and those with google.api.resource_reference, at any depth)
// that begins with "workspaces/{w}/" must be of the principal's workspace, else PERMISSION_DENIED WORKSPACE_MISMATCH.
// Services may name any workspace; so may operators and organisation-wide keys towards accounts, whose use cases check
// the organisation. A method that declares `anyone` is called without any of these: it checks what the request proves.
class Runtime {
 public:
  Runtime(std::string service, const ServerConfig& config, Authenticator& authenticator, const Clock& clock,
          obs::Metrics& metrics);
  ~Runtime();
  struct Impl;
  Impl& impl() { return *impl_; }
  // For graceful stop: runs what is queued, takes no more. Server::Stop has been called before.
  void StopExecutor();

 private:
  std::unique_ptr<Impl> impl_;
};

class Server {
 public:
  // `runtime` and `services` are owned by the caller and outlive the server.
  Server(const ServerConfig& config, Runtime& runtime, std::vector<grpc::Service*> services);
  ~Server();  // Stop(0)
  // UNAVAILABLE ADDRESS_IN_USE; FAILED_PRECONDITION METHOD_WITHOUT_ROLE when a method of a service declares no
  // (parvis.platform.v1.access), SECRET_FILE_UNREADABLE, and those of TlsConfig::Check.
  Status Start();
  // Health NOT_SERVING, open streams end with UNAVAILABLE SHUTTING_DOWN, no new calls; in-flight calls finish within
  // `limit`, what is left then is cancelled.
  void Stop(absl::Duration limit);
  std::string address() const;  // "127.0.0.1:43210", after Start

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::rpc
