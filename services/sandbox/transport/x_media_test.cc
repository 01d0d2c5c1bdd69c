#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

class XMediaTest : public ::testing::Test {
 protected:
  XMediaTest() : account(sandbox.Account("x")), token(account["access_token"]) {}
  Answered Send(const std::string& method, const std::string& path, const Json& body = Json()) {
    net::Headers headers = {{"Authorization", "Bearer " + token}};
    if (!body.is_null()) headers["Content-Type"] = "application/json";
    return sandbox.Send(method, "/x/2/" + path, body.is_null() ? "" : body.dump(), headers);
  }
  // A form with a file "media".
  Answered Form(const std::string& path, const std::vector<std::pair<std::string, std::string>>& fields,
                const std::string& bytes) {
    std::string body;
    for (const auto& [name, value] : fields)
      body += "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    body +=
        "--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"m\"\r\nContent-Type: "
        "application/octet-stream\r\n\r\n" +
        bytes + "\r\n--b--\r\n";
    return sandbox.Send("POST", "/x/2/" + path, body,
                        {{"Authorization", "Bearer " + token}, {"Content-Type", "multipart/form-data; boundary=b"}});
  }
  std::string Initialize(int64_t size, const std::string& type = "video/mp4",
                         const std::string& category = "tweet_video") {
    const Answered answer = Send("POST", "media/upload/initialize",
                                 {{"media_type", type}, {"total_bytes", size}, {"media_category", category}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json["data"]["id"];
  }
  Answered Append(const std::string& id, int segment, const std::string& bytes) {
    return Form("media/upload/" + id + "/append", {{"segment_index", std::to_string(segment)}}, bytes);
  }
  std::string State(const std::string& id) {
    return Send("GET", "media/upload?command=STATUS&media_id=" + id).json["data"]["processing_info"]["state"];
  }
  int Tweet(const std::vector<std::string>& media) {
    return Send("POST", "tweets", {{"media", {{"media_ids", media}}}}).status;
  }
  TestSandbox sandbox;
  Json account;
  std::string token;
};

TEST_F(XMediaTest, TakesVideosInPieces) {
  const std::string id = Initialize(10);
  EXPECT_EQ(Append(id, 0, "12345").status, 200);
  EXPECT_EQ(Send("POST", "media/upload/" + id + "/finalize").status, 400) << "half of it";
  EXPECT_EQ(Append(id, 1, "67").status, 200);
  EXPECT_EQ(Append(id, 1, "67890").status, 200) << "the same number again replaces it";
  EXPECT_EQ(Append(id, 1000, "x").status, 400);
  EXPECT_EQ(Send("GET", "media/upload?command=STATUS&media_id=" + id).status, 400) << "not finalized";
  EXPECT_EQ(Tweet({id}), 400);
  const Answered done = Send("POST", "media/upload/" + id + "/finalize");
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.json["data"]["processing_info"]["state"], "pending");
  EXPECT_EQ(Tweet({id}), 400) << "not ready";
  EXPECT_EQ(State(id), "in_progress");
  EXPECT_EQ(State(id), "succeeded");
  EXPECT_EQ(State(id), "succeeded");
  EXPECT_EQ(Send("POST", "media/metadata", {{"id", id}, {"metadata", {{"alt_text", {{"text", "Lampe"}}}}}}).status,
            200);
  EXPECT_EQ(Tweet({id}), 201);
  EXPECT_EQ(Send("POST", "media/upload/" + id + "/finalize").status, 400);
}

TEST_F(XMediaTest, BrokenVideosFail) {
  const std::string id = Initialize(6);
  Append(id, 0, "broken");
  EXPECT_EQ(Send("POST", "media/upload/" + id + "/finalize").status, 200);
  State(id);
  const Answered failed = Send("GET", "media/upload?command=STATUS&media_id=" + id);
  EXPECT_EQ(failed.json["data"]["processing_info"]["state"], "failed");
  EXPECT_EQ(failed.json["data"]["processing_info"]["error"]["name"], "InvalidMedia");
  EXPECT_EQ(Tweet({id}), 400);
}

TEST_F(XMediaTest, PicturesAtOnceAndWhatGoesTogether) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    const Answered answer =
        Form("media/upload", {{"media_category", "tweet_image"}, {"media_type", "image/png"}}, "png");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_FALSE(answer.json["data"].contains("processing_info"));
    ids.push_back(answer.json["data"]["id"]);
  }
  EXPECT_EQ(Tweet(ids), 400) << "five";
  ids.pop_back();
  EXPECT_EQ(Tweet(ids), 201);
  EXPECT_EQ(Tweet({"1"}), 400);
  EXPECT_EQ(Form("media/upload", {{"media_type", "image/png"}}, "png").status, 400) << "no category";
  EXPECT_EQ(Form("media/upload", {{"media_category", "tweet_video"}, {"media_type", "video/mp4"}}, "mp4").status, 400);
  EXPECT_EQ(Send("POST", "media/upload/initialize",
                 {{"media_type", "video/mp4"}, {"total_bytes", 600 << 20}, {"media_category", "tweet_video"}})
                .status,
            400);
  EXPECT_EQ(Send("POST", "media/upload/initialize",
                 {{"media_type", "video/mp4"}, {"total_bytes", 6}, {"media_category", "tweet_video"}, {"sparkle", 1}})
                .status,
            400);
  const std::string gif = Initialize(3, "image/gif", "tweet_gif");
  Append(gif, 0, "gif");
  Send("POST", "media/upload/" + gif + "/finalize");
  State(gif), State(gif);
  EXPECT_EQ(Tweet({gif, ids[0]}), 400) << "a GIF is alone";
  EXPECT_EQ(Tweet({gif}), 201);
  const Json other = sandbox.Account("x");
  token = other["access_token"];
  EXPECT_EQ(Tweet({ids[0]}), 400) << "somebody else's";
}

}  // namespace
}  // namespace parvis::sandbox
