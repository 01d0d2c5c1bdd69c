#include "platform/net/http_client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <set>

#include "platform/net/http_server.h"
#include "platform/net/raw_socket.h"

namespace parvis::net {
namespace {

Call Within(const Clock& clock, absl::Duration limit) {
  Call call = BackgroundCall("test");
  call.deadline = clock.Now() + limit;
  return call;
}

class HttpClientTest : public ::testing::Test {
 protected:
  HttpClientTest() {
    config.allowed_networks = {"127.0.0.0/8"};
    config.request_max = absl::Seconds(10);
  }
  HttpClient& client() {
    if (!client_) client_ = std::make_unique<HttpClient>(config, clock, metrics);
    return *client_;
  }
  ClientResult Get(const std::string& url, absl::Duration limit = absl::Seconds(10)) {
    ClientRequest request;
    request.url = url;
    return client().Send(Within(clock, limit), std::move(request));
  }
  // Answers every request by `handler`; returns "http://127.0.0.1:port".
  std::string Serve(HttpServer::Handler handler) {
    HttpServerConfig server_config;
    server_config.threads = 1;
    server_ = std::make_unique<HttpServer>(server_config, "test", metrics, std::move(handler));
    EXPECT_TRUE(server_->Start().ok());
    return "http://" + server_->address();
  }
  static std::string Url(const RawServer& server) { return "http://127.0.0.1:" + std::to_string(server.port) + "/x"; }
  static bool HasHead(const std::string& text) { return text.find("\r\n\r\n") != std::string::npos; }

  HttpClientConfig config;
  RealClock clock;
  obs::Metrics metrics;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpClientTest, SendsAndReceives) {
  HttpRequest seen;
  const std::string base = Serve([&](HttpRequest request, Responder responder) {
    seen = request;
    responder.Send({201, {{"X-Rate", "5"}}, "made"});
  });
  ClientRequest request;
  request.method = "PUT";
  request.url = base + "/a%20b?c=d";
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  request.body = "{\"a\":1}";
  request.bearer = Secret("token");
  const ClientResult result = client().Send(Within(clock, absl::Seconds(5)), request);
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.sent, Sent::kAnswered);
  EXPECT_EQ(result.http_status, 201);
  EXPECT_EQ(result.headers.at("x-rate"), "5");
  EXPECT_EQ(result.body, "made");
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.path, "/a b");
  EXPECT_EQ(seen.query, "c=d");
  EXPECT_EQ(seen.body, "{\"a\":1}");
  EXPECT_EQ(seen.headers.at("Authorization"), "Bearer token");
  EXPECT_EQ(seen.headers.count("X-Empty"), 1u);
  EXPECT_EQ(seen.headers.at("User-Agent"), "Parvis/0.1");
}

TEST_F(HttpClientTest, SecretsGoWhereTheNetworkWantsThem) {
  HttpRequest seen;
  const std::string base = Serve([&](HttpRequest request, Responder responder) {
    seen = request;
    responder.Send({});
  });
  ClientRequest post;
  post.method = "POST";
  post.url = base + "/feed";
  post.body = "message=hi";
  post.secret_parameter = "access_token";
  post.secret_value = Secret("a&b");
  ASSERT_TRUE(client().Send(Within(clock, absl::Seconds(5)), post).status.ok());
  EXPECT_EQ(seen.body, "message=hi&access_token=a%26b");
  EXPECT_EQ(seen.query, "");

  ClientRequest remove = post;
  remove.method = "DELETE";
  remove.url = base + "/1_2?fields=id#fragment";
  remove.body.clear();
  ASSERT_TRUE(client().Send(Within(clock, absl::Seconds(5)), remove).status.ok());
  EXPECT_EQ(seen.method, "DELETE");
  EXPECT_EQ(seen.query, "fields=id&access_token=a%26b");
  EXPECT_EQ(seen.body, "");

  ClientRequest basic;
  basic.url = base + "/";
  basic.basic = Secret("anna:p w");
  ASSERT_TRUE(client().Send(Within(clock, absl::Seconds(5)), basic).status.ok());
  EXPECT_EQ(seen.headers.at("Authorization"), "Basic YW5uYTpwIHc=");
}

