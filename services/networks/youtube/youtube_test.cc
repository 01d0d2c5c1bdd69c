#include <gtest/gtest.h>

#include <set>

#include "networks/testing/connector_test.h"
#include "networks/youtube/youtube.h"

namespace parvis::networks {
namespace {

constexpr int64_t kPiece = 4 << 20;

class YouTubeTest : public ConnectorTest {
 protected:
  YouTubeTest() : ConnectorTest("youtube", "UCus") {}
  Write Video(const std::string& bytes = "VIDEO") {
    Write write;
    write.draft.title = "A lamp";
    write.draft.text = "Made of brass";
    write.draft.media = {{.type = "video/mp4", .bytes = bytes}};
    return write;
  }
  Write Of(WriteKind kind, const std::string& target, const std::string& text = "") {
    Write write;
    write.kind = kind;
    write.target_remote_id = target;
    write.draft.text = text;
    return write;
  }
  void NextSession() { network.Next(200, "", {{"Location", network.url() + "/session?upload_id=S1"}}); }
  void NextMore(int64_t arrived) {
    net::Headers headers;
    if (arrived > 0) headers["Range"] = "bytes=0-" + std::to_string(arrived - 1);
    network.Next(308, "", headers);
  }
  void NextDone(const char* privacy = "public") {
    network.Next(200,
                 std::string(R"({"id":"dQw4w9WgXcQ","status":{"privacyStatus":")") + privacy + R"("},"sparkle":1})");
  }
  std::string RangeOf(const net::HttpRequest& request) { return request.headers.at("Content-Range"); }
};

TEST_F(YouTubeTest, UploadsAVideoWithAllItSays) {
  NextSession();
  NextDone();
  network.Next(200, "{}");
  Write write = Video();
  write.draft.link = "https://brand.com";
  write.draft.tags = {"lamp", "brass work"};
  write.draft.language = "fr";
  write.draft.options = {
      {"visibility", "unlisted"}, {"category", "26"}, {"made_for_kids", "false"}, {"notify_subscribers", "false"}};
  write.draft.thumbnail = Media{.type = "image/png", .bytes = "PNG"};
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "dQw4w9WgXcQ");
  EXPECT_EQ(out.permalink, "https://www.youtube.com/watch?v=dQw4w9WgXcQ");
  EXPECT_EQ(out.lacking, "");
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].path, "/upload/youtube/v3/videos");
  EXPECT_EQ(net::ParseQuery(asked[0].query).at("notifySubscribers"), "false");
  EXPECT_EQ(net::ParseQuery(asked[0].query).at("uploadType"), "resumable");
  EXPECT_EQ(asked[0].headers.at("X-Upload-Content-Length"), "5");
  EXPECT_EQ(asked[0].headers.at("X-Upload-Content-Type"), "video/mp4");
  const Json meta = ParseJson(asked[0].body);
  EXPECT_EQ(meta["snippet"]["description"], "Made of brass\nhttps://brand.com");
  EXPECT_EQ(meta["snippet"]["tags"], Json::array({"lamp", "brass work"}));
  EXPECT_EQ(meta["snippet"]["categoryId"], "26");
  EXPECT_EQ(meta["status"]["privacyStatus"], "unlisted");
  EXPECT_EQ(meta["status"]["selfDeclaredMadeForKids"], false);
  EXPECT_EQ(asked[1].method + asked[1].path, "PUT/session");
  EXPECT_EQ(RangeOf(asked[1]), "bytes 0-4/5");
  EXPECT_EQ(asked[1].body, "VIDEO");
  EXPECT_EQ(asked[1].headers.at("Authorization"), "Bearer the-access_token");
  EXPECT_EQ(asked[2].path, "/upload/youtube/v3/thumbnails/set");
  EXPECT_EQ(asked[2].body, "PNG");
}

