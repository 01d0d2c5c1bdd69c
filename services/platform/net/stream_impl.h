// What stream_client.cc and web_socket.cc share. Internal to platform/net.
#pragma once

#include <atomic>
#include <memory>

#include "platform/net/address_guard.h"
#include "platform/net/stream_client.h"

namespace parvis::net {

class SocketSecurity;   // the TLS settings of WebSockets (web_socket.cc)

struct StreamClient::Impl {
  Impl(const StreamClientConfig& config, const Clock& clock, obs::Metrics& metrics);
  // Counts how an opening ended.
  void Count(const ClientResult& result);

  const StreamClientConfig config;
  const Clock& clock;
  const AddressGuard guard;
  obs::Metrics& metrics;
  obs::Gauge& open_gauge;
  std::atomic<int> open{0};
  const std::shared_ptr<SocketSecurity> security;
};

// One of the streams that may be open at once, for as long as it lives.
class StreamPlace {
 public:
  // nullptr when all are taken.
  static std::unique_ptr<StreamPlace> Take(std::shared_ptr<StreamClient::Impl> impl);
  ~StreamPlace();
  StreamPlace(const StreamPlace&) = delete;
  StreamClient::Impl& client() const { return *impl_; }

 private:
  explicit StreamPlace(std::shared_ptr<StreamClient::Impl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<StreamClient::Impl> impl_;
};

std::shared_ptr<SocketSecurity> MakeSocketSecurity();
ClientResult OpenWebSocket(const Call& call, SocketRequest request, std::unique_ptr<StreamPlace> place,
                           std::unique_ptr<WebSocket>* socket);

Status StreamLost(std::string_view why);     // UNAVAILABLE STREAM_LOST
Status StreamSilent(absl::Duration limit);   // UNAVAILABLE STREAM_SILENT
Status ReadTimeout();                        // DEADLINE_EXCEEDED READ_TIMEOUT
// The result of an opening that was refused before anything was sent.
ClientResult NotOpened(Status why);

}  // namespace parvis::net
