#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/websub.h"
#include "networks/youtube/youtube.h"

namespace parvis::networks {
namespace {

constexpr char kFeed[] = R"(<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom">
  <link rel="self" href="https://www.youtube.com/xml/feeds/videos.xml?channel_id=UCus"/><title>YouTube video feed</title>
  <updated>2015-04-01T19:05:24.552394234+00:00</updated>
  <entry><id>yt:video:v1</id><yt:videoId>v1</yt:videoId><yt:channelId>UCus</yt:channelId><title>Lamps &amp; &#233;toiles</title>
    <link rel="alternate" href="http://www.youtube.com/watch?v=v1"/><sparkle>1</sparkle>
    <author><name>Lumen</name><uri>http://www.youtube.com/channel/UCus</uri></author>
    <published>2015-03-06T21:40:57+00:00</published><updated>2015-03-09T19:05:24.552394234+00:00</updated></entry></feed>)";

class YouTubeWebhookTest : public ConnectorTest {
 protected:
  YouTubeWebhookTest() : ConnectorTest("youtube", "") {}
  std::string Reason(const std::string& body) {
    const WebhookContent content = connector.ParseWebhook(body);
    EXPECT_TRUE(content.happenings.empty()) << body;
    return content.unparsed.empty() ? "" : content.unparsed[0].reason;
  }
  StatusOr<HandshakeAnswer> Ask(const std::string& query, const char* method = "GET") {
    return connector.Handshake({method, query, "", {}}, {}, Secret("tok"));
  }
};

TEST_F(YouTubeWebhookTest, OwnVideosAreNoMessages) {
  const WebhookContent content = connector.ParseWebhook(kFeed);
  EXPECT_TRUE(content.happenings.empty()) << "they would open conversations";
  EXPECT_EQ(content.ignored, 1);
  EXPECT_TRUE(content.unparsed.empty());
}

TEST_F(YouTubeWebhookTest, TellsOfDeletedVideos) {
  const WebhookContent content = connector.ParseWebhook(
      R"(<feed xmlns:at="http://purl.org/atompub/tombstones/1.0" xmlns="http://www.w3.org/2005/Atom">
         <at:deleted-entry ref="yt:video:v1" when="2026-01-02T03:04:05+00:00"><link href="https://www.youtube.com/watch?v=v1"/>
         <at:by><name>Lumen</name><uri>https://www.youtube.com/channel/UCus</uri></at:by></at:deleted-entry></feed>)");
  ASSERT_EQ(content.happenings.size(), 1u);
  EXPECT_EQ(content.happenings[0].kind, Happening::Kind::kRemoval);
  EXPECT_EQ(content.happenings[0].remote_id, "v1");
  EXPECT_EQ(content.happenings[0].account_remote_id, "UCus");
}

TEST_F(YouTubeWebhookTest, HostileXmlIsRefused) {
  std::string laughs = "<!DOCTYPE l [<!ENTITY a \"ha\">";
  for (char c = 'b'; c < 'k'; ++c) {
    laughs += std::string("<!ENTITY ") + c + " \"";
    for (int i = 0; i < 10; ++i) laughs += std::string("&") + static_cast<char>(c - 1) + ";";
    laughs += "\">";
  }
  const std::string entry = R"(<feed xmlns="http://www.w3.org/2005/Atom"><title>)";
  EXPECT_EQ(Reason(laughs + "]>" + entry + "&j;</title></feed>"), "DTD_REFUSED");
  EXPECT_EQ(Reason("<!DOCTYPE f [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" + entry + "&x;</title></feed>"),
            "DTD_REFUSED");
  EXPECT_EQ(Reason("<!DOCTYPE f SYSTEM \"http://evil.example/f.dtd\">" + entry + "</title></feed>"), "DTD_REFUSED");
  EXPECT_EQ(Reason(entry + "&x;</title></feed>"), "NOT_XML");
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<a>";
  EXPECT_EQ(Reason(deep), "TOO_DEEP");
  EXPECT_EQ(Reason(std::string(kFeed).substr(0, sizeof kFeed - 9)), "NOT_XML") << "cut off: nothing of it is taken";
  EXPECT_EQ(Reason("<?xml version=\"1.0\" encoding=\"UTF-8\"?><feed>\xff</feed>"), "NOT_XML");
  EXPECT_EQ(Reason("<?xml version=\"1.0\" encoding=\"x-evil\"?><feed/>"), "NOT_XML");
  EXPECT_EQ(Reason(""), "NOT_XML");
  EXPECT_EQ(Reason("<rss/>"), "UNKNOWN_SHAPE");
  EXPECT_EQ(Reason(std::string(5 << 20, ' ')), "UNKNOWN_SHAPE");
  std::string many = R"(<feed xmlns="http://www.w3.org/2005/Atom">)";
  for (int i = 0; i < 2000; ++i) many += "<entry/>";
  EXPECT_EQ(Reason(many + "</feed>"), "UNKNOWN_SHAPE");
  EXPECT_EQ(Reason(R"(<feed xmlns="http://www.w3.org/2005/Atom"><entry/></feed>)"), "MISSING_FIELD");
  const std::string id = "<yt:videoId>" + std::string(1000, 'v') + "</yt:videoId>";
  std::string odd = kFeed;
  odd.replace(odd.find("<yt:videoId>v1</yt:videoId>"), 27, id);
  EXPECT_EQ(Reason(odd), "MISSING_FIELD") << "no id is that long";
}

TEST_F(YouTubeWebhookTest, TheHubIsGooglesWhereTheApiIs) {
  account.base_url = "https://www.googleapis.com/";
  auto hub = connector.FindHub(network.call(), account);
  ASSERT_TRUE(hub.ok()) << hub.status();
  EXPECT_EQ(hub->url, "https://pubsubhubbub.appspot.com/subscribe");
  EXPECT_EQ(hub->topic, "https://www.youtube.com/xml/feeds/videos.xml?channel_id=" + account.remote_id);
  EXPECT_FALSE(hub->tells_all);
  account.base_url = "http://127.0.0.1:8090/youtube";
  EXPECT_EQ(connector.FindHub(network.call(), account)->url, "http://127.0.0.1:8090/youtube/subscribe");
}

TEST_F(YouTubeWebhookTest, AnswersTheHub) {
  const std::string topic = "&hub.topic=" + net::UrlEncode("https://www.youtube.com/feeds/videos.xml?channel_id=UCus");
  auto answer = Ask("hub.mode=subscribe&hub.challenge=abc123&hub.lease_seconds=432000" + topic);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->body, "abc123");
  EXPECT_EQ(answer->content_type, "text/plain");
  EXPECT_TRUE(Ask("hub.mode=subscribe&hub.challenge=abc&hub.verify_token=tok&hub.topic=" +
                  net::UrlEncode("https://www.youtube.com/xml/feeds/videos.xml?channel_id=UCus"))
                  .ok());
  EXPECT_TRUE(Ask("hub.mode=unsubscribe&hub.challenge=abc&hub.verify_token=tok" + topic).ok());
  EXPECT_EQ(Ask("hub.mode=denied&hub.reason=no" + topic)->body, "");
  EXPECT_EQ(ReasonOf(Ask("hub.mode=unsubscribe&hub.challenge=abc" + topic).status()), "VERIFY_TOKEN_WRONG")
      << "anybody can ask for that";
  EXPECT_EQ(ReasonOf(Ask("hub.mode=subscribe&hub.challenge=abc&hub.verify_token=x" + topic).status()),
            "VERIFY_TOKEN_WRONG");
  for (const std::string& wrong :
       {std::string("hub.mode=subscribe") + topic, std::string("hub.mode=subscribe&hub.challenge=a"),
        "hub.mode=publish&hub.challenge=a" + topic, "hub.mode=subscribe&hub.challenge=%0d%0a" + topic,
        std::string("hub.mode=subscribe&hub.challenge=a&hub.topic=https%3A%2F%2Fevil.example")}) {
    EXPECT_EQ(ReasonOf(Ask(wrong).status()), "HANDSHAKE_MALFORMED") << wrong;
  }
  EXPECT_FALSE(Ask("hub.mode=subscribe&hub.challenge=abc" + topic, "POST").ok());
}

TEST_F(YouTubeWebhookTest, VerifiesWithTheMethodTheHubNames) {
  // Computed once with Python's hmac; below, RFC 2202 and 4231, second case.
  const std::string body = R"(<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"></feed>)";
  const std::string right = "sha1=97b3583676c5c0f87cca236618d2bbdd8263d5ec";
  const auto verify = [&](const std::string& header, const std::vector<Secret>& secrets) {
    return ReasonOf(connector.VerifySignature({"POST", "", body, {{"x-hub-signature", header}}}, secrets));
  };
  EXPECT_EQ(verify(right, {Secret("old"), Secret("hub-secret-example")}), "");
  EXPECT_EQ(verify(right, {Secret("old")}), "SIGNATURE_WRONG");
  EXPECT_EQ(verify(right, {}), "SIGNATURE_MISSING");
  EXPECT_EQ(verify(right, {Secret("")}), "SIGNATURE_MISSING");
  EXPECT_EQ(verify("", {Secret("hub-secret-example")}), "SIGNATURE_MISSING");
  for (const std::string& wrong : {right.substr(5), "md5=" + right.substr(5), "sha256=" + right.substr(5),
                                   std::string("sha1="), "SHA1=" + right.substr(5), right + "0"}) {
    EXPECT_EQ(verify(wrong, {Secret("hub-secret-example")}), "SIGNATURE_WRONG") << wrong;
  }
  const std::string message = "what do ya want for nothing?";
  for (const char* header :
       {"sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "sha384=af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
        "sha512="
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b"
        "4b"
        "636e070a38bce737"}) {
    EXPECT_TRUE(CheckHubSignature(header, message, {Secret("Jefe")}).ok()) << header;
  }
}

}  // namespace
}  // namespace parvis::networks
