#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

class DiscourseTest : public ::testing::Test {
 protected:
  explicit DiscourseTest(const Json& more = Json::object()) : account(sandbox.Account("discourse", more)) {
    base = account["base_url"];
    headers = {{"Api-Key", account["api_key"].get<std::string>()},
               {"Api-Username", account["api_username"].get<std::string>()}};
  }
  Answered Send(const std::string& method, const std::string& path, const Json& body = Json()) {
    net::Headers all = headers;
    if (!body.is_null()) all["Content-Type"] = "application/json";
    return sandbox.Send(method, base + path, body.is_null() ? "" : body.dump(), all);
  }
  Json NewTopic(const std::string& title = "Un titre assez long", const Json& more = Json::object()) {
    Json body = {{"title", title}, {"raw", "Voici un texte de vingt signes au moins: " + title}};
    body.update(more);
    const Answered answer = Send("POST", "/posts.json", body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json;
  }
  Json Visitor(const Json& parent, const std::string& text) {
    return sandbox.Control("POST", "/comments", {{"network", "discourse"}, {"parent", Id(parent)}, {"text", text}});
  }
  static std::string Id(const Json& post, const char* name = "id") { return post.at(name).dump(); }
  int Entries(const std::string& kind) {
    int n = 0;
    for (const Json& line : sandbox.JournalLines()) n += line["kind"] == kind;
    return n;
  }
  TestSandbox sandbox;
  Json account;
  std::string base;
  net::Headers headers;
};

class HeldDiscourseTest : public DiscourseTest {
 protected:
  HeldDiscourseTest() : DiscourseTest({{"hold_comments", true}}) {}
};

TEST_F(DiscourseTest, SignsInByHeadersOnly) {
  const Json user = Send("GET", "/session/current.json").json["current_user"];
  EXPECT_EQ(user["id"].dump(), account["remote_id"].get<std::string>());
  EXPECT_EQ(user["username"], account["api_username"]);
  EXPECT_EQ(Send("GET", "/u/" + account["api_username"].get<std::string>() + ".json").json["user"]["name"],
            "Maison Lumen");
  const net::Headers right = headers;
  headers["Api-Username"] = "somebody";
  EXPECT_EQ(Send("GET", "/posts.json").json["error_type"], "invalid_access");
  headers = {};
  EXPECT_EQ(Send("GET", "/posts.json?api_key=" + right.at("Api-Key")).json["error_type"], "not_logged_in");
  EXPECT_EQ(Send("POST", "/posts.json", {{"raw", "x"}}).body, "[\"BAD CSRF\"]");
  EXPECT_EQ(Send("GET", "/session/current.json").status, 404);
}

TEST_F(DiscourseTest, TopicsAndPostsAreNumberedApart) {
  const Json first = NewTopic("Un titre assez long", {{"external_id", "parvis-1"}, {"category", 4}});
  EXPECT_NE(first["id"], first["topic_id"]);
  EXPECT_EQ(first["post_number"], 1);
  EXPECT_EQ(Send("GET", "/t/" + Id(first) + ".json").status, 404);  // a post's number is no topic's
  EXPECT_EQ(Send("GET", "/posts/" + Id(first, "topic_id") + ".json").status, 404);
  const Json asked = Visitor(first, "Bonjour, une question sur vos horaires");
  const Json reply = Send("POST", "/posts.json",
                          {{"topic_id", first["topic_id"]},
                           {"reply_to_post_number", 2},
                           {"raw", "Nous ouvrons demain dès huit heures"}})
                         .json;
  EXPECT_EQ(reply["post_number"], 3);
  EXPECT_EQ(reply["reply_to_post_number"], 2);
  const Json topic = Send("GET", "/t/" + Id(first, "topic_id") + ".json").json;
  ASSERT_EQ(topic["post_stream"]["posts"].size(), 3u);
  EXPECT_FALSE(topic["post_stream"]["posts"][0].contains("raw"));
  EXPECT_EQ(topic["external_id"], "parvis-1");
  const Json some = Send("GET", "/t/" + Id(first, "topic_id") + "/posts.json?post_ids[]=" + Id(reply) +
                                    "&post_ids%5B%5D=" + Id(first))
                        .json;
  EXPECT_EQ(some["post_stream"]["posts"].size(), 2u);
  Answered moved = Send("GET", "/t/external_id/parvis-1.json");
  EXPECT_EQ(moved.headers["Location"].substr(moved.headers["Location"].rfind('/') + 1),
            Id(first, "topic_id") + ".json");
  EXPECT_EQ(Send("GET", "/t/external_id/none.json").status, 404);
}

TEST_F(DiscourseTest, RefusesAsTheSiteDoes) {
  EXPECT_EQ(Send("POST", "/posts.json", {{"title", "Un titre assez long"}}).json["errors"][0],
            "param is missing or the value is empty: raw");
  const Answered brief = Send("POST", "/posts.json", {{"title", "Court"}, {"raw", "Trop court"}});
  EXPECT_EQ(brief.status, 422);
  EXPECT_EQ(brief.json["action"], "create_post");
  EXPECT_EQ(brief.json["errors"].size(), 2u);
  const Json first = NewTopic("Un titre assez long", {{"external_id", "a-1"}});
  EXPECT_EQ(NewTopic("Un titre assez long", {{"external_id", "a-1"}})["id"],
            first["id"]);  // remembered for two minutes
  EXPECT_EQ(Entries("post"), 1);
  const Answered taken = Send(
      "POST", "/posts.json",
      {{"title", "Un autre titre assez long"}, {"raw", "Un tout autre texte, assez long"}, {"external_id", "a-1"}});
  EXPECT_EQ(taken.json["errors"][0], "External has already been taken");
  EXPECT_EQ(Send("POST", "/posts.json", {{"topic_id", 12}, {"raw", "Une réponse dans le vide, longue"}}).status, 422);
  EXPECT_EQ(Send("GET", "/nowhere.json").json["error_type"], "not_found");
}

TEST_F(DiscourseTest, WalksTheNewestPostsBackwards) {
  sandbox.Control("POST", "/limits", {{"network", "discourse"}, {"enabled", false}});
  const Json first = NewTopic();
  for (int i = 0; i < 118; ++i) Visitor(first, "Message numéro " + std::to_string(i));
  std::set<std::string> seen;
  std::string before;
  for (int page = 0; page < 10; ++page) {
    const Json posts = Send("GET", "/posts.json" + (before.empty() ? "" : "?before=" + before)).json["latest_posts"];
    if (posts.empty()) break;
    EXPECT_LE(posts.size(), 50u);
    for (const Json& post : posts) EXPECT_TRUE(seen.insert(Id(post)).second);
    before = Id(posts.back());
  }
  EXPECT_EQ(seen.size(), 119u);
}

TEST_F(DiscourseTest, EditsDeletesAndTellsWhoDid) {
  const Json first = NewTopic();
  const Json edited = Send("PUT", "/posts/" + Id(first) + ".json",
                           {{"post", {{"raw", "Le texte tel qu'il est maintenant"}, {"edit_reason", "faute"}}}})
                          .json["post"];
  EXPECT_EQ(edited["raw"], "Le texte tel qu'il est maintenant");
  EXPECT_EQ(edited["version"], 1);  // within the grace period
  const std::string theirs = Visitor(first, "Je retire ce message").at("remote_id");
  const std::string ours = Visitor(first, "Une insulte").at("remote_id");
  sandbox.Control("DELETE", "/comments/discourse/" + theirs);
  const Answered deleted = Send("DELETE", "/posts/" + ours + ".json");
  EXPECT_EQ(deleted.status, 200);
  EXPECT_EQ(deleted.body, "");
  EXPECT_TRUE(Send("GET", "/posts/" + theirs + ".json").json["user_deleted"]);
  EXPECT_TRUE(Send("GET", "/posts/" + ours + ".json").json["deleted_at"].is_string());
  EXPECT_EQ(Send("DELETE", "/posts/" + ours + ".json").status, 403);
  EXPECT_EQ(Send("DELETE", "/posts/77.json").status, 404);
}

TEST_F(DiscourseTest, ClosesFlagsLikesAndSanctions) {
  const Json first = NewTopic();
  const std::string topic = "/t/" + Id(first, "topic_id");
  const std::string updated = Send("GET", "/posts/" + Id(first) + ".json").json["updated_at"];
  EXPECT_EQ(Send("PUT", topic + "/status.json", {{"status", "closed"}, {"enabled", "true"}}).json["success"], "OK");
  EXPECT_TRUE(Send("GET", topic + ".json").json["closed"]);
  EXPECT_EQ(Send("GET", "/posts/" + Id(first) + ".json").json["updated_at"], updated);  // no change of the post
  EXPECT_EQ(Send("PUT", topic + "/status.json", {{"status", "shut"}, {"enabled", "true"}}).json["error_type"],
            "invalid_parameters");
  const Json visitor = Visitor(first, "Une insulte");
  const std::string id = visitor["remote_id"], author = visitor["author"];
  const Json liked = Send("POST", "/post_actions.json", {{"id", std::stoll(id)}, {"post_action_type_id", 2}}).json;
  EXPECT_EQ(liked["actions_summary"][0]["count"], 1);
  EXPECT_EQ(Send("POST", "/post_actions.json", {{"id", std::stoll(id)}, {"post_action_type_id", 8}}).status, 200);
  EXPECT_EQ(Send("POST", "/post_actions.json", {{"id", std::stoll(id)}, {"post_action_type_id", 8}}).status, 403);
  EXPECT_TRUE(
      Send("PUT", "/admin/users/" + author + "/silence.json", {{"reason", "insultes"}}).json["silence"]["silenced"]);
  EXPECT_EQ(Send("PUT", "/admin/users/" + author + "/silence.json", {{"reason", "insultes"}}).status, 409);
  EXPECT_EQ(Send("PUT", "/admin/users/" + author + "/suspend.json", {{"reason", "x"}}).status, 400);
  EXPECT_EQ(Send("PUT", "/admin/users/" + author + "/suspend.json", {{"reason", "x"}, {"suspend_until", "2040-01-01"}})
                .status,
            200);
  EXPECT_EQ(Send("PUT", "/admin/users/5/unsuspend.json").status, 404);
  for (const char* kind : {"lock", "report", "mute", "ban"}) EXPECT_EQ(Entries(kind), 1) << kind;
}

TEST_F(HeldDiscourseTest, WhatWaitsIsNoPost) {
  const Json first = NewTopic();
  const std::string held = Visitor(first, "Puis-je écrire ici ?").at("remote_id");
  EXPECT_EQ(Send("GET", "/posts/" + held + ".json").status, 404);
  EXPECT_EQ(Send("GET", "/t/" + Id(first, "topic_id") + ".json").json["posts_count"], 1);
  const Json queue = Send("GET", "/review.json?type=ReviewableQueuedPost").json;
  ASSERT_EQ(queue["reviewables"].size(), 1u);
  EXPECT_EQ(Id(queue["reviewables"][0]), held);
  EXPECT_EQ(Send("PUT", "/review/" + held + "/perform/approve_post").status, 422);
  EXPECT_EQ(Send("PUT", "/review/" + held + "/perform/approve_post?version=4").status, 409);
  const Json done =
      Send("PUT", "/review/" + held + "/perform/approve_post?version=0").json["reviewable_perform_result"];
  const Json post = Send("GET", "/posts/" + Id(done, "created_post_id") + ".json").json;
  EXPECT_EQ(post["raw"], "Puis-je écrire ici ?");
  EXPECT_GT(post["id"].get<int64_t>(), std::stoll(held));
  EXPECT_EQ(Send("GET", "/review/" + held + ".json").json["reviewable"]["status"], 1);
  EXPECT_EQ(Send("PUT", "/review/" + held + "/perform/reject_post?version=1").status, 403);
  EXPECT_EQ(Entries("approve"), 1);
}

TEST_F(DiscourseTest, AModeratedCategoryHoldsOurOwn) {
  const Json held = NewTopic("Un titre assez long", {{"category", 7}});
  EXPECT_EQ(held["action"], "enqueued");
  const std::string id = Id(held["pending_post"]);
  const Json pending = Send("GET", "/posts/" + account["api_username"].get<std::string>() + "/pending.json").json;
  EXPECT_EQ(Id(pending["pending_posts"][0]), id);
  EXPECT_EQ(Send("GET", "/posts.json").json["latest_posts"].size(), 0u);
  EXPECT_EQ(Send("DELETE", "/review/" + id + ".json").status, 200);
  EXPECT_EQ(Send("GET", "/review/" + id + ".json").status, 404);
}

TEST_F(DiscourseTest, UploadsAndLimits) {
  const std::string body =
      "--b\r\nContent-Disposition: form-data; name=\"upload_type\"\r\n\r\ncomposer\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
      "\x89PNG\r\n--b--\r\n";
  net::Headers all = headers;
  all["Content-Type"] = "multipart/form-data; boundary=b";
  const Answered media = sandbox.Send("POST", base + "/uploads.json", body, all);
  ASSERT_EQ(media.status, 200) << media.body;
  EXPECT_EQ(media.json["short_url"].get<std::string>().substr(0, 9), "upload://");
  sandbox.Control(
      "POST", "/limits",
      {{"network", "discourse"}, {"account", account["remote_id"]}, {"endpoint", "api"}, {"exhaust", true}});
  Answered limited = Send("GET", "/posts.json");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.json["error_type"], "rate_limit");
  EXPECT_EQ(limited.json["extras"]["wait_seconds"].dump(), limited.headers["Retry-After"]);
}

