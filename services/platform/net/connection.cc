#include "platform/net/connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "platform/obs/log.h"

namespace parvis::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr int kRejectingMax = 100;

// "127.0.0.1:55555"; "" when it has gone already.
std::string PeerOf(const asio::ip::tcp::socket& socket) {
  error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return "";
  const std::string address = peer.address().to_string();
  return (peer.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(peer.port());
}

}  // namespace

Connection::Connection(tcp::socket socket, Worker& worker, std::shared_ptr<ServerShared> shared)
    : socket_(std::move(socket)),
      worker_(worker),
      shared_(std::move(shared)),
      timer_(socket_.get_executor()),
      signal_(socket_.get_executor()) {
  signal_.expires_at(asio::steady_timer::time_point::max());
  worker_.connections.insert(this);
}

Connection::~Connection() {
  worker_.connections.erase(this);
  if (exchange_) exchange_->Detach();
}

// ---- time
// ------------------------------------------------------------------------------------------------------------

void Connection::Arm(absl::Duration limit) {
  deadline_ = shared_->clock.Now() + limit;
  expired_ = false;
  if (deadline_ == Instant::Max() || (armed_ && armed_until_ <= deadline_)) return;
  armed_ = true;
  armed_until_ = deadline_;
  timer_.expires_after(absl::ToChronoNanoseconds(limit));
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) self->OnTimer();
  });
}

void Connection::OnTimer() {
  armed_ = false;
  if (ended_) return;
  const absl::Duration left = deadline_ - shared_->clock.Now();
  if (left > absl::ZeroDuration()) {
    const bool expired = expired_;
    if (deadline_ != Instant::Max()) Arm(left);
    expired_ = expired;
    return;
  }
  expired_ = true;
  error_code ignored;
  socket_.cancel(ignored);
  signal_.cancel();
}

void Connection::CloseIfIdle() {
  if (holding_) signal_.cancel();
  if (!idle_) return;
  error_code ignored;
  socket_.cancel(ignored);
}

void Connection::Cut() {
  cut_ = true;
  error_code ignored;
  socket_.close(ignored);
  signal_.cancel();
}

// Resets instead of closing politely, so that the peer cannot take silence for an answer.
void Connection::Reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

// ---- reading
// ---------------------------------------------------------------------------------------------------------

asio::awaitable<bool> Connection::ReadSome(size_t at_most) {
  auto [error, bytes] = co_await socket_.async_read_some(buffer_.prepare(at_most), kNoThrow);
  if (error || bytes == 0) co_return false;
  buffer_.commit(bytes);
  co_return true;
}

Connection::Reading Connection::RefuseReading(int status, std::string_view reason) {
  refusal_ = status;
  shared_->CountRejected(reason);
  return Reading::kRefused;
}

// Checks of the head that the parser leaves to us. 0, or the status to refuse it with.
int Connection::CheckHead() {
  const auto& message = parser_->get();
  http10_ = message.version() < 11;
  keep_alive_ = message.keep_alive();
  const size_t hosts = message.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && !http10_)) return 400;  // RFC 9112 §3.2
  const auto coding = message.find(http::field::transfer_encoding);
  if (coding != message.end()) {
    // Anything but plain chunked, or both ways to tell the length, is how requests are smuggled (RFC 9112 §6.1, §11.2).
    if (http10_ || message.count(http::field::content_length) > 0 || message.count(http::field::transfer_encoding) > 1)
      return 400;
    if (!parser_->chunked()) return 501;
    const auto value = coding->value();
    if (CaselessLess()(std::string_view(value.data(), value.size()), "chunked") ||
        CaselessLess()("chunked", std::string_view(value.data(), value.size()))) {
      return 501;
    }
  }
  if (message.count(http::field::content_length) > 1) return 400;
  return 0;
}

// Feeds the parser. True: `outcome` is known; false: more bytes are needed.
bool Connection::ParseWhatIsThere(Reading* outcome) {
  while (buffer_.size() > 0 && !parser_->is_done()) {
    error_code error;
    const size_t used = parser_->put(buffer_.data(), error);
    buffer_.consume(used);
    const bool more = error == http::error::need_more;
    if (error && !more) {
      if (error == http::error::header_limit) {
        *outcome = RefuseReading(431, "header_too_large");
      } else if (error == http::error::body_limit) {
        *outcome = RefuseReading(413, "body_too_large");
      } else {
        *outcome = RefuseReading(400, "malformed");
      }
      return true;
    }
    if (!head_checked_ && parser_->is_header_done()) {
      head_checked_ = true;
      if (const int status = CheckHead(); status != 0) {
        *outcome = RefuseReading(status, "malformed");
        return true;
      }
    }
    if (more || used == 0) break;
  }
  if (!parser_->is_done()) return false;
  const int status = TakeRequest();
  *outcome = status == 0 ? Reading::kComplete : RefuseReading(status, "malformed");
  return true;
}

