#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/answer.h"

namespace parvis::networks {
namespace {

class FacebookVideoTest : public ConnectorTest {
 protected:
  FacebookVideoTest() : ConnectorTest("facebook", "111", "", "/v23.0") {}
  static Write Of(Media media, PostFormat format = PostFormat::kPost, const std::string& text = "Look") {
    Write write;
    write.draft.text = format == PostFormat::kStory ? "" : text;
    write.draft.media = {std::move(media)};
    write.draft.format = format;
    return write;
  }
  static Media Bytes() { return {.type = "video/mp4", .bytes = "0123456789"}; }
  static Media AtUrl() { return {.url = "https://cdn.example/1.mp4", .type = "video/mp4"}; }
  void Shown() { network.Next(200, R"({"id":"v1","permalink_url":"/111/videos/v1/","post_id":"222"})"); }
};

TEST_F(FacebookVideoTest, IsFetchedFromItsAddress) {
  Write write = Of(AtUrl());
  write.draft.title = "Lamp";
  EXPECT_TRUE(connector.Check(WriteKind::kPost, write.draft).empty());
  network.Next(200, R"({"id":"v1"})");
  Shown();
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "111_222");
  EXPECT_EQ(out.permalink, "https://www.facebook.com/111/videos/v1/");
  const auto form = net::ParseQuery(network.Taken().at(0).body);
  EXPECT_EQ(form.at("file_url"), "https://cdn.example/1.mp4");
  EXPECT_EQ(form.at("description"), "Look");
  EXPECT_EQ(form.at("title"), "Lamp");
  network.NextReset();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kUnknown);
  network.Next(200, R"({"id":"v1"})");   // and what it is called by its post cannot be had
  EXPECT_EQ(Execute(write).remote_id, "v1");
  write.draft.media.clear();   // a title would be lost
  EXPECT_EQ(connector.Check(WriteKind::kPost, write.draft).at(0).field, "title");
}

TEST_F(FacebookVideoTest, GoesInPiecesAndResumes) {
  network.Next(200, R"({"video_id":"v1","upload_session_id":"s1","start_offset":"0","end_offset":"4"})");
  network.Next(200, R"({"start_offset":"4","end_offset":"10"})");
  network.NextReset();   // arrived all the same: the network says where it is
  network.Next(400, R"({"error":{"code":6000,"error_subcode":1363037,"message":"offset","error_data":{"start_offset":8,"end_offset":10}}})");
  network.Next(200, R"({"start_offset":"10","end_offset":"10"})");
  network.Next(200, R"({"success":true})");
  Shown();
  const Outcome out = Execute(Of(Bytes()));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "111_222");
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 7u);
  EXPECT_EQ(net::ParseQuery(asked[0].body).at("file_size"), "10");
  for (size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(asked[i].path, "/v23.0/111/videos");
    EXPECT_EQ(net::ParseQuery(asked[i].query).at("access_token"), "the-access_token");
    EXPECT_NE(asked[i].body.find("\"upload_session_id\"\r\n\r\ns1"), std::string::npos);
  }
  EXPECT_NE(asked[1].body.find("\r\n\r\n0123\r\n"), std::string::npos);
  EXPECT_NE(asked[2].body.find("\r\n\r\n456789\r\n"), std::string::npos);
  EXPECT_NE(asked[3].body.find("\"start_offset\"\r\n\r\n4"), std::string::npos);
  EXPECT_NE(asked[4].body.find("\r\n\r\n89\r\n"), std::string::npos);
  EXPECT_EQ(net::ParseQuery(asked[5].body).at("upload_phase"), "finish");
}

