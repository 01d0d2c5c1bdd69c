// The gateway's HTTP side: the Connect protocol for every method of the table, forwarded to the method's backend.
//
// Checked here, in this order: the URL, the HTTP method, the Content-Type, the protocol's headers, the shape of the
// key, the rates (of the key; then of its workspace, or of the host when it is not known whose the key is), the body,
// how much of the workspace and of all is at hand. Who the key belongs to and what it may do is the backend's business;
// the gateway only remembers whose it was (rpc/tenants.h), to share out what is there.
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
  CallBook::Limits at_once;  // streams_max: less than the server's connections, for each stream keeps one
  absl::Duration stream_max = absl::Hours(1);
  KeyLimitsConfig keys = {.per_second = 200, .burst = 400};
  KeyLimitsConfig tenants = {.per_second = 500, .burst = 1000};
  KeyLimitsConfig hosts = {.per_second = 200, .burst = 400};  // of callers whose key is not known yet
  int media_piece_bytes = 256 << 10;  // less than what may wait for a slow reader
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
  // Media by signed address (media_call.h): nobody shows a key, so their host is held to account.
  void HandleMedia(const net::HttpRequest& request, net::Responder responder, Instant began);
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
  CallBook book_;
  // One layer of the rate limits: its buckets and how often they were empty.
  struct Layer {
    KeyLimits limits;
    obs::Counter& refused;
    std::string_view reason;
    std::string message;
  };
  std::optional<Status> Refused(Layer& layer, uint64_t whose, Instant now);
  Layer keys_, tenants_, hosts_;
};

}  // namespace parvis::gateway
