#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/answer.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;

class LinkedInReadTest : public ConnectorTest {
 protected:
  LinkedInReadTest() : ConnectorTest("linkedin", "urn:li:organization:96") {}
  static Json Comment(const std::string& id, int64_t time, const std::string& actor = "urn:li:person:z",
                      const std::string& parent = "", int replies = 0) {
    Json json = {{"id", id},
                 {"commentUrn", "urn:li:comment:(urn:li:activity:1," + id + ")"},
                 {"actor", actor},
                 {"object", "urn:li:activity:1"},
                 {"message", {{"text", "text " + id}}},
                 {"created", {{"time", time}}},
                 {"lastModified", {{"time", time}}},
                 {"commentsSummary", {{"aggregatedTotalComments", replies}}}};
    if (!parent.empty()) json["parentComment"] = "urn:li:comment:(urn:li:activity:1," + parent + ")";
    return json;
  }
  static std::string Page(const std::vector<Json>& elements, int total = -1) {
    Json json = {{"elements", elements}, {"paging", {{"start", 0}, {"count", 10}}}};
    if (total >= 0) json["paging"]["total"] = total;
    return json.dump();
  }
};

TEST_F(LinkedInReadTest, PollsPostByPostAndTheReplies) {
  const auto poll = [&](const std::string& cursor, int limit = 50) {
    return connector.Poll(network.call(), account, cursor, absl::FromUnixMillis(1691574506000), limit);
  };
  network.Next(200, Page({{{"id", "urn:li:share:5"}}}));
  network.Next(200, Page({Comment("7094977717598625792", 1691574506190, "urn:li:person:z", "", 1),
                          Comment("7094977717598620000", 1691574505000)}));
  auto page = poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 1u);
  EXPECT_EQ(page->happenings[0].revision, 1691574506187000);  // as a webhook tells it
  EXPECT_EQ(page->happenings[0].post_remote_id, "urn:li:share:5");
  EXPECT_TRUE(page->more);
  auto asked = network.Taken();
  EXPECT_EQ(asked.at(0).target,
            "/rest/posts?q=author&author=urn%3Ali%3Aorganization%3A96&sortBy=CREATED&start=0&count=25");
  EXPECT_EQ(asked[0].headers.at("X-RestLi-Method"), "FINDER");
  EXPECT_EQ(asked.at(1).target, "/rest/socialActions/urn%3Ali%3Ashare%3A5/comments?start=0&count=50");
  const std::string second = page->cursor;
  for (int again = 0; again < 2; ++again) {  // the same cursor may be read again
    network.Next(200, Page({Comment("33", 1691574507000, "urn:li:organization:96", "7094977717598625792")}));
    page = poll(second);
    ASSERT_TRUE(page.ok());
    ASSERT_EQ(page->happenings.size(), 1u);
    EXPECT_TRUE(page->happenings[0].by_us);
    EXPECT_EQ(page->happenings[0].thread, "urn:li:comment:(urn:li:activity:1,7094977717598625792)");
    EXPECT_FALSE(page->more);
  }
  EXPECT_EQ(network.Taken().at(0).target,
            "/rest/socialActions/urn%3Ali%3Acomment%3A%28urn%3Ali%3Aactivity%3A1%2C7094977717598625792%29/"
            "comments?start=0&count=50");
}

TEST_F(LinkedInReadTest, AnEmptyPageWithMoreBehindItGoesOn) {
  network.Next(200, Page({{{"id", "urn:li:share:5"}}, {{"id", "urn:li:share:6"}}}));
  network.Next(200, Page({}, 3));
  auto page = connector.Poll(network.call(), account, "", absl::UnixEpoch(), 2);
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(page->more);
  Json edited = Comment("33", 1691574507000);
  edited["lastModified"]["time"] = 1691574600000;
  network.Next(200, Page({edited, {{"id", "no time"}}}, 3));
  page = connector.Poll(network.call(), account, page->cursor, absl::UnixEpoch(), 2);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->happenings[1].kind, Kind::kEdit);
  EXPECT_EQ(page->happenings[1].revision, 1691574600000000);
  EXPECT_EQ(page->unparsed.size(), 1u);
  EXPECT_EQ(network.Taken().at(2).query, "start=2&count=2");
  network.Next(404, "{}");  // a post that is gone is no error
  page = connector.Poll(network.call(), account, page->cursor, absl::UnixEpoch(), 2);
  ASSERT_TRUE(page.ok());
  EXPECT_FALSE(page->more);
  network.Next(200, "garbage");
  EXPECT_EQ(connector.Poll(network.call(), account, "", absl::UnixEpoch(), 2).status().code(), Code::kUnavailable);
}

