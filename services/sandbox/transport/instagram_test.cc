#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

class InstagramTest : public ::testing::Test {
 protected:
  InstagramTest() : account(sandbox.Account("instagram")), user(account["remote_id"]), token(account["access_token"]) {}
  Answered Post(const std::string& path, Fields fields) {
    fields.emplace_back("access_token", token);
    return sandbox.Send("POST", "/instagram/v23.0/" + path, net::FormEncode(fields), TestSandbox::FormType());
  }
  Answered Get(const std::string& path) {
    return sandbox.Send("GET", "/instagram/v23.0/" + path, "", {{"Authorization", "Bearer " + token}});
  }
  std::string Container(Fields fields) { return Post(user + "/media", std::move(fields)).json["id"]; }
  Answered Publish(const std::string& container) { return Post(user + "/media_publish", {{"creation_id", container}}); }
  std::string NewPost(const std::string& caption) {
    return Publish(Container({{"image_url", "https://cdn.example/1.jpg"}, {"caption", caption}})).json["id"];
  }
  std::string Status(const std::string& container) {
    return Get(container + "?fields=status_code,status").json["status_code"];
  }
  std::string Commented(const std::string& parent, const std::string& text, const std::string& author = "55") {
    return sandbox.Control(
        "POST", "/comments",
        {{"network", "instagram"}, {"parent", parent}, {"text", text}, {"author_id", author}})["remote_id"];
  }
  int Subcode(const Answered& answer) { return answer.json["error"].value("error_subcode", 0); }

  TestSandbox sandbox;
  Json account;
  std::string user, token;
};

TEST_F(InstagramTest, TheAppsIdIsNotTheAccounts) {
  const Json me = Get("me?fields=user_id,username,name").json;
  EXPECT_EQ(me["user_id"], user);
  EXPECT_NE(me["id"], user);
  EXPECT_EQ(Get(user + "?fields=id,username").json["id"], user);
  EXPECT_EQ(Get("me?fields=instagram_business_account").json["error"]["code"], 100);
  sandbox.Control("POST", "/accounts/instagram/" + user + "/token", {{"state", "expired"}});
  EXPECT_EQ(Subcode(Get("me")), 463);
}

TEST_F(InstagramTest, PublishesAPictureInTwoSteps) {
  EXPECT_EQ(Post(user + "/media", {{"caption", "No picture"}}).json["error"]["code"], 100);
  EXPECT_EQ(Subcode(Post(user + "/media", {{"image_url", "https://cdn.example/broken.jpg"}})), 2207052);
  EXPECT_EQ(
      Subcode(Post(user + "/media", {{"image_url", "https://cdn.example/1.jpg"}, {"caption", std::string(2201, 'x')}})),
      2207010);
  const std::string container =
      Container({{"image_url", "https://cdn.example/1.jpg"}, {"caption", "Bonjour"}, {"alt_text", "A lamp"}});
  EXPECT_EQ(Status(container), "FINISHED");
  EXPECT_TRUE(Get(user + "/media").json["data"].empty());
  const std::string media = Publish(container).json["id"];
  EXPECT_EQ(Status(container), "PUBLISHED");
  EXPECT_TRUE(Publish(container).json.contains("error"));
  const Json read = Get(user + "/media?fields=id,caption,media_product_type,comments_count").json["data"];
  EXPECT_EQ(read,
            (Json{{{"id", media}, {"caption", "Bonjour"}, {"media_product_type", "FEED"}, {"comments_count", 0}}}));
  EXPECT_EQ(sandbox.JournalLines().back()["kind"], "post");
}

