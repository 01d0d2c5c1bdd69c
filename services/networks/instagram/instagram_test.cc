#include "networks/instagram/instagram.h"

#include <gtest/gtest.h>

#include "networks/meta/upload.h"
#include "networks/testing/connector_test.h"

namespace parvis::networks {
namespace {

class InstagramTest : public ConnectorTest {
 protected:
  InstagramTest() : ConnectorTest("instagram", "17841", "", "/instagram/v23.0") {}
  static Media Picture(const std::string& url = "https://cdn.example/1.jpg") {
    return {.url = url, .type = "image/jpeg", .alt_text = "A lamp"};
  }
  static Media Video(const std::string& url = "https://cdn.example/1.mp4") { return {.url = url, .type = "video/mp4"}; }
  static Write Post(const std::string& text, std::vector<Media> media, PostFormat format = PostFormat::kPost) {
    Write write;
    write.draft.text = text;
    write.draft.media = std::move(media);
    write.draft.format = format;
    return write;
  }
  static Write Of(WriteKind kind, const std::string& text = "") {
    Write write;
    write.kind = kind;
    write.draft.text = text;
    write.target_remote_id = "17890000000000001";
    write.post_remote_id = "18000000000000001";
    return write;
  }
  void Ready() { network.Next(200, R"({"status_code":"FINISHED","id":"c1"})"); }
  void Published() {
    network.Next(200, R"({"id":"18099999999999999"})");
    network.Next(200, R"({"id":"18099999999999999","permalink":"https://www.instagram.com/p/x/"})");
  }
  std::map<std::string, std::string> Form(const net::HttpRequest& request) { return net::ParseQuery(request.body); }
};

TEST_F(InstagramTest, PublishesAPicture) {
  network.Next(200, R"({"id":"c1"})");
  network.Next(200, R"({"status_code":"IN_PROGRESS"})");
  Ready();
  Published();
  const Outcome out = Execute(Post("Bonjour #lampe", {Picture()}));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "18099999999999999");
  EXPECT_EQ(out.permalink, "https://www.instagram.com/p/x/");
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 5u);
  EXPECT_EQ(asked[0].path, "/instagram/v23.0/17841/media");
  EXPECT_EQ(Form(asked[0]), (std::map<std::string, std::string>{{"image_url", "https://cdn.example/1.jpg"}, {"alt_text", "A lamp"},
                                                                {"caption", "Bonjour #lampe"}, {"access_token", "the-access_token"}}));
  EXPECT_EQ(asked[1].path, "/instagram/v23.0/c1");
  EXPECT_EQ(net::ParseQuery(asked[1].query).at("fields"), "status_code,status");
  EXPECT_EQ(asked[3].path, "/instagram/v23.0/17841/media_publish");
  EXPECT_EQ(Form(asked[3]).at("creation_id"), "c1");
}

TEST_F(InstagramTest, PublishesReelsAndStories) {
  Write reel = Post("Look", {Video()}, PostFormat::kReel);
  reel.draft.thumbnail = Picture("https://cdn.example/cover.jpg");
  reel.draft.options["share_to_feed"] = "false";
  EXPECT_TRUE(connector.Check(WriteKind::kPost, reel.draft).empty());
  network.Next(200, R"({"id":"c1"})");
  Ready();
  Published();
  EXPECT_EQ(Execute(reel).kind, OutcomeKind::kAccepted);
  auto form = Form(network.Taken().at(0));
  EXPECT_EQ(form.at("media_type"), "REELS");
  EXPECT_EQ(form.at("video_url"), "https://cdn.example/1.mp4");
  EXPECT_EQ(form.at("cover_url"), "https://cdn.example/cover.jpg");
  EXPECT_EQ(form.at("share_to_feed"), "false");

  network.Next(200, R"({"id":"c1"})");
  Ready();
  Published();
  EXPECT_EQ(Execute(Post("", {Picture()}, PostFormat::kStory)).kind, OutcomeKind::kAccepted);
  form = Form(network.Taken().at(0));
  EXPECT_EQ(form.at("media_type"), "STORIES");
  EXPECT_EQ(form.count("caption") + form.count("alt_text"), 0u);
}

TEST_F(InstagramTest, PublishesACarousel) {
  network.Next(200, R"({"id":"k1"})");
  network.Next(200, R"({"id":"k2"})");
  Ready();   // the video of the carousel
  network.Next(200, R"({"id":"c9"})");
  Ready();
  Published();
  const Outcome out = Execute(Post("Both", {Picture(), Video()}));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 7u);
  EXPECT_EQ(Form(asked[0]).at("is_carousel_item"), "true");
  EXPECT_EQ(Form(asked[0]).count("caption"), 0u);
  EXPECT_EQ(Form(asked[1]).at("media_type"), "VIDEO");
  EXPECT_EQ(Form(asked[3]).at("media_type"), "CAROUSEL");
  EXPECT_EQ(Form(asked[3]).at("children"), "k1,k2");
  EXPECT_EQ(Form(asked[3]).at("caption"), "Both");
  EXPECT_EQ(Form(asked[5]).at("creation_id"), "c9");
}

