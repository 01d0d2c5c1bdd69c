#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;

class FacebookWebhookTest : public ConnectorTest {
 protected:
  FacebookWebhookTest() : ConnectorTest("facebook", "") {}
  WebhookContent Parse(std::string_view body) { return connector.ParseWebhook(body); }
  // One change of one comment below post 111_222 of page 111.
  static std::string Comment(const std::string& members) {
    return R"({"object":"page","entry":[{"id":"111","time":1700000100,"changes":[{"field":"feed","value":{"item":"comment",)" + members + "}}]}]}";
  }
};

// The body of facts 1.5.
TEST_F(FacebookWebhookTest, ATopLevelComment) {
  const WebhookContent content = Parse(
      R"({"object":"page","entry":[{"id":"111","time":1700000000,"changes":[{"field":"feed","value":{"item":"comment","verb":"add","post_id":"111_222","parent_id":"111_222","comment_id":"222_333","from":{"id":"999","name":"A"},"message":"hi","created_time":1700000000}}]}]})");
  ASSERT_EQ(content.happenings.size(), 1u);
  EXPECT_TRUE(content.unparsed.empty());
  const Happening& h = content.happenings[0];
  EXPECT_EQ(h.kind, Kind::kComment);
  EXPECT_EQ(h.account_remote_id, "111");
  EXPECT_EQ(h.remote_id, "222_333");
  EXPECT_EQ(h.thread, "222_333");
  EXPECT_EQ(h.conversation, "222_333");
  EXPECT_EQ(h.parent_remote_id, "111_222");
  EXPECT_EQ(h.post_remote_id, "111_222");
  EXPECT_EQ(h.author_remote_id, "999");
  EXPECT_EQ(h.author_name, "A");
  EXPECT_EQ(h.text, "hi");
  EXPECT_EQ(h.occurred_at, absl::FromUnixSeconds(1700000000));
  EXPECT_EQ(h.revision, 1700000000000000);
  EXPECT_FALSE(h.by_us);
}

TEST_F(FacebookWebhookTest, AReplyBelongsToItsTopLevelComment) {
  const WebhookContent content = Parse(Comment(
      R"("verb":"add","post_id":"111_222","parent_id":"222_333","comment_id":"222_444","from":{"id":"111","name":"Us"},"message":"thanks","created_time":1700000050)"));
  ASSERT_EQ(content.happenings.size(), 1u);
  EXPECT_EQ(content.happenings[0].thread, "222_333");
  EXPECT_EQ(content.happenings[0].parent_remote_id, "222_333");
  EXPECT_TRUE(content.happenings[0].by_us);
}

TEST_F(FacebookWebhookTest, EveryVerb) {
  const std::vector<std::pair<const char*, Kind>> verbs = {
      {"add", Kind::kComment}, {"edited", Kind::kEdit}, {"remove", Kind::kRemoval}, {"hide", Kind::kHide}, {"unhide", Kind::kUnhide}};
  for (const auto& [verb, kind] : verbs) {
    const WebhookContent content = Parse(Comment(std::string(R"("verb":")") + verb +
                                                 R"(","post_id":"p","parent_id":"p","comment_id":"c","message":"text","created_time":1700000060)"));
    ASSERT_EQ(content.happenings.size(), 1u) << verb;
    EXPECT_EQ(content.happenings[0].kind, kind) << verb;
    EXPECT_EQ(content.happenings[0].revision, 1700000060000000) << verb;
    EXPECT_EQ(content.happenings[0].text, kind == Kind::kRemoval ? "" : "text") << verb;
  }
}

// A repeated report has another entry.time: the natural key must not follow it.
TEST_F(FacebookWebhookTest, RedeliveriesHaveTheSameRevision) {
  const std::string change = R"({"field":"feed","value":{"item":"comment","verb":"edited","post_id":"p","parent_id":"p","comment_id":"c","message":"m","created_time":1700000060}})";
  const auto first = Parse(R"({"object":"page","entry":[{"id":"1","time":1700000061,"changes":[)" + change + "]}]}");
  const auto again = Parse(R"({"object":"page","entry":[{"id":"1","time":1700009999,"changes":[)" + change + "]}]}");
  EXPECT_EQ(first.happenings[0].revision, again.happenings[0].revision);
  // Without a time of its own, the report's is all there is; milliseconds are recognised.
  const auto no_time = Parse(R"({"object":"page","entry":[{"id":"1","time":1700000061000,"changes":[{"field":"feed","value":{"item":"comment","verb":"remove","comment_id":"c"}}]}]})");
  EXPECT_EQ(no_time.happenings[0].revision, 1700000061000000);
}

TEST_F(FacebookWebhookTest, SeveralPagesAndChangesInOneCall) {
  const WebhookContent content = Parse(R"({"object":"page","entry":[
    {"id":"1","time":1700000000,"changes":[
      {"field":"feed","value":{"item":"comment","verb":"add","post_id":"p","parent_id":"p","comment_id":"c1","created_time":1}},
      {"field":"feed","value":{"item":"reaction","verb":"add","reaction_type":"like"}},
      {"field":"feed","value":{"item":"status","verb":"add","published":1}},
      {"field":"mention","value":{}},
      {"field":"feed","value":{"item":"comment","verb":"add","post_id":"p"}},
      {"field":"feed","value":{"item":"comment","verb":"explode","comment_id":"c9"}}]},
    {"id":2,"time":1700000000,"changes":[{"field":"feed","value":{"item":"comment","verb":"add","comment_id":77,"parent_id":"p","post_id":"p","created_time":2}}]},
    {"id":"3","messaging":[{"message":"x"}]},
    {"time":5}, 7]})");
  ASSERT_EQ(content.happenings.size(), 2u);
  EXPECT_EQ(content.happenings[0].account_remote_id, "1");
  EXPECT_EQ(content.happenings[1].account_remote_id, "2");
  EXPECT_EQ(content.happenings[1].remote_id, "77");
  EXPECT_EQ(content.ignored, 4);
  ASSERT_EQ(content.unparsed.size(), 4u);
  EXPECT_EQ(content.unparsed[0].reason, "MISSING_FIELD");
  EXPECT_EQ(content.unparsed[0].detail, "value.comment_id");
  EXPECT_EQ(content.unparsed[1].reason, "UNKNOWN_SHAPE");
  EXPECT_NE(content.unparsed[1].raw.find("explode"), std::string::npos);
  EXPECT_EQ(content.unparsed[2].detail, "entry.id");
}

