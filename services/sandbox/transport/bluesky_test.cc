#include <set>

#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

constexpr char kPosts[] = "app.bsky.feed.post";

class BlueskyTest : public ::testing::Test {
 protected:
  BlueskyTest() : account(sandbox.Account("bluesky")), did(account["remote_id"]), token(account["access_token"]) {}
  Answered Get(const std::string& call) {
    return sandbox.Send("GET", "/bluesky/xrpc/" + call, "", {{"Authorization", "Bearer " + token}});
  }
  Answered Post(const std::string& nsid, const Json& body) {
    return sandbox.Send("POST", "/bluesky/xrpc/" + nsid, body.dump(),
                        {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}});
  }
  Answered Create(const Json& record, const Json& more = Json::object()) {
    Json body = {{"repo", did}, {"collection", kPosts}, {"record", record}};
    body.update(more);
    return Post("com.atproto.repo.createRecord", body);
  }
  Answered Put(const std::string& collection, const std::string& rkey, const Json& record,
               const Json& more = Json::object()) {
    Json body = {{"repo", did}, {"collection", collection}, {"rkey", rkey}, {"record", record}};
    body.update(more);
    return Post("com.atproto.repo.putRecord", body);
  }
  static Json Text(const std::string& text) {
    return {{"$type", kPosts}, {"text", text}, {"createdAt", "2026-11-23T10:00:00.000Z"}};
  }
  Json Made(const std::string& text) {
    const Answered answer = Create(Text(text));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return {{"uri", answer.json["uri"]}, {"cid", answer.json["cid"]}};
  }
  std::string Comment(const std::string& parent, const std::string& text) {
    return sandbox.Control("POST", "/comments",
                           {{"network", "bluesky"}, {"parent", parent}, {"text", text}})["remote_id"];
  }
  Json RefOf(const std::string& uri) {
    const Json post = Get("app.bsky.feed.getPosts?uris=" + uri).json["posts"][0];
    return {{"uri", post["uri"]}, {"cid", post["cid"]}};
  }
  std::vector<std::string> Kinds() {
    std::vector<std::string> out;
    for (const Json& line : sandbox.JournalLines()) out.push_back(line["kind"]);
    return out;
  }
  static std::string Rkey(const std::string& uri) { return uri.substr(uri.rfind('/') + 1); }
  TestSandbox sandbox;
  Json account;
  std::string did, token;
};

TEST_F(BlueskyTest, SessionsExpireWith400AndBothTokensRotate) {
  EXPECT_EQ(Get("com.atproto.server.getSession").json["did"], did);
  const Json credentials = {{"identifier", did}, {"password", account["app_password"]}};
  const Answered session = Post("com.atproto.server.createSession", credentials);
  ASSERT_EQ(session.status, 200) << session.body;
  sandbox.Control("POST", "/accounts/bluesky/" + did + "/token", {{"state", "expired"}});
  const Answered expired = Get("com.atproto.server.getSession");
  EXPECT_EQ(expired.status, 400);
  EXPECT_EQ(expired.json["error"], "ExpiredToken");
  const std::string refresh = session.json["refreshJwt"];
  token = refresh;
  EXPECT_EQ(Get("com.atproto.server.getSession").json["error"], "InvalidToken");
  const Answered renewed = Post("com.atproto.server.refreshSession", Json());
  ASSERT_EQ(renewed.status, 200) << renewed.body;
  EXPECT_NE(renewed.json["refreshJwt"], refresh);
  EXPECT_EQ(Post("com.atproto.server.refreshSession", Json()).json["error"], "ExpiredToken");
  token = renewed.json["accessJwt"];
  EXPECT_EQ(Get("com.atproto.server.getSession").status, 200);
  EXPECT_EQ(Post("com.atproto.server.createSession", {{"identifier", did}, {"password", "x"}}).status, 401);
  EXPECT_EQ(Get("com.atproto.identity.resolveHandle?handle=" + renewed.json["handle"].get<std::string>()).json["did"],
            did);
  EXPECT_EQ(Get("app.bsky.nothing").status, 501);
}

