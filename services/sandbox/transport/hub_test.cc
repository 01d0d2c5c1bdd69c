// Subscribing at the hubs, as the W3C has it: with the topics of YouTube, and with the sandbox's own feeds.
#include <atomic>

#include "platform/testing/wait.h"
#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

using parvis::testing::WaitFor;

class YoutubeHubTest : public ::testing::Test {
 protected:
  YoutubeHubTest() { EXPECT_TRUE(subscriber.Start().ok()); }
  ~YoutubeHubTest() override {
    sandbox.webhooks.Stop();
    subscriber.Stop(absl::Seconds(5));
  }
  net::HttpResponse Take(const net::HttpRequest& request) {
    std::lock_guard lock(mutex);
    if (request.method == "POST") {
      told.push_back(request);
      return {204};
    }
    asked.push_back(net::ParseQuery(request.query));
    return confirms ? net::HttpResponse{200, {}, asked.back()["hub.challenge"]} : net::HttpResponse{404};
  }
  std::string callback() const { return "http://" + subscriber.address() + "/hook?of=us"; }
  Answered Ask(const std::string& mode, std::map<std::string, std::string> more = {}) {
    more.insert({{"hub.mode", mode}, {"hub.topic", topic}, {"hub.callback", callback()}});
    return sandbox.Send("POST", hub, net::FormEncode({more.begin(), more.end()}),
                        TestSandbox::FormType());
  }
  // What the hub asked the subscriber the `n`th time.
  std::map<std::string, std::string> Asked(size_t n) {
    EXPECT_TRUE(WaitFor([&] {
      std::lock_guard lock(mutex);
      return asked.size() >= n;
    }));
    std::lock_guard lock(mutex);
    return asked.size() < n ? std::map<std::string, std::string>() : asked[n - 1];
  }
  std::vector<net::HttpRequest> Told(size_t n) {
    EXPECT_TRUE(WaitFor([&] {
      std::lock_guard lock(mutex);
      return told.size() >= n;
    }));
    std::lock_guard lock(mutex);
    return told;
  }
  bool Subscribers(size_t n) {
    return WaitFor([&] { return sandbox.webhooks.Stats().size() == n; });
  }
  std::string Video(const std::string& title) {
    NewItem video{.network = Network::kYoutube, .account = id, .title = title, .by_us = true};
    const auto made = sandbox.world.Create(video, {.by = "us"});
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? (*made)->id : "";
  }

  TestSandbox sandbox;
  std::string hub = "/youtube/subscribe";
  const std::string id = sandbox.Account("youtube")["remote_id"];
  std::string topic = "https://www.youtube.com/xml/feeds/videos.xml?channel_id=" + id;
  std::atomic<bool> confirms{true};
  std::mutex mutex;
  std::vector<std::map<std::string, std::string>> asked;
  std::vector<net::HttpRequest> told;
  net::HttpServer subscriber{{}, "subscriber", sandbox.metrics, [this](net::HttpRequest request, net::Responder responder) {
                               responder.Send(Take(request));
                             }};
};

TEST_F(YoutubeHubTest, WhoConfirmsIsTold) {
  Video("before");
  EXPECT_EQ(Ask("subscribe", {{"hub.secret", "s"}, {"hub.lease_seconds", "3600"}, {"hub.verify_token", "t"}}).status,
            202);
  auto question = Asked(1);
  EXPECT_EQ(question["of"], "us") << "the callback's own query stays";
  EXPECT_EQ(question["hub.mode"], "subscribe");
  EXPECT_EQ(question["hub.topic"], topic);
  EXPECT_EQ(question["hub.lease_seconds"], "3600");
  EXPECT_EQ(question["hub.verify_token"], "t");
  ASSERT_TRUE(Subscribers(1));
  const std::string video = Video("Lampe");
  ASSERT_TRUE(sandbox.world.Delete(Network::kYoutube, video, {.by = "us"}).ok());
  const auto calls = Told(2);
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_NE(calls[0].body.find("<yt:videoId>" + video + "</yt:videoId>"), std::string::npos);
  EXPECT_NE(calls[0].body.find("<yt:channelId>" + id + "</yt:channelId>"), std::string::npos);
  EXPECT_NE(calls[1].body.find("<at:deleted-entry ref=\"yt:video:" + video), std::string::npos);
  for (const net::HttpRequest& call : calls) {
    EXPECT_EQ(call.headers.at("X-Hub-Signature"), "sha1=" + HmacHexBy("sha1", Secret("s"), call.body));
  }
}

TEST_F(YoutubeHubTest, ARenewalTakesTheOldOnesPlace) {
  EXPECT_EQ(Ask("subscribe", {{"hub.secret", "old"}}).status, 202);
  EXPECT_EQ(Asked(1)["hub.lease_seconds"], "432000");
  ASSERT_TRUE(Subscribers(1));
  EXPECT_EQ(Ask("subscribe", {{"hub.lease_seconds", "99999999"}}).status, 202);
  EXPECT_EQ(Asked(2)["hub.lease_seconds"], "864000") << "the hub decides";
  // Without a secret nothing is signed: so it shows when the renewal has come into force.
  ASSERT_TRUE(WaitFor([&] {
    Video("Lampe");
    std::lock_guard lock(mutex);
    return !told.empty() && !told.back().headers.contains("X-Hub-Signature");
  }));
  EXPECT_TRUE(Subscribers(1));
}

