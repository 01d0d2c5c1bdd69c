#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/answer.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;

class WordPressTest : public ConnectorTest {
 protected:
  WordPressTest() : ConnectorTest("wordpress", "", "7") { account.remote_id = network.url(); }
  Write Of(WriteKind kind, const std::string& text = "") {
    Write write = ConnectorTest::Of(kind, text);
    if (kind != WriteKind::kPost) write.post_remote_id = "4";
    return write;
  }
  static std::string Comment(int id, int parent, const std::string& status = "approved", const std::string& text = "hi", int author = 0) {
    return Json{{"id", id}, {"post", 4}, {"parent", parent}, {"author", author}, {"author_name", "V &amp; W"}, {"author_email", "v@x.org"},
                {"date_gmt", "2023-11-14T22:13:20"}, {"content", {{"raw", text}, {"rendered", "<p>" + text + "</p>"}}}, {"status", status}}
        .dump();
  }
};

TEST_F(WordPressTest, PostsWithPictures) {
  Write write = Of(WriteKind::kPost, "One <b>\n\nTwo");
  write.draft.link = "https://brand.example/?a=1&b=2";
  write.draft.media = {{.type = "image/png", .alt_text = "A lamp", .bytes = "PNG1"}, {.type = "image/jpeg", .bytes = "JPG2"}};
  network.Next(201, R"({"id":31,"source_url":"http://site/1.png"})");
  network.Next(200, R"({"id":31})");
  network.Next(201, R"({"id":32,"source_url":"http://site/2.jpg"})");
  network.Next(201, R"({"id":40,"link":"http://site/a-title/"})");
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "40");
  EXPECT_EQ(out.permalink, "http://site/a-title/");
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[0].path, "/wp-json/wp/v2/media");
  EXPECT_EQ(asked[0].body, "PNG1");
  EXPECT_EQ(asked[0].headers.at("Content-Disposition"), "attachment; filename=\"picture-1.png\"");
  EXPECT_EQ(asked[0].headers.at("Authorization"), "Basic dGhlLXVzZXJuYW1lOnRoZS1hcHBsaWNhdGlvbl9wYXNzd29yZA==");
  const Json post = ParseJson(asked[3].body);
  EXPECT_EQ(post["featured_media"], 31);
  EXPECT_EQ(post["status"], "publish");
  EXPECT_EQ(post["content"],
            "<p><!-- parvis:key_1 -->One &lt;b&gt;</p>\n<p>Two</p>\n<p><a href=\"https://brand.example/?a=1&amp;b=2\">https://brand.example/?a=1&amp;b=2</a></p>\n"
            "<figure><img src=\"http://site/2.jpg\" alt=\"\"></figure>\n");
}

TEST_F(WordPressTest, RepliesAndModerates) {
  network.Next(201, R"({"id":8,"link":"l"})");
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Merci <3")).remote_id, "8");
  network.Next(200, Comment(7, 0, "hold"));
  EXPECT_EQ(Execute(Of(WriteKind::kHide)).kind, OutcomeKind::kAccepted);
  network.Next(200, Comment(7, 0));
  EXPECT_EQ(Execute(Of(WriteKind::kUnhide)).kind, OutcomeKind::kAccepted);
  network.Next(200, Comment(7, 0, "trash"));
  EXPECT_EQ(Execute(Of(WriteKind::kDelete)).kind, OutcomeKind::kAccepted);
  auto asked = network.Taken();
  EXPECT_EQ(ParseJson(asked[0].body), Json({{"post", "4"}, {"parent", "7"}, {"content", "Merci &lt;3"}}));
  EXPECT_EQ(asked[1].path + asked[1].body, R"(/wp-json/wp/v2/comments/7{"status":"hold"})");
  EXPECT_EQ(asked[2].body, R"({"status":"approve"})");
  EXPECT_EQ(asked[3].method + asked[3].path, "DELETE/wp-json/wp/v2/comments/7");
  // Already held: the site calls that a failure.
  network.Next(500, R"({"code":"rest_comment_failed_edit"})");
  network.Next(200, Comment(7, 0, "hold"));
  EXPECT_EQ(Execute(Of(WriteKind::kHide)).kind, OutcomeKind::kAccepted);
  network.Next(409, R"({"code":"comment_duplicate","message":"Duplicate comment detected; it looks as though you&#8217;ve already said that!"})");
  const Outcome duplicate = Execute(Of(WriteKind::kReply, "x"));
  EXPECT_EQ(duplicate.reason, "DUPLICATE");
  EXPECT_EQ(duplicate.message, "Duplicate comment detected; it looks as though you’ve already said that! (comment_duplicate)");
  network.Next(400, R"({"code":"comment_flood","message":"Slow down."})");
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "x")).reason, "RATE_LIMITED");
  Write own_post = Of(WriteKind::kDelete);
  own_post.target_remote_id = own_post.post_remote_id;
  network.Next(200, R"({"id":4})");
  Execute(own_post);
  EXPECT_EQ(network.Taken().back().path, "/wp-json/wp/v2/posts/4");
}

