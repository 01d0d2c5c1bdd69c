// A client for what does not end: HTTP answers that go on for hours, and WebSockets. It stands beside HttpClient and keeps
// its rules: the same guard of addresses (address_guard.h; what was checked is what is connected to), no redirects, no
// proxy, no retry, secrets only in the members made for them, certificates and host names verified against the system's
// authorities.
//
// It has no thread of its own: a stream moves while somebody reads it. What nobody reads waits in the kernel's buffers,
// which is the back-pressure; of a stream at most `buffer_max_bytes` and one message are in memory.
//
// The client is thread-safe and outlives its streams. A stream is used by one thread at a time, and is closed by its end of
// life (a WebSocket says so first, within `close_max`).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/app/config.h"
#include "platform/net/http_client.h"

namespace parvis::net {

struct StreamClientConfig {
  int streams_max = 1000;                            // open at once; beyond: RESOURCE_EXHAUSTED TOO_MANY_STREAMS
  absl::Duration connect_max = absl::Seconds(10);    // name lookup, TCP and TLS
  absl::Duration open_max = absl::Seconds(20);       // until the head of the answer
  absl::Duration silent_max = absl::Seconds(60);     // without a byte (a heartbeat is one); WebSockets ping at half of it
  absl::Duration close_max = absl::Milliseconds(500);
  int64_t buffer_max_bytes = 256 << 10;
  int64_t message_max_bytes = 1 << 20;               // of a WebSocket; of an answer that refuses the stream
  std::vector<std::string> allowed_networks;         // CIDR; not declared: what HttpClientConfig has holds for streams, too
  std::string user_agent = "Parvis/0.1";             // likewise
  StreamClientConfig Like(const HttpClientConfig& http) const {
    StreamClientConfig out = *this;
    out.allowed_networks = http.allowed_networks;
    out.user_agent = http.user_agent;
    return out;
  }
  void Declare(app::Options& o, std::string_view prefix = "stream_client_");
};

// The body of an answer, as it comes.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Blocks until there are bytes: at least one, at most buffer_max_bytes. DEADLINE_EXCEEDED READ_TIMEOUT at the call's
  // deadline: the stream lives on. Everything else ends it for good: UNAVAILABLE STREAM_LOST (the peer ended it, or the
  // connection broke), STREAM_SILENT (silent_max without a byte).
  virtual StatusOr<std::string> Read(const Call& call) = 0;
};

struct SocketMessage {
  bool text = true;   // else binary
  std::string data;   // whole, whatever frames it came in; text is valid UTF-8
};

class WebSocket {
 public:
  virtual ~WebSocket() = default;
  // As ByteStream::Read, message by message; answers pings meanwhile. Besides: RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE.
  virtual StatusOr<SocketMessage> Read(const Call& call) = 0;
};

struct SocketRequest {
  std::string url;    // "wss://host/path?query"; ws, too
  Headers headers;
  Secret bearer;      // sent as "Authorization: Bearer ..."; empty: none
};

class StreamClient {
 public:
  StreamClient(const StreamClientConfig& config, const Clock& clock, obs::Metrics& metrics);
  ~StreamClient();
  StreamClient(const StreamClient&) = delete;

  // Blocks until the answer's head has come, the call's deadline or open_max. With a 2xx the result has status and headers, no
  // body, and `*stream` is what follows. Any other answer is in the result whole (at most message_max_bytes) and there is no
  // stream; as there is none when nothing was answered. The result is HttpClient's in every respect.
  ClientResult Open(const Call& call, ClientRequest request, std::unique_ptr<ByteStream>* stream);
  // The same for a WebSocket: 101 when there is one.
  ClientResult OpenSocket(const Call& call, SocketRequest request, std::unique_ptr<WebSocket>* socket);

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace parvis::net
