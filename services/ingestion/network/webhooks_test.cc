// The webhook endpoint over real HTTP, with the real connectors, a fake sink and fake bindings.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "ingestion/domain/fakes.h"
#include "ingestion/domain/runner.h"
#include "ingestion/network/adapters.h"
#include "ingestion/network/secrets.h"
#include "ingestion/network/webhooks.h"
#include "networks/wire/signature.h"
#include "platform/net/http_client.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

constexpr char kSecret[] = "app-secret";
constexpr char kPrevious[] = "previous-app-secret";

std::string Comment(const std::string& id, int64_t at, const std::string& text = "Bonjour") {
  return R"({"field":"feed","value":{"item":"comment","verb":"add","post_id":"111_222","parent_id":"111_222",)"
         R"("comment_id":")" +
         id + R"(","from":{"id":"999","name":"A"},"message":")" + text + R"(","created_time":)" + std::to_string(at) +
         "}}";
}

std::string PageCall(const std::string& page, const std::string& changes, int64_t at) {
  return R"({"object":"page","entry":[{"id":")" + page + R"(","time":)" + std::to_string(at) + R"(,"changes":[)" +
         changes + "]}]}";
}

class WebhooksTest : public ::testing::Test {
 protected:
  WebhooksTest() {
    finder_.Bind("facebook", "111", {"w1", "c1"});
    finder_.Bind("facebook", "111", {"w2", "c2"});
    finder_.Bind("x", "10", {"w1", "c3"});
    EXPECT_TRUE(server_.Start().ok());
    now_ = absl::ToUnixSeconds(clock_.WallNow());
  }
  ~WebhooksTest() override {
    sink_.Release();
    server_.Stop(absl::Seconds(5));
    executor_.Stop();
  }
  static std::map<std::string, Webhooks::Secrets> Secrets() {
    return {{"facebook", {{Secret(kSecret), Secret(kPrevious)}, Secret("verify")}},
            {"x", {{Secret(kSecret)}, Secret()}},
            {"wordpress", {{Secret(kSecret)}, Secret()}}};
  }
  net::ClientResult Send(const std::string& method, const std::string& target, const std::string& body = "",
                         const net::Headers& headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = "http://" + server_.address() + target;
    request.headers = headers;
    request.body = body;
    Call call = BackgroundCall("test");
    call.deadline = clock_.Now() + absl::Seconds(15);
    return client_.Send(call, std::move(request));
  }
  net::ClientResult Signed(const std::string& body, const std::string& secret = kSecret) {
    return Send("POST", "/webhooks/facebook", body,
                {{"X-Hub-Signature-256", "sha256=" + networks::ToHex(networks::HmacSha256(secret, body))}});
  }
  double Count(const std::string& name, const obs::Labels& labels) {
    return metrics_.counter(name, "", labels).Value();
  }

  RealClock clock_;
  obs::Metrics metrics_;
  int64_t now_ = 0;
  FakeFinder finder_;
  FakeSink sink_;
  HeardBook heard_{100};
  Executor executor_{{.name = "bindings", .threads = 2, .queue_max = 100}};
  BindingCache cache_{finder_, executor_, clock_, {}};
  Receiver receiver_{cache_, sink_, heard_, clock_, {{{"facebook", absl::Hours(36)}}, absl::Hours(48)}};
  net::HttpClient client_{{.allowed_networks = {"127.0.0.0/8"}}, clock_, metrics_};
  Connectors connectors_ = networks::MakeConnectors(client_, clock_);
  Webhooks webhooks_{connectors_, Secrets(), receiver_, clock_, metrics_, {.inflight_max_bytes = 1 << 20}};
  net::HttpServer server_{
      {.body_max_bytes = 768 << 10}, "webhooks", metrics_, [this](net::HttpRequest request, net::Responder responder) {
        webhooks_.Handle(std::move(request), std::move(responder));
      }};
};

TEST_F(WebhooksTest, AnswersTheHandshakesOfTheNetworks) {
  auto facebook = Send("GET", "/webhooks/facebook?hub.mode=subscribe&hub.verify_token=verify&hub.challenge=1158201444");
  EXPECT_EQ(facebook.http_status, 200);
  EXPECT_EQ(facebook.body, "1158201444");
  EXPECT_EQ(Send("GET", "/webhooks/facebook?hub.mode=subscribe&hub.verify_token=no&hub.challenge=1").http_status, 403);
  EXPECT_EQ(Send("GET", "/webhooks/facebook").http_status, 400);
  auto x = Send("GET", "/webhooks/x?crc_token=abc");
  EXPECT_EQ(x.http_status, 200);
  EXPECT_NE(x.body.find("sha256=" + networks::ToBase64(networks::HmacSha256(kSecret, "abc"))), std::string::npos);
}

