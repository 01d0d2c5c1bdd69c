#include <set>

#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

class YoutubeTest : public ::testing::Test {
 protected:
  explicit YoutubeTest(const Json& more = Json::object()) : account(sandbox.Account("youtube", more)) {
    base = account["base_url"];
    id = account["remote_id"];
    headers = {{"Authorization", "Bearer " + account["access_token"].get<std::string>()}};
  }
  Answered Send(const std::string& method, const std::string& path, const Json& body = Json(), net::Headers more = {}) {
    net::Headers all = headers;
    if (!body.is_null()) all["Content-Type"] = "application/json";
    all.merge(more);
    return sandbox.Send(method, base + "/youtube/v3/" + path, body.is_null() ? "" : body.dump(), all);
  }
  static std::string Reason(Answered answer) {
    if (!answer.json.is_object() || !answer.json.contains("error")) return answer.body;
    return answer.json["error"]["errors"][0].value("reason", "");
  }
  Answered Start(const Json& video, const std::string& size = "", const std::string& query = "") {
    net::Headers all = headers;
    all["Content-Type"] = "application/json";
    all["X-Upload-Content-Type"] = "video/mp4";
    if (!size.empty()) all["X-Upload-Content-Length"] = size;
    return sandbox.Send("POST", base + "/upload/youtube/v3/videos?uploadType=resumable&part=snippet,status" + query,
                        video.dump(), all);
  }
  Answered Put(const std::string& session, const std::string& body, const std::string& range) {
    return sandbox.Send("PUT", session, body, {{"Content-Range", range}});
  }
  std::string Video(const std::string& title = "Lampe", const Json& status = Json::object()) {
    const Answered started = Start(
        {{"snippet", {{"title", title}, {"description", "Une lampe"}, {"tags", {"lampe"}}}}, {"status", status}}, "3");
    EXPECT_EQ(started.status, 200) << started.body;
    const Answered made = Put(started.headers.at("location"), "abc", "bytes 0-2/3");
    EXPECT_EQ(made.status, 200) << made.body;
    return made.json.value("id", "");
  }
  std::string Visitor(const std::string& parent, const std::string& text = "Bonjour <b>",
                      const std::string& who = "ann") {
    return sandbox.Control("POST", "/comments",
                           {{"network", "youtube"},
                            {"parent", parent},
                            {"text", text},
                            {"author_id", who},
                            {"author_handle", who}})["remote_id"];
  }
  std::vector<std::string> Threads(const std::string& query) {
    const Answered answer = Send("GET", "commentThreads?part=snippet,replies&" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::vector<std::string> out;
    for (const Json& item : answer.json["items"]) out.push_back(item["id"]);
    return out;
  }
  int Entries(const std::string& kind) {
    int n = 0;
    for (const Json& line : sandbox.JournalLines()) n += line["kind"] == kind;
    return n;
  }
  TestSandbox sandbox;
  Json account;
  std::string base, id;
  net::Headers headers;
};

TEST_F(YoutubeTest, SignsInAndShowsTheChannel) {
  const Json channel = Send("GET", "channels?part=snippet,contentDetails,statistics&mine=true").json["items"][0];
  EXPECT_EQ(channel["id"], id);
  EXPECT_EQ(channel["snippet"]["title"], "Maison Lumen");
  EXPECT_EQ(channel["contentDetails"]["relatedPlaylists"]["uploads"], "UU" + id.substr(2));
  EXPECT_TRUE(channel["statistics"]["subscriberCount"].is_string());
  EXPECT_FALSE(Send("GET", "channels?part=snippet&id=UCnobody").json.contains("items"));
  EXPECT_EQ(Reason(Send("GET", "channels?part=snippet")), "missingRequiredParameter");
  EXPECT_EQ(Reason(Send("GET", "channels?mine=true")), "required");
  EXPECT_EQ(Reason(Send("GET", "channels?part=soul&mine=true")), "unknownPart");
  EXPECT_EQ(Reason(Send("GET", "channels?part=snippet&mine=true&sparkle=1")), "invalid");
  EXPECT_EQ(Send("GET", "sparkles?part=snippet").status, 404);
  sandbox.Control("POST", "/accounts/youtube/" + id + "/token", {{"state", "expired"}});
  const Answered dead = Send("GET", "channels?part=snippet&mine=true");
  EXPECT_EQ(dead.status, 401);
  EXPECT_EQ(Reason(dead), "authError");
  headers = {};
  EXPECT_EQ(Reason(Send("GET", "channels?part=snippet&mine=true")), "required");
}

TEST_F(YoutubeTest, TakesAVideoInPieces) {
  const int64_t quantum = 256 << 10, size = 4 * quantum + 5;
  const std::string all(static_cast<size_t>(size), 'v'), total = "/" + std::to_string(size);
  const Answered started = Start({{"snippet", {{"title", "Lampe"}}}}, std::to_string(size));
  ASSERT_EQ(started.status, 200) << started.body;
  const std::string session = started.headers.at("location");
  const auto ask = [&] { return Put(session, "", "bytes */" + std::to_string(size)); };
  Answered answer = ask();
  EXPECT_EQ(answer.status, 308);
  EXPECT_FALSE(answer.headers.contains("range")) << "nothing has arrived";
  answer = Put(session, all.substr(0, quantum), "bytes 0-262143" + total);
  EXPECT_EQ(answer.headers.at("range"), "bytes=0-262143");
  EXPECT_EQ(Put(session, all.substr(0, 100), "bytes 262144-262243" + total).status, 400) << "no multiple of 256 KiB";
  EXPECT_EQ(Put(session, all.substr(0, 10), "bytes 262144-524287" + total).status, 400) << "not what the range says";
  answer = Put(session, all.substr(0, quantum), "bytes 524288-786431" + total);
  EXPECT_EQ(answer.headers.at("range"), "bytes=0-262143") << "what is not in order changes nothing";
  answer = Put(session, all.substr(0, quantum), "bytes 262144-524287" + total);
  EXPECT_EQ(answer.headers.at("range"), "bytes=0-524287");
  answer = Put(session, all.substr(0, 2 * quantum), "bytes 524288-1048575" + total);
  EXPECT_EQ(answer.headers.at("range"), "bytes=0-786431") << "the third piece is not kept as a whole";
  EXPECT_EQ(ask().headers.at("range"), "bytes=0-786431");
  EXPECT_EQ(Entries("post"), 0);
  // The last piece is taken, its answer lost: the session tells.
  sandbox.Control("POST", "/faults",
                  {{"kind", "accept_then_reset"}, {"network", "youtube"}, {"operation", "post"}, {"count", 1}});
  EXPECT_EQ(Put(session, all.substr(0, quantum + 5), "bytes 786432-1048580" + total).status, 0);
  answer = ask();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json["snippet"]["title"], "Lampe");
  EXPECT_EQ(answer.json["status"]["privacyStatus"], "public");
  EXPECT_EQ(Entries("post"), 1);
  EXPECT_EQ(ask().json["id"], answer.json["id"]);
  EXPECT_EQ(Put(session + "x", "", "bytes */3").status, 404);
  headers["Authorization"] = "Bearer wrong";
  EXPECT_EQ(
      sandbox.Send("PUT", session, "", {{"Content-Range", "bytes */3"}, {"Authorization", "Bearer wrong"}}).status,
      401);
}

