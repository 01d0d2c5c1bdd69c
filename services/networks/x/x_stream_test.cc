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
  void NextUsers() { network.Next(200, R"({"data":[{"id":"7","name":"Us","username":"us"}]})"); }
  void NextRules() { network.Next(200, R"({"data":[{"id":"54","value":"cats"},{"id":"55","value":"@us -is:retweet","tag":"parvis:7"}]})"); }
  StatusOr<SharedOpening> TryToOpen(const std::string& cursor = "", const std::vector<Listener>& listeners = {{"channel", "7"}}) {
    return connector.OpenSharedStream(network.call(), listeners, cursor, nullptr);
  }
  void Open(const std::string& cursor = "") {
    NextUsers();
    NextRules();
    network.NextStream(&script, "application/json");
    auto opened = TryToOpen(cursor);
    ASSERT_TRUE(opened.ok()) << opened.status();
    ASSERT_NE(opened->stream, nullptr);
    EXPECT_TRUE(opened->refused.empty());
    stream = std::move(opened->stream);
  }
  SharedBatch Next() {
    auto batch = stream->Next(network.call());
    EXPECT_TRUE(batch.ok()) << batch.status();
    return batch.value_or(SharedBatch());
  }
  // "channel remote_id" of each.
  static std::vector<std::string> Told(const SharedBatch& batch) {
    std::vector<std::string> out;
    for (const auto& [channel, happening] : batch.happenings) out.push_back(channel + " " + happening.remote_id);
    return out;
  }
  std::string Ago(absl::Duration past) { return std::to_string(absl::ToUnixSeconds(network.clock().WallNow() - past)); }
  std::string LastAsked() { return network.Taken().back().target; }

  StreamScript script;
  std::unique_ptr<SharedStream> stream;
};

TEST_F(XStreamTest, TellsTheSameAsPolling) {
  Open();
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].target, "/2/users?ids=7");
  EXPECT_EQ(asked[1].target, "/2/tweets/search/stream/rules");
  EXPECT_EQ(asked[2].target.find("backfill_minutes"), std::string::npos);
  for (const auto& request : asked) EXPECT_EQ(request.headers.at("Authorization"), "Bearer the-app-token");
  const Json post = Post("1900000000000000001", "8", "1800000000000000001");
  const std::string line = Line(post);
  script.Write("\r\n" + line.substr(0, 20));
  script.Write(line.substr(20));
  const SharedBatch batch = Next();
  ASSERT_EQ(batch.happenings.size(), 1u);
  EXPECT_FALSE(batch.gap);
  EXPECT_FALSE(batch.cursor.empty());
  network.Next(200, Json{{"data", Json::array({post})}, {"meta", {{"result_count", 1}}},
                         {"includes", {{"users", Json::array({{{"id", "8"}, {"name", "Ana"}, {"username", "ana"}}})}}}}.dump());
  const auto page = connector.Poll(network.call(), account, "", absl::UnixEpoch(), 20);
  ASSERT_TRUE(page.ok() && page->happenings.size() == 1u);
  EXPECT_EQ(batch.happenings[0].first, "channel");
  const Happening &s = batch.happenings[0].second, &p = page->happenings[0];
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

// One connection; a rule for each account, and what comes goes to the channels of the accounts whose rules it is for.
TEST_F(XStreamTest, ManyChannelsAreToldOfTheirOwn) {
  network.Next(200, R"({"data":[{"id":"7","username":"us"},{"id":"9","username":"them"}],)"
                    R"("errors":[{"resource_id":"11","title":"Not Found Error","type":"https://api.x.com/2/problems/resource-not-found"}]})");
  network.Next(200, R"({"data":[{"id":"54","value":"cats"},{"id":"55","value":"@us -is:retweet","tag":"parvis:7"},)"
                    R"({"id":"56","value":"@gone -is:retweet","tag":"parvis:5"},{"id":"57","value":"@older -is:retweet","tag":"parvis:9"}]})");
  network.Next(201, R"({"data":[{"id":"58","value":"@them -is:retweet","tag":"parvis:9"}]})");
  network.NextStream(&script, "application/json");
  network.Next(200, R"({"meta":{"summary":{"deleted":2}}})");
  auto opened = TryToOpen("", {{"one", "7"}, {"again", "7"}, {"other", "9"}, {"lost", "11"}});
  ASSERT_TRUE(opened.ok()) << opened.status();
  ASSERT_EQ(opened->refused.size(), 1u);
  EXPECT_EQ(ReasonOf(opened->refused.at("lost")), "STREAM_REFUSED");
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 5u);
  EXPECT_EQ(asked[0].target, "/2/users?ids=11,7,9");
  EXPECT_EQ(ParseJson(asked[2].body), Json({{"add", Json::array({{{"value", "@them -is:retweet"}, {"tag", "parvis:9"}}})}}));
  EXPECT_EQ(ParseJson(asked[4].body), Json({{"delete", {{"ids", {"56", "57"}}}}})) << "once it has the connection";
  stream = std::move(opened->stream);
  Json both = ParseJson(Line(Post("1900000000000000001", "8")));
  both["matching_rules"] = Json::array({{{"id", "55"}}, {{"id", "58"}}, {{"id", "54"}}});
  script.Write(Dump(both) + "\r\n");
  EXPECT_EQ(Told(Next()), (std::vector<std::string>{"again 1900000000000000001", "one 1900000000000000001", "other 1900000000000000001"}));
  // What one account says to the other is its own.
  both["data"]["author_id"] = "9";
  script.Write(Dump(both) + "\r\n");
  EXPECT_EQ(Told(Next()).size(), 2u);
}

