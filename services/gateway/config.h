// Configuration of the gateway.
#pragma once

#include <map>
#include <string>

#include "gateway/transport/gateway.h"
#include "platform/app/config.h"
#include "platform/net/http_server.h"

namespace parvis::gateway {

struct GatewayConfig {
  app::ProcessConfig process;
  net::HttpServerConfig http{.body_max_bytes = 2 << 20};
  std::map<std::string, std::string> backends;  // proto package -> gRPC address
  CallLimits calls;
  int calls_per_second = 200;
  int calls_burst = 400;

  void Declare(app::Options& o) {
    process.Declare(o);
    http.Declare(o);
    o.Map("backends", &backends, "Where each package is served: parvis.inbox.v1=127.0.0.1:1234,...");
    o.Duration("call_max", &calls.call_max, "Cap of every unary call's time, and the time of calls that set none.",
               absl::Milliseconds(100), absl::Seconds(55));
    o.Int("message_max_bytes", &calls.message_max_bytes, "Largest request message, in bytes.", {1024, 16 << 20});
    o.Int("json_depth_max", &calls.json_depth_max, "Deepest nesting of a JSON request.", {4, 90});
    o.Int("streams_max", &calls.streams_max, "Server streams that may be open at once.", {1, 100000});
    o.Int("calls_per_second", &calls_per_second, "Calls a second that one key may make.", {1, 1000000});
    o.Int("calls_burst", &calls_burst, "Calls that one key may make at once.", {1, 1000000});
    o.Int("keys_max", &calls.keys.keys_max, "Keys whose rate is remembered.", {1, 10000000});
  }

  CallLimits Limits() const {
    CallLimits limits = calls;
    limits.keys.per_second = calls_per_second;
    limits.keys.burst = calls_burst;
    return limits;
  }
};

}  // namespace parvis::gateway