TEST_F(FacebookWebhookTest, BadBodiesAreKeptRaw) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "NOT_JSON"}, {"{", "NOT_JSON"}, {"[]", "UNKNOWN_SHAPE"}, {"{}", "UNKNOWN_SHAPE"}, {R"({"object":"user","entry":[]})", "UNKNOWN_SHAPE"},
      {R"({"object":"page","entry":{}})", "UNKNOWN_SHAPE"}, {"{\"object\":\"page\",\"entry\":\"\xff\"}", "NOT_UTF8"}, {std::string(1000, '['), "NOT_JSON"},
      {std::string(70, '[') + std::string(70, ']'), "TOO_DEEP"}, {std::string(100000, '[') + std::string(100000, ']'), "TOO_DEEP"}, {std::string("\0", 1), "NOT_JSON"}, {R"({"object":"page","entry":[]} x)", "NOT_JSON"}};
  for (const auto& [body, reason] : cases) {
    const WebhookContent content = Parse(body);
    ASSERT_EQ(content.unparsed.size(), 1u) << body.substr(0, 60);
    EXPECT_EQ(content.unparsed[0].reason, reason) << body.substr(0, 60);
    EXPECT_EQ(content.unparsed[0].raw, body);
    EXPECT_TRUE(content.happenings.empty());
  }
}

TEST_F(FacebookWebhookTest, TextsAreCleanedAndBounded) {
  const WebhookContent content = Parse(Comment(
      R"("verb":"add","post_id":"p","parent_id":"p","comment_id":"c","message":"a\u0000b\ud83d\ude00","created_time":1)"));
  EXPECT_EQ(content.happenings[0].text, "ab😀");
  const WebhookContent big = Parse(Comment(R"("verb":"add","comment_id":"c","created_time":1,"message":")" + std::string(200000, 'x') + "\""));
  EXPECT_EQ(big.happenings[0].text.size(), 64u << 10);
}

TEST_F(FacebookWebhookTest, Signatures) {
  WebhookCall call;
  call.body = "{}";
  call.headers["x-hub-signature-256"] = "sha256=" + ToHex(HmacSha256("app", "{}"));
  EXPECT_TRUE(connector.VerifySignature(call, {Secret("app")}).ok());
  EXPECT_TRUE(connector.VerifySignature(call, {Secret("new"), Secret("app")}).ok());
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, {Secret("other")})), "SIGNATURE_WRONG");
  call.headers.clear();
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, {Secret("app")})), "SIGNATURE_MISSING");
}

TEST_F(FacebookWebhookTest, Handshake) {
  WebhookCall call;
  call.method = "GET";
  call.query = "hub.mode=subscribe&hub.verify_token=ours&hub.challenge=1158201444";
  const auto answer = connector.Handshake(call, {}, Secret("ours"));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->body, "1158201444");
  EXPECT_EQ(answer->content_type, "text/plain");
  EXPECT_EQ(ReasonOf(connector.Handshake(call, {}, Secret("other")).status()), "VERIFY_TOKEN_WRONG");
  EXPECT_EQ(ReasonOf(connector.Handshake(call, {}, Secret()).status()), "VERIFY_TOKEN_WRONG");
  call.query = "hub.mode=subscribe&hub.verify_token=ours&hub.challenge=%3Cscript%3E";
  EXPECT_EQ(ReasonOf(connector.Handshake(call, {}, Secret("ours")).status()), "HANDSHAKE_MALFORMED");
  call.query = "hub.mode=unsubscribe&hub.verify_token=ours&hub.challenge=1";
  EXPECT_EQ(ReasonOf(connector.Handshake(call, {}, Secret("ours")).status()), "HANDSHAKE_MALFORMED");
}

}  // namespace
}  // namespace parvis::networks
