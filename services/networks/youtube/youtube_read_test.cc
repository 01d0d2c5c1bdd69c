#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/youtube/youtube.h"

namespace parvis::networks {
namespace {

const absl::Time kStart = *ParseIsoTime("2026-01-01T00:00:00Z");

std::string Comment(const std::string& id, const std::string& author, const std::string& time,
                    const std::string& text = "hi", const std::string& updated = "") {
  return R"({"id":")" + id + R"(","snippet":{"authorDisplayName":"@)" + author + R"(","authorChannelId":{"value":"UC)" +
         author + R"("},"textDisplay":")" + text + R"(","publishedAt":")" + time + R"(","updatedAt":")" +
         (updated.empty() ? time : updated) + R"(","sparkle":1}})";
}

std::string Thread(const std::string& top, int replies = 0, const std::string& sample = "") {
  return R"({"id":"t","snippet":{"videoId":"vid","topLevelComment":)" + top + R"(,"totalReplyCount":)" +
         std::to_string(replies) + R"(},"replies":{"comments":[)" + sample + "]}}";
}

std::string Page(const std::string& items, const std::string& next = "") {
  return R"({"kind":"x","items":[)" + items + "]" + (next.empty() ? "" : R"(,"nextPageToken":")" + next + R"(")") + "}";
}

class YouTubeReadTest : public ConnectorTest {
 protected:
  YouTubeReadTest() : ConnectorTest("youtube", "UCus") {}
  StatusOr<PollPage> Poll(const std::string& cursor) {
    return connector.Poll(network.call(), account, cursor, kStart, 100);
  }
  // The rest of a round, nothing held.
  std::string Finish(std::string cursor) {
    for (bool more = true; more;) {
      network.Next(200, Page(""));
      const auto page = Poll(cursor);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return "";
      cursor = page->cursor;
      more = page->more;
    }
    network.Taken();
    return cursor;
  }
  std::map<std::string, std::string> Asked() { return net::ParseQuery(network.Taken().at(0).query); }
};

TEST_F(YouTubeReadTest, PollsThreadsAndSamplesOfReplies) {
  network.Next(200, Page(Thread(Comment("UgB", "ann", "2026-01-03T00:00:00Z", "new", "2026-01-03T01:00:00Z"), 1,
                                Comment("UgB.1", "us", "2026-01-03T02:00:00Z", "merci")) +
                         "," + Thread(Comment("UgA", "bob", "2026-01-02T00:00:00Z"))));
  auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  const auto query = Asked();
  EXPECT_EQ(query.at("allThreadsRelatedToChannelId"), "UCus");
  EXPECT_EQ(query.at("textFormat"), "plainText");
  EXPECT_EQ(query.at("order"), "time");
  EXPECT_EQ(query.at("moderationStatus"), "published");
  ASSERT_EQ(page->happenings.size(), 4u);
  const auto& h = page->happenings;
  EXPECT_EQ(h[0].remote_id, "UgA");
  EXPECT_EQ(h[1].remote_id, "UgB");
  EXPECT_EQ(h[1].kind, Happening::Kind::kComment);
  EXPECT_EQ(h[1].author_remote_id, "UCann");
  EXPECT_EQ(h[1].author_handle, "ann");
  EXPECT_EQ(h[1].post_remote_id, "vid");
  EXPECT_EQ(h[1].thread, "UgB");
  EXPECT_EQ(h[1].parent_remote_id, "");
  EXPECT_EQ(h[1].permalink, "https://www.youtube.com/watch?v=vid&lc=UgB");
  EXPECT_EQ(h[2].kind, Happening::Kind::kEdit);
  EXPECT_EQ(h[2].revision, absl::ToUnixMicros(*ParseIsoTime("2026-01-03T01:00:00Z")));
  EXPECT_EQ(h[3].remote_id, "UgB.1");
  EXPECT_TRUE(h[3].by_us) << "a reply made on the network itself";
  EXPECT_EQ(h[3].thread, "UgB");
  EXPECT_EQ(h[3].parent_remote_id, "UgB");
  EXPECT_TRUE(page->more);
  // Held and likely spam: comments that are hidden.
  network.Next(200, Page(Thread(Comment("UgH", "eve", "2026-01-04T00:00:00Z", "held"))));
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(Asked().at("moderationStatus"), "heldForReview");
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->happenings[0].kind, Happening::Kind::kComment);
  EXPECT_EQ(page->happenings[1].kind, Happening::Kind::kHide);
  network.Next(200, Page(""));
  page = Poll(page->cursor);
  EXPECT_EQ(Asked().at("moderationStatus"), "likelySpam");
  EXPECT_FALSE(page->more);
  // The next round: what is older than the newest, less an hour, is known.
  network.Next(200, Page(Thread(Comment("UgC", "ann", "2026-01-02T23:30:00Z", "late")) + "," +
                         Thread(Comment("UgA", "bob", "2026-01-02T00:00:00Z"))));
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->happenings.size(), 1u);
  EXPECT_EQ(page->happenings[0].remote_id, "UgC");
}

