#include <gtest/gtest.h>

#include <algorithm>

#include "networks/bluesky/bluesky.h"
#include "networks/testing/scripted_network.h"

namespace parvis::networks {
namespace {

const absl::Time kBegin = absl::FromUnixSeconds(1764072000);  // 2025-11-25T12:00:00Z

class BlueskyPoll : public testing::Test {
 protected:
  // A notification, or with `feed` an entry of our own feed.
  static Json Item(const std::string& did, const std::string& rkey, const std::string& created, const std::string& seen,
                   const std::string& reason, const std::string& parent = "", const std::string& root = "") {
    Json record = {{"$type", kBlueskyPosts}, {"text", "text of " + rkey}, {"createdAt", created}};
    if (!parent.empty())
      record["reply"] = {{"root", {{"uri", root}, {"cid", "r"}}}, {"parent", {{"uri", parent}, {"cid", "p"}}}};
    return {{"uri", BlueskyUri(did, kBlueskyPosts, rkey)},
            {"cid", "c"},
            {"reason", reason},
            {"record", record},
            {"indexedAt", seen},
            {"author", {{"did", did}, {"handle", "h.example"}, {"displayName", "Ada"}}},
            {"unknown", 1}};
  }
  static Json Own(const std::string& rkey, const std::string& created, const std::string& parent) {
    Json post = Item("did:plc:me", rkey, created, created, "", parent, "at://did:plc:me/app.bsky.feed.post/root");
    post.erase("reason");
    return {{"post", post}};
  }
  void Notifications(const Json& list, const std::string& cursor = "") { Page("notifications", list, cursor); }
  void Feed(const Json& list, const std::string& cursor = "") { Page("feed", list, cursor); }
  void Page(const char* name, const Json& list, const std::string& cursor) {
    Json page = {{name, list}};
    if (!cursor.empty()) page["cursor"] = cursor;
    network_.Next(200, page.dump());
  }
  StatusOr<PollPage> Poll(const std::string& cursor) {
    return connector_.Poll(network_.call(), account_, cursor, kBegin, 50);
  }

  const std::string root_ = "at://did:plc:me/app.bsky.feed.post/root";
  ScriptedNetwork network_;
  Connector& connector_ = network_.connector("bluesky");
  const Account account_ = network_.account("bluesky", "did:plc:me");
};

// By number and author alone, what is written within one millisecond would be in no order.
TEST_F(BlueskyPoll, TheRecordKeyOrdersWhatIsOfOneMillisecond) {
  const int64_t micros = absl::ToUnixMicros(kBegin) + 3'500'000;
  const std::string time = "2025-11-25T12:00:03.500Z";
  Notifications({Item("did:plc:b", EncodeTid(static_cast<uint64_t>(micros) + 20, 1), time, time, "reply", root_, root_),
                 Item("did:plc:c", EncodeTid(static_cast<uint64_t>(micros) + 10, 2), time, time, "reply", root_, root_),
                 Item("did:plc:d", EncodeTid(static_cast<uint64_t>(micros) + 5000, 3), time, time, "reply", root_, root_)});
  Feed(Json::array());
  const auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 3u);
  EXPECT_EQ(page->happenings[0].author_remote_id, "did:plc:d");  // another millisecond in its key: it counts as createdAt says
  EXPECT_EQ(page->happenings[1].author_remote_id, "did:plc:c");
  EXPECT_EQ(absl::ToUnixMicros(page->happenings[1].occurred_at), micros + 10);
  EXPECT_EQ(page->happenings[1].revision, micros);  // part of the natural key: as createdAt has it
  EXPECT_EQ(page->happenings[2].author_remote_id, "did:plc:b");
}

TEST_F(BlueskyPoll, ReadsMentionsRepliesAndQuotesOldestFirst) {
  Notifications({Item("did:plc:a", "3c", "2025-11-25T12:00:03.5Z", "2025-11-25T12:00:04Z", "reply", root_, root_),
                 Item("did:plc:a", "3c", "2025-11-25T12:00:03.5Z", "2025-11-25T12:00:04Z", "mention", root_, root_),
                 Item("did:plc:b", "3b", "2099-01-01T00:00:00Z", "2025-11-25T12:00:02Z", "quote"),
                 Item("did:plc:b", "3l", "2025-11-25T12:00:01Z", "2025-11-25T12:00:01Z", "like"),
                 Json{{"reason", "mention"}, {"indexedAt", "2025-11-25T12:00:01Z"}}},
                "down");
  auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  const std::string asked = network_.Taken().at(0).target;
  EXPECT_NE(asked.find("reasons=mention&reasons=reply&reasons=quote"), std::string::npos) << asked;
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->unparsed.size(), 1u);
  const Happening &quote = page->happenings[0], &reply = page->happenings[1];
  EXPECT_EQ(quote.kind, Happening::Kind::kMention);
  EXPECT_EQ(quote.thread, quote.remote_id);
  EXPECT_EQ(quote.occurred_at, absl::FromUnixSeconds(1764072002)) << "not of the future";
  EXPECT_EQ(quote.revision, absl::ToUnixMicros(absl::FromUnixSeconds(4070908800))) << "as the record says";
  EXPECT_EQ(reply.kind, Happening::Kind::kComment);
  EXPECT_EQ(reply.remote_id, "at://did:plc:a/app.bsky.feed.post/3c");
  EXPECT_EQ(reply.thread, root_);
  EXPECT_EQ(reply.post_remote_id, root_);
  EXPECT_EQ(reply.conversation, root_ + "/did:plc:a");
  EXPECT_EQ(reply.author_name, "Ada");
  EXPECT_EQ(reply.revision, 1764072003500000);
  EXPECT_FALSE(reply.by_us);
  EXPECT_TRUE(page->more);

