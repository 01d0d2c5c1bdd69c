#include "networks/linkedin/linkedin.h"

#include <gtest/gtest.h>

#include "networks/linkedin/linkedin_text.h"
#include "networks/testing/connector_test.h"

namespace parvis::networks {
namespace {

class LinkedInTest : public ConnectorTest {
 protected:
  LinkedInTest() : ConnectorTest("linkedin", "urn:li:organization:96", "urn:li:comment:(urn:li:activity:1,22)") {}
  void NextCreated(const std::string& urn) { network.Next(201, "", {{"x-restli-id", urn}}); }
};

TEST_F(LinkedInTest, TakesAStanceOnEveryFeature) {
  for (int i = 0; i < kFeatures; ++i) {
    const auto& features = connector.capabilities().features;
    const auto it = features.find(static_cast<Feature>(i));
    ASSERT_NE(it, features.end()) << NameOf(static_cast<Feature>(i));
    if (it->second.stance == Stance::kNotInApi) {
      EXPECT_FALSE(it->second.source.empty()) << NameOf(static_cast<Feature>(i));
    }
  }
}

TEST(LittleText, EscapesAndComesBack) {
  EXPECT_EQ(ToLittleText("a (b) [c] {d} <e> f_g * ~ | @ \\"), R"(a \(b\) \[c\] \{d\} \<e\> f\_g \* \~ \| \@ \\)");
  EXPECT_EQ(ToLittleText("#Summer_time is #1 (#b)"),
            R"({hashtag|\#|Summer\_time} is {hashtag|\#|1} \({hashtag|\#|b}\))");
  EXPECT_EQ(ToLittleText("a#b # ## /#x &#39;"), R"(a\#b \# \#\# /\#x &\#39;)");
  EXPECT_EQ(ToLittleText("@[A (B)](urn:li:organization:1)"), R"(\@\[A \(B\)\]\(urn:li:organization:1\))");
  EXPECT_EQ(ToLittleText("Hi @[A_B](urn:li:organization:1)!"), R"(Hi @[A\_B](urn:li:organization:1)!)");
  EXPECT_EQ(ToLittleText("@[A](urn:li:share:1)"), R"(\@\[A\]\(urn:li:share:1\))");
  EXPECT_EQ(FromLittleText(R"(Hi @[A\_B](urn:li:organization:1)! {hashtag|\#|x\_y} \(z\))"), "Hi A_B! #x_y (z)");
  for (const std::string text :
       {"plain", "a (b) #c\n\n\\ {hashtag|", "\xC3\xBC#\xC3\xBC_1 ~", "{hashtag|\\#|a}", "\\"}) {
    EXPECT_EQ(FromLittleText(ToLittleText(text)), text);
  }
}

TEST(LinkedInUrns, AreReadAndWritten) {
  EXPECT_EQ(ParseCommentUrn("urn:li:comment:(activity:1,2)")->Text(), "urn:li:comment:(urn:li:activity:1,2)");
  EXPECT_EQ(ParseCommentUrn("urn:li:comment:(urn:li:ugcPost:1,9007199254740993)")->id, "9007199254740993");
  for (const char* bad : {"", "urn:li:share:1", "urn:li:comment:(x)", "urn:li:comment:(urn:li:activity:1,2",
                          "urn:li:comment:(,2)", "urn:li:comment:(urn:li:activity:x,2)"}) {
    EXPECT_FALSE(ParseCommentUrn(bad)) << bad;
  }
  EXPECT_EQ(PostUrnIn("Content is a duplicate of urn:li:person:1, urn:li:share:7429862475279511552."),
            "urn:li:share:7429862475279511552");
  EXPECT_EQ(PostUrnIn("urn:li:share:"), "");
  EXPECT_EQ(*TimeInId("7094977717598625792"), absl::FromUnixMillis(1691574506187));
  EXPECT_FALSE(TimeInId("22"));
  EXPECT_EQ(OrganisationUrn("96"), "urn:li:organization:96");
}

TEST_F(LinkedInTest, PostsTextLinksAndPolls) {
  Write write = Of(WriteKind::kPost, "Hello (world)");
  write.draft.tags = {"news"};
  write.draft.link = "https://brand.example/a_b";
  write.draft.title = "The card";
  NextCreated("urn%3Ali%3Ashare%3A7");
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "urn:li:share:7");
  EXPECT_EQ(out.permalink, "https://www.linkedin.com/feed/update/urn:li:share:7");
  auto asked = network.Taken();
  EXPECT_EQ(asked.at(0).path, "/rest/posts");
  EXPECT_EQ(asked[0].headers.at("Linkedin-Version"), "202607");
  EXPECT_EQ(asked[0].headers.at("X-Restli-Protocol-Version"), "2.0.0");
  EXPECT_EQ(asked[0].headers.at("Authorization"), "Bearer the-access_token");
  const Json body = ParseJson(asked[0].body);
  EXPECT_EQ(body["author"], "urn:li:organization:96");
  EXPECT_EQ(body["commentary"], "Hello \\(world\\)\n\n{hashtag|\\#|news}");
  EXPECT_EQ(body["content"]["article"], Json({{"source", "https://brand.example/a_b"}, {"title", "The card"}}));

