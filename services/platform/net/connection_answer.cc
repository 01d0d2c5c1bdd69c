#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "platform/net/connection.h"
#include "platform/obs/log.h"

namespace parvis::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr int64_t kLingerBytesMax = 64 << 20;
constexpr int kCloseFrame = 8;  // RFC 6455 §5.2

// Headers that say where the answer ends and what becomes of the connection: only the server writes them.
bool IsOurs(std::string_view name) {
  for (const std::string_view ours : {"Connection", "Content-Length", "Transfer-Encoding", "Keep-Alive"}) {
    if (name.size() == ours.size() && !CaselessLess()(name, ours) && !CaselessLess()(ours, name)) return true;
  }
  return false;
}

}  // namespace

// ---- answering
// -------------------------------------------------------------------------------------------------------

void Connection::Wake() {
  if (waiting_.exchange(false)) asio::post(worker_.io, [self = shared_from_this()] { self->signal_.cancel(); });
}

void Connection::WatchPeer() {
  asio::post(worker_.io, [self = shared_from_this()] { self->Watch(); });
}

// Looks whether the peer has closed or reset. Stops at the first byte of a next request: it must stay where it is.
void Connection::Watch() {
  if (watching_ || ended_ || !exchange_ || !socket_.is_open()) return;
  watching_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this(), exchange = exchange_](error_code error) {
    self->watching_ = false;
    if (error || self->ended_ || self->exchange_ != exchange) return;
    char byte;
    const ssize_t got = recv(self->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0 && self->upgraded_) {
      char thrown_away[4096];
      const ssize_t taken = recv(self->socket_.native_handle(), thrown_away, sizeof thrown_away, MSG_DONTWAIT);
      if (taken > 0 && (thrown_away[0] & 0x0f) != kCloseFrame) return self->Watch();
    } else if (got > 0) {
      return;
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return self->Watch();
    self->gone_ = true;
    exchange->MarkGone();
    self->signal_.cancel();
  });
}

asio::awaitable<bool> Connection::Answer() {
  exchange_ = std::make_shared<Exchange>(weak_from_this(), shared_->config.stream_queue_max_bytes);
  gone_ = false;
  bool streaming = false;
  bool usable = false;
  try {
    shared_->handler(std::move(request_), MakeResponder(exchange_));
  } catch (const std::exception& e) {
    obs::Err("an HTTP handler threw", {{"server", shared_->name}, {"what", e.what()}});
    exchange_->Send({500, {}, "internal error\n"});
  }
  Arm(shared_->config.answer_max);
  for (;;) {
    HttpResponse response;
    std::deque<std::string> chunks;
    waiting_ = true;
    const Exchange::Next next = exchange_->Take(&response, &chunks);
    if (next != Exchange::Next::kWait) waiting_ = false;
    if (next == Exchange::Next::kWait) {
      if (cut_ || (streaming && gone_)) break;
      co_await signal_.async_wait(kNoThrow);
      if (expired_ && !streaming) {
        shared_->CountRejected("answer_timeout");
        exchange_->Send({503, {{"Content-Type", "text/plain"}}, "no answer in time\n"});
      }
      continue;
    }
    if (next == Exchange::Next::kAnswer) {
      if (response.hold > absl::ZeroDuration()) co_await Hold(response.hold);
      const bool close = !keep_alive_ || shared_->stopping;
      usable = co_await SendResponse(response, close) && !close;
      break;
    }
    if (next == Exchange::Next::kAbort) {
      Reset();
      break;
    }
    if (next == Exchange::Next::kStreamEnd) {
      usable = !http10_ && !head_only_ && !upgraded_ && keep_alive_ && !shared_->stopping && left_ <= 0;
      if (left_ < 0 && !http10_ && !head_only_ && !upgraded_) usable = co_await SendBytes("0\r\n\r\n") && usable;
      break;
    }
    streaming = true;
    const bool sent = next == Exchange::Next::kStreamHead ? co_await SendStreamHead(response)
                                                          : co_await SendChunks(std::move(chunks));
    if (!sent) break;
    Arm(absl::InfiniteDuration());
  }
  shared_->duration.Observe(absl::ToDoubleSeconds(shared_->clock.Now() - request_read_));
  exchange_->Detach();
  exchange_.reset();
  if (watching_ && socket_.is_open()) {
    error_code ignored;
    socket_.cancel(ignored);
  }
  co_return usable;
}