TEST_F(InstagramTest, AVideoIsWorkedThroughBeforeItCanBePublished) {
  EXPECT_EQ(Subcode(Post(user + "/media", {{"media_type", "VIDEO"}, {"video_url", "https://cdn.example/1.mp4"}})),
            2207023);
  const std::string reel =
      Container({{"media_type", "REELS"}, {"video_url", "https://cdn.example/1.mp4"}, {"caption", "Look"}});
  EXPECT_EQ(Subcode(Publish(reel)), 2207027);
  EXPECT_EQ(Status(reel), "IN_PROGRESS");
  EXPECT_EQ(Status(reel), "IN_PROGRESS");
  EXPECT_EQ(Status(reel), "FINISHED");
  EXPECT_EQ(Publish(reel).status, 200);
  const std::string broken = Container({{"media_type", "REELS"}, {"video_url", "https://cdn.example/broken.mp4"}});
  const std::string never = Container({{"media_type", "REELS"}, {"video_url", "https://cdn.example/never.mp4"}});
  for (int i = 0; i < 5; ++i) Status(broken), Status(never);
  EXPECT_EQ(Status(broken), "ERROR");
  EXPECT_NE(Get(broken + "?fields=status").json["status"].get<std::string>().find("2207026"), std::string::npos);
  EXPECT_EQ(Status(never), "IN_PROGRESS");
}

TEST_F(InstagramTest, TakesAnUploadFromWhereItStopped) {
  const Json made = Post(user + "/media", {{"media_type", "REELS"}, {"upload_type", "resumable"}}).json;
  const std::string container = made["id"], uri = made["uri"];
  const auto upload = [&](const std::string& offset, const std::string& bytes) {
    return sandbox.Send("POST", uri, bytes,
                        {{"Authorization", "OAuth " + token}, {"offset", offset}, {"file_size", "10"}});
  };
  EXPECT_EQ(upload("4", "456789").json["debug_info"]["retriable"], true);
  EXPECT_EQ(Status(container), "IN_PROGRESS");
  EXPECT_EQ(upload("0", "0123456789").json, (Json{{"success", true}}));
  for (int i = 0; i < 3; ++i) Status(container);
  EXPECT_EQ(Publish(container).status, 200);
}

TEST_F(InstagramTest, ACarouselIsMadeOfWhatIsReady) {
  const std::string picture = Container({{"image_url", "https://cdn.example/1.jpg"}, {"is_carousel_item", "true"}});
  const std::string video =
      Container({{"media_type", "VIDEO"}, {"video_url", "https://cdn.example/1.mp4"}, {"is_carousel_item", "true"}});
  EXPECT_EQ(Subcode(Post(user + "/media", {{"media_type", "CAROUSEL"}, {"children", picture}})), 2207028);
  EXPECT_EQ(Subcode(Post(user + "/media", {{"media_type", "CAROUSEL"}, {"children", picture + "," + video}})), 2207027);
  for (int i = 0; i < 3; ++i) Status(video);
  const std::string album =
      Container({{"media_type", "CAROUSEL"}, {"children", picture + "," + video}, {"caption", "Both"}});
  const std::string media = Publish(album).json["id"];
  EXPECT_EQ(Get(media + "?fields=media_type,caption").json,
            (Json{{"id", media}, {"media_type", "CAROUSEL_ALBUM"}, {"caption", "Both"}}));
  EXPECT_EQ(Subcode(Publish(picture)), 2207006);  // a child is not published by itself
}

TEST_F(InstagramTest, StoriesAreListedApart) {
  const std::string story =
      Publish(Container({{"media_type", "STORIES"}, {"image_url", "https://cdn.example/1.jpg"}})).json["id"];
  EXPECT_TRUE(Get(user + "/media").json["data"].empty());
  EXPECT_EQ(Get(user + "/stories?fields=id").json["data"][0]["id"], story);
  EXPECT_EQ(Get(story + "/insights?metric=views,replies").json["data"].size(), 2u);
  EXPECT_EQ(Get(story + "/insights?metric=views,saved").json["error"]["code"], 100);
  EXPECT_EQ(Get(NewPost("x") + "/insights?metric=impressions").json["error"]["code"], 100);
}

TEST_F(InstagramTest, ThePostsOfADayAreBounded) {
  sandbox.Control("POST", "/limits",
                  {{"network", "instagram"}, {"endpoint", "media_publish"}, {"limit", 1}, {"window_seconds", 86400}});
  const std::string fields = "/content_publishing_limit?fields=config,quota_usage";
  EXPECT_EQ(Get(user + fields).json["data"][0],
            (Json{{"config", {{"quota_total", 1}, {"quota_duration", 86400}}}, {"quota_usage", 0}}));
  NewPost("one");
  EXPECT_EQ(Get(user + fields).json["data"][0]["quota_usage"], 1);
  const Answered full = Publish(Container({{"image_url", "https://cdn.example/1.jpg"}}));
  EXPECT_EQ(full.status, 400);
  EXPECT_EQ(full.json["error"]["code"], 9);
  EXPECT_EQ(Subcode(full), 2207042);
}