TEST_F(BlueskyTest, RecordsAreCheckedByTheirLexicon) {
  EXPECT_EQ(Create(Text(std::string(300, 'x'))).status, 200);
  EXPECT_EQ(Create(Text(std::string(301, 'x'))).json["error"], "InvalidRequest");
  std::string families;
  for (int i = 0; i < 300; ++i) families += "é";
  EXPECT_EQ(Create(Text(families)).status, 200);
  families.clear();
  for (int i = 0; i < 121; ++i) families += "👩‍👩‍👧‍👦";  // 121 graphemes, 3025 bytes
  EXPECT_NE(Create(Text(families)).json["message"].get<std::string>().find("3000"), std::string::npos);
  EXPECT_EQ(Create({{"text", "no time"}}).status, 400);
  Json facets = Text("é #x");
  facets["facets"] = {{{"index", {{"byteStart", 3}, {"byteEnd", 5}}},
                       {"features", {{{"$type", "app.bsky.richtext.facet#tag"}, {"tag", "x"}}}}}};
  EXPECT_EQ(Create(facets).status, 200);
  facets["facets"][0]["index"]["byteEnd"] = 6;
  EXPECT_EQ(Create(facets).status, 400);
  facets["facets"][0]["index"] = {{"byteStart", 1}, {"byteEnd", 5}};
  EXPECT_NE(Create(facets).json["message"].get<std::string>().find("cuts"), std::string::npos);
  EXPECT_EQ(Create(Text("other"), {{"repo", "did:plc:someoneelse"}}).status, 400);
  EXPECT_EQ(Create(Text("key"), {{"rkey", "not-a-tid"}}).status, 400);
  EXPECT_EQ(sandbox.JournalLines().size(), 3u);
}

TEST_F(BlueskyTest, TheWriterChoosesTheKeyAndMayWriteTheSameAgain) {
  const std::string rkey = "3l2zpuvkw5c2a";
  const Answered first = Put(kPosts, rkey, Text("un"), {{"swapRecord", nullptr}});
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.json["uri"], "at://" + did + "/app.bsky.feed.post/" + rkey);
  EXPECT_EQ(first.json["cid"].get<std::string>().rfind("bafyrei", 0), 0u);
  const Answered again = Put(kPosts, rkey, Text("un"));
  EXPECT_EQ(again.json["cid"], first.json["cid"]);
  EXPECT_FALSE(again.json.contains("commit"));
  EXPECT_EQ(Put(kPosts, rkey, Text("un"), {{"swapRecord", nullptr}}).json["error"], "InvalidSwap");
  EXPECT_EQ(Create(Text("un"), {{"rkey", rkey}}).json["error"], "InternalServerError");
  EXPECT_EQ(Kinds(), (std::vector<std::string>{"post"}));
  EXPECT_EQ(Put(kPosts, rkey, Text("deux"), {{"swapRecord", first.json["cid"]}}).status, 200);
  const std::string at = "repo=" + did + "&collection=app.bsky.feed.post";
  EXPECT_EQ(Get("com.atproto.repo.getRecord?" + at + "&rkey=" + rkey).json["value"]["text"], "deux");
  EXPECT_EQ(
      Get("app.bsky.feed.getPosts?uris=" + first.json["uri"].get<std::string>()).json["posts"][0]["record"]["text"],
      "un");
  const Json gone = {{"repo", did}, {"collection", kPosts}, {"rkey", rkey}};
  EXPECT_EQ(Post("com.atproto.repo.deleteRecord", gone).status, 200);
  EXPECT_EQ(Post("com.atproto.repo.deleteRecord", gone).status, 200);
  EXPECT_EQ(Get("com.atproto.repo.getRecord?" + at + "&rkey=" + rkey).json["error"], "RecordNotFound");
  EXPECT_EQ(Kinds(), (std::vector<std::string>{"post", "edit", "delete"}));
}

