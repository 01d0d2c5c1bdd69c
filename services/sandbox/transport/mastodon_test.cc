#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

class MastodonTest : public ::testing::Test {
 protected:
  MastodonTest() : account(sandbox.Account("mastodon")), user(account["remote_id"]), token(account["access_token"]) {}
  Answered Send(const std::string& method, const std::string& path, const Json& body = Json(),
                const std::string& key = "") {
    net::Headers headers = {{"Authorization", "Bearer " + token}};
    if (!body.is_null()) headers["Content-Type"] = "application/json";
    if (!key.empty()) headers["Idempotency-Key"] = key;
    return sandbox.Send(method, path.rfind("http", 0) == 0 ? path : "/mastodon/api/" + path,
                        body.is_null() ? "" : body.dump(), headers);
  }
  std::string Toot(const std::string& text) {
    const Answered answer = Send("POST", "v1/statuses", {{"status", text}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json["id"];
  }
  Json Comment(const std::string& parent, const std::string& text) {
    return sandbox.Control("POST", "/comments", {{"network", "mastodon"}, {"parent", parent}, {"text", text}});
  }
  Answered Upload(const std::string& type, const std::string& bytes) {
    const std::string body =
        "--x\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\nune image\r\n--x\r\n"
        "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: " +
        type + "\r\n\r\n" + bytes + "\r\n--x--\r\n";
    return sandbox.Send("POST", "/mastodon/api/v2/media", body,
                        {{"Authorization", "Bearer " + token}, {"Content-Type", "multipart/form-data; boundary=x"}});
  }
  std::vector<std::string> Kinds() {
    std::vector<std::string> out;
    for (const Json& line : sandbox.JournalLines()) out.push_back(line["kind"]);
    return out;
  }
  static std::string Next(const Answered& page) {
    const auto link = page.headers.find("link");
    if (link == page.headers.end()) return "";
    const size_t end = link->second.find(">; rel=\"next\"");
    return end == std::string::npos ? "" : link->second.substr(1, end - 1);
  }
  TestSandbox sandbox;
  Json account;
  std::string user, token;
};

TEST_F(MastodonTest, TellsWhoAndWhatTheInstanceAllows) {
  EXPECT_EQ(Send("GET", "v1/accounts/verify_credentials").json["id"], user);
  EXPECT_EQ(Send("GET", "v2/instance").json["configuration"]["statuses"]["max_characters"], 500);
  sandbox.Control("POST", "/accounts/mastodon/" + user + "/token", {{"state", "revoked"}});
  EXPECT_EQ(Send("GET", "v1/accounts/verify_credentials").status, 401);
  token = "none";
  EXPECT_EQ(Send("GET", "v1/accounts/verify_credentials").json["error"], "The access token is invalid");
}

TEST_F(MastodonTest, TheSameKeyIsTheSameStatus) {
  sandbox.Control("POST", "/faults",
                  {{"kind", "accept_then_reset"}, {"network", "mastodon"}, {"operation", "post"}, {"count", 1}});
  EXPECT_EQ(Send("POST", "v1/statuses", {{"status", "un"}}, "k1").status, 0);
  const Answered again = Send("POST", "v1/statuses", {{"status", "un"}}, "k1");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.json["content"], "<p>un</p>");
  EXPECT_NE(Send("POST", "v1/statuses", {{"status", "un"}}, "k2").json["id"], again.json["id"]);
  EXPECT_EQ(sandbox.JournalLines().size(), 2u);
}

TEST_F(MastodonTest, CountsAsTheNetworkDoes) {
  const std::string link = "https://example.com/" + std::string(300, 'a');
  EXPECT_EQ(Send("POST", "v1/statuses", {{"status", link + " " + std::string(476, 'x')}}).status, 200);
  const Answered refused = Send("POST", "v1/statuses", {{"status", link + " " + std::string(477, 'x')}});
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.json["error"], "Validation failed: Text character limit of 500 exceeded");
  EXPECT_EQ(Send("POST", "v1/statuses", {{"status", ""}}).status, 422);
  EXPECT_EQ(Send("POST", "v1/statuses", {{"status", "a"}, {"in_reply_to_id", "1"}}).status, 404);
  EXPECT_EQ(Send("POST", "v1/statuses", {{"status", "a"}, {"visibility", "x"}}).status, 422);
  sandbox.Control("POST", "/faults", {{"kind", "localise"}, {"network", "mastodon"}, {"count", 1}});
  EXPECT_EQ(Send("POST", "v1/statuses", {{"status", ""}}).json["error"].get<std::string>().rfind("Une erreur", 0), 0u);
}

