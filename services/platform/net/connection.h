// One connection of the HTTP server: a coroutine on its worker's thread. Internal to platform/net.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

#include "platform/net/server_impl.h"

namespace parvis::net {

class Connection final : public std::enable_shared_from_this<Connection>, public Exchange::Listener {
 public:
  using tcp = boost::asio::ip::tcp;
  Connection(tcp::socket socket, Worker& worker, std::shared_ptr<ServerShared> shared);
  ~Connection();

  // Serves requests until the peer leaves, a limit is broken or the server stops.
  static boost::asio::awaitable<void> Run(std::shared_ptr<Connection> self);
  // Answers 503 and leaves: the server is full.
  static boost::asio::awaitable<void> Refuse(std::shared_ptr<Connection> self);
  void CloseIfIdle();
  void Cut();

 private:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  enum class Reading { kComplete, kPeerLeft, kRefused };

  awaitable<void> Serve();
  // Reads one request into `request_`. kRefused: `refusal_` says with which status.
  awaitable<Reading> ReadRequest();
  awaitable<bool> ReadSome(size_t at_most);
  bool ParseWhatIsThere(Reading* outcome);
  int CheckHead();
  int TakeRequest();
  Reading RefuseReading(int status, std::string_view reason);

  // Lets the handler work and sends what it answers. False: the connection cannot serve another request.
  awaitable<bool> Answer();
  // Waits until an answer may go out: for so long, but no longer than peer and server stay.
  awaitable<void> Hold(absl::Duration hold);
  awaitable<bool> SendResponse(const HttpResponse& response, bool close);
  awaitable<bool> SendStreamHead(const HttpResponse& head);
  awaitable<bool> SendChunks(std::deque<std::string> chunks);
  awaitable<bool> SendBytes(std::string_view first, std::string_view second = {});
  awaitable<void> Linger();
  std::string HeadOf(const HttpResponse& response) const;
  // Exchange::Listener, for Answer's exchange.
  void Wake() override;
  void WatchPeer() override;

  // Everything is bounded in time by one timer, re-armed only when an earlier deadline comes up.
  void Arm(absl::Duration limit);
  void OnTimer();
  void Watch();
  void Reset();

  tcp::socket socket_;
  Worker& worker_;
  const std::shared_ptr<ServerShared> shared_;
  boost::asio::steady_timer timer_, signal_;
  Instant deadline_, armed_until_;
  bool armed_ = false, expired_ = false, cut_ = false, gone_ = false, idle_ = false, watching_ = false, ended_ = false;
  bool holding_ = false;
  std::atomic<bool> waiting_{false};
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  bool head_checked_ = false, continue_sent_ = false;
  bool keep_alive_ = false, head_only_ = false, http10_ = false;
  bool upgraded_ = false;  // no HTTP any more
  int64_t left_ = -1;      // of a stream whose length was told
  int refusal_ = 400;
  HttpRequest request_;
  std::string peer_;  // as HttpRequest has it
  Instant request_read_;
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace parvis::net