TEST_F(BlueskyTest, AnswersNeedBothReferencesAndShowInTheThread) {
  const Json root = Made("racine");
  const std::string comment = Comment(root["uri"], "bof");
  Json reply = Text("merci");
  reply["reply"] = {{"parent", RefOf(comment)}};
  EXPECT_EQ(Create(reply).status, 400);
  reply["reply"]["root"] = RefOf(comment);
  EXPECT_EQ(Create(reply).status, 400);  // not the root
  reply["reply"]["root"] = root;
  ASSERT_EQ(Create(reply).status, 200);
  const Json line = sandbox.JournalLines().back();
  EXPECT_EQ(line["kind"], "reply");
  EXPECT_EQ(line["thread"], root["uri"]);
  const Json thread = Get("app.bsky.feed.getPostThread?uri=" + root["uri"].get<std::string>()).json["thread"];
  EXPECT_EQ(thread["replies"][0]["post"]["uri"], comment);
  EXPECT_EQ(thread["replies"][0]["replies"][0]["post"]["record"]["text"], "merci");
  EXPECT_EQ(Get("app.bsky.feed.getPostThread?uri=" + comment).json["thread"]["parent"]["post"]["uri"], root["uri"]);
  EXPECT_EQ(Get("app.bsky.feed.getPostThread?uri=at://" + did + "/app.bsky.feed.post/3l2zpuvkw5c2b").json["error"],
            "NotFound");
  EXPECT_EQ(Get("app.bsky.feed.getAuthorFeed?actor=" + did).json["feed"].size(), 2u);
}

TEST_F(BlueskyTest, AThreadgateHidesAndLocks) {
  const Json root = Made("racine");
  const std::string gate = "app.bsky.feed.threadgate", rkey = Rkey(root["uri"]), a = Comment(root["uri"], "a"),
                    b = Comment(root["uri"], "b");
  Json record = {{"$type", gate}, {"post", root["uri"]}, {"createdAt", "2026-11-23T10:00:00Z"}, {"hiddenReplies", {a}}};
  const Answered first = Put(gate, rkey, record, {{"swapRecord", nullptr}});
  ASSERT_EQ(first.status, 200) << first.body;
  record["hiddenReplies"] = {b};
  EXPECT_EQ(Put(gate, rkey, record, {{"swapRecord", "bafyreiother"}}).json["error"], "InvalidSwap");
  EXPECT_EQ(Put(gate, rkey, record, {{"swapRecord", first.json["cid"]}}).status, 200);
  record["allow"] = Json::array();
  EXPECT_EQ(Put(gate, rkey, record).status, 200);
  EXPECT_EQ(
      Get("app.bsky.feed.getPosts?uris=" + root["uri"].get<std::string>()).json["posts"][0]["threadgate"]["record"],
      record);
  EXPECT_EQ(Put(gate, "3l2zpuvkw5c2a", record).status, 400);  // not the root's key
  EXPECT_EQ(Post("com.atproto.repo.deleteRecord", {{"repo", did}, {"collection", gate}, {"rkey", rkey}}).status, 200);
  EXPECT_EQ(Kinds(), (std::vector<std::string>{"post", "comment", "comment", "hide", "hide", "unhide", "lock", "unhide",
                                               "unlock"}));
}

