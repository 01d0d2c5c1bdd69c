#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;

class XWebhookTest : public ConnectorTest {
 protected:
  XWebhookTest() : ConnectorTest("x", "") {}
  WebhookContent Parse(std::string_view body) { return connector.ParseWebhook(body); }
  static std::string Activity(const std::string& type, const std::string& payload) {
    return R"({"data":{"event_uuid":"1","event_type":")" + type + R"(","filter":{"user_id":"10"},"tag":"t","payload":)" + payload + R"(,"includes":{}}})";
  }
};

// The body of facts 3.4, with a real-sized id so that it tells its time.
TEST_F(XWebhookTest, AReply) {
  const WebhookContent content = Parse(
      R"({"data":{"event_uuid":"1","event_type":"post.reply.create","filter":{"user_id":"10"},"tag":"t","payload":{"id":"1050118621198921728","text":"hi https://t.co/a","author_id":"11","in_reply_to_tweet_id":"19","conversation_id":"18","entities":{"urls":[{"url":"https://t.co/a","expanded_url":"https://brand.example/"}]}},"includes":{"users":[{"id":"11","name":"Ann","username":"ann"}]}}})");
  ASSERT_EQ(content.happenings.size(), 1u);
  const Happening& h = content.happenings[0];
  EXPECT_EQ(h.kind, Kind::kComment);
  EXPECT_EQ(h.account_remote_id, "10");
  EXPECT_EQ(h.remote_id, "1050118621198921728");
  EXPECT_EQ(h.thread, "18");
  EXPECT_EQ(h.conversation, "18/11");
  EXPECT_EQ(h.parent_remote_id, "19");
  EXPECT_EQ(h.post_remote_id, "18");
  EXPECT_EQ(h.author_handle, "ann");
  EXPECT_EQ(h.text, "hi https://brand.example/");
  EXPECT_EQ(h.occurred_at, absl::FromUnixSeconds(1539202764));
  EXPECT_EQ(h.permalink, "https://x.com/i/web/status/1050118621198921728");
}

// A reply that mentions us is reported twice, by two kinds of event: it must be one.
TEST_F(XWebhookTest, TheKindFollowsThePostNotTheEvent) {
  const std::string reply = R"({"id":"20","text":"hi","author_id":"11","in_reply_to_tweet_id":"19","conversation_id":"19","created_at":"2023-11-14T22:13:20.000Z"})";
  for (const char* type : {"post.reply.create", "post.mention.create"}) {
    const auto content = Parse(Activity(type, reply));
    ASSERT_EQ(content.happenings.size(), 1u);
    EXPECT_EQ(content.happenings[0].kind, Kind::kComment) << type;
    EXPECT_EQ(content.happenings[0].revision, 1700000000000000);
  }
  const auto mention = Parse(Activity("post.mention.create", R"({"id":"21","text":"hi","author_id":"11","conversation_id":"21","created_at":"2023-11-14T22:13:20.000Z"})"));
  EXPECT_EQ(mention.happenings[0].kind, Kind::kMention);
  EXPECT_EQ(mention.happenings[0].thread, "21");
  EXPECT_EQ(mention.happenings[0].post_remote_id, "");
}

TEST_F(XWebhookTest, OurOwnPosts) {
  EXPECT_EQ(Parse(Activity("post.create", R"({"id":"20","text":"x","author_id":"10","conversation_id":"20","created_at":"2023-11-14T22:13:20Z"})")).ignored, 1);
  const auto reply = Parse(Activity("post.create", R"({"id":"22","text":"x","author_id":"10","conversation_id":"20","created_at":"2023-11-14T22:13:20Z","in_reply_to_tweet_id":"21","in_reply_to_user_id":"11"})"));
  ASSERT_EQ(reply.happenings.size(), 1u);
  EXPECT_TRUE(reply.happenings[0].by_us);
  EXPECT_EQ(reply.happenings[0].conversation, "20/11");   // with the person we answered
}

TEST_F(XWebhookTest, RemovalsAndWhatIsNotFollowed) {
  const auto removal = Parse(Activity("post.delete", R"({"id":"20","author_id":"11","conversation_id":"19","deleted_at":"2023-11-14T22:13:21.500Z"})"));
  ASSERT_EQ(removal.happenings.size(), 1u);
  EXPECT_EQ(removal.happenings[0].kind, Kind::kRemoval);
  EXPECT_EQ(removal.happenings[0].thread, "19");
  EXPECT_EQ(removal.happenings[0].conversation, "19/11");
  EXPECT_EQ(removal.happenings[0].text, "");
  for (const char* type : {"like.create", "follow.follow", "dm.received", "profile.update.bio", "something.new"}) {
    const auto content = Parse(Activity(type, "{}"));
    EXPECT_EQ(content.ignored, 1) << type;
    EXPECT_TRUE(content.unparsed.empty()) << type;
  }
}

TEST_F(XWebhookTest, TheOlderShape) {
  const auto content = Parse(
      R"({"for_user_id":"10","tweet_create_events":[
        {"id":1050118621198921700,"id_str":"1050118621198921728","created_at":"Wed Oct 10 20:19:24 +0000 2018","text":"short","extended_tweet":{"full_text":"the whole text"},
         "user":{"id_str":"11","name":"Ann","screen_name":"ann"},"in_reply_to_status_id_str":"19","in_reply_to_user_id_str":"10"},
        {"id_str":"5","created_at":"Wed Oct 10 20:19:24 +0000 2018","text":"@us hi","user":{"id_str":"12"},"in_reply_to_status_id_str":null},
        {"id_str":"6","text":"RT","user":{"id_str":"12"},"retweeted_status":{"id_str":"1"}},
        {"id_str":"7","created_at":"Wed Oct 10 20:19:24 +0000 2018","text":"ours","user":{"id_str":"10"}},
        {"text":"nothing"}]})");
  ASSERT_EQ(content.happenings.size(), 2u);
  EXPECT_EQ(content.happenings[0].remote_id, "1050118621198921728");
  EXPECT_EQ(content.happenings[0].text, "the whole text");
  EXPECT_EQ(content.happenings[0].kind, Kind::kComment);
  EXPECT_EQ(content.happenings[0].author_handle, "ann");
  EXPECT_EQ(content.happenings[1].kind, Kind::kMention);
  EXPECT_EQ(content.ignored, 2);
  ASSERT_EQ(content.unparsed.size(), 1u);
  const auto removal = Parse(R"({"for_user_id":"10","tweet_delete_events":[{"status":{"id":"20","user_id":"11"},"timestamp_ms":"1700000000123"}]})");
  ASSERT_EQ(removal.happenings.size(), 1u);
  EXPECT_EQ(removal.happenings[0].revision, 1700000000123000);
  EXPECT_EQ(Parse(R"({"for_user_id":"10","favorite_events":[{}]})").ignored, 1);
  EXPECT_EQ(Parse(R"({"user_event":{"revoke":{}}})").ignored, 1);
}

