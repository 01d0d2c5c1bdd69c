#include <gtest/gtest.h>

#include "networks/mastodon/mastodon.h"
#include "networks/testing/connector_test.h"
#include "networks/testing/scripted_stream.h"

namespace parvis::networks {
namespace {

Json StatusOf(const std::string& id, const std::string& author, const std::string& parent = "") {
  Json out = {{"id", id},
              {"created_at", "2026-11-20T10:00:00.500Z"},
              {"edited_at", nullptr},
              {"in_reply_to_id", nullptr},
              {"visibility", "public"},
              {"content", "<p>text " + id + "</p>"},
              {"account", {{"id", author}, {"acct", "a" + author}}},
              {"mentions", Json::array({{{"id", "7"}}})}};
  if (!parent.empty()) out["in_reply_to_id"] = parent;
  return out;
}

std::string Event(const std::string& type, const Json& json) { return "event: " + type + "\ndata: " + Dump(json) + "\n\n"; }

class MastodonStreamTest : public ConnectorTest {
 protected:
  MastodonStreamTest() : ConnectorTest("mastodon", "7") {}
  // Opens the stream and takes the batch that it begins with.
  void Open(const std::string& named = "") {
    network.Next(200, Json{{"configuration", {{"urls", {{"streaming", named}}}}}}.dump());
    network.NextStream(&script);
    auto opened = connector.OpenStream(network.call(), account, "");
    ASSERT_TRUE(opened.ok()) << opened.status();
    stream = *std::move(opened);
    const StreamBatch first = Next();
    EXPECT_TRUE(first.gap);   // nothing is replayed
    EXPECT_TRUE(first.happenings.empty() && first.cursor.empty());
  }
  StreamBatch Next() {
    auto batch = stream->Next(network.call());
    EXPECT_TRUE(batch.ok()) << batch.status();
    return batch.value_or(StreamBatch());
  }