TEST_F(InstagramTest, CommentsComeNewestFirstWithTheirAnswers) {
  const std::string post = NewPost("Bonjour"), first = Commented(post, "one"), second = Commented(post, "two");
  std::string last;
  for (int i = 0; i < 4; ++i) last = Commented(first, "answer " + std::to_string(i));
  const std::string fields = net::UrlEncode("id,text,parent_id,replies.limit(3){id,parent_id}");
  const Json read = Get(post + "/comments?fields=" + fields).json["data"];
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0], (Json{{"id", second}, {"text", "two"}}));
  ASSERT_EQ(read[1]["replies"]["data"].size(), 3u);
  EXPECT_EQ(read[1]["replies"]["data"][0], (Json{{"id", last}, {"parent_id", first}}));
  const std::string after = read[1]["replies"]["paging"]["cursors"]["after"];
  EXPECT_EQ(Get(first + "/replies?after=" + after).json["data"].size(), 1u);
  EXPECT_EQ(Get(post + "/comments?fields=message").json["error"]["code"], 100) << "Facebook's name";
}

TEST_F(InstagramTest, AnswersHidesClosesAndDeletes) {
  const std::string post = NewPost("Bonjour"), comment = Commented(post, "hello");
  const std::string answer = Post(comment + "/replies", {{"message", "Merci"}}).json["id"];
  EXPECT_EQ(Get(answer + "?fields=parent_id,user").json,
            (Json{{"id", answer}, {"parent_id", comment}, {"user", {{"id", user}}}}));
  EXPECT_EQ(Subcode(Post(comment + "/comments", {{"message", "wrong edge"}})), 33);
  EXPECT_EQ(Post(comment, {{"is_hidden", "true"}}).json["error"]["code"], 100) << "Facebook's name";
  EXPECT_EQ(Post(comment, {{"hide", "true"}}).json, (Json{{"success", true}}));
  EXPECT_EQ(Get(comment + "?fields=hidden").json["hidden"], true);
  EXPECT_EQ(Post(post, {{"comment_enabled", "false"}}).json, (Json{{"success", true}}));
  EXPECT_EQ(Get(post + "?fields=is_comment_enabled").json["is_comment_enabled"], false);
  EXPECT_TRUE(Post(post + "/comments", {{"message", "closed"}}).json.contains("error"));
  EXPECT_EQ(sandbox.Send("DELETE", "/instagram/v23.0/" + comment + "?access_token=" + token).json,
            (Json{{"success", true}}));
  EXPECT_EQ(Subcode(Get(comment)), 33);
  std::vector<std::string> kinds;
  for (const Json& line : sandbox.JournalLines()) kinds.push_back(line["kind"]);
  EXPECT_EQ(kinds, (std::vector<std::string>{"media", "post", "comment", "reply", "hide", "lock", "delete"}));
}

TEST_F(InstagramTest, MentionsAreTaggedMediaAndAnsweredByAnEdgeOfTheirOwn) {
  const std::string mention = sandbox.Control("POST", "/comments",
                                              {{"network", "instagram"},
                                               {"account", user},
                                               {"text", "Look, @lumen"},
                                               {"author_id", "56"},
                                               {"author_handle", "fan"}})["remote_id"];
  EXPECT_EQ(Get(user + "/tags?fields=id,username").json["data"][0], (Json{{"id", mention}, {"username", "fan"}}));
  EXPECT_EQ(Subcode(Get(mention)), 33);
  EXPECT_EQ(Subcode(Post(mention + "/comments", {{"message", "Merci"}})), 33);
  const std::string fields = net::UrlEncode("mentioned_media.media_id(" + mention + "){caption}");
  EXPECT_EQ(Get(user + "?fields=" + fields).json["mentioned_media"],
            (Json{{"id", mention}, {"caption", "Look, @lumen"}}));
  EXPECT_TRUE(Post(user + "/mentions", {{"media_id", mention}, {"message", "Merci"}}).json.contains("id"));
}