TEST_F(WebhooksTest, ABatchOverSeveralChannelsIsOneCall) {
  const std::string body = R"({"object":"page","entry":[{"id":"111","time":)" + std::to_string(now_) +
                           R"(,"changes":[)" + Comment("1", now_) + "," + Comment("2", now_) +
                           R"(]},{"id":"404","time":)" + std::to_string(now_) + R"(,"changes":[)" + Comment("3", now_) +
                           R"(,{"field":"feed","value":7}]}]})";
  auto result = Signed(body);
  EXPECT_EQ(result.http_status, 200) << result.body;
  std::vector<Activity> got = sink_.activities();
  ASSERT_EQ(got.size(), 4u) << "two comments in two workspaces";
  EXPECT_EQ(got[0].channel_id, "c1");
  EXPECT_EQ(got[1].channel_id, "c2");
  EXPECT_EQ(got[2].what.remote_id, "2");
  EXPECT_EQ(sink_.parts().size(), 1u) << "what could not be understood";
  EXPECT_EQ(Count("parvis_ingestion_happenings_total", {{"network", "facebook"}, {"outcome", "unknown_account"}}), 1);
  EXPECT_EQ(Count("parvis_ingestion_webhooks_total", {{"network", "facebook"}, {"outcome", "accepted"}}), 1);
  EXPECT_EQ(Signed(body, kPrevious).http_status, 200) << "the secret before the last rotation is taken too";
}

TEST_F(WebhooksTest, UnsignedAndWronglySignedCallsAreRefused) {
  const std::string body = PageCall("111", Comment("1", now_), now_);
  const std::string right = networks::ToHex(networks::HmacSha256(kSecret, body));
  std::string wrong = right;
  wrong[0] = wrong[0] == '0' ? '1' : '0';
  const net::Headers bad[] = {{},
                              {{"X-Hub-Signature-256", ""}},
                              {{"X-Hub-Signature-256", right}},
                              {{"X-Hub-Signature-256", "sha256="}},
                              {{"X-Hub-Signature-256", "sha256=" + wrong}},
                              {{"X-Hub-Signature-256", "sha256=" + right.substr(1)}},
                              {{"X-Hub-Signature-256", "sha1=" + right}},
                              {{"X-Hub-Signature", "sha256=" + right}}};
  for (const net::Headers& headers : bad) {
    EXPECT_EQ(Send("POST", "/webhooks/facebook", body, headers).http_status, 401);
  }
  const net::Headers good = {{"X-Hub-Signature-256", "sha256=" + right}};
  EXPECT_EQ(Send("POST", "/webhooks/facebook", body + " ", good).http_status, 401) << "the raw bytes are signed";
  EXPECT_EQ(Send("POST", "/webhooks/x", body, good).http_status, 401);
  EXPECT_TRUE(sink_.activities().empty());
  EXPECT_EQ(Signed(body, "another secret").http_status, 401);
  EXPECT_EQ(Send("POST", "/webhooks/facebook", body, good).http_status, 200);
}

TEST_F(WebhooksTest, AReplayedCallIsRefusedAndTheSameOneAgainIsTheSameActivity) {
  const int64_t old = now_ - 37 * 3600;
  auto replayed = Signed(PageCall("111", Comment("1", old), old));
  EXPECT_EQ(replayed.http_status, 403);
  EXPECT_NE(replayed.body.find("WEBHOOK_REPLAYED"), std::string::npos);
  const std::string body = PageCall("111", Comment("1", now_), now_);
  EXPECT_EQ(Signed(body).http_status, 200);
  EXPECT_EQ(Signed(body).http_status, 200);
  std::vector<Activity> got = sink_.activities();
  ASSERT_EQ(got.size(), 4u);
  EXPECT_EQ(got[0].id, got[2].id);
}

TEST_F(WebhooksTest, WhatCannotBeParsedGoesRawToTheDeadLettersAndIsAnswered200) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += R"({"a":)";
  const std::string bodies[] = {"not json",
                                "",
                                "[]",
                                R"({"object":"page"})",
                                R"({"object":"user","entry":[]})",
                                deep,
                                std::string("{\"object\":\"page\",\"entry\":\"\xFF\xFE\"}"),
                                std::string("{\"a\":\"\0\"}", 9),
                                std::string(1000, '\0'),
                                "{\"object\":\"page\",\"entry\":[1,2,{}]}"};
  for (const std::string& body : bodies) {
    const size_t before = sink_.parts().size();
    EXPECT_EQ(Signed(body).http_status, 200) << body.substr(0, 50);
    EXPECT_GT(sink_.parts().size(), before) << body.substr(0, 50);
  }
  EXPECT_EQ(sink_.parts()[0].raw, "not json");
  EXPECT_TRUE(sink_.activities().empty());
}

