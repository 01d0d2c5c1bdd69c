#include <gtest/gtest.h>

#include "networks/bluesky/bluesky.h"
#include "networks/testing/connector_test.h"
#include "platform/net/socket_server.h"

namespace parvis::networks {
namespace {

constexpr char kUs[] = "did:plc:us", kAna[] = "did:plc:ana";
constexpr char kOurPost[] = "at://did:plc:us/app.bsky.feed.post/3l7aaaaaaaa2a", kAnas[] = "at://did:plc:ana/app.bsky.feed.post/3l7bbbbbbbb2b";

Json Record(const std::string& text, const std::string& parent = "", const std::string& root = "") {
  Json out = {{"$type", "app.bsky.feed.post"}, {"text", text}, {"createdAt", "2026-11-20T10:00:00.500Z"}};
  if (!parent.empty()) {
    out["reply"] = {{"parent", {{"uri", parent}, {"cid", "c"}}}, {"root", {{"uri", root.empty() ? parent : root}, {"cid", "c"}}}};
  }
  return out;
}

class BlueskyStreamTest : public ConnectorTest {
 protected:
  BlueskyStreamTest() : ConnectorTest("bluesky", kUs) {}
  void Open(const std::string& cursor = "") {
    network.NextStream(&script);
    auto opened = connector.OpenStream(network.call(), account, cursor);
    ASSERT_TRUE(opened.ok()) << opened.status();
    stream = *std::move(opened);
  }
  std::string Commit(const std::string& did, const std::string& rkey, const Json& record, const std::string& operation = "create") {
    nlohmann::ordered_json out = {{"did", did}, {"time_us", ++now}, {"kind", "commit"}};
    out["commit"] = {{"rev", "3l"}, {"operation", operation}, {"collection", "app.bsky.feed.post"}, {"rkey", rkey}};
    if (!record.is_null()) out["commit"]["record"] = record;
    return net::TextFrame(out.dump());
  }
  void NextProfile(const std::string& did, const Json& viewer = Json::object()) {
    network.Next(200, Json{{"did", did}, {"handle", "ana.test"}, {"displayName", "Ana"}, {"viewer", viewer}}.dump());
  }
  StreamBatch Next() {
    auto batch = stream->Next(network.call());
    EXPECT_TRUE(batch.ok()) << batch.status();
    return batch.value_or(StreamBatch());
  }