  Write poll = Of(WriteKind::kPost, "Which?");
  poll.draft.poll = PollDraft{{"a", "b"}, absl::Hours(30)};
  account.credentials.fields["api_version"] = Secret("202701");
  NextCreated("urn:li:share:8");
  EXPECT_EQ(Execute(poll).remote_id, "urn:li:share:8");
  asked = network.Taken();
  EXPECT_EQ(asked.at(0).headers.at("Linkedin-Version"), "202701");
  EXPECT_EQ(ParseJson(asked[0].body)["content"]["poll"], Json({{"question", "Which?"},
                                                               {"options", {{{"text", "a"}}, {{"text", "b"}}}},
                                                               {"settings", {{"duration", "THREE_DAYS"}}}}));
  Write share = Of(WriteKind::kPost, "Look");
  share.draft.quote_remote_id = "urn:li:share:5";
  NextCreated("urn:li:share:9");
  EXPECT_EQ(Execute(share).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(ParseJson(network.Taken().at(0).body)["reshareContext"]["parent"], "urn:li:share:5");
}

TEST_F(LinkedInTest, PostsPictures) {
  Write write = Of(WriteKind::kPost, "Two");
  write.draft.media = {{.type = "image/png", .alt_text = "A lamp", .bytes = "PNG1"},
                       {.type = "image/jpeg", .bytes = "JPG2"}};
  for (const char* urn : {"urn:li:image:a", "urn:li:image:b"}) {
    network.Next(200, Json{{"value", {{"uploadUrl", network.url() + "/upload/1"}, {"image", urn}}}}.dump());
    network.Next(201, "");
  }
  NextCreated("urn:li:ugcPost:7");
  EXPECT_EQ(Execute(write).remote_id, "urn:li:ugcPost:7");
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 5u);
  EXPECT_EQ(asked[0].path + "?" + asked[0].query, "/rest/images?action=initializeUpload");
  EXPECT_EQ(asked[1].method + asked[1].path + asked[1].body, "PUT/upload/1PNG1");
  EXPECT_EQ(ParseJson(asked[4].body)["content"]["multiImage"]["images"],
            Json({{{"id", "urn:li:image:a"}, {"altText", "A lamp"}}, {{"id", "urn:li:image:b"}}}));
  // A picture alone, and one that is forbidden because it is too new.
  write.draft.media.pop_back();
  network.Next(200, Json{{"value", {{"uploadUrl", network.url() + "/upload/1"}, {"image", "urn:li:image:a"}}}}.dump());
  network.Next(201, "");
  for (int i = 0; i < 4; ++i) network.Next(403, R"({"message":"This resource is forbidden","status":403})");
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kNotSent);
  EXPECT_EQ(ParseJson(network.Taken().at(2).body)["content"]["media"],
            Json({{"id", "urn:li:image:a"}, {"altText", "A lamp"}}));
  // Which passes: the same picture is shown, not uploaded again.
  network.Next(200, Json{{"value", {{"uploadUrl", network.url() + "/upload/1"}, {"image", "urn:li:image:a"}}}}.dump());
  network.Next(201, "");
  network.Next(403, R"({"message":"This resource is forbidden","status":403})");
  NextCreated("urn:li:ugcPost:8");
  EXPECT_EQ(Execute(write).remote_id, "urn:li:ugcPost:8");
  EXPECT_EQ(network.Taken().size(), 4u);
}