TEST_F(YoutubeTest, RefusesWhatVideosCannotHave) {
  const auto reason = [&](const Json& snippet, const Json& status = Json::object()) {
    Json all = {{"title", "t"}};
    all.update(snippet);
    return Reason(Start({{"snippet", all}, {"status", status}}, "3"));
  };
  EXPECT_EQ(reason({{"title", ""}}), "invalidTitle");
  EXPECT_EQ(reason({{"title", std::string(101, 't')}}), "invalidTitle");
  EXPECT_EQ(reason({{"title", "<t>"}}), "invalidTitle");
  EXPECT_EQ(reason({{"description", std::string(5001, 'd')}}), "invalidDescription");
  EXPECT_EQ(reason({{"tags", {std::string(251, 'a'), std::string(251, 'b')}}}), "invalidTags");
  EXPECT_EQ(reason({{"categoryId", "99"}}), "invalidCategoryId");
  EXPECT_EQ(reason(Json::object(), {{"publishAt", "2030-01-01T00:00:00Z"}}), "invalidPublishAt") << "not private";
  EXPECT_EQ(reason(Json::object(), {{"publishAt", "2020-01-01T00:00:00Z"}, {"privacyStatus", "private"}}), "invalidPublishAt");
  EXPECT_EQ(reason(Json::object(), {{"privacyStatus", "secret"}}), "invalidVideoMetadata");
  EXPECT_EQ(reason({{"sparkle", 1}}), "invalid");
  EXPECT_EQ(Start({{"snippet", {{"title", "t"}}},
                   {"status", {{"publishAt", "2030-01-01T00:00:00Z"}, {"privacyStatus", "private"}}}},
                  "3")
                .status,
            200);
  net::Headers picture = headers;
  picture["X-Upload-Content-Type"] = "image/png";
  EXPECT_EQ(
      Reason(sandbox.Send("POST", base + "/upload/youtube/v3/videos?uploadType=resumable&part=snippet", "{}", picture)),
      "badContent");
  EXPECT_TRUE(sandbox.JournalLines().empty());
}

