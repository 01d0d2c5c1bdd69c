// What notifications leave out: the threads of our own posts, read after the two lists.
#include "networks/bluesky/bluesky_threads.h"

#include <gtest/gtest.h>

#include <set>

#include "networks/bluesky/bluesky.h"
#include "networks/testing/scripted_network.h"

namespace parvis::networks {
namespace {

class BlueskyThreadsTest : public testing::Test {
 protected:
  static std::string RootNumber(int number) { return BlueskyUri("did:plc:me", kBlueskyPosts, "root" + std::to_string(number)); }
  static Json Reply(const std::string& did, const std::string& rkey, absl::Time time, const std::string& root) {
    const Json ref = {{"uri", root}, {"cid", "r"}};
    return {{"uri", BlueskyUri(did, kBlueskyPosts, rkey)},
            {"cid", "c"},
            {"reason", "reply"},
            {"record", {{"text", "text of " + rkey}, {"createdAt", FormatIsoTime(time)}, {"reply", {{"root", ref}, {"parent", ref}}}}},
            {"indexedAt", FormatIsoTime(time)},
            {"author", {{"did", did}, {"handle", "h.example"}, {"displayName", "Ada"}}}};
  }
  static Json Node(const Json& post, const Json& replies = Json::array()) {
    return {{"$type", "app.bsky.feed.defs#threadViewPost"}, {"post", post}, {"replies", replies}};
  }
  Json Root(const Json& replies) {
    return {{"thread", Node(Reply("did:plc:me", "root0", clock_.WallNow() - absl::Hours(1), ""), replies)}};
  }
  // The first two lists of a round; true when threads are to be read after them.
  bool Lists(const Json& notifications) {
    network_.Next(200, Json{{"notifications", notifications}}.dump());
    network_.Next(200, R"({"feed":[]})");
    for (int i = 0; i < 2; ++i) Poll();
    network_.Taken();
    return page_.more;
  }
  void Poll() {
    const auto page = connector_.Poll(network_.call(), account_, cursor_, since_, 50);
    ASSERT_TRUE(page.ok()) << page.status();
    page_ = *page;
    cursor_ = page_.cursor;
  }
  void ReadThread(const Json& answer, int status = 200) {
    network_.Next(status, answer.dump());
    Poll();
  }
  std::string Asked() {
    const auto taken = network_.Taken();
    return taken.size() == 1 ? taken[0].target : std::to_string(taken.size()) + " requests";
  }
  std::set<std::string> Keys() const {
    std::set<std::string> out;
    for (const Happening& h : page_.happenings) out.insert(RkeyOf(h.remote_id));
    return out;
  }
  absl::Time Ago(absl::Duration ago) const { return clock_.WallNow() - ago; }