// Moves the parsed message into `request_`. 0, or the status to refuse it with.
int Connection::TakeRequest() {
  auto message = parser_->release();
  request_ = HttpRequest();
  request_.method = std::string(message.method_string());
  request_.target = std::string(message.target());
  head_only_ = message.method() == http::verb::head;
  std::string_view path = request_.target;
  if (path.rfind("http://", 0) == 0 || path.rfind("https://", 0) == 0) {  // absolute form, RFC 9112 §3.2.2
    const size_t slash = path.find('/', path.find("//") + 2);
    path = slash == std::string_view::npos ? std::string_view("/") : path.substr(slash);
  }
  const size_t question = path.find('?');
  if (question != std::string_view::npos) request_.query = std::string(path.substr(question + 1));
  auto decoded = UrlDecode(path.substr(0, question), false);
  if (!decoded.ok() || decoded->find('\0') != std::string::npos) return 400;
  if ((decoded->empty() || decoded->front() != '/') && *decoded != "*") return 400;
  request_.path = *std::move(decoded);
  for (const auto& field : message) {
    const std::string_view value(field.value().data(), field.value().size());
    auto [it, is_new] = request_.headers.try_emplace(std::string(field.name_string()), value);
    if (!is_new) it->second += ", " + std::string(value);
  }
  request_.body = std::move(message.body());
  if (peer_.empty()) peer_ = PeerOf(socket_);
  request_.peer = peer_;
  return 0;
}

asio::awaitable<Connection::Reading> Connection::ReadRequest() {
  const HttpServerConfig& config = shared_->config;
  parser_.emplace();
  parser_->eager(true);
  parser_->header_limit(static_cast<uint32_t>(config.header_max_bytes));
  parser_->body_limit(static_cast<uint64_t>(config.body_max_bytes));
  head_checked_ = continue_sent_ = false;
  keep_alive_ = false;
  if (buffer_.size() == 0) {
    if (buffer_.capacity() > 65536) buffer_.shrink_to_fit();
    if (shared_->stopping) co_return Reading::kPeerLeft;
    idle_ = true;
    Arm(config.keepalive_max);
    const bool read = co_await ReadSome(8192);
    idle_ = false;
    if (!read) co_return Reading::kPeerLeft;
  }
  bool in_body = false;
  Arm(config.header_max);
  for (;;) {
    Reading outcome;
    if (ParseWhatIsThere(&outcome)) co_return outcome;
    if (parser_->is_header_done() && !in_body) {
      in_body = true;
      Arm(config.body_max);
      const auto expect = parser_->get().find(http::field::expect);
      if (expect != parser_->get().end() && !continue_sent_ && !http10_) {
        continue_sent_ = true;
        if (!co_await SendBytes("HTTP/1.1 100 Continue\r\n\r\n")) co_return Reading::kPeerLeft;
        Arm(config.body_max);
      }
    }
    if (!co_await ReadSome(in_body ? 65536 : 8192)) {
      if (expired_) co_return RefuseReading(408, in_body ? "body_timeout" : "header_timeout");
      co_return Reading::kPeerLeft;
    }
  }
}

// ---- life
// ------------------------------------------------------------------------------------------------------------

asio::awaitable<void> Connection::Serve() {
  for (;;) {
    const Reading reading = co_await ReadRequest();
    if (cut_ || reading == Reading::kPeerLeft) co_return;
    if (reading == Reading::kRefused) {
      head_only_ = false;
      HttpResponse response{refusal_, {{"Content-Type", "text/plain"}}, ""};
      const auto reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(refusal_)));
      response.body = std::string(reason.data(), reason.size()) + "\n";
      if (co_await SendResponse(response, true)) co_await Linger();
      co_return;
    }
    request_read_ = shared_->clock.Now();
    if (!co_await Answer()) co_return;
  }
}

asio::awaitable<void> Connection::Run(std::shared_ptr<Connection> self) {
  try {
    co_await self->Serve();
  } catch (const std::exception& e) {  // out of memory and the like: this connection ends, the server does not
    obs::Err("a connection ended by an exception", {{"server", self->shared_->name}, {"what", e.what()}});
  }
  self->ended_ = true;
  if (self->exchange_) self->exchange_->Detach();
  self->timer_.cancel();
  error_code ignored;
  self->socket_.close(ignored);
  self->shared_->open.Add(-1);
  --self->shared_->connections;
}

asio::awaitable<void> Connection::Refuse(std::shared_ptr<Connection> self) {
  self->shared_->CountRejected("connections_max");
  HttpResponse response{503, {{"Content-Type", "text/plain"}, {"Retry-After", "1"}}, "too many connections\n"};
  if (co_await self->SendResponse(response, true)) co_await self->Linger();
  self->ended_ = true;
  self->timer_.cancel();
  error_code ignored;
  self->socket_.close(ignored);
  --self->shared_->rejecting;
}

void ServeConnection(asio::ip::tcp::socket socket, Worker& worker, const std::shared_ptr<ServerShared>& shared) {
  if (shared->stopping) return;
  error_code ignored;
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const bool full = shared->connections.fetch_add(1) >= shared->config.connections_max;
  if (full) {
    --shared->connections;
    if (shared->rejecting.fetch_add(1) >= kRejectingMax) {
      --shared->rejecting;
      return;  // closes
    }
  } else {
    shared->open.Add(1);
  }
  auto connection = std::make_shared<Connection>(std::move(socket), worker, shared);
  asio::co_spawn(worker.io, full ? Connection::Refuse(connection) : Connection::Run(connection), asio::detached);
}

void CloseConnections(Worker& worker, bool now) {
  for (Connection* connection : worker.connections) {
    if (now) {
      connection->Cut();
    } else {
      connection->CloseIfIdle();
    }
  }
}

}  // namespace parvis::net