TEST_F(WebhooksTest, ANulInsideATextIsReplacedNotLost) {
  EXPECT_EQ(Signed(PageCall("111", Comment("1", now_, "a\\u0000b"), now_)).http_status, 200);
  ASSERT_EQ(sink_.activities().size(), 2u);
  EXPECT_EQ(sink_.activities()[0].what.text.find('\0'), std::string::npos);
  EXPECT_EQ(sink_.activities()[0].what.text.front(), 'a');
}

TEST_F(WebhooksTest, OversizedCallsUnknownNetworksAndMethodsAreRefused) {
  EXPECT_EQ(Signed(std::string((768 << 10) + 1, 'a')).http_status, 413);
  EXPECT_EQ(Send("POST", "/webhooks/myspace", "{}").http_status, 404);
  EXPECT_EQ(Send("POST", "/webhooks/wordpress", "{}").http_status, 404) << "has no webhooks";
  EXPECT_EQ(Send("POST", "/webhooks/", "{}").http_status, 404);
  EXPECT_EQ(Send("GET", "/").http_status, 404);
  auto put = Send("PUT", "/webhooks/facebook", "{}");
  EXPECT_EQ(put.http_status, 405);
  EXPECT_EQ(put.headers["allow"], "GET, POST");
}

TEST_F(WebhooksTest, AnswersOnlyAfterTheAck) {
  EXPECT_EQ(Signed(PageCall("111", Comment("0", now_), now_)).http_status, 200);
  sink_.Hold();
  std::atomic<int> answered = 0;
  std::thread caller([&] { answered = Signed(PageCall("111", Comment("1", now_), now_)).http_status; });
  ASSERT_TRUE(testing::WaitFor([&] { return sink_.waiting() == 1; }));
  EXPECT_EQ(answered, 0);
  sink_.Release();
  caller.join();
  EXPECT_EQ(answered, 200);
}

TEST_F(WebhooksTest, BackpressureAsksToComeAgain) {
  sink_.Fail(MakeError(Code::kResourceExhausted, "BUS_QUEUE_FULL", "the queue is full"));
  auto full = Signed(PageCall("111", Comment("1", now_), now_));
  EXPECT_EQ(full.http_status, 503);
  EXPECT_EQ(full.headers["retry-after"], "5");
  sink_.Fail(absl::OkStatus());
  finder_.Fail(MakeError(Code::kUnavailable, "ACCOUNTS_UNAVAILABLE", "away"));
  EXPECT_EQ(Signed(PageCall("777", Comment("1", now_), now_)).http_status, 503) << "whose it is cannot be known now";
  finder_.Fail(absl::OkStatus());

  // More than may wait for the ack at once: what is too much is told to come again.
  sink_.Hold();
  const std::string big = PageCall("111", Comment("1", now_, std::string(600 << 10, 'a')), now_);
  std::thread first([&] { EXPECT_EQ(Signed(big).http_status, 200); });
  ASSERT_TRUE(testing::WaitFor([&] { return sink_.waiting() == 1; }));
  auto too_much = Signed(big);
  EXPECT_EQ(too_much.http_status, 503);
  EXPECT_NE(too_much.body.find("TOO_MUCH_IN_FLIGHT"), std::string::npos) << too_much.body;
  sink_.Release();
  first.join();
  EXPECT_EQ(Signed(big).http_status, 200);
}

TEST_F(WebhooksTest, AWorkspaceThatFloodsLeavesRoomForTheOthers) {
  finder_.Bind("facebook", "112", {"w1", "c4"});
  finder_.Bind("facebook", "333", {"w3", "c3"});
  for (const char* page : {"111", "112", "333"}) {  // from here on it is known whose they are
    EXPECT_EQ(Signed(PageCall(page, Comment("1", now_), now_)).http_status, 200);
  }
  sink_.Hold();
  const std::string text(300 << 10, 'a');
  std::vector<std::thread> callers;
  const auto hold = [&](const char* page, int n) {
    callers.emplace_back([this, page, &text] {
      EXPECT_EQ(Signed(PageCall(page, Comment("1", now_, text), now_)).http_status, 200) << page;
    });
    EXPECT_TRUE(testing::WaitFor([&] { return sink_.waiting() == n; }));
  };
  hold("111", 1);
  hold("112", 2);
  auto refused = Signed(PageCall("111", Comment("1", now_, text), now_));
  EXPECT_EQ(refused.http_status, 429) << "600 of 1024 KiB are this workspace's, 424 are left";
  EXPECT_NE(refused.body.find("WORKSPACE_OVER_SHARE"), std::string::npos) << refused.body;
  EXPECT_EQ(refused.headers["retry-after"], "5");
  EXPECT_EQ(Count("parvis_ingestion_webhooks_total", {{"network", "facebook"}, {"outcome", "over_share"}}), 1);
  hold("333", 3);
  sink_.Release();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(Signed(PageCall("111", Comment("1", now_, text), now_)).http_status, 200);
  EXPECT_EQ(metrics_.gauge("parvis_ingestion_webhook_inflight_bytes", "").Value(), 0);
}

