#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

class XTest : public ::testing::Test {
 protected:
  XTest() : account(sandbox.Account("x")), user(account["remote_id"]), token(account["access_token"]) {}
  Answered Send(const std::string& method, const std::string& path, const Json& body = Json()) {
    net::Headers headers = {{"Authorization", "Bearer " + token}};
    if (!body.is_null()) headers["Content-Type"] = "application/json";
    return sandbox.Send(method, "/x/2/" + path, body.is_null() ? "" : body.dump(), headers);
  }
  std::string Tweet(const std::string& text) {
    const Answered answer = Send("POST", "tweets", {{"text", text}});
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.json["data"]["id"];
  }
  std::string Comment(const std::string& parent, const std::string& text) {
    return sandbox.Control("POST", "/comments", {{"network", "x"}, {"parent", parent}, {"text", text}})["remote_id"];
  }
  TestSandbox sandbox;
  Json account;
  std::string user, token;
};

TEST_F(XTest, Tells401AsAProblem) {
  EXPECT_EQ(Send("GET", "users/me").json["data"]["id"], user);
  sandbox.Control("POST", "/accounts/x/" + user + "/token", {{"state", "revoked"}});
  const Answered answer = Send("GET", "users/me");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.headers.find("content-type")->second, "application/problem+json");
}

TEST_F(XTest, PostsWithTcoLinksAndRefusesDuplicatesUnknownMembersAndLongTexts) {
  const Answered made = Send("POST", "tweets", {{"text", "Voir https://example.com/a"}});
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.json["data"]["text"].get<std::string>().rfind("Voir https://t.co/", 0), 0u);
  const Answered twice = Send("POST", "tweets", {{"text", "Voir https://example.com/a"}});
  EXPECT_EQ(twice.status, 403);
  EXPECT_NE(twice.json["detail"].get<std::string>().find("duplicate"), std::string::npos);
  EXPECT_EQ(Send("POST", "tweets", {{"text", "a"}, {"foo", 1}}).status, 400);
  EXPECT_EQ(Send("POST", "tweets", {{"text", std::string(280, 'x')}}).status, 201);
  EXPECT_EQ(Send("POST", "tweets", {{"text", std::string(281, 'x')}}).status, 400);
  EXPECT_EQ(sandbox.JournalLines()[0]["text"], "Voir https://example.com/a");
}

TEST_F(XTest, RepliesHidesOnlyInOwnConversationsAndDeletes) {
  const std::string root = Tweet("racine");
  const std::string comment = Comment(root, "bof");
  const Answered reply = Send("POST", "tweets", {{"text", "merci"}, {"reply", {{"in_reply_to_tweet_id", comment}}}});
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(sandbox.JournalLines().back()["thread"], root);
  EXPECT_EQ(sandbox.JournalLines().back()["kind"], "reply");
  EXPECT_EQ(Send("PUT", "tweets/" + comment + "/hidden", {{"hidden", true}}).json,
            (Json{{"data", {{"hidden", true}}}}));
  EXPECT_EQ(Send("PUT", "tweets/" + root + "/hidden", {{"hidden", true}}).status, 403);
  EXPECT_EQ(Send("DELETE", "tweets/" + comment).status, 403);
  EXPECT_EQ(Send("DELETE", "tweets/" + reply.json["data"]["id"].get<std::string>()).json["data"]["deleted"], true);
  EXPECT_EQ(Send("POST", "tweets", {{"text", "x"}, {"reply", {{"in_reply_to_tweet_id", "1"}}}}).status, 404);
}

TEST_F(XTest, LooksUpWith200AndErrors) {
  const std::string id = Tweet("un");
  const Answered answer =
      Send("GET", "tweets?ids=" + id + ",123&tweet.fields=author_id,conversation_id&expansions=author_id");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json["data"][0]["conversation_id"], id);
  EXPECT_EQ(answer.json["errors"][0]["resource_id"], "123");
  EXPECT_EQ(answer.json["includes"]["users"][0]["id"], user);
  EXPECT_EQ(Send("GET", "tweets/99").status, 200);
  EXPECT_TRUE(Send("GET", "tweets/99").json.contains("errors"));
}