TEST_F(InstagramTest, TellsOfCommentsAndMentions) {
  Receiver receiver(sandbox.metrics, "secret");
  sandbox.Control(
      "POST", "/webhooks",
      {{"network", "instagram"}, {"url", receiver.url()}, {"verify_token", "verify"}, {"app_secret", "secret"}});
  const std::string post = NewPost("Bonjour"), comment = Commented(post, "hello");
  Post(comment, {{"hide", "true"}});
  Commented(comment, "again");
  ASSERT_TRUE(sandbox.WaitFor([&] {
    int changes = 0;
    for (const auto& request : receiver.taken()) {
      const Json body = Json::parse(request.body);
      for (const Json& entry : body["entry"]) changes += static_cast<int>(entry["changes"].size());
    }
    return changes == 2;
  }));
  const net::HttpRequest request = receiver.taken().at(0);
  const Json body = Json::parse(request.body);
  EXPECT_EQ(body["object"], "instagram");
  EXPECT_EQ(body["entry"][0]["id"], user);
  const Json& change = body["entry"][0]["changes"][0];
  EXPECT_EQ(change["field"], "comments");
  EXPECT_EQ(change["value"]["id"], comment);
  EXPECT_EQ(change["value"]["media"]["id"], post);
  EXPECT_FALSE(change["value"].contains("created_time"));
  EXPECT_EQ(request.headers.find("X-Hub-Signature-256")->second, "sha256=" + HmacHex(Secret("secret"), request.body));
}

TEST_F(InstagramTest, FetchesWhatIsOnThisMachine) {
  std::mutex mutex;
  std::vector<std::string> fetched;
  net::HttpServer files({}, "files", sandbox.metrics, [&](net::HttpRequest request, net::Responder responder) {
    {
      const std::lock_guard lock(mutex);
      fetched.push_back(request.path + " " + request.headers["Range"]);
    }
    const std::string& path = request.path;
    if (path == "/lamp.jpg") return responder.Send({206, {{"Content-Type", "image/jpeg"}}, "\xff\xd8 a picture"});
    if (path == "/lamp.png") return responder.Send({200, {{"Content-Type", "image/png"}}, "\x89PNG"});
    if (path == "/lie.jpg") return responder.Send({200, {{"Content-Type", "image/jpeg"}}, "<html>"});
    if (path == "/lamp.mp4") return responder.Send({200, {{"Content-Type", "video/mp4"}}, "a video"});
    responder.Send({404, {{"Content-Type", "application/json"}}, "{}"});
  });
  ASSERT_TRUE(files.Start().ok());
  const std::string at = "http://" + files.address();
  const auto picture = [&](const std::string& url) { return Post(user + "/media", {{"image_url", url}}); };
  EXPECT_EQ(Status(picture(at + "/lamp.jpg?expires=1&signature=x").json["id"]), "FINISHED");
  EXPECT_EQ(Subcode(picture(at + "/lamp.png")), 2207005);
  EXPECT_EQ(Subcode(picture(at + "/lie.jpg")), 2207005);
  const Answered gone = picture(at + "/gone.jpg");
  EXPECT_EQ(Subcode(gone), 2207052);
  EXPECT_EQ(gone.json["error"]["code"], 9004);
  EXPECT_EQ(Subcode(picture("http://127.0.0.1:1/nobody.jpg")), 2207052);
  const auto reel = [&](const std::string& video, const std::string& cover) {
    return Post(user + "/media", {{"media_type", "REELS"}, {"video_url", video}, {"cover_url", cover}});
  };
  EXPECT_TRUE(reel(at + "/lamp.mp4", at + "/lamp.jpg").json.contains("id"));
  EXPECT_EQ(Subcode(reel(at + "/lamp.mp4", at + "/gone.jpg")), 2207052);
  EXPECT_EQ(Subcode(reel(at + "/lamp.jpg", at + "/lamp.jpg")), 2207026);
  files.Stop(absl::Seconds(2));
  EXPECT_EQ(fetched.front(), "/lamp.jpg bytes=0-1023");
  EXPECT_EQ(fetched.size(), 10u);
}

}  // namespace
}  // namespace parvis::sandbox