TEST_F(BlueskyTest, BlocksMutesAndReportsPeople) {
  const std::string person = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", block = "app.bsky.graph.block";
  const Json record = {{"$type", block}, {"subject", person}, {"createdAt", "2026-11-23T10:00:00Z"}};
  ASSERT_EQ(Create(record, {{"collection", block}}).status, 200);
  const Answered second = Create(record, {{"collection", block}});
  const Json listed = Get("com.atproto.repo.listRecords?repo=" + did + "&collection=" + block).json;
  ASSERT_EQ(listed["records"].size(), 1u);
  EXPECT_EQ(listed["records"][0]["uri"], second.json["uri"]);
  const Json key = {{"repo", did}, {"collection", block}, {"rkey", Rkey(second.json["uri"])}};
  EXPECT_EQ(Post("com.atproto.repo.deleteRecord", key).status, 200);
  EXPECT_EQ(Post("app.bsky.graph.muteActor", {{"actor", person}}).status, 200);
  EXPECT_EQ(Post("app.bsky.graph.unmuteActor", {{"actor", person}}).status, 200);
  const Json subject = {{"$type", "com.atproto.admin.defs#repoRef"}, {"did", person}};
  const Json report = {{"reasonType", "com.atproto.moderation.defs#reasonSpam"}, {"subject", subject}};
  EXPECT_EQ(Post("com.atproto.moderation.createReport", report).json["reportedBy"], did);
  EXPECT_EQ(Post("com.atproto.moderation.createReport", {{"reasonType", "x"}, {"subject", subject}}).status, 400);
  EXPECT_EQ(Kinds(), (std::vector<std::string>{"ban", "unban", "mute", "unmute", "report"}));
}

TEST_F(BlueskyTest, NotificationsPageToAnEmptyEnd) {
  const Json root = Made("racine");
  std::vector<std::string> made, seen;
  for (int i = 0; i < 5; ++i) made.push_back(Comment(root["uri"], "n" + std::to_string(i)));
  sandbox.Control("POST", "/faults", {{"kind", "empty_page"}, {"network", "bluesky"}, {"count", 1}});
  std::string cursor;
  int pages = 0;
  do {
    const Answered page = Get("app.bsky.notification.listNotifications?limit=2&reasons=reply&reasons=mention" +
                              (cursor.empty() ? "" : "&cursor=" + cursor));
    ASSERT_EQ(page.status, 200) << page.body;
    for (const Json& told : page.json["notifications"]) seen.insert(seen.begin(), told["uri"].get<std::string>());
    cursor = page.json.value("cursor", "");
  } while (!cursor.empty() && ++pages < 10);
  EXPECT_EQ(seen, made);
  EXPECT_EQ(pages, 4);  // an empty one, three with something; then the end
  const Json one = Get("app.bsky.notification.listNotifications?limit=1").json["notifications"][0];
  EXPECT_EQ(one["reasonSubject"], root["uri"]);
  EXPECT_EQ(one["record"]["reply"]["root"], root);
  EXPECT_EQ(Get("app.bsky.notification.listNotifications?limit=101").status, 400);
}

TEST_F(BlueskyTest, BlobsAreNamedByTheirBytes) {
  const net::Headers headers = {{"Authorization", "Bearer " + token}, {"Content-Type", "image/png"}};
  const Answered up = sandbox.Send("POST", "/bluesky/xrpc/com.atproto.repo.uploadBlob", "\x89PNG", headers);
  ASSERT_EQ(up.status, 200) << up.body;
  EXPECT_EQ(sandbox.Send("POST", "/bluesky/xrpc/com.atproto.repo.uploadBlob", "\x89PNG", headers).json, up.json);
  Json post = Text("image");
  post["embed"] = {{"$type", "app.bsky.embed.images"},
                   {"images", {{{"image", up.json["blob"]}, {"alt", "une image"}}}}};
  EXPECT_EQ(Create(post).status, 200);
  post["embed"]["images"][0]["image"]["ref"]["$link"] = "bafkreinone";
  EXPECT_EQ(Create(post).json["error"], "BlobNotFound");
  post["embed"]["images"][0].erase("alt");
  EXPECT_EQ(Create(post).json["error"], "InvalidRequest");
  EXPECT_EQ(Kinds(), (std::vector<std::string>{"media", "post"}));
}

