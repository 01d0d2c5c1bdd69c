// Media by signed address: the gateway with a real HTTP server before it and, behind it, a service that keeps one medium.
#include "gateway/transport/media_call.h"

#include <limits>
#include <mutex>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "gateway/transport/testdata/gateway_world.h"
#include "parvis/publishing/v1/media_service.grpc.pb.h"

namespace parvis::gateway {
namespace {

constexpr char kPath[] = "/media/0190a0b1-0000-7000-8000-000000000001/0190a0b1-0000-7000-8000-00000000c001";
constexpr char kName[] = "workspaces/0190a0b1-0000-7000-8000-000000000001/media/0190a0b1-0000-7000-8000-00000000c001";
constexpr char kSigned[] = "?expires=4000000000&signature=good";

// Gives out `content` to whoever brings the signature "good".
class FakeContent : public publishing::v1::MediaContentService::Service {
 public:
  grpc::Status FetchContent(grpc::ServerContext* context, const platform::v1::FetchContentRequest* request,
                            platform::v1::FetchContentResponse* response) override {
    const std::lock_guard lock(mutex);
    if (context->client_metadata().count("authorization") > 0) return {grpc::StatusCode::INTERNAL, "a key was passed on"};
    asked.push_back(*request);
    if (!next.ok()) return std::exchange(next, grpc::Status::OK);
    if (request->name() != kName || request->expires() != 4000000000 || request->signature() != "good") {
      return {grpc::StatusCode::NOT_FOUND, "no"};
    }
    response->set_type(type);
    response->set_size_bytes(static_cast<int64_t>(content.size()));
    response->set_sha256("abc");
    if (request->length() > 0 && request->offset() < static_cast<int64_t>(content.size())) {
      if (request->offset() >= cut) return {grpc::StatusCode::UNAVAILABLE, "away"};
      response->set_content(
          content.substr(static_cast<size_t>(request->offset()), static_cast<size_t>(request->length())));
    }
    return grpc::Status::OK;
  }
  size_t questions() {
    const std::lock_guard lock(mutex);
    return asked.size();
  }

  std::mutex mutex;
  std::string type = "image/jpeg", content = "0123456789";
  int64_t cut = std::numeric_limits<int64_t>::max();  // from there on the service is away
  grpc::Status next;
  std::vector<platform::v1::FetchContentRequest> asked;
};

struct MediaWorld {
  explicit MediaWorld(CallLimits limits = SmallLimits()) {
    limits.media_piece_bytes = 4096;
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    backend = builder.BuildAndStart();
    backends = std::make_unique<Backends>(
        std::map<std::string, std::string>{{"parvis.publishing.v1", "127.0.0.1:" + std::to_string(port)}},
        rpc::ClientConfig{}, clock, metrics);
    gateway = std::make_unique<Gateway>(limits, methods, *backends, clock, metrics);
    net::HttpServerConfig config;
    config.stream_queue_max_bytes = 4096;
    server = std::make_unique<net::HttpServer>(config, "gateway", metrics,
                                               [this](net::HttpRequest request, net::Responder responder) {
                                                 gateway->Handle(std::move(request), std::move(responder));
                                               });
    const Status status = server->Start();
    EXPECT_TRUE(status.ok()) << status;
  }
  ~MediaWorld() {
    gateway->EndStreams();
    server->Stop(absl::Seconds(5));
    EXPECT_TRUE(gateway->WaitIdle(absl::Seconds(10)));
    backend->Shutdown();
  }
  net::ClientResult Get(const std::string& target, net::Headers headers = {}, const std::string& method = "GET") {
    Call call;
    call.deadline = clock.Now() + absl::Seconds(20);
    return client.Send(call, {.method = method, .url = "http://" + server->address() + target, .headers = headers});
  }
  net::ClientResult Signed(net::Headers headers = {}, const std::string& method = "GET") {
    return Get(std::string(kPath) + kSigned, std::move(headers), method);
  }