// A thread is listed as held when only a reply below it is.
TEST_F(YouTubeReadTest, HidesOnlyWhatIsHeldItself) {
  const auto with = [](std::string comment, const std::string& status) {
    return comment.replace(comment.find(R"("sparkle":1)"), 11, R"("moderationStatus":")" + status + "\"");
  };
  network.Next(200, Page(""));
  auto page = Poll("");
  ASSERT_TRUE(page.ok());
  network.Next(200, Page(Thread(with(Comment("UgA", "ann", "2026-01-02T00:00:00Z"), "published"), 0,
                                with(Comment("UgA.1", "eve", "2026-01-02T01:00:00Z"), "heldForReview"))));
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok());
  std::vector<std::string> hidden;
  for (const Happening& h : page->happenings) {
    if (h.kind == Happening::Kind::kHide) hidden.push_back(h.remote_id);
  }
  EXPECT_EQ(hidden, std::vector<std::string>{"UgA.1"});
}

TEST_F(YouTubeReadTest, ReadsAllRepliesOfAThreadWhenTheirNumberChanges) {
  const std::string top = Comment("UgA", "bob", "2026-01-02T00:00:00Z");
  network.Next(200, Page(Thread(top, 7, Comment("UgA.1", "ann", "2026-01-02T01:00:00Z"))));
  auto page = Poll("");
  ASSERT_TRUE(page.ok() && page->more);
  network.Taken();
  network.Next(200, Page(Comment("UgA.6", "ann", "2026-01-02T06:00:00Z"), "T2"));
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok() && page->more);
  auto query = Asked();
  EXPECT_EQ(query.at("parentId"), "UgA");
  EXPECT_EQ(page->happenings.at(0).post_remote_id, "vid");
  network.Next(200, Page(Comment("UgA.7", "ann", "2026-01-02T07:00:00Z")));
  page = Poll(page->cursor);
  EXPECT_EQ(Asked().at("pageToken"), "T2");
  std::string cursor = Finish(page->cursor);
  // Unchanged: no request for replies. Changed: one.
  network.Next(200, Page(Thread(top, 7)));
  page = Poll(cursor);
  network.Taken();
  network.Next(200, Page(""));
  page = Poll(page->cursor);
  EXPECT_EQ(Asked().at("moderationStatus"), "heldForReview");
  cursor = Finish(page->cursor);
  network.Next(200, Page(Thread(top, 8)));
  page = Poll(cursor);
  network.Taken();
  network.Next(404, R"({"error":{"errors":[{"reason":"commentNotFound"}]}})");  // deleted meanwhile
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(Asked().at("parentId"), "UgA");
  EXPECT_TRUE(page->more);
}

TEST_F(YouTubeReadTest, PagesBackToWhatItKnowsAndNoFurther) {
  network.Next(200, Page("", "T1"));  // an empty page with a cursor goes on
  auto page = Poll("");
  ASSERT_TRUE(page.ok() && page->more);
  const std::string second = page->cursor;
  network.Next(200, Page(Thread(Comment("UgA", "bob", "2026-01-02T00:00:00Z")) + "," + R"({"snippet":{}})", "T2"));
  page = Poll(second);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->unparsed.size(), 1u);
  EXPECT_EQ(net::ParseQuery(network.Taken().at(1).query).at("pageToken"), "T1");
  network.Next(200, Page(Thread(Comment("UgO", "bob", "2025-01-02T00:00:00Z")), "T3"));
  page = Poll(page->cursor);
  EXPECT_TRUE(page->happenings.empty());
  EXPECT_EQ(Asked().at("pageToken"), "T2");
  network.Next(200, Page(""));
  page = Poll(page->cursor);
  EXPECT_EQ(Asked().at("moderationStatus"), "heldForReview") << "not the page T3";
  network.Next(200, Page("", "T1"));  // a page that leads to itself
  EXPECT_EQ(Poll(second).status().code(), Code::kUnavailable);
  network.Next(200, "garbage");
  EXPECT_EQ(Poll("garbage").status().code(), Code::kUnavailable);
  network.Next(403, R"({"error":{"errors":[{"reason":"quotaExceeded"}]}})");
  EXPECT_EQ(Poll("").status().code(), Code::kResourceExhausted);
}

TEST_F(YouTubeReadTest, KnowsWhoWeAre) {
  network.Next(200, R"({"items":[{"id":"UCus","snippet":{"title":"Lumen","customUrl":"@lumen"}}]})");
  const auto me = connector.WhoAmI(network.call(), account);
  ASSERT_TRUE(me.ok()) << me.status();
  EXPECT_EQ(me->remote_id, "UCus");
  EXPECT_EQ(me->handle, "lumen");
  EXPECT_EQ(Asked().at("mine"), "true");
  network.Next(200, R"({"pageInfo":{"totalResults":0}})");
  EXPECT_EQ(connector.WhoAmI(network.call(), account).status().code(), Code::kNotFound);
  network.Next(401, "{}");
  EXPECT_EQ(ReasonOf(connector.WhoAmI(network.call(), account).status()), "TOKEN_EXPIRED");
}