TEST_F(YouTubeTest, GoesOnWhereTheNetworkSaysAfterALoss) {
  const std::string bytes(2 * kPiece + 10, 'v');
  NextSession();
  NextMore(kPiece);
  network.NextReset();        // the second piece is lost on its way
  NextMore(kPiece + 262144);  // a quarter of a megabyte of it arrived
  NextMore(2 * kPiece + 0);   // fewer than were sent
  network.Next(503, "");
  NextMore(2 * kPiece);
  NextDone();
  const Outcome out = Execute(Video(bytes));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 8u);
  const std::string size = std::to_string(bytes.size());
  EXPECT_EQ(RangeOf(asked[3]), "bytes */" + size);
  EXPECT_EQ(asked[3].body, "");
  EXPECT_EQ(RangeOf(asked[4]),
            "bytes " + std::to_string(kPiece + 262144) + "-" + std::to_string(bytes.size() - 1) + "/" + size);
  EXPECT_EQ(RangeOf(asked[6]), "bytes */" + size);
  EXPECT_EQ(RangeOf(asked[7]),
            "bytes " + std::to_string(2 * kPiece) + "-" + std::to_string(2 * kPiece + 9) + "/" + size);
}

// The last piece is the effect: what became of it is asked of the session, and is unknown only when that does not tell.
TEST_F(YouTubeTest, TheLastPieceMayHaveHappened) {
  NextSession();
  network.NextReset();
  NextDone();  // it had
  EXPECT_EQ(Execute(Video()).kind, OutcomeKind::kAccepted);
  NextSession();
  network.NextReset();
  network.Next(404, "");  // the session is over
  Outcome out = Execute(Video());
  EXPECT_EQ(out.kind, OutcomeKind::kUnknown);
  EXPECT_EQ(out.reason, "OUTCOME_UNKNOWN");
  NextSession();
  for (int i = 0; i < 5; ++i) NextMore(0);  // nothing arrives
  EXPECT_EQ(Execute(Video()).kind, OutcomeKind::kNotSent);
  network.Taken();
  NextSession();
  network.Next(200, "garbage");
  EXPECT_EQ(Execute(Video()).kind, OutcomeKind::kUnknown);
  NextSession();
  network.Next(308, "", {{"Range", "bytes=5-9"}});
  EXPECT_EQ(Execute(Video()).kind, OutcomeKind::kUnknown);
}

TEST_F(YouTubeTest, WhatFailsBeforeTheLastPieceHasNoEffect) {
  network.NextReset();
  EXPECT_EQ(Execute(Video()).kind, OutcomeKind::kNotSent);
  network.Next(200, "");  // no session
  EXPECT_EQ(Execute(Video()).kind, OutcomeKind::kNotSent);
  NextSession();
  network.Next(401, R"({"error":{"code":401,"message":"Invalid Credentials","errors":[{"reason":"authError"}]}})");
  EXPECT_EQ(Execute(Video()).error, ErrorClass::kTokenExpired);
  NextSession();
  network.NextReset();
  network.Next(404, "");
  EXPECT_EQ(Execute(Video(std::string(kPiece + 1, 'v'))).kind, OutcomeKind::kRefused);
  network.Next(
      403,
      R"({"error":{"code":403,"message":"quota","errors":[{"domain":"youtube.quota","reason":"quotaExceeded"}]}})");
  const Outcome quota = Execute(Video());
  EXPECT_EQ(quota.error, ErrorClass::kRateLimited);
  ASSERT_TRUE(quota.rate.retry_after.has_value());
  EXPECT_LE(*quota.rate.retry_after, absl::Hours(25));
}

TEST_F(YouTubeTest, SaysWhatAVideoLacks) {
  NextSession();
  NextDone("private");
  network.Next(403, R"({"error":{"code":403,"message":"no custom thumbnails","errors":[{"reason":"forbidden"}]}})");
  Write write = Video();
  write.draft.thumbnail = Media{.type = "image/png", .bytes = "PNG"};
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted);
  EXPECT_NE(out.lacking.find("private"), std::string::npos) << out.lacking;
  EXPECT_NE(out.lacking.find("no custom thumbnails"), std::string::npos) << out.lacking;
}