TEST_F(BlueskyTest, WritesCostPoints) {
  sandbox.Control("POST", "/limits",
                  {{"network", "bluesky"}, {"endpoint", "repo.write.hour"}, {"limit", 5}, {"window_seconds", 3600}});
  const Answered first = Create(Text("a"));
  EXPECT_EQ(first.headers.find("ratelimit-remaining")->second, "2");
  EXPECT_EQ(first.headers.find("ratelimit-policy")->second, "5;w=3600");
  const Answered second = Create(Text("b"));
  EXPECT_EQ(second.status, 429);
  EXPECT_EQ(second.json["error"], "RateLimitExceeded");
  EXPECT_GT(std::stoll(second.headers.find("ratelimit-reset")->second), absl::ToUnixSeconds(sandbox.clock.WallNow()));
  EXPECT_EQ(Get("com.atproto.server.getSession").status, 200);
  sandbox.Control("POST", "/faults", {{"kind", "limit"}, {"network", "bluesky"}, {"count", 1}});
  EXPECT_EQ(Get("com.atproto.server.getSession").status, 429);
  EXPECT_EQ(sandbox.JournalLines().size(), 1u);
}

TEST_F(BlueskyTest, TheAudienceShowsInNotificationsAndThread) {
  const Json root = Made("racine");
  const Json plan = {{"posts", {{{"network", "bluesky"}, {"id", root["uri"]}}}},
                     {"count", 120},
                     {"mention_share", 0.1},
                     {"removal_ratio", 0}};
  const Json id = sandbox.Control("POST", "/audiences", plan)["id"];
  ASSERT_TRUE(sandbox.WaitFor([&] { return sandbox.Control("GET", "/audiences/" + id.dump())["state"] == "done"; }));
  size_t replies = 0, mentions = 0;
  std::string cursor;
  do {
    const Json page =
        Get("app.bsky.notification.listNotifications?limit=50" + (cursor.empty() ? "" : "&cursor=" + cursor)).json;
    for (const Json& told : page["notifications"]) ++(told["reason"] == "mention" ? mentions : replies);
    cursor = page.value("cursor", "");
  } while (!cursor.empty());
  EXPECT_GT(mentions, 0u);
  EXPECT_GT(replies, 60u);
  EXPECT_LE(replies + mentions, 120u);  // those too deep below ours are not told
  const Json thread =
      Get("app.bsky.feed.getPostThread?depth=1000&uri=" + root["uri"].get<std::string>()).json["thread"];
  EXPECT_EQ(thread["post"]["replyCount"], thread["replies"].size());
  for (const Json& reply : thread["replies"]) EXPECT_EQ(reply["post"]["record"]["reply"]["parent"], root);
}

TEST_F(BlueskyTest, RepliesAreToldFourLevelsUpAndNotPastAHiddenOne) {
  const Json root = Made("racine");
  std::vector<std::string> chain;
  for (int level = 1; level <= 7; ++level) {
    chain.push_back(Comment(level == 1 ? root["uri"].get<std::string>() : chain.back(), "niveau " + std::to_string(level)));
  }
  const auto told = [&] {
    std::set<std::string> out;
    const Json list = Get("app.bsky.notification.listNotifications?limit=100").json["notifications"];
    for (const Json& one : list) out.insert(one["uri"].get<std::string>());
    return out;
  };
  EXPECT_EQ(told(), std::set<std::string>(chain.begin(), chain.begin() + 4));
  const std::string hidden = Comment(root["uri"], "pub"), before = Comment(hidden, "avant");
  const Json gate = {{"$type", "app.bsky.feed.threadgate"}, {"post", root["uri"]}, {"createdAt", "2026-11-23T10:00:00Z"},
                     {"hiddenReplies", {hidden}}};
  ASSERT_EQ(Put("app.bsky.feed.threadgate", Rkey(root["uri"]), gate).status, 200);
  const std::string after = Comment(hidden, "après"), below = Comment(before, "dessous");
  const std::set<std::string> then = told();
  EXPECT_FALSE(then.contains(hidden)) << "listed no more";
  EXPECT_TRUE(then.contains(before)) << "it was told before the other was hidden";
  EXPECT_FALSE(then.contains(after));
  EXPECT_FALSE(then.contains(below));
}

