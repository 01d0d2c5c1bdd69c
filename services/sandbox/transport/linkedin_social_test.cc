// LinkedIn: comments, figures, limits and webhooks.
#include <set>

#include "sandbox/transport/test_linkedin.h"

namespace parvis::sandbox {
namespace {

class LinkedinSocialTest : public LinkedinFixture {
 protected:
  Answered Comment(const std::string& on, const Json& more, const std::string& text) {
    Json body = {{"actor", page}, {"message", {{"text", text}}}};
    body.update(more);
    return Call("POST", "socialActions/" + Enc(on) + "/comments", body);
  }
};

TEST_F(LinkedinSocialTest, CommentsAreNamedByTheActivity) {
  const std::string post = NewPost("Un");
  const std::string comment = CommentBy(post, "Combien ?");
  EXPECT_TRUE(comment.starts_with("urn:li:comment:(urn:li:activity:71"));
  const Json list = Call("GET", "socialActions/" + Enc(post) + "/comments?start=0&count=10").json;
  ASSERT_EQ(list["elements"].size(), 1u) << list;
  const Json& element = list["elements"][0];
  EXPECT_EQ(element["commentUrn"], comment);
  const std::string activity = element["object"], id = element["id"];
  EXPECT_NE(activity, post);
  EXPECT_TRUE(element["actor"].get<std::string>().starts_with("urn:li:person:"));
  // The post's, the activity's and the comment's URN lead to the same.
  for (const std::string& urn : {post, activity}) {
    EXPECT_EQ(Call("GET", "socialActions/" + Enc(urn) + "/comments/" + id).json["message"]["text"], "Combien ?");
  }
  const Answered reply = Comment(comment, {{"object", activity}, {"parentComment", comment}}, "Dix euros.");
  ASSERT_EQ(reply.status, 201) << reply.body;
  EXPECT_EQ(reply.json["parentComment"], comment);
  EXPECT_EQ(reply.headers.at("x-restli-id"), reply.json["id"]);
  EXPECT_TRUE(reply.json.contains("$URN"));
  EXPECT_EQ(Call("GET", "socialActions/" + Enc(comment) + "/comments").json["elements"][0]["id"], reply.json["id"]);
  EXPECT_EQ(Call("GET", "socialActions/" + Enc(post) + "/comments").json["paging"]["total"], 1);
  EXPECT_EQ(JournalKinds(), (std::vector<std::string>{"post", "comment", "reply"}));
}

TEST_F(LinkedinSocialTest, OwnCommentsAreEditedAndCommentsDeleted) {
  const std::string post = NewPost("Un"), comment = CommentBy(post, "hm");
  const Json reply = Comment(post, {{"object", post}}, "Merci").json;
  const std::string base = "socialActions/" + Enc(post) + "/comments/", id = reply["id"], actor = "?actor=" + Enc(page);
  const Json patch = {{"message", {{"$set", {{"text", "Merci !"}}}}}};
  EXPECT_EQ(Patch(base + id + actor, patch).status, 204);
  EXPECT_EQ(Patch(base + id, patch).status, 403);
  EXPECT_EQ(Call("GET", base + id).json["message"]["text"], "Merci !");
  EXPECT_EQ(Patch(base + Enc(comment) + actor, patch).status, 403);
  EXPECT_EQ(Call("DELETE", base + id + actor).status, 204);
  EXPECT_EQ(Call("DELETE", base + id + actor).status, 404);
  EXPECT_EQ(Call("GET", base + id).status, 404);
  EXPECT_EQ(JournalKinds(), (std::vector<std::string>{"post", "comment", "reply", "edit", "delete"}));
}

TEST_F(LinkedinSocialTest, RefusesWrongComments) {
  const std::string post = NewPost("Un"), other = NewPost("Deux"), comment = CommentBy(post, "hm");
  EXPECT_EQ(Comment(post, Json::object(), "ohne Objekt").status, 422);
  EXPECT_EQ(Comment(post, {{"object", other}}, "x").status, 400);
  EXPECT_EQ(Comment(comment, {{"object", post}}, "without parentComment").status, 400);
  EXPECT_EQ(Comment(post, {{"object", post}, {"actor", "urn:li:organization:9"}}, "x").status, 403);
  EXPECT_EQ(Comment(post, {{"object", post}}, std::string(1251, 'a')).json["code"], "FIELD_LENGTH_TOO_LONG");
  EXPECT_EQ(Comment("urn:li:share:1", {{"object", "urn:li:share:1"}}, "x").status, 404);
  const std::string metadata = "socialMetadata/" + Enc(post) + "?actor=" + Enc(page);
  EXPECT_EQ(Patch(metadata, {{"$set", {{"commentsState", "CLOSED"}}}}).status, 204);
  EXPECT_EQ(Call("GET", "socialMetadata/" + Enc(post)).json["commentsState"], "CLOSED");
  EXPECT_EQ(Comment(post, {{"object", post}}, "zu spät").status, 403);
  EXPECT_EQ(Patch(metadata, {{"$set", {{"commentsState", "OPEN"}}}}).status, 204);
  EXPECT_EQ(Comment(post, {{"object", post}}, "doch").status, 201);
  EXPECT_EQ(Patch(metadata, Json::array({1})).status, 422);
}

TEST_F(LinkedinSocialTest, TellsFigures) {
  const std::string post = NewPost("Un"), other = NewPost("Deux"), comment = CommentBy(post, "hm");
  CommentBy(comment, "hm hm");
  const std::string base =
      "organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity=" + Enc(page);
  EXPECT_EQ(Call("GET", base).json["elements"][0]["totalShareStatistics"]["commentCount"], 2);
  const Json each = Call("GET", base + "&shares=List(" + Enc(post) + "," + Enc(other) + ")").json["elements"];
  ASSERT_EQ(each.size(), 2u);
  EXPECT_EQ(each[0]["share"], post);
  EXPECT_EQ(each[0]["totalShareStatistics"]["commentCount"], 2);
  EXPECT_EQ(each[1]["totalShareStatistics"]["commentCount"], 0);
  EXPECT_EQ(Call("GET", base + "&shares=" + Enc(post)).status, 400);  // no list
  EXPECT_EQ(Call("GET", "socialMetadata/" + Enc(post)).json["commentSummary"],
            (Json{{"count", 2}, {"topLevelCount", 1}}));
  EXPECT_EQ(Call("GET", "socialActions/" + Enc(post)).json["commentsSummary"]["aggregatedTotalComments"], 2);
  const std::string size = "networkSizes/" + Enc(page);
  EXPECT_EQ(Call("GET", size).status, 400);
  EXPECT_GT(Call("GET", size + "?edgeType=COMPANY_FOLLOWED_BY_MEMBER").json["firstDegreeSize"], 0);
}

TEST_F(LinkedinSocialTest, LimitsForbidsAndLosesAnswers) {
  sandbox.Control("POST", "/limits",
                  {{"network", "linkedin"}, {"endpoint", "posts"}, {"limit", 1}, {"window_seconds", 600}});
  const std::string post = NewPost("Un");
  const Answered limited = Call("GET", "posts/" + Enc(post));
  EXPECT_EQ(limited.status, 429);
  EXPECT_FALSE(limited.headers.contains("Retry-After"));
  sandbox.Control("POST", "/limits", {{"network", "linkedin"}, {"enabled", false}});
  sandbox.Control("POST", "/faults",
                  {{"kind", "forbid"}, {"network", "linkedin"}, {"operation", "reply"}, {"count", 1}});
  EXPECT_EQ(Comment(post, {{"object", post}}, "non").status, 403);
  sandbox.Control("POST", "/faults", {{"kind", "accept_then_reset"}, {"operation", "reply"}, {"count", 1}});
  EXPECT_EQ(Comment(post, {{"object", post}}, "oui").status, 0);
  EXPECT_EQ(sandbox.JournalLines().back()["answered"], "reset");
  EXPECT_EQ(Call("GET", "socialActions/" + Enc(post) + "/comments").json["elements"].size(), 1u);
}

TEST_F(LinkedinSocialTest, WebhooksAreChallengedSignedAndAtMostTen) {
  constexpr char kSecret[] = "client-secret";
  Receiver receiver(sandbox.metrics, kSecret);
  const std::string post = NewPost("Un");
  sandbox.Control("POST", "/webhooks", {{"network", "linkedin"}, {"url", receiver.url()}, {"secret", kSecret}});
  const int64_t id = sandbox.Control("POST", "/audiences",
                                     {{"posts", {{{"network", "linkedin"}, {"id", post}}}},
                                      {"count", 300},
                                      {"mention_share", 0.1},
                                      {"edit_ratio", 0.1},
                                      {"removal_ratio", 0.1}})["id"];
  ASSERT_TRUE(sandbox.WaitFor([&] { return sandbox.audiences.Get(id)->state == "done"; }, absl::Seconds(60)));
  ASSERT_EQ(Comment(post, {{"object", post}}, "Merci à tous").status, 201);
  ASSERT_TRUE(sandbox.WaitFor(
      [&] {
        const WebhookStats stats = sandbox.webhooks.Stats()[0];
        return stats.verified && stats.pending == 0;
      },
      absl::Seconds(60)));
  std::set<std::string> actions;
  std::set<int64_t> ids;
  for (const net::HttpRequest& request : receiver.taken()) {
    EXPECT_EQ(request.headers.at("X-LI-Signature"), HmacHex(Secret(kSecret), "hmacsha256=" + request.body));
    const Json body = Json::parse(request.body);
    EXPECT_EQ(body["type"], "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS");
    EXPECT_LE(body["notifications"].size(), 10u);
    for (const Json& one : body["notifications"]) {
      EXPECT_EQ(one["organizationalEntity"], page);
      actions.insert(one["action"]);
      ids.insert(one["notificationId"].get<int64_t>());
      if (one["action"] != "COMMENT") continue;
      const Json& comment = one["decoratedGeneratedActivity"]["comment"];
      EXPECT_EQ(one["generatedActivity"], comment["entity"]);
      EXPECT_EQ(one["sourcePost"], comment["object"]);
    }
  }
  EXPECT_EQ(actions,
            (std::set<std::string>{"COMMENT", "ADMIN_COMMENT", "COMMENT_EDIT", "COMMENT_DELETE", "SHARE_MENTION"}));
  size_t told = 0;  // all but our post, and what becomes of mentions
  for (const Json& line : sandbox.JournalLines())
    told += line.contains("post") ? line["kind"] != "post" : line["kind"] == "mention";
  EXPECT_EQ(ids.size(), told);
}

}  // namespace
}  // namespace parvis::sandbox