// Kept media have both their content and an address.
TEST_F(InstagramTest, FetchesPicturesAndWhatIsTooLargeToBeSent) {
  Media picture = Picture();
  picture.bytes = "jpeg";
  Media large = Video();
  large.bytes = "not looked at";
  large.size_bytes = meta::kUploadBytesMax + 1;
  for (const Media& media : {picture, large}) {
    network.Next(200, R"({"id":"c1"})");
    Ready();
    Published();
    EXPECT_EQ(Execute(Post("Look", {media})).kind, OutcomeKind::kAccepted);
    const auto asked = network.Taken();
    EXPECT_EQ(Form(asked[0]).count("upload_type"), 0u);
    EXPECT_EQ(Form(asked[0]).at(media.type == "image/jpeg" ? "image_url" : "video_url"), media.url);
  }
}

TEST_F(InstagramTest, UploadsAVideoAndGoesOnWhereItStopped) {
  Media video{.type = "video/mp4", .bytes = "0123456789"};
  network.Next(200, R"({"id":"c1","uri":")" + network.url() + R"(/upload/c1"})");
  network.NextReset();
  network.Next(200, R"({"id":"c1","status_code":"IN_PROGRESS","video_status":{"uploading_phase":{"bytes_transferred":4}}})");
  network.Next(200, R"({"success":true})");
  Ready();
  Published();
  const Outcome out = Execute(Post("Look", {video}));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  const auto asked = network.Taken();
  EXPECT_EQ(Form(asked[0]).at("upload_type"), "resumable");
  EXPECT_EQ(asked[1].path, "/upload/c1");
  EXPECT_EQ(asked[1].body, "0123456789");
  EXPECT_EQ(asked[1].headers.at("offset"), "0");
  EXPECT_EQ(asked[1].headers.at("file_size"), "10");
  EXPECT_EQ(asked[1].headers.at("Authorization"), "OAuth the-access_token");
  EXPECT_EQ(asked[3].body, "456789");
  EXPECT_EQ(asked[3].headers.at("offset"), "4");

  // The token goes to nobody else.
  network.Next(200, R"({"id":"c1","uri":"https://evil.example/upload"})");
  EXPECT_EQ(Execute(Post("Look", {video})).kind, OutcomeKind::kNotSent);
  EXPECT_EQ(network.Taken().size(), 1u);
  EXPECT_TRUE(meta::IsOfMeta("https://rupload.facebook.com/ig-api-upload/v23.0/1", account.base_url));
  EXPECT_FALSE(meta::IsOfMeta("http://rupload.facebook.com/x", account.base_url));
  EXPECT_FALSE(meta::IsOfMeta("https://evil.facebook.com.example/x", account.base_url));
  EXPECT_FALSE(meta::IsOfMeta("https://evilfacebook.com/x", account.base_url));
  EXPECT_FALSE(meta::IsOfMeta("https://a@x.facebook.com", account.base_url));
}

// facts 12: a container that is never FINISHED.
TEST_F(InstagramTest, AContainerThatIsNeverFinishedIsNotSent) {
  network.Next(200, R"({"id":"c1"})");
  for (int i = 0; i < 40; ++i) network.Next(200, R"({"status_code":"IN_PROGRESS"})");
  Call call = network.call();
  RealClock clock;
  call.deadline = clock.Now() + absl::Milliseconds(1500);
  Outcome out = connector.Execute(call, account, Post("x", {Picture()}));
  EXPECT_EQ(out.kind, OutcomeKind::kNotSent);
  EXPECT_EQ(out.reason, "TRANSIENT");
  for (const auto& request : network.Taken()) EXPECT_EQ(request.path.find("media_publish"), std::string::npos);
}

TEST_F(InstagramTest, BrokenContainersSayWhetherTryingAgainHelps) {
  ScriptedNetwork other;
  const std::vector<std::pair<std::string, OutcomeKind>> cases = {
      {R"({"status_code":"ERROR","status":"Error: Media upload has failed with error code 2207026"})", OutcomeKind::kRefused},
      {R"({"status_code":"ERROR","status":"Error: Media upload has failed with error code 2207003"})", OutcomeKind::kNotSent},
      {R"({"status_code":"ERROR"})", OutcomeKind::kRefused},
      {R"({"status_code":"EXPIRED"})", OutcomeKind::kNotSent}};
  for (const auto& [body, kind] : cases) {
    other.Next(200, R"({"id":"c1"})");
    other.Next(200, body);
    Account there = other.account("instagram", "17841");
    EXPECT_EQ(other.connector("instagram").Execute(other.call(), there, Post("x", {Picture()})).kind, kind) << body;
  }
  network.NextReset();   // nobody sees a container
  EXPECT_EQ(Execute(Post("x", {Picture()})).kind, OutcomeKind::kNotSent);
  network.Next(400, R"({"error":{"code":9004,"error_subcode":2207052,"message":"not fetched"}})");
  EXPECT_EQ(Execute(Post("x", {Picture()})).kind, OutcomeKind::kRefused);
}

TEST_F(InstagramTest, PublishingIsSettledByTheContainer) {
  const auto lost = [&] {
    network.Next(200, R"({"id":"c1"})");
    Ready();
    network.NextReset();
  };
  const std::string now = FormatIsoTime(RealClock().WallNow());
  lost();
  network.Next(200, R"({"status_code":"PUBLISHED"})");
  network.Next(200, R"({"data":[{"id":"7","caption":"Bonjour","timestamp":")" + now + R"(","permalink":"l"},
                               {"id":"6","caption":"Bonjour","timestamp":"2020-01-01T00:00:00+0000"}]})");
  Outcome out = Execute(Post("Bonjour", {Picture()}));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "7");
  EXPECT_EQ(network.Taken().back().path, "/instagram/v23.0/17841/media");
  lost();
  network.Next(200, R"({"status_code":"PUBLISHED"})");   // and not listed yet
  network.Next(200, R"({"data":[]})");
  EXPECT_EQ(Execute(Post("Bonjour", {Picture()})).kind, OutcomeKind::kUnknown);
  lost();
  network.Next(200, R"({"status_code":"FINISHED"})");
  EXPECT_EQ(Execute(Post("Bonjour", {Picture()})).kind, OutcomeKind::kUnknown);
  lost();
  network.Next(200, R"({"status_code":"EXPIRED"})");
  EXPECT_EQ(Execute(Post("Bonjour", {Picture()})).kind, OutcomeKind::kNotSent);
  lost();   // and the status cannot be had
  EXPECT_EQ(Execute(Post("Bonjour", {Picture()})).kind, OutcomeKind::kUnknown);
  network.Taken();

  // What the publishing itself refuses did not happen.
  const std::vector<std::pair<int, OutcomeKind>> cases = {
      {2207027, OutcomeKind::kNotSent}, {2207008, OutcomeKind::kNotSent}, {2207042, OutcomeKind::kRefused}, {2207051, OutcomeKind::kRefused}};
  for (const auto& [subcode, kind] : cases) {
    network.Next(200, R"({"id":"c1"})");
    Ready();
    network.Next(400, R"({"error":{"code":9,"error_subcode":)" + std::to_string(subcode) + R"(,"message":"m"}})");
    out = Execute(Post("x", {Picture()}));
    EXPECT_EQ(out.kind, kind) << subcode;
    EXPECT_EQ(out.budget.has_value(), subcode != 2207042) << subcode;
  }
  EXPECT_EQ(network.Taken().size(), 12u);
}

