#include "platform/net/stream_client.h"

#include <gtest/gtest.h>

#include <atomic>

#include "platform/net/http_server.h"
#include "platform/net/stream_fixture.h"
#include "platform/testing/wait.h"

namespace parvis::net {
namespace {

class StreamClientTest : public StreamFixture {
 protected:
  ClientResult Open(const std::string& url) {
    ClientRequest request;
    request.url = url;
    request.bearer = Secret("token");
    return client().Open(Within(absl::Seconds(10)), std::move(request), &stream);
  }
  // What comes until `size` bytes are there or the stream ends.
  std::string Take(size_t size) {
    std::string out;
    while (out.size() < size) {
      auto bytes = stream->Read(Within(absl::Seconds(10)));
      if (!bytes.ok()) {
        ended = bytes.status();
        break;
      }
      largest = std::max(largest, bytes->size());
      out += *bytes;
    }
    return out;
  }
  static std::string Url(const RawServer& server) { return "http://127.0.0.1:" + std::to_string(server.port) + "/x"; }
  static bool HasHead(const std::string& text) { return text.find("\r\n\r\n") != std::string::npos; }
  static constexpr char kHead[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Rate: 5\r\n\r\n";

  std::unique_ptr<ByteStream> stream;
  Status ended;
  size_t largest = 0;
};

TEST_F(StreamClientTest, BringsByteByByteAndThenTheEnd) {
  std::string asked;
  RawServer server([&](RawSocket& peer, int) {
    asked = peer.Read(HasHead);
    for (const char c : std::string(kHead) + "data: one\n\ndata: tw") peer.Send(std::string(1, c));
  });
  const ClientResult result = Open(Url(server));
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.http_status, 200);
  EXPECT_EQ(result.sent, Sent::kAnswered);
  EXPECT_EQ(result.headers.at("x-rate"), "5");
  EXPECT_EQ(result.body, "");
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(Take(1000), "data: one\n\ndata: tw");
  EXPECT_EQ(ReasonOf(ended), "STREAM_LOST");
  EXPECT_EQ(ReasonOf(stream->Read(Within(absl::Seconds(1))).status()), "STREAM_LOST");   // for good
  EXPECT_NE(asked.find("Authorization: Bearer token\r\n"), std::string::npos);
}

TEST_F(StreamClientTest, ADeadlineIsNoEnd) {
  std::atomic<bool> go{false};
  HttpServer server({}, "test", metrics, [&](HttpRequest, Responder responder) {
    responder.BeginStream({200, {{"Content-Type", "text/event-stream"}}, ""});
    std::thread([responder, &go] {
      EXPECT_TRUE(testing::WaitFor([&go] { return go.load(); }));
      responder.Write("late");
      responder.End();
      go = false;
    }).detach();
  });
  ASSERT_TRUE(server.Start().ok());
  ASSERT_EQ(Open("http://" + server.address() + "/").http_status, 200);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReasonOf(stream->Read(Within(absl::Milliseconds(20))).status()), "READ_TIMEOUT");
  }
  EXPECT_EQ(ReasonOf(stream->Read(Within(absl::ZeroDuration())).status()), "READ_TIMEOUT");
  go = true;
  EXPECT_EQ(Take(4), "late");
  EXPECT_EQ(Take(1), "");
  EXPECT_EQ(ReasonOf(ended), "STREAM_LOST");
  EXPECT_TRUE(testing::WaitFor([&go] { return !go; }));
}

TEST_F(StreamClientTest, AResetAndSilenceEndIt) {
  config.silent_max = absl::Milliseconds(200);
  std::atomic<bool> over{false};
  RawServer server([&](RawSocket& peer, int number) {
    peer.Read(HasHead);
    peer.Send(std::string(kHead) + "a");
    if (number == 0) {
      peer.Read([](const std::string&) { return true; });
      peer.Reset();
    } else {
      peer.Read([&](const std::string&) { return over.load(); }, 5000);
    }
  });
  ASSERT_EQ(Open(Url(server)).http_status, 200);
  Take(1000);
  EXPECT_EQ(ReasonOf(ended), "STREAM_LOST");
  ASSERT_EQ(Open(Url(server)).http_status, 200);
  const Instant before = clock.Now();
  EXPECT_EQ(Take(1000), "a");
  EXPECT_EQ(ReasonOf(ended), "STREAM_SILENT");
  EXPECT_GE(clock.Now() - before, absl::Milliseconds(150));
  over = true;
  stream.reset();
}