TEST_F(WebhooksTest, WebhookAndPollGiveTheSameNaturalKey) {
  EXPECT_EQ(Signed(PageCall("111", Comment("222_333", now_), now_)).http_status, 200);
  std::atomic<int> asked = 0;
  net::HttpServer graph({}, "graph", metrics_, [&](net::HttpRequest request, net::Responder responder) {
    ++asked;
    const std::string time =
        absl::FormatTime("%Y-%m-%dT%H:%M:%S+0000", absl::FromUnixSeconds(now_), absl::UTCTimeZone());
    const std::string comment =
        R"({"id":"222_333","message":"Bonjour","created_time":")" + time + R"(","from":{"id":"999","name":"A"}})";
    net::HttpResponse response;
    response.headers["content-type"] = "application/json";
    const bool comments = request.path.find("/comments") != std::string::npos;
    response.body = comments ? R"({"data":[)" + comment + "]}"
                             : R"({"data":[{"id":"111_222","created_time":")" + time + R"(","updated_time":")" + time +
                                   R"(","comments":{"data":[)" + comment + "]}}]}";
    responder.Send(std::move(response));
  });
  ASSERT_TRUE(graph.Start().ok());
  networks::Account account{"c1", "111", "http://" + graph.address(), {{{"access_token", Secret("t")}}}};
  Call call = BackgroundCall("test");
  call.deadline = clock_.Now() + absl::Seconds(10);
  std::string cursor;
  std::set<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    auto page = connectors_.at("facebook")->Poll(call, account, cursor, clock_.WallNow() - absl::Hours(1), 100);
    ASSERT_TRUE(page.ok()) << page.status();
    for (Happening& happening : FromNetwork(std::move(page->happenings))) {
      ids.insert(MakeActivity(std::move(happening), {"w1", "c1"}, "facebook", Origin::kPoll, clock_.WallNow()).id);
    }
    cursor = page->cursor;
    if (!page->more) break;
  }
  EXPECT_GT(asked, 0);
  EXPECT_EQ(ids, std::set<std::string>{sink_.activities()[0].id});
  graph.Stop(absl::Seconds(5));
}

// What a webhook does not bring must not be waited for: polling of such networks is the first way, secret or not.
TEST_F(WebhooksTest, OnlyWebhooksThatBringCommentsMakePollingTheSecondWay) {
  FakeDesk desk;
  const ConnectorReader reader(connectors_, desk);
  std::vector<std::string> heard;
  for (const auto& [network, connector] : connectors_) {
    if (!reader.HearsByWebhook(network)) continue;
    heard.push_back(network);
    EXPECT_TRUE(connector->capabilities().Can(networks::Feature::kWebhooks)) << network;
  }
  EXPECT_EQ(heard, (std::vector<std::string>{"discourse", "facebook", "instagram", "linkedin", "x"}));
  EXPECT_FALSE(reader.HearsByWebhook("unknown"));
}

TEST(WebhookSettingsTest, AreCheckedBeforeTheStart) {
  EXPECT_EQ(ReasonOf(ReadWebhookSecrets({{"x", "/nonexistent"}}, {}, {}).status()), "SECRET_FILE_UNREADABLE");
  EXPECT_EQ(ReasonOf(ReadWebhookSecrets({}, {{"x", "/nonexistent"}}, {}).status()), "WEBHOOK_SECRET_MISSING");
  EXPECT_EQ(ReasonOf(ReadWebhookSecrets({}, {}, {{"x", "/nonexistent"}}).status()), "WEBHOOK_SECRET_MISSING");
  EXPECT_EQ((*ParseSeconds("f", {{"facebook", "129600"}}))["facebook"], absl::Hours(36));
  for (const char* bad : {"", "0", "-1", "1h", "99999999999999999999"}) {
    EXPECT_FALSE(ParseSeconds("f", {{"facebook", bad}}).ok()) << bad;
  }
}

}  // namespace
}  // namespace parvis::ingestion