TEST_F(InstagramTest, AnswersHidesDeletesAndCloses) {
  network.Next(200, R"({"id":"17800"})");
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Merci")).remote_id, "17800");
  Write below = Of(WriteKind::kReply, "Merci");
  below.target_remote_id = below.post_remote_id;
  network.Next(200, R"({"id":"17801"})");
  EXPECT_EQ(Execute(below).remote_id, "17801");
  for (const WriteKind kind : {WriteKind::kHide, WriteKind::kUnhide, WriteKind::kDelete, WriteKind::kLock, WriteKind::kUnlock}) {
    network.Next(200, R"({"success":true})");
    EXPECT_EQ(Execute(Of(kind)).kind, OutcomeKind::kAccepted) << NameOf(kind);
  }
  network.Next(200, R"({"recipient_id":"55","message_id":"m1"})");
  EXPECT_EQ(Execute(Of(WriteKind::kPrivateReply, "In private")).remote_id, "m1");
  const auto asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/instagram/v23.0/17890000000000001/replies");
  EXPECT_EQ(Form(asked[0]).at("message"), "Merci");
  EXPECT_EQ(asked[1].path, "/instagram/v23.0/18000000000000001/comments");
  EXPECT_EQ(Form(asked[2]).at("hide"), "true");
  EXPECT_EQ(Form(asked[3]).at("hide"), "false");
  EXPECT_EQ(asked[4].method, "DELETE");
  EXPECT_EQ(Form(asked[5]).at("comment_enabled"), "false");
  EXPECT_EQ(Form(asked[6]).at("comment_enabled"), "true");
  EXPECT_EQ(Form(asked[7]).at("recipient"), R"({"comment_id":"17890000000000001"})");
  EXPECT_EQ(asked[7].path, "/instagram/v23.0/17841/messages");
  for (const WriteKind kind : {WriteKind::kBan, WriteKind::kReport, WriteKind::kApprove, WriteKind::kSpam, WriteKind::kMute}) {
    EXPECT_EQ(Execute(Of(kind)).kind, OutcomeKind::kRefused) << NameOf(kind);
  }
  EXPECT_EQ(network.Taken().size(), 0u);
}

