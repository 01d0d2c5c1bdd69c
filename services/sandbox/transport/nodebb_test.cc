#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

class NodebbTest : public ::testing::Test {
 protected:
  explicit NodebbTest(const Json& more = Json::object()) : account(sandbox.Account("nodebb", more)) {
    token = account["access_token"];
  }
  Answered Send(const std::string& method, const std::string& path, const Json& body = Json()) {
    net::Headers headers;
    if (!token.empty()) headers["Authorization"] = "Bearer " + token;
    if (!body.is_null()) headers["Content-Type"] = "application/json";
    return sandbox.Send(method, account["base_url"].get<std::string>() + "/api" + path,
                        body.is_null() ? "" : body.dump(), headers);
  }
  Json NewTopic(int cid = 2) {
    const Answered answer =
        Send("POST", "/v3/topics", {{"cid", cid}, {"title", "Un titre"}, {"content", "Un texte assez long"}});
    EXPECT_EQ(answer.json["status"]["code"], cid == 7 ? "accepted" : "ok") << answer.body;
    return answer.json["response"];
  }
  std::string Visitor(const Json& pid, const std::string& text) {
    return sandbox.Control("POST", "/comments",
                           {{"network", "nodebb"}, {"parent", pid.dump()}, {"text", text}})["remote_id"];
  }
  int Entries(const std::string& kind) {
    int n = 0;
    for (const Json& line : sandbox.JournalLines()) n += line["kind"] == kind;
    return n;
  }
  TestSandbox sandbox;
  Json account;
  std::string token;
};

class HeldNodebbTest : public NodebbTest {
 protected:
  HeldNodebbTest() : NodebbTest({{"hold_comments", true}}) {}
};

TEST_F(NodebbTest, SignsInAndRefusesByKeys) {
  EXPECT_EQ(Send("GET", "/self").json["uid"].dump(), account["remote_id"].get<std::string>());
  const Answered brief = Send("POST", "/v3/topics", {{"cid", 2}, {"title", "t"}, {"content", "court"}});
  EXPECT_EQ(brief.status, 400);
  EXPECT_EQ(brief.json["status"]["code"], "bad-request");
  EXPECT_EQ(brief.json["status"]["message"], "[[error:content-too-short, 8]]");
  EXPECT_EQ(Send("POST", "/v3/topics", {{"cid", 2}}).json["status"]["message"],
            "[[error:required-parameters-missing, title, content]]");
  EXPECT_EQ(
      Send("POST", "/v3/topics", {{"cid", 9}, {"title", "t"}, {"content", "assez long"}}).json["status"]["message"],
      "[[error:no-category]]");
  EXPECT_EQ(Send("POST", "/v3/topics/77", {{"content", "assez long"}}).json["status"]["message"], "[[error:no-topic]]");
  token = "wrong";
  EXPECT_EQ(Send("GET", "/self").status, 401);
  EXPECT_EQ(Send("GET", "/v3/posts/1").json["status"]["code"], "not-authorised");
}

TEST_F(NodebbTest, WritesReadsAndPages) {
  const Json topic = NewTopic();
  EXPECT_NE(topic["tid"], topic["mainPid"]);
  const std::string tid = topic["tid"].dump();
  EXPECT_EQ(Send("GET", "/topic/" + topic["mainPid"].dump()).status, 404);  // a post's number is no topic's
  const std::string asked = Visitor(topic["mainPid"], "Une question");
  const Json reply =
      Send("POST", "/v3/topics/" + tid, {{"content", "Une réponse à vous"}, {"toPid", std::stoll(asked)}})
          .json["response"];
  EXPECT_EQ(reply["toPid"].dump(), asked);
  EXPECT_EQ(reply["index"], 2);
  EXPECT_EQ(
      Send("POST", "/v3/topics/" + tid, {{"content", "Une réponse à vous"}, {"toPid", 5}}).json["status"]["message"],
      "[[error:invalid-pid]]");
  for (int i = 0; i < 30; ++i) Visitor(topic["mainPid"], "Message " + std::to_string(i));
  std::set<std::string> seen;
  for (int page = 1; page <= 3; ++page) {
    for (const Json& post : Send("GET", "/recent/posts?page=" + std::to_string(page)).json)
      seen.insert(post["pid"].dump());
  }
  EXPECT_EQ(seen.size(), 33u);
  const Json second = Send("GET", "/topic/" + tid + "?page=2").json;
  EXPECT_EQ(second["posts"].size(), 13u);
  EXPECT_EQ(second["pagination"]["pageCount"], 2);
  EXPECT_EQ(Send("GET", "/v3/posts/" + asked + "/raw").json["response"]["content"], "Une question");
  EXPECT_EQ(Send("GET", "/unread").json["topics"][0]["tid"], topic["tid"]);
}