TEST_F(DiscourseTest, TellsByWebhook) {
  Receiver receiver(sandbox.metrics, "secret");
  sandbox.Control("POST", "/webhooks", {{"network", "discourse"}, {"url", receiver.url()}, {"secret", "secret"}});
  const Json first = NewTopic();
  const std::string id = Visitor(first, "Bonjour à tous").at("remote_id");
  sandbox.Control("POST", "/comments/discourse/" + id, {{"text", "Bonjour à toutes"}});
  Send("DELETE", "/posts/" + id + ".json");
  ASSERT_TRUE(sandbox.WaitFor([&] { return receiver.taken().size() >= 4; }));
  std::map<std::string, Json> posts;
  std::set<std::string> events;
  for (const net::HttpRequest& call : receiver.taken()) {
    EXPECT_EQ(call.headers.at("X-Discourse-Event-Signature"), "sha256=" + HmacHex(Secret("secret"), call.body));
    EXPECT_EQ(call.headers.at("X-Discourse-Event-Type"), "post");
    events.insert(call.headers.at("X-Discourse-Event-Id"));
    const Json post = Json::parse(call.body)["post"];
    if (Id(post) == id) posts[call.headers.at("X-Discourse-Event")] = post;
  }
  EXPECT_EQ(events.size(), 4u);
  EXPECT_EQ(posts["post_created"]["topic_id"], first["topic_id"]);
  EXPECT_EQ(posts["post_created"]["post_number"], 2);
  EXPECT_EQ(posts["post_edited"]["raw"], "Bonjour à toutes");
  EXPECT_TRUE(posts["post_destroyed"]["deleted_at"].is_string());
}

}  // namespace
}  // namespace parvis::sandbox