TEST_F(XStreamTest, ChannelsComeAndGo) {
  Open();
  (void)network.Taken();
  network.Next(200, R"({"data":[{"id":"9","username":"them"}]})");
  network.Next(200, R"({"errors":[{"value":"@them -is:retweet","id":"58","title":"DuplicateRule","type":"https://api.x.com/2/problems/duplicate-rules"}]})");
  auto refused = stream->Add(network.call(), {{"other", "9"}, {"again", "7"}, {"odd", "not a number"}});
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(refused->size(), 1u);
  EXPECT_TRUE(refused->contains("odd"));
  EXPECT_EQ(network.Taken().size(), 2u);
  script.Write(Line(Post("1900000000000000001", "8"), "58") + Line(Post("1900000000000000002", "8")));
  EXPECT_EQ(Told(Next()), (std::vector<std::string>{"other 1900000000000000001", "again 1900000000000000002", "channel 1900000000000000002"}));
  // The rule goes with the last channel of the account.
  stream->Remove(network.call(), {"channel"});
  EXPECT_TRUE(network.Taken().empty());
  network.Next(200, R"({"meta":{"summary":{"deleted":1}}})");
  stream->Remove(network.call(), {"other"});
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(ParseJson(asked[0].body), Json({{"delete", {{"ids", {"58"}}}}}));
  script.Write(Line(Post("1900000000000000003", "8"), "58") + Line(Post("1900000000000000004", "8")));
  EXPECT_EQ(Told(Next()), (std::vector<std::string>{"again 1900000000000000004"}));
  // Nobody is taken in when X cannot be asked, and the stream lives.
  network.Next(503, R"({"title":"Service Unavailable"})");
  EXPECT_EQ(ReasonOf(stream->Add(network.call(), {{"third", "12"}}).status()), "TRANSIENT");
  script.Write(Line(Post("1900000000000000005", "8")));
  EXPECT_EQ(Told(Next()).size(), 1u);
}

TEST_F(XStreamTest, APlanWithFewerRulesTakesWhatItHasRoomFor) {
  const char full[] = R"({"title":"RulesCapExceeded","type":"https://api.x.com/2/problems/rule-cap"})";
  network.Next(200, R"({"data":[{"id":"1","username":"a"},{"id":"2","username":"b"},{"id":"3","username":"c"}]})");
  network.Next(200, R"({"meta":{"sent":"x"}})");   // no rules
  network.Next(422, full);   // three
  network.Next(201, R"({"data":[{"id":"51","value":"@a -is:retweet"},{"id":"52","value":"@b -is:retweet"}]})");
  network.Next(422, full);   // the third
  network.NextStream(&script, "application/json");
  auto opened = TryToOpen("", {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->refused.size(), 1u);
  EXPECT_TRUE(opened->refused.contains("c"));
}

TEST_F(XStreamTest, NoConnectionForNobody) {
  network.Next(200, R"({"errors":[{"resource_id":"7","title":"Not Found Error","type":"https://api.x.com/2/problems/resource-not-found"}]})");
  network.Next(200, R"({"meta":{"sent":"x"}})");
  auto opened = TryToOpen();
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->stream, nullptr);
  EXPECT_EQ(opened->refused.size(), 1u);
  NextUsers();
  network.Next(403, R"({"title":"Forbidden","detail":"not enrolled","type":"https://api.x.com/2/problems/client-forbidden"})");
  EXPECT_EQ(ReasonOf(TryToOpen().status()), "STREAM_REFUSED");   // no channel's fault
}

TEST_F(XStreamTest, WhatIsOfInterest) {
  Open();
  script.Write(Line(Post("1900000000000000001", "8"), "54") +                // another rule's
               Line(Post("1900000000000000002", "7", "1800000000000000001")) +   // our own
               "{\"data\":{\"id\":\"1\r\n" + Line({{"id", "3"}}) + "{\"something\":1}\r\n" + Line(Post("1900000000000000004", "8")));
  const SharedBatch batch = Next();
  ASSERT_EQ(batch.happenings.size(), 1u);
  EXPECT_EQ(batch.happenings[0].second.remote_id, "1900000000000000004");
  EXPECT_EQ(batch.happenings[0].second.kind, Happening::Kind::kMention);
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
  NextUsers();
  NextRules();
  network.Next(400, R"({"title":"Invalid Request","errors":[{"message":"backfill_minutes"}],"type":"https://api.x.com/2/problems/invalid-request"})");
  network.NextStream(&script);
  auto opened = TryToOpen(Ago(absl::Seconds(40)));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(LastAsked().find("backfill_minutes"), std::string::npos);
  EXPECT_TRUE(opened->stream->Next(network.call())->gap);
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
    NextUsers();
    NextRules();
    network.Next(status, body);
    return ReasonOf(TryToOpen().status());
  };
  EXPECT_EQ(refused(429, R"({"title":"ConnectionException","detail":"at the maximum allowed connection limit",)"
                         R"("type":"https://api.x.com/2/problems/streaming-connection"})"), "RATE_LIMITED");
  EXPECT_EQ(refused(401, R"({"title":"Unauthorized"})"), "STREAM_REFUSED");
  EXPECT_EQ(refused(503, R"({"title":"Service Unavailable"})"), "TRANSIENT");
  XConnector without(network.client(), network.clock());
  EXPECT_EQ(ReasonOf(without.OpenSharedStream(network.call(), {{"channel", "7"}}, "", nullptr).status()), "NOT_POSSIBLE");
}

}  // namespace
}  // namespace parvis::networks
