#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/x/x.h"

namespace parvis::networks {
namespace {

Json Post(const std::string& id, const std::string& author, const std::string& parent = "") {
  Json out = {{"id", id},           {"author_id", author}, {"created_at", "2026-11-20T10:00:00.000Z"},
              {"text", "@us hello"}, {"conversation_id", parent.empty() ? id : parent}};
  if (!parent.empty()) out["referenced_tweets"] = Json::array({{{"type", "replied_to"}, {"id", parent}}});
  return out;
}

std::string Line(const Json& post, const std::string& rule = "55") {
  return Dump(Json{{"data", post},
                   {"includes", {{"users", Json::array({{{"id", "8"}, {"name", "Ana"}, {"username", "ana"}}})}}},
                   {"matching_rules", Json::array({{{"id", rule}, {"tag", "parvis:7"}}})}}) +
         "\r\n";
}

class XStreamTest : public ConnectorTest {
 protected:
  XStreamTest() : ConnectorTest("x", "7") {}
  void NextMe() { network.Next(200, R"({"data":{"id":"7","name":"Us","username":"us"}})"); }
  void NextRule() { network.Next(200, R"({"data":[{"id":"54","value":"cats"},{"id":"55","value":"@us -is:retweet","tag":"parvis:7"}]})"); }
  void Open(const std::string& cursor = "") {
    NextMe();
    NextRule();
    network.NextStream(&script, "application/json");
    auto opened = connector.OpenStream(network.call(), account, cursor);
    ASSERT_TRUE(opened.ok()) << opened.status();
    stream = *std::move(opened);
  }
  StreamBatch Next() {
    auto batch = stream->Next(network.call());
    EXPECT_TRUE(batch.ok()) << batch.status();
    return batch.value_or(StreamBatch());
  }
  std::string Ago(absl::Duration past) { return std::to_string(absl::ToUnixSeconds(network.clock().WallNow() - past)); }
  std::string LastAsked() { return network.Taken().back().target; }

  StreamScript script;
  std::unique_ptr<Stream> stream;
};

TEST_F(XStreamTest, TellsTheSameAsPolling) {
  Open();
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].headers.at("Authorization"), "Bearer the-access_token");
  EXPECT_EQ(asked[1].target, "/2/tweets/search/stream/rules");
  EXPECT_EQ(asked[1].headers.at("Authorization"), "Bearer the-app-token");
  EXPECT_EQ(asked[2].headers.at("Authorization"), "Bearer the-app-token");
  EXPECT_EQ(asked[2].target.find("backfill_minutes"), std::string::npos);
  const Json post = Post("1900000000000000001", "8", "1800000000000000001");
  const std::string line = Line(post);
  script.Write("\r\n" + line.substr(0, 20));
  script.Write(line.substr(20));
  const StreamBatch batch = Next();
  ASSERT_EQ(batch.happenings.size(), 1u);
  EXPECT_FALSE(batch.gap);
  EXPECT_FALSE(batch.cursor.empty());
  network.Next(200, Json{{"data", Json::array({post})}, {"meta", {{"result_count", 1}}},
                         {"includes", {{"users", Json::array({{{"id", "8"}, {"name", "Ana"}, {"username", "ana"}}})}}}}.dump());
  const auto page = connector.Poll(network.call(), account, "", absl::UnixEpoch(), 20);
  ASSERT_TRUE(page.ok() && page->happenings.size() == 1u);
  const Happening &s = batch.happenings[0], &p = page->happenings[0];
  EXPECT_EQ(s.kind, Happening::Kind::kComment);
  EXPECT_EQ(s.kind, p.kind);
  EXPECT_EQ(s.remote_id, p.remote_id);
  EXPECT_EQ(s.revision, p.revision);
  EXPECT_EQ(s.occurred_at, p.occurred_at);
  EXPECT_EQ(s.thread, p.thread);
  EXPECT_EQ(s.conversation, p.conversation);
  EXPECT_EQ(s.text, p.text);
  EXPECT_EQ(s.author_name + s.author_handle, "Anaana");
}