TEST_F(HttpClientTest, RefusesLocalAddressesInEveryForm) {
  config.allowed_networks.clear();
  std::atomic<int> calls{0};
  const std::string base = Serve([&](HttpRequest, Responder responder) {
    ++calls;
    responder.Send({});
  });
  const std::string port = base.substr(base.rfind(':'));
  for (const char* host : {"127.0.0.1", "2130706433", "0177.0.0.1", "0x7f000001", "0x7f.1", "127.1", "localhost", "LOCALHOST", "localhost.",
                           "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "0", "[::]", "169.254.169.254", "10.0.0.1"}) {
    const ClientResult result = Get("http://" + std::string(host) + port + "/");
    EXPECT_EQ(result.sent, Sent::kNo) << host;
    // A form that the parser knows for no host is as good a refusal as the guard's.
    const std::string reason = ReasonOf(result.status);
    EXPECT_TRUE(reason == "ADDRESS_REFUSED" || reason == "URL_REFUSED" || std::string(host) == "localhost.") << host << " " << reason;
    EXPECT_FALSE(result.status.ok()) << host;
  }
  EXPECT_EQ(calls, 0);
}

TEST_F(HttpClientTest, RefusesUrlsThatAreNotPlainHttp) {
  for (const char* url : {"ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1/", "http://user@example.com/",
                          "http://user:pass@example.com/", "http://@example.com/", "http://", "", "http://exa mple.com/",
                          "http://example.com/\r\nX: y", "dict://127.0.0.1:11211/", "http://a.example\\@127.0.0.1/", "//example.com/"}) {
    const ClientResult result = Get(url);
    EXPECT_EQ(ReasonOf(result.status), "URL_REFUSED") << url;
    EXPECT_EQ(result.sent, Sent::kNo) << url;
  }
}

TEST_F(HttpClientTest, RefusesHeadersThatWouldSmuggle) {
  ClientRequest request;
  request.url = "http://127.0.0.1:1/";
  request.headers = {{"X", "a\r\nY: b"}};
  EXPECT_EQ(ReasonOf(client().Send(Within(clock, absl::Seconds(1)), request).status), "HEADER_REFUSED");
  request.headers = {{"X Y", "a"}};
  EXPECT_EQ(ReasonOf(client().Send(Within(clock, absl::Seconds(1)), request).status), "HEADER_REFUSED");
  request.headers.clear();
  request.method = "GET / HTTP/1.1\r\nX:";
  EXPECT_EQ(ReasonOf(client().Send(Within(clock, absl::Seconds(1)), request).status), "HEADER_REFUSED");
}

TEST_F(HttpClientTest, DoesNotFollowRedirects) {
  const std::string elsewhere = "http://169.254.169.254/latest/meta-data";
  const std::string base = Serve([&](HttpRequest, Responder responder) { responder.Send({302, {{"Location", elsewhere}}, ""}); });
  const ClientResult result = Get(base + "/");
  EXPECT_EQ(result.http_status, 302);
  EXPECT_EQ(result.sent, Sent::kAnswered);
}

TEST_F(HttpClientTest, RefusedConnectionsWereNotSent) {
  int port;
  { port = RawServer([](RawSocket&, int) {}).port; }
  const ClientResult result = Get("http://127.0.0.1:" + std::to_string(port) + "/");
  EXPECT_EQ(result.sent, Sent::kNo);
  EXPECT_EQ(ReasonOf(result.status), "CONNECT_FAILED");
}

TEST_F(HttpClientTest, UnresolvableNamesWereNotSent) {
  const ClientResult result = Get("http://no-such-host.invalid/");
  EXPECT_EQ(result.sent, Sent::kNo);
  EXPECT_EQ(ReasonOf(result.status), "CONNECT_FAILED");
}

TEST_F(HttpClientTest, SilenceAfterTheRequestIsMaybe) {
  std::atomic<bool> over{false};
  RawServer server([&](RawSocket& peer, int) { peer.Read([&](const std::string&) { return over.load(); }, 3000); });
  const ClientResult result = Get(Url(server), absl::Milliseconds(300));
  EXPECT_EQ(result.sent, Sent::kMaybe);
  EXPECT_EQ(ReasonOf(result.status), "HTTP_TIMEOUT");
  over = true;
}

TEST_F(HttpClientTest, ResetAfterTheRequestIsMaybe) {
  RawServer server([&](RawSocket& peer, int) {
    peer.Read(HasHead);
    peer.Reset();
  });
  const ClientResult result = Get(Url(server));
  EXPECT_EQ(result.sent, Sent::kMaybe);
  EXPECT_EQ(ReasonOf(result.status), "CONNECTION_LOST");
}

TEST_F(HttpClientTest, HalfAnAnswerIsMaybe) {
  RawServer server([&](RawSocket& peer, int) {
    peer.Read(HasHead);
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  const ClientResult result = Get(Url(server));
  EXPECT_EQ(result.sent, Sent::kMaybe);
  EXPECT_EQ(ReasonOf(result.status), "CONNECTION_LOST");
}

// libcurl repeats a request by itself when a pooled connection dies before the answer: that would publish twice.
TEST_F(HttpClientTest, NeverRepeatsARequestOnItsOwn) {
  for (const char* method : {"POST", "DELETE", "GET"}) {
    std::atomic<int> requests{0}, connections{0};
    RawServer server([&](RawSocket& peer, int) {
      ++connections;
      if (peer.Read(HasHead).empty()) return;
      ++requests;
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      if (peer.Read(HasHead).empty()) return;
      ++requests;
      peer.Reset();
    });
    ClientRequest request;
    request.method = method;
    request.url = Url(server);
    if (request.method == "POST") request.body = "text=once";
    ASSERT_TRUE(client().Send(Within(clock, absl::Seconds(5)), request).status.ok()) << method;
    const ClientResult second = client().Send(Within(clock, absl::Seconds(5)), request);
    EXPECT_EQ(second.sent, Sent::kMaybe) << method << " " << second.status;
    EXPECT_EQ(requests, 2) << method;
    client_.reset();
  }
}

TEST_F(HttpClientTest, ReusesConnections) {
  std::atomic<int> connections{0}, requests{0};
  RawServer server([&](RawSocket& peer, int) {
    ++connections;
    for (;;) {
      const std::string head = peer.Read(HasHead, 2000);
      if (!HasHead(head)) return;
      ++requests;
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  });
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Get(Url(server)).status.ok());
  EXPECT_EQ(requests, 20);
  EXPECT_EQ(connections, 1);
  client_.reset();
}

// Four connections and no fifth, whatever is asked for at once; and every request has its turn.
TEST_F(HttpClientTest, BoundsTheConnectionsToOneHost) {
  config.connections_per_host_max = 4;
  constexpr int kRequests = 40;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Responder> held;
  int taken = 0, answered = 0;
  std::set<std::string> connections;
  const std::string base = Serve([&](HttpRequest request, Responder responder) {
    const std::lock_guard lock(mutex);
    held.push_back(responder);
    ++taken;
    connections.insert(request.peer);
    changed.notify_all();
  });
  for (int i = 0; i < kRequests; ++i) {
    ClientRequest request;
    request.url = base + "/";
    client().SendAsync(Within(clock, absl::Seconds(10)), request, [&](ClientResult result) {
      const std::lock_guard lock(mutex);
      answered += result.status.ok();
      changed.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  while (answered < kRequests) {
    // As long as nobody is answered, as many wait as may.
    const int left = kRequests - taken + static_cast<int>(held.size());
    const size_t expected = static_cast<size_t>(std::min(config.connections_per_host_max, left));
    ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return held.size() == expected; }));
    const int before = answered;
    Responder next = held.front();
    held.erase(held.begin());
    next.Send({});
    ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return answered > before; }));
  }
  EXPECT_EQ(connections.size(), 4u);
}