TEST_F(XWebhookTest, BadBodiesAreKeptRaw) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "NOT_JSON"}, {"[]", "UNKNOWN_SHAPE"}, {"{}", "UNKNOWN_SHAPE"}, {R"({"data":{}})", "MISSING_FIELD"},
      {R"({"data":{"event_type":"post.reply.create","filter":{"user_id":"1"}}})", "MISSING_FIELD"},
      {R"({"data":{"event_type":"post.reply.create","payload":{"id":"1","author_id":"2"}}})", "MISSING_FIELD"},
      {Activity("post.reply.create", R"({"id":"1"})"), "MISSING_FIELD"}, {Activity("post.reply.create", R"({"id":"1","author_id":"2"})"), "MISSING_FIELD"},
      {R"({"for_user_id":"1","tweet_create_events":7})", "UNKNOWN_SHAPE"}, {std::string(1000, '[') + std::string(1000, ']'), "TOO_DEEP"}, {"{\"a\":\"\xc3\"}", "NOT_UTF8"}};
  for (const auto& [body, reason] : cases) {
    const WebhookContent content = Parse(body);
    ASSERT_EQ(content.unparsed.size(), 1u) << body.substr(0, 80);
    EXPECT_EQ(content.unparsed[0].reason, reason) << body.substr(0, 80);
    EXPECT_TRUE(content.happenings.empty());
  }
}

TEST_F(XWebhookTest, SignatureAndChallenge) {
  WebhookCall call;
  call.body = "{}";
  call.headers["X-Twitter-Webhooks-Signature"] = "sha256=" + ToBase64(HmacSha256("consumer", "{}"));
  EXPECT_TRUE(connector.VerifySignature(call, {Secret("consumer")}).ok());
  call.headers["X-Twitter-Webhooks-Signature"] = "sha256=" + ToHex(HmacSha256("consumer", "{}"));
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, {Secret("consumer")})), "SIGNATURE_WRONG");
  WebhookCall crc;
  crc.method = "GET";
  crc.query = "crc_token=9b4507b3-9040-4669-9ca3-6b94edb50553";
  const auto answer = connector.Handshake(crc, {Secret("z3ZX4v7mAAUGykl3EcmkqbartmuW8VFOOzCloLx9Q45P0hLrFu")}, Secret());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->body, R"({"response_token":"sha256=Cytd4Sq+NvEcV3MMrXxWJGJx5A+y/lXzzU2Maartkx8="})");
  EXPECT_EQ(answer->content_type, "application/json");
  crc.query = "";
  EXPECT_EQ(ReasonOf(connector.Handshake(crc, {Secret("s")}, Secret()).status()), "HANDSHAKE_MALFORMED");
}

// The challenge is answered with the key that signs events, for whoever asks: nobody may have an event signed that way.
TEST_F(XWebhookTest, TheChallengeSignsNoEvents) {
  const std::vector<Secret> secrets = {Secret("consumer")};
  WebhookCall crc;
  crc.method = "GET";
  for (const std::string& event : {Activity("post.reply.create", R"({"id":"20"})"), std::string("{}"), std::string("[1]"), std::string(" 1"),
                                   std::string("\"a\"")}) {
    crc.query = "crc_token=" + net::UrlEncode(event);
    EXPECT_EQ(ReasonOf(connector.Handshake(crc, secrets, Secret()).status()), "HANDSHAKE_MALFORMED") << event;
  }
  crc.query = "crc_token=abc";
  const auto answer = connector.Handshake(crc, secrets, Secret());
  ASSERT_TRUE(answer.ok());
  WebhookCall call;
  call.body = "abc";
  call.headers["X-Twitter-Webhooks-Signature"] = "sha256=" + ToBase64(HmacSha256("consumer", "abc"));
  EXPECT_EQ(ReasonOf(connector.VerifySignature(call, secrets)), "SIGNATURE_WRONG");
}

}  // namespace
}  // namespace parvis::networks