TEST_F(MastodonTest, MediaTakeTheirTime) {
  const Answered image = Upload("image/png", "png");
  ASSERT_EQ(image.status, 200) << image.body;
  EXPECT_EQ(image.json["description"], "une image");
  const Answered video = Upload("video/mp4", "mp4");
  ASSERT_EQ(video.status, 202);
  EXPECT_TRUE(video.json["url"].is_null());
  const std::string id = video.json["id"];
  EXPECT_EQ(Send("POST", "v1/statuses", {{"status", "v"}, {"media_ids", {id}}}).status, 422);
  EXPECT_EQ(Send("GET", "v1/media/" + id).status, 206);
  EXPECT_EQ(Send("GET", "v1/media/" + id).status, 200);
  const Answered made = Send("POST", "v1/statuses", {{"status", "v"}, {"media_ids", {id}}});
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.json["media_attachments"][0]["id"], id);
  EXPECT_EQ(Send("POST", "v1/statuses", {{"status", "w"}, {"media_ids", {id}}}).status, 422);  // attached already
  EXPECT_EQ(Upload("image/png", "broken").status, 422);
  EXPECT_EQ(Send("GET", "v1/media/" + Upload("video/mp4", "broken").json["id"].get<std::string>()).status, 422);
  EXPECT_EQ(Upload("text/html", "x").status, 422);
  EXPECT_EQ(Kinds(), (std::vector<std::string>{"media", "media", "post", "media"}));
}

TEST_F(MastodonTest, PollsFromJsonAndFromForms) {
  const Json poll = {{"options", {"oui", "non"}}, {"expires_in", 3600}};
  EXPECT_EQ(Send("POST", "v1/statuses", {{"status", "?"}, {"poll", poll}}).json["poll"]["options"][1]["title"], "non");
  const Answered form = sandbox.Send(
      "POST", "/mastodon/api/v1/statuses", "status=q&poll[options][]=a&poll[options][]=b&poll[expires_in]=300",
      {{"Authorization", "Bearer " + token}, {"Content-Type", "application/x-www-form-urlencoded"}});
  EXPECT_EQ(form.json["poll"]["options"].size(), 2u) << form.body;
  for (const Json& wrong :
       {Json{{"options", {"a"}}, {"expires_in", 300}}, Json{{"options", {"a", "b"}}, {"expires_in", 5}},
        Json{{"options", {"a", "a"}}, {"expires_in", 300}}, Json{{"options", 3}}}) {
    EXPECT_EQ(Send("POST", "v1/statuses", {{"status", "?"}, {"poll", wrong}}).status, 422) << wrong;
  }
}

TEST_F(MastodonTest, ContextEditAndDelete) {
  const std::string root = Toot("racine"), a = Comment(root, "a")["remote_id"], b = Comment(root, "b")["remote_id"];
  const Answered reply = Send("POST", "v1/statuses", {{"status", "merci"}, {"in_reply_to_id", a}});
  const std::string id = reply.json["id"];
  const Json below = Send("GET", "v1/statuses/" + root + "/context").json["descendants"];
  ASSERT_EQ(below.size(), 3u);
  EXPECT_EQ(below[0]["id"], a);
  EXPECT_EQ(below[1]["id"], id);
  EXPECT_EQ(below[2]["id"], b);
  EXPECT_EQ(Send("GET", "v1/statuses/" + id + "/context").json["ancestors"][0]["id"], root);
  EXPECT_EQ(Send("PUT", "v1/statuses/" + id, {{"status", "merci !"}}).json["content"], "<p>merci !</p>");
  EXPECT_EQ(Send("DELETE", "v1/statuses/" + a).status, 404);  // not ours
  EXPECT_EQ(Send("DELETE", "v1/statuses/" + id).json["text"], "merci !");
  EXPECT_EQ(Send("GET", "v1/statuses/" + id).json["error"], "Record not found");
  EXPECT_EQ(Send("GET", "v1/statuses?id[]=" + root + "&id[]=" + id + "&id[]=" + b).json.size(), 2u);
  EXPECT_EQ(Send("GET", "v1/accounts/" + user + "/statuses?exclude_replies=true").json.size(), 1u);
  EXPECT_EQ(Kinds(), (std::vector<std::string>{"post", "comment", "comment", "reply", "edit", "delete"}));
}

TEST_F(MastodonTest, NotificationsPageByLinks) {
  const std::string root = Toot("racine");
  std::vector<std::string> made, seen;
  for (int i = 0; i < 7; ++i) made.push_back(Comment(root, "n" + std::to_string(i))["remote_id"]);
  sandbox.Control("POST", "/faults", {{"kind", "empty_page"}, {"network", "mastodon"}, {"count", 1}});
  std::string url = "v1/notifications?types[]=mention&limit=3", newest;
  int pages = 0;
  for (; !url.empty() && pages < 10; ++pages) {
    const Answered page = Send("GET", url);
    ASSERT_EQ(page.status, 200) << page.body;
    for (const Json& told : page.json) {
      if (newest.empty()) newest = told["id"];
      seen.insert(seen.begin(), told["status"]["id"].get<std::string>());
    }
    url = Next(page);
  }
  EXPECT_EQ(seen, made);
  EXPECT_EQ(pages, 4);
  Comment(root, "neuf");
  EXPECT_EQ(Send("GET", "v1/notifications?min_id=" + newest).json[0]["status"]["content"], "<p>neuf</p>");
  EXPECT_EQ(Send("GET", "v1/notifications?since_id=" + newest).json.size(), 1u);
  EXPECT_EQ(Send("GET", "v1/notifications?types[]=follow").json.size(), 0u);
}

