#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

class BlogTest : public ::testing::Test {
 protected:
  BlogTest() : account(sandbox.Account("wordpress", {{"utc_offset_minutes", 120}, {"hold_comments", true}})) {
    SignIn(account["application_password"]);
  }
  void SignIn(const std::string& password) {
    const std::string pair = account["username"].get<std::string>() + ":" + password;
    std::string encoded = absl::Base64Escape(pair);
    authorization = "Basic " + encoded;
  }
  Answered Send(const std::string& method, const std::string& path, const Json& body = Json()) {
    net::Headers headers;
    if (!authorization.empty()) headers["Authorization"] = authorization;
    if (!body.is_null()) headers["Content-Type"] = "application/json";
    return sandbox.Send(method, account["base_url"].get<std::string>() + "/wp-json/wp/v2/" + path,
                        body.is_null() ? "" : body.dump(), headers);
  }
  Json NewPost(const Json& more = Json::object()) {
    Json body = {{"title", "Titre"}, {"content", "Texte"}, {"status", "publish"}};
    body.update(more);
    const Answered answer = Send("POST", "posts", body);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.json;
  }
  std::string Visitor(const Json& post, const std::string& text) {
    return sandbox.Control(
        "POST", "/comments",
        {{"network", "wordpress"}, {"parent", std::to_string(post["id"].get<int64_t>())}, {"text", text}})["remote_id"];
  }
  TestSandbox sandbox;
  Json account;
  std::string authorization;
};

TEST_F(BlogTest, SignsInByApplicationPasswordWithOrWithoutSpaces) {
  EXPECT_EQ(Send("GET", "users/me").json["name"], "Maison Lumen");
  std::string bare = account["application_password"];
  std::erase(bare, ' ');
  SignIn(bare);
  EXPECT_EQ(Send("GET", "users/me").status, 200);
  SignIn("wrong");
  EXPECT_EQ(Send("GET", "users/me").json["code"], "incorrect_password");
  authorization.clear();
  EXPECT_EQ(Send("GET", "users/me").json["code"], "rest_not_logged_in");
  EXPECT_EQ(Send("POST", "posts", {{"title", "x"}}).json["code"], "rest_cannot_create");
  const Answered root = sandbox.Send("GET", account["base_url"]);
  EXPECT_NE(root.headers.find("link")->second.find("https://api.w.org/"), std::string::npos);
}

TEST_F(BlogTest, PublishesWithSlugAndTheDateTrap) {
  const Json post = NewPost({{"slug", "ma-cle"}});
  EXPECT_EQ(post["slug"], "ma-cle");
  EXPECT_EQ(NewPost({{"slug", "ma-cle"}})["slug"], "ma-cle-2");
  EXPECT_NE(post["date"], post["date_gmt"]);
  EXPECT_EQ(Send("GET", "posts?slug=ma-cle").json.size(), 1u);
  EXPECT_EQ(NewPost({{"date_gmt", "2040-01-01T00:00:00"}})["status"], "future");
  EXPECT_EQ(NewPost({{"status", "future"}, {"date_gmt", "2001-01-01T00:00:00"}})["status"], "publish");
  EXPECT_EQ(Send("POST", "posts", Json::object()).json["code"], "empty_content");
  EXPECT_EQ(Send("GET", "posts?page=9").json["code"], "rest_post_invalid_page_number");
  EXPECT_EQ(Send("GET", "posts/1").json["code"], "rest_post_invalid_id");
}

