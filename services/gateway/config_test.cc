// What the gateway's settings must agree on with each other, and that its defaults do.
#include "gateway/config.h"

#include <gtest/gtest.h>

namespace parvis::gateway {
namespace {

TEST(GatewayConfigTest, TheDefaultsAgree) {
  const GatewayConfig config;
  EXPECT_TRUE(config.Check().ok()) << config.Check();
  EXPECT_LT(config.Limits().at_once.streams_per_key_max, config.Limits().at_once.streams_max);
}

TEST(GatewayConfigTest, StreamsLeaveConnectionsForCalls) {
  GatewayConfig config;
  config.http.connections_max = config.calls.at_once.streams_max + 1;
  EXPECT_TRUE(config.Check().ok());
  config.http.connections_max = config.calls.at_once.streams_max;
  EXPECT_EQ(ReasonOf(config.Check()), "NO_CONNECTIONS_LEFT");
}

TEST(GatewayConfigTest, AMessageFitsIntoABody) {
  GatewayConfig config;
  config.calls.message_max_bytes = static_cast<int>(config.http.body_max_bytes) + 1;
  EXPECT_EQ(ReasonOf(config.Check()), "BODY_SMALLER");
}

TEST(GatewayConfigTest, APieceOfAMediumFitsIntoWhatMayWait) {
  GatewayConfig config;
  config.http.stream_queue_max_bytes = config.calls.media_piece_bytes - 1;
  EXPECT_EQ(ReasonOf(config.Check()), "QUEUE_SMALLER");
}

// Every bound is a setting, and none of them can be switched off (a body of at most 0 bytes is no body).
TEST(GatewayConfigTest, EveryBoundIsASetting) {
  GatewayConfig config;
  app::Options options;
  config.Declare(options);
  EXPECT_TRUE(app::Parse("gateway", options, {}, {}).ok());
  for (const char* name : {"http_connections_max",
                           "http_header_max_bytes",
                           "http_header_max",
                           "http_body_max",
                           "http_keepalive_max",
                           "http_stream_queue_max_bytes",
                           "message_max_bytes",
                           "json_depth_max",
                           "call_max",
                           "streams_max",
                           "streams_per_workspace_max",
                           "streams_per_key_max",
                           "stream_max",
                           "calls_max",
                           "calls_per_workspace_max",
                           "calls_per_second",
                           "calls_burst",
                           "workspace_calls_per_second",
                           "workspace_calls_burst",
                           "unknown_calls_per_second",
                           "unknown_calls_burst",
                           "media_piece_bytes",
                           "keys_max"}) {
    const Error error = ToError(app::Parse("gateway", options, {std::string("--") + name + "=0"}, {}));
    ASSERT_EQ(error.violations.size(), 1u) << name;
    EXPECT_EQ(error.violations[0].field, std::string("--") + name);
  }
}

}  // namespace
}  // namespace parvis::gateway