TEST_F(BlueskyTest, AThreadIsShownAsDeepAsAskedFor) {
  const Json root = Made("racine");
  const std::string uri = root["uri"], call = "app.bsky.feed.getPostThread?uri=" + uri;
  std::string last = uri;
  for (int level = 1; level <= 8; ++level) last = Comment(last, "niveau " + std::to_string(level));
  const auto levels = [&](const std::string& query) {
    int count = 0;
    Json at = Get(call + query).json["thread"];
    while (at.contains("replies") && !at["replies"].empty()) {
      at = Json(at["replies"][0]);
      ++count;
    }
    return count;
  };
  EXPECT_EQ(levels(""), 6);
  EXPECT_EQ(levels("&depth=1000&parentHeight=0"), 8);
  EXPECT_EQ(levels("&depth=2"), 2);
  EXPECT_FALSE(Get(call + "&depth=0").json["thread"].contains("replies"));
  EXPECT_EQ(Get(call + "&depth=1001").status, 400);
  EXPECT_FALSE(Get("app.bsky.feed.getPostThread?parentHeight=0&uri=" + last).json["thread"].contains("parent"));
  const Json above = Get("app.bsky.feed.getPostThread?parentHeight=1&uri=" + last).json["thread"]["parent"];
  EXPECT_EQ(above["post"]["record"]["text"], "niveau 7");
  EXPECT_FALSE(above.contains("parent"));

  // Newest first; what we hid is shown; somebody whom we blocked is not, nor what was answered to them.
  const std::string newer = Comment(uri, "plus tard");
  Comment(newer, "réponse");
  Json replies = Get(call).json["thread"]["replies"];
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[0]["post"]["uri"], newer);
  const std::string did_of = replies[0]["post"]["author"]["did"];
  const Json block = {{"$type", "app.bsky.graph.block"}, {"subject", did_of}, {"createdAt", "2026-11-23T10:00:00Z"}};
  ASSERT_EQ(Create(block, {{"collection", "app.bsky.graph.block"}}).status, 200);
  replies = Get(call).json["thread"]["replies"];
  EXPECT_EQ(replies[0]["$type"], "app.bsky.feed.defs#blockedPost");
  EXPECT_EQ(replies[0]["blocked"], true);
  EXPECT_FALSE(replies[0].contains("replies"));
  ASSERT_EQ(Post("com.atproto.repo.deleteRecord", {{"repo", did}, {"collection", kPosts}, {"rkey", Rkey(uri)}}).status, 200);
  EXPECT_EQ(Get(call).json["error"], "NotFound");
}

TEST_F(BlueskyTest, MalformedBodiesAreRefused) {
  const Json good = Text("x");
  for (const Json& wrong : {Json{{"images", "no"}}, Json{{"$type", "app.bsky.embed.images"}, {"images", {1}}},
                            Json("x"), Json{{"$type", "app.bsky.embed.external"}, {"external", 3}},
                            Json{{"$type", "y"}, {"media", 3}}, Json{{"$type", "y"}, {"images", 3}}}) {
    Json record = good;
    record["embed"] = wrong;
    const int status = Create(record).status;
    EXPECT_TRUE(status == 400 || status == 200) << wrong.dump();
  }
  for (const char* name : {"facets", "reply", "langs", "tags"}) {
    Json record = good;
    record[name] = 3;
    EXPECT_EQ(Create(record).status, 400) << name;
  }
  EXPECT_EQ(Create(3).status, 400);
  EXPECT_EQ(Put("app.bsky.feed.threadgate", "3l2zpuvkw5c2a", {{"post", 3}, {"hiddenReplies", 3}}).status, 400);
}

}  // namespace
}  // namespace parvis::sandbox