TEST_F(BlogTest, ListsModeratesAndAnswersComments) {
  const Json post = NewPost();
  const std::string first = Visitor(post, "Bonjour <b>"), second = Visitor(post, "Encore");
  Answered hold = Send("GET", "comments?status=hold&order=asc&per_page=1&page=2");
  EXPECT_EQ(hold.headers["X-WP-Total"], "2");
  EXPECT_EQ(hold.headers["X-WP-TotalPages"], "2");
  EXPECT_EQ(hold.json[0]["id"].get<int64_t>(), std::stoll(second));
  EXPECT_EQ(Send("GET", "comments").json.size(), 0u);
  EXPECT_EQ(Send("POST", "comments/" + first, {{"status", "approve"}}).json["status"], "approved");
  EXPECT_EQ(Send("POST", "comments/" + second, {{"status", "spam"}}).json["status"], "spam");
  const Answered one = Send("GET", "comments/" + first + "?context=edit");
  EXPECT_EQ(one.json["content"]["rendered"], "<p>Bonjour &lt;b&gt;</p>\n");
  EXPECT_EQ(one.json["content"]["raw"], "Bonjour <b>");
  const Json reply = {{"post", post["id"]}, {"parent", std::stoll(first)}, {"content", "Merci"}};
  EXPECT_EQ(Send("POST", "comments", reply).status, 201);
  const Answered twice = Send("POST", "comments", reply);
  EXPECT_EQ(twice.status, 409);
  EXPECT_EQ(twice.json["code"], "comment_duplicate");
  EXPECT_EQ(Send("DELETE", "comments/" + first).json["status"], "trash");
  EXPECT_EQ(Send("DELETE", "comments/" + first + "?force=true").json["deleted"], true);
  EXPECT_EQ(Send("GET", "comments/" + first).json["code"], "rest_comment_invalid_id");
  EXPECT_EQ(Send("POST", "comments", {{"post", 1}, {"content", "x"}}).json["code"], "rest_comment_invalid_post_id");
  authorization.clear();
  EXPECT_EQ(Send("GET", "comments?status=hold").status, 401);
}

TEST_F(BlogTest, AfterIsTheSitesTimeUnlessItNamesAZone) {
  const Json post = NewPost();
  Visitor(post, "un");
  const absl::Time now = sandbox.clock.WallNow();
  auto text = [&](absl::Time t, const char* format) { return absl::FormatTime(format, t, absl::UTCTimeZone()); };
  const absl::Time before = now - absl::Minutes(1);
  // Read as the site's time (UTC+2) a UTC text lies two hours too early, so everything is after it ...
  EXPECT_EQ(Send("GET", "comments?status=hold&after=" + text(before + absl::Hours(1), "%Y-%m-%dT%H:%M:%S")).json.size(),
            1u);
  // ... and with its zone it is taken by its word.
  EXPECT_EQ(Send("GET", "comments?status=hold&after=" + text(before, "%Y-%m-%dT%H:%M:%SZ")).json.size(), 1u);
  EXPECT_EQ(Send("GET", "comments?status=hold&after=" + text(now + absl::Hours(1), "%Y-%m-%dT%H:%M:%SZ")).json.size(),
            0u);
}

TEST_F(BlogTest, TakesMediaAndFloodsOnDemand) {
  const Answered media =
      sandbox.Send("POST", account["base_url"].get<std::string>() + "/wp-json/wp/v2/media", "\x89PNG",
                   {{"Authorization", authorization},
                    {"Content-Type", "image/png"},
                    {"Content-Disposition", "attachment; filename=\"a.png\""}});
  ASSERT_EQ(media.status, 201) << media.body;
  EXPECT_EQ(NewPost({{"featured_media", media.json["id"]}})["featured_media"], media.json["id"]);
  EXPECT_EQ(Send("POST", "posts", {{"title", "x"}, {"featured_media", 5}}).status, 400);
  sandbox.Control("POST", "/faults", {{"kind", "limit"}, {"network", "blog"}, {"operation", "reply"}, {"count", 1}});
  const Json post = NewPost();
  const Answered flood = Send("POST", "comments", {{"post", post["id"]}, {"content", "x"}});
  EXPECT_EQ(flood.status, 400);
  EXPECT_EQ(flood.json["code"], "comment_flood");
  EXPECT_EQ(Send("POST", "comments", {{"post", post["id"]}, {"content", "x"}}).status, 201);
}

}  // namespace
}  // namespace parvis::sandbox