TEST_F(YouTubeReadTest, FindsItsOwnVideosInTheUploadsPlaylist) {
  Write post;
  post.draft.title = "A lamp";
  post.draft.text = "Made of brass";
  const auto item = [](const char* id, const char* title, const char* time) {
    return std::string(R"({"snippet":{"title":")") + title + R"(","description":"Made of  brass","publishedAt":")" +
           time + R"("},"contentDetails":{"videoId":")" + id + R"("}})";
  };
  network.Next(200, R"({"items":[{"id":"UCus","contentDetails":{"relatedPlaylists":{"uploads":"UUus"}}}]})");
  network.Next(200, Page(item("v3", "Another", "2026-01-03T00:00:00Z"), "T1"));
  network.Next(200, Page(item("v2", "A lamp", "2026-01-02T00:00:00Z"), "T2"));
  network.Next(200, Page(item("v1", "A lamp", "2025-01-02T00:00:00Z"), "T3"));
  const auto items = connector.ReadBack(network.call(), account, post, kStart, 100);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 2u);
  EXPECT_FALSE(connector.Matches(post, items->at(0)));
  EXPECT_TRUE(connector.Matches(post, items->at(1)));
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 4u) << "nothing behind the page that is older";
  EXPECT_EQ(net::ParseQuery(asked[1].query).at("playlistId"), "UUus");
  EXPECT_EQ(net::ParseQuery(asked[1].query).at("maxResults"), "50");
  EXPECT_EQ(net::ParseQuery(asked[3].query).at("pageToken"), "T2");
}

TEST_F(YouTubeReadTest, FindsItsOwnRepliesAndTargets) {
  Write reply;
  reply.kind = WriteKind::kReply;
  reply.target_remote_id = "UgA.5";
  reply.draft.text = "merci";
  network.Next(200, Page(Comment("UgA.6", "us", "2026-01-02T00:00:00Z", "merci") + "," +
                         Comment("UgA.7", "ann", "2026-01-03T00:00:00Z", "merci")));
  const auto items = connector.ReadBack(network.call(), account, reply, kStart, 100);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_TRUE(connector.Matches(reply, items->at(0)));
  EXPECT_EQ(Asked().at("parentId"), "UgA");
  Write hide = reply;
  hide.kind = WriteKind::kHide;
  network.Next(200, Page(Comment("UgA.5", "ann", "2026-01-02T00:00:00Z")));
  EXPECT_FALSE(connector.Matches(hide, connector.ReadBack(network.call(), account, hide, kStart, 1)->at(0)));
  network.Next(200, R"({"items":[{"id":"UgA.5","snippet":{"moderationStatus":"heldForReview"}}]})");
  EXPECT_TRUE(connector.Matches(hide, connector.ReadBack(network.call(), account, hide, kStart, 1)->at(0)));
  Write remove = reply;
  remove.kind = WriteKind::kDelete;
  network.Next(200, Page(""));
  network.Next(200, Page(""));
  EXPECT_TRUE(connector.ReadBack(network.call(), account, remove, kStart, 1)->empty());
  Write ban = reply;
  ban.kind = WriteKind::kBan;
  EXPECT_EQ(ReasonOf(connector.ReadBack(network.call(), account, ban, kStart, 1).status()), "READ_BACK_IMPOSSIBLE");
}

TEST_F(YouTubeReadTest, CountsVideosAndTheChannel) {
  network.Next(
      200, R"({"items":[{"id":"v1","statistics":{"viewCount":"9007199254740993","likeCount":"3","favoriteCount":"0"}},
                       {"id":"v2","statistics":{"viewCount":"-1","commentCount":"many"}}]})");
  const auto counts = connector.Measure(network.call(), account, {"v1", "v2", "gone"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->counts.size(), 2u);
  EXPECT_EQ(counts->counts.at(0).values, (std::map<std::string, int64_t>{{"views", 9007199254740993}, {"likes", 3}}));
  EXPECT_TRUE(counts->counts.at(1).values.empty());
  EXPECT_EQ(Asked().at("id"), "v1,v2,gone");
  network.Next(200,
               R"({"items":[{"id":"UCus","statistics":{"viewCount":"7","subscriberCount":"5","videoCount":"2"}}]})");
  EXPECT_EQ(connector.Measure(network.call(), account, {})->counts.at(0).values,
            (std::map<std::string, int64_t>{{"views", 7}, {"followers", 5}, {"posts", 2}}));
  EXPECT_EQ(connector.Measure(network.call(), account, std::vector<std::string>(51, "v")).status().code(),
            Code::kInvalidArgument);
}

}  // namespace
}  // namespace parvis::networks