// A session elsewhere is opened by its address alone: the token is not shown to whoever is named in a header.
TEST_F(YouTubeTest, GivesTheTokenToItsOwnHostOnly) {
  ScriptedNetwork other;
  network.Next(200, "", {{"Location", other.url() + "/session"}});
  other.Next(200, R"({"id":"v"})");
  EXPECT_EQ(Execute(Video()).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(other.Taken().at(0).headers.count("Authorization"), 0u);
}

TEST_F(YouTubeTest, RepliesBelowTheTopLevelComment) {
  network.Next(200, R"({"id":"UgxA.9new","snippet":{"parentId":"UgxA"}})");
  Write reply = Of(WriteKind::kReply, "UgxA.8old", "Merci");
  reply.post_remote_id = "dQw4w9WgXcQ";
  const Outcome out = Execute(reply);
  EXPECT_EQ(out.remote_id, "UgxA.9new") << out.message;
  EXPECT_EQ(out.permalink, "https://www.youtube.com/watch?v=dQw4w9WgXcQ&lc=UgxA.9new");
  auto asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/youtube/v3/comments");
  EXPECT_EQ(ParseJson(asked[0].body), Json({{"snippet", {{"parentId", "UgxA"}, {"textOriginal", "Merci"}}}}));
  network.Next(200, R"({"id":"UgxB"})");
  reply.target_remote_id = reply.post_remote_id;
  EXPECT_EQ(Execute(reply).remote_id, "UgxB");
  asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/youtube/v3/commentThreads");
  EXPECT_EQ(ParseJson(asked[0].body)["snippet"]["topLevelComment"]["snippet"]["textOriginal"], "Merci");
  network.Next(504, "");
  EXPECT_EQ(Execute(reply).kind, OutcomeKind::kUnknown);
  network.Next(403, R"({"error":{"code":403,"errors":[{"reason":"commentsDisabled"}]}})");
  EXPECT_EQ(Execute(reply).error, ErrorClass::kInvalid);
}

TEST_F(YouTubeTest, Moderates) {
  const std::vector<std::tuple<WriteKind, std::string, bool>> cases = {{WriteKind::kHide, "heldForReview", false},
                                                                       {WriteKind::kUnhide, "published", false},
                                                                       {WriteKind::kApprove, "published", false},
                                                                       {WriteKind::kBan, "rejected", true}};
  for (const auto& [kind, status, ban] : cases) {
    network.Next(204, "");
    EXPECT_EQ(Execute(Of(kind, "UgxA")).kind, OutcomeKind::kAccepted) << NameOf(kind);
    const auto asked = network.Taken();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].method + asked[0].path, "POST/youtube/v3/comments/setModerationStatus");
    const auto query = net::ParseQuery(asked[0].query);
    EXPECT_EQ(query.at("id"), "UgxA");
    EXPECT_EQ(query.at("moderationStatus"), status);
    EXPECT_EQ(query.count("banAuthor"), ban ? 1u : 0u);
    EXPECT_EQ(asked[0].body, "");
  }
  for (const WriteKind kind : {WriteKind::kSpam, WriteKind::kMute, WriteKind::kUnban, WriteKind::kReport,
                               WriteKind::kLock, WriteKind::kPrivateReply}) {
    EXPECT_EQ(Execute(Of(kind, "UgxA")).kind, OutcomeKind::kRefused) << NameOf(kind);
    EXPECT_FALSE(connector.Check(kind, {}).empty()) << NameOf(kind);
  }
  const Capabilities& can = connector.capabilities();
  EXPECT_TRUE(can.Can(WriteKind::kBan));
  EXPECT_FALSE(can.Can(WriteKind::kUnban));
  EXPECT_EQ(Execute(Of(WriteKind::kUnban, "UgxA")).message, can.WhyNot(WriteKind::kUnban));
  const std::vector<Violation> violations = connector.Check(WriteKind::kUnban, {});
  ASSERT_EQ(violations.size(), 1u) << "said once";
  EXPECT_EQ(violations[0].reason, "NOT_POSSIBLE");
  EXPECT_EQ(violations[0].description, "unban is not possible on YouTube: the API has no way back from a ban");
  EXPECT_EQ(Execute(Of(WriteKind::kHide, "")).kind, OutcomeKind::kRefused);
  EXPECT_TRUE(network.Taken().empty()) << "without effect";
}

