// WebSub over real HTTP: our callbacks, and a small hub that behaves as the W3C has it.
#include "ingestion/network/hubs.h"

#include <gtest/gtest.h>

#include <thread>

#include "ingestion/domain/hub_fakes.h"
#include "networks/wire/signature.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

constexpr char kWorkspace[] = "0190a0b1-0000-7000-8000-000000000001";
constexpr char kChannel[] = "0190a0b1-0000-7000-8000-000000000002";

// Has accounts' answer for one feed.
class FeedDesk : public FakeDesk {
 public:
  StatusOr<OpenedChannel> Open(const Call&, const Binding&) override {
    return OpenedChannel{"feed", base_url, base_url, {}, 1};
  }
  std::string base_url;
};

class HubsTest : public ::testing::Test {
 protected:
  HubsTest() {
    EXPECT_TRUE(hub_.Start().ok());
    EXPECT_TRUE(ours_.Start().ok());
    keys_ = HubKeys("http://" + ours_.address() + "/", {Secret("key"), Secret("previous key")});
    desk_.base_url = "http://" + hub_.address() + "/feed";
    EXPECT_TRUE(sources_.Sync({{binding_, "feed", desk_.base_url, 1, true, absl::Seconds(5)}}, clock_.WallNow()).ok());
  }
  ~HubsTest() override {
    ours_.Stop(absl::Seconds(5));
    hub_.Stop(absl::Seconds(5));
    executor_.Stop();
    intake_.executor.Stop();
  }
  // The hub, and the feed that names it.
  void OnHub(const net::HttpRequest& request, const net::Responder& responder) {
    std::lock_guard lock(mutex_);
    net::HttpResponse response;
    if (request.method == "GET") {
      response.headers["content-type"] = "application/rss+xml";
      response.headers["link"] = "<http://" + hub_.address() + "/hub>; rel=\"hub\", </topic>; rel=self";
      response.body = "<rss version='2.0'><channel><title>A blog</title></channel></rss>";
      return responder.Send(std::move(response));
    }
    asked_.push_back(net::ParseQuery(request.body));
    response.status = 202;
    responder.Send(std::move(response));
  }
  net::ClientResult Send(const std::string& method, const std::string& url, const std::string& body = "",
                         const net::Headers& headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = url;
    request.body = body;
    request.headers = headers;
    Call call = BackgroundCall("test");
    call.deadline = clock_.Now() + absl::Seconds(15);
    return client_.Send(call, std::move(request));
  }
  // The hub asks back.
  net::ClientResult Verify(const std::string& mode, const std::string& topic) {
    return Send("GET", callback() + "?hub.mode=" + mode + "&hub.topic=" + net::UrlEncode(topic) +
                           "&hub.challenge=abc&hub.lease_seconds=86400&hub.reason=no");
  }
  net::ClientResult Deliver(const std::string& body, const std::string& secret) {
    const std::string digest = networks::ToHex(networks::HmacSha256(secret, body));
    return Send("POST", callback(), body, {{"X-Hub-Signature", "sha256=" + digest}});
  }
  std::string callback() { return keys_.Address("feed", binding_); }
  double Count(const std::string& what, const std::string& outcome, const std::string& network = "feed") {
    return metrics_.counter("parvis_ingestion_hub_" + what + "_total", "", {{"network", network}, {"outcome", outcome}})
        .Value();
  }
  bool Due() { return sources_.ListDue(10, {})->due > 0; }
  void PollAll() {
    PollEnd end;
    end.interval = end.next_in = absl::Hours(10);
    auto claimed = sources_.Claim({binding_}, absl::Minutes(1));
    for (const Claimed& one : *claimed) EXPECT_TRUE(sources_.Release(one, end).ok());
  }

  const Binding binding_{kWorkspace, kChannel};
  RealClock clock_;
  obs::Metrics metrics_;
  net::HttpClient client_{{.allowed_networks = {"127.0.0.0/8"}}, clock_, metrics_};
  const Connectors connectors_ = networks::MakeConnectors(client_, clock_);
  FakeSourceStore sources_{clock_};
  FakeHubStore store_{sources_, clock_};
  FeedDesk desk_;
  HubKeys keys_{"", {Secret("until it is known where we are")}};
  HubCaller caller_{connectors_, desk_, keys_, client_};
  FakeIntake intake_{clock_};
  Executor executor_{{.name = "hubs", .threads = 1, .queue_max = 10}};
  HubCallbacks callbacks_{connectors_, keys_, store_, sources_, intake_.receiver, executor_, metrics_, [] { return 0.5; }};
  HubKeeper keeper_{store_, caller_, clock_, {}, caller_.Networks(), [] { return 0.5; }, callbacks_.Watchers()};
  std::mutex mutex_;
  std::vector<std::map<std::string, std::string>> asked_;
  net::HttpServer hub_{
      {}, "hub", metrics_, [this](net::HttpRequest request, net::Responder responder) { OnHub(request, responder); }};
  net::HttpServer ours_{{}, "ours", metrics_, [this](net::HttpRequest request, net::Responder responder) {
                          callbacks_.Handle(std::move(request), std::move(responder));
                        }};
};