asio::awaitable<void> Connection::Hold(absl::Duration hold) {
  Arm(std::min(hold, shared_->config.answer_max));
  Watch();
  holding_ = true;
  while (!expired_ && !cut_ && !gone_ && !shared_->stopping) co_await signal_.async_wait(kNoThrow);
  holding_ = false;
}

std::string Connection::HeadOf(const HttpResponse& response) const {
  const bool known = response.status == 101 || (response.status >= 200 && response.status <= 599);
  const int status = known ? response.status : 500;
  const auto reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  std::string head;
  head.reserve(256);
  head.append("HTTP/1.1 ")
      .append(std::to_string(status))
      .append(" ")
      .append(reason.data(), reason.size())
      .append("\r\n");
  for (const auto& [name, value] : response.headers) {
    if (name.empty() || IsOurs(name)) continue;
    // A line break in a value would start another header or the body.
    const auto bad = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
    if (std::any_of(name.begin(), name.end(), [&](char c) { return bad(c) || c == ':' || c == ' '; })) continue;
    head += name;
    head += ": ";
    if (std::none_of(value.begin(), value.end(), bad)) {
      head += value;
    } else {
      std::copy_if(value.begin(), value.end(), std::back_inserter(head), [&](char c) { return !bad(c); });
    }
    head += "\r\n";
  }
  return head;
}

asio::awaitable<bool> Connection::SendResponse(const HttpResponse& response, bool close) {
  std::string head = HeadOf(response);
  const bool bodyless = response.status == 204 || response.status == 304;
  if (!bodyless) head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  if (close) {
    head += "Connection: close\r\n";
  } else if (http10_) {
    head += "Connection: keep-alive\r\n";
  }
  head += "\r\n";
  shared_->CountRequest(response.status);
  const bool with_body = !bodyless && !head_only_;
  if (with_body && response.body.size() <= 4096) {  // one small buffer is cheaper than two
    head += response.body;
    co_return co_await SendBytes(head);
  }
  co_return co_await SendBytes(head, with_body ? std::string_view(response.body) : std::string_view());
}

asio::awaitable<bool> Connection::SendStreamHead(const HttpResponse& head) {
  std::string bytes = HeadOf(head);
  upgraded_ = head.status == 101;
  left_ = upgraded_ ? -1 : head.stream_bytes;
  if (upgraded_) {
    shared_->CountRequest(head.status);
    bytes += "Connection: Upgrade\r\n\r\n";
    co_return co_await SendBytes(bytes);
  }
  if (left_ >= 0) {
    bytes += "Content-Length: " + std::to_string(left_) + "\r\n";
  } else if (!http10_) {
    bytes += "Transfer-Encoding: chunked\r\n";
  }
  if (http10_ || !keep_alive_ || shared_->stopping) bytes += "Connection: close\r\n";
  bytes += "\r\n";
  shared_->CountRequest(head.status);
  co_return co_await SendBytes(bytes);
}

asio::awaitable<bool> Connection::SendChunks(std::deque<std::string> chunks) {
  if (head_only_) co_return true;
  std::string bytes;
  char size[24];
  const bool chunked = !http10_ && !upgraded_ && left_ < 0;
  for (const std::string& chunk : chunks) {
    if (chunked) {
      const int length = snprintf(size, sizeof size, "%zx\r\n", chunk.size());
      bytes.append(size, length);
    }
    bytes += chunk;
    if (chunked) bytes += "\r\n";
  }
  if (left_ >= 0) {
    if (static_cast<int64_t>(bytes.size()) > left_) co_return false;
    left_ -= static_cast<int64_t>(bytes.size());
  }
  co_return co_await SendBytes(bytes);
}

asio::awaitable<bool> Connection::SendBytes(std::string_view first, std::string_view second) {
  Arm(shared_->config.body_max);
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(first.data(), first.size()),
                                                     asio::buffer(second.data(), second.size())};
  auto [error, bytes] = co_await asio::async_write(socket_, buffers, kNoThrow);
  (void)bytes;
  co_return !error;
}

// After a refusal the peer may still be sending; closing at once would reset the connection and lose the answer.
asio::awaitable<void> Connection::Linger() {
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  Arm(absl::Seconds(2));
  buffer_.clear();
  for (int64_t drained = 0; drained < kLingerBytesMax && !expired_;) {
    auto [error, bytes] = co_await socket_.async_read_some(buffer_.prepare(16384), kNoThrow);
    if (error) break;
    drained += static_cast<int64_t>(bytes);
  }
}

}  // namespace parvis::net
