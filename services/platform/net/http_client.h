// An HTTP client on libcurl's multi interface: pooled connections, deadlines, no automatic retry (libcurl's own second try on
// a dead pooled connection is refused too), response size limit, an SSRF guard. One I/O thread; thread-safe.
//
// The guard checks every address at the moment a socket is opened for it, and that socket connects to this address and no
// other (so DNS rebinding gains nothing); a pooled connection was checked when it was opened. Refused unless `allowed_networks` lists them: private, loopback, link-local, unique-local,
// multicast, documentation and unspecified ranges, IPv4-mapped and NAT64 forms included. Only http and https, no
// user information in the URL. A redirect is never followed (3xx is an answer like any other).
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
#include "platform/net/http.h"
#include "platform/obs/metrics.h"

namespace parvis::net {

struct HttpClientConfig {
  int connections_max = 256;
  int connections_per_host_max = 32;
  int queue_max = 4096;                              // requests waiting; beyond: RESOURCE_EXHAUSTED
  absl::Duration request_max = absl::Seconds(20);    // cap on every request
  absl::Duration connect_max = absl::Seconds(5);
  int64_t response_max_bytes = 8 << 20;
  std::vector<std::string> allowed_networks;         // CIDR: "127.0.0.0/8"
  std::string user_agent = "Parvis/0.1";
  void Declare(app::Options& o, std::string_view prefix = "http_client_");
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  Secret bearer;           // sent as "Authorization: Bearer ..."; empty: none
  Secret basic;            // "user:password" for Basic; empty: none
  // A secret that must travel in the body or query (Facebook's access_token): appended by the client as the last form
  // field of the body (POST, PUT and PATCH, unless Content-Type says that the body is no form) or else as the last query
  // parameter, so that `url` and `body` stay loggable.
  std::string secret_parameter;
  Secret secret_value;
};

// How far a request got, which decides whether trying again is safe.
enum class Sent {
  kNo,      // no byte of the request reached the network: safe to try again
  kMaybe,   // some of it may have arrived: the outcome is unknown
  kAnswered,
};

struct ClientResult {
  Sent sent = Sent::kNo;
  Status status;           // OK when answered (any HTTP status); else UNAVAILABLE CONNECT_FAILED, CONNECTION_LOST, CALL_CANCELLED,
                           // DEADLINE_EXCEEDED HTTP_TIMEOUT, PERMISSION_DENIED ADDRESS_REFUSED, RESOURCE_EXHAUSTED
                           // RESPONSE_TOO_LARGE / HTTP_QUEUE_FULL, INVALID_ARGUMENT URL_REFUSED / HEADER_REFUSED (a header or the
                           // method contains what HTTP does not allow, such as a line break)
  int http_status = 0;
  Headers headers;
  std::string body;
};

class HttpClient {
 public:
  HttpClient(const HttpClientConfig& config, const Clock& clock, obs::Metrics& metrics);
  ~HttpClient();
  // Blocks the caller until the answer, the call's deadline or request_max. A call that is cancelled ends within a second, be
  // its request waiting or under way.
  ClientResult Send(const Call& call, ClientRequest request);
  // `done` runs once, on the client's thread (on the caller's when the request is refused at once), and must not block.
  void SendAsync(const Call& call, ClientRequest request, std::function<void(ClientResult)> done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::net