TEST_F(FacebookVideoTest, UploadsThatFailAreNotSentAndBounded) {
  const std::string begun = R"({"video_id":"v1","upload_session_id":"s1","start_offset":"0","end_offset":"10"})";
  network.NextReset();
  EXPECT_EQ(Execute(Of(Bytes())).kind, OutcomeKind::kNotSent);
  network.Next(200, begun);
  for (int i = 0; i < 3; ++i) network.NextReset();
  EXPECT_EQ(Execute(Of(Bytes())).kind, OutcomeKind::kNotSent);
  EXPECT_EQ(network.Taken().size(), 5u);
  network.Next(200, begun);   // asks for the same for ever
  for (int i = 0; i < 3; ++i) network.Next(200, R"({"start_offset":"0","end_offset":"10"})");
  EXPECT_EQ(Execute(Of(Bytes())).kind, OutcomeKind::kNotSent);
  EXPECT_EQ(network.Taken().size(), 4u);
  network.Next(200, begun);   // asks for what the video does not have
  network.Next(200, R"({"start_offset":"10","end_offset":"99"})");
  EXPECT_EQ(Execute(Of(Bytes())).kind, OutcomeKind::kNotSent);
  network.Next(200, begun);
  network.Next(400, R"({"error":{"code":190,"error_subcode":463,"message":"died midway"}})");
  EXPECT_EQ(Execute(Of(Bytes())).reason, "TOKEN_EXPIRED");
  network.Next(200, begun);
  network.Next(200, R"({"start_offset":"10","end_offset":"10"})");
  network.NextReset();   // the one call that has the effect
  EXPECT_EQ(Execute(Of(Bytes())).kind, OutcomeKind::kUnknown);
}

TEST_F(FacebookVideoTest, AThumbnailThatIsRefusedIsLacking) {
  Write write = Of(AtUrl());
  write.draft.thumbnail = Media{.type = "image/png", .bytes = "PNG"};
  network.Next(200, R"({"id":"v1"})");
  Shown();
  network.Next(200, R"({"success":true})");
  EXPECT_EQ(Execute(write).lacking, "");
  const auto asked = network.Taken();
  EXPECT_EQ(asked[2].path, "/v23.0/v1/thumbnails");
  EXPECT_NE(asked[2].body.find("PNG"), std::string::npos);
  network.Next(200, R"({"id":"v1"})");
  Shown();
  network.Next(400, R"({"error":{"code":100,"message":"too small"}})");
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted);
  EXPECT_NE(out.lacking.find("too small"), std::string::npos);
}

TEST_F(FacebookVideoTest, ReelsAndStories) {
  network.Next(200, R"({"video_id":"v1","upload_url":")" + network.url() + R"(/upload/v1"})");
  network.NextReset();
  network.Next(200, R"({"id":"v1","status":{"video_status":"processing","uploading_phase":{"status":"in_progress","bytes_transfered":6}}})");
  network.Next(200, R"({"success":true})");
  network.Next(200, R"({"success":true,"post_id":"333"})");
  network.Next(400, R"({"error":{"code":100,"message":"no such field"}})");
  Outcome out = Execute(Of(Bytes(), PostFormat::kReel));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "111_333");
  auto asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/v23.0/111/video_reels");
  EXPECT_EQ(net::ParseQuery(asked[0].body).at("upload_phase"), "START");
  EXPECT_EQ(asked[3].body, "6789");
  EXPECT_EQ(asked[3].headers.at("offset"), "6");
  EXPECT_EQ(net::ParseQuery(asked[4].body).at("upload_phase"), "FINISH");
  EXPECT_EQ(net::ParseQuery(asked[4].body).at("video_state"), "PUBLISHED");
  EXPECT_EQ(net::ParseQuery(asked[4].body).at("description"), "Look");

  network.Next(200, R"({"video_id":"v1","upload_url":")" + network.url() + R"(/upload/v1"})");
  network.Next(200, R"({"success":true})");
  network.Next(200, R"({"success":true,"post_id":"444"})");
  EXPECT_EQ(Execute(Of(AtUrl(), PostFormat::kStory)).remote_id, "444");
  asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/v23.0/111/video_stories");
  EXPECT_EQ(asked[1].headers.at("file_url"), "https://cdn.example/1.mp4");
  network.Next(200, R"({"id":"p1"})");
  network.Next(200, R"({"success":true,"post_id":"555"})");
  EXPECT_EQ(Execute(Of({.url = "https://cdn.example/1.png", .type = "image/png"}, PostFormat::kStory)).remote_id, "555");
  asked = network.Taken();
  EXPECT_EQ(net::ParseQuery(asked[0].body).at("published"), "false");
  EXPECT_EQ(net::ParseQuery(asked[1].body).at("photo_id"), "p1");
}