TEST_F(HttpClientTest, LimitsTheAnswer) {
  config.response_max_bytes = 1000;
  const std::string base = Serve([&](HttpRequest request, Responder responder) {
    if (request.path == "/stream") {
      responder.BeginStream({});
      for (int i = 0; i < 20; ++i) responder.Write(std::string(100, 'x'));
      responder.End();
    } else {
      responder.Send({200, {}, std::string(request.path == "/exact" ? 1000 : 1001, 'x')});
    }
  });
  EXPECT_EQ(ReasonOf(Get(base + "/long").status), "RESPONSE_TOO_LARGE");
  EXPECT_EQ(ReasonOf(Get(base + "/stream").status), "RESPONSE_TOO_LARGE");
  EXPECT_EQ(Get(base + "/exact").body.size(), 1000u);
}

TEST_F(HttpClientTest, EndlessResponseHeadersEnd) {
  RawServer server([&](RawSocket& peer, int) {
    peer.Read(HasHead);
    peer.Send("HTTP/1.1 200 OK\r\n");
    const std::string line = "X-Filler: " + std::string(1000, 'x') + "\r\n";
    while (peer.Send(line)) {
    }
  });
  EXPECT_EQ(ReasonOf(Get(Url(server)).status), "RESPONSE_TOO_LARGE");
}