TEST_F(WordPressTest, ApprovesAndTellsSpam) {
  network.Next(200, Comment(7, 0));
  EXPECT_EQ(Execute(Of(WriteKind::kApprove)).kind, OutcomeKind::kAccepted);
  network.Next(200, Comment(7, 0, "spam"));
  EXPECT_EQ(Execute(Of(WriteKind::kSpam)).remote_id, "7");
  network.Next(500, R"({"code":"rest_comment_failed_edit"})");   // it is spam already
  network.Next(200, Comment(7, 0, "spam"));
  EXPECT_EQ(Execute(Of(WriteKind::kSpam)).kind, OutcomeKind::kAccepted);
  network.Next(500, R"({"code":"rest_comment_failed_edit"})");   // it is not
  network.Next(200, Comment(7, 0, "hold"));
  EXPECT_EQ(Execute(Of(WriteKind::kSpam)).kind, OutcomeKind::kUnknown);
  network.Next(403, R"({"code":"rest_cannot_edit"})");
  EXPECT_EQ(Execute(Of(WriteKind::kApprove)).reason, "PERMISSION_DENIED");
  network.Next(404, R"({"code":"rest_comment_invalid_id"})");
  EXPECT_EQ(Execute(Of(WriteKind::kSpam)).reason, "NOT_FOUND");
  const auto asked = network.Taken();
  EXPECT_EQ(asked[0].path + asked[0].body, R"(/wp-json/wp/v2/comments/7{"status":"approve"})");
  EXPECT_EQ(asked[1].path + asked[1].body, R"(/wp-json/wp/v2/comments/7{"status":"spam"})");
  // An unclear one is settled by the comment itself; to be held is not to be spam.
  const auto settled = [&](WriteKind kind, const char* status) {
    network.Next(200, Comment(7, 0, status));
    const auto items = connector.ReadBack(network.call(), account, Of(kind), absl::UnixEpoch(), 1);
    return items.ok() && items->size() == 1 && connector.Matches(Of(kind), items->front());
  };
  EXPECT_TRUE(settled(WriteKind::kSpam, "spam"));
  EXPECT_FALSE(settled(WriteKind::kSpam, "hold"));
  EXPECT_FALSE(settled(WriteKind::kSpam, "approved"));
  EXPECT_TRUE(settled(WriteKind::kApprove, "approved"));
  EXPECT_FALSE(settled(WriteKind::kApprove, "hold"));
}

TEST_F(WordPressTest, TakesAStanceOnEverything) {
  const Capabilities& can = connector.capabilities();
  EXPECT_EQ(can.features.size(), static_cast<size_t>(kFeatures));
  for (const auto& [feature, support] : can.features) {
    EXPECT_EQ(support.stance == Stance::kNotInApi, !support.source.empty()) << NameOf(feature);
    EXPECT_FALSE(support.because.empty() && support.stance != Stance::kPossible) << NameOf(feature);
  }
  for (int kind = 0; kind < kWriteKinds; ++kind) {
    const Write write = Of(static_cast<WriteKind>(kind), "x");
    if (can.Can(write.kind)) continue;
    EXPECT_EQ(Execute(write).message, can.WhyNot(write.kind));
  }
  EXPECT_TRUE(network.Taken().empty());
}

TEST_F(WordPressTest, FindsTheRoutesWithoutPrettyPermalinks) {
  network.Next(404, "<html>Not found</html>");
  network.Next(200, R"({"id":2,"name":"Brand","slug":"brand"})");
  account.base_url += "/";
  const auto identity = connector.WhoAmI(network.call(), account);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->remote_id, network.url());
  EXPECT_EQ(identity->handle, "brand");
  const auto asked = network.Taken();
  EXPECT_EQ(asked[1].path, "/");
  EXPECT_EQ(net::ParseQuery(asked[1].query).at("rest_route"), "/wp/v2/users/me");
  EXPECT_EQ(net::ParseQuery(asked[1].query).at("context"), "edit");
  network.Next(401, R"({"code":"incorrect_password"})");
  EXPECT_EQ(ReasonOf(connector.WhoAmI(network.call(), account).status()), "TOKEN_EXPIRED");
}