TEST_F(YoutubeHubTest, OnlyTheSubscriberEndsIt) {
  confirms = false;
  EXPECT_EQ(Ask("subscribe").status, 202);
  Asked(1);
  confirms = true;
  EXPECT_EQ(Ask("subscribe").status, 202);
  ASSERT_TRUE(Subscribers(1));
  confirms = false;
  EXPECT_EQ(Ask("unsubscribe").status, 202);
  EXPECT_FALSE(Asked(3).contains("hub.lease_seconds"));
  confirms = true;
  EXPECT_EQ(Ask("unsubscribe").status, 202);
  EXPECT_EQ(Asked(4)["hub.mode"], "unsubscribe");
  EXPECT_TRUE(Subscribers(0));
}

TEST_F(YoutubeHubTest, ALeaseEnds) {
  EXPECT_EQ(Ask("subscribe").status, 202);
  ASSERT_TRUE(Subscribers(1));
  EXPECT_EQ(Ask("subscribe", {{"hub.lease_seconds", "1"}}).status, 202);
  EXPECT_TRUE(Subscribers(0));
}

TEST_F(YoutubeHubTest, RefusalsAndFaults) {
  EXPECT_EQ(Ask("publish").status, 400);
  EXPECT_EQ(Ask("subscribe", {{"hub.topic", "https://example.com/feed"}}).status, 400);
  EXPECT_EQ(Ask("subscribe", {{"hub.callback", "ftp://example.com/"}}).status, 400);
  EXPECT_EQ(Ask("subscribe", {{"hub.lease_seconds", "soon"}}).status, 400);
  EXPECT_EQ(Ask("subscribe", {{"hub.topic", "https://www.youtube.com/feeds/videos.xml?channel_id=" + id}}).status, 202)
      << "the other form";
  EXPECT_EQ(sandbox.Send("GET", "/youtube/subscribe").status, 405);
  sandbox.Control("POST", "/faults",
                  {{"kind", "limit"}, {"network", "youtube"}, {"operation", "subscribe"}, {"count", 1}});
  EXPECT_EQ(Ask("subscribe").status, 429);
}

class FeedHubTest : public YoutubeHubTest {
 protected:
  FeedHubTest() { hub = "/feed/hub", topic = feed["base_url"]; }
  std::string Mention(const std::string& text) {
    return sandbox.Control("POST", "/comments", {{"network", "feed"}, {"account", feed["remote_id"]}, {"text", text}})["remote_id"];
  }
  const Json feed = sandbox.Account("feed");
};

TEST_F(FeedHubTest, TellsWhatIsNewOfAFeedThatNamesIt) {
  const std::string named = topic.substr(0, topic.find("/feed/")) + hub;
  EXPECT_NE(sandbox.Send("GET", topic).body.find("<atom:link href=\"" + named + "\" rel=\"hub\"/>"), std::string::npos);
  EXPECT_NE(sandbox.Send("GET", topic + "/atom").body.find("<link rel=\"hub\" href=\"" + named + "\"/>"), std::string::npos);
  EXPECT_EQ(sandbox.Send("GET", topic + "/json").json["hubs"][0], (Json{{"type", "WebSub"}, {"url", named}}));
  Mention("before");
  EXPECT_EQ(Ask("subscribe", {{"hub.secret", "s"}}).status, 202);
  EXPECT_EQ(Asked(1)["hub.topic"], topic);
  ASSERT_TRUE(Subscribers(1));
  const std::string one = Mention("one & only");
  auto calls = Told(1);
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_NE(calls[0].body.find("<guid isPermaLink=\"false\">" + one + "</guid>"), std::string::npos) << calls[0].body;
  EXPECT_EQ(calls[0].body.find("before"), std::string::npos) << "only what is new";
  EXPECT_EQ(calls[0].headers.at("X-Hub-Signature"), "sha256=" + HmacHexBy("sha256", Secret("s"), calls[0].body));
  EXPECT_NE(calls[0].headers.at("Link").find("<" + topic + ">; rel=\"self\""), std::string::npos);
  sandbox.Control("POST", "/comments/feed/" + one, {{"text", "edited"}});
  calls = Told(2);
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_NE(calls[1].body.find("edited"), std::string::npos) << calls[1].body;
}

TEST_F(FeedHubTest, KnowsItsOwnFeedsOnly) {
  EXPECT_EQ(Ask("subscribe", {{"hub.topic", topic + "/atom"}}).status, 202);
  const std::string others[] = {topic + "/opml", topic + "x", "https://example.com/feed/" + id, "https://www.youtube.com/feeds/videos.xml?channel_id=" + id};
  for (const std::string& other : others) EXPECT_EQ(Ask("subscribe", {{"hub.topic", other}}).status, 400) << other;
}

}  // namespace
}  // namespace parvis::sandbox
