// An HTTP/1.1 server on Boost.Beast with coroutines. Limits on header, body, time and connections are checked while
// reading, and answered 431, 413, 408 and 503. Handlers run on the server's I/O threads and must not block: keep the
// Responder, answer later from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "platform/app/config.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"
#include "platform/net/http.h"
#include "platform/obs/metrics.h"

namespace parvis::net {

struct HttpServerConfig {
  std::string address = "127.0.0.1:0";
  int threads = 2;
  int connections_max = 2000;
  int header_max_bytes = 16 << 10;
  int64_t body_max_bytes = 1 << 20;
  absl::Duration header_max = absl::Seconds(10);   // from the first byte, and for an idle connection: keepalive_max
  absl::Duration body_max = absl::Seconds(20);
  absl::Duration keepalive_max = absl::Seconds(60);
  absl::Duration answer_max = absl::Seconds(60);   // a Responder not answered by then gives 503; streams are exempt
  int stream_queue_max_bytes = 1 << 20;
  void Declare(app::Options& o, std::string_view prefix = "http_");
};

struct HttpRequest {
  std::string method;      // "POST"
  std::string path;        // decoded path without query: "/webhooks/facebook"
  std::string target;      // as received
  std::string query;       // raw, without '?'
  Headers headers;
  std::string body;        // the raw bytes as received (after chunked decoding)
  std::string peer;        // "127.0.0.1:55555"
};

struct HttpResponse {
  int status = 200;
  Headers headers;
  std::string body;
  // How long the server waits before it sends this, at most answer_max: refusals that cost nothing would otherwise come back as
  // fast as they are sent. The connection reads nothing meanwhile.
  absl::Duration hold = absl::ZeroDuration();
  // Of a stream: how many bytes its chunks have together, told as Content-Length in place of the chunked coding; -1: not known.
  // More is not sent, and after less the connection is closed: the reader cannot take the part for the whole.
  int64_t stream_bytes = -1;
};

// Answers one request, once; copies share the state. Thread-safe. Dropping the last copy unanswered gives 500. When the
// connection has gone, answers are dropped silently.
class Responder {
 public:
  struct State;
  explicit Responder(std::shared_ptr<State> state) : state_(std::move(state)) {}
  void Send(HttpResponse response) const;
  // Streaming with chunked transfer coding: status and headers now, then Write, then End. With status 101 the connection is
  // another protocol's from then on: what is written goes out as it is, and what the peer sends is thrown away until it
  // leaves, or sends a WebSocket's close frame.
  void BeginStream(HttpResponse head) const;
  // False when the peer has gone or more than stream_queue_max_bytes wait (the connection is then closed).
  bool Write(std::string chunk) const;
  void End() const;
  bool Gone() const;
  // Calls back once, from some thread, when the connection has gone before the end.
  void OnGone(std::function<void()> callback) const;
  // Of a stream: calls back once, from some thread (this one, when nothing waits), when all that was written has gone out, so
  // that who then writes again is never too fast for the reader. Not at all when the connection has gone before.
  void OnDrained(std::function<void()> callback) const;
  // Closes the connection without an answer (for the sandbox's fault "accept, then reset").
  void Abort() const;

 private:
  std::shared_ptr<State> state_;
};

class HttpServer {
 public:
  using Handler = std::function<void(HttpRequest request, Responder responder)>;
  HttpServer(const HttpServerConfig& config, std::string_view name, obs::Metrics& metrics, Handler handler);
  ~HttpServer();
  Status Start();                   // UNAVAILABLE ADDRESS_IN_USE
  void Stop(absl::Duration limit);  // no new connections; requests at hand are answered within `limit`
  std::string address() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::net