TEST_F(NodebbTest, RemovesBringsBackAndPurges) {
  const Json topic = NewTopic();
  const std::string pid = Visitor(topic["mainPid"], "Une insulte");
  EXPECT_EQ(Send("DELETE", "/v3/posts/" + pid + "/state").status, 200);
  EXPECT_EQ(Send("GET", "/v3/posts/" + pid).json["response"]["deleted"], 1);
  EXPECT_EQ(Send("DELETE", "/v3/posts/" + pid + "/state").json["status"]["message"], "[[error:post-already-deleted]]");
  EXPECT_EQ(Send("PUT", "/v3/posts/" + pid + "/state").status, 200);
  const Json back = Send("GET", "/v3/posts/" + pid).json["response"];
  EXPECT_EQ(back["deleted"], 0);
  EXPECT_EQ(back["edited"], 0);  // removing is no edit
  EXPECT_EQ(Send("DELETE", "/v3/posts/" + pid).status, 200);
  EXPECT_EQ(Send("GET", "/v3/posts/" + pid).json["status"]["message"], "[[error:no-post]]");
  EXPECT_EQ(Entries("delete"), 2);
  EXPECT_EQ(
      Send("PUT", "/v3/posts/" + topic["mainPid"].dump(), {{"content", "Un texte corrigé"}}).json["response"]["editor"],
      nullptr);
  EXPECT_GT(Send("GET", "/v3/posts/" + topic["mainPid"].dump()).json["response"]["edited"].get<int64_t>(), 0);
}

TEST_F(NodebbTest, ModeratesPeopleAndTopics) {
  const Json topic = NewTopic();
  const std::string pid = Visitor(topic["mainPid"], "Une insulte");
  const std::string uid = Send("GET", "/v3/posts/" + pid).json["response"]["uid"].dump();
  EXPECT_EQ(Send("PUT", "/v3/topics/" + topic["tid"].dump() + "/lock").status, 200);
  EXPECT_EQ(Send("GET", "/v3/topics/" + topic["tid"].dump()).json["response"]["locked"], 1);
  EXPECT_EQ(Send("PUT", "/v3/users/" + uid + "/mute", {{"reason", "insultes"}}).status, 200);
  EXPECT_EQ(Send("PUT", "/v3/users/" + uid + "/ban", {{"until", 4'000'000'000'000}}).status, 200);
  EXPECT_TRUE(Send("GET", "/v3/users/" + uid).json["response"]["banned"]);
  EXPECT_EQ(Send("DELETE", "/v3/users/" + uid + "/ban").status, 200);
  EXPECT_EQ(Send("PUT", "/v3/users/5/ban").json["status"]["message"], "[[error:no-user]]");
  EXPECT_EQ(Send("PUT", "/v3/posts/" + pid + "/vote", {{"delta", 1}}).status, 200);
  EXPECT_EQ(Send("GET", "/v3/posts/" + pid).json["response"]["votes"], 1);
  EXPECT_EQ(Send("PUT", "/v3/posts/" + topic["mainPid"].dump() + "/vote", {{"delta", 1}}).json["status"]["message"],
            "[[error:self-vote]]");
  const Json flag = {{"type", "post"}, {"id", std::stoll(pid)}, {"reason", "spam"}};
  EXPECT_EQ(Send("POST", "/v3/flags", flag).status, 200);
  EXPECT_EQ(Send("POST", "/v3/flags", flag).json["status"]["message"], "[[error:post-already-flagged]]");
  for (const char* kind : {"lock", "mute", "ban", "unban", "report"}) EXPECT_EQ(Entries(kind), 1) << kind;
}

TEST_F(HeldNodebbTest, WhatWaitsIsNoPost) {
  const Json topic = NewTopic();
  const std::string held = Visitor(topic["mainPid"], "Puis-je écrire ?"),
                    other = Visitor(topic["mainPid"], "Moi aussi");
  EXPECT_EQ(Send("GET", "/v3/posts/" + held).status, 404);
  const Json queue = Send("GET", "/post-queue").json["posts"];
  ASSERT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue[0]["id"], "reply-" + held);
  const Json accepted = Send("POST", "/v3/posts/queue/reply-" + held).json["response"];
  EXPECT_EQ(Send("GET", "/v3/posts/" + accepted["pid"].dump() + "/raw").json["response"]["content"],
            "Puis-je écrire ?");
  EXPECT_EQ(Send("DELETE", "/v3/posts/queue/reply-" + other).status, 200);
  EXPECT_EQ(Send("POST", "/v3/posts/queue/reply-" + other).json["status"]["message"], "[[error:no-post]]");
  EXPECT_EQ(Send("GET", "/post-queue").json["posts"].size(), 0u);
}

TEST_F(NodebbTest, QueuesOurOwnAndLocalisesRefusals) {
  const Json held = NewTopic(7);
  EXPECT_TRUE(held["queued"]);
  EXPECT_FALSE(held.contains("tid"));
  EXPECT_EQ(Send("GET", "/recent/posts").json.size(), 0u);
  sandbox.Control("POST", "/faults", {{"kind", "localise"}, {"network", "nodebb"}});
  sandbox.Control("POST", "/faults", {{"kind", "forbid"}, {"network", "nodebb"}, {"operation", "post"}, {"count", 1}});
  const Answered no = Send("POST", "/v3/topics", {{"cid", 2}, {"title", "t"}, {"content", "assez long"}});
  EXPECT_EQ(no.status, 403);
  EXPECT_EQ(no.json["status"]["code"], "forbidden");
  EXPECT_EQ(no.json["status"]["message"].get<std::string>().find("[["), std::string::npos);
}

}  // namespace
}  // namespace parvis::sandbox
