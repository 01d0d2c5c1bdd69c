#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;

class DiscourseWebhookTest : public ConnectorTest {
 protected:
  DiscourseWebhookTest() : ConnectorTest("discourse", "") {}
  WebhookContent Parse(const std::string& body, const std::string& event = "post_created") {
    WebhookCall call;
    call.method = "POST";
    call.query = "us=Brand";
    call.headers["X-Discourse-Instance"] = "https://forum.example";
    call.headers["X-Discourse-Event"] = event;
    call.body = body;
    return connector.ParseCall(call);
  }
  static std::string Post(const std::string& members = "") {
    return R"({"post":{"id":34,"topic_id":12,"post_number":3,"reply_to_post_number":2,"user_id":9,"username":"ann","name":"Ann",)"
           R"("created_at":"2026-11-20T10:00:00.123Z","updated_at":"2026-11-20T10:00:00.456Z","version":1,"post_type":1,)"
           R"("topic_title":"A title","topic_archetype":"regular","raw":"hi","cooked":"<p>hi</p>","odd_member":[{}])" +
           members + "}}";
  }
};

TEST_F(DiscourseWebhookTest, APost) {
  const WebhookContent content = Parse(Post());
  ASSERT_EQ(content.happenings.size(), 1u);
  EXPECT_TRUE(content.unparsed.empty());
  const Happening& h = content.happenings[0];
  EXPECT_EQ(h.kind, Kind::kComment);
  EXPECT_EQ(h.account_remote_id, "https://forum.example");
  EXPECT_EQ(h.remote_id, "34");
  EXPECT_EQ(h.thread, "t/12");
  EXPECT_EQ(h.conversation, "t/12");
  EXPECT_EQ(h.parent_remote_id, "t/12/2");
  EXPECT_EQ(h.post_remote_id, "t/12/1");
  EXPECT_EQ(h.author_remote_id, "9");
  EXPECT_EQ(h.author_name, "Ann");
  EXPECT_EQ(h.author_handle, "ann");
  EXPECT_EQ(h.text, "hi");
  EXPECT_EQ(h.revision, 1795168800123000);
  EXPECT_EQ(h.permalink, "https://forum.example/t/-/12/3");
  EXPECT_FALSE(h.by_us);
}

TEST_F(DiscourseWebhookTest, TheFirstPostCarriesTheTitle) {
  const auto content = Parse(
      R"({"post":{"id":1,"topic_id":2,"post_number":1,"username":"bRAND","created_at":"2026-11-20T10:00:00Z","topic_title":"Title","cooked":"<p>a &amp; b</p>"}})");
  ASSERT_EQ(content.happenings.size(), 1u);
  EXPECT_EQ(content.happenings[0].text, "Title\n\na & b");
  EXPECT_EQ(content.happenings[0].post_remote_id, "");
  EXPECT_TRUE(content.happenings[0].by_us);
}

// The key follows the post: a repeated delivery and a poll give the same, and each edit another.
TEST_F(DiscourseWebhookTest, EditsAndDeletions) {
  std::string edited = Post();
  edited.replace(edited.find(R"("version":1)"), 11, R"("version":2)");
  edited.replace(edited.find("10:00:00.456"), 12, "11:00:00.000");
  const auto content = Parse(edited, "post_edited");
  ASSERT_EQ(content.happenings.size(), 2u);
  EXPECT_EQ(content.happenings[0].revision, 1795168800123000);
  EXPECT_EQ(content.happenings[1].kind, Kind::kEdit);
  EXPECT_EQ(content.happenings[1].revision, 1795172400000000);
  const auto removed = Parse(Post(R"(,"deleted_at":"2026-11-20T12:00:00Z")"), "post_destroyed");
  ASSERT_EQ(removed.happenings.size(), 1u);
  EXPECT_EQ(removed.happenings[0].kind, Kind::kRemoval);
  EXPECT_EQ(removed.happenings[0].revision, 1795176000000000);
  EXPECT_EQ(removed.happenings[0].text, "");
  // Without the time of the deletion, the event's name is all there is.
  EXPECT_EQ(Parse(Post(), "post_destroyed").happenings.at(0).kind, Kind::kRemoval);
  EXPECT_EQ(Parse(Post(R"(,"user_deleted":true)")).happenings.at(0).kind, Kind::kRemoval);
}

