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
  StatusOr<SharedOpening> TryToOpen(const std::string& cursor = "") {
    return connector.OpenSharedStream(network.call(), {{"channel", kUs}}, cursor, [this](const Call&, const std::string& channel) {
      opened.push_back(channel);
      return opening.ok() ? StatusOr<Account>(account) : StatusOr<Account>(opening);
    });
  }
  void Open(const std::string& cursor = "") {
    network.NextStream(&script);
    auto opened = TryToOpen(cursor);
    ASSERT_TRUE(opened.ok()) << opened.status();
    stream = std::move(opened->stream);
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
  SharedBatch Next() {
    auto batch = stream->Next(network.call());
    EXPECT_TRUE(batch.ok()) << batch.status();
    return batch.value_or(SharedBatch());
  }

  int64_t now = absl::ToUnixMicros(RealClock().WallNow() + absl::Seconds(2));   // later than the opening
  StreamScript script;
  std::unique_ptr<SharedStream> stream;
  std::vector<std::string> opened;   // accounts that were asked for, by channel
  Status opening;                    // what the asking ends with
};

TEST_F(BlueskyStreamTest, TellsTheSameAsPolling) {
  Open();
  EXPECT_EQ(network.Taken().at(0).target, "/subscribe?wantedCollections=app.bsky.feed.post&maxMessageSizeBytes=500000");
  const Json record = Record("Hello", kOurPost);
  NextProfile(kAna);
  script.Write(Commit(kAna, "3l7bbbbbbbb2b", record));
  const SharedBatch batch = Next();
  EXPECT_FALSE(batch.gap);
  EXPECT_EQ(batch.cursor, std::to_string(now));
  ASSERT_EQ(batch.happenings.size(), 1u);
  network.Next(200, Json{{"notifications", Json::array({{{"uri", kAnas}, {"reason", "reply"}, {"record", record},
                                                          {"author", {{"did", kAna}, {"handle", "ana.test"}, {"displayName", "Ana"}}},
                                                          {"indexedAt", "2026-11-20T10:00:01.000Z"}}})}}.dump());
  const auto page = connector.Poll(network.call(), account, "", absl::UnixEpoch(), 20);
  ASSERT_TRUE(page.ok() && page->happenings.size() == 1u) << page.status();
  const Happening &s = batch.happenings[0].second, &p = page->happenings[0];
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
    const SharedBatch batch = Next();
    ASSERT_EQ(batch.happenings.size(), 1u) << number;
    EXPECT_EQ(batch.happenings[0].second.by_us, did == kUs) << number;
    EXPECT_EQ(batch.happenings[0].second.kind, number < 4 ? Happening::Kind::kMention : Happening::Kind::kComment) << number;
    EXPECT_EQ(batch.cursor, std::to_string(now));
    if (did == kUs) {
      EXPECT_EQ(batch.happenings[0].second.conversation, theirs + "/did:plc:bob");
    }
  }
  // Whom we muted or blocked is not heard; who is not known any more is.
  NextProfile("did:plc:loud", {{"muted", true}});
  NextProfile("did:plc:rude", {{"muted", false}, {"blocking", "at://did:plc:us/app.bsky.graph.block/3l7"}});
  network.Next(400, R"({"error":"InvalidRequest","message":"Profile not found"})");
  for (const char* did : {"did:plc:loud", "did:plc:rude", "did:plc:gone"}) script.Write(Commit(did, "3l7ffffffff22", mention));
  const SharedBatch batch = Next();
  ASSERT_EQ(batch.happenings.size(), 1u);
  EXPECT_EQ(batch.happenings[0].second.author_remote_id, "did:plc:gone");
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
  const SharedBatch odd = Next();
  EXPECT_EQ(odd.cursor, std::to_string(now));
  network.Next(401, R"({"error":"ExpiredToken","message":"x"})");
  script.Write(Commit(kAna, "3l7bbbbbbbb2b", Record("Hello", kOurPost)));
  const SharedBatch batch = Next();
  ASSERT_EQ(batch.lost.size(), 1u);
  EXPECT_EQ(ReasonOf(batch.lost.at("channel")), "TOKEN_EXPIRED");
  EXPECT_EQ(batch.cursor, std::to_string(now)) << "it is read back";
}

// One connection for all: what is for several accounts goes to all their channels, and one that breaks ends nothing.
TEST_F(BlueskyStreamTest, ManyChannelsAreToldOfTheirOwn) {
  Open();
  const char kThem[] = "did:plc:them";
  auto refused = stream->Add(network.call(), {{"again", kUs}, {"other", kThem}, {"odd", "them.test"}});
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(refused->size(), 1u);
  EXPECT_TRUE(refused->contains("odd"));
  EXPECT_TRUE(opened.empty()) << "credentials are asked for when they are needed";
  Json both = Record("@them", kOurPost);
  both["facets"] = Json::array({{{"features", Json::array({{{"did", kThem}}})}}});
  for (int i = 0; i < 2; ++i) NextProfile(kAna);
  network.Next(503, R"({"error":"UpstreamFailure","message":"x"})");
  script.Write(Commit(kAna, "3l7bbbbbbbb2b", both));
  SharedBatch batch = Next();
  ASSERT_EQ(batch.happenings.size(), 2u);
  // In the order of the accounts: "did:plc:them" comes before "did:plc:us", and is asked for first.
  EXPECT_EQ(batch.happenings[0].first, "other");
  EXPECT_EQ(batch.happenings[0].second.account_remote_id, kThem);
  EXPECT_EQ(batch.happenings[0].second.kind, Happening::Kind::kComment) << "of the record, as polling has it: it is a reply";
  EXPECT_EQ(batch.happenings[1].first, "again");
  EXPECT_EQ(batch.happenings[1].second.account_remote_id, kUs);
  ASSERT_EQ(batch.lost.size(), 1u);
  EXPECT_EQ(batch.lost.at("channel").code(), Code::kUnavailable);
  EXPECT_EQ(opened, (std::vector<std::string>{"other", "again", "channel"}));
  // Who was lost, or has gone, is told nothing.
  stream->Remove(network.call(), {"other"});
  script.Write(Commit(kAna, "3l7bbbbbbbb2c", both));
  batch = Next();
  ASSERT_EQ(batch.happenings.size(), 1u);
  EXPECT_EQ(batch.happenings[0].first, "again");
  // Where accounts cannot be asked the channel is lost likewise.
  opening = MakeError(Code::kFailedPrecondition, "CHANNEL_DISCONNECTED", "gone");
  Json mention = Record("@us", kOurPost);
  script.Write(Commit("did:plc:bob", "3l7bbbbbbbb2d", mention));
  EXPECT_EQ(ReasonOf(Next().lost.at("again")), "CHANNEL_DISCONNECTED");
}

TEST_F(BlueskyStreamTest, WhatIsNoStream) {
  const auto open = [&] { return TryToOpen().status(); };
  network.Next(401, "who are you?");
  EXPECT_EQ(ReasonOf(open()), "TRANSIENT");   // nobody signs in there
  network.Next(429, "slow", {{"Retry-After", "7"}});
  const Status limited = open();
  EXPECT_EQ(ReasonOf(limited), "RATE_LIMITED");
  EXPECT_EQ(ToError(limited).retry_after, absl::Seconds(7));
  network.NextReset();
  EXPECT_EQ(open().code(), Code::kUnavailable);
  BlueskyConnector without(network.client(), network.clock());
  EXPECT_EQ(ReasonOf(without.OpenSharedStream(network.call(), {{"channel", kUs}}, "", nullptr).status()), "NOT_POSSIBLE");
}

}  // namespace
}  // namespace parvis::networks
