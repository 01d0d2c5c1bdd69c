// WebSockets (RFC 6455) on Boost.Beast. Each socket has an io_context of its own that runs while somebody reads.
#include <openssl/ssl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "platform/net/client_transfer.h"
#include "platform/net/stream_impl.h"

namespace parvis::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ws = boost::beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;

class SocketSecurity {
 public:
  SocketSecurity() {
    error_code ignored;  // without authorities nothing is trusted
    context.set_default_verify_paths(ignored);
    context.set_verify_mode(asio::ssl::verify_peer, ignored);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  }
  asio::ssl::context context{asio::ssl::context::tls_client};
};

std::shared_ptr<SocketSecurity> MakeSocketSecurity() { return std::make_shared<SocketSecurity>(); }

namespace {

struct SocketUrl {
  bool tls = false;
  std::string host, port, authority, target;
};

StatusOr<SocketUrl> ParseSocketUrl(const std::string& url) {
  SocketUrl out;
  out.tls = url.rfind("wss://", 0) == 0;
  if (!out.tls && url.rfind("ws://", 0) != 0) {
    return MakeError(Code::kInvalidArgument, "URL_REFUSED", "only ws and wss URLs are called for a WebSocket");
  }
  const std::string http = "http" + url.substr(2);  // what is said of http and https holds for these
  PARVIS_RETURN_IF_ERROR(OriginOf(http).status());
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  curl_url_set(parsed.get(), CURLUPART_URL, http.c_str(), 0);
  const auto part = [&](CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    std::string found;
    if (curl_url_get(parsed.get(), which, &text, flags) == CURLUE_OK && text != nullptr) found = text;
    curl_free(text);
    return found;
  };
  out.host = part(CURLUPART_HOST);
  out.port = part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  const std::string explicit_port = part(CURLUPART_PORT);
  out.authority = explicit_port.empty() ? out.host : out.host + ":" + explicit_port;
  out.target = part(CURLUPART_PATH);
  if (const std::string query = part(CURLUPART_QUERY); !query.empty()) out.target += "?" + query;
  if (out.host.size() > 2 && out.host.front() == '[') out.host = out.host.substr(1, out.host.size() - 2);
  return out;
}

ClientResult Failed(Code code, std::string_view reason, const std::string& why, Sent sent) {
  ClientResult result = NotOpened(MakeError(code, reason, why));
  result.sent = sent;
  return result;
}

ClientResult TooLate(Sent sent) { return Failed(Code::kDeadlineExceeded, "HTTP_TIMEOUT", "no answer in time", sent); }

// `Next`: what the frames go over.
template <class Next>
class Socket final : public WebSocket {
 public:
  static constexpr bool kTls = !std::is_same_v<Next, tcp::socket>;

  template <class... Arguments>
  Socket(std::unique_ptr<StreamPlace> place, SocketUrl url, Arguments&... arguments)
      : place_(std::move(place)), client_(place_->client()), url_(std::move(url)), ws_(io_, arguments...),
        buffer_(static_cast<size_t>(client_.config.message_max_bytes)) {}

  ~Socket() override {
    if (open_ && ended_.ok()) {
      bool done = false;
      ws_.async_close(ws::close_code::normal, [&done](error_code) { done = true; });
      RunUntil(client_.clock.Now() + client_.config.close_max, done);
    }
    error_code ignored;
    beast::get_lowest_layer(ws_).close(ignored);
  }

  // After a failure the socket may only be destroyed: what was begun may still be under way.
  ClientResult Open(SocketRequest request, Instant deadline) {
    const Instant connected_by = std::min(deadline, client_.clock.Now() + client_.config.connect_max);
    if (auto failed = Connect(connected_by)) return *std::move(failed);
    if constexpr (kTls) {
      if (auto failed = Secure(connected_by)) return *std::move(failed);
    }
    return Upgrade(std::move(request), deadline);
  }

  bool open() const { return open_; }

  StatusOr<SocketMessage> Read(const Call& call) override {
    if (!ended_.ok()) return ended_;
    if (!reading_) {
      reading_ = true;
      done_ = false;
      ws_.async_read(buffer_, [this](error_code error, size_t) { Done(error); });
    }
    if (!RunUntil(call.deadline, done_)) return ReadTimeout();
    reading_ = false;
    if (error_) {
      ended_ = WhyEnded();
      return ended_;
    }
    SocketMessage message{ws_.got_text(), beast::buffers_to_string(buffer_.data())};
    buffer_.clear();
    return message;
  }

 private:
  void Done(error_code error) {
    error_ = error;
    done_ = true;
  }

  // Lets happen what was begun. False when `until` comes before `done`.
  bool RunUntil(Instant until, const bool& done) {
    while (!done) {
      io_.restart();
      const absl::Duration left = until - client_.clock.Now();
      if (left <= absl::ZeroDuration()) {
        io_.poll();  // what is there already
        return done;
      }
      io_.run_one_for(absl::ToChronoNanoseconds(std::min(left, absl::Minutes(10))));
    }
    return true;
  }