TEST_F(YoutubeTest, ShowsVideosAndTheirCounters) {
  const std::string video = Video();
  for (int i = 0; i < 6; ++i) Video("v" + std::to_string(i), {{"privacyStatus", i == 5 ? "private" : "public"}});
  const std::string url = "playlistItems?part=snippet,contentDetails,status&playlistId=UU" + id.substr(2);
  Json page = Send("GET", url).json;
  ASSERT_EQ(page["items"].size(), 5u);
  EXPECT_EQ(page["items"][0]["status"]["privacyStatus"], "private") << "newest first; the owner sees all";
  page = Send("GET", url + "&pageToken=" + page["nextPageToken"].get<std::string>()).json;
  ASSERT_EQ(page["items"].size(), 2u);
  EXPECT_EQ(page["items"][1]["contentDetails"]["videoId"], video);
  EXPECT_FALSE(page.contains("nextPageToken"));
  EXPECT_EQ(Reason(Send("GET", url + "&pageToken=xyz")), "invalidPageToken");
  EXPECT_EQ(Reason(Send("GET", url + "&maxResults=51")), "invalidValue");
  EXPECT_EQ(Reason(Send("GET", "playlistItems?part=snippet&playlistId=UUx")), "playlistNotFound");
  Visitor(video);
  const std::string one = "videos?part=statistics,status,processingDetails,snippet&id=" + video + ",none";
  Json shown = Send("GET", one).json["items"];
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0]["statistics"]["commentCount"], "1");
  EXPECT_EQ(shown[0]["status"]["uploadStatus"], "uploaded");
  EXPECT_EQ(shown[0]["processingDetails"]["processingStatus"], "processing");
  sandbox.world.SetExtra(Network::kYoutube, video, {{"views", "9007199254740993"}, {"likes", "hidden"}}).IgnoreError();
  shown = Send("GET", one).json["items"];
  EXPECT_EQ(shown[0]["status"]["uploadStatus"], "processed");
  EXPECT_EQ(shown[0]["statistics"]["viewCount"], "9007199254740993");
  EXPECT_FALSE(shown[0]["statistics"].contains("likeCount"));
  EXPECT_EQ(Send("PUT", "videos?part=snippet", {{"id", video}, {"snippet", {{"title", "Neu"}, {"categoryId", "22"}}}})
                .json["snippet"]["title"],
            "Neu");
  EXPECT_EQ(Reason(Send("PUT", "videos?part=snippet", {{"id", video}, {"snippet", {{"title", "Neu"}}}})),
            "invalidCategoryId");
  net::Headers png = headers;
  png["Content-Type"] = "image/png";
  const std::string set = base + "/upload/youtube/v3/thumbnails/set?videoId=";
  EXPECT_EQ(sandbox.Send("POST", set + video, "png", png).status, 200);
  EXPECT_EQ(Reason(sandbox.Send("POST", set + "none", "png", png)), "videoNotFound");
  EXPECT_EQ(Reason(sandbox.Send("POST", set + video, "", png)), "mediaBodyRequired");
  EXPECT_EQ(Entries("thumbnail"), 1);
  EXPECT_EQ(Send("DELETE", "videos?id=" + video).status, 204);
  EXPECT_EQ(Reason(Send("DELETE", "videos?id=" + video)), "videoNotFound");
}