TEST_F(WordPressTest, ReadsBackByTheKey) {
  network.Next(200, R"({"id":2})");
  network.Next(200, R"([{"id":40,"author":2,"link":"l","date_gmt":"2023-11-14T22:13:20","content":{"raw":"<p><!-- parvis:key_1 -->Changed by the site</p>"}},
                        {"id":39,"author":2,"date_gmt":"2023-11-14T22:13:19","content":{"raw":"<p><!-- parvis:key_2 -->Same text</p>"}},
                        {"id":38,"author":9,"date_gmt":"2023-11-14T22:13:19","content":{"raw":"of another author"}}])");
  const auto items = connector.ReadBack(network.call(), account, Of(WriteKind::kPost), absl::FromUnixSeconds(1700000000), 10);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 2u);
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kPost, "Same text"), (*items)[0]));
  EXPECT_FALSE(connector.Matches(Of(WriteKind::kPost, "Same text"), (*items)[1]));
  OwnItem reply;
  reply.parent_remote_id = "7";
  reply.text = "Merci &lt;3 &#039;x&#039;";
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kReply, "Merci <3 'x'"), reply));
  network.Next(404, R"({"code":"rest_comment_invalid_id"})");
  EXPECT_TRUE(connector.ReadBack(network.call(), account, Of(WriteKind::kDelete), absl::UnixEpoch(), 1)->empty());
}

// What is not among them is taken for not written, and may be sent again. Other people's count for the pages.
TEST_F(WordPressTest, ReadsAllPagesBackOrSaysThatItCannot) {
  network.Next(200, R"({"id":2})");
  network.Next(200, "[" + Comment(9, 0) + "," + Comment(8, 0) + "]");
  network.Next(200, R"([{"id":7,"author":2,"date_gmt":"2023-11-14T22:13:20","content":{"raw":"Merci"}}])");
  const auto items = connector.ReadBack(network.call(), account, Of(WriteKind::kReply, "Merci"), absl::FromUnixSeconds(1700000000), 2);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ(items->front().remote_id, "7");
  EXPECT_EQ(net::ParseQuery(network.Taken()[2].query).at("page"), "2");
  network.Next(200, R"({"id":2})");
  for (int page = 0; page < kReadBackPagesMax; ++page) network.Next(200, "[" + Comment(9, 0) + "]");
  EXPECT_EQ(ReasonOf(connector.ReadBack(network.call(), account, Of(WriteKind::kReply, "x"), absl::UnixEpoch(), 1).status()),
            "READ_BACK_TOO_LONG");
}

TEST_F(WordPressTest, PollsCommentsAndNoticesChanges) {
  network.Next(200, R"({"id":2})");
  network.Next(200, "[" + Comment(5, 0) + "," + Comment(6, 5, "hold", "&lt;b&gt; it's\nme") + "," + Comment(9, 8, "approved", "x", 2) + "," + Comment(10, 0, "spam") + "]");
  network.Next(200, "[" + Comment(8, 6) + "]");                                     // the parent that was not in the page
  network.Next(200, "[" + Comment(5, 0) + "," + Comment(6, 5, "hold", "&lt;b&gt; it's\nme") + "," + Comment(9, 8, "approved", "x", 2) + "]");
  auto page = connector.Poll(network.call(), account, "", absl::FromUnixSeconds(1600000000), 100);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_FALSE(page->more);
  ASSERT_EQ(page->happenings.size(), 4u);
  const auto& h = page->happenings;
  EXPECT_EQ(h[0].kind, Kind::kComment);
  EXPECT_EQ(h[0].thread, "5");
  EXPECT_EQ(h[0].parent_remote_id, "4");
  EXPECT_EQ(h[0].author_name, "V & W");
  EXPECT_EQ(h[0].author_remote_id.rfind("visitor:", 0), 0u);
  EXPECT_EQ(h[0].revision, 1700000000000000);
  EXPECT_EQ(h[1].text, "<b> it's\nme");
  EXPECT_EQ(h[1].thread, "5");
  EXPECT_EQ(h[2].kind, Kind::kHide);   // it waits for approval
  EXPECT_EQ(h[2].remote_id, "6");
  EXPECT_EQ(h[3].remote_id, "9");
  EXPECT_EQ(h[3].thread, "5");         // 9 -> 8 -> 6 -> 5
  EXPECT_TRUE(h[3].by_us);
  // The next poll sees 5 again, 6 approved, and 9 edited; then 5 is trashed and 6 gone for good.
  const std::string now = "[" + Comment(5, 0) + "," + Comment(6, 5, "approved", "&lt;b&gt; it's\nme") + "," + Comment(9, 8, "approved", "y", 2) + "]";
  network.Next(200, now);
  network.Next(200, now);
  page = connector.Poll(network.call(), account, page->cursor, absl::UnixEpoch(), 100);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->happenings[0].kind, Kind::kUnhide);
  EXPECT_EQ(page->happenings[1].kind, Kind::kEdit);
  EXPECT_EQ(page->happenings[1].text, "y");
  EXPECT_EQ(page->happenings[1].thread, "5");
  network.Next(200, "[]");
  network.Next(200, "[" + Comment(5, 0, "trash") + "," + Comment(9, 8, "approved", "y", 2) + "]");
  network.Next(404, R"({"code":"rest_comment_invalid_id"})");
  page = connector.Poll(network.call(), account, page->cursor, absl::UnixEpoch(), 100);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->happenings[0].kind, Kind::kRemoval);
  EXPECT_EQ(page->happenings[0].remote_id, "5");
  EXPECT_EQ(page->happenings[1].kind, Kind::kRemoval);
  EXPECT_EQ(page->happenings[1].remote_id, "6");
  EXPECT_EQ(page->happenings[1].thread, "5");
}

