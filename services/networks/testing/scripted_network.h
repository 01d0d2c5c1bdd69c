// A network for tests: a real HTTP server that answers what the test said it would and remembers what it was asked.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "networks/connector.h"
#include "networks/testing/scripted_stream.h"
#include "platform/net/http_server.h"
#include "platform/net/socket_server.h"
#include "platform/net/stream_client.h"

namespace parvis::networks {

class ScriptedNetwork {
 public:
  ScriptedNetwork() {
    net::HttpServerConfig server_config;
    server_config.threads = 1;
    server_config.body_max_bytes = 32 << 20;
    server_ = std::make_unique<net::HttpServer>(server_config, "scripted", metrics_, [this](net::HttpRequest request, net::Responder responder) {
      Answer(std::move(request), responder);
    });
    EXPECT_TRUE(server_->Start().ok());
    net::HttpClientConfig client_config;
    client_config.allowed_networks = {"127.0.0.0/8"};
    client_config.request_max = absl::Seconds(10);
    client_ = std::make_unique<net::HttpClient>(client_config, clock_, metrics_);
    net::StreamClientConfig stream_config;
    stream_config.allowed_networks = {"127.0.0.0/8"};
    streams_ = std::make_unique<net::StreamClient>(stream_config, clock_, metrics_);
    const std::string socket_url = "ws://" + server_->address();
    connectors_ = MakeConnectors(*client_, clock_, {streams_.get(), socket_url, Secret("the-app-token"), url()});
  }

  // What the next request gets; the requests after the last answer get 599.
  void Next(int status, std::string body, net::Headers headers = {}) {
    std::lock_guard lock(mutex_);
    script_.push_back({{status, std::move(headers), std::move(body)}, false, nullptr});
  }
  // The next request arrives and is never answered.
  void NextReset() {
    std::lock_guard lock(mutex_);
    script_.push_back({{}, true, nullptr});
  }
  // The next request gets a stream, which `stream` writes: server-sent events, or a WebSocket where one is asked for.
  void NextStream(StreamScript* stream, const std::string& type = "text/event-stream") {
    std::lock_guard lock(mutex_);
    script_.push_back({{200, {{"Content-Type", type}}, ""}, false, stream});
  }
  std::vector<net::HttpRequest> Taken() {
    std::lock_guard lock(mutex_);
    return std::exchange(requests_, {});
  }
  Connector& connector(const std::string& network) { return *connectors_.at(network); }
  const std::map<std::string, std::unique_ptr<Connector>>& connectors() const { return connectors_; }
  net::HttpClient& client() { return *client_; }
  const Clock& clock() const { return clock_; }
  std::string url() const { return "http://" + server_->address(); }
  Account account(const std::string& network, const std::string& id, const std::string& path = "") const {
    Account out;
    out.channel_id = "channel";
    out.remote_id = id;
    out.base_url = url() + path;
    const auto& fields = connectors_.at(network)->capabilities().credential_fields;
    for (const std::string& field : fields) out.credentials.fields[field] = Secret("the-" + field);
    return out;
  }
  Call call() const {
    Call out = BackgroundCall("test");
    out.deadline = clock_.Now() + absl::Seconds(10);
    return out;
  }

 private:
  struct Step {
    net::HttpResponse response;
    bool reset;
    StreamScript* stream;
  };
  void Answer(net::HttpRequest request, const net::Responder& responder) {
    Step step{{599, {}, "unexpected"}, false, nullptr};
    const auto socket = net::AcceptSocket(request);
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
      if (!script_.empty()) {
        step = std::move(script_.front());
        script_.pop_front();
      }
    }
    if (step.stream != nullptr) return step.stream->Open(responder, socket.value_or(step.response));
    step.reset ? responder.Abort() : responder.Send(std::move(step.response));
  }

  RealClock clock_;
  obs::Metrics metrics_;
  std::mutex mutex_;
  std::deque<Step> script_;
  std::vector<net::HttpRequest> requests_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpClient> client_;
  std::unique_ptr<net::StreamClient> streams_;
  std::map<std::string, std::unique_ptr<Connector>> connectors_;
};

}  // namespace parvis::networks