TEST_F(LinkedInReadTest, ReadsBackPostsAndReplies) {
  Write post;
  post.draft.text = "Hello (world) #x";
  network.Next(200, Page({{{"id", "urn:li:share:9"},
                           {"commentary", "Hello \\(world\\) {hashtag|\\#|x}"},
                           {"publishedAt", 1691574507000}},
                          {{"id", "urn:li:share:8"}, {"commentary", "other"}, {"createdAt", 1691574506500}}},
                         4));
  network.Next(200, Page({{{"id", "urn:li:share:7"}, {"publishedAt", 1691574500000}}}, 4));
  const auto posts = connector.ReadBack(network.call(), account, post, absl::FromUnixMillis(1691574506000), 2);
  ASSERT_TRUE(posts.ok()) << posts.status();
  ASSERT_EQ(posts->size(), 2u);
  EXPECT_TRUE(connector.Matches(post, posts->at(0)));
  EXPECT_FALSE(connector.Matches(post, posts->at(1)));

  Write reply;
  reply.kind = WriteKind::kReply;
  reply.draft.text = "text 34";
  reply.target_remote_id = "urn:li:comment:(urn:li:activity:1,22)";
  network.Next(200, Page({Comment("33", 1691574507000)}));
  network.Next(200, Comment("22", 1, "urn:li:person:z", "11").dump());
  network.Next(200, Page({Comment("34", 1691574507000, "urn:li:organization:96", "11")}));
  const auto replies = connector.ReadBack(network.call(), account, reply, absl::UnixEpoch(), 50);
  ASSERT_TRUE(replies.ok()) << replies.status();
  ASSERT_EQ(replies->size(), 1u);
  EXPECT_TRUE(connector.Matches(reply, replies->at(0)));

  reply.kind = WriteKind::kDelete;
  network.Next(404, "{}");
  EXPECT_TRUE(connector.ReadBack(network.call(), account, reply, absl::UnixEpoch(), 50)->empty());
}

TEST_F(LinkedInReadTest, Measures) {
  network.Next(
      200,
      R"({"elements":[{"share":"urn:li:share:1","totalShareStatistics":{"impressionCount":500,"uniqueImpressionsCount":350,"clickCount":9,"likeCount":-1,"commentCount":4,"shareCount":3,"engagement":0.1}}]})");
  network.Next(200, R"({"elements":[{"ugcPost":"urn:li:ugcPost:2","totalShareStatistics":{"likeCount":7}}]})");
  const auto counts =
      connector.Measure(network.call(), account, {"urn:li:share:1", "urn:li:ugcPost:2", "urn:li:share:3"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->counts.size(), 2u);
  EXPECT_EQ(counts->counts.at(0).values,
            (std::map<std::string, int64_t>{
                {"impressions", 500}, {"reach", 350}, {"clicks", 9}, {"likes", 0}, {"comments", 4}, {"shares", 3}}));
  EXPECT_EQ(counts->counts.at(1).remote_id, "urn:li:ugcPost:2");
  EXPECT_EQ(
      network.Taken().at(0).target,
      "/rest/"
      "organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity=urn%3Ali%3Aorganization%3A96"
      "&shares=List(urn%3Ali%3Ashare%3A1,urn%3Ali%3Ashare%3A3)");
  network.Next(200, R"({"elements":[{"totalShareStatistics":{"impressionCount":5}}]})");
  network.Next(200, R"({"firstDegreeSize":77})");
  EXPECT_EQ(connector.Measure(network.call(), account, {})->counts.at(0).values,
            (std::map<std::string, int64_t>{{"impressions", 5}, {"followers", 77}}));
}

TEST_F(LinkedInReadTest, WhoAmI) {
  network.Next(200, R"({"id":96,"localizedName":"Brand","vanityName":"brand"})");
  EXPECT_EQ(connector.WhoAmI(network.call(), account)->url, "https://www.linkedin.com/company/brand");
  account.remote_id.clear();
  network.Next(200, R"({"elements":[{"organization":"urn:li:organization:97","role":"ADMINISTRATOR"}]})");
  network.Next(200, R"({"id":97,"localizedName":"Other"})");
  EXPECT_EQ(connector.WhoAmI(network.call(), account)->remote_id, "urn:li:organization:97");
  network.Next(200, R"({"elements":[]})");
  EXPECT_EQ(ReasonOf(connector.WhoAmI(network.call(), account).status()), "PERMISSION_DENIED");
  network.Next(401, "{}");
  EXPECT_EQ(ReasonOf(connector.WhoAmI(network.call(), account).status()), "TOKEN_EXPIRED");
}

}  // namespace
}  // namespace parvis::networks