  SteppedClock clock;
  obs::Metrics metrics;
  FakeContent service;
  std::unique_ptr<grpc::Server> backend;
  const MethodTable methods{{}};
  std::unique_ptr<Backends> backends;
  std::unique_ptr<Gateway> gateway;
  std::unique_ptr<net::HttpServer> server;
  net::HttpClient client{World::ClientConfig(), clock, metrics};
};

std::string HeaderOf(const net::ClientResult& result, const std::string& name) {
  const auto at = result.headers.find(name);
  return at == result.headers.end() ? "(none)" : at->second;
}

class MediaCallTest : public ::testing::Test {
 protected:
  MediaWorld world_;
};

TEST_F(MediaCallTest, WhoHasTheAddressGetsTheMedium) {
  const auto got = world_.Signed();
  EXPECT_EQ(got.http_status, 200) << got.body << got.status;
  EXPECT_EQ(got.body, "0123456789");
  EXPECT_EQ(HeaderOf(got, "content-length"), "10");
  EXPECT_EQ(HeaderOf(got, "content-type"), "image/jpeg");
  EXPECT_EQ(HeaderOf(got, "content-disposition"), "inline");
  EXPECT_EQ(HeaderOf(got, "x-content-type-options"), "nosniff");
  EXPECT_EQ(HeaderOf(got, "content-security-policy"), "default-src 'none'; sandbox");
  EXPECT_EQ(HeaderOf(got, "accept-ranges"), "bytes");
  EXPECT_EQ(HeaderOf(got, "etag"), "\"abc\"");
  EXPECT_EQ(HeaderOf(got, "cache-control").rfind("private, max-age=", 0), 0u);
  EXPECT_EQ(got.headers.count("transfer-encoding"), 0u);
  const auto head = world_.Signed({}, "HEAD");
  EXPECT_EQ(head.http_status, 200);
  EXPECT_EQ(HeaderOf(head, "content-length"), "10");
  EXPECT_EQ(head.body, "");
  world_.service.type = "application/pdf";
  EXPECT_EQ(HeaderOf(world_.Signed({{"Authorization", "Bearer owner"}}), "content-disposition"), "attachment");
  const std::string metrics = world_.metrics.Expose();
  EXPECT_TRUE(Has(metrics, "method=\"FetchContent\"")) << "it is counted like every call";
  EXPECT_FALSE(Has(metrics, "good")) << "and what opens it is nowhere";
}

TEST_F(MediaCallTest, RangesAreServed) {
  const auto part = [&](const std::string& range, net::Headers more = {}) {
    more["Range"] = range;
    const auto got = world_.Signed(more);
    const auto content_range = got.headers.find("content-range");
    return std::to_string(got.http_status) + " " + got.body + " " +
           (content_range == got.headers.end() ? "" : content_range->second);
  };
  EXPECT_EQ(part("bytes=0-0"), "206 0 bytes 0-0/10");
  EXPECT_EQ(part("bytes=2-5"), "206 2345 bytes 2-5/10");
  EXPECT_EQ(part("bytes=8-"), "206 89 bytes 8-9/10");
  EXPECT_EQ(part("bytes=8-1000"), "206 89 bytes 8-9/10");
  EXPECT_EQ(part("bytes=-3"), "206 789 bytes 7-9/10");
  EXPECT_EQ(part("bytes=-99"), "206 0123456789 bytes 0-9/10");
  EXPECT_EQ(part("bytes=10-"), "416  bytes */10");
  EXPECT_EQ(part("bytes=-0"), "416  bytes */10");
  for (const char* none : {"bytes=0-1,4-5", "bytes=5-2", "bytes=-", "bytes=a-b", "lines=0-1", "bytes=0x1-2",
                           "bytes=99999999999999999999-", "bytes= 1-2"}) {
    EXPECT_EQ(part(none), "200 0123456789 ") << none;
  }
  EXPECT_EQ(part("bytes=0-0", {{"If-Range", "\"abc\""}}), "206 0 bytes 0-0/10");
  EXPECT_EQ(part("bytes=0-0", {{"If-Range", "\"other\""}}), "200 0123456789 ");
}

// A slow or hurried reader gets what is there, with never more than a piece in memory.
TEST_F(MediaCallTest, LargeOnesGoOutPieceByPiece) {
  std::string large(1'000'000, 'x');
  for (size_t i = 0; i < large.size(); i += 1000) large[i] = static_cast<char>('a' + i / 1000 % 26);
  world_.service.content = large;
  const auto got = world_.Signed();
  EXPECT_EQ(got.http_status, 200) << got.status;
  EXPECT_TRUE(got.body == large) << got.body.size();
  for (const auto& asked : world_.service.asked) EXPECT_LE(asked.length(), 4096);
  EXPECT_EQ(world_.service.questions(), 1 + (1'000'000 + 4095) / 4096u);
}

// Whatever is wrong, the answer is the same.
TEST_F(MediaCallTest, WithoutTheAddressThereIsNothing) {
  const auto forged = world_.Get(std::string(kPath) + "?expires=4000000000&signature=bad");
  EXPECT_EQ(forged.http_status, 404);
  EXPECT_EQ(forged.headers.at("cache-control"), "no-store");
  const size_t questions = world_.service.questions();
  for (const std::string& wrong :
       {std::string("/media/"), std::string("/media/x/y") + kSigned, std::string(kPath), std::string(kPath) + "?expires=4000000000",
        std::string(kPath) + "?signature=good", std::string(kPath) + "?expires=-1&signature=good",
        std::string(kPath) + "?expires=soon&signature=good", std::string(kPath) + "?expires=4000000000&signature=%FF%00",
        std::string(kPath) + "?expires=4000000000&signature=" + std::string(65, 'x'), std::string(kPath) + "/" + kSigned,
        "/media/" + std::string(36, 'A') + "/" + std::string(36, '.') + kSigned}) {
    const auto got = world_.Get(wrong);
    EXPECT_EQ(got.http_status, 404) << wrong;
    EXPECT_EQ(got.body, forged.body) << wrong;
  }
  EXPECT_EQ(world_.service.questions(), questions) << "nobody was asked";
  EXPECT_EQ(world_.Signed({}, "POST").http_status, 405);
  EXPECT_EQ(world_.Signed({}, "POST").headers.at("allow"), "GET, HEAD");
}

TEST_F(MediaCallTest, AServiceThatIsAwayIsSaid) {
  world_.service.next = {grpc::StatusCode::UNAVAILABLE, "10.0.0.7:9102 is away"};
  const auto away = world_.Signed();
  EXPECT_EQ(away.http_status, 503);
  EXPECT_FALSE(Has(away.body, "10.0.0.7")) << away.body;
  world_.service.next = {grpc::StatusCode::UNIMPLEMENTED, "of an earlier release"};
  EXPECT_EQ(world_.Signed().http_status, 404);
}

// Half of it has gone out: the reader must not take that for the whole.
TEST_F(MediaCallTest, WhatBreaksOffIsNoMedium) {
  world_.service.content = std::string(100'000, 'x');
  world_.service.cut = 50'000;
  const auto got = world_.Signed();
  EXPECT_NE(got.sent, net::Sent::kAnswered) << got.body.size();
  EXPECT_TRUE(testing::WaitFor([&] { return Has(world_.metrics.Expose(), "parvis_gateway_streams 0"); }));
}

TEST(MediaLimitsTest, AHostIsHeldToAccount) {
  CallLimits limits = SmallLimits();
  limits.hosts = {.per_second = 1, .burst = 2};
  MediaWorld world(limits);
  EXPECT_EQ(world.Signed().http_status, 200);
  EXPECT_EQ(world.Get(std::string(kPath) + "?expires=1&signature=guess").http_status, 404);
  const auto refused = world.Signed();
  EXPECT_EQ(refused.http_status, 429);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
}

// Connections that ask for a large medium and read nothing of it.
TEST(MediaLimitsTest, SoManyAtOnceAndNoMore) {
  MediaWorld world;  // two streams at most
  world.service.content = std::string(64 << 20, 'x');
  const auto open = [&] {
    net::RawSocket socket = net::RawSocket::Connect(net::PortOf(world.server->address()));
    EXPECT_TRUE(socket.Send(std::string("GET ") + kPath + kSigned + " HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_TRUE(Has(socket.Read([](const std::string& text) { return Has(text, "\r\n\r\n"); }), "200 OK"));
    return socket;
  };
  {
    const net::RawSocket first = open(), second = open();
    const auto refused = world.Signed();
    EXPECT_EQ(refused.http_status, 503) << refused.body.size();
    EXPECT_EQ(refused.headers.at("retry-after"), "2");
  }
  // Who left makes room.
  EXPECT_TRUE(testing::WaitFor([&] { return world.Signed({}, "HEAD").http_status == 200; }));
}

}  // namespace
}  // namespace parvis::gateway
