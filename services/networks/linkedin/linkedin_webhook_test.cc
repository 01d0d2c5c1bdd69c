#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;

const char kComment[] = "urn:li:comment:(urn:li:activity:7094637247890620418,7094977717598625792)";

class LinkedInWebhookTest : public ConnectorTest {
 protected:
  LinkedInWebhookTest() : ConnectorTest("linkedin", "") {}
  WebhookContent Parse(const std::string& notification) {
    return connector.ParseWebhook(R"({"type":"ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS","notifications":[)" +
                                  notification + "]}");
  }
  // As one was seen: the short form of the comment's URN outside, the long one inside.
  static std::string Comment(const std::string& action, const std::string& time = "1691574506310",
                             const std::string& object = "urn:li:activity:7094637247890620418") {
    return R"({"subscriber":"urn:li:person:z","lastModifiedAt":)" + time +
           R"(,"decoratedSourcePost":{"owner":"urn:li:organization:96","text":"post","entity":"urn:li:share:7094637247487995904"},)"
           R"("sourcePost":"urn:li:activity:7094637247890620418","decoratedGeneratedActivity":{"comment":{"owner":"urn:li:person:z",)"
           R"("text":"Commenting","entity":")" +
           std::string(kComment) + R"(","object":")" + object + R"("}},"action":")" + action +
           R"(","notificationId":5603453321,"organizationalEntity":"urn:li:organization:96","odd":{"member":1},)"
           R"j("generatedActivity":"urn:li:comment:(activity:7094637247890620418,7094977717598625792)"})j";
  }
};

TEST_F(LinkedInWebhookTest, AComment) {
  const WebhookContent content = Parse(Comment("COMMENT"));
  ASSERT_EQ(content.happenings.size(), 1u);
  const Happening& h = content.happenings[0];
  EXPECT_EQ(h.kind, Kind::kComment);
  EXPECT_EQ(h.account_remote_id, "urn:li:organization:96");
  EXPECT_EQ(h.remote_id, kComment);
  EXPECT_EQ(h.thread, kComment);
  EXPECT_EQ(h.post_remote_id, "urn:li:share:7094637247487995904");
  EXPECT_EQ(h.parent_remote_id, "urn:li:share:7094637247487995904");
  EXPECT_EQ(h.author_remote_id, "urn:li:person:z");
  EXPECT_EQ(h.text, "Commenting");
  EXPECT_EQ(h.occurred_at, absl::FromUnixMillis(1691574506310));
  EXPECT_EQ(h.revision, 1691574506187000);  // the time in its number, which a poll knows too
  EXPECT_FALSE(h.by_us);
}

TEST_F(LinkedInWebhookTest, WithoutDecorationTheShortUrnBecomesTheLongOne) {
  const auto content = Parse(
      R"({"lastModifiedAt":1691574506310,"action":"COMMENT","organizationalEntity":"urn:li:organization:96","sourcePost":"urn:li:share:1",)"
      R"j("generatedActivity":"urn:li:comment:(activity:7094637247890620418,7094977717598625792)"})j");
  ASSERT_EQ(content.happenings.size(), 1u);
  EXPECT_EQ(content.happenings[0].remote_id, kComment);
  EXPECT_EQ(content.happenings[0].post_remote_id, "urn:li:share:1");
}

TEST_F(LinkedInWebhookTest, EveryAction) {
  const std::pair<const char*, Kind> actions[] = {{"COMMENT", Kind::kComment},
                                                  {"ADMIN_COMMENT", Kind::kComment},
                                                  {"COMMENT_EDIT", Kind::kEdit},
                                                  {"COMMENT_DELETE", Kind::kRemoval}};
  for (const auto& [action, kind] : actions) {
    const auto content = Parse(Comment(action, "1691574599000"));
    ASSERT_EQ(content.happenings.size(), 1u) << action;
    EXPECT_EQ(content.happenings[0].kind, kind) << action;
    EXPECT_EQ(content.happenings[0].revision, kind == Kind::kComment ? 1691574506187000 : 1691574599000000) << action;
    EXPECT_EQ(content.happenings[0].text, kind == Kind::kRemoval ? "" : "Commenting") << action;
  }
  const auto mention = Parse(
      R"({"lastModifiedAt":1691574506310,"action":"SHARE_MENTION","organizationalEntity":"urn:li:organization:96",)"
      R"("generatedActivity":"urn:li:share:7094977717598625792","decoratedGeneratedActivity":{"share":{"owner":"urn:li:person:q","text":"I like them","entity":"urn:li:share:7094977717598625792"}}})");
  ASSERT_EQ(mention.happenings.size(), 1u);
  EXPECT_EQ(mention.happenings[0].kind, Kind::kMention);
  EXPECT_EQ(mention.happenings[0].remote_id, "urn:li:share:7094977717598625792");
  EXPECT_EQ(mention.happenings[0].text, "I like them");
  EXPECT_EQ(Parse(Comment("LIKE")).ignored, 1);
  EXPECT_EQ(Parse(Comment("SHARE")).ignored, 1);
  EXPECT_EQ(Parse(Comment("ACTION_OF_TOMORROW")).ignored, 1);
}