TEST_F(HubsTest, AFeedIsSubscribedToAndWhatTheHubTellsMakesAPollDue) {
  EXPECT_EQ(caller_.Networks(), (std::vector<std::string>{"feed", "youtube"}));
  const std::string topic = "http://" + hub_.address() + "/topic";
  EXPECT_EQ(Verify("subscribe", topic).http_status, 404) << "not asked for";
  ASSERT_EQ(keeper_.Round().value_or(0), 1);
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_EQ(asked_[0]["hub.mode"], "subscribe");
  EXPECT_EQ(asked_[0]["hub.topic"], topic);
  EXPECT_EQ(asked_[0]["hub.callback"], callback());
  EXPECT_EQ(asked_[0]["hub.lease_seconds"], "432000");
  const std::string secret = asked_[0]["hub.secret"];
  EXPECT_EQ(secret.size(), 64u);
  EXPECT_EQ(Verify("subscribe", "http://other.example/").http_status, 404);
  EXPECT_EQ(Verify("unsubscribe", topic).http_status, 404) << "anybody can ask a hub for that";
  net::ClientResult yes = Verify("subscribe", topic);
  EXPECT_EQ(yes.http_status, 200);
  EXPECT_EQ(yes.body, "abc");
  EXPECT_EQ(Verify("subscribe", topic).http_status, 404) << "once";
  EXPECT_EQ(Count("questions", "confirmed"), 1);
  EXPECT_EQ(Count("requests", "subscribe"), 1);
  PollAll();
  EXPECT_EQ(Deliver("<rss/>", "not the secret").http_status, 202);
  EXPECT_EQ(Send("POST", callback(), "<rss/>").http_status, 202) << "not signed at all";
  EXPECT_FALSE(Due()) << "taken for nothing";
  EXPECT_EQ(Count("deliveries", "unsigned"), 2);
  EXPECT_EQ(Deliver("<rss/>", secret).http_status, 200);
  EXPECT_TRUE(Due());
  EXPECT_EQ(Count("deliveries", "accepted"), 1);
  ASSERT_TRUE(sources_.Detach("", "", {}).ok());
  ASSERT_EQ(keeper_.Round().value_or(0), 1);
  ASSERT_EQ(asked_.size(), 2u);
  EXPECT_EQ(asked_[1]["hub.mode"], "unsubscribe");
  EXPECT_FALSE(asked_[1].contains("hub.secret"));
  EXPECT_EQ(Verify("unsubscribe", topic).http_status, 200);
}

TEST_F(HubsTest, OnlyAddressesThatWereGivenOutAreThere) {
  std::string other = callback();
  other.back() = other.back() == '0' ? '1' : '0';
  EXPECT_EQ(Send("POST", other, "x").http_status, 404);
  EXPECT_EQ(Send("GET", "http://" + ours_.address() + "/websub/feed/x/y/z").http_status, 404);
  EXPECT_EQ(Send("PUT", callback(), "x").http_status, 405);
  EXPECT_EQ(Send("GET", callback()).http_status, 404) << "no question";
  // A key that was rotated is taken still, its own secret with it.
  const HubKeys old("http://" + ours_.address(), {Secret("previous key")});
  const std::string body = "<rss/>";
  const std::string digest = networks::ToHex(networks::HmacSha256(old.SecretOf("feed", binding_).Reveal(), body));
  PollAll();
  EXPECT_EQ(Send("POST", old.Address("feed", binding_), body, {{"X-Hub-Signature", "sha256=" + digest}}).http_status,
            200);
  EXPECT_TRUE(Due());
}

TEST_F(HubsTest, ADenialEndsTheSubscription) {
  const std::string topic = "http://" + hub_.address() + "/topic";
  ASSERT_EQ(keeper_.Round().value_or(0), 1);
  EXPECT_EQ(Verify("subscribe", topic).http_status, 200);
  const auto state = [&] { return sources_.GetSource(BackgroundCall("test", kWorkspace), kChannel)->hub.state; };
  EXPECT_EQ(state(), HubState::kSubscribed);
  EXPECT_EQ(Verify("denied", topic).http_status, 200);
  EXPECT_EQ(state(), HubState::kRefused);
  EXPECT_EQ(Count("questions", "denied"), 1);
}

TEST_F(HubsTest, YouTubesDeletionsAreHandedOver) {
  intake_.finder.Bind("youtube", "UC1", binding_);
  const std::string when = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", clock_.WallNow(), absl::UTCTimeZone());
  const std::string body =
      R"(<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0">)"
      R"(<at:deleted-entry ref="yt:video:V1" when=")" +
      when +
      R"("><at:by><name>A</name><uri>https://www.youtube.com/channel/UC1</uri></at:by></at:deleted-entry></feed>)";
  const std::string digest = networks::ToHex(networks::HmacSha256(keys_.SecretOf("youtube", binding_).Reveal(), body));
  EXPECT_EQ(
      Send("POST", keys_.Address("youtube", binding_), body, {{"X-Hub-Signature", "sha256=" + digest}}).http_status,
      200);
  ASSERT_EQ(intake_.sink.activities().size(), 1u);
  EXPECT_EQ(intake_.sink.activities()[0].what.kind, Kind::kRemoval);
  intake_.sink.Fail(MakeError(Code::kUnavailable, "BUS_UNAVAILABLE", "away"));
  EXPECT_EQ(
      Send("POST", keys_.Address("youtube", binding_), body, {{"X-Hub-Signature", "sha256=" + digest}}).http_status,
      503)
      << "the hub sends it again";
}

TEST(HubKeysTest, WithoutAnAddressNothingIsSubscribedTo) {
  auto none = HubKeys::Read("", "", "");
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->usable());
  EXPECT_FALSE(none->Parse("/websub/feed/a/b/c").has_value());
  EXPECT_EQ(ReasonOf(HubKeys::Read("https://hooks.example", "", "").status()), "HUB_KEY_MISSING");
  EXPECT_EQ(ReasonOf(HubKeys::Read("hooks.example", "key", "").status()), "PUBLIC_URL_INVALID");
}

}  // namespace
}  // namespace parvis::ingestion
