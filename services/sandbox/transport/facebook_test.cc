#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

class FacebookTest : public ::testing::Test {
 protected:
  FacebookTest() : account(sandbox.Account("facebook")), page(account["remote_id"]), token(account["access_token"]) {}
  Answered Post(const std::string& path, std::vector<std::pair<std::string, std::string>> fields) {
    fields.emplace_back("access_token", token);
    return sandbox.Send("POST", "/facebook/v23.0/" + path, net::FormEncode(fields), TestSandbox::FormType());
  }
  Answered Get(const std::string& path) {
    return sandbox.Send("GET", "/facebook/v23.0/" + path, "", {{"Authorization", "Bearer " + token}});
  }
  std::string NewPost(const std::string& text) { return Post(page + "/feed", {{"message", text}}).json["id"]; }

  TestSandbox sandbox;
  Json account;
  std::string page, token;
};

TEST_F(FacebookTest, TellsWhoTheTokenIsAndTakesItInThreePlaces) {
  EXPECT_EQ(Get("me?fields=id,name").json, (Json{{"id", page}, {"name", "Maison Lumen"}}));
  EXPECT_EQ(sandbox.Send("GET", "/facebook/v23.0/" + page + "?access_token=" + token).status, 200);
  EXPECT_TRUE(Post(page + "/feed", {{"message", "x"}}).json.contains("id"));
  EXPECT_EQ(sandbox.Send("GET", "/facebook/v23.0/me").json["error"]["code"], 104);
  EXPECT_EQ(sandbox.Send("GET", "/facebook/v23.0/me?access_token=wrong").json["error"]["code"], 190);
}

TEST_F(FacebookTest, ExpiredTokenIs190With463) {
  sandbox.Control("POST", "/accounts/facebook/" + page + "/token", {{"state", "expired"}});
  const Answered answer = Get("me");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.json["error"]["code"], 190);
  EXPECT_EQ(answer.json["error"]["error_subcode"], 463);
  const std::string old = token;
  token = sandbox.Control("POST", "/accounts/facebook/" + page + "/token", {{"renew", true}})["access_token"];
  EXPECT_EQ(Get("me").status, 200);
  token = old;
  EXPECT_EQ(Get("me").json["error"]["error_subcode"], 460);
}

TEST_F(FacebookTest, PublishesRefusesDuplicatesAndReadsBack) {
  const Answered made = Post(page + "/feed", {{"message", "Bonjour à tous"}, {"fields", "id,permalink_url"}});
  EXPECT_EQ(made.status, 200);
  EXPECT_TRUE(made.json.contains("permalink_url"));
  EXPECT_EQ(Post(page + "/feed", {{"message", "Bonjour à tous"}}).json["error"]["code"], 506);
  const Answered feed = Get(page + "/feed?fields=id,message");
  EXPECT_EQ(feed.json["data"][0], (Json{{"id", made.json["id"]}, {"message", "Bonjour à tous"}}));
  EXPECT_NE(feed.body.find("\\u00e0"), std::string::npos);
  EXPECT_EQ(Post(page + "/feed", {{"message", ""}}).json["error"]["code"], 100);
  EXPECT_EQ(Post(page + "/feed", {{"message", std::string(63207, 'x')}}).json["error"]["code"], 100);
}

TEST_F(FacebookTest, PagesThroughComments) {
  const std::string post = NewPost("Un");
  for (int i = 0; i < 30; ++i) {
    sandbox.Control("POST", "/comments",
                    {{"network", "facebook"}, {"parent", post}, {"text", "n" + std::to_string(i)}});
  }
  std::vector<std::string> seen;
  std::string url = "/facebook/v23.0/" + post + "/comments?order=chronological&filter=stream&limit=12";
  while (!url.empty()) {
    const Answered answer = sandbox.Send("GET", url, "", {{"Authorization", "Bearer " + token}});
    ASSERT_EQ(answer.status, 200) << answer.body;
    for (const Json& comment : answer.json["data"]) seen.push_back(comment["message"]);
    url = answer.json["paging"].contains("next") ? answer.json["paging"]["next"].get<std::string>() : "";
  }
  ASSERT_EQ(seen.size(), 30u);
  EXPECT_EQ(seen[0], "n0");
  EXPECT_EQ(seen[29], "n29");
  EXPECT_EQ(Get(post + "?fields=comments.summary(true).limit(0)").json["comments"]["summary"]["total_count"], 30);
}