  int64_t now = absl::ToUnixMicros(RealClock().WallNow() + absl::Seconds(2));   // later than the opening
  StreamScript script;
  std::unique_ptr<Stream> stream;
};

TEST_F(BlueskyStreamTest, TellsTheSameAsPolling) {
  Open();
  EXPECT_EQ(network.Taken().at(0).target, "/subscribe?wantedCollections=app.bsky.feed.post&maxMessageSizeBytes=500000");
  const Json record = Record("Hello", kOurPost);
  NextProfile(kAna);
  script.Write(Commit(kAna, "3l7bbbbbbbb2b", record));
  const StreamBatch batch = Next();
  EXPECT_FALSE(batch.gap);
  EXPECT_EQ(batch.cursor, std::to_string(now));
  ASSERT_EQ(batch.happenings.size(), 1u);
  network.Next(200, Json{{"notifications", Json::array({{{"uri", kAnas}, {"reason", "reply"}, {"record", record},
                                                          {"author", {{"did", kAna}, {"handle", "ana.test"}, {"displayName", "Ana"}}},
                                                          {"indexedAt", "2026-11-20T10:00:01.000Z"}}})}}.dump());
  const auto page = connector.Poll(network.call(), account, "", absl::UnixEpoch(), 20);
  ASSERT_TRUE(page.ok() && page->happenings.size() == 1u) << page.status();
  const Happening &s = batch.happenings[0], &p = page->happenings[0];
  EXPECT_EQ(s.kind, Happening::Kind::kComment);
  EXPECT_EQ(s.kind, p.kind);
  EXPECT_EQ(s.remote_id, kAnas);
  EXPECT_EQ(s.remote_id, p.remote_id);
  EXPECT_EQ(s.revision, p.revision);
  EXPECT_EQ(s.occurred_at, p.occurred_at);
  EXPECT_EQ(s.thread, p.thread);
  EXPECT_EQ(s.conversation, p.conversation);
  EXPECT_EQ(s.author_name + s.author_handle, "Anaana.test");
  EXPECT_EQ(s.text, p.text);
}

TEST_F(BlueskyStreamTest, WhatConcernsUs) {
  Open();
  Json mention = Record("@us"), quote = Record("see"), shown = Record("see"), link = Record("https://bsky.app/profile/did:plc:us");
  mention["facets"] = Json::array({{{"features", Json::array({{{"did", kUs}}})}}});
  quote["embed"] = {{"record", {{"uri", kOurPost}}}};
  shown["embed"] = {{"record", {{"record", {{"uri", kOurPost}}}}}, {"media", Json::object()}};
  const std::string theirs = "at://did:plc:bob/app.bsky.feed.post/3l7cccccccc2c";
  script.Write(Commit("did:plc:bob", "3l7cccccccc2c", Record("nothing of ours")) + Commit(kAna, "3l7bbbbbbbb22", link) +
               Commit(kAna, "3l7bbbbbbbb23", Record("ours once", kOurPost), "update") + Commit(kUs, "3l7dddddddd2d", Json(), "delete") +
               Commit(kUs, "3l7dddddddd2e", Record("a post")) + Commit(kUs, "3l7dddddddd2f", Record("goes on", kOurPost)));
  const std::pair<std::string, Json> wanted[] = {
      {kAna, mention}, {kAna, quote}, {kAna, shown}, {kAna, Record("below", theirs, kOurPost)}, {kUs, Record("said", theirs)}};
  int number = 0;
  for (const auto& [did, record] : wanted) {
    if (number == 0 || did == kUs) NextProfile(did);   // who wrote lately is known
    script.Write(Commit(did, "3l7eeeeeeee2" + std::string(1, static_cast<char>('a' + number++)), record));
    const StreamBatch batch = Next();
    ASSERT_EQ(batch.happenings.size(), 1u) << number;
    EXPECT_EQ(batch.happenings[0].by_us, did == kUs) << number;
    EXPECT_EQ(batch.happenings[0].kind, number < 4 ? Happening::Kind::kMention : Happening::Kind::kComment) << number;
    EXPECT_EQ(batch.cursor, std::to_string(now));
    if (did == kUs) {
      EXPECT_EQ(batch.happenings[0].conversation, theirs + "/did:plc:bob");
    }
  }
  // Whom we muted or blocked is not heard; who is not known any more is.
  NextProfile("did:plc:loud", {{"muted", true}});
  NextProfile("did:plc:rude", {{"muted", false}, {"blocking", "at://did:plc:us/app.bsky.graph.block/3l7"}});
  network.Next(400, R"({"error":"InvalidRequest","message":"Profile not found"})");
  for (const char* did : {"did:plc:loud", "did:plc:rude", "did:plc:gone"}) script.Write(Commit(did, "3l7ffffffff22", mention));
  const StreamBatch batch = Next();
  ASSERT_EQ(batch.happenings.size(), 1u);
  EXPECT_EQ(batch.happenings[0].author_remote_id, "did:plc:gone");
}

TEST_F(BlueskyStreamTest, TheCursorMovesAndIsReadAgainFromBefore) {
  Open("1700000000000000");
  EXPECT_NE(network.Taken().at(0).target.find("&cursor=1699999995000000"), std::string::npos);
  EXPECT_TRUE(Next().gap);   // nobody keeps so much
  Open(std::to_string(now));
  Call soon = network.call();
  soon.deadline = network.clock().Now() + absl::Milliseconds(100);
  const std::string before = std::to_string(now);
  auto batch = stream->Next(soon);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_FALSE(batch->gap);
  EXPECT_EQ(batch->cursor, before);
  script.Write(Commit(kAna, "3l7bbbbbbbb2b", Record("of no interest")));
  soon.deadline = network.clock().Now() + absl::Milliseconds(300);
  batch = stream->Next(soon);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_TRUE(batch->happenings.empty());
  EXPECT_EQ(batch->cursor, std::to_string(now));
  // What begins much later than asked for left something out.
  Open(std::to_string(now - 600'000'000));
  script.Write(Commit(kAna, "3l7bbbbbbbb2b", Record("of no interest")));
  EXPECT_TRUE(Next().gap);
  Open("not a place");
  EXPECT_TRUE(Next().gap);
}

TEST_F(BlueskyStreamTest, WhatCannotBeReadAndWhatCannotBeAsked) {
  Open();
  script.Write(net::TextFrame("{\"did\":\"did:plc:us\""));
  EXPECT_EQ(Next().unparsed.at(0).reason, "NOT_JSON");
  script.Write(net::TextFrame("{\"did\":\"did:plc:us\",\"time_us\":" + std::to_string(++now) + ",\"kind\":"));
  EXPECT_EQ(Next().unparsed.at(0).reason, "NOT_JSON");
  // A record may say whatever it likes: the envelope's time counts, and never one of the future.
  script.Write(net::TextFrame("{\"time_us\":99999999999999999,\"x\":\"did:plc:us"));
  const StreamBatch odd = Next();
  EXPECT_EQ(odd.cursor, std::to_string(now));
  network.Next(401, R"({"error":"ExpiredToken","message":"x"})");
  script.Write(Commit(kAna, "3l7bbbbbbbb2b", Record("Hello", kOurPost)));
  EXPECT_EQ(ReasonOf(stream->Next(network.call()).status()), "TOKEN_EXPIRED");
}

TEST_F(BlueskyStreamTest, WhatIsNoStream) {
  const auto open = [&] { return connector.OpenStream(network.call(), account, "").status(); };
  network.Next(401, "who are you?");
  EXPECT_EQ(ReasonOf(open()), "TRANSIENT");   // nobody signs in there
  network.Next(429, "slow", {{"Retry-After", "7"}});
  const Status limited = open();
  EXPECT_EQ(ReasonOf(limited), "RATE_LIMITED");
  EXPECT_EQ(ToError(limited).retry_after, absl::Seconds(7));
  network.NextReset();
  EXPECT_EQ(open().code(), Code::kUnavailable);
  BlueskyConnector without(network.client(), network.clock());
  EXPECT_EQ(ReasonOf(without.OpenStream(network.call(), account, "").status()), "NOT_POSSIBLE");
}

}  // namespace
}  // namespace parvis::networks
