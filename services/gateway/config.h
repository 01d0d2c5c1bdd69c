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
  rpc::TlsConfig backends_tls;
  std::string backends_tls_name;
  CallLimits calls;
  int calls_per_second = 200;
  int calls_burst = 400;
  int workspace_calls_per_second = 500, workspace_calls_burst = 1000;
  int unknown_calls_per_second = 200, unknown_calls_burst = 400;

  void Declare(app::Options& o) {
    process.Declare(o);
    http.Declare(o);
    o.Map("backends", &backends, "Where each package is served: parvis.inbox.v1=127.0.0.1:1234,...");
    backends_tls.Declare(o, "backends_tls_");
    o.String("backends_tls_name", &backends_tls_name,
             "Name that the certificates of all services must bear, if not the hosts of their addresses.");
    o.Duration("call_max", &calls.call_max, "Cap of every unary call's time, and the time of calls that set none.",
               absl::Milliseconds(100), absl::Seconds(55));
    o.Int("message_max_bytes", &calls.message_max_bytes, "Largest request message, in bytes.", {1024, 16 << 20});
    o.Int("json_depth_max", &calls.json_depth_max, "Deepest nesting of a JSON request.", {4, 90});
    o.Int("calls_max", &calls.at_once.calls_max, "Unary calls that may wait for their answer at once.", {1, 100000});
    o.Int("calls_per_workspace_max", &calls.at_once.calls_per_tenant_max, "Those of one workspace.", {1, 100000});
    o.Int("streams_max", &calls.at_once.streams_max,
          "Server streams that may be open at once; fewer than http_connections_max, for each keeps a connection.",
          {1, 100000});
    o.Int("streams_per_workspace_max", &calls.at_once.streams_per_tenant_max,
          "Server streams that one workspace may have open at once.", {1, 100000});
    o.Int("streams_per_key_max", &calls.at_once.streams_per_key_max,
          "Server streams that one key may have open at once.", {1, 100000});
    o.Duration("stream_max", &calls.stream_max,
               "Longest life of a server stream; who was cut off connects again and is asked for the key again.",
               absl::Seconds(1), absl::Hours(24));
    o.Int("calls_per_second", &calls_per_second, "Calls a second that one key may make.", {1, 1000000});
    o.Int("calls_burst", &calls_burst, "Calls that one key may make at once.", {1, 1000000});
    o.Int("workspace_calls_per_second", &workspace_calls_per_second,
          "Calls a second that all keys of one workspace together may make.", {1, 1000000});
    o.Int("workspace_calls_burst", &workspace_calls_burst, "Calls that they may make at once.", {1, 1000000});
    o.Int("unknown_calls_per_second", &unknown_calls_per_second,
          "Calls a second from one host with keys that no service has recognised yet, all together: guessing.",
          {1, 1000000});
    o.Int("unknown_calls_burst", &unknown_calls_burst, "Calls that they may make at once.", {1, 1000000});
    o.Int("media_piece_bytes", &calls.media_piece_bytes,
          "Bytes of a medium that are asked for and sent on at once; at most http_stream_queue_max_bytes.",
          {4096, 1 << 20});
    o.Int("keys_max", &calls.keys.keys_max, "Keys, workspaces and hosts whose rate is remembered.", {1, 10000000});
  }

  // What the settings must agree on with each other.
  Status Check() const {
    PARVIS_RETURN_IF_ERROR(backends_tls.Check());
    if (calls.at_once.streams_max >= http.connections_max) {
      return InvalidField(
          "streams_max", "NO_CONNECTIONS_LEFT",
          "must be smaller than http_connections_max: each stream keeps a connection, and calls need some");
    }
    if (calls.message_max_bytes > http.body_max_bytes) {
      return InvalidField("message_max_bytes", "BODY_SMALLER", "must not be larger than http_body_max_bytes");
    }
    if (calls.media_piece_bytes > http.stream_queue_max_bytes) {
      return InvalidField("media_piece_bytes", "QUEUE_SMALLER", "must not be larger than http_stream_queue_max_bytes");
    }
    return absl::OkStatus();
  }

  CallLimits Limits() const {
    CallLimits limits = calls;
    limits.keys.per_second = calls_per_second;
    limits.keys.burst = calls_burst;
    limits.tenants = {static_cast<double>(workspace_calls_per_second), static_cast<double>(workspace_calls_burst),
                      limits.keys.keys_max};
    limits.hosts = {static_cast<double>(unknown_calls_per_second), static_cast<double>(unknown_calls_burst),
                    limits.keys.keys_max};
    limits.at_once.keys_max = limits.keys.keys_max;
    return limits;
  }
};

}  // namespace parvis::gateway
