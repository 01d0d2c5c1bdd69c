// The gateway with a real HTTP server before it and a real gRPC server behind it; for the tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/transport/envelope.h"
#include "gateway/transport/gateway.h"
#include "platform/net/http_client.h"
#include "platform/net/raw_socket.h"
#include "platform/rpc/testdata/echo.h"
#include "platform/testing/wait.h"

namespace parvis::gateway {

inline constexpr char kEcho[] = "/parvis.rpctest.v1.EchoService/Echo";
inline constexpr char kWatch[] = "/parvis.rpctest.v1.EchoService/Watch";

inline CallLimits SmallLimits() {
  CallLimits config;
  config.message_max_bytes = 20000;
  config.at_once.streams_max = 2;
  return config;
}

// A machine whose wall clock is wrong, or is set while it runs.
struct SteppedClock : RealClock {
  absl::Time WallNow() const override { return RealClock::WallNow() + step; }
  absl::Duration step;
};

// The gateway, its neighbours and a client.
struct World {
  explicit World(const CallLimits& limits = SmallLimits(), rpc::ServerConfig server_config = {})
      : echo(server_config),
        methods({"parvis/platform/rpctest/v1/echo_service.proto", "no/such/file.proto"}),
        backends({{"parvis.rpctest.v1", echo.server.address()}}, {}, clock, metrics),
        gateway(limits, methods, backends, clock, metrics),
        server(net::HttpServerConfig{.body_max_bytes = 2 << 20}, "gateway", metrics,
               [this](net::HttpRequest request, net::Responder responder) {
                 gateway.Handle(std::move(request), std::move(responder));
               }),
        client(ClientConfig(), clock, metrics) {
    EXPECT_TRUE(echo.started.ok()) << echo.started;
    const Status status = server.Start();
    EXPECT_TRUE(status.ok()) << status;
  }
  ~World() {
    gateway.EndStreams();
    server.Stop(absl::Seconds(5));
    EXPECT_TRUE(gateway.WaitIdle(absl::Seconds(10)));
  }
  static net::HttpClientConfig ClientConfig() {
    net::HttpClientConfig config;
    config.allowed_networks = {"127.0.0.0/8"};
    return config;
  }
  net::ClientResult Post(const std::string& path, const std::string& body, net::Headers headers = {},
                         const std::string& key = "owner") {
    headers.emplace("Content-Type", "application/json");
    if (!key.empty()) headers.emplace("Authorization", "Bearer " + key);
    Call call;
    call.deadline = clock.Now() + absl::Seconds(20);
    return client.Send(
        call, {.method = "POST", .url = "http://" + server.address() + path, .headers = headers, .body = body});
  }
  net::ClientResult Stream(const std::string& message, const std::string& key = "owner") {
    return Post(kWatch, MakeEnvelope(0, message), {{"Content-Type", "application/connect+json"}}, key);
  }

  SteppedClock clock;
  obs::Metrics metrics;
  rpc::testing::EchoServer echo;
  MethodTable methods;
  Backends backends;
  Gateway gateway;
  net::HttpServer server;
  net::HttpClient client;
};

inline bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The enveloped messages of a stream's body: flags and message.
inline std::vector<std::pair<int, std::string>> Messages(std::string_view body) {
  std::vector<std::pair<int, std::string>> out;
  while (body.size() >= 5) {
    size_t length = 0;
    for (int i = 1; i < 5; ++i) length = length << 8 | static_cast<unsigned char>(body[static_cast<size_t>(i)]);
    out.emplace_back(body[0], body.substr(5, length));
    body.remove_prefix(std::min(body.size(), 5 + length));
  }
  EXPECT_TRUE(body.empty());
  return out;
}

// Streams held open by clients of their own, each on a raw connection.
inline net::RawSocket OpenStream(World& world, const std::string& key) {
  net::RawSocket socket = net::RawSocket::Connect(net::PortOf(world.server.address()));
  const std::string body = MakeEnvelope(0, R"({"count":1})");
  EXPECT_TRUE(socket.Send(std::string("POST ") + kWatch + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + key +
                          "\r\nContent-Type: application/connect+json\r\nContent-Length: " +
                          std::to_string(body.size()) + "\r\n\r\n" + body));
  EXPECT_TRUE(Has(socket.Read([](const std::string& text) { return Has(text, "sequence"); }), "sequence"));
  return socket;
}

}  // namespace parvis::gateway