  StreamScript script;
  std::unique_ptr<Stream> stream;
};

TEST_F(MastodonStreamTest, TellsTheSameAsPolling) {
  Open();
  const Json mention = {{"id", "101"}, {"type", "mention"}, {"status", StatusOf("602", "8", "402")}};
  network.Next(200, Json::array({StatusOf("402", "7")}).dump());
  script.Write(":)\n:thump\n" + Event("notification", mention));
  const StreamBatch batch = Next();
  ASSERT_EQ(batch.happenings.size(), 1u);
  EXPECT_FALSE(batch.gap);

  network.Next(200, Json::array({mention}).dump());
  network.Next(200, "[]");
  network.Next(200, Json::array({StatusOf("402", "7")}).dump());
  const auto page = connector.Poll(network.call(), account, R"({"m":{"f":"100"},"o":{"f":"500"}})", absl::UnixEpoch(), 20);
  ASSERT_TRUE(page.ok() && page->happenings.size() == 1);
  const Happening &streamed = batch.happenings[0], &polled = page->happenings[0];
  EXPECT_EQ(streamed.kind, polled.kind);
  EXPECT_EQ(streamed.remote_id, polled.remote_id);
  EXPECT_EQ(streamed.revision, polled.revision);
  EXPECT_EQ(streamed.occurred_at, polled.occurred_at);
  EXPECT_EQ(streamed.thread, "402");
  EXPECT_EQ(streamed.thread, polled.thread);
  EXPECT_EQ(streamed.conversation, polled.conversation);
  EXPECT_EQ(streamed.post_remote_id, polled.post_remote_id);
  EXPECT_EQ(streamed.text, polled.text);
}

TEST_F(MastodonStreamTest, WhatIsOfInterest) {
  Open();
  Json edited = StatusOf("610", "8"), own_edit = StatusOf("611", "7"), direct = StatusOf("612", "7");
  edited["edited_at"] = own_edit["edited_at"] = "2026-11-20T11:00:00.000Z";
  direct["visibility"] = "direct";
  script.Write(Event("update", StatusOf("600", "9")) +            // of somebody whom we follow
               Event("update", StatusOf("601", "7")) +            // a post of ours
               Event("update", direct) +                          // said elsewhere
               Event("status.update", edited) + Event("status.update", own_edit) +
               Event("notification", {{"id", "1"}, {"type", "favourite"}, {"status", StatusOf("402", "7")}}) +
               Event("notification", {{"id", "2"}, {"type", "mention"}}) +
               "event: notification\ndata: {\"id\":\"1\n\n" + "event: filters_changed\ndata: \n\n" +
               "event: delete\ndata: 116000000000000000\n\n" + "event: delete\ndata: x\n\n");
  const StreamBatch batch = Next();
  ASSERT_EQ(batch.happenings.size(), 3u);
  using K = Happening::Kind;
  const Happening &removal = batch.happenings[0], &said = batch.happenings[1], &edit = batch.happenings[2];
  EXPECT_EQ(removal.kind, K::kRemoval);
  EXPECT_EQ(removal.remote_id, "116000000000000000");
  EXPECT_EQ(removal.occurred_at, absl::FromUnixMillis(116000000000000000 >> 16));
  EXPECT_GT(removal.revision, 0);
  EXPECT_EQ(said.remote_id, "612");
  EXPECT_TRUE(said.by_us);
  EXPECT_EQ(edit.kind, K::kEdit);
  EXPECT_EQ(edit.revision, absl::ToUnixMicros(*ParseIsoTime("2026-11-20T11:00:00Z")));
  ASSERT_EQ(batch.unparsed.size(), 3u);
  EXPECT_EQ(batch.unparsed[0].reason, "MISSING_FIELD");
  EXPECT_EQ(batch.unparsed[1].reason, "NOT_JSON");
}

TEST_F(MastodonStreamTest, NothingIsNoEndAndAnEndIsOne) {
  Open();
  Call soon = network.call();
  soon.deadline = network.clock().Now() + absl::Milliseconds(50);
  script.Write(":thump\n");
  auto batch = stream->Next(soon);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_TRUE(batch->happenings.empty() && !batch->gap);
  script.Write("event: notification\ndata: {\"id\"");
  script.Cut();
  EXPECT_EQ(ReasonOf(stream->Next(network.call()).status()), "STREAM_LOST");
}

TEST_F(MastodonStreamTest, AThreadThatCannotBeAskedForEndsTheStream) {
  Open();
  network.Next(503, "");
  script.Write(Event("notification", {{"id", "101"}, {"type", "mention"}, {"status", StatusOf("602", "8", "402")}}));
  EXPECT_EQ(stream->Next(network.call()).status().code(), Code::kUnavailable);
}

TEST_F(MastodonStreamTest, WhereTheStreamsAre) {
  Open("ws" + network.url().substr(4) + "/far/");
  auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].target, "/api/v2/instance");
  EXPECT_EQ(asked[1].target, "/far/api/v1/streaming/user");
  EXPECT_EQ(asked[1].headers.at("Authorization"), "Bearer the-access_token");
  Open("ftp://elsewhere.example");
  EXPECT_EQ(network.Taken().at(1).target, "/api/v1/streaming/user");
}

TEST_F(MastodonStreamTest, WhatIsNoStream) {
  const auto open = [&] { return connector.OpenStream(network.call(), account, "").status(); };
  network.Next(404, "{}");   // a server without the newer description
  network.Next(401, R"({"error":"The access token is invalid"})");
  EXPECT_EQ(ReasonOf(open()), "TOKEN_EXPIRED");
  network.Next(200, "{}");
  network.Next(200, "<html>", {{"Content-Type", "text/html"}});
  EXPECT_EQ(open().code(), Code::kUnavailable);
  network.NextReset();
  EXPECT_EQ(open().code(), Code::kUnavailable);
  MastodonConnector without(network.client(), network.clock());
  EXPECT_EQ(ReasonOf(without.OpenStream(network.call(), account, "").status()), "NOT_POSSIBLE");
}

}  // namespace
}  // namespace parvis::networks
