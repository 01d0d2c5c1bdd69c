#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

class FacebookVideoTest : public ::testing::Test {
 protected:
  FacebookVideoTest()
      : account(sandbox.Account("facebook")), page(account["remote_id"]), token(account["access_token"]) {}
  Answered Post(const std::string& path, Fields fields) {
    fields.emplace_back("access_token", token);
    return sandbox.Send("POST", "/facebook/v23.0/" + path, net::FormEncode(fields), TestSandbox::FormType());
  }
  Answered Get(const std::string& path) {
    return sandbox.Send("GET", "/facebook/v23.0/" + path, "", {{"Authorization", "Bearer " + token}});
  }
  Answered Transfer(const std::string& session, int64_t start, const std::string& bytes) {
    std::string body;
    for (const auto& [name, value] : Fields{
             {"upload_phase", "transfer"}, {"upload_session_id", session}, {"start_offset", std::to_string(start)}}) {
      body += "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    }
    body += "--b\r\nContent-Disposition: form-data; name=\"video_file_chunk\"; filename=\"v\"\r\n\r\n" + bytes +
            "\r\n--b--\r\n";
    return sandbox.Send("POST", "/facebook/v23.0/" + page + "/videos?access_token=" + token, body,
                        {{"Content-Type", "multipart/form-data; boundary=b"}});
  }
  Answered Upload(const std::string& url, const std::string& bytes, int64_t offset, int64_t size) {
    return sandbox.Send(
        "POST", url, bytes,
        {{"Authorization", "OAuth " + token}, {"offset", std::to_string(offset)}, {"file_size", std::to_string(size)}});
  }

  TestSandbox sandbox;
  Json account;
  std::string page, token;
};

TEST_F(FacebookVideoTest, TakesAVideoInPiecesAtTheOffsetsItAsksFor) {
  const std::string bytes(600'000, 'v');
  const Json begun = Post(page + "/videos", {{"upload_phase", "start"}, {"file_size", "600000"}}).json;
  const std::string session = begun["upload_session_id"], video = begun["video_id"];
  EXPECT_NE(session, video);
  EXPECT_EQ(begun["start_offset"], "0");
  EXPECT_EQ(begun["end_offset"], "262144");
  EXPECT_EQ(Post(page + "/videos", {{"upload_phase", "finish"}, {"upload_session_id", session}}).json["error"]["code"],
            6000);
  EXPECT_EQ(Transfer(session, 0, bytes.substr(0, 262144)).json["start_offset"], "262144");
  const Json wrong = Transfer(session, 0, bytes.substr(0, 262144)).json["error"];
  EXPECT_EQ(wrong["error_subcode"], 1363037);
  EXPECT_EQ(wrong["error_data"]["start_offset"], "262144");
  Transfer(session, 262144, bytes.substr(262144, 262144));
  const Json last = Transfer(session, 524288, bytes.substr(524288)).json;
  EXPECT_EQ(last["start_offset"], last["end_offset"]);
  EXPECT_EQ(
      Post(page + "/videos", {{"upload_phase", "finish"}, {"upload_session_id", session}, {"description", "Look"}})
          .json,
      (Json{{"success", true}}));
  const std::string post = Get(video + "?fields=id,post_id,permalink_url").json["post_id"];
  EXPECT_EQ(Get(page + "/feed?fields=id,message").json["data"][0],
            (Json{{"id", page + "_" + post}, {"message", "Look"}}));
}

TEST_F(FacebookVideoTest, AReelIsUploadedThenPublished) {
  const Json begun = Post(page + "/video_reels", {{"upload_phase", "START"}}).json;
  const std::string video = begun["video_id"], url = begun["upload_url"];
  const Fields finish = {
      {"upload_phase", "FINISH"}, {"video_id", video}, {"video_state", "PUBLISHED"}, {"description", "A reel"}};
  EXPECT_EQ(Post(page + "/video_reels", finish).json["error"]["code"], 6000);
  EXPECT_EQ(Upload(url, "0123", 0, 10).json["debug_info"]["retriable"], false);  // all of it, or nothing
  EXPECT_EQ(Get(video + "?fields=status").json["status"]["uploading_phase"]["bytes_transferred"], 0);
  EXPECT_EQ(Upload(url, "0123456789", 0, 10).json, (Json{{"success", true}}));
  EXPECT_EQ(Post(page + "/video_reels", finish).json["success"], true);
  EXPECT_TRUE(Post(page + "/video_reels", finish).json.contains("error"));
  EXPECT_EQ(Get(page + "/video_reels?fields=id,description").json["data"][0],
            (Json{{"id", video}, {"description", "A reel"}}));
}

TEST_F(FacebookVideoTest, StoriesAreNotInTheFeed) {
  const std::string photo =
      Post(page + "/photos", {{"url", "https://cdn.example/1.jpg"}, {"published", "false"}}).json["id"];
  const Json made = Post(page + "/photo_stories", {{"photo_id", photo}}).json;
  EXPECT_EQ(made["success"], true);
  EXPECT_EQ(Get(page + "/stories").json["data"][0]["post_id"], made["post_id"]);
  EXPECT_TRUE(Get(page + "/feed").json["data"].empty());
}

TEST_F(FacebookVideoTest, MessagesAndBlocksAreReadBack) {
  const std::string post = Post(page + "/feed", {{"message", "x"}}).json["id"];
  const Json comment = sandbox.Control(
      "POST", "/comments", {{"network", "facebook"}, {"parent", post}, {"text", "hi"}, {"author_id", "77"}});
  const std::string id = comment["remote_id"];
  const Json sent =
      Post(page + "/messages", {{"recipient", Json{{"comment_id", id}}.dump()}, {"message", R"({"text":"Bonjour"})"}})
          .json;
  const Json read = Get(page + "/conversations?platform=messenger&user_id=77&fields=" +
                        net::UrlEncode("id,messages.limit(20){id,message,from,created_time}"))
                        .json;
  EXPECT_EQ(read["data"][0]["messages"]["data"][0]["message"], "Bonjour");
  EXPECT_EQ(read["data"][0]["messages"]["data"][0]["id"], sent["message_id"]);
  EXPECT_TRUE(Get(page + "/blocked?user=77").json["data"].empty());
  Post(page + "/blocked", {{"user", "77"}});
  EXPECT_EQ(Get(page + "/blocked?user=77").json["data"][0]["id"], "77");
}

TEST_F(FacebookVideoTest, InsightsOfNamesThatAreGoneRefuseAll) {
  const std::string post = Post(page + "/feed", {{"message", "x"}}).json["id"];
  EXPECT_EQ(Get(post + "/insights?metric=post_media_view&period=lifetime").json["data"][0]["values"][0]["value"], 0);
  EXPECT_EQ(Get(post + "/insights?metric=post_media_view,post_impressions").json["error"]["code"], 100);
}

}  // namespace
}  // namespace parvis::sandbox
