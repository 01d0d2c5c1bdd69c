#include "platform/net/http_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>

#include "platform/net/raw_socket.h"
#include "platform/testing/wait.h"

namespace parvis::net {
namespace {

using parvis::testing::WaitFor;

class HttpServerTest : public ::testing::Test {
 protected:
  RawSocket Connect() {
    if (!server_) Start();
    return RawSocket::Connect(PortOf(server_->address()));
  }
  void Start() {
    server_ = std::make_unique<HttpServer>(config, "test", metrics, [this](HttpRequest request, Responder responder) { handler(std::move(request), responder); });
    ASSERT_TRUE(server_->Start().ok());
  }
  static bool HasHead(const std::string& text) { return text.find("\r\n\r\n") != std::string::npos; }
  std::string Ask(const std::string& bytes) {
    RawSocket socket = Connect();
    socket.Send(bytes);
    return socket.ReadToEnd();
  }

  HttpServerConfig config;
  obs::Metrics metrics;
  std::function<void(HttpRequest, Responder)> handler = [](HttpRequest request, Responder responder) {
    responder.Send({200, {{"X-Path", request.path}}, request.method + " " + request.body});
  };
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  RawSocket socket = Connect();
  socket.Send("POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  const auto whole = [](const std::string& text) { return text.find("POST hello") != std::string::npos; };
  const std::string first = socket.Read(whole);
  EXPECT_EQ(first, "HTTP/1.1 200 OK\r\nX-Path: /a b\r\nContent-Length: 10\r\n\r\nPOST hello");
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string second = socket.ReadToEnd();
  EXPECT_NE(second.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(socket.closed);
}

TEST_F(HttpServerTest, ReadsChunkedBodiesAndContinues) {
  RawSocket socket = Connect();
  socket.Send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(socket.Read(HasHead), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.Send("3;ext=1\r\nabc\r\n");
  socket.Send("2\r\nde\r\n0\r\nTrailer: x\r\n\r\n");
  EXPECT_NE(socket.ReadToEnd().find("POST abcde"), std::string::npos);
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  std::string bytes;
  for (int i = 0; i < 50; ++i) bytes += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  bytes += "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  const std::string answers = Ask(bytes);
  size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answers.find("X-Path: /" + std::to_string(i) + "\r\n", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_NE(answers.find("X-Path: /last", at), std::string::npos);
}

TEST_F(HttpServerTest, AnswersFromAnotherThread) {
  std::vector<std::thread> threads;
  handler = [&](HttpRequest, Responder responder) {
    threads.emplace_back([responder] { responder.Send({202, {}, "later"}); });
  };
  EXPECT_NE(Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").find("202 Accepted"), std::string::npos);
  for (auto& thread : threads) thread.join();
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  const std::string answer = Ask("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_EQ(answer.substr(answer.size() - 4), "\r\n\r\n");
}

TEST_F(HttpServerTest, DroppedRequestsAre500AndLateOnes503) {
  handler = [](HttpRequest, Responder) {};
  EXPECT_NE(Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").find(" 500 "), std::string::npos);
  handler = [](HttpRequest, Responder) { throw std::runtime_error("boom"); };
  EXPECT_NE(Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").find(" 500 "), std::string::npos);
  server_.reset();
  config.answer_max = absl::Milliseconds(50);
  std::vector<Responder> held;
  handler = [&](HttpRequest, Responder responder) { held.push_back(responder); };
  EXPECT_NE(Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").find(" 503 "), std::string::npos);
  held[0].Send({});  // too late, harmless
}

TEST_F(HttpServerTest, StreamsInChunks) {
  handler = [](HttpRequest, Responder responder) {
    responder.BeginStream({200, {{"Content-Type", "text/event-stream"}}, ""});
    EXPECT_TRUE(responder.Write("one"));
    EXPECT_TRUE(responder.Write(""));
    EXPECT_TRUE(responder.Write(std::string(20, 'x')));
    responder.End();
    EXPECT_FALSE(responder.Write("after"));
  };
  const std::string answer = Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\n\r\n3\r\none\r\n14\r\nxxxxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n"), std::string::npos);
  // HTTP/1.0 knows no chunks: the end of the connection ends the body.
  const std::string old = Ask("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.find("chunked"), std::string::npos);
  EXPECT_NE(old.find("\r\n\r\nonexxxx"), std::string::npos);
}

TEST_F(HttpServerTest, AStreamOfKnownLengthHasNoChunksAndKeepsTheConnection) {
  handler = [](HttpRequest request, Responder responder) {
    responder.BeginStream({.status = 200, .headers = {}, .body = "", .stream_bytes = 6});
    EXPECT_TRUE(responder.Write("one"));
    EXPECT_TRUE(responder.Write(request.path == "/short" ? "t" : request.path == "/long" ? "twothree" : "two"));
    responder.End();
  };
  const std::string two = Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(two.find("chunked"), std::string::npos);
  EXPECT_NE(two.find("Content-Length: 6\r\n\r\nonetwoHTTP/1.1 200 "), std::string::npos) << two;
  EXPECT_TRUE(two.ends_with("\r\n\r\nonetwo")) << two;
  const std::string cut = Ask("GET /short HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(cut.ends_with("\r\n\r\nonet")) << "closed, though it might have been kept: " << cut;
  EXPECT_EQ(Ask("GET /long HTTP/1.1\r\nHost: h\r\n\r\n").find("three"), std::string::npos);
  const std::string head = Ask("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 6\r\n"), std::string::npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  EXPECT_TRUE(Ask("GET / HTTP/1.0\r\n\r\n").ends_with("\r\n\r\nonetwo"));
}

// Far more than may wait, and more than the sockets hold: each piece is written when the one before it has gone.
TEST_F(HttpServerTest, WhoWaitsUntilAllHasGoneIsNeverTooFast) {
  config.stream_queue_max_bytes = 64 << 10;
  constexpr int kPieces = 200;
  struct Sender : std::enable_shared_from_this<Sender> {
    explicit Sender(Responder r) : responder(std::move(r)) {}
    void Next() {
      if (left-- == 0) return responder.End();
      EXPECT_TRUE(responder.Write(std::string(60 << 10, 'x')));
      responder.OnDrained([self = shared_from_this()] { self->Next(); });
    }
    const Responder responder;
    int left = kPieces;
  };
  handler = [](HttpRequest, Responder responder) {
    responder.BeginStream({.status = 200, .headers = {}, .body = "", .stream_bytes = kPieces * (60 << 10)});
    std::make_shared<Sender>(std::move(responder))->Next();
  };
  const std::string answer = Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, size_t{kPieces} * (60 << 10));
}

TEST_F(HttpServerTest, ASlowReaderIsCutOff) {
  config.stream_queue_max_bytes = 64 << 10;
  std::mutex mutex;
  std::optional<Responder> held;
  handler = [&](HttpRequest, Responder responder) {
    responder.BeginStream({});
    std::lock_guard lock(mutex);
    held = responder;
  };
  RawSocket socket = Connect();
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(WaitFor([&] { std::lock_guard lock(mutex); return held.has_value(); }));
  std::atomic<bool> gone{false};
  held->OnGone([&] { gone = true; });
  const std::string chunk(32 << 10, 'x');
  int writes = 0;
  while (held->Write(chunk) && writes < 10000) ++writes;
  EXPECT_LT(writes, 10000);
  EXPECT_TRUE(held->Gone());
  EXPECT_TRUE(WaitFor([&] { return gone.load(); }));
}

TEST_F(HttpServerTest, TellsWhenThePeerLeaves) {
  std::atomic<bool> gone{false}, begun{false};
  std::mutex mutex;
  std::optional<Responder> held;
  handler = [&](HttpRequest request, Responder responder) {
    if (request.path == "/stream") responder.BeginStream({});
    responder.OnGone([&] { gone = true; });
    std::lock_guard lock(mutex);
    held = responder;
    begun = true;
  };
  for (const char* path : {"/stream", "/plain"}) {
    gone = begun = false;
    RawSocket socket = Connect();
    socket.Send(std::string("GET ") + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(WaitFor([&] { return begun.load(); }));
    EXPECT_FALSE(gone);
    socket.Close();
    EXPECT_TRUE(WaitFor([&] { return gone.load(); })) << path;
    std::lock_guard lock(mutex);
    EXPECT_TRUE(held->Gone());
    held->Send({});
    EXPECT_FALSE(held->Write("x"));
  }
}

TEST_F(HttpServerTest, AbortResetsTheConnection) {
  handler = [](HttpRequest, Responder responder) { responder.Abort(); };
  RawSocket socket = Connect();
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(socket.ReadToEnd(), "");
  EXPECT_TRUE(socket.closed);
}

TEST_F(HttpServerTest, StopFinishesRequestsAtHandAndClosesIdleConnections) {
  std::atomic<bool> begun{false};
  std::mutex mutex;
  std::optional<Responder> held;
  handler = [&](HttpRequest, Responder responder) {
    std::lock_guard lock(mutex);
    held = responder;
    begun = true;
  };
  RawSocket idle = Connect();
  RawSocket busy = Connect();
  busy.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(WaitFor([&] { return begun.load(); }));
  std::thread stopping([&] { server_->Stop(absl::Seconds(20)); });
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_TRUE(idle.closed);
  held->Send({200, {}, "done"});
  held.reset();
  EXPECT_NE(busy.ReadToEnd().find("done"), std::string::npos);
  stopping.join();
  EXPECT_FALSE(Connect().ok());
}

TEST_F(HttpServerTest, AHeldAnswerWaitsForItsTimeThePeerOrTheStop) {
  const std::string ask = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  std::atomic<int> answers{0};
  absl::Duration hold = absl::Milliseconds(30);
  handler = [&](HttpRequest, Responder responder) { responder.Send({429, {}, "later", hold}), ++answers; };
  RawSocket patient = Connect();
  for (int i = 0; i < 2; ++i) {   // and the connection serves on
    patient.Send(ask);
    EXPECT_NE(patient.Read([](const std::string& text) { return text.find("later") != std::string::npos; }).find(" 429 "), std::string::npos);
  }
  hold = absl::Minutes(1);
  const auto open = [&] { return metrics.Expose().find("parvis_http_server_connections{server=\"test\"} 1\n") != std::string::npos; };
  RawSocket leaving = Connect();
  leaving.Send(ask);
  ASSERT_TRUE(WaitFor([&] { return answers == 3; }));
  leaving.Close();
  EXPECT_TRUE(WaitFor(open)) << "who has left is not waited for";
  patient.Send(ask);
  ASSERT_TRUE(WaitFor([&] { return answers == 4; }));
  server_->Stop(absl::Seconds(20));
  EXPECT_NE(patient.ReadToEnd().find("later"), std::string::npos) << "a stop sends what is held";
}

TEST_F(HttpServerTest, StopCutsWhatDoesNotEnd) {
  std::atomic<bool> begun{false}, gone{false};
  std::mutex mutex;
  std::optional<Responder> held;
  handler = [&](HttpRequest, Responder responder) {
    responder.BeginStream({});
    responder.OnGone([&] { gone = true; });
    std::lock_guard lock(mutex);
    held = responder;
    begun = true;
  };
  RawSocket socket = Connect();
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(WaitFor([&] { return begun.load(); }));
  server_->Stop(absl::Milliseconds(20));
  EXPECT_TRUE(gone);
  EXPECT_FALSE(held->Write("x"));
  server_.reset();
  held->End();  // after the server's end, harmless
}

TEST_F(HttpServerTest, ATakenAddressIsAnError) {
  Start();
  HttpServerConfig second = config;
  second.address = server_->address();
  EXPECT_EQ(ReasonOf(HttpServer(second, "second", metrics, handler).Start()), "ADDRESS_IN_USE");
  second.address = "nowhere";
  EXPECT_EQ(ReasonOf(HttpServer(second, "third", metrics, handler).Start()), "BAD_ADDRESS");
}

}  // namespace
}  // namespace parvis::net
