// What a hostile peer sends to the server: every limit, every kind of garbage; after each the server still answers.
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "platform/net/http_server.h"
#include "platform/net/raw_socket.h"
#include "platform/testing/wait.h"

namespace parvis::net {
namespace {

class HttpHostileTest : public ::testing::Test {
 protected:
  HttpHostileTest() {
    config.header_max_bytes = 2048;
    config.body_max_bytes = 4096;
    config.header_max = absl::Milliseconds(200);
    config.body_max = absl::Milliseconds(200);
    config.keepalive_max = absl::Milliseconds(400);
  }
  void Start() {
    server_ = std::make_unique<HttpServer>(config, "test", metrics, [this](HttpRequest request, Responder responder) {
      ++handled;
      responder.Send({200, {}, "body " + std::to_string(request.body.size())});
    });
    ASSERT_TRUE(server_->Start().ok());
  }
  RawSocket Connect() {
    if (!server_) Start();
    return RawSocket::Connect(PortOf(server_->address()));
  }
  std::string Ask(const std::string& bytes) {
    RawSocket socket = Connect();
    socket.Send(bytes);
    return socket.ReadToEnd();
  }
  static std::string StatusOfAnswer(const std::string& answer) { return answer.size() < 12 ? answer : answer.substr(9, 3); }
  void ExpectAlive() {
    EXPECT_EQ(StatusOfAnswer(Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")), "200");
  }
  void TearDown() override { ExpectAlive(); }

  HttpServerConfig config;
  obs::Metrics metrics;
  std::atomic<int> handled{0};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpHostileTest, HeadersTooLarge) {
  EXPECT_EQ(StatusOfAnswer(Ask("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(4000, 'x') + "\r\n\r\n")), "431");
  EXPECT_EQ(StatusOfAnswer(Ask("GET /" + std::string(4000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n")), "431");
  EXPECT_EQ(StatusOfAnswer(Ask(std::string(100000, 'x'))).substr(0, 1), "4");
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 1000; ++i) many += "X" + std::to_string(i) + ": y\r\n";
  EXPECT_EQ(StatusOfAnswer(Ask(many + "\r\n")), "431");
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpHostileTest, BodyTooLarge) {
  EXPECT_EQ(StatusOfAnswer(Ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4097\r\n\r\n")), "413");
  EXPECT_EQ(StatusOfAnswer(Ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999\r\n\r\n")), "413");
  std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 5; ++i) chunked += "400\r\n" + std::string(1024, 'x') + "\r\n";
  EXPECT_EQ(StatusOfAnswer(Ask(chunked)), "413");
  // The answer arrives even while the peer is still sending.
  EXPECT_EQ(StatusOfAnswer(Ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n" + std::string(500000, 'x'))), "413");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(StatusOfAnswer(Ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" + std::string(3000000, 'x'))), "413");
  }
  EXPECT_EQ(handled, 0);
  const std::string exact = Ask("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4096\r\n\r\n" + std::string(4096, 'x'));
  EXPECT_NE(exact.find("body 4096"), std::string::npos);
}

TEST_F(HttpHostileTest, SlowHeadersAndBodiesAreEnded) {
  RawSocket silent = Connect();
  RawSocket slow_head = Connect();
  RawSocket slow_body = Connect();
  slow_head.Send("GET / HTTP/1.1\r\nHos");
  slow_body.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nab");
  EXPECT_EQ(StatusOfAnswer(slow_head.ReadToEnd()), "408");
  EXPECT_EQ(StatusOfAnswer(slow_body.ReadToEnd()), "408");
  EXPECT_EQ(silent.ReadToEnd(), "");  // nothing was asked: closed without a word
  EXPECT_TRUE(silent.closed);
  EXPECT_EQ(handled, 0);
}

// One byte at a time keeps a naive per-read timeout alive for ever; ours is for the whole head.
TEST_F(HttpHostileTest, DrippingBytesDoesNotExtendTheTime) {
  RawSocket socket = Connect();
  std::string answer;
  for (int i = 0; i < 200 && answer.empty(); ++i) {
    if (!socket.Send("x")) break;
    answer = socket.Read([](const std::string& text) { return !text.empty(); }, 20);
  }
  EXPECT_EQ(StatusOfAnswer(answer), "408");
}

TEST_F(HttpHostileTest, MalformedRequests) {
  for (const char* bytes :
       {"\r\n\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost h\r\n\r\n", "G\x01T / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", "GET nopath HTTP/1.1\r\nHost: h\r\n\r\n", "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nab\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nab\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabXX0\r\n\r\n",
        "GET / HTTP/1.1\nHost: h\n\n\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"}) {
    const std::string status = StatusOfAnswer(Ask(bytes));
    EXPECT_TRUE(status == "400" || status == "413") << bytes << " -> " << status;
  }
  for (const char* coding : {"gzip", "gzip, chunked", "identity", "chunked, gzip"}) {
    const std::string status = StatusOfAnswer(Ask(std::string("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ") + coding + "\r\n\r\n0\r\n\r\n"));
    EXPECT_TRUE(status == "501" || status == "400") << coding << " -> " << status;
  }
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpHostileTest, TooManyConnectionsAreTold503) {
  config.connections_max = 5;
  config.keepalive_max = absl::Seconds(30);
  std::vector<RawSocket> held;
  for (int i = 0; i < 5; ++i) {
    held.push_back(Connect());
    held.back().Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(StatusOfAnswer(held.back().Read([](const std::string& t) { return t.find("body 0") != std::string::npos; })), "200");
  }
  RawSocket extra = Connect();
  EXPECT_EQ(StatusOfAnswer(extra.ReadToEnd()), "503");
  held.pop_back();
  EXPECT_TRUE(parvis::testing::WaitFor([&] { return StatusOfAnswer(Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")) == "200"; }));
}

TEST_F(HttpHostileTest, PeersThatLeaveAtAnyByte) {
  const std::string request = "POST /webhooks/x?a=b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  for (size_t cut = 0; cut <= request.size(); ++cut) {
    RawSocket socket = Connect();
    socket.Send(request.substr(0, cut));
    cut % 2 == 0 ? socket.Reset() : socket.Close();
  }
  EXPECT_LE(handled, 2);
}

TEST_F(HttpHostileTest, RandomBytesAndMutations) {
  std::mt19937_64 random(42);
  const std::string request = "POST /webhooks/x?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
  for (int i = 0; i < 300; ++i) {
    std::string bytes = request;
    for (int changes = static_cast<int>(random() % 6); changes >= 0; --changes) bytes[random() % bytes.size()] = static_cast<char>(random());
    RawSocket socket = Connect();
    socket.Send(bytes);
    socket.Read([](const std::string& text) { return !text.empty(); }, 1);
  }
}

TEST_F(HttpHostileTest, ResponsesCannotBeSplit) {
  server_ = std::make_unique<HttpServer>(config, "test", metrics, [](HttpRequest, Responder responder) {
    responder.Send({200, {{"X-Echo", "a\r\nSet-Cookie: evil\r\n\r\n<html>"}, {"Bad\r\nName", "x"}, {"Content-Length", "1"}}, "hello"});
  });
  ASSERT_TRUE(server_->Start().ok());
  EXPECT_EQ(Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nX-Echo: aSet-Cookie: evil<html>\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
}

}  // namespace
}  // namespace parvis::net