TEST_F(FacebookTest, RepliesHidesUnhidesAndDeletes) {
  const std::string post = NewPost("Un");
  const std::string comment =
      sandbox.Control("POST", "/comments", {{"network", "facebook"}, {"parent", post}, {"text", "hm"}})["remote_id"];
  const std::string reply = Post(comment + "/comments", {{"message", "Bonjour"}}).json["id"];
  EXPECT_EQ(Get(reply + "?fields=parent,message").json["parent"]["id"], comment);
  EXPECT_EQ(Post(comment, {{"is_hidden", "true"}}).json, (Json{{"success", true}}));
  EXPECT_EQ(Get(comment + "?fields=is_hidden").json["is_hidden"], true);
  EXPECT_EQ(Post(comment, {{"is_hidden", "false"}}).status, 200);
  EXPECT_EQ(sandbox.Send("DELETE", "/facebook/v23.0/" + comment + "?access_token=" + token).json,
            (Json{{"success", true}}));
  const Answered gone = Get(comment);
  EXPECT_EQ(gone.status, 400);
  EXPECT_EQ(gone.json["error"]["code"], 100);
  EXPECT_EQ(gone.json["error"]["error_subcode"], 33);
  std::vector<std::string> kinds;
  for (const Json& line : sandbox.JournalLines()) kinds.push_back(line["kind"]);
  EXPECT_EQ(kinds, (std::vector<std::string>{"post", "comment", "reply", "hide", "unhide", "delete"}));
}

TEST_F(FacebookTest, ShowsUsageAndRefusesWith400) {
  sandbox.Control("POST", "/limits",
                  {{"network", "facebook"}, {"endpoint", "page"}, {"limit", 2}, {"window_seconds", 600}});
  EXPECT_EQ(Json::parse(Get("me").headers["X-App-Usage"])["call_count"], 50);
  EXPECT_EQ(Get("me").status, 200);
  const Answered answer = Get("me");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.json["error"]["code"], 80001);
  Answered again = Get("me");
  const Json business = Json::parse(again.headers["X-Business-Use-Case-Usage"]);
  EXPECT_GE(business[page][0]["estimated_time_to_regain_access"].get<int>(), 1);
}

TEST_F(FacebookTest, FaultsAfterAcceptanceAreJournalledAsSuch) {
  sandbox.Control("POST", "/faults",
                  {{"kind", "accept_then_reset"}, {"network", "facebook"}, {"operation", "post"}, {"count", 1}});
  EXPECT_EQ(Post(page + "/feed", {{"message", "eins"}}).status, 0);
  sandbox.Control("POST", "/faults", {{"kind", "accept_then_504"}, {"operation", "write"}, {"count", 1}});
  EXPECT_EQ(Post(page + "/feed", {{"message", "zwei"}}).status, 504);
  sandbox.Control("POST", "/faults", {{"kind", "reset_before_accept"}, {"operation", "post"}, {"count", 1}});
  EXPECT_EQ(Post(page + "/feed", {{"message", "drei"}}).status, 0);
  sandbox.Control("POST", "/faults", {{"kind", "garbage"}, {"operation", "post"}, {"count", 1}});
  EXPECT_TRUE(Post(page + "/feed", {{"message", "vier"}}).json.is_discarded());
  sandbox.Control("POST", "/faults",
                  {{"kind", "server_error"}, {"http_status", 503}, {"operation", "post"}, {"count", 1}});
  EXPECT_EQ(Post(page + "/feed", {{"message", "fünf"}}).status, 503);
  std::vector<std::string> story;
  for (const Json& line : sandbox.JournalLines()) {
    story.push_back(line["text"].get<std::string>() + " " + line["answered"].get<std::string>());
  }
  EXPECT_EQ(story, (std::vector<std::string>{"eins reset", "zwei 504", "vier garbage"}));
  // What was accepted is there, although nobody was told.
  EXPECT_EQ(Get(page + "/feed").json["data"].size(), 3u);
}

TEST_F(FacebookTest, TakesPhotosAsMultipart) {
  const std::string body =
      "--b\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\nUne photo\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"source\"; filename=\"a.png\"\r\nContent-Type: "
      "image/png\r\n\r\n\x89PNG\r\n--b--\r\n";
  const Answered answer = sandbox.Send("POST", "/facebook/v23.0/" + page + "/photos?access_token=" + token, body,
                                       {{"Content-Type", "multipart/form-data; boundary=b"}});
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(Get(answer.json["post_id"].get<std::string>()).json["message"], "Une photo");
}

TEST_F(FacebookTest, RefusesWhatIsNotTextAndUnknownPaths) {
  EXPECT_EQ(Post(page + "/feed", {{"message", "\xff\xfe"}}).status, 400);
  EXPECT_EQ(Post(page + "/nonsense", {{"a", "b"}}).status, 400);
  EXPECT_EQ(sandbox.Send("POST", "/facebook/v23.0/me/feed", std::string(200, '['), TestSandbox::JsonType()).status,
            400);
  EXPECT_TRUE(sandbox.JournalLines().empty());
}

}  // namespace
}  // namespace parvis::sandbox
