#include <absl/strings/escaping.h>

#include "sandbox/transport/ghost_filter.h"
#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

std::string Base64Url(const std::string& text) {
  std::string out = absl::WebSafeBase64Escape(text);
  while (!out.empty() && out.back() == '=') out.pop_back();
  return out;
}

class GhostTest : public ::testing::Test {
 protected:
  GhostTest()
      : account(sandbox.Account("ghost")),
        key(account["admin_key"].get<std::string>()),
        member(account["member_id"].get<std::string>()) {
    SignIn();
  }
  void SignIn(Json claims = Json::object(), const std::string& other_key = "") {
    const std::string used = other_key.empty() ? key : other_key;
    const int64_t now = absl::ToUnixSeconds(sandbox.clock.WallNow());
    Json all = {{"iat", now}, {"exp", now + 300}, {"aud", "/admin/"}};
    all.update(claims);
    const std::string message =
        Base64Url(Json{{"alg", "HS256"}, {"typ", "JWT"}, {"kid", used.substr(0, used.find(':'))}}.dump()) + "." +
        Base64Url(all.dump());
    const std::string hex = HmacHex(Secret(absl::HexStringToBytes(used.substr(used.find(':') + 1))), message);
    authorization = "Ghost " + message + "." + Base64Url(absl::HexStringToBytes(hex));
  }
  Answered Send(const std::string& method, const std::string& path, const Json& body = Json()) {
    net::Headers headers;
    if (!authorization.empty()) headers["Authorization"] = authorization;
    if (!body.is_null()) headers["Content-Type"] = "application/json";
    return sandbox.Send(method, account["base_url"].get<std::string>() + "/ghost/api/admin/" + path,
                        body.is_null() ? "" : body.dump(), headers);
  }
  Json NewPost(const Json& more = Json::object()) {
    Json post = {{"title", "A lamp"}, {"html", "<p>It <!-- secretly --> shines</p>"}, {"status", "published"}};
    post.update(more);
    const Answered answer = Send("POST", "posts/?source=html&formats=html", {{"posts", {post}}});
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.json["posts"][0];
  }
  std::string Visitor(const std::string& parent, const std::string& text) {
    return sandbox.Control(
        "POST", "/comments",
        {{"network", "ghost"}, {"parent", parent}, {"text", text}, {"author_id", "5000001"}})["remote_id"];
  }
  static std::string CodeOf(const Answered& answer) {
    const Json code = answer.json["errors"][0]["code"];
    return code.is_string() ? code.get<std::string>() : answer.json["errors"][0]["type"].get<std::string>();
  }
  TestSandbox sandbox;
  Json account;
  std::string key, member, authorization;
};

TEST_F(GhostTest, TakesTokensOfTheKeyForFiveMinutes) {
  EXPECT_EQ(Send("GET", "posts/").status, 200);
  EXPECT_EQ(Send("GET", "posts").status, 301);
  EXPECT_EQ(Send("GET", "stats/mrr/").status, 403);
  EXPECT_EQ(Send("DELETE", "comments/0123456789abcdef01234567/").status, 403);
  const int64_t now = absl::ToUnixSeconds(sandbox.clock.WallNow());
  SignIn({{"aud", "/v3/admin/"}});
  EXPECT_EQ(CodeOf(Send("GET", "posts/")), "INVALID_JWT");
  SignIn({{"iat", now - 301}});
  EXPECT_EQ(Send("GET", "posts/").json["errors"][0]["message"], "Invalid token: maxAge exceeded");
  SignIn({{"exp", now - 1}});
  EXPECT_EQ(Send("GET", "posts/").json["errors"][0]["message"], "Invalid token: jwt expired");
  SignIn(Json::object(), key.substr(0, 25) + std::string(64, 'a'));
  EXPECT_EQ(Send("GET", "posts/").json["errors"][0]["message"], "Invalid token: invalid signature");
  SignIn(Json::object(), "0123456789abcdef01234567:aa");
  EXPECT_EQ(CodeOf(Send("GET", "posts/")), "UNKNOWN_ADMIN_API_KEY");
  authorization = "Bearer x";
  EXPECT_EQ(CodeOf(Send("GET", "posts/")), "INVALID_AUTH_HEADER");
  authorization = "Ghost x";
  EXPECT_EQ(Send("GET", "posts/").status, 400);
  authorization.clear();
  EXPECT_EQ(Send("GET", "posts/").status, 403);
  EXPECT_EQ(Send("GET", "site/").json["site"]["title"], "Maison Lumen");
}