TEST_F(LinkedInTest, PostsAVideoInPartsAndGoesOnAfterALostConnection) {
  Write write = Of(WriteKind::kPost, "A film");
  write.draft.media = {{.type = "video/mp4", .bytes = "0123456789", .title = "Film"}};
  write.draft.thumbnail = Media{.type = "image/png", .bytes = "PNG"};
  network.Next(200, Json{{"value",
                          {{"video", "urn:li:video:v"},
                           {"uploadToken", "tok"},
                           {"thumbnailUploadUrl", network.url() + "/thumb"},
                           {"uploadInstructions",
                            {{{"uploadUrl", network.url() + "/part/1"}, {"firstByte", 0}, {"lastByte", 3}},
                             {{"uploadUrl", network.url() + "/part/2"}, {"firstByte", 4}, {"lastByte", 9}}}}}}}
                        .dump());
  network.Next(200, "", {{"ETag", "\"e1\""}});
  network.NextReset();
  network.Next(503, "");
  network.Next(200, "", {{"ETag", "\"e2\""}});
  network.Next(201, "");
  network.Next(200, "");
  NextCreated("urn:li:ugcPost:7");
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 8u);
  EXPECT_EQ(ParseJson(asked[0].body)["initializeUploadRequest"], Json({{"owner", "urn:li:organization:96"},
                                                                       {"fileSizeBytes", 10},
                                                                       {"uploadCaptions", false},
                                                                       {"uploadThumbnail", true}}));
  EXPECT_EQ(asked[1].path + asked[1].body, "/part/10123");
  EXPECT_EQ(asked[4].path + asked[4].body, "/part/2456789");
  EXPECT_EQ(asked[5].path + asked[5].body, "/thumbPNG");
  EXPECT_EQ(ParseJson(asked[6].body)["finalizeUploadRequest"],
            Json({{"video", "urn:li:video:v"}, {"uploadToken", "tok"}, {"uploadedPartIds", {"\"e1\"", "\"e2\""}}}));
  EXPECT_EQ(ParseJson(asked[7].body)["content"]["media"], Json({{"id", "urn:li:video:v"}, {"title", "Film"}}));
  // What is lost before the post is not sent, and parts that do not exist are not read.
  network.NextReset();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent);
  network.Next(
      200,
      R"({"value":{"video":"urn:li:video:v","uploadInstructions":[{"uploadUrl":"x","firstByte":5,"lastByte":99}]}})");
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent);
}

TEST_F(LinkedInTest, ADuplicateIsAdoptedWhenItIsOurs) {
  const std::string duplicate =
      R"({"message":"Content is a duplicate of urn:li:share:7429862475279511552","status":422,"code":"DUPLICATE_POST"})";
  network.Next(422, duplicate);
  network.Next(
      200,
      R"j({"id":"urn:li:share:7429862475279511552","author":"urn:li:organization:96","commentary":"Hello \\(world\\)"})j");
  const Outcome out = Execute(Of(WriteKind::kPost, "Hello (world)"));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted);
  EXPECT_EQ(out.remote_id, "urn:li:share:7429862475279511552");
  EXPECT_EQ(network.Taken().at(1).target, "/rest/posts/urn%3Ali%3Ashare%3A7429862475279511552");
  for (const char* other : {R"j({"author":"urn:li:organization:97","commentary":"Hello \\(world\\)"})j",
                            R"({"author":"urn:li:organization:96","commentary":"Something else"})"}) {
    network.Next(422, duplicate);
    network.Next(200, other);
    EXPECT_EQ(Execute(Of(WriteKind::kPost, "Hello (world)")).reason, "DUPLICATE") << other;
  }
  network.Next(422, R"({"message":"Something is wrong","code":"UNPROCESSABLE_ENTITY"})");
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "x")).error, ErrorClass::kInvalid);
}

