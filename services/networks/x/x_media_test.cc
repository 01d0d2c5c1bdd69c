#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/x/x.h"

namespace parvis::networks {
namespace {

class XMediaTest : public ConnectorTest {
 protected:
  XMediaTest() : ConnectorTest("x", "10") {}
  Write With(const std::string& type, const std::string& bytes) {
    Write write;
    write.draft.text = "Look";
    write.draft.media = {{.type = type, .bytes = bytes}};
    return write;
  }
  void NextStarted() {
    network.Next(200, R"({"data":{"id":"9007199254740993","media_key":"13_1","expires_after_secs":60}})");
  }
};

TEST_F(XMediaTest, SendsAVideoInPiecesAndWaitsForIt) {
  const std::string video = std::string(4 << 20, 'a') + "tail";
  NextStarted();
  network.Next(200, R"({"data":{"expires_at":1}})");
  network.NextReset();  // the second piece is lost and sent again
  network.Next(204, "");
  network.Next(200, R"({"data":{"id":"9007199254740993","processing_info":{"state":"pending","check_after_secs":0}}})");
  network.Next(200,
               R"({"data":{"processing_info":{"state":"in_progress","check_after_secs":0,"progress_percent":50}}})");
  network.Next(503, "");
  network.Next(200, R"({"data":{"processing_info":{"state":"succeeded","sparkle":1}}})");
  network.Next(201, R"({"data":{"id":"20"}})");
  const Outcome out = Execute(With("video/mp4", video));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 9u);
  EXPECT_EQ(asked[0].path, "/2/media/upload/initialize");
  EXPECT_EQ(ParseJson(asked[0].body),
            Json({{"media_type", "video/mp4"}, {"total_bytes", video.size()}, {"media_category", "tweet_video"}}));
  EXPECT_EQ(asked[1].path, "/2/media/upload/9007199254740993/append");
  EXPECT_NE(asked[1].body.find("name=\"segment_index\"\r\n\r\n0\r\n"), std::string::npos);
  EXPECT_NE(asked[3].body.find("name=\"segment_index\"\r\n\r\n1\r\n"), std::string::npos);
  EXPECT_NE(asked[3].body.find("\r\n\r\ntail\r\n--"), std::string::npos);
  EXPECT_EQ(asked[2].body, asked[3].body);
  EXPECT_EQ(asked[4].path, "/2/media/upload/9007199254740993/finalize");
  EXPECT_EQ(net::ParseQuery(asked[5].query).at("command"), "STATUS");
  EXPECT_EQ(ParseJson(asked[8].body)["media"]["media_ids"], Json::array({"9007199254740993"}));
}

TEST_F(XMediaTest, NothingOfAFailedUploadIsSeen) {
  Outcome out;
  network.NextReset();
  EXPECT_EQ(Execute(With("video/mp4", "V")).kind, OutcomeKind::kNotSent);
  NextStarted();
  for (int i = 0; i < 3; ++i) network.NextReset();
  EXPECT_EQ(Execute(With("video/mp4", "V")).kind, OutcomeKind::kNotSent);
  NextStarted();
  network.Next(400, R"({"type":"https://api.x.com/2/problems/invalid-request","detail":"segment"})");
  EXPECT_EQ(Execute(With("video/mp4", "V")).error, ErrorClass::kInvalid);
  NextStarted();
  network.Next(200, "{}");
  network.Next(
      200,
      R"({"data":{"processing_info":{"state":"failed","error":{"code":1,"name":"InvalidMedia","message":"bad codec"}}}})");
  out = Execute(With("video/mp4", "V"));
  EXPECT_EQ(out.kind, OutcomeKind::kRefused);
  EXPECT_NE(out.message.find("bad codec"), std::string::npos) << out.message;
  EXPECT_EQ(out.budget, "media");
  NextStarted();
  network.Next(200, "{}");
  network.Next(200, R"({"data":{"processing_info":{"state":"pending","check_after_secs":50}}})");
  out = Execute(With("video/mp4", "V"));  // longer than the call may take
  EXPECT_EQ(out.kind, OutcomeKind::kNotSent);
  EXPECT_NE(out.message.find("still processing"), std::string::npos) << out.message;
  network.Next(429, "{}");
  EXPECT_EQ(Execute(With("video/mp4", "V")).error, ErrorClass::kRateLimited);
}

TEST_F(XMediaTest, GifsGoInPiecesAndCanBeDescribed) {
  NextStarted();
  network.Next(200, "{}");
  network.Next(200, R"({"data":{"id":"9007199254740993"}})");  // ready at once
  network.Next(200, "{}");
  network.Next(201, R"({"data":{"id":"20"}})");
  Write write = With("image/gif", "GIF89a");
  write.draft.media[0].alt_text = "A lamp";
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  const auto asked = network.Taken();
  EXPECT_EQ(ParseJson(asked[0].body)["media_category"], "tweet_gif");
  EXPECT_EQ(ParseJson(asked[3].body)["id"], "9007199254740993");
}

TEST_F(XMediaTest, ChecksSizesAndMixes) {
  EXPECT_TRUE(connector.capabilities().Can(Feature::kVideo));
  Draft draft;
  draft.text = "x";
  draft.media = {{.url = "https://brand.com/a.gif", .type = "image/gif", .size_bytes = 15 << 20}};
  EXPECT_TRUE(connector.Check(WriteKind::kPost, draft).empty());
  draft.media = {{.url = "https://brand.com/a.png", .type = "image/png", .size_bytes = 15 << 20}};
  EXPECT_EQ(connector.Check(WriteKind::kPost, draft).at(0).reason, "MEDIA_TOO_LARGE");
  draft.media = {
      {.url = "https://brand.com/a.mp4", .type = "video/mp4", .size_bytes = 512 << 20, .duration = absl::Seconds(140)}};
  EXPECT_TRUE(connector.Check(WriteKind::kPost, draft).empty());
  draft.media[0].duration = absl::Seconds(141);
  draft.media.push_back({.url = "https://brand.com/a.png", .type = "image/png"});
  EXPECT_EQ(connector.Check(WriteKind::kPost, draft).size(), 2u);
}

TEST_F(XMediaTest, SaysWhatSelfServeKeysMayNot) {
  const char kForbidden[] = R"({"type":"https://api.x.com/2/problems/client-forbidden","detail":"not permitted"})";
  Write reply;
  reply.kind = WriteKind::kReply;
  reply.target_remote_id = "19";
  reply.draft.text = "Merci";
  network.Next(403, kForbidden);
  const Outcome out = Execute(reply);
  EXPECT_EQ(out.error, ErrorClass::kPermission);
  EXPECT_NE(out.message.find("mentioned or quoted"), std::string::npos) << out.message;
  Write quote;
  quote.draft.quote_remote_id = "9";
  Outcome refused;
  refused.kind = OutcomeKind::kRefused;
  refused.error = ErrorClass::kPermission;
  EXPECT_NE(WithPermissionHint(refused, quote).message.find("may not quote"), std::string::npos);
  refused.error = ErrorClass::kDuplicate;
  EXPECT_EQ(WithPermissionHint(refused, quote).message, "");
}

}  // namespace
}  // namespace parvis::networks
