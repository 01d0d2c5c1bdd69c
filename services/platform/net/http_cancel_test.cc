// Requests of calls that are cancelled: waiting for a connection, or under way.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "platform/net/http_client.h"
#include "platform/net/raw_socket.h"
#include "platform/testing/wait.h"

namespace parvis::net {
namespace {

class HttpCancelTest : public ::testing::Test {
 protected:
  HttpCancelTest() {
    config.allowed_networks = {"127.0.0.0/8"};
    config.connections_per_host_max = 1;
    config.request_max = absl::Minutes(1);
    call = BackgroundCall("test");
    call.cancellation = cancellation;
  }
  ClientRequest Post() const {
    ClientRequest request;
    request.method = "POST";
    request.url = "http://127.0.0.1:" + std::to_string(server.port) + "/x";
    request.body = "video";
    return request;
  }

  std::atomic<int> arrived{0};
  RawServer server{[this](RawSocket& peer, int) {   // never answers
    if (!peer.Read([](const std::string& text) { return text.find("video") != std::string::npos; }).empty()) ++arrived;
    peer.ReadToEnd(20'000);
  }};
  HttpClientConfig config;
  RealClock clock;
  obs::Metrics metrics;
  std::shared_ptr<Cancellation> cancellation = std::make_shared<Cancellation>();
  Call call;
};

TEST_F(HttpCancelTest, UnderWayMayHaveArrivedWaitingHasNot) {
  HttpClient client(config, clock, metrics);
  ClientResult first, second;
  std::thread one([&] { first = client.Send(call, Post()); });
  EXPECT_TRUE(testing::WaitFor([&] { return arrived == 1; }));
  std::thread two([&] { second = client.Send(call, Post()); });   // there is one connection to a host
  cancellation->Cancel();
  one.join();
  two.join();
  EXPECT_EQ(first.sent, Sent::kMaybe);
  EXPECT_EQ(ReasonOf(first.status), "CALL_CANCELLED");
  EXPECT_EQ(second.sent, Sent::kNo);
  EXPECT_EQ(ReasonOf(second.status), "CALL_CANCELLED");
  const ClientResult third = client.Send(call, Post());
  EXPECT_EQ(third.sent, Sent::kNo) << "not begun at all";
  EXPECT_EQ(ReasonOf(third.status), "CALL_CANCELLED");
}

TEST_F(HttpCancelTest, FreesItsPlaceForOthers) {
  HttpClient client(config, clock, metrics);
  std::thread one([&] { (void)client.Send(call, Post()); });
  EXPECT_TRUE(testing::WaitFor([&] { return arrived == 1; }));
  Call other = BackgroundCall("test");
  const auto others = std::make_shared<Cancellation>();
  other.cancellation = others;
  std::thread two([&] { (void)client.Send(other, Post()); });
  cancellation->Cancel();
  one.join();
  EXPECT_TRUE(testing::WaitFor([&] { return arrived == 2; })) << "the only connection is the next one's";
  others->Cancel();
  two.join();
}

}  // namespace
}  // namespace parvis::net