TEST_F(MastodonTest, DeedsOnPeople) {
  const std::string root = Toot("racine");
  const Json comment = Comment(root, "bof");
  const std::string person = "7200000000000001", id = comment["remote_id"];
  EXPECT_EQ(Send("POST", "v1/accounts/" + person + "/block").json["blocking"], true);
  EXPECT_EQ(Send("POST", "v1/accounts/" + person + "/block").json["blocking"], true);
  EXPECT_EQ(Send("GET", "v1/notifications").json.size(), 0u);
  EXPECT_EQ(Send("POST", "v1/accounts/" + person + "/unblock").json["blocking"], false);
  EXPECT_EQ(Send("POST", "v1/accounts/" + person + "/mute").json["muting"], true);
  EXPECT_EQ(Send("POST", "v1/accounts/" + person + "/unmute").json["muting"], false);
  EXPECT_EQ(Send("POST", "v1/reports", {{"account_id", person}, {"status_ids", {id}}, {"category", "spam"}}).status,
            200);
  EXPECT_EQ(Send("POST", "v1/reports", {{"account_id", person}, {"status_ids", {root}}}).status, 404);
  EXPECT_EQ(Kinds(), (std::vector<std::string>{"post", "comment", "ban", "unban", "mute", "unmute", "report"}));
}

TEST_F(MastodonTest, TheAudienceShowsInContextAndNotifications) {
  const std::string root = Toot("racine");
  const Json plan = {{"posts", {{{"network", "mastodon"}, {"id", root}}}},
                     {"count", 100},
                     {"edit_ratio", 0.2},
                     {"removal_ratio", 0.1}};
  const Json id = sandbox.Control("POST", "/audiences", plan)["id"];
  ASSERT_TRUE(sandbox.WaitFor([&] { return sandbox.Control("GET", "/audiences/" + id.dump())["state"] == "done"; }));
  const Json status = sandbox.Control("GET", "/audiences/" + id.dump());
  EXPECT_GT(status["edits"].get<int>(), 0);
  const size_t there = 100 - status["removals"].get<size_t>();
  size_t told = 0;
  for (std::string url = "v1/notifications?limit=80"; !url.empty();) {
    const Answered page = Send("GET", url);
    ASSERT_EQ(page.status, 200) << page.body;
    told += page.json.size();
    url = Next(page);
  }
  EXPECT_EQ(told, there);
  const Json below = Send("GET", "v1/statuses/" + root + "/context").json["descendants"];
  EXPECT_LE(below.size(), there);  // what answers something removed hangs nowhere
  size_t edited = 0;
  for (const Json& one : below) edited += one["edited_at"].is_null() ? 0 : 1;
  EXPECT_GT(edited, 0u);
}

TEST_F(MastodonTest, MalformedBodiesAreRefused) {
  for (const char* name : {"status", "media_ids", "poll", "in_reply_to_id"}) {
    for (const Json& wrong : {Json(3), Json({1, 2}), Json({{"a", 1}}), Json("x"), Json({{"options", {1, 2}}})}) {
      const int status = Send("POST", "v1/statuses", {{"language", "fr"}, {name, wrong}}).status;
      EXPECT_TRUE(status == 422 || status == 404 || status == 200) << name << " " << wrong << " " << status;
    }
  }
  EXPECT_EQ(Send("GET", "v1/notifications?max_id=x").status, 404);
  EXPECT_EQ(Send("GET", "v1/statuses/1/nothing").status, 404);
}

TEST_F(MastodonTest, LimitsTellAnIsoTime) {
  sandbox.Control("POST", "/limits",
                  {{"network", "mastodon"}, {"endpoint", "delete"}, {"limit", 1}, {"window_seconds", 60}});
  const std::string a = Toot("a"), b = Toot("b");
  EXPECT_EQ(Send("DELETE", "v1/statuses/" + a).status, 200);
  const Answered refused = Send("DELETE", "v1/statuses/" + b);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.find("x-ratelimit-remaining")->second, "0");
  absl::Time reset;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, refused.headers.find("x-ratelimit-reset")->second, &reset, &error));
  EXPECT_GT(reset, sandbox.clock.WallNow());
}

}  // namespace
}  // namespace parvis::sandbox
