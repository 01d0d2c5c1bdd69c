// The server without its Beast parts: what http_server.cc and connection.cc share. Internal to platform/net.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "platform/base/clock.h"
#include "platform/net/exchange.h"
#include "platform/net/http_server.h"

namespace parvis::net {

class Connection;

// What all connections of a server use; outlives them.
struct ServerShared {
  ServerShared(const HttpServerConfig& config, std::string_view name, obs::Metrics& metrics, HttpServer::Handler handler);
  const HttpServerConfig config;
  const std::string name;
  const HttpServer::Handler handler;
  const RealClock clock;
  obs::Metrics& metrics;
  obs::Gauge& open;
  obs::Histogram& duration;
  std::atomic<int> connections{0};
  std::atomic<int> rejecting{0};   // connections over the limit that are being told so
  std::atomic<bool> stopping{false};
  void CountRequest(int status);
  void CountRejected(std::string_view reason);

 private:
  obs::Counter* by_class_[6];
};

// One I/O thread with its connections.
struct Worker {
  std::unordered_set<Connection*> connections;  // this worker's thread only; outlives the coroutines that `io` holds
  boost::asio::io_context io{1};
  std::thread thread;
};

// Starts serving `socket` (whose executor is the worker's). On the worker's thread.
void ServeConnection(boost::asio::ip::tcp::socket socket, Worker& worker, const std::shared_ptr<ServerShared>& shared);
// Ends idle connections, lets the others finish their request (`now`: cuts them). On the worker's thread.
void CloseConnections(Worker& worker, bool now);

class ServerCore {
 public:
  ServerCore(const HttpServerConfig& config, std::string_view name, obs::Metrics& metrics, HttpServer::Handler handler);
  ~ServerCore();
  Status Start();
  void Stop(absl::Duration limit);
  std::string address() const { return address_; }

 private:
  boost::asio::ip::tcp::endpoint Endpoint(Status* status) const;
  void Accept();
  void Accepted(boost::asio::ip::tcp::socket socket, Worker& worker);
  const std::shared_ptr<ServerShared> shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<boost::asio::ip::tcp::acceptor> acceptor_;
  size_t next_worker_ = 0;
  std::string address_;
  bool started_ = false;
};

}  // namespace parvis::net