TEST_F(YouTubeTest, DeletesOurOwnAndRejectsOthers) {
  const auto comment = [](const char* author) {
    return std::string(R"({"items":[{"id":"UgxA","snippet":{"authorChannelId":{"value":")") + author + R"("}}}]})";
  };
  network.Next(200, comment("UCus"));
  network.Next(204, "");
  network.Next(200, comment("UCann"));
  network.Next(204, "");
  network.Next(200, R"({"items":[]})");
  network.Next(204, "");
  EXPECT_EQ(Execute(Of(WriteKind::kDelete, "UgxA")).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Execute(Of(WriteKind::kDelete, "UgxA")).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Execute(Of(WriteKind::kDelete, "dQw4w9WgXcQ")).kind, OutcomeKind::kAccepted);
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 6u);
  EXPECT_EQ(asked[1].method + asked[1].path, "DELETE/youtube/v3/comments");
  EXPECT_EQ(net::ParseQuery(asked[3].query).at("moderationStatus"), "rejected");
  EXPECT_EQ(asked[5].method + asked[5].path, "DELETE/youtube/v3/videos");
  network.NextReset();
  EXPECT_EQ(Execute(Of(WriteKind::kDelete, "UgxA")).kind, OutcomeKind::kNotSent) << "only looked at it";
}

TEST_F(YouTubeTest, ChecksEveryRule) {
  EXPECT_TRUE(connector.Check(WriteKind::kPost, Video().draft).empty());
  Draft draft = Video().draft;
  draft.title = std::string(101, 'x') + "<";
  draft.text = std::string(4999, 'x') + "é";                                   // 5001 bytes
  draft.tags = {std::string(250, 'a'), "two words " + std::string(240, 'b')};  // 250 + 250 + 1 + 2
  draft.thumbnail = Media{.type = "image/gif", .bytes = "GIF"};
  draft.options = {{"visibility", "public"}, {"publish_at", "soon"}, {"sparkle", "yes"}};
  std::multiset<std::string> reasons;
  for (const Violation& one : connector.Check(WriteKind::kPost, draft)) reasons.insert(one.reason);
  EXPECT_EQ(reasons,
            (std::multiset<std::string>{"EXCLUSIVE", "MEDIA_TYPE", "OPTION_UNKNOWN", "OPTION_VALUE", "TAGS_TOO_LONG",
                                        "TEXT_INVALID_CHARACTER", "TEXT_TOO_LONG", "TITLE_TOO_LONG"}));
  draft = Video().draft;
  draft.format = PostFormat::kReel;
  draft.media[0].width = 1920;
  draft.media[0].height = 1080;
  draft.media[0].duration = absl::Minutes(4);
  EXPECT_EQ(connector.Check(WriteKind::kPost, draft).size(), 2u);
  draft = {};
  draft.text = "no video";
  EXPECT_EQ(connector.Check(WriteKind::kPost, draft).size(), 2u) << "title, media";
  draft.text = std::string(10000, 'x');
  EXPECT_TRUE(connector.Check(WriteKind::kReply, draft).empty());
  draft.text += "x";
  EXPECT_EQ(connector.Check(WriteKind::kReply, draft).at(0).reason, "TEXT_TOO_LONG");
}

TEST_F(YouTubeTest, TakesAStanceOnEverything) {
  const Capabilities& c = connector.capabilities();
  for (int i = 0; i < kFeatures; ++i) {
    const auto feature = static_cast<Feature>(i);
    ASSERT_EQ(c.features.count(feature), 1u) << NameOf(feature);
    const Support& support = c.Of(feature);
    EXPECT_TRUE(support.stance == Stance::kPossible || !support.because.empty()) << NameOf(feature);
    EXPECT_TRUE(support.stance != Stance::kNotInApi || !support.source.empty()) << NameOf(feature);
  }
  EXPECT_NE(c.BudgetOf(WriteKind::kPost), c.BudgetOf(WriteKind::kReply));
}