TEST_F(DiscourseWebhookTest, WhatWaitsForApproval) {
  const std::string entry =
      R"({"reviewable":{"id":7,"type":"ReviewableQueuedPost","topic_id":12,"status":0,"version":0,"created_at":"2026-11-20T10:00:00Z",)"
      R"("updated_at":"2026-11-20T11:00:00Z","payload":{"raw":"buy now","reply_to_post_number":3},"target_created_by":{"id":5,"username":"eve"}}})";
  const auto held = Parse(entry, "reviewable_created");
  ASSERT_EQ(held.happenings.size(), 2u);
  EXPECT_EQ(held.happenings[0].kind, Kind::kComment);
  EXPECT_EQ(held.happenings[0].remote_id, "review/7");
  EXPECT_EQ(held.happenings[0].parent_remote_id, "t/12/3");
  EXPECT_EQ(held.happenings[0].author_handle, "eve");
  EXPECT_EQ(held.happenings[1].kind, Kind::kHide);
  std::string decided = entry;
  decided.replace(decided.find(R"("status":0)"), 10, R"("status":1)");
  const auto gone = Parse(decided, "reviewable_transitioned_to");
  ASSERT_EQ(gone.happenings.size(), 1u);
  EXPECT_EQ(gone.happenings[0].kind, Kind::kRemoval);
  EXPECT_EQ(gone.happenings[0].revision, 1795172400000000);
  EXPECT_EQ(Parse(R"({"reviewable":{"id":8,"type":"ReviewableFlaggedPost"}})").ignored, 1);
}

TEST_F(DiscourseWebhookTest, MessagesBigIdsAndWhatIsIgnored) {
  std::string message = Post();
  message.replace(message.find("regular"), 7, "private_message");
  EXPECT_EQ(Parse(message).happenings.at(0).kind, Kind::kMessage);
  std::string big = Post();
  big.replace(big.find(R"("id":34)"), 7, R"("id":9007199254740993)");
  EXPECT_EQ(Parse(big).happenings.at(0).remote_id, "9007199254740993");
  EXPECT_EQ(Parse(R"({"ping":"OK"})", "ping").ignored, 1);
  EXPECT_EQ(Parse(R"({"topic":{"id":1}})", "topic_created").ignored, 1);
  EXPECT_EQ(Parse(R"({"like":{"post":{"id":1}}})", "post_liked").ignored, 1);
  EXPECT_EQ(Parse(Post(R"(,"x":1)")).happenings.size(), 1u);
  std::string closed = Post();
  closed.replace(closed.find(R"("post_type":1)"), 13, R"("post_type":3)");
  EXPECT_EQ(Parse(closed).ignored, 1);
}

TEST_F(DiscourseWebhookTest, BadBodiesAreKeptRaw) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "NOT_JSON"},
      {"[]", "UNKNOWN_SHAPE"},
      {"7", "UNKNOWN_SHAPE"},
      {"{\"post\":\"\xff\"}", "NOT_UTF8"},
      {std::string(70, '[') + std::string(70, ']'), "TOO_DEEP"},
      {R"({"post":{"id":1}})", "MISSING_FIELD"},
      {R"({"post":{"id":1,"topic_id":2,"created_at":"yesterday"}})", "MISSING_FIELD"},
      {R"({"reviewable":{"type":"ReviewableQueuedPost"}})", "MISSING_FIELD"}};
  for (const auto& [body, reason] : cases) {
    const WebhookContent content = Parse(body);
    ASSERT_EQ(content.unparsed.size(), 1u) << body.substr(0, 60);
    EXPECT_EQ(content.unparsed[0].reason, reason) << body.substr(0, 60);
    EXPECT_EQ(content.unparsed[0].raw, body);
    EXPECT_TRUE(content.happenings.empty());
  }
}

// The vector of testvectors.json.
TEST_F(DiscourseWebhookTest, Signatures) {
  WebhookCall call;
  call.body = R"({"ping":"OK"})";
  call.headers["x-discourse-event-signature"] =
      "sha256=1f2b2939b180d0f1a3dfff3c6a0cf7f1b2c6838add94e610b145d9995aecbc56";
  EXPECT_TRUE(connector.VerifySignature(call, {Secret("webhook-secret-0001")}).ok());
  EXPECT_TRUE(connector.VerifySignature(call, {Secret("new"), Secret("webhook-secret-0001")}).ok());
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, {Secret("other")})), "SIGNATURE_WRONG");
  call.headers.clear();
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, {Secret("webhook-secret-0001")})), "SIGNATURE_MISSING");
}

}  // namespace
}  // namespace parvis::networks