// Many comments of one second: the time alone would go round in circles.
TEST_F(WordPressTest, PollsThroughABurst) {
  network.Next(200, R"({"id":2})");
  network.Next(200, "[" + Comment(1, 0) + "," + Comment(2, 0) + "]");
  auto page = connector.Poll(network.call(), account, "", absl::FromUnixSeconds(1699999999), 2);
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(page->more);
  network.Next(200, "[" + Comment(3, 0) + "]");
  network.Next(200, "[" + Comment(1, 0) + "," + Comment(2, 0) + "," + Comment(3, 0) + "]");
  page = connector.Poll(network.call(), account, page->cursor, absl::UnixEpoch(), 2);
  ASSERT_TRUE(page.ok());
  EXPECT_FALSE(page->more);
  EXPECT_EQ(page->happenings.size(), 1u);
  const auto asked = network.Taken();
  EXPECT_EQ(net::ParseQuery(asked[1].query).at("page"), "1");
  EXPECT_EQ(net::ParseQuery(asked[2].query).at("page"), "2");
  EXPECT_EQ(net::ParseQuery(asked[2].query).at("after"), net::ParseQuery(asked[1].query).at("after"));
}

TEST_F(WordPressTest, ChecksAndHasNoWebhooks) {
  Draft draft;
  draft.title = std::string(201, 'x');
  draft.text = "x";
  draft.media = {{.type = "video/mp4", .bytes = "x"}};
  EXPECT_EQ(connector.Check(WriteKind::kPost, draft).size(), 3u);   // the video, the title, the video's type
  draft.title.clear();
  EXPECT_EQ(connector.Check(WriteKind::kPost, draft).at(0).reason, "NOT_POSSIBLE");
  EXPECT_EQ(connector.Check(WriteKind::kPost, draft).at(1).reason, "TITLE_MISSING");
  EXPECT_EQ(connector.Check(WriteKind::kReply, draft).size(), 2u);
  EXPECT_EQ(ReasonOf(connector.VerifySignature({}, {Secret("s")})), "NOT_POSSIBLE");
  EXPECT_EQ(connector.ParseWebhook("{}").unparsed.size(), 1u);
  EXPECT_EQ(connector.Poll(network.call(), account, "not json", absl::UnixEpoch(), 1).status().code(), Code::kUnavailable);
}

// Each item would become a record or a dead letter.
TEST_F(WordPressTest, APageOfFarMoreThanWasAskedForIsRefused) {
  std::string many = "[{}";
  for (size_t i = 0; i < kPageItemsMax; ++i) many += ",{}";
  network.Next(200, R"({"id":1})");
  network.Next(200, many + "]");
  EXPECT_EQ(ReasonOf(connector.Poll(network.call(), account, "", absl::UnixEpoch(), 100).status()), "TRANSIENT");
}

}  // namespace
}  // namespace parvis::networks
