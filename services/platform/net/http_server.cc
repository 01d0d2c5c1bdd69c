#include "platform/net/http_server.h"

#include "platform/net/server_impl.h"

namespace parvis::net {

void HttpServerConfig::Declare(app::Options& o, std::string_view prefix) {
  const auto name = [&](const char* suffix) { return std::string(prefix) + suffix; };
  o.String(name("address"), &address, "Address to listen on, host:port; port 0 takes a free one.");
  o.Int(name("threads"), &threads, "I/O threads.", {1, 64});
  o.Int(name("connections_max"), &connections_max, "Open connections; more are answered 503.", {1, 100000});
  o.Int(name("header_max_bytes"), &header_max_bytes, "Largest request line and headers; more is answered 431.", {256, 1 << 20});
  o.Int(name("body_max_bytes"), &body_max_bytes, "Largest request body; more is answered 413.", {0, int64_t{1} << 32});
  o.Duration(name("header_max"), &header_max, "Longest time for the headers to arrive; then 408.", absl::Milliseconds(1));
  o.Duration(name("body_max"), &body_max, "Longest time for the body to arrive (then 408), and for one write.", absl::Milliseconds(1));
  o.Duration(name("keepalive_max"), &keepalive_max, "Longest time a connection may be idle between requests.", absl::Milliseconds(1));
  o.Duration(name("answer_max"), &answer_max, "Longest time a handler may take; then 503.", absl::Milliseconds(1));
  o.Int(name("stream_queue_max_bytes"), &stream_queue_max_bytes, "Bytes of a stream that may wait for a slow reader.", {1024, 1 << 30});
}

// ---- Responder -------------------------------------------------------------------------------------------------------

// The last copy's end is the end of the State, which the connection does not hold (it holds the Exchange).
struct Responder::State {
  explicit State(std::shared_ptr<Exchange> e) : exchange(std::move(e)) {}
  ~State() { exchange->Dropped(); }
  const std::shared_ptr<Exchange> exchange;
};

Responder MakeResponder(std::shared_ptr<Exchange> exchange) {
  return Responder(std::make_shared<Responder::State>(std::move(exchange)));
}

void Responder::Send(HttpResponse response) const { state_->exchange->Send(std::move(response)); }
void Responder::BeginStream(HttpResponse head) const { state_->exchange->BeginStream(std::move(head)); }
bool Responder::Write(std::string chunk) const { return state_->exchange->Write(std::move(chunk)); }
void Responder::End() const { state_->exchange->End(); }
bool Responder::Gone() const { return state_->exchange->Gone(); }
void Responder::OnGone(std::function<void()> callback) const { state_->exchange->OnGone(std::move(callback)); }
void Responder::OnDrained(std::function<void()> callback) const { state_->exchange->OnDrained(std::move(callback)); }
void Responder::Abort() const { state_->exchange->Abort(); }

// ---- HttpServer ------------------------------------------------------------------------------------------------------

struct HttpServer::Impl : ServerCore {
  using ServerCore::ServerCore;
};

HttpServer::HttpServer(const HttpServerConfig& config, std::string_view name, obs::Metrics& metrics, Handler handler)
    : impl_(std::make_unique<Impl>(config, name, metrics, std::move(handler))) {}
HttpServer::~HttpServer() { impl_->Stop(absl::ZeroDuration()); }
Status HttpServer::Start() { return impl_->Start(); }
void HttpServer::Stop(absl::Duration limit) { impl_->Stop(limit); }
std::string HttpServer::address() const { return impl_->address(); }

}  // namespace parvis::net