TEST_F(GhostTest, PublishesAndRemovesPosts) {
  const Json post = NewPost({{"codeinjection_foot", "<!-- key -->"}, {"tags", {{{"name", "News"}}}}, {"nonsense", 1}});
  EXPECT_EQ(post["html"], "<p>It  shines</p>");
  EXPECT_EQ(post["codeinjection_foot"], "<!-- key -->");
  EXPECT_EQ(post["tags"][0]["name"], "News");
  EXPECT_EQ(post["created_at"].get<std::string>().substr(19), ".000Z");
  EXPECT_EQ(Send("POST", "posts/", {{"posts", {{{"html", "x"}}}}}).status, 422);
  EXPECT_EQ(Send("POST", "posts/", {{"posts", {{{"title", std::string(256, 'x')}}}}}).status, 422);
  const Json list = Send("GET", "posts/?limit=1&filter=" +
                                    net::UrlEncode("status:[published,sent]+created_at:>='2020-01-01 00:00:00'"))
                        .json;
  EXPECT_EQ(list["posts"].size(), 1u);
  EXPECT_EQ(list["meta"]["pagination"]["total"], 1);
  EXPECT_EQ(Send("GET", "posts/?filter=" + net::UrlEncode("status:(")).status, 400);
  const std::string path = "posts/" + post["id"].get<std::string>() + "/";
  EXPECT_EQ(Send("DELETE", path).status, 204);
  EXPECT_EQ(Send("DELETE", path).status, 404);
  EXPECT_EQ(Send("GET", "posts/12/").status, 422);
}

TEST_F(GhostTest, SendsANewsletterWhenADraftIsPublishedByWhoKnowsIt) {
  const Json draft = NewPost({{"status", "draft"}, {"email_only", true}});
  const std::string path = "posts/" + draft["id"].get<std::string>() + "/";
  const auto publish = [&](const std::string& updated_at, const std::string& newsletter) {
    return Send("PUT", path + "?newsletter=" + newsletter,
                {{"posts", {{{"status", "published"}, {"updated_at", updated_at}}}}});
  };
  EXPECT_EQ(CodeOf(publish("2020-01-01T00:00:00.000Z", "default-newsletter")), "UPDATE_COLLISION");
  EXPECT_EQ(CodeOf(publish(draft["updated_at"], "weekly")), "EmailError");
  EXPECT_EQ(Send("GET", path).json["posts"][0]["status"], "draft");
  EXPECT_EQ(Send("PUT", path, {{"posts", {{{"status", "published"}}}}}).status, 422);
  const Json sent = publish(draft["updated_at"], "default-newsletter").json["posts"][0];
  EXPECT_EQ(sent["status"], "sent");
  EXPECT_EQ(sent["email"]["status"], "submitted");
}

TEST_F(GhostTest, CommentsHangOnTwoLevels) {
  const std::string post = NewPost()["id"], first = Visitor(post, "Is it <bright>?"),
                    second = Visitor(first, "I ask, too");
  const auto reply = [&](Json more) {
    Json comment = {{"member_id", member}, {"html", "<p>Yes <b>it</b> is</p><script>1</script>"}};
    comment.update(more);
    return Send("POST", "comments/", {{"comments", {comment}}});
  };
  EXPECT_EQ(reply({{"parent_id", second}}).status, 400);
  EXPECT_EQ(reply(Json::object()).status, 422);
  EXPECT_EQ(reply({{"parent_id", first}, {"member_id", "0123456789abcdef01234567"}}).status, 404);
  const Json ours = reply({{"parent_id", first}, {"in_reply_to_id", second}}).json["comments"][0];
  EXPECT_EQ(ours["html"], "<p>Yes it is</p>1");
  EXPECT_EQ(ours["in_reply_to_id"], second);
  EXPECT_EQ(ours["member"]["id"], member);
  Json list = Send("GET", "comments/?limit=2&order=created_at%20asc").json;
  EXPECT_EQ(list["comments"][0]["html"], "<p>Is it &lt;bright&gt;?</p>");
  EXPECT_EQ(list["comments"][0]["post"]["id"], post);
  EXPECT_EQ(list["meta"]["pagination"]["next"], 2);
  EXPECT_EQ(Send("GET", "comments/?include_nested=false").json["comments"].size(), 1u);
  const auto status = [&](const std::string& to) {
    return Send("PUT", "comments/" + first + "/", {{"comments", {{{"status", to}}}}}).status;
  };
  EXPECT_EQ(status("hidden"), 200);
  EXPECT_EQ(Send("GET", "comments/" + first + "/").json["comments"][0]["status"], "hidden");
  EXPECT_EQ(status("published"), 200);
  EXPECT_EQ(status("spam"), 422);
  EXPECT_EQ(status("deleted"), 200);
  EXPECT_EQ(Send("GET", "comments/" + first + "/").json["comments"][0]["status"], "deleted");
  EXPECT_EQ(Send("GET", "comments/" + first + "/").json["comments"][0]["html"], Json());
  EXPECT_EQ(Send("GET", "comments/?filter=nothing:1").status, 400);
  std::string kinds;
  for (const Json& line : sandbox.JournalLines()) kinds += line["kind"].get<std::string>() + " ";
  EXPECT_EQ(kinds, "post comment comment reply hide unhide delete ");
}