TEST_F(LinkedInTest, RepliesAndDeletes) {
  const std::string path = "/rest/socialActions/urn%3Ali%3Acomment%3A%28urn%3Ali%3Aactivity%3A1%2C22%29/comments";
  network.Next(201,
               R"j({"id":"33","commentUrn":"urn:li:comment:(urn:li:activity:1,33)","object":"urn:li:activity:1"})j");
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Thanks (a lot)")).remote_id, "urn:li:comment:(urn:li:activity:1,33)");
  auto asked = network.Taken();
  EXPECT_EQ(asked.at(0).target, path);
  EXPECT_EQ(ParseJson(asked[0].body), Json({{"actor", "urn:li:organization:96"},
                                            {"object", "urn:li:activity:1"},
                                            {"message", {{"text", "Thanks (a lot)"}}},
                                            {"parentComment", "urn:li:comment:(urn:li:activity:1,22)"}}));
  // Answering an answer: it hangs below the top-level comment. The id may come in the header alone.
  network.Next(400, R"({"message":"-","status":400})");
  network.Next(200, R"j({"id":"22","parentComment":"urn:li:comment:(urn:li:activity:1,11)"})j");
  network.Next(201, "", {{"x-restli-id", "34"}});
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Thanks")).remote_id, "urn:li:comment:(urn:li:activity:1,34)");
  asked = network.Taken();
  EXPECT_EQ(asked.at(1).target, "/rest/socialActions/urn%3Ali%3Aactivity%3A1/comments/22");
  EXPECT_EQ(ParseJson(asked.at(2).body)["parentComment"], "urn:li:comment:(urn:li:activity:1,11)");
  network.Next(204, "");
  EXPECT_EQ(Execute(Of(WriteKind::kDelete)).kind, OutcomeKind::kAccepted);
  asked = network.Taken();
  EXPECT_EQ(asked.at(0).target,
            "/rest/socialActions/urn%3Ali%3Aactivity%3A1/comments/22?actor=urn%3Ali%3Aorganization%3A96");
  EXPECT_EQ(asked[0].headers.at("X-RestLi-Method"), "DELETE");
  Write own = Of(WriteKind::kDelete);
  own.target_remote_id = "urn:li:share:7";
  network.Next(204, "");
  EXPECT_EQ(Execute(own).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(network.Taken().at(0).target, "/rest/posts/urn%3Ali%3Ashare%3A7");
  EXPECT_EQ(Execute(Of(WriteKind::kHide)).reason, "REJECTED");
  EXPECT_TRUE(network.Taken().empty());
  network.NextReset();
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "x")).kind, OutcomeKind::kUnknown);
  network.Next(201, "{}");
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "x")).kind, OutcomeKind::kUnknown);
}

TEST_F(LinkedInTest, EveryClassOfRefusal) {
  struct Case {
    int status;
    const char* body;
    ErrorClass error;
  };
  const Case cases[] = {
      {201, "", ErrorClass::kNone},
      {401, R"({"message":"-","serviceErrorCode":65600,"status":401})", ErrorClass::kTokenExpired},
      {400, R"({"message":"-","serviceErrorCode":65601})", ErrorClass::kTokenExpired},
      {403, R"({"message":"-","code":"EXPIRED_ACCESS_TOKEN"})", ErrorClass::kTokenExpired},
      {403, R"({"message":"Nicht genug Rechte","status":403})", ErrorClass::kPermission},
      {404, "{}", ErrorClass::kNotFound},
      {422, R"({"message":"urn:li:ugcPost:1 already"})", ErrorClass::kDuplicate},
      {422, R"({"message":"-","code":"FIELD_LENGTH_TOO_LONG"})", ErrorClass::kInvalid},
      {426, R"({"code":"NONEXISTENT_VERSION"})", ErrorClass::kPermission},
      {429, R"({"code":"TOO_MANY_REQUESTS"})", ErrorClass::kRateLimited},
      {500, "<html>", ErrorClass::kTransient},
      {504, "", ErrorClass::kTransient},
  };
  for (const Case& c : cases) {
    net::ClientResult http;
    http.http_status = c.status;
    EXPECT_EQ(ClassifyLinkedIn(http, ParseJson(c.body)).error, c.error) << c.status << c.body;
  }
}

TEST_F(LinkedInTest, ChecksDrafts) {
  Draft draft;
  draft.text = std::string(3000, '(');  // escaping is not counted
  EXPECT_TRUE(Reasons(draft).empty());
  draft.text += "x";
  EXPECT_EQ(Reasons(draft), std::vector<std::string>{"TEXT_TOO_LONG"});
  EXPECT_EQ(Reasons(Of(WriteKind::kReply, std::string(1251, 'x')).draft, WriteKind::kReply),
            std::vector<std::string>{"TEXT_TOO_LONG"});
  Draft mixed;
  mixed.text = "x";
  mixed.media = {{.type = "video/mp4", .bytes = "1"},
                 {.type = "image/png", .bytes = "1", .width = 10000, .height = 10000}};
  mixed.poll = PollDraft{{"a", std::string(31, 'x')}, absl::Hours(24 * 15), true};
  mixed.tags = {"two words"};
  EXPECT_EQ(Reasons(mixed), (std::vector<std::string>{"POLL_OPTION_TEXT", "MEDIA_DIMENSIONS", "MEDIA_MIX", "MEDIA_MIX",
                                                      "POLL_MULTIPLE", "POLL_DURATION", "TAG_INVALID"}));
  EXPECT_EQ(connector.TextLength("a\xF0\x9F\x98\x80"), 2);
}

}  // namespace
}  // namespace parvis::networks
