#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/answer.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;

class NodeBbPollTest : public ConnectorTest {
 protected:
  NodeBbPollTest() : ConnectorTest("nodebb", "https://forum.example") {}
  static Json Post(int64_t pid, int64_t time, int uid = 9, int64_t to = 0) {
    Json json = {{"pid", pid},
                 {"tid", 12},
                 {"uid", uid},
                 {"timestamp", time},
                 {"content", "a &amp; b"},
                 {"deleted", false},
                 {"user", {{"username", "ann"}, {"userslug", "ann"}, {"displayname", "Ann"}}},
                 {"odd", {1, 2}},
                 {"topic", {{"tid", 12}, {"mainPid", 30}, {"title", "A &amp; B"}, {"titleRaw", "A & B"}}}};
    if (to > 0) json["toPid"] = to;
    return json;
  }
  void Page(const std::vector<Json>& posts) { network.Next(200, Json(posts).dump()); }
  StatusOr<PollPage> Poll(const std::string& cursor, int limit = 100, int64_t since = 1700000000000) {
    return connector.Poll(network.call(), account, cursor, absl::FromUnixMillis(since), limit);
  }
};

TEST_F(NodeBbPollTest, FromTheOldestOnAndOnce) {
  network.Next(200, R"({"uid":7})");
  Page({Post(9007199254740993, 1700000300000, 7, 31), Post(31, 1700000200000)});
  Page({Post(30, 1700000100000), Post(29, 1600000000000)});
  network.Next(403, R"({"error":"[[error:no-privileges]]"})");
  auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 3u);
  const Happening& first = page->happenings[0];
  EXPECT_EQ(first.remote_id, "30");
  EXPECT_EQ(first.text, "A & B\n\na & b");  // the topic's first post carries its title
  EXPECT_EQ(first.post_remote_id, "");
  EXPECT_EQ(first.thread, "topic/12");
  EXPECT_EQ(first.revision, 1700000100000000);
  const Happening& reply = page->happenings[1];
  EXPECT_EQ(reply.text, "a & b");
  EXPECT_EQ(reply.post_remote_id, "30");
  EXPECT_EQ(reply.parent_remote_id, "30");
  EXPECT_EQ(reply.author_name, "Ann");
  EXPECT_FALSE(reply.by_us);
  EXPECT_EQ(page->happenings[2].remote_id, "9007199254740993");
  EXPECT_EQ(page->happenings[2].parent_remote_id, "31");
  EXPECT_TRUE(page->happenings[2].by_us);
  EXPECT_FALSE(page->more);
  network.Taken();
  // A quiet round: one request, nothing comes out; the queue that is not ours is not asked for again. A late comer is
  // found.
  Page({Post(9007199254740993, 1700000300000, 7, 31), Post(31, 1700000200000)});
  auto quiet = Poll(page->cursor);
  ASSERT_TRUE(quiet.ok());
  EXPECT_TRUE(quiet->happenings.empty());
  EXPECT_EQ(network.Taken().size(), 1u);
  Page({Post(9007199254740993, 1700000300000, 7, 31), Post(32, 1700000290000), Post(31, 1700000200000)});
  quiet = Poll(quiet->cursor);
  ASSERT_EQ(quiet->happenings.size(), 1u);
  EXPECT_EQ(quiet->happenings[0].remote_id, "32");
}

TEST_F(NodeBbPollTest, KeepsToItsLimitGoesOnBehindEmptyPagesAndEnds) {
  network.Next(200, R"({"uid":7})");
  const auto all = [&] {
    Page({Post(33, 1700000003000), Post(32, 1700000002000)});
    Page({});
    Page({Post(31, 1700000001000)});
    for (int i = 0; i < 3; ++i) Page({});
  };
  all();
  auto page = Poll("", 2);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->happenings[0].remote_id, "31");
  EXPECT_TRUE(page->more);
  all();
  network.Next(200, R"({"posts":[]})");
  page = Poll(page->cursor, 2);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 1u);
  EXPECT_EQ(page->happenings[0].remote_id, "33");
  EXPECT_FALSE(page->more);
  // A forum that does not know pages, and one that answers with something else.
  Page({Post(33, 1800000003000)});
  Page({Post(33, 1800000003000)});
  EXPECT_EQ(Poll(page->cursor).status().code(), Code::kUnavailable);
  network.Next(200, "{}");
  EXPECT_EQ(Poll(page->cursor).status().code(), Code::kUnavailable);
  network.Next(429, "{}");
  EXPECT_EQ(ReasonOf(Poll(page->cursor).status()), "RATE_LIMITED");
}