TEST_F(XStreamTest, RulesAreMadeOnce) {
  const auto open = [&] { return connector.OpenStream(network.call(), account, "").ok(); };
  NextMe();
  network.Next(200, R"({"meta":{"sent":"x"}})");   // no rules
  network.Next(201, R"({"data":[{"id":"56","value":"@us -is:retweet","tag":"parvis:7"}]})");
  network.NextStream(&script);
  EXPECT_TRUE(open());
  auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(ParseJson(asked[2].body), Json({{"add", Json::array({{{"value", "@us -is:retweet"}, {"tag", "parvis:7"}}})}}));
  NextMe();
  network.Next(200, R"({"data":[{"id":"55","value":"@old -is:retweet","tag":"parvis:7"}]})");
  network.Next(200, R"({"meta":{"summary":{"deleted":1}}})");
  network.Next(200, R"({"errors":[{"title":"DuplicateRule","id":"57","type":"https://api.x.com/2/problems/duplicate-rules"}]})");
  network.NextStream(&script);
  EXPECT_TRUE(open());
  asked = network.Taken();
  ASSERT_EQ(asked.size(), 5u);
  EXPECT_EQ(ParseJson(asked[2].body), Json({{"delete", {{"ids", Json::array({"55"})}}}}));
  NextMe();
  network.Next(403, R"({"title":"Forbidden","detail":"not enrolled","type":"https://api.x.com/2/problems/client-forbidden"})");
  EXPECT_EQ(ReasonOf(connector.OpenStream(network.call(), account, "").status()), "STREAM_REFUSED");   // not the channel's fault
}

TEST_F(XStreamTest, WhatIsOfInterest) {
  Open();
  script.Write(Line(Post("1900000000000000001", "8"), "54") +                // another rule's
               Line(Post("1900000000000000002", "7", "1800000000000000001")) +   // our own
               "{\"data\":{\"id\":\"1\r\n" + Line({{"id", "3"}}) + "{\"something\":1}\r\n" + Line(Post("1900000000000000004", "8")));
  const StreamBatch batch = Next();
  ASSERT_EQ(batch.happenings.size(), 1u);
  EXPECT_EQ(batch.happenings[0].remote_id, "1900000000000000004");
  EXPECT_EQ(batch.happenings[0].kind, Happening::Kind::kMention);
  ASSERT_EQ(batch.unparsed.size(), 3u);
  EXPECT_EQ(batch.unparsed[0].reason, "NOT_JSON");
  EXPECT_EQ(batch.unparsed[1].reason, "MISSING_FIELD");
  EXPECT_EQ(batch.unparsed[2].reason, "UNKNOWN_SHAPE");
}

TEST_F(XStreamTest, WhatWasMissedIsSentAgain) {
  Open(Ago(absl::Seconds(40)));
  EXPECT_NE(LastAsked().find("&backfill_minutes=2"), std::string::npos);
  Call soon = network.call();
  soon.deadline = network.clock().Now() + absl::Milliseconds(50);
  auto batch = stream->Next(soon);
  ASSERT_TRUE(batch.ok());
  EXPECT_FALSE(batch->gap);
  EXPECT_GE(std::stoll(batch->cursor), std::stoll(Ago(absl::Seconds(5))));
  Open(Ago(absl::Minutes(20)));
  EXPECT_NE(LastAsked().find("&backfill_minutes=5"), std::string::npos);
  EXPECT_TRUE(Next().gap);
  // Not every access includes it.
  NextMe();
  NextRule();
  network.Next(400, R"({"title":"Invalid Request","errors":[{"message":"backfill_minutes"}],"type":"https://api.x.com/2/problems/invalid-request"})");
  network.NextStream(&script);
  auto opened = connector.OpenStream(network.call(), account, Ago(absl::Seconds(40)));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(LastAsked().find("backfill_minutes"), std::string::npos);
  EXPECT_TRUE((*opened)->Next(network.call())->gap);
}

TEST_F(XStreamTest, HowItEnds) {
  Open();
  script.Write(Line(Post("1900000000000000001", "8")) +
               R"({"errors":[{"title":"operational-disconnect","disconnect_type":"UpstreamOperationalDisconnect",)"
               R"("detail":"This stream has been disconnected upstream for operational reasons."}]})" "\r\n");
  EXPECT_EQ(Next().happenings.size(), 1u);
  const auto end = stream->Next(network.call());
  EXPECT_EQ(ReasonOf(end.status()), "STREAM_LOST");
  EXPECT_NE(end.status().message().find("operational reasons"), std::string::npos);
  const auto refused = [&](int status, const std::string& body) {
    NextMe();
    NextRule();
    network.Next(status, body);
    return ReasonOf(connector.OpenStream(network.call(), account, "").status());
  };
  EXPECT_EQ(refused(429, R"({"title":"ConnectionException","detail":"at the maximum allowed connection limit",)"
                         R"("type":"https://api.x.com/2/problems/streaming-connection"})"), "RATE_LIMITED");
  EXPECT_EQ(refused(401, R"({"title":"Unauthorized"})"), "STREAM_REFUSED");
  EXPECT_EQ(refused(503, R"({"title":"Service Unavailable"})"), "TRANSIENT");
  XConnector without(network.client(), network.clock());
  EXPECT_EQ(ReasonOf(without.OpenStream(network.call(), account, "").status()), "NOT_POSSIBLE");
}

}  // namespace
}  // namespace parvis::networks