TEST_F(YoutubeTest, ThreadsAndReplies) {
  const std::string video = Video(), first = Visitor(video), second = Visitor(video, "zwei", "bob");
  EXPECT_EQ(Threads("videoId=" + video), (std::vector<std::string>{second, first}));
  EXPECT_EQ(Threads("allThreadsRelatedToChannelId=" + id).size(), 2u);
  EXPECT_EQ(Threads("id=" + first), std::vector<std::string>{first});
  for (const std::string& wrong : {"id=" + first + "&maxResults=5", "id=" + first + "&videoId=" + video}) {
    EXPECT_EQ(Reason(Send("GET", "commentThreads?part=snippet&" + wrong)), "incompatibleParameters");
  }
  EXPECT_EQ(Reason(Send("GET", "commentThreads?part=snippet&videoId=none")), "videoNotFound");
  EXPECT_EQ(Reason(Send("GET", "commentThreads?part=snippet&videoId=" + video + "&maxResults=101")), "invalidValue");
  std::set<std::string> replies;
  for (int i = 0; i < 7; ++i) {
    const Answered made = Send("POST", "comments?part=snippet",
                               {{"snippet", {{"parentId", first}, {"textOriginal", "r" + std::to_string(i)}}}});
    ASSERT_EQ(made.status, 200) << made.body;
    EXPECT_EQ(made.json["snippet"]["parentId"], first);
    EXPECT_EQ(made.json["id"].get<std::string>().substr(0, first.size() + 1), first + ".");
    replies.insert(made.json["id"]);
  }
  const Json thread = Send("GET", "commentThreads?part=snippet,replies&id=" + first).json["items"][0];
  EXPECT_EQ(thread["snippet"]["totalReplyCount"], 7);
  EXPECT_EQ(thread["replies"]["comments"].size(), 5u) << "a sample";
  const Json& top = thread["snippet"]["topLevelComment"]["snippet"];
  EXPECT_EQ(top["textDisplay"], "Bonjour &lt;b&gt;") << "HTML by default";
  EXPECT_FALSE(top.contains("textOriginal")) << "promised to its author alone";
  std::set<std::string> read;
  std::string token;
  do {
    const Json page = Send("GET", "comments?part=snippet&textFormat=plainText&maxResults=3&parentId=" + first +
                                      (token.empty() ? "" : "&pageToken=" + token))
                          .json;
    for (const Json& one : page["items"]) read.insert(one["id"]);
    token = page.value("nextPageToken", "");
  } while (!token.empty());
  EXPECT_EQ(read, replies);
  const auto wrong = [&](const std::string& parent, const std::string& text) {
    return Reason(Send("POST", "comments?part=snippet", {{"snippet", {{"parentId", parent}, {"textOriginal", text}}}}));
  };
  EXPECT_EQ(wrong(*replies.begin(), "x"), "invalidCommentMetadata") << "replies hang below top-level comments only";
  EXPECT_EQ(wrong("none", "x"), "parentCommentNotFound");
  EXPECT_EQ(wrong(first, " "), "commentTextRequired");
  EXPECT_EQ(wrong(first, std::string(10'001, 'x')), "commentTextTooLong");
  const Json body = {
      {"snippet", {{"videoId", video}, {"topLevelComment", {{"snippet", {{"textOriginal", "épinglé"}}}}}}}};
  const std::string own = Send("POST", "commentThreads?part=snippet", body).json["id"];
  EXPECT_EQ(Send("PUT", "comments?part=snippet", {{"id", own}, {"snippet", {{"textOriginal", "neu"}}}})
                .json["snippet"]["textOriginal"],
            "neu");
  EXPECT_EQ(Reason(Send("PUT", "comments?part=snippet", {{"id", first}, {"snippet", {{"textOriginal", "neu"}}}})),
            "forbidden");
  EXPECT_EQ(Send("DELETE", "comments?id=" + own).status, 204);
  EXPECT_EQ(Reason(Send("DELETE", "comments?id=" + own)), "commentNotFound");
  EXPECT_EQ(Reason(Send("DELETE", "comments?id=" + first)), "forbidden") << "of its author only";
  EXPECT_EQ(Entries("reply"), 8);
}

TEST_F(YoutubeTest, Moderation) {
  const std::string video = Video(), one = Visitor(video), two = Visitor(video, "zwei", "bob");
  const auto set = [&](const std::string& query) { return Send("POST", "comments/setModerationStatus?" + query); };
  EXPECT_EQ(set("id=" + one + "," + two + "&moderationStatus=heldForReview").status, 204);
  EXPECT_EQ(Entries("hide"), 2);
  EXPECT_EQ(set("id=" + one + "&moderationStatus=heldForReview").status, 204);
  EXPECT_EQ(Entries("hide"), 2) << "nothing changed";
  EXPECT_TRUE(Threads("videoId=" + video).empty());
  EXPECT_EQ(Threads("videoId=" + video + "&moderationStatus=heldForReview").size(), 2u);
  EXPECT_EQ(Reason(Send("POST", "comments?part=snippet", {{"snippet", {{"parentId", one}, {"textOriginal", "x"}}}})),
            "parentCommentIsPrivate");
  EXPECT_EQ(set("id=" + one + "&moderationStatus=published").status, 204);
  // A reply that waits brings its thread among those that wait; each comment tells its own status.
  const std::string reply = Visitor(one, "Werbung", "eve");
  EXPECT_EQ(set("id=" + reply + "&moderationStatus=heldForReview").status, 204);
  const Json held =
      Send("GET",
           "commentThreads?part=snippet,replies&moderationStatus=heldForReview&allThreadsRelatedToChannelId=" + id)
          .json["items"];
  ASSERT_EQ(held.size(), 2u);
  const Json& thread = held[1];
  EXPECT_EQ(thread["snippet"]["topLevelComment"]["snippet"]["moderationStatus"], "published");
  EXPECT_EQ(thread["replies"]["comments"][0]["snippet"]["moderationStatus"], "heldForReview");
  EXPECT_FALSE(
      Send("GET", "comments?part=snippet&id=" + reply).json["items"][0]["snippet"].contains("moderationStatus"));
  EXPECT_EQ(Reason(set("id=" + one + "&moderationStatus=published&banAuthor=true")), "banWithoutReject");
  EXPECT_EQ(Reason(set("id=" + one + "&moderationStatus=likelySpam")), "operationNotSupported");
  EXPECT_EQ(Reason(set("id=none&moderationStatus=published")), "commentNotFound");
  EXPECT_EQ(set("id=" + two + "&moderationStatus=rejected&banAuthor=true").status, 204);
  EXPECT_EQ(Entries("delete"), 1);
  EXPECT_EQ(Entries("ban"), 1);
  EXPECT_EQ(Reason(set("id=" + two + "&moderationStatus=published")), "processingFailure") << "there is no way back";
  EXPECT_EQ(Threads("videoId=" + video + "&moderationStatus=rejected"), std::vector<std::string>{two});
  const Json other = sandbox.Account("youtube");
  headers["Authorization"] = "Bearer " + other["access_token"].get<std::string>();
  EXPECT_EQ(Reason(set("id=" + one + "&moderationStatus=heldForReview")), "forbidden");
  EXPECT_EQ(Reason(Send("GET", "commentThreads?part=snippet&moderationStatus=heldForReview&videoId=" + video)),
            "forbidden");
}

TEST_F(YoutubeTest, TheQuotaIsTheProjects) {
  sandbox.Control("POST", "/limits",
                  {{"network", "youtube"}, {"endpoint", "units"}, {"limit", 51}, {"window_seconds", 60}});
  EXPECT_EQ(Send("GET", "channels?part=snippet&mine=true").status, 200);
  const std::string video = Video();  // from a bucket of its own
  const Json body = {{"snippet", {{"videoId", video}, {"topLevelComment", {{"snippet", {{"textOriginal", "x"}}}}}}}};
  EXPECT_EQ(Send("POST", "commentThreads?part=snippet", body).status, 200) << "50 units";
  const Json other = sandbox.Account("youtube");
  headers["Authorization"] = "Bearer " + other["access_token"].get<std::string>();
  const Answered refused = Send("GET", "channels?part=snippet&mine=true");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(Reason(refused), "quotaExceeded");
  EXPECT_EQ(refused.json["error"]["errors"][0]["domain"], "youtube.quota");
}

TEST_F(YoutubeTest, TheHubTellsOfVideosAlone) {
  Receiver receiver(sandbox.metrics, "s");
  EXPECT_EQ(
      sandbox
          .Send("POST", "/control/webhooks",
                Json{{"network", "youtube"}, {"url", receiver.url()}, {"secret", "s"}}.dump(), TestSandbox::JsonType())
          .status,
      400)
      << "whose feed?";
  sandbox.Control(
      "POST", "/webhooks",
      {{"network", "youtube"}, {"account", id}, {"url", receiver.url()}, {"secret", "s"}, {"verify_token", "verify"}});
  const std::string video = Video("Lampe & Docht");
  Visitor(video);
  Video("geheim", {{"privacyStatus", "private"}});
  Send("PUT", "videos?part=snippet", {{"id", video}, {"snippet", {{"title", "Neu"}, {"categoryId", "22"}}}});
  Send("DELETE", "videos?id=" + video);
  ASSERT_TRUE(sandbox.WaitFor([&] { return receiver.taken().size() == 3; }));
  const auto taken = receiver.taken();
  EXPECT_NE(taken[0].body.find("<yt:videoId>" + video + "</yt:videoId>"), std::string::npos);
  EXPECT_NE(taken[0].body.find("<yt:channelId>" + id + "</yt:channelId>"), std::string::npos);
  EXPECT_NE(taken[1].body.find("<title>Neu</title>"), std::string::npos);
  EXPECT_NE(taken[2].body.find("<at:deleted-entry ref=\"yt:video:" + video), std::string::npos);
  for (const net::HttpRequest& call : taken) {
    EXPECT_EQ(call.headers.at("X-Hub-Signature"), "sha1=" + HmacHexBy("sha1", Secret("s"), call.body));
  }
  // RFC 2202, second case.
  EXPECT_EQ(HmacHexBy("sha1", Secret("Jefe"), "what do ya want for nothing?"),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

}  // namespace
}  // namespace parvis::sandbox