TEST_F(HttpClientTest, GarbageIsNoAnswer) {
  RawServer server([&](RawSocket& peer, int) {
    peer.Read(HasHead);
    peer.Send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  });
  const ClientResult result = Get(Url(server));
  EXPECT_FALSE(result.status.ok());
  EXPECT_EQ(result.sent, Sent::kMaybe);
}

TEST_F(HttpClientTest, AnExpiredCallIsNotSent) {
  const ClientResult result = Get("http://127.0.0.1:1/", absl::ZeroDuration());
  EXPECT_EQ(ReasonOf(result.status), "HTTP_TIMEOUT");
  EXPECT_EQ(result.sent, Sent::kNo);
}

TEST_F(HttpClientTest, BoundsTheQueueAndEndsWaitingRequestsInTime) {
  config.connections_max = 1;
  config.connections_per_host_max = 1;
  config.queue_max = 2;
  std::vector<Responder> held;
  std::mutex mutex;
  std::condition_variable changed;
  const std::string base = Serve([&](HttpRequest, Responder responder) {
    std::lock_guard lock(mutex);
    held.push_back(responder);
    changed.notify_all();
  });
  std::vector<ClientResult> results;
  const auto send = [&](absl::Duration limit) {
    ClientRequest request;
    request.url = base + "/";
    client().SendAsync(Within(clock, limit), request, [&](ClientResult result) {
      std::lock_guard lock(mutex);
      results.push_back(std::move(result));
      changed.notify_all();
    });
  };
  send(absl::Seconds(10));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return held.size() == 1; });
  }
  send(absl::Milliseconds(50));   // waits and expires
  send(absl::Seconds(10));        // waits
  send(absl::Seconds(10));        // one too many
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return results.size() == 2; });
  EXPECT_EQ(ReasonOf(results[0].status), "HTTP_QUEUE_FULL");
  EXPECT_EQ(ReasonOf(results[1].status), "HTTP_TIMEOUT");
  EXPECT_EQ(results[1].sent, Sent::kNo);
  held[0].Send({});
  changed.wait(lock, [&] { return held.size() == 2; });
  held[1].Send({});
  changed.wait(lock, [&] { return results.size() == 4; });
  EXPECT_TRUE(results[2].status.ok());
  EXPECT_TRUE(results[3].status.ok());
}

TEST_F(HttpClientTest, StoppingEndsEverything) {
  std::vector<Responder> held;
  std::mutex mutex;
  const std::string base = Serve([&](HttpRequest, Responder responder) {
    std::lock_guard lock(mutex);
    held.push_back(responder);
  });
  std::atomic<int> ended{0};
  for (int i = 0; i < 5; ++i) {
    ClientRequest request;
    request.url = base + "/";
    client().SendAsync(BackgroundCall("test"), request, [&](ClientResult result) {
      EXPECT_FALSE(result.status.ok());
      ++ended;
    });
  }
  client_.reset();
  EXPECT_EQ(ended, 5);
  {
    std::lock_guard lock(mutex);
    held.clear();
  }
  server_.reset();  // its thread may be about to hold one more
}

}  // namespace
}  // namespace parvis::net
