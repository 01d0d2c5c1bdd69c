// What the gateway refuses when it is too much: of one key, of one workspace, of one host, of all.
#include <atomic>
#include <thread>
#include <vector>

#include "gateway/transport/testdata/gateway_world.h"

namespace parvis::gateway {
namespace {

using rpc::testing::EchoServer;
using rpc::testing::Gate;
using rpctest::v1::EchoRequest;

TEST(GatewayLimitsTest, TooManyCallsOfOneKey) {
  CallLimits limits = SmallLimits();
  limits.keys = {.per_second = 1, .burst = 3};
  World world(limits);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.Post(kEcho, "{}").http_status, 200);
  const auto result = world.Post(kEcho, "{}");
  EXPECT_EQ(result.http_status, 429);
  EXPECT_EQ(result.headers.at("retry-after"), "1");
  EXPECT_TRUE(Has(result.body, "RATE_LIMITED")) << result.body;
  EXPECT_EQ(world.Post(kEcho, "{}", {}, "moderator").http_status, 200);  // another key
  // Guessing is limited too: refused before anyone is asked.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.Post(kEcho, "{}", {}, "guess").http_status, 401);
  EXPECT_EQ(world.Post(kEcho, "{}", {}, "guess").http_status, 429);
}

TEST(GatewayLimitsTest, TooManyStreams) {
  World world;  // two at most
  net::RawSocket first = OpenStream(world, "owner");
  {
    const net::RawSocket second = OpenStream(world, "moderator");
    const auto refused = world.Stream(R"({"close":true})", "analyst");
    EXPECT_TRUE(Has(refused.body, R"("code":"unavailable")")) << refused.body;
    EXPECT_TRUE(Has(refused.body, "TOO_MANY_STREAMS")) << refused.body;
    EXPECT_EQ(world.Post(kEcho, "{}").http_status, 200);  // calls go on
  }
  // A client that left makes room.
  EXPECT_TRUE(testing::WaitFor([&] { return !Has(world.Stream(R"({"close":true})").body, "TOO_MANY_STREAMS"); }));
}

TEST(GatewayLimitsTest, TooManyStreamsOfOneKey) {
  CallLimits limits = SmallLimits();
  limits.at_once.streams_max = 10;
  limits.at_once.streams_per_key_max = 2;
  World world(limits);
  net::RawSocket first = OpenStream(world, "owner");
  {
    const net::RawSocket second = OpenStream(world, "owner");
    const auto refused = world.Stream(R"({"close":true})");
    EXPECT_TRUE(Has(refused.body, R"("code":"resource_exhausted")")) << refused.body;
    EXPECT_TRUE(Has(refused.body, "TOO_MANY_STREAMS_OF_KEY")) << refused.body;
    EXPECT_EQ(Messages(world.Stream(R"({"close":true})", "moderator").body).back().second, "{}");  // another key
  }
  EXPECT_TRUE(testing::WaitFor([&] { return Messages(world.Stream(R"({"close":true})").body).back().second == "{}"; }));
}

// "owner", "moderator" and "analyst" are keys of one workspace, "wide" of another tenant.
TEST(GatewayLimitsTest, TooManyCallsOfOneWorkspace) {
  CallLimits limits = SmallLimits();
  limits.tenants = {.per_second = 0.5, .burst = 2};
  World world(limits);
  // The gateway learns from the first answers whose the keys are.
  EXPECT_EQ(world.Post(kEcho, "{}", {}, "owner").http_status, 200);
  EXPECT_EQ(world.Post(kEcho, "{}", {}, "moderator").http_status, 200);
  EXPECT_EQ(world.Post(kEcho, "{}", {}, "wide").http_status, 200);
  EXPECT_EQ(world.Post(kEcho, "{}", {}, "owner").http_status, 200);
  EXPECT_EQ(world.Post(kEcho, "{}", {}, "moderator").http_status, 200);
  const auto result = world.Post(kEcho, "{}", {}, "owner");
  EXPECT_EQ(result.http_status, 429);
  EXPECT_GE(std::stoi(result.headers.at("retry-after")), 1);
  EXPECT_TRUE(Has(result.body, "WORKSPACE_RATE_LIMITED")) << result.body;
  EXPECT_EQ(world.Post(kEcho, "{}", {}, "moderator").http_status, 429);  // the same workspace
  EXPECT_EQ(world.Post(kEcho, "{}", {}, "wide").http_status, 200);       // another one
}

TEST(GatewayLimitsTest, GuessingWithANewKeyEveryTime) {
  CallLimits limits = SmallLimits();
  limits.hosts = {.per_second = 0.01, .burst = 3};
  World world(limits);
  EXPECT_EQ(world.Post(kEcho, "{}").http_status, 200);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(world.Post(kEcho, "{}", {}, "guess" + std::to_string(i)).http_status, 401);
  const auto result = world.Post(kEcho, "{}", {}, "guess2");
  EXPECT_EQ(result.http_status, 429);
  EXPECT_TRUE(Has(result.body, "UNKNOWN_KEY_RATE_LIMITED")) << result.body;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(world.Post(kEcho, "{}").http_status, 200);  // a key that is known
}

// Calls held at the backend, answered when the gate opens.
struct HeldCalls {
  explicit HeldCalls(World& w) : world(w) {
    world.echo.service.on_echo = [this](const Call&, const EchoRequest& request) {
      if (request.text() != "hold") return absl::OkStatus();
      ++running;
      release.Wait();
      return absl::OkStatus();
    };
  }
  ~HeldCalls() {
    release.Open();
    for (std::thread& caller : callers) caller.join();
  }
  void Hold(const std::string& key) {
    const int before = running;
    callers.emplace_back([this, key] { EXPECT_EQ(world.Post(kEcho, R"({"text":"hold"})", {}, key).http_status, 200); });
    ASSERT_TRUE(testing::WaitFor([&] { return running == before + 1; }, absl::Seconds(10)));
  }
  World& world;
  Gate release;
  std::atomic<int> running{0};
  std::vector<std::thread> callers;
};

TEST(GatewayLimitsTest, TooManyCallsOfOneWorkspaceAtOnce) {
  CallLimits limits = SmallLimits();
  limits.at_once.calls_per_tenant_max = 2;
  World world(limits);
  for (const char* key : {"owner", "moderator", "analyst"}) (void)world.Post(kEcho, "{}", {}, key);  // learnt
  HeldCalls held(world);
  held.Hold("owner");
  held.Hold("moderator");
  const auto result = world.Post(kEcho, "{}", {}, "owner");
  EXPECT_EQ(result.http_status, 429);
  EXPECT_EQ(result.headers.at("retry-after"), "1");
  EXPECT_TRUE(Has(result.body, "TOO_MANY_CALLS_OF_WORKSPACE")) << result.body;
  EXPECT_EQ(world.Post(kEcho, "{}", {}, "wide").http_status, 200);
}

TEST(GatewayLimitsTest, TooManyCallsAtOnce) {
  CallLimits limits = SmallLimits();
  limits.at_once.calls_max = 2;
  World world(limits);
  HeldCalls held(world);
  held.Hold("owner");
  held.Hold("wide");
  const auto result = world.Post(kEcho, "{}", {}, "moderator");
  EXPECT_EQ(result.http_status, 503);
  EXPECT_EQ(result.headers.at("retry-after"), "1");
  EXPECT_TRUE(Has(result.body, R"("reason":"TOO_MANY_CALLS")")) << result.body;
}

TEST(GatewayLimitsTest, TooManyStreamsOfOneWorkspace) {
  CallLimits limits = SmallLimits();
  limits.at_once.streams_max = 10;
  limits.at_once.streams_per_tenant_max = 2;
  World world(limits);
  for (const char* key : {"owner", "moderator", "analyst"}) (void)world.Post(kEcho, "{}", {}, key);
  const net::RawSocket first = OpenStream(world, "owner"), second = OpenStream(world, "moderator");
  const auto refused = world.Stream(R"({"close":true})", "analyst");
  EXPECT_TRUE(Has(refused.body, "TOO_MANY_STREAMS_OF_WORKSPACE")) << refused.body;
  EXPECT_FALSE(Has(world.Stream(R"({"close":true})", "wide").body, "error"));
}

}  // namespace
}  // namespace parvis::gateway
