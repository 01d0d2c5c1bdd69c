#include <gtest/gtest.h>

#include "networks/instagram/instagram.h"
#include "networks/testing/connector_test.h"
#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;

class InstagramWebhookTest : public ConnectorTest {
 protected:
  InstagramWebhookTest() : ConnectorTest("instagram", "") {}
  WebhookContent Parse(std::string_view body) { return connector.ParseWebhook(body); }
  static std::string Changes(const std::string& changes) {
    return R"({"object":"instagram","entry":[{"id":"17841","time":1700000000,"changes":[)" + changes + "]}]}";
  }
};

// The body of facts 2.3.
TEST_F(InstagramWebhookTest, AComment) {
  const WebhookContent content = Parse(
      R"({"object":"instagram","entry":[{"id":"178..","time":1700000000,"changes":[{"field":"comments","value":{"id":"179..","text":"hi","from":{"id":"55","username":"a"},"media":{"id":"180..","media_product_type":"FEED"},"parent_id":"17.."}}]}]})");
  ASSERT_EQ(content.happenings.size(), 1u);
  EXPECT_TRUE(content.unparsed.empty());
  const Happening& h = content.happenings[0];
  EXPECT_EQ(h.kind, Kind::kComment);
  EXPECT_EQ(h.account_remote_id, "178..");
  EXPECT_EQ(h.remote_id, "179..");
  EXPECT_EQ(h.thread, "17..");
  EXPECT_EQ(h.parent_remote_id, "17..");
  EXPECT_EQ(h.post_remote_id, "180..");
  EXPECT_EQ(h.author_remote_id, "55");
  EXPECT_EQ(h.author_handle, "a");
  EXPECT_EQ(h.text, "hi");
  EXPECT_EQ(h.occurred_at, absl::FromUnixSeconds(1700000000));
  EXPECT_EQ(h.revision, kInstagramOnlyRevision);
  EXPECT_FALSE(h.by_us);
}

// A repeated report has another time, and a comment none of its own: the natural key must not follow it.
TEST_F(InstagramWebhookTest, RedeliveriesHaveTheSameKey) {
  const std::string change = R"("changes":[{"field":"comments","value":{"id":"1","text":"m","media":{"id":"2"}}}])";
  const auto first = Parse(R"({"object":"instagram","entry":[{"id":"1","time":1700000061,)" + change + "}]}");
  const auto again = Parse(R"({"object":"instagram","entry":[{"id":"1","time":1700009999,)" + change + "}]}");
  EXPECT_EQ(first.happenings.at(0).revision, again.happenings.at(0).revision);
  EXPECT_EQ(first.happenings[0].thread, "1");
  EXPECT_EQ(first.happenings[0].parent_remote_id, "2");
}

// With Instagram Login the entry may be the change; both namings of the id are read, and ids as numbers.
TEST_F(InstagramWebhookTest, TheOtherShape) {
  const auto content = Parse(
      R"({"object":"instagram","entry":[{"id":17841,"time":1700000000,"field":"live_comments","value":{"comment_id":17890000000000001,"text":"hi","from":{"id":17841}}}]})");
  ASSERT_EQ(content.happenings.size(), 1u);
  EXPECT_EQ(content.happenings[0].remote_id, "17890000000000001");
  EXPECT_TRUE(content.happenings[0].by_us);
}

TEST_F(InstagramWebhookTest, Mentions) {
  const auto content = Parse(Changes(R"({"field":"mentions","value":{"comment_id":"17894","media_id":"17918"}},
                                        {"field":"mentions","value":{"media_id":"17918"}})"));
  ASSERT_EQ(content.happenings.size(), 2u);
  EXPECT_EQ(content.happenings[0].kind, Kind::kMention);
  EXPECT_EQ(content.happenings[0].remote_id, "17894");
  EXPECT_EQ(content.happenings[0].post_remote_id, "17918");
  EXPECT_EQ(content.happenings[1].remote_id, "17918");
  EXPECT_EQ(content.happenings[1].thread, "17918");
}

TEST_F(InstagramWebhookTest, OthersAreIgnoredAndBadOnesKept) {
  const auto content = Parse(Changes(R"({"field":"story_insights","value":{"media_id":"1","reach":-1}},
      {"field":"new_one"}, {"value":{}}, {"field":"comments"}, {"field":"comments","value":{"text":"x"}}, {"field":"mentions","value":{}}, 5)"));
  EXPECT_EQ(content.ignored, 2);
  ASSERT_EQ(content.unparsed.size(), 5u);
  EXPECT_EQ(content.unparsed[2].detail, "value.id");
  EXPECT_EQ(content.unparsed[3].detail, "value.media_id");
  EXPECT_TRUE(content.happenings.empty());
  EXPECT_EQ(Parse(R"({"object":"instagram","entry":[{"id":"1","messaging":[{}]}]})").ignored, 1);
  const auto timeless = Parse(R"({"object":"instagram","entry":[{"id":"1","changes":[{"field":"comments","value":{"id":"2"}}]}]})");
  EXPECT_EQ(timeless.unparsed.at(0).detail, "entry.time");
  for (const char* body : {"", "{", "[]", R"({"object":"page","entry":[]})", R"({"object":"instagram","entry":{}})"}) {
    EXPECT_EQ(Parse(body).unparsed.size(), 1u) << body;
  }
  EXPECT_EQ(Parse("{\"object\":\"instagram\",\"entry\":\"\xff\"}").unparsed.at(0).reason, "NOT_UTF8");
}

TEST_F(InstagramWebhookTest, SignaturesAndHandshake) {
  WebhookCall call;
  call.body = "{}";
  call.headers["x-hub-signature-256"] = "sha256=" + ToHex(HmacSha256("app", "{}"));
  EXPECT_TRUE(connector.VerifySignature(call, {Secret("new"), Secret("app")}).ok());
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, {Secret("other")})), "SIGNATURE_WRONG");
  call.method = "GET";
  call.query = "hub.mode=subscribe&hub.verify_token=ours&hub.challenge=1158201444";
  EXPECT_EQ(connector.Handshake(call, {}, Secret("ours"))->body, "1158201444");
  EXPECT_EQ(ReasonOf(connector.Handshake(call, {}, Secret("other")).status()), "VERIFY_TOKEN_WRONG");
}

}  // namespace
}  // namespace parvis::networks