TEST_F(XTest, PagesSearchAndMentions) {
  const std::string root = Tweet("racine");
  std::vector<std::string> made;
  for (int i = 0; i < 25; ++i) made.push_back(Comment(root, "n" + std::to_string(i)));
  std::vector<std::string> seen;
  std::string next;
  do {
    const Answered page = Send("GET", "tweets/search/recent?max_results=10&query=conversation_id%3A" + root +
                                          (next.empty() ? "" : "&next_token=" + next));
    ASSERT_EQ(page.status, 200) << page.body;
    for (const Json& tweet : page.json["data"]) seen.push_back(tweet["id"]);
    next = page.json["meta"].contains("next_token") ? page.json["meta"]["next_token"].get<std::string>() : "";
  } while (!next.empty());
  std::reverse(seen.begin(), seen.end());
  EXPECT_EQ(seen, made);
  const Answered since = Send("GET", "users/" + user + "/mentions?max_results=100&since_id=" + made[22]);
  EXPECT_EQ(since.json["meta"]["result_count"], 2);
  EXPECT_EQ(since.json["meta"]["newest_id"], made[24]);
  EXPECT_EQ(Send("GET", "users/" + user + "/tweets?max_results=4").status, 400);
  EXPECT_EQ(Send("GET", "users/" + user + "/tweets?max_results=5").json["data"].size(), 1u);
}

TEST_F(XTest, EmptyPageWithACursorLosesNothing) {
  const std::string root = Tweet("racine");
  for (int i = 0; i < 3; ++i) Comment(root, "n" + std::to_string(i));
  sandbox.Control("POST", "/faults", {{"kind", "empty_page"}, {"network", "x"}, {"count", 1}});
  const std::string url = "users/" + user + "/mentions?max_results=5";
  const Answered empty = Send("GET", url);
  EXPECT_FALSE(empty.json.contains("data"));
  const std::string token = empty.json["meta"]["next_token"];
  EXPECT_EQ(Send("GET", url + "&pagination_token=" + token).json["data"].size(), 3u);
}

TEST_F(XTest, LimitsPerEndpointInBothShapes) {
  sandbox.Control("POST", "/limits",
                  {{"network", "x"}, {"endpoint", "tweets.create"}, {"limit", 1}, {"window_seconds", 60}});
  Answered first = Send("POST", "tweets", {{"text", "a"}});
  EXPECT_EQ(first.headers["x-rate-limit-remaining"], "0");
  Answered second = Send("POST", "tweets", {{"text", "b"}}), third = Send("POST", "tweets", {{"text", "c"}});
  EXPECT_EQ(second.status, 429);
  EXPECT_EQ(third.status, 429);
  EXPECT_NE(second.json.contains("title"), third.json.contains("title"));
  EXPECT_GT(std::stoll(second.headers["x-rate-limit-reset"]), absl::ToUnixSeconds(sandbox.clock.WallNow()));
  EXPECT_EQ(Send("GET", "users/me").status, 200);
  EXPECT_EQ(sandbox.JournalLines().size(), 1u);
}

TEST_F(XTest, AcceptsDuplicatesOnDemandSoThatTheJournalShowsThem) {
  Tweet("deux fois");
  sandbox.Control("POST", "/settings", {{"refuse_duplicates", false}});
  Tweet("deux fois");
  EXPECT_EQ(sandbox.JournalLines().size(), 2u);
}

TEST_F(XTest, ResetAfterAcceptanceCounts) {
  sandbox.Control("POST", "/faults",
                  {{"kind", "accept_then_reset"}, {"network", "x"}, {"operation", "post"}, {"count", 1}});
  EXPECT_EQ(Send("POST", "tweets", {{"text", "seul"}}).status, 0);
  ASSERT_EQ(sandbox.JournalLines().size(), 1u);
  EXPECT_EQ(sandbox.JournalLines()[0]["answered"], "reset");
  EXPECT_EQ(Send("POST", "tweets", {{"text", "seul"}}).status, 403);  // the first one is there
  EXPECT_EQ(Send("GET", "users/" + user + "/tweets?max_results=5").json["data"][0]["text"], "seul");
}

}  // namespace
}  // namespace parvis::sandbox