TEST_F(NodeBbPollTest, ALongAbsenceIsWalkedBackFirst) {
  network.Next(200, R"({"uid":7})");
  for (int i = 0; i < 10; ++i) Page({Post(1000 - i, 1700000900000 - i * 1000)});
  auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_TRUE(page->happenings.empty());
  EXPECT_TRUE(page->more);
  Page({Post(991, 1700000891000)});
  Page({Post(990, 1700000890000), Post(29, 1600000000000)});
  page = Poll(page->cursor);
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->happenings[0].remote_id, "990");
  EXPECT_TRUE(page->more);
  // Forth again: meanwhile a new post has pushed the others on, and none is missing.
  for (int i = -1; i < 10; ++i) Page({Post(1000 - i, 1700000900000 - i * 1000)});
  network.Next(403, "{}");
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 10u);
  EXPECT_EQ(page->happenings[0].remote_id, "992");
  EXPECT_EQ(page->happenings[9].remote_id, "1001");
  EXPECT_FALSE(page->more);
}

// Nothing is then old enough to say that the way back has ended.
TEST_F(NodeBbPollTest, MoreWithinTheOverlapThanOnePollReads) {
  const auto time = [](int pid) { return 1700000800000 + pid; };
  network.Next(200, R"({"uid":7})");
  for (int i = 0; i < 10; ++i) Page({Post(1000 - i, time(1000 - i))});
  auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  Page({Post(991, time(991))});
  Page({Post(990, time(990))});
  for (int i = 0; i < 3; ++i) Page({});
  page = Poll(page->cursor);
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_TRUE(page->more);
  for (int i = 0; i < 10; ++i) Page({Post(1000 - i, time(1000 - i))});
  network.Next(403, "{}");
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 9u);
  EXPECT_EQ(page->happenings[0].remote_id, "992");
  EXPECT_FALSE(page->more);
}

TEST_F(NodeBbPollTest, TheListMayEndWhereOnePollDoes) {
  network.Next(200, R"({"uid":7})");
  for (int i = 0; i < 9; ++i) Page({Post(1000 - i, 1700000801000 - i)});
  for (int i = 0; i < 3; ++i) Page({});
  network.Next(403, "{}");
  auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->happenings.size(), 9u);
  EXPECT_FALSE(page->more);
}

// So many new posts push the others on that the way forth does not meet what it had done: it looks further back again.
TEST_F(NodeBbPollTest, ManyNewPostsOnTheWayForth) {
  const auto time = [](int pid) { return 1700000800000 + pid; };
  network.Next(200, R"({"uid":7})");
  for (int i = 0; i < 10; ++i) Page({Post(1000 - i, time(1000 - i))});
  auto page = Poll("");
  for (const int pid : {991, 990}) Page({Post(pid, time(pid))});
  for (int i = 0; i < 3; ++i) Page({});
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  for (int i = 0; i < 13; ++i) Page({Post(1010 - i, time(1010 - i))});  // ten more pages
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_TRUE(page->happenings.empty());
  for (int pid = 998; pid >= 991; --pid) Page({Post(pid, time(pid))});
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 7u);
  EXPECT_EQ(page->happenings[0].remote_id, "992");
  EXPECT_TRUE(page->more);
}

TEST_F(NodeBbPollTest, WhatWaitsForApproval) {
  network.Next(200, R"({"uid":7})");
  Page({Post(29, 1600000000000)});
  network.Next(
      200,
      R"({"posts":[{"id":"reply-1700000000001","uid":5,"user":{"username":"eve","userslug":"eve"},"data":{"tid":12,"toPid":31,"rawContent":"buy &lt;now&gt;","timestamp":1700000000001}}]})");
  auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->happenings[0].kind, Kind::kComment);
  EXPECT_EQ(page->happenings[0].remote_id, "queue/reply-1700000000001");
  EXPECT_EQ(page->happenings[0].text, "buy <now>");
  EXPECT_EQ(page->happenings[0].thread, "topic/12");
  EXPECT_EQ(page->happenings[1].kind, Kind::kHide);
  Page({Post(29, 1600000000000)});
  network.Next(200, R"({"posts":[]})");
  page = Poll(page->cursor);
  ASSERT_EQ(page->happenings.size(), 1u);
  EXPECT_EQ(page->happenings[0].kind, Kind::kRemoval);
}

TEST_F(NodeBbPollTest, APostDatedAheadHidesNoneOfThoseBeforeIt) {
  network.Next(200, R"({"uid":7})");
  Page({Post(40, 4000000000000), Post(29, 1600000000000)});
  network.Next(404, "{}");
  auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->happenings.size(), 1u);
  const int64_t now = absl::ToUnixMillis(absl::Now());
  Page({Post(40, 4000000000000), Post(41, now), Post(29, 1600000000000)});
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 1u);
  EXPECT_EQ(page->happenings[0].remote_id, "41");
}

TEST_F(NodeBbPollTest, OddPosts) {
  network.Next(200, R"({"uid":7})");
  Json deleted = Post(34, 1700000004000), timeless = Post(35, 0);
  deleted["deleted"] = true;
  timeless.erase("timestamp");
  Page({deleted, timeless, Json{{"tid", 1}}, Post(29, 1600000000000)});
  network.Next(404, "{}");
  const auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_TRUE(page->happenings.empty());
  EXPECT_EQ(page->unparsed.size(), 2u);
  network.Next(200, R"({"uid":0})");
  EXPECT_EQ(ReasonOf(Poll("").status()), "TOKEN_EXPIRED");
}

}  // namespace
}  // namespace parvis::networks