  // nullopt when connected.
  std::optional<ClientResult> Connect(Instant deadline) {
    tcp::resolver::results_type found;
    done_ = false;
    // Asking for a name cannot be cut short: its thread ends with it, and io_ waits for that in its end of life.
    tcp::resolver resolver(io_);
    resolver.async_resolve(url_.host, url_.port, [this, &found](error_code error, tcp::resolver::results_type results) {
      found = std::move(results);
      Done(error);
    });
    if (!RunUntil(deadline, done_)) return TooLate(Sent::kNo);
    if (error_) return Failed(Code::kUnavailable, "CONNECT_FAILED", "no connection: " + error_.message(), Sent::kNo);
    auto& socket = beast::get_lowest_layer(ws_);
    bool refused = false;
    for (const auto& entry : found) {
      // This very address is what is connected to next.
      const tcp::endpoint endpoint = entry.endpoint();
      const auto bytes = AddressOf(endpoint.data());
      if (!bytes.ok() || !client_.guard.Allows(*bytes)) {
        refused = true;
        continue;
      }
      error_code ignored;
      socket.close(ignored);
      done_ = false;
      socket.async_connect(endpoint, [this](error_code error) { Done(error); });
      if (!RunUntil(deadline, done_)) return TooLate(Sent::kNo);
      if (!error_) {
        socket.set_option(tcp::no_delay(true), ignored);
        return std::nullopt;
      }
    }
    if (refused) {
      return Failed(Code::kPermissionDenied, "ADDRESS_REFUSED",
                    "the host's address is private, local or reserved and not in allowed_networks", Sent::kNo);
    }
    return Failed(Code::kUnavailable, "CONNECT_FAILED", "no connection: " + error_.message(), Sent::kNo);
  }

  std::optional<ClientResult> Secure(Instant deadline) {
    auto& secure = ws_.next_layer();
    error_code ignored;
    asio::ip::make_address(url_.host, ignored);
    if (ignored) SSL_set_tlsext_host_name(secure.native_handle(), url_.host.c_str());  // a name and no address
    secure.set_verify_callback(asio::ssl::host_name_verification(url_.host), ignored);
    done_ = false;
    secure.async_handshake(asio::ssl::stream_base::client, [this](error_code error) { Done(error); });
    if (!RunUntil(deadline, done_)) return TooLate(Sent::kNo);
    if (error_) return Failed(Code::kUnavailable, "CONNECT_FAILED", "no connection: " + error_.message(), Sent::kNo);
    return std::nullopt;
  }

  ClientResult Upgrade(SocketRequest request, Instant deadline) {
    ws_.set_option(ws::stream_base::timeout{.handshake_timeout = ws::stream_base::none(),
                                            .idle_timeout = absl::ToChronoMilliseconds(client_.config.silent_max),
                                            .keep_alive_pings = true});
    ws_.read_message_max(0);  // buffer_ is the limit: Beast's own waits for the peer to agree that it ends
    ws_.set_option(ws::stream_base::decorator(
        [headers = std::move(request.headers), bearer = std::move(request.bearer), agent = client_.config.user_agent](
            ws::request_type& head) {
          head.set(beast::http::field::user_agent, agent);
          for (const auto& [name, value] : headers) head.set(name, value);
          if (!bearer.empty()) head.set(beast::http::field::authorization, "Bearer " + bearer.Reveal());
        }));
    done_ = false;
    ws_.async_handshake(response_, url_.authority, url_.target, [this](error_code error) { Done(error); });
    if (!RunUntil(deadline, done_)) return TooLate(Sent::kMaybe);
    if (error_ && error_ != ws::error::upgrade_declined) {
      return Failed(Code::kUnavailable, "CONNECTION_LOST", "no WebSocket: " + error_.message(), Sent::kMaybe);
    }
    open_ = !error_;
    ClientResult result;
    result.sent = Sent::kAnswered;
    result.http_status = response_.result_int();
    for (const auto& field : response_) {
      result.headers[std::string(field.name_string())] = std::string(field.value());
    }
    result.body = std::move(response_.body());
    if (result.body.size() > static_cast<size_t>(client_.config.message_max_bytes)) {
      return Failed(Code::kResourceExhausted, "RESPONSE_TOO_LARGE", "the answer is larger than the limit", Sent::kMaybe);
    }
    return result;
  }

  Status WhyEnded() const {
    if (error_ == ws::error::buffer_overflow) {
      return MakeError(Code::kResourceExhausted, "MESSAGE_TOO_LARGE", "the network sent a message larger than the limit");
    }
    if (error_ == beast::error::timeout) return StreamSilent(client_.config.silent_max);
    if (error_ == ws::error::closed) {
      return StreamLost("the network closed the stream, code " + std::to_string(ws_.reason().code));
    }
    return StreamLost(error_.message());
  }

  const std::unique_ptr<StreamPlace> place_;
  const StreamClient::Impl& client_;
  const SocketUrl url_;
  asio::io_context io_{1};
  ws::stream<Next, false> ws_;  // no compression
  ws::response_type response_;
  beast::flat_buffer buffer_;
  bool open_ = false, reading_ = false, done_ = false;
  error_code error_;
  Status ended_;
};

}  // namespace

ClientResult OpenWebSocket(const Call& call, SocketRequest request, std::unique_ptr<StreamPlace> place,
                           std::unique_ptr<WebSocket>* socket) {
  auto url = ParseSocketUrl(request.url);
  if (!url.ok()) return NotOpened(url.status());
  ClientRequest checked;
  checked.headers = request.headers;
  checked.bearer = request.bearer;
  if (const Status ok = CheckRequest(checked); !ok.ok()) return NotOpened(ok);
  const Instant now = place->client().clock.Now();
  const Instant deadline = std::min(call.deadline, now + place->client().config.open_max);
  if (deadline <= now) return TooLate(Sent::kNo);
  const auto open = [&](auto opened) {
    ClientResult result = opened->Open(std::move(request), deadline);
    if (opened->open()) *socket = std::move(opened);
    return result;
  };
  const std::shared_ptr<SocketSecurity> security = place->client().security;
  if (url->tls) {
    return open(std::make_unique<Socket<asio::ssl::stream<tcp::socket>>>(std::move(place), *std::move(url),
                                                                         security->context));
  }
  return open(std::make_unique<Socket<tcp::socket>>(std::move(place), *std::move(url)));
}

}  // namespace parvis::net
