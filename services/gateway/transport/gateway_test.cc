// The gateway with a real HTTP server before it and a real gRPC server behind it.

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "gateway/transport/testdata/gateway_world.h"

namespace parvis::gateway {
namespace {

using rpc::testing::EchoServer;
using rpc::testing::Gate;
using rpc::testing::kOther;
using rpc::testing::kWorkspace;
using rpc::testing::ThingName;
using rpctest::v1::EchoRequest;
using rpctest::v1::EchoResponse;

class GatewayTest : public ::testing::Test {
 protected:
  World world_;
};

TEST_F(GatewayTest, UnaryJson) {
  const auto result = world_.Post(
      kEcho, R"({"text":"hello","kind":"KIND_LOUD","bigNumber":"12"})",
      {{"Connect-Protocol-Version", "1"}, {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}});
  EXPECT_EQ(result.http_status, 200) << result.body;
  EXPECT_EQ(result.headers.at("content-type"), "application/json");
  EXPECT_EQ(result.headers.at("parvis-trace-id"), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_TRUE(Has(result.body, R"("text":"hello")")) << result.body;
  EXPECT_TRUE(Has(result.body, R"("member":"member-owner")")) << result.body;
  EXPECT_TRUE(Has(result.body, R"("kind":"KIND_LOUD")")) << result.body;
  EXPECT_TRUE(Has(result.body, R"("bigNumber":"12")")) << result.body;
  EXPECT_TRUE(Has(result.body, R"("traceId":"0af7651916cd43dd8448eb211c80319c")")) << result.body;
}

TEST_F(GatewayTest, UnaryProto) {
  EchoRequest request;
  request.set_text("binary");
  const auto result = world_.Post(kEcho, request.SerializeAsString(), {{"Content-Type", "application/proto"}});
  EXPECT_EQ(result.http_status, 200);
  EXPECT_EQ(result.headers.at("content-type"), "application/proto");
  EchoResponse response;
  ASSERT_TRUE(response.ParseFromString(result.body));
  EXPECT_EQ(response.text(), "binary");
}

TEST_F(GatewayTest, BackendErrorsKeepCodeStatusAndDetails) {
  world_.echo.service.on_echo = [](const Call&, const EchoRequest& r) {
    if (r.text() == "busy") {
      return ToStatus(
          {.code = Code::kResourceExhausted, .reason = "BUSY", .message = "busy", .retry_after = absl::Seconds(7)});
    }
    return InvalidField("text", "TEXT_TOO_LONG", "at most 280");
  };
  auto result = world_.Post(kEcho, "{}");
  EXPECT_EQ(result.http_status, 400);
  EXPECT_TRUE(Has(result.body, R"("code":"invalid_argument")")) << result.body;
  EXPECT_TRUE(Has(result.body, R"("domain":"rpctest.parvis.dev")")) << result.body;
  EXPECT_TRUE(Has(result.body, R"("field":"text","description":"at most 280")")) << result.body;
  result = world_.Post(kEcho, R"({"text":"busy"})");
  EXPECT_EQ(result.http_status, 429);
  EXPECT_EQ(result.headers.at("retry-after"), "7");
  // Errors are JSON for binary callers too.
  result = world_.Post(kEcho, "", {{"Content-Type", "application/proto"}});
  EXPECT_EQ(result.headers.at("content-type"), "application/json");
}

TEST_F(GatewayTest, KeysArePassedOnAndJudgedBehind) {
  auto result = world_.Post(kEcho, "{}", {}, "");
  EXPECT_EQ(result.http_status, 401);
  EXPECT_EQ(result.headers.at("www-authenticate"), "Bearer");
  EXPECT_TRUE(Has(result.body, "TOKEN_MISSING")) << result.body;
  EXPECT_TRUE(Has(world_.Post(kEcho, "{}", {}, "nobody").body, "TOKEN_UNKNOWN"));
  EXPECT_EQ(world_.Post(kEcho, "{}", {}, "analyst").http_status, 403);
  result = world_.Post(kEcho, R"({"name":")" + ThingName(kOther) + R"("})");
  EXPECT_EQ(result.http_status, 403);
  EXPECT_TRUE(Has(result.body, "WORKSPACE_MISMATCH")) << result.body;
  EXPECT_TRUE(Has(world_.Post(kEcho, "{}", {}, "svc.abc.def").body, "TOKEN_UNKNOWN"));
  EXPECT_TRUE(Has(world_.Post(kEcho, "{}", {{"Authorization", "Basic eDp5"}}, "").body, "TOKEN_MALFORMED"));
  EXPECT_TRUE(Has(world_.Post(kEcho, "{}", {{"Authorization", "Bearer \xc3\xa9"}}, "").body, "TOKEN_MALFORMED"));
}

TEST_F(GatewayTest, WrongRequestsAreAnsweredPrecisely) {
  const auto expect = [&](const net::ClientResult& result, int status, const std::string& part) {
    EXPECT_EQ(result.http_status, status) << result.body << result.status;
    EXPECT_TRUE(Has(result.body, part)) << result.body;
  };
  expect(world_.Post("/nope", "{}"), 404, "METHOD_UNKNOWN");
  expect(world_.Post("/parvis.rpctest.v1.EchoService/Internal", "{}"), 404, "METHOD_UNKNOWN");  // services only
  expect(world_.Post("/parvis.rpctest.v1.BareService/Bare", "{}"), 404, "METHOD_UNKNOWN");      // no role
  expect(world_.Post("/parvis.rpctest.v1.EchoService/Open", "{}"), 404, "METHOD_UNKNOWN");      // anyone, but not by a key
  expect(world_.Post(kEcho, "{}", {{"Content-Type", "text/plain"}}), 415, "CONTENT_TYPE");
  expect(world_.Post(kEcho, "{}", {{"Content-Type", "application/connect+json"}}), 415, "CONTENT_TYPE");
  EXPECT_EQ(world_.Post(kEcho, "{}", {{"Content-Type", "text/plain"}}).headers.at("accept-post"),
            "application/json, application/proto");
  expect(world_.Post(kEcho, "{}", {{"Connect-Protocol-Version", "2"}}), 400, "PROTOCOL_VERSION");
  expect(world_.Post(kEcho, "{}", {{"Connect-Timeout-Ms", "soon"}}), 400, "TIMEOUT");
  expect(world_.Post(kEcho, "{}", {{"Connect-Timeout-Ms", "12345678901"}}), 400, "TIMEOUT");
  expect(world_.Post(kEcho, "{}", {{"Content-Encoding", "gzip"}}), 501, "supported: identity");
  expect(world_.Post(kEcho, R"({"noSuch":1})"), 400, R"("field":"noSuch")");
  expect(world_.Post(kEcho, "{"), 400, "NOT_JSON");
  expect(world_.Post(kEcho, "{\"text\":\"\xff\"}"), 400, "NOT_UTF8");
  expect(world_.Post(kEcho, R"({"text":")" + std::string(20000, 'x') + R"("})"), 400, "MESSAGE_TOO_LARGE");
  net::RawSocket socket = net::RawSocket::Connect(net::PortOf(world_.server.address()));
  ASSERT_TRUE(socket.Send(std::string("POST ") + kEcho + " HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n"));
  EXPECT_TRUE(Has(socket.ReadToEnd(), "HTTP/1.1 413"));
  Call call;
  call.deadline = world_.clock.Now() + absl::Seconds(20);
  const auto get = world_.client.Send(call, {.method = "GET", .url = "http://" + world_.server.address() + kEcho});
  expect(get, 405, "HTTP_METHOD");
  EXPECT_EQ(get.headers.at("allow"), "POST");
}

TEST_F(GatewayTest, Healthz) {
  Call call;
  call.deadline = world_.clock.Now() + absl::Seconds(20);
  const auto result = world_.client.Send(call, {.url = "http://" + world_.server.address() + "/healthz"});
  EXPECT_EQ(result.http_status, 200);
  EXPECT_EQ(result.body, "ok\n");
}

TEST_F(GatewayTest, TheTimeoutIsTheCallsDeadline) {
  auto result = world_.Post(kEcho, "{}", {{"Connect-Timeout-Ms", "2000"}});
  const size_t at = result.body.find("\"remainingMillis\":\"");
  ASSERT_NE(at, std::string::npos) << result.body;
  EXPECT_LE(std::stoi(result.body.substr(at + 19)), 2100);
  const auto release = std::make_shared<Gate>();  // shared: the abandoned call outlives this test's frame
  world_.echo.service.on_echo = [release](const Call&, const EchoRequest&) {
    release->Wait();
    return absl::OkStatus();
  };
  result = world_.Post(kEcho, "{}", {{"Connect-Timeout-Ms", "100"}});
  EXPECT_EQ(result.http_status, 504) << result.body;
  EXPECT_TRUE(Has(result.body, R"("code":"deadline_exceeded")")) << result.body;
  release->Open();
}

TEST_F(GatewayTest, AStepOfTheWallClockMovesNoDeadline) {
  for (const absl::Duration step : {absl::Hours(-1), absl::Hours(1)}) {
    world_.clock.step = step;
    const auto result = world_.Post(kEcho, "{}", {{"Connect-Timeout-Ms", "10000"}});
    EXPECT_EQ(result.http_status, 200) << result.body;
    const size_t at = result.body.find("\"remainingMillis\":\"");
    ASSERT_NE(at, std::string::npos) << result.body;
    EXPECT_LE(std::stoi(result.body.substr(at + 19)), 10100);
    const auto streamed =
        Messages(world_
                     .Post(kWatch, MakeEnvelope(0, R"({"count":1,"close":true})"),
                           {{"Content-Type", "application/connect+json"}, {"Connect-Timeout-Ms", "10000"}})
                     .body);
    EXPECT_EQ(streamed.size(), 2u);
  }
}

TEST_F(GatewayTest, ABackendThatIsAwayIsUnavailableAndItsAddressIsNotTold) {
  world_.echo.server.Stop(absl::ZeroDuration());
  const auto result = world_.Post(kEcho, "{}");
  EXPECT_EQ(result.http_status, 503) << result.body;
  EXPECT_TRUE(Has(result.body, "BACKEND_UNAVAILABLE")) << result.body;
  EXPECT_FALSE(Has(result.body, "127.0.0.1")) << result.body;
}

TEST_F(GatewayTest, StreamJson) {
  const auto result = world_.Stream(R"({"count":3,"close":true,"text":"s"})");
  EXPECT_EQ(result.http_status, 200);
  EXPECT_EQ(result.headers.at("content-type"), "application/connect+json");
  const auto messages = Messages(result.body);
  ASSERT_EQ(messages.size(), 4u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(messages[static_cast<size_t>(i)].first, 0);
    EXPECT_TRUE(Has(messages[static_cast<size_t>(i)].second, "\"sequence\":\"" + std::to_string(i) + "\""));
  }
  EXPECT_EQ(messages[3], (std::pair<int, std::string>(2, "{}")));
}

TEST_F(GatewayTest, StreamProto) {
  EchoRequest request;
  request.set_count(2);
  request.set_close(true);
  const auto result = world_.Post(kWatch, MakeEnvelope(0, request.SerializeAsString()),
                                  {{"Content-Type", "application/connect+proto"}});
  const auto messages = Messages(result.body);
  ASSERT_EQ(messages.size(), 3u);
  EchoResponse response;
  ASSERT_TRUE(response.ParseFromString(messages[1].second));
  EXPECT_EQ(response.sequence(), 1);
  EXPECT_EQ(messages[2], (std::pair<int, std::string>(2, "{}")));
}

TEST_F(GatewayTest, StreamErrorsComeInTheEndMessage) {
  const auto error_of = [](const net::ClientResult& result) {
    EXPECT_EQ(result.http_status, 200) << result.body;
    const auto messages = Messages(result.body);
    if (messages.empty() || messages.back().first != 2) return std::string("no end");
    return messages.back().second;
  };
  EXPECT_TRUE(Has(error_of(world_.Stream(R"({"text":"refuse"})")),
                  R"({"error":{"code":"failed_precondition","message":"no stream today")"));
  EXPECT_TRUE(Has(error_of(world_.Stream(R"({"text":"fail","count":1,"close":true})")), "BROKEN"));
  EXPECT_TRUE(Has(error_of(world_.Stream("{}", "nobody")), "TOKEN_UNKNOWN"));
  EXPECT_TRUE(Has(error_of(world_.Stream(R"({"x":1})")), R"("field":"x")"));
  const net::Headers json = {{"Content-Type", "application/connect+json"}};
  EXPECT_TRUE(Has(error_of(world_.Post(kWatch, "", json)), "ENVELOPE_MISSING"));
  EXPECT_TRUE(Has(error_of(world_.Post(kWatch, MakeEnvelope(1, "x"), json)), "supported: identity"));
  EXPECT_TRUE(
      Has(error_of(world_.Post(kWatch, MakeEnvelope(0, "{}"),
                               {{"Content-Type", "application/connect+json"}, {"Connect-Content-Encoding", "gzip"}})),
          "COMPRESSION"));
}

TEST_F(GatewayTest, AStreamOfAClientThatLeavesEndsBehind) {
  Gate opened, ended;
  world_.echo.service.on_watch = [&](std::shared_ptr<rpc::StreamSink> sink) {
    sink->OnEnd([&] { ended.Open(); });
    opened.Open();
  };
  {
    net::RawSocket socket = net::RawSocket::Connect(net::PortOf(world_.server.address()));
    const std::string body = MakeEnvelope(0, R"({"count":1})");
    ASSERT_TRUE(socket.Send(std::string("POST ") + kWatch +
                            " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer owner\r\n"
                            "Content-Type: application/connect+json\r\nContent-Length: " +
                            std::to_string(body.size()) + "\r\n\r\n" + body));
    EXPECT_TRUE(Has(socket.Read([](const std::string& text) { return Has(text, "sequence"); }), "sequence"));
    ASSERT_TRUE(opened.Wait());
  }
  EXPECT_TRUE(ended.Wait());
}

TEST_F(GatewayTest, StopEndsStreamsWithAReason) {
  Gate opened;
  world_.echo.service.on_watch = [&](std::shared_ptr<rpc::StreamSink>) { opened.Open(); };
  net::ClientResult result;
  std::thread caller([&] { result = world_.Stream(R"({"count":1})"); });
  ASSERT_TRUE(opened.Wait());
  world_.gateway.EndStreams();
  caller.join();
  const auto messages = Messages(result.body);
  ASSERT_FALSE(messages.empty());
  EXPECT_TRUE(Has(messages.back().second, "SHUTTING_DOWN")) << messages.back().second;
  EXPECT_TRUE(Has(world_.Stream(R"({"close":true})").body, "TOO_MANY_STREAMS"));
}

TEST(GatewayLimitsTest, AStreamEndsAfterAWhile) {
  CallLimits limits = SmallLimits();
  limits.stream_max = absl::Milliseconds(300);
  World world(limits);
  const auto aged = Messages(world.Stream(R"({"count":1})").body);
  ASSERT_EQ(aged.size(), 2u);
  EXPECT_TRUE(Has(aged[1].second, R"("code":"unavailable")")) << aged[1].second;
  EXPECT_TRUE(Has(aged[1].second, "STREAM_EXPIRED")) << aged[1].second;
  // A caller that asked for less gets what it asked for.
  const auto asked = world.Post(kWatch, MakeEnvelope(0, R"({"count":1})"),
                                {{"Content-Type", "application/connect+json"}, {"Connect-Timeout-Ms", "100"}});
  EXPECT_TRUE(Has(asked.body, R"("code":"deadline_exceeded")")) << asked.body;
}

TEST(GatewayLimitsTest, APackageNobodyServes) {
  obs::Metrics metrics;
  RealClock clock;
  const MethodTable methods({"parvis/platform/rpctest/v1/echo_service.proto"});
  EXPECT_EQ(methods.packages(), std::vector<std::string>{"parvis.rpctest.v1"});
  EXPECT_EQ(methods.methods().size(), 2u);
  const Backends none({}, {}, clock, metrics);
  EXPECT_EQ(none.Find("parvis.rpctest.v1"), nullptr);
}

}  // namespace
}  // namespace parvis::gateway