TEST_F(FacebookVideoTest, AreReadBackByTheirOwnLists) {
  const Write reel = Of(Bytes(), PostFormat::kReel);
  network.Next(200, R"({"data":[{"id":"v1","description":"Look","created_time":"2023-11-14T22:13:20+0000","permalink_url":"/reel/v1/"},
                               {"id":"v0","description":"Look","created_time":"2020-11-14T22:13:20+0000"}]})");
  const auto reels = connector.ReadBack(network.call(), account, reel, absl::FromUnixSeconds(1700000000), 25);
  ASSERT_TRUE(reels.ok()) << reels.status();
  ASSERT_EQ(reels->size(), 1u);
  EXPECT_TRUE(connector.Matches(reel, reels->at(0)));
  network.Next(200, R"({"data":[{"post_id":"444","creation_time":"1700000000","url":"u"},{"post_id":"443","creation_time":1600000000}]})");
  const auto stories = connector.ReadBack(network.call(), account, Of(Bytes(), PostFormat::kStory), absl::FromUnixSeconds(1700000000), 25);
  ASSERT_TRUE(stories.ok()) << stories.status();
  EXPECT_EQ(stories->size(), 1u);
  Write letter;
  letter.kind = WriteKind::kPrivateReply;
  letter.target_remote_id = "222_333";
  letter.target_author_id = "999";
  letter.draft.text = "Hello";
  network.Next(200, R"({"data":[{"id":"t","messages":{"data":[{"id":"m_1","message":"Hello","from":{"id":"111"},"created_time":"2023-11-14T22:13:20+0000"}]}}]})");
  const auto letters = connector.ReadBack(network.call(), account, letter, absl::FromUnixSeconds(1700000000), 25);
  ASSERT_TRUE(letters.ok()) << letters.status();
  EXPECT_TRUE(connector.Matches(letter, letters->at(0)));
  EXPECT_EQ(net::ParseQuery(network.Taken().back().query).at("user_id"), "999");
}

TEST_F(FacebookVideoTest, ChecksAndCounts) {
  const auto reason = [&](const Draft& draft, WriteKind kind = WriteKind::kPost) {
    const auto violations = connector.Check(kind, draft);
    return violations.empty() ? "" : violations[0].field + " " + violations[0].reason;
  };
  Write mixed = Of(Bytes());
  mixed.draft.media.push_back({.url = "https://cdn.example/1.png", .type = "image/png"});
  EXPECT_EQ(reason(mixed.draft), "media MEDIA_MIX");
  EXPECT_EQ(reason(Of({.url = "https://cdn.example/1.png", .type = "image/png"}, PostFormat::kReel).draft), "media MEDIA_MISSING");
  Write wordy = Of(AtUrl(), PostFormat::kStory);
  wordy.draft.text = "x";
  EXPECT_EQ(reason(wordy.draft), "text TEXT_NOT_SHOWN");
  EXPECT_EQ(reason(Of(AtUrl()).draft, WriteKind::kReply), "media MEDIA_TYPE");
  EXPECT_EQ(reason(Of(Bytes()).draft), "");
  network.Next(200, R"({"id":"1_2","reactions":{"summary":{"total_count":9}}})");
  network.Next(200, R"({"data":[{"name":"post_media_view","period":"lifetime","values":[{"value":70}]},{"name":"post_total_media_view_unique","values":[{"value":50}]}]})");
  const auto counts = connector.Measure(network.call(), account, {"1_2"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->counts.at(0).values, (std::map<std::string, int64_t>{{"likes", 9}, {"shares", 0}, {"views", 70}, {"reach", 50}}));
  EXPECT_EQ(net::ParseQuery(network.Taken()[1].query).at("metric"), "post_media_view,post_total_media_view_unique");
  network.Next(200, R"({"id":"111","followers_count":12})");
  network.Next(200, R"({"data":[{"name":"page_media_view","values":[{"value":1},{"value":2}]}]})");
  EXPECT_EQ(connector.Measure(network.call(), account, {})->counts.at(0).values, (std::map<std::string, int64_t>{{"followers", 12}, {"views", 2}}));
  network.Next(200, R"({"id":"111"})");
  network.Next(400, R"({"error":{"code":32,"message":"too often"}})");
  EXPECT_EQ(ReasonOf(connector.Measure(network.call(), account, {}).status()), "RATE_LIMITED");
}

}  // namespace
}  // namespace parvis::networks