TEST_F(LinkedInWebhookTest, RepliesBelongToTheirTopLevelComment) {
  const auto content = Parse(Comment("COMMENT", "1691574506310", "urn:li:comment:(urn:li:activity:1,22)"));
  EXPECT_EQ(content.happenings.at(0).thread, "urn:li:comment:(urn:li:activity:1,22)");
  EXPECT_EQ(content.happenings.at(0).parent_remote_id, "urn:li:comment:(urn:li:activity:1,22)");
}

TEST_F(LinkedInWebhookTest, BadPartsAndBodiesAreKeptRaw) {
  const auto content = Parse("7," + Comment("COMMENT") + R"(,{"action":"COMMENT"})");
  EXPECT_EQ(content.happenings.size(), 1u);
  ASSERT_EQ(content.unparsed.size(), 2u);
  EXPECT_EQ(content.unparsed[0].reason, "UNKNOWN_SHAPE");
  EXPECT_EQ(content.unparsed[1].reason, "MISSING_FIELD");
  for (const auto& [body, reason] :
       std::vector<std::pair<std::string, std::string>>{{"", "NOT_JSON"},
                                                        {"{}", "UNKNOWN_SHAPE"},
                                                        {"[]", "UNKNOWN_SHAPE"},
                                                        {"{\"a\":\"\xff\"}", "NOT_UTF8"},
                                                        {std::string(70, '[') + std::string(70, ']'), "TOO_DEEP"}}) {
    const auto bad = connector.ParseWebhook(body);
    ASSERT_EQ(bad.unparsed.size(), 1u) << body;
    EXPECT_EQ(bad.unparsed[0].reason, reason) << body;
  }
}

// The vectors of testvectors.json.
TEST_F(LinkedInWebhookTest, SignaturesAndHandshake) {
  WebhookCall call;
  call.body = R"({"type":"ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS","notifications":[{"notificationId":1}]})";
  const Secret secret("client-secret-example");
  call.headers["x-li-signature"] = "ec44ccb4c89b65b3d2d4ff3b9f61fcfc5775948de524c262ba1b345839f17178";
  EXPECT_TRUE(connector.VerifySignature(call, {secret}).ok());
  EXPECT_TRUE(connector.VerifySignature(call, {Secret("new"), secret}).ok());
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, {Secret("other")})), "SIGNATURE_WRONG");
  call.headers["x-li-signature"] =
      "6a969554d9963d02128fcd27826595e5bd2b8f3a041c3b41bfda71b7cb6d3a72";  // without the prefix
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, {secret})), "SIGNATURE_WRONG");
  call.headers["x-li-signature"] = "";
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, {secret})), "SIGNATURE_MISSING");
  call.headers.clear();
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, {secret})), "SIGNATURE_MISSING");

  call.method = "GET";
  call.query = "challengeCode=890e4665-4dfe-4ab1-b689-ed553bceeed0";
  const auto answer = connector.Handshake(call, {secret, Secret("old")}, Secret());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->content_type, "application/json");
  EXPECT_EQ(
      answer->body,
      R"({"challengeCode":"890e4665-4dfe-4ab1-b689-ed553bceeed0","challengeResponse":"2c541486b92d1da14c2ffee51b42c90bb6060a2790c29c80fc79fcfd04a4c649"})");
  // Nobody gets an event signed by asking for it.
  call.query = "challengeCode=hmacsha256%3D%7B%7D";
  EXPECT_EQ(ReasonOf(connector.Handshake(call, {secret}, Secret()).status()), "HANDSHAKE_MALFORMED");
  call.query = "";
  EXPECT_EQ(ReasonOf(connector.Handshake(call, {secret}, Secret()).status()), "HANDSHAKE_MALFORMED");
  call.query = "challengeCode=12";
  EXPECT_EQ(ReasonOf(connector.Handshake(call, {}, Secret()).status()), "SECRET_MISSING");
}

}  // namespace
}  // namespace parvis::networks
