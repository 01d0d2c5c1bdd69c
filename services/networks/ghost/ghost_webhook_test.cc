#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/answer.h"
#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;
const char kId[] = "6745f0a1c2d3e4f5a6b7c8d9";

class GhostWebhookTest : public ConnectorTest {
 protected:
  GhostWebhookTest() : ConnectorTest("ghost", "") {}
  WebhookContent Parse(const Json& body, const std::string& header = "") {
    WebhookCall call;
    call.method = "POST";
    if (!header.empty()) call.headers["X-Ghost-Signature"] = header;
    call.body = body.dump();
    return connector.ParseCall(call);
  }
  static Json Event(const std::string& event, Json current, Json previous = Json::object()) {
    Json body = {{"post", {{"current", std::move(current)}, {"previous", std::move(previous)}}}};
    if (!event.empty()) body["event"] = event;
    return body;
  }
  static Json Post(const std::string& status = "published") {
    return {{"id", kId},
            {"status", status},
            {"title", "T"},
            {"html", "<p>a &amp; b</p>"},
            {"plaintext", "a & b"},
            {"updated_at", "2026-11-20T10:00:00.000Z"},
            {"url", "https://blog.example/t/"},
            {"odd", {{1}}}};
  }
};

TEST_F(GhostWebhookTest, WhatBecomesOfAPost) {
  auto content = Parse(Event("post.published.edited", Post(), {{"title", "Old"}}));
  ASSERT_EQ(content.happenings.size(), 1u);
  const Happening& edit = content.happenings[0];
  EXPECT_EQ(edit.kind, Kind::kEdit);
  EXPECT_EQ(edit.remote_id, kId);
  EXPECT_EQ(edit.thread, kId);
  EXPECT_EQ(edit.conversation, kId);
  EXPECT_EQ(edit.post_remote_id, kId);
  EXPECT_EQ(edit.text, "a & b");
  EXPECT_EQ(edit.permalink, "https://blog.example/t/");
  EXPECT_EQ(edit.revision, 1795168800000000);
  EXPECT_TRUE(edit.by_us);

  content = Parse(Event("post.unpublished", Post("draft"), {{"status", "published"}}));
  ASSERT_EQ(content.happenings.size(), 1u);
  EXPECT_EQ(content.happenings[0].kind, Kind::kRemoval);
  EXPECT_EQ(content.happenings[0].text, "");
}

TEST_F(GhostWebhookTest, ADeletionIsDatedByItsCall) {
  const Json body = Event("post.deleted", Json::object(), Post());
  auto content = Parse(body, "sha256=00, t=1795168801234");
  ASSERT_EQ(content.happenings.size(), 1u);
  EXPECT_EQ(content.happenings[0].kind, Kind::kRemoval);
  EXPECT_EQ(content.happenings[0].remote_id, kId);
  EXPECT_EQ(content.happenings[0].revision, 1795168801234000);
  // A published post that is deleted is told of twice, both times by what it was.
  content = Parse(Event("post.unpublished", Json::object(), Post()), "sha256=00, t=1795168801233");
  EXPECT_EQ(content.happenings.at(0).kind, Kind::kRemoval);
  EXPECT_EQ(content.happenings.at(0).revision, 1795168801233000);
  EXPECT_EQ(Parse(body).happenings.at(0).revision, 1795168800000000);  // no secret is set: no header
  EXPECT_EQ(Parse(Event("", Json::object(), Post())).happenings.at(0).kind, Kind::kRemoval);  // before Ghost 6
  EXPECT_EQ(Parse(Event("post.deleted", Json::object(), Post("draft"))).ignored, 1);
}

TEST_F(GhostWebhookTest, WhatIsOfNoInterest) {
  for (const char* event : {"post.published", "post.added", "post.scheduled", "post.tag.attached", "post.sparkled"}) {
    const auto content = Parse(Event(event, Post()));
    EXPECT_EQ(content.ignored, 1) << event;
    EXPECT_TRUE(content.happenings.empty()) << event;
  }
  EXPECT_EQ(Parse({{"event", "site.changed"}}).ignored, 1);
  EXPECT_EQ(Parse({{"event", "member.added"}, {"member", {{"current", {{"id", "1"}}}}}}).ignored, 1);
}

TEST_F(GhostWebhookTest, WhatCannotBeUnderstood) {
  const auto reason = [](const WebhookContent& content) {
    return content.unparsed.empty() ? "" : content.unparsed[0].reason;
  };
  EXPECT_EQ(reason(connector.ParseWebhook("[]")), "UNKNOWN_SHAPE");
  EXPECT_EQ(reason(connector.ParseWebhook("{")), "NOT_JSON");
  EXPECT_EQ(reason(connector.ParseWebhook("{\"a\":\"\xff\"}")), "NOT_UTF8");
  EXPECT_EQ(reason(Parse(Event("post.deleted", Json::object()))), "MISSING_FIELD");
  EXPECT_EQ(reason(Parse(Event("post.published.edited", {{"id", kId}}))), "MISSING_FIELD");
}

TEST_F(GhostWebhookTest, TheSignatureIsOverBodyAndTime) {
  WebhookCall call;
  call.body = R"({"event":"site.changed"})";
  const Secret secret("hook-secret-0001");
  const auto sign = [&](const std::string& signed_bytes, const std::string& rest) {
    call.headers["X-Ghost-Signature"] = "sha256=" + ToHex(HmacSha256(secret.Reveal(), signed_bytes)) + rest;
    return ReasonOf(connector.VerifySignature(call, {Secret("another"), secret}));
  };
  EXPECT_EQ(sign(call.body + "1795168801234", ", t=1795168801234"), "");
  EXPECT_EQ(sign(call.body + "1795168801234", ", t=1795168801235"), "SIGNATURE_WRONG");
  EXPECT_EQ(sign(call.body, ", t=1795168801234"), "SIGNATURE_WRONG");
  EXPECT_EQ(sign(call.body + "12x", ", t=12x"), "SIGNATURE_WRONG");
  call.headers.clear();
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, {secret})), "SIGNATURE_MISSING");
}

}  // namespace
}  // namespace parvis::networks
