#include <gtest/gtest.h>

#include "networks/instagram/instagram.h"
#include "networks/testing/connector_test.h"
#include "networks/wire/answer.h"

namespace parvis::networks {
namespace {

class InstagramReadTest : public ConnectorTest {
 protected:
  InstagramReadTest() : ConnectorTest("instagram", "17841", "", "/v23.0") {}
  static Write Of(WriteKind kind, const std::string& text = "") {
    Write write;
    write.kind = kind;
    write.draft.text = text;
    if (kind != WriteKind::kPost) write.target_remote_id = "c1";
    write.post_remote_id = "m1";
    return write;
  }
  auto ReadBack(const Write& write, int64_t since = 0) {
    return connector.ReadBack(network.call(), account, write, absl::FromUnixSeconds(since), 25);
  }
  auto Poll(const std::string& cursor, int64_t since = 1'600'000'000) {
    return connector.Poll(network.call(), account, cursor, absl::FromUnixSeconds(since), 50);
  }
};

TEST_F(InstagramReadTest, ReadsOwnMediaBack) {
  network.Next(200, R"({"data":[],"paging":{"cursors":{"after":"A1"},"next":"https://x"}})");   // empty, and goes on
  network.Next(200, R"({"data":[{"id":"2","caption":"Bonjour  à tous","timestamp":"2023-11-14T22:13:20+0000","permalink":"l"},
                               {"id":"1","caption":"old","timestamp":"2020-11-14T22:13:20+0000"}],
                        "paging":{"cursors":{"after":"A2"},"next":"https://x"}})");
  const Write post = Of(WriteKind::kPost, "Bonjour à tous");
  const auto items = ReadBack(post, 1700000000);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_TRUE(connector.Matches(post, items->at(0)));
  EXPECT_EQ(items->at(0).permalink, "l");
  EXPECT_EQ(net::ParseQuery(network.Taken()[1].query).at("after"), "A1");
  for (int page = 0; page < kReadBackPagesMax; ++page) {
    network.Next(200, R"({"data":[],"paging":{"cursors":{"after":"B)" + std::to_string(page) + R"("},"next":"https://x"}})");
  }
  EXPECT_EQ(ReasonOf(ReadBack(post).status()), "READ_BACK_TOO_LONG");
  network.Next(400, R"({"error":{"code":190,"error_subcode":463,"message":"dead"}})");
  EXPECT_EQ(ReasonOf(ReadBack(post).status()), "TOKEN_EXPIRED");
  network.Taken();
  Write story = Of(WriteKind::kPost);
  story.draft.format = PostFormat::kStory;
  network.Next(200, R"({"data":[{"id":"9","timestamp":"2023-11-14T22:13:20+0000"}]})");
  EXPECT_EQ(ReadBack(story, 1700000000)->size(), 1u);
  EXPECT_EQ(network.Taken()[0].path, "/v23.0/17841/stories");
}

TEST_F(InstagramReadTest, ReadsOwnAnswersBack) {
  network.Next(200, R"({"data":[{"id":"5","text":"theirs","timestamp":"2023-11-14T22:13:20+0000","from":{"id":"9"}}]})");
  network.Next(200, R"({"id":"c1","parent_id":"c0"})");
  network.Next(200, R"({"data":[{"id":"6","text":"Merci","timestamp":"2023-11-14T22:13:20+0000","user":{"id":"17841"},"parent_id":"c0"},
                               {"id":"7","text":"Merci","timestamp":"2020-11-14T22:13:20+0000","from":{"id":"17841"}}]})");
  const Write reply = Of(WriteKind::kReply, "Merci");
  const auto items = ReadBack(reply, 1700000000);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ(items->at(0).remote_id, "6");
  EXPECT_TRUE(connector.Matches(reply, items->at(0)));
  const auto asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/v23.0/c1/replies");
  EXPECT_EQ(asked[2].path, "/v23.0/c0/replies");