TEST(YouTubeErrors, AreToldByTheirReason) {
  const auto classify = [](int status, const std::string& reason) {
    net::ClientResult http;
    http.http_status = status;
    http.body =
        reason.empty() ? "" : R"({"error":{"code":1,"message":"Übersetzt","errors":[{"reason":")" + reason + R"("}]}})";
    return ClassifyYouTube(http, ParseJson(http.body)).error;
  };
  EXPECT_EQ(classify(204, ""), ErrorClass::kNone);
  EXPECT_EQ(classify(401, "authError"), ErrorClass::kTokenExpired);
  EXPECT_EQ(classify(403, "insufficientPermissions"), ErrorClass::kPermission);
  EXPECT_EQ(classify(403, "somethingNew"), ErrorClass::kPermission);
  EXPECT_EQ(classify(403, "quotaExceeded"), ErrorClass::kRateLimited);
  EXPECT_EQ(classify(403, "rateLimitExceeded"), ErrorClass::kRateLimited);
  EXPECT_EQ(classify(400, "uploadLimitExceeded"), ErrorClass::kRateLimited);
  EXPECT_EQ(classify(429, ""), ErrorClass::kRateLimited);
  EXPECT_EQ(classify(403, "commentsDisabled"), ErrorClass::kInvalid);
  EXPECT_EQ(classify(400, "invalidTitle"), ErrorClass::kInvalid);
  EXPECT_EQ(classify(400, "processingFailure"), ErrorClass::kInvalid);
  EXPECT_EQ(classify(404, "commentNotFound"), ErrorClass::kNotFound);
  EXPECT_EQ(classify(404, ""), ErrorClass::kNotFound);
  EXPECT_EQ(classify(500, "backendError"), ErrorClass::kTransient);
  EXPECT_EQ(classify(503, "quotaExceeded"), ErrorClass::kTransient);
  EXPECT_EQ(classify(502, ""), ErrorClass::kTransient);
}

TEST(YouTubeErrors, QuotaComesBackAtMidnightPacific) {
  // 2026-01-15 20:00 UTC is noon in Los Angeles, 2026-07-15 06:59 UTC is a minute before midnight there.
  const auto time = [](const char* text) { return *ParseIsoTime(text); };
  EXPECT_EQ(NextPacificMidnight(time("2026-01-15T20:00:00Z")), time("2026-01-16T08:00:00Z"));
  EXPECT_EQ(NextPacificMidnight(time("2026-07-15T06:59:00Z")), time("2026-07-15T07:00:00Z"));
  net::ClientResult http;
  http.http_status = 403;
  const Json json = ParseJson(R"({"error":{"errors":[{"reason":"quotaExceeded"}]}})");
  EXPECT_EQ(YouTubeRate(http, json, time("2026-01-15T20:00:00Z")).retry_after, absl::Hours(12));
  EXPECT_EQ(YouTubeRate(http, json, time("2026-01-15T20:00:00Z")).remaining, 0);
  EXPECT_FALSE(YouTubeRate(http, ParseJson("[]"), time("2026-01-15T20:00:00Z")).retry_after.has_value());
}

TEST(YouTubeUpload, ReadsWhatArrived) {
  EXPECT_EQ(ArrivedBytes({}, 10), 0);
  EXPECT_EQ(ArrivedBytes({{"range", "bytes=0-4"}}, 10), 5);
  EXPECT_EQ(ArrivedBytes({{"Range", "bytes=0-9"}}, 10), 10);
  for (const char* wrong :
       {"bytes=0-10", "bytes=1-4", "0-4", "bytes=0-", "bytes=0-x", "bytes=0-99999999999999999999", ""}) {
    EXPECT_FALSE(ArrivedBytes({{"Range", wrong}}, 10)) << wrong;
  }
}

}  // namespace
}  // namespace parvis::networks