  const std::string root_ = RootNumber(0);
  FakeClock clock_;
  const absl::Time since_ = clock_.WallNow() - absl::Hours(1);
  ScriptedNetwork network_;
  BlueskyConnector connector_{network_.client(), clock_};
  const Account account_ = network_.account("bluesky", "did:plc:me");
  std::string cursor_;
  PollPage page_;
};

TEST_F(BlueskyThreadsTest, TakesWhatNotificationsLeaveOut) {
  EXPECT_FALSE(Lists(Json::array())) << "no thread is known";
  const Json told = Reply("did:plc:a", "told", Ago(absl::Minutes(1)), root_);
  network_.Next(200, Json{{"notifications", Json::array({told})}}.dump());
  Poll();
  ASSERT_EQ(page_.happenings.size(), 1u);
  const Happening by_notification = page_.happenings[0];
  network_.Next(200, R"({"feed":[]})");
  Poll();
  ASSERT_TRUE(page_.more);
  network_.Taken();

  Json muted = Reply("did:plc:m", "muted", Ago(absl::Minutes(1)), root_);
  muted["author"]["viewer"] = {{"muted", true}};
  const Json deep = Node(Reply("did:plc:c", "deep", Ago(absl::Seconds(5)), root_));
  const Json ours = Node(Reply("did:plc:me", "ours", Ago(absl::Minutes(1)), root_), Json::array({deep}));
  ReadThread(Root({Node(told, Json::array({ours})), Node(Reply("did:plc:d", "old", Ago(absl::Hours(2)), root_)), Node(muted),
                   Json{{"$type", "app.bsky.feed.defs#blockedPost"}, {"uri", "at://x"}, {"blocked", true}},
                   Json{{"$type", "app.bsky.feed.defs#notFoundPost"}, {"uri", "at://x"}, {"notFound", true}}}));
  EXPECT_EQ(Asked(), "/xrpc/app.bsky.feed.getPostThread?uri=" + net::UrlEncode(root_) + "&depth=40&parentHeight=0");
  EXPECT_FALSE(page_.more);
  EXPECT_TRUE(page_.unparsed.empty());
  ASSERT_EQ(Keys(), (std::set<std::string>{"deep", "told"}));
  const Happening& by_thread = page_.happenings[0];
  EXPECT_EQ(by_thread.remote_id, by_notification.remote_id);
  EXPECT_EQ(by_thread.kind, by_notification.kind);
  EXPECT_EQ(by_thread.revision, by_notification.revision);
  EXPECT_EQ(by_thread.occurred_at, by_notification.occurred_at);
  EXPECT_EQ(by_thread.conversation, by_notification.conversation);
  EXPECT_EQ(by_thread.author_name, by_notification.author_name);
  EXPECT_EQ(by_thread.text, by_notification.text);
}

TEST_F(BlueskyThreadsTest, ReadsThreadsHalfAMinuteApartAndWithAnOverlap) {
  ASSERT_TRUE(Lists(Json::array({Reply("did:plc:a", "3a", Ago(absl::Minutes(1)), root_)})));
  ReadThread(Root(Json::array()));
  EXPECT_FALSE(page_.more);
  clock_.Advance(absl::Seconds(29));
  EXPECT_FALSE(Lists(Json::array()));
  clock_.Advance(absl::Minutes(10));
  ASSERT_TRUE(Lists(Json::array()));
  ReadThread(Root({Node(Reply("did:plc:b", "again", Ago(absl::Minutes(20)), root_)),
                   Node(Reply("did:plc:b", "gone", Ago(absl::Minutes(21)), root_)),
                   Node(Reply("did:plc:b", "new", Ago(absl::Minutes(1)), root_))}));
  EXPECT_EQ(Keys(), (std::set<std::string>{"again", "new"})) << "ten minutes before the last reading";
  clock_.StepWall(-absl::Hours(1));
  EXPECT_TRUE(Lists(Json::array())) << "a clock that was set back holds nothing up";
}

TEST_F(BlueskyThreadsTest, ForgetsAThreadADayAfterTheLastThatWasWritten) {
  ASSERT_TRUE(Lists(Json::array({Reply("did:plc:a", "3a", Ago(absl::Minutes(1)), root_)})));
  ReadThread(Root(Json::array()));
  clock_.Advance(absl::Hours(20));
  ASSERT_TRUE(Lists(Json::array()));
  ReadThread(Root(Json::array({Node(Reply("did:plc:b", "3b", Ago(absl::Minutes(1)), root_))})));
  clock_.Advance(absl::Hours(23));
  ASSERT_TRUE(Lists(Json::array())) << "what was found in it counts";
  ReadThread(Root(Json::array()));
  clock_.Advance(absl::Hours(2));
  ASSERT_TRUE(Lists(Json::array()));
  ReadThread(Root(Json::array()));
  clock_.Advance(absl::Minutes(1));
  EXPECT_FALSE(Lists(Json::array()));
  EXPECT_EQ(cursor_.find("root0"), std::string::npos);
}

TEST_F(BlueskyThreadsTest, WhatIsOldIsReadOnceBeforeItIsForgotten) {
  cursor_ = Json{{"s", absl::ToUnixMicros(Ago(absl::Hours(50)))}}.dump();  // after a long silence
  ASSERT_TRUE(Lists(Json::array({Reply("did:plc:a", "3a", Ago(absl::Hours(40)), root_)})));
  ReadThread(Root(Json::array({Node(Reply("did:plc:a", "deep", Ago(absl::Hours(39)), root_))})));
  EXPECT_EQ(Keys(), std::set<std::string>{"deep"}) << "from where the round began that saw it first";
  EXPECT_EQ(cursor_.find("root0"), std::string::npos);
}

TEST_F(BlueskyThreadsTest, KeepsTheTenThatWereActiveLast) {
  Json notifications = Json::array();
  for (int i = 0; i < 12; ++i) {
    notifications.push_back(Reply("did:plc:a", "3" + std::to_string(i), Ago(absl::Minutes(1 + i)), RootNumber(i)));
  }
  notifications.push_back(Reply("did:plc:a", "theirs", Ago(absl::Minutes(1)), "at://did:plc:x/app.bsky.feed.post/root"));
  ASSERT_TRUE(Lists(notifications));
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(page_.more) << i;
    ReadThread(Root(Json::array()));
    EXPECT_NE(Asked().find("root" + std::to_string(i) + "&"), std::string::npos) << i;
  }
  EXPECT_FALSE(page_.more);
}

TEST_F(BlueskyThreadsTest, APostThatIsGoneIsDroppedAndOtherFailuresFail) {
  ASSERT_TRUE(Lists({Reply("did:plc:a", "3a", Ago(absl::Minutes(1)), root_),
                     Reply("did:plc:a", "3b", Ago(absl::Minutes(2)), RootNumber(1))}));
  const auto status = [&] { return connector_.Poll(network_.call(), account_, cursor_, since_, 50).status(); };
  network_.Next(502, "");
  EXPECT_EQ(status().code(), Code::kUnavailable);
  network_.Next(404, "<html>");
  EXPECT_FALSE(status().ok()) << "not the network's own word";
  network_.Next(200, "<html>");
  EXPECT_EQ(status().code(), Code::kUnavailable);
  network_.Next(200, R"({"thread":{}})");
  EXPECT_EQ(status().code(), Code::kUnavailable);
  network_.Next(400, R"({"error":"ExpiredToken"})");
  EXPECT_EQ(status().code(), Code::kUnauthenticated);
  network_.Taken();
  ReadThread({{"error", "NotFound"}, {"message", "Post not found: x"}}, 400);
  EXPECT_NE(Asked().find("root0"), std::string::npos);
  ASSERT_TRUE(page_.more) << "the next one";
  ReadThread(Root(Json::array()));
  EXPECT_NE(Asked().find("root1"), std::string::npos);
  EXPECT_FALSE(page_.more);
  EXPECT_EQ(cursor_.find("root0"), std::string::npos);
}

TEST_F(BlueskyThreadsTest, AThreadThatIsTooDeepIsReadLessDeep) {
  ASSERT_TRUE(Lists(Json::array({Reply("did:plc:a", "3a", Ago(absl::Minutes(1)), root_)})));
  std::string deep = R"({"thread":)";
  for (int i = 0; i < 100'000; ++i) deep += R"({"replies":[)";
  for (const char* depth : {"40", "20", "10", "5", "2", "1"}) {
    network_.Next(200, deep);
    Poll();
    EXPECT_NE(Asked().find(std::string("&depth=") + depth + "&"), std::string::npos) << depth;
    EXPECT_FALSE(page_.more);
    clock_.Advance(absl::Minutes(1));
    EXPECT_EQ(Lists(Json::array()), std::string(depth) != "1");
  }
  EXPECT_NE(cursor_.find("root0"), std::string::npos);
  clock_.Advance(absl::Hours(25));
  EXPECT_FALSE(Lists(Json::array()));
  EXPECT_EQ(cursor_.find("root0"), std::string::npos);
}

TEST_F(BlueskyThreadsTest, AnAnswerThatWasCutOffIsAskedForAgainAndLosesNothing) {
  ASSERT_TRUE(Lists(Json::array({Reply("did:plc:a", "3a", Ago(absl::Minutes(1)), root_)})));
  network_.Next(200, R"({"thread":{"post")");
  Poll();
  EXPECT_TRUE(page_.happenings.empty());
  network_.Taken();
  const absl::Time early = Ago(absl::Minutes(50));
  for (const char* depth : {"20", "40", "40"}) {
    clock_.Advance(absl::Seconds(30));
    ASSERT_TRUE(Lists(Json::array()));
    ReadThread(Root(Json::array({Node(Reply("did:plc:b", "early", early, root_))})));
    EXPECT_NE(Asked().find(std::string("&depth=") + depth + "&"), std::string::npos) << depth;
    EXPECT_EQ(page_.happenings.size(), std::string(depth) == "20" ? 1u : 0u);
  }
}

TEST_F(BlueskyThreadsTest, TheDeepestThatIsAskedForCanBeRead) {
  ASSERT_TRUE(Lists(Json::array({Reply("did:plc:a", "3a", Ago(absl::Minutes(1)), root_)})));
  Json node = Node(Reply("did:plc:z", "40", Ago(absl::Seconds(1)), root_));
  node["post"]["record"]["embed"] = Json::parse(R"({"media":{"images":[{"aspectRatio":{"width":1},"image":{"ref":{"$link":"x"}}}]}})");
  for (int level = kBlueskyThreadDepth - 1; level > 0; --level) {
    node = Node(Reply("did:plc:z", std::to_string(level), Ago(absl::Seconds(1)), root_), Json::array({node}));
  }
  ReadThread(Root(Json::array({node})));
  EXPECT_EQ(page_.happenings.size(), 40u);
}

TEST_F(BlueskyThreadsTest, WhatIsNoPostIsUnparsedWithoutWhatHangsBelow) {
  ASSERT_TRUE(Lists(Json::array({Reply("did:plc:a", "3a", Ago(absl::Minutes(1)), root_)})));
  Json timeless = Reply("did:plc:b", "3b", Ago(absl::Minutes(1)), root_);
  timeless.erase("indexedAt");
  const Json below = Node(Reply("did:plc:c", "below", Ago(absl::Minutes(1)), root_));
  ReadThread(Root({7, Json{{"unknown", 1}, {"replies", Json::array({below})}}, Node(timeless), Json{{"post", "text"}, {"replies", 3}}}));
  EXPECT_EQ(Keys(), std::set<std::string>{"below"});
  ASSERT_EQ(page_.unparsed.size(), 4u);
  for (const Unparsed& one : page_.unparsed) {
    EXPECT_EQ(one.reason, "MISSING_FIELD");
    EXPECT_EQ(one.raw.find("below"), std::string::npos) << one.raw;
  }
}

TEST_F(BlueskyThreadsTest, MoreThanAPageHoldsComesWithTheNextReading) {
  ASSERT_TRUE(Lists(Json::array({Reply("did:plc:a", "3a", Ago(absl::Minutes(1)), root_)})));
  Json replies = Json::array();
  for (int i = 0; i < 1500; ++i) {
    replies.push_back(Node(Reply("did:plc:b", "n" + std::to_string(i), Ago(absl::Seconds(i + 1)), root_)));
  }
  ReadThread(Root(replies));
  ASSERT_EQ(page_.happenings.size(), kPageItemsMax);
  std::set<std::string> seen = Keys();
  EXPECT_TRUE(seen.contains("n1499"));
  clock_.Advance(absl::Minutes(1));
  ASSERT_TRUE(Lists(Json::array()));
  ReadThread(Root(replies));
  seen.merge(Keys());
  EXPECT_EQ(seen.size(), 1500u);
}

TEST_F(BlueskyThreadsTest, OlderAndHostileCursorsAreRead) {
  const int64_t since = absl::ToUnixMicros(since_);
  cursor_ = Json{{"s", since}, {"n", since}, {"o", 1}, {"c", "down"}}.dump();
  network_.Next(200, R"({"feed":[]})");
  Poll();
  EXPECT_FALSE(page_.more);
  EXPECT_NE(Asked().find("getAuthorFeed"), std::string::npos);

  Json list = Json::array();
  for (int i = 0; i < 1000; ++i) list.push_back({{"u", RootNumber(i)}, {"a", INT64_MAX}, {"f", -5}, {"d", 1 << 30}});
  list[0]["u"] = "at://did:plc:x/app.bsky.feed.post/theirs";
  list[1]["u"] = BlueskyUri("did:plc:me", kBlueskyPosts, std::string(5000, 'x'));
  list[2] = 3;
  cursor_ = Json{{"s", since}, {"n", since}, {"o", 2}, {"t", {{"i", -1}, {"b", INT64_MAX}, {"l", list}}}}.dump();
  int read = 0;
  do {
    ReadThread(Root(Json::array()));
    EXPECT_NE(Asked().find("&depth=40&"), std::string::npos);
  } while (page_.more && ++read < 100);
  EXPECT_EQ(read + 1, 7) << "of the first ten, those that are ours";
  EXPECT_LT(cursor_.size(), 2000u);
  cursor_ = Json{{"s", since}, {"n", since}, {"o", 2}, {"t", {{"i", 99}, {"l", 3}}}}.dump();
  Poll();
  EXPECT_FALSE(page_.more) << "nothing is left to read";
  EXPECT_TRUE(network_.Taken().empty());
}

}  // namespace
}  // namespace parvis::networks