  network.Next(200, R"({"id":"c1","from":{"id":"55"}})");
  network.Next(200, R"({"data":[{"id":"t","messages":{"data":[
    {"id":"m2","message":"Hello","from":{"id":"17841"},"created_time":"2023-11-14T22:13:20+0000"},
    {"id":"m1","message":"Hi","from":{"id":"55"},"created_time":"2023-11-14T22:13:20+0000"}]}}]})");
  const auto messages = ReadBack(Of(WriteKind::kPrivateReply, "Hello"), 1700000000);
  ASSERT_TRUE(messages.ok()) << messages.status();
  ASSERT_EQ(messages->size(), 1u);
  EXPECT_EQ(messages->at(0).remote_id, "m2");
  EXPECT_EQ(net::ParseQuery(network.Taken()[1].query).at("user_id"), "55");
}

TEST_F(InstagramReadTest, ReadsStatesBack) {
  network.Next(200, R"({"id":"c1","hidden":true})");
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kHide), ReadBack(Of(WriteKind::kHide))->at(0)));
  network.Next(200, R"({"id":"c1","is_comment_enabled":false})");
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kLock), ReadBack(Of(WriteKind::kLock))->at(0)));
  network.Next(200, R"({"id":"c1"})");
  EXPECT_EQ(ReasonOf(ReadBack(Of(WriteKind::kUnlock)).status()), "TRANSIENT");
  network.Next(400, R"({"error":{"code":100,"error_subcode":33}})");
  EXPECT_TRUE(ReadBack(Of(WriteKind::kDelete))->empty());
  network.Next(200, R"({"id":"c1"})");
  EXPECT_FALSE(connector.Matches(Of(WriteKind::kDelete), ReadBack(Of(WriteKind::kDelete))->at(0)));
}

TEST_F(InstagramReadTest, KnowsWhoWeAre) {
  network.Next(200, R"({"id":"17841","username":"lumen","name":"Lumen"})");
  EXPECT_EQ(connector.WhoAmI(network.call(), account)->url, "https://www.instagram.com/lumen/");
  account.remote_id.clear();
  network.Next(200, R"({"id":"111","instagram_business_account":{"id":"17841","username":"lumen"}})");
  EXPECT_EQ(connector.WhoAmI(network.call(), account)->remote_id, "17841");
  network.Next(400, R"({"error":{"code":100,"message":"nonexisting field"}})");
  network.Next(200, R"({"user_id":"17842","username":"lumen"})");
  EXPECT_EQ(connector.WhoAmI(network.call(), account)->remote_id, "17842");
  network.Next(400, R"({"error":{"code":190,"message":"dead"}})");
  EXPECT_EQ(ReasonOf(connector.WhoAmI(network.call(), account).status()), "TOKEN_EXPIRED");
}