TEST_F(StreamClientTest, WhatNobodyReadsWaitsOutside) {
  config.buffer_max_bytes = 64 << 10;
  constexpr size_t kTotal = 64 << 20;
  std::atomic<size_t> sent{0};
  RawServer server([&](RawSocket& peer, int) {
    peer.Read(HasHead);
    peer.Send(kHead);
    const std::string piece(1 << 20, 'x');
    while (sent < kTotal && peer.Send(piece)) sent += piece.size();
  });
  ASSERT_EQ(Open(Url(server)).http_status, 200);
  ASSERT_EQ(Take(1).substr(0, 1), "x");
  EXPECT_EQ(ReasonOf(stream->Read(Within(absl::Seconds(5))).status()), "");
  EXPECT_LT(sent.load(), kTotal);   // the peer is held back
  size_t taken = 0;
  for (std::string bytes; !(bytes = Take(1)).empty();) taken += bytes.size();
  EXPECT_GE(taken, kTotal - (1 << 20));
  EXPECT_LE(largest, 64u << 10);
}

TEST_F(StreamClientTest, RefusalsComeWholeAndWithoutAStream) {
  const std::string elsewhere = "http://169.254.169.254/";
  HttpServer server({}, "test", metrics, [&](HttpRequest request, Responder responder) {
    if (request.path == "/moved") return responder.Send({302, {{"Location", elsewhere}}, ""});
    if (request.path == "/long") return responder.Send({500, {}, std::string(5000, 'x')});
    responder.Send({429, {{"Retry-After", "7"}}, "{\"error\":\"slow\"}"});
  });
  ASSERT_TRUE(server.Start().ok());
  const std::string base = "http://" + server.address();
  const ClientResult refused = Open(base + "/");
  EXPECT_EQ(refused.http_status, 429);
  EXPECT_EQ(refused.headers.at("Retry-After"), "7");
  EXPECT_EQ(refused.body, "{\"error\":\"slow\"}");
  EXPECT_EQ(stream, nullptr);
  EXPECT_EQ(Open(base + "/moved").http_status, 302);
  EXPECT_EQ(stream, nullptr);
  client_.reset();
  config.message_max_bytes = 1000;
  EXPECT_EQ(ReasonOf(Open(base + "/long").status), "RESPONSE_TOO_LARGE");
}

TEST_F(StreamClientTest, WhatIsNotCalled) {
  EXPECT_EQ(ReasonOf(Open("ftp://example.com/").status), "URL_REFUSED");
  EXPECT_EQ(ReasonOf(Open("http://user@example.com/").status), "URL_REFUSED");
  EXPECT_EQ(ReasonOf(Open("http://10.0.0.1/").status), "ADDRESS_REFUSED");
  ClientRequest smuggled;
  smuggled.url = "http://127.0.0.1:1/";
  smuggled.headers = {{"X", "a\r\nY: b"}};
  EXPECT_EQ(ReasonOf(client().Open(Within(absl::Seconds(1)), smuggled, &stream).status), "HEADER_REFUSED");
  int port;
  { port = RawServer([](RawSocket&, int) {}).port; }
  EXPECT_EQ(ReasonOf(Open("http://127.0.0.1:" + std::to_string(port) + "/").status), "CONNECT_FAILED");
  config.allowed_networks.clear();
  client_.reset();
  const ClientResult local = Open("http://127.0.0.1:" + std::to_string(port) + "/");
  EXPECT_EQ(ReasonOf(local.status), "ADDRESS_REFUSED");
  EXPECT_EQ(local.sent, Sent::kNo);
}

TEST_F(StreamClientTest, AnswersThatDoNotBeginEndInTime) {
  config.open_max = absl::Milliseconds(100);
  std::atomic<bool> over{false};
  RawServer server([&](RawSocket& peer, int) { peer.Read([&](const std::string&) { return over.load(); }, 3000); });
  const ClientResult result = Open(Url(server));
  EXPECT_EQ(ReasonOf(result.status), "HTTP_TIMEOUT");
  EXPECT_EQ(result.sent, Sent::kMaybe);
  EXPECT_EQ(stream, nullptr);
  over = true;
}

TEST_F(StreamClientTest, AsManyAsMayBeOpenAndClosedByTheirEnd) {
  config.streams_max = 1;
  std::atomic<int> gone{0};
  HttpServer server({}, "test", metrics, [&](HttpRequest, Responder responder) {
    responder.BeginStream({});
    responder.OnGone([&gone, responder] { ++gone; });
  });
  ASSERT_TRUE(server.Start().ok());
  const std::string url = "http://" + server.address() + "/";
  ASSERT_EQ(Open(url).http_status, 200);
  std::unique_ptr<ByteStream> another;
  ClientRequest request;
  request.url = url;
  EXPECT_EQ(ReasonOf(client().Open(Within(absl::Seconds(5)), request, &another).status), "TOO_MANY_STREAMS");
  stream.reset();
  EXPECT_TRUE(testing::WaitFor([&gone] { return gone == 1; }));
  EXPECT_EQ(client().Open(Within(absl::Seconds(5)), request, &another).http_status, 200);
}

}  // namespace
}  // namespace parvis::net