  const std::string second = page->cursor;
  Notifications(Json::array(), "further");
  page = Poll(second);
  ASSERT_TRUE(page.ok() && page->more) << "an empty page with a cursor goes on";
  EXPECT_NE(network_.Taken().at(0).target.find("cursor=down"), std::string::npos);
  Notifications(Json::array({Item("did:plc:a", "3a", "2025-11-25T11:59:59Z", "2025-11-25T11:59:59Z", "mention")}),
                "further2");
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok() && page->more && page->happenings.empty()) << "before the beginning";
  Notifications(Json::array(), "down");
  EXPECT_EQ(Poll(second).status().code(), Code::kUnavailable) << "a page that leads to itself is no end";
}

TEST_F(BlueskyPoll, ReadsOurRepliesAfterwardsAndBeginsTheNextRoundBeforeThisOne) {
  Notifications(Json::array());
  auto page = Poll("");
  ASSERT_TRUE(page.ok() && page->more);
  const std::string theirs = "at://did:plc:a/app.bsky.feed.post/3c";
  Json self = Own("3f", "2025-11-25T12:00:06Z", "at://did:plc:me/app.bsky.feed.post/3e");
  self["reply"] = {{"grandparentAuthor", {{"did", "did:plc:a"}}}};
  Json shared = Own("3s", "2020-11-25T12:00:06Z", theirs);
  shared["reason"] = {{"$type", "app.bsky.feed.defs#reasonRepost"}};
  Feed({shared, self, Own("3e", "2025-11-25T12:00:05Z", theirs), Own("3t", "2025-11-25T12:00:04Z", root_)});
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 2u) << "neither the thread nor what was shared";
  EXPECT_EQ(page->happenings[0].remote_id, "at://did:plc:me/app.bsky.feed.post/3e");
  EXPECT_TRUE(page->happenings[0].by_us);
  EXPECT_EQ(page->happenings[0].kind, Happening::Kind::kComment);
  EXPECT_EQ(page->happenings[0].conversation, root_ + "/did:plc:a");
  EXPECT_EQ(page->happenings[1].conversation, root_ + "/did:plc:a") << "added to our own answer";
  EXPECT_FALSE(page->more);
  network_.Taken();

  const absl::Time now = absl::Now();
  const auto at = [&](int minutes) { return FormatIsoTime(now - absl::Minutes(minutes)); };
  Notifications({Item("did:plc:a", "3y", at(5), at(5), "mention"), Item("did:plc:a", "3x", at(60), at(60), "mention")},
                "more");
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->happenings.size(), 1u) << "the overlap, and nothing before it";
  EXPECT_EQ(page->happenings[0].remote_id, "at://did:plc:a/app.bsky.feed.post/3y");
  EXPECT_EQ(network_.Taken().at(0).target.find("cursor="), std::string::npos);
}