TEST_F(GhostTest, MembersLoseAndRegainTheRightToComment) {
  const std::string comment = Visitor(NewPost()["id"], "Buy gold");
  const std::string author = Send("GET", "comments/" + comment + "/").json["comments"][0]["member"]["id"];
  EXPECT_EQ(author.size(), 24u);
  EXPECT_EQ(Send("POST", "members/" + author + "/commenting/disable/", {{"reason", "spam"}})
                .json["members"][0]["can_comment"],
            false);
  EXPECT_EQ(Send("GET", "members/" + author + "/").json["members"][0]["can_comment"], false);
  EXPECT_EQ(Send("POST", "members/" + author + "/commenting/enable/", Json::object()).json["members"][0]["can_comment"],
            true);
  EXPECT_EQ(Send("GET", "members/?limit=1").json["meta"]["pagination"]["total"], 2);
  EXPECT_EQ(Send("POST", "members/0123456789abcdef01234567/commenting/disable/", Json::object()).status, 404);
}

TEST_F(GhostTest, WebhooksTellOfPostsAndSignWithTheirTime) {
  Receiver receiver(sandbox.metrics, "hook-secret");
  sandbox.Control("POST", "/webhooks", {{"network", "ghost"}, {"url", receiver.url()}, {"secret", "hook-secret"}});
  const std::string post = NewPost()["id"];
  Visitor(post, "Nobody is told of this");
  Send("DELETE", "posts/" + post + "/");
  ASSERT_TRUE(sandbox.WaitFor([&] { return receiver.taken().size() == 2; }));
  const auto taken = receiver.taken();
  const Json published = Json::parse(taken[0].body), deleted = Json::parse(taken[1].body);
  EXPECT_EQ(published["event"], "post.published");
  EXPECT_EQ(published["post"]["current"]["id"], post);
  EXPECT_EQ(deleted["event"], "post.deleted");
  EXPECT_EQ(deleted["post"]["current"], Json::object());
  EXPECT_EQ(deleted["post"]["previous"]["id"], post);
  const std::string header = taken[0].headers.at("X-Ghost-Signature");
  const size_t time = header.find(", t=");
  ASSERT_EQ(time, 71u) << header;
  EXPECT_EQ(header.substr(0, time),
            "sha256=" + HmacHex(Secret("hook-secret"), taken[0].body + header.substr(time + 4)));
}

TEST(GhostFilterTest, ServesTermsAndNothingElse) {
  const auto passes = [](const std::string& text) -> std::optional<bool> {
    const auto filter = ParseGhostFilter(text);
    if (!filter) return std::nullopt;
    return Passes(*filter, [](const std::string& key) -> std::optional<std::string> {
      if (key == "id") return "a1";
      if (key == "created_at") return "2026-11-23 10:00:00";
      if (key == "parent_id") return "";
      return std::nullopt;
    });
  };
  EXPECT_EQ(passes(""), true);
  EXPECT_EQ(passes("id:a1+created_at:>'2026-11-23 09:59:59'"), true);
  EXPECT_EQ(passes("created_at:>'2026-11-23T10:00:00.000Z'"), false);
  EXPECT_EQ(passes("created_at:<='2026-11-23T10:00:00.000Z'"), true);
  EXPECT_EQ(passes("id:-[a2,'a\\'3']"), true);
  EXPECT_EQ(passes("id:['a1',b]+parent_id:null"), true);
  EXPECT_EQ(passes("nothing:1"), false);
  for (const char* wrong : {"id", "id:", "id:a1+", "id:[a1", "id:'a1", "id:a1,id:a2", "(id:a1)", "id:>[a1]"})
    EXPECT_FALSE(passes(wrong)) << wrong;
}

}  // namespace
}  // namespace parvis::sandbox