// Below somebody else's post, where we were mentioned, another edge answers.
TEST_F(InstagramTest, AnswersMentions) {
  const std::string hidden = R"({"error":{"code":100,"error_subcode":33,"message":"not visible"}})";
  network.Next(400, hidden);
  network.Next(200, R"({"id":"17802"})");
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Merci")).remote_id, "17802");
  auto asked = network.Taken();
  EXPECT_EQ(asked[1].path, "/instagram/v23.0/17841/mentions");
  EXPECT_EQ(Form(asked[1]).at("comment_id"), "17890000000000001");
  EXPECT_EQ(Form(asked[1]).at("media_id"), "18000000000000001");
  network.Next(400, hidden);
  network.Next(400, R"({"error":{"code":100,"message":"no mention"}})");
  const Outcome gone = Execute(Of(WriteKind::kReply, "Merci"));
  EXPECT_EQ(gone.kind, OutcomeKind::kRefused);
  EXPECT_EQ(gone.reason, "NOT_FOUND");
  network.Next(400, hidden);
  network.NextReset();
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Merci")).kind, OutcomeKind::kUnknown);
}

TEST_F(InstagramTest, ChecksEveryRule) {
  const auto reasons = [&](const Draft& draft, WriteKind kind = WriteKind::kPost) {
    std::vector<std::string> out;
    for (const Violation& v : connector.Check(kind, draft)) out.push_back(v.field + " " + v.reason);
    std::sort(out.begin(), out.end());
    return out;
  };
  using V = std::vector<std::string>;
  EXPECT_EQ(reasons(Post("", {Picture()}).draft), V());
  EXPECT_EQ(reasons(Post("only text", {}).draft), V({"media MEDIA_MISSING"}));
  EXPECT_EQ(reasons(Post(std::string(2201, 'x'), {Picture()}).draft), V({"text TEXT_TOO_LONG"}));
  std::string tags;
  for (int i = 0; i < 31; ++i) tags += "#t" + std::to_string(i) + " a#b ";
  EXPECT_EQ(reasons(Post(tags, {Picture()}).draft), V({"text TOO_MANY_HASHTAGS"}));
  EXPECT_EQ(reasons(Post("x", std::vector<Media>(11, Picture())).draft), V({"media TOO_MANY_MEDIA"}));
  EXPECT_EQ(reasons(Post("x", {Picture()}, PostFormat::kReel).draft), V({"media[0].type MEDIA_TYPE"}));
  EXPECT_EQ(reasons(Post("x", {Picture()}, PostFormat::kStory).draft), V({"text TEXT_NOT_SHOWN"}));
  EXPECT_EQ(reasons(Post("x", {{.type = "image/jpeg", .bytes = "b"}}).draft), V({"media[0].url MEDIA_URL"}));
  EXPECT_EQ(reasons(Post("x", {{.type = "video/mp4", .bytes = "b"}}).draft), V());
  EXPECT_EQ(reasons(Post("x", {{.type = "video/mp4", .bytes = "b", .size_bytes = meta::kUploadBytesMax + 1}}).draft),
            V({"media[0].url MEDIA_URL"}));
  Write cover = Post("x", {Picture()});
  cover.draft.thumbnail = Picture();
  EXPECT_EQ(reasons(cover.draft), V({"thumbnail NOT_POSSIBLE"}));
  EXPECT_EQ(reasons(Post("", {}).draft, WriteKind::kReply), V({"text TEXT_MISSING"}));
  EXPECT_EQ(reasons(Post("x", {Picture()}).draft, WriteKind::kReply), V({"media TOO_MANY_MEDIA"}));
  for (int i = 0; i < kFeatures; ++i) {
    const Support& support = connector.capabilities().Of(static_cast<Feature>(i));
    if (support.stance == Stance::kNotBuilt) {
      EXPECT_FALSE(support.because.empty()) << NameOf(static_cast<Feature>(i));
    }
    if (support.stance == Stance::kNotInApi) {
      EXPECT_FALSE(support.source.empty()) << NameOf(static_cast<Feature>(i));
    }
  }
}

}  // namespace
}  // namespace parvis::networks