TEST_F(BlueskyPoll, PicturesAreAttached) {
  Json item = Item("did:plc:a", "3c", "2025-11-25T12:00:03Z", "2025-11-25T12:00:04Z", "mention");
  item["record"]["embed"] = {{"images", {{{"alt", "x"}, {"image", {{"ref", {{"$link", "bafk"}}}}}}}}};
  Notifications(Json::array({item}));
  const auto page = Poll("");
  ASSERT_TRUE(page.ok() && page->happenings.size() == 1);
  ASSERT_EQ(page->happenings[0].attachments.size(), 1u);
  EXPECT_EQ(page->happenings[0].attachments[0].second,
            "https://cdn.bsky.app/img/feed_fullsize/plain/did:plc:a/bafk@jpeg");
}

TEST_F(BlueskyPoll, ShowsWhatALinkLeadsTo) {
  const auto link = [](int begin, int end, const char* uri) {
    return Json{{"index", {{"byteStart", begin}, {"byteEnd", end}}},
                {"features", Json::array({Json{{"$type", "app.bsky.richtext.facet#link"}, {"uri", uri}}})}};
  };
  Json item = Item("did:plc:a", "3c", "2025-11-25T12:00:03Z", "2025-11-25T12:00:04Z", "mention");
  item["record"]["text"] = "é bank.example or a.example/lo... and b.example";
  item["record"]["facets"] = {link(3, 15, "https://evil.example/"), link(19, 34, "https://a.example/long/way"),
                              link(39, 48, "https://b.example"),    link(2, 5, "https://overlaps.example/"),
                              link(40, 4000, "https://x.example/"), link(-1, 3, "https://y.example/")};
  Notifications(Json::array({item}));
  const auto page = Poll("");
  ASSERT_TRUE(page.ok() && page->happenings.size() == 1);
  EXPECT_EQ(page->happenings[0].text, "é https://evil.example/ or https://a.example/long/way and b.example");
}

TEST_F(BlueskyPoll, WhatIsNoPageFails) {
  network_.Next(200, "{}");
  EXPECT_EQ(Poll("").status().code(), Code::kUnavailable);
  network_.Next(400, R"({"error":"ExpiredToken"})");
  EXPECT_EQ(Poll("no json").status().code(), Code::kUnauthenticated);
  network_.Next(429, R"({"error":"RateLimitExceeded"})", {{"Retry-After", "7"}});
  EXPECT_EQ(Poll("{}").status().code(), Code::kResourceExhausted);
}

TEST_F(BlueskyPoll, MeasuresTwentyFivePostsACall) {
  std::vector<std::string> uris;
  for (int i = 0; i < 26; ++i) uris.push_back(BlueskyUri("did:plc:me", kBlueskyPosts, "3k" + std::to_string(i)));
  uris.push_back("no uri");
  Json post = {{"uri", uris[0]},   {"likeCount", 3},   {"replyCount", 2},
               {"repostCount", 1}, {"quoteCount", -1}, {"record", Json::object()}};
  Page("posts", Json::array({post, Json{{"uri", "at://did:plc:x/app.bsky.feed.post/foreign"}, {"likeCount", 9}}}), "");
  Page("posts", Json::array(), "");
  const auto counts = connector_.Measure(network_.call(), account_, uris);
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->counts.size(), 1u) << "those that are gone are left out";
  EXPECT_EQ(counts->counts.front().remote_id, uris[0]);
  EXPECT_EQ(counts->counts.front().values,
            (std::map<std::string, int64_t>{{"likes", 3}, {"comments", 2}, {"shares", 1}, {"quotes", 0}}));
  const auto taken = network_.Taken();
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[1].query, "uris=" + net::UrlEncode(uris[25]));

  network_.Next(200, R"({"did":"did:plc:me","followersCount":5,"followsCount":4,"postsCount":3})");
  const auto channel = connector_.Measure(network_.call(), account_, {});
  ASSERT_TRUE(channel.ok() && channel->counts.size() == 1) << channel.status();
  EXPECT_EQ(channel->counts.front().remote_id, "did:plc:me");
  EXPECT_EQ(channel->counts.front().values.at("followers"), 5);
  for (const auto& [name, value] : channel->counts.front().values) {
    const auto& counters = connector_.capabilities().counters;
    EXPECT_NE(std::find(counters.begin(), counters.end(), name), counters.end()) << name;
  }
  network_.Next(502, "");
  EXPECT_EQ(connector_.Measure(network_.call(), account_, uris).status().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace parvis::networks