TEST_F(InstagramReadTest, PollsTagsCommentsAndTheirReplies) {
  network.Next(200, R"({"data":[{"id":"m2","comments_count":0},{"id":"m1","comments_count":3}]})");
  network.Next(200, R"({"data":[{"id":"t1","caption":"with lumen","timestamp":"2023-11-14T22:13:20+0000","username":"fan"},
                               {"id":"t0","timestamp":"2001-11-14T22:13:20+0000"}],
                        "paging":{"cursors":{"after":"T"},"next":"https://x"}})");
  auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_TRUE(page->more);
  ASSERT_EQ(page->happenings.size(), 1u);   // the other one is older
  EXPECT_EQ(page->happenings[0].kind, Happening::Kind::kMention);
  EXPECT_EQ(page->happenings[0].remote_id, "t1");
  EXPECT_EQ(page->happenings[0].revision, kInstagramOnlyRevision);   // as the webhook gives it

  network.Next(200, R"({"data":[
    {"id":"1","text":"new","timestamp":"2023-11-14T22:13:21+0000","from":{"id":"9","username":"nina"},
     "replies":{"data":[{"id":"2","text":"first","timestamp":"2023-11-14T22:13:20+0000","user":{"id":"17841"},"username":"lumen"}],
                "paging":{"cursors":{"after":"R1"},"next":"https://x"}}},
    {"id":"0","text":"old","timestamp":"2001-11-14T22:13:21+0000","username":"o"}, {"text":"nameless"}],
    "paging":{"cursors":{"after":"C1"},"next":"https://x"}})");
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->happenings[0].remote_id, "2");   // oldest first
  EXPECT_EQ(page->happenings[0].thread, "1");
  EXPECT_TRUE(page->happenings[0].by_us);
  EXPECT_EQ(page->happenings[1].author_handle, "nina");
  EXPECT_EQ(page->happenings[1].post_remote_id, "m1");
  EXPECT_EQ(page->unparsed.size(), 1u);
  EXPECT_TRUE(page->more);

  network.Next(200, R"({"data":[{"id":"2","text":"first","timestamp":"2023-11-14T22:13:20+0000"},{"id":"3","text":"more","timestamp":"2023-11-14T22:13:25+0000"}]})");
  const std::string before_replies = page->cursor;
  page = Poll(before_replies);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->happenings[1].thread, "1");
  EXPECT_TRUE(page->more);
  network.Next(200, R"({"data":[],"paging":{"cursors":{"after":"C1"},"next":"https://x"}})");   // leads to itself
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_FALSE(page->more);
  const auto asked = network.Taken();
  EXPECT_EQ(asked[2].path, "/v23.0/m1/comments");
  EXPECT_EQ(asked[3].path, "/v23.0/1/replies");
  EXPECT_EQ(net::ParseQuery(asked[4].query).at("after"), "C1");
  // The next round begins a little before this one began; what may not be read is left out.
  EXPECT_GT(ParseJson(page->cursor)["s"].get<int64_t>(), 1'700'000'000);
  network.Next(200, R"({"data":[]})");
  network.Next(403, R"({"error":{"code":10,"message":"no"}})");
  page = Poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_FALSE(page->more);
  network.Next(400, R"({"error":{"code":80002}})", {{"X-Business-Use-Case-Usage", R"({"17841":[{"call_count":100,"estimated_time_to_regain_access":5}]})"}});
  EXPECT_EQ(ReasonOf(Poll(page->cursor).status()), "RATE_LIMITED");
  EXPECT_TRUE(Poll("garbage").status().code() != Code::kOk);
}

TEST_F(InstagramReadTest, MeasuresByTheNamesOfToday) {
  network.Next(200, R"({"id":"m1","media_product_type":"REELS","like_count":9,"comments_count":2})");
  network.Next(200, R"({"data":[{"name":"views","period":"lifetime","values":[{"value":120}]},{"name":"saved","values":[{"value":3}]},{"name":"new_one","values":[{"value":{"a":1}}]}]})");
  network.Next(400, R"({"error":{"code":100,"error_subcode":33}})");   // gone
  network.Next(200, R"({"id":"s1","media_product_type":"STORY","like_count":1})");
  network.Next(400, R"({"error":{"code":10,"message":"Not enough viewers"}})");
  const auto counts = connector.Measure(network.call(), account, {"m1", "m0", "s1"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->counts.size(), 2u);
  EXPECT_EQ(counts->counts.at(0).values, (std::map<std::string, int64_t>{{"likes", 9}, {"comments", 2}, {"views", 120}, {"saves", 3}}));
  EXPECT_EQ(counts->counts.at(1).values, (std::map<std::string, int64_t>{{"likes", 1}}));
  const auto asked = network.Taken();
  EXPECT_EQ(net::ParseQuery(asked[1].query).at("metric"), "views,reach,likes,comments,shares,saved,total_interactions");
  EXPECT_EQ(net::ParseQuery(asked[4].query).at("metric"), "views,reach,replies,shares,total_interactions");
  for (const auto& name : counts->counts.at(0).values) {
    const auto& known = connector.capabilities().counters;
    EXPECT_NE(std::find(known.begin(), known.end(), name.first), known.end()) << name.first;
  }
  network.Next(200, R"({"id":"17841","followers_count":1000,"media_count":12})");
  network.Next(200, R"({"data":[{"name":"reach","total_value":{"value":77}}]})");
  EXPECT_EQ(connector.Measure(network.call(), account, {})->counts.at(0).values,
            (std::map<std::string, int64_t>{{"followers", 1000}, {"posts", 12}, {"reach", 77}}));
}

}  // namespace
}  // namespace parvis::networks
