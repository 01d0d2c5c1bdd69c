// The gateway's HTTP side: the Connect protocol for every method of the table, forwarded to the method's backend.
//
// Checked here, in this order: the URL, the HTTP method, the Content-Type, the protocol's headers, the shape of the
// key, the key's rate, the body. Who the key belongs to and what it may do is the backend's business.
#pragma once

#include "gateway/domain/key_limits.h"
#include "gateway/transport/backends.h"
#include "gateway/transport/call_book.h"
#include "gateway/transport/exchange.h"
#include "gateway/transport/method_table.h"
#include "platform/net/http_server.h"

namespace parvis::gateway {

// Limits of the calls; see config.h for what each is for.
struct CallLimits {
  absl::Duration call_max = absl::Seconds(30);
  int message_max_bytes = 1 << 20;
  int json_depth_max = 64;
  int streams_max = 1000;        // less than the server's connections: each stream keeps one
  int streams_per_key_max = 50;  // so that no key takes all
  absl::Duration stream_max = absl::Hours(1);
  KeyLimitsConfig keys = {.per_second = 200, .burst = 400};
};

class Gateway {
 public:
  // All outlive the gateway.
  Gateway(const CallLimits& call_limits, const MethodTable& methods, const Backends& backends, const Clock& clock,
          obs::Metrics& metrics);
  // Never blocks; answers later from any thread.
  void Handle(net::HttpRequest request, net::Responder responder);
  // In this order, around HttpServer::Stop.
  void EndStreams() { book_.EndStreams(); }
  bool WaitIdle(absl::Duration limit) { return book_.WaitIdle(limit); }

 private:
  void HandleCall(const net::HttpRequest& request, std::unique_ptr<Exchange> exchange);
  Status ReadHeaders(const net::HttpRequest& request, Exchange& exchange) const;
  Status CheckRate(const net::HttpRequest& request, Exchange& exchange);
  StatusOr<std::string> ReadMessage(const net::HttpRequest& request, const Exchange& exchange) const;
  // An answer before the protocol is known.
  void Refuse(const net::Responder& responder, int http_status, Code code, std::string_view reason,
              std::string_view message, net::Headers headers, Instant began);

  const CallLimits call_limits_;
  const MethodTable& methods_;
  const Backends& backends_;
  const Clock& clock_;
  obs::Counter& limited_;
  CallBook book_;
  KeyLimits key_limits_;
};

}  // namespace parvis::gateway
