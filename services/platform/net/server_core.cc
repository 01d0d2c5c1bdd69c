#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>

#include "platform/net/server_impl.h"
#include "platform/obs/log.h"

namespace parvis::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

ServerShared::ServerShared(const HttpServerConfig& c, std::string_view n, obs::Metrics& m, HttpServer::Handler h)
    : config(c), name(n), handler(std::move(h)), metrics(m),
      open(m.gauge("parvis_http_server_connections", "Open connections.", {{"server", name}})),
      duration(m.histogram("parvis_http_server_duration_seconds", "Time from a request's last byte to its answer's last byte.",
                           {{"server", name}})) {
  static const char* const kClasses[6] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (int i = 0; i < 6; ++i) {
    by_class_[i] = &m.counter("parvis_http_server_requests_total", "Requests answered, by class of status.",
                              {{"server", name}, {"code", kClasses[i]}});
  }
}

void ServerShared::CountRequest(int status) { by_class_[status >= 100 && status < 600 ? status / 100 : 0]->Add(); }

void ServerShared::CountRejected(std::string_view reason) {
  metrics.counter("parvis_http_server_rejected_total", "Requests and connections refused before a handler saw them.",
                  {{"server", name}, {"reason", std::string(reason)}}).Add();
}

ServerCore::ServerCore(const HttpServerConfig& config, std::string_view name, obs::Metrics& metrics, HttpServer::Handler handler)
    : shared_(std::make_shared<ServerShared>(config, name, metrics, std::move(handler))) {}

ServerCore::~ServerCore() { Stop(absl::ZeroDuration()); }

tcp::endpoint ServerCore::Endpoint(Status* status) const {
  const std::string& text = shared_->config.address;
  const auto bad = [&] {
    *status = MakeError(Code::kInvalidArgument, "BAD_ADDRESS", "\"" + text + "\" is not host:port");
    return tcp::endpoint();
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) return bad();
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  if (host.empty() || host == "*") host = "0.0.0.0";
  int port = 0;
  for (size_t i = colon + 1; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9' || (port = port * 10 + (text[i] - '0')) > 65535) return bad();
  }
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  return error ? bad() : tcp::endpoint(address, static_cast<uint16_t>(port));
}

Status ServerCore::Start() {
  Status status;
  const tcp::endpoint endpoint = Endpoint(&status);
  PARVIS_RETURN_IF_ERROR(status);
  for (int i = 0; i < std::max(1, shared_->config.threads); ++i) workers_.push_back(std::make_unique<Worker>());
  acceptor_ = std::make_unique<tcp::acceptor>(workers_[0]->io);
  boost::system::error_code error;
  acceptor_->open(endpoint.protocol(), error);
  if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_->bind(endpoint, error);
  if (!error) acceptor_->listen(1024, error);
  if (error) {
    acceptor_.reset();
    workers_.clear();
    return MakeError(Code::kUnavailable, "ADDRESS_IN_USE", "cannot listen on " + shared_->config.address + ": " + error.message());
  }
  const tcp::endpoint local = acceptor_->local_endpoint();
  address_ = (local.address().is_v6() ? "[" + local.address().to_string() + "]" : local.address().to_string()) + ":" +
             std::to_string(local.port());
  Accept();
  for (auto& worker : workers_) {
    worker->thread = std::thread([w = worker.get()] {
      auto work = asio::make_work_guard(w->io);
      w->io.run();
    });
  }
  started_ = true;
  return absl::OkStatus();
}

void ServerCore::Accept() {
  Worker& worker = *workers_[next_worker_++ % workers_.size()];
  acceptor_->async_accept(worker.io, [this, &worker](boost::system::error_code error, tcp::socket socket) {
    if (shared_->stopping) return;
    if (!error) {
      Accepted(std::move(socket), worker);
      return Accept();
    }
    // Out of descriptors, or the peer left already: go on a little later instead of spinning.
    shared_->CountRejected("accept_failed");
    auto pause = std::make_shared<asio::steady_timer>(workers_[0]->io, std::chrono::milliseconds(50));
    pause->async_wait([this, pause](boost::system::error_code) {
      if (!shared_->stopping) Accept();
    });
  });
}

void ServerCore::Accepted(tcp::socket socket, Worker& worker) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  auto held = std::make_shared<tcp::socket>(std::move(socket));
  asio::post(worker.io, [held, &worker, shared = shared_] { ServeConnection(std::move(*held), worker, shared); });
}

void ServerCore::Stop(absl::Duration limit) {
  if (!started_) return;
  started_ = false;
  shared_->stopping = true;
  asio::post(workers_[0]->io, [this] {
    boost::system::error_code ignored;
    acceptor_->close(ignored);
  });
  for (auto& worker : workers_) asio::post(worker->io, [w = worker.get()] { CloseConnections(*w, false); });
  // A connection reports its end by the counter alone; looking every few milliseconds costs nothing at a stop.
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const Instant until = shared_->clock.Now() + limit;
  while (shared_->connections > 0 && shared_->clock.Now() < until) never.wait_for(lock, std::chrono::milliseconds(2));
  for (auto& worker : workers_) asio::post(worker->io, [w = worker.get()] { CloseConnections(*w, true); });
  const Instant cut = shared_->clock.Now() + absl::Seconds(1);
  while (shared_->connections > 0 && shared_->clock.Now() < cut) never.wait_for(lock, std::chrono::milliseconds(1));
  for (auto& worker : workers_) worker->io.stop();
  for (auto& worker : workers_) worker->thread.join();
  acceptor_.reset();
  workers_.clear();
}

}  // namespace parvis::net
