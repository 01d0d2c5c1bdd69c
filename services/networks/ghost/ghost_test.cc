#include "networks/ghost/ghost.h"

#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

const std::string kPost = "6745f0a1c2d3e4f5a6b7c8d9", kComment = "6745f0a1c2d3e4f5a6b7c8da",
                  kRoot = "6745f0a1c2d3e4f5a6b7c8db", kMember = "6745f0a1c2d3e4f5a6b7c8dc";

class GhostTest : public ConnectorTest {
 protected:
  GhostTest() : ConnectorTest("ghost", "https://blog.example") {
    account.credentials.fields["admin_key"] = Secret("5f0c0ffee0c0ffee0c0ffee0:0a0b0c0d");
    account.credentials.fields["member_id"] = Secret(kMember);
  }
  Write Of(WriteKind kind, const std::string& text = "") {
    Write write;
    write.kind = kind;
    write.draft.text = text;
    write.idempotency_key = "key-1";
    if (kind == WriteKind::kPost) {
      write.draft.title = "A title";
    } else {
      write.target_remote_id = kComment;
      write.post_remote_id = kPost;
    }
    return write;
  }
  std::string Asked() {
    std::string out;
    for (const auto& request : network.Taken())
      out += request.method + " " + request.path.substr(16) + (request.query.empty() ? "" : "?" + request.query) + "\n";
    return out;
  }
  static std::string Post(const std::string& status = "published") {
    return Json{{"posts",
                 {{{"id", kPost},
                   {"url", "https://blog.example/a/"},
                   {"status", status},
                   {"updated_at", "2026-11-20T10:00:00.000Z"}}}}}
        .dump();
  }
  static std::string Comment(const Json& more = Json::object()) {
    Json comment = {{"id", kComment},
                    {"parent_id", nullptr},
                    {"in_reply_to_id", nullptr},
                    {"status", "published"},
                    {"html", "<p>hi</p>"},
                    {"created_at", "2026-11-20T10:00:00.000Z"},
                    {"member", {{"id", kMember}}},
                    {"post", {{"id", kPost}}}};
    comment.update(more);
    return Json{{"comments", {comment}}}.dump();
  }
  static std::string Error(const std::string& type, const std::string& code = "") {
    return Json{{"errors",
                 {{{"message", "Sorry"},
                   {"context", "because"},
                   {"type", type},
                   {"code", code.empty() ? Json() : Json(code)}}}}}
        .dump();
  }
};

TEST_F(GhostTest, TakesAStanceOnEveryFeature) {
  for (int i = 0; i < kFeatures; ++i) {
    const auto& features = connector.capabilities().features;
    const auto it = features.find(static_cast<Feature>(i));
    ASSERT_NE(it, features.end()) << NameOf(static_cast<Feature>(i));
    EXPECT_TRUE(it->second.stance != Stance::kNotInApi || !it->second.source.empty())
        << NameOf(static_cast<Feature>(i));
  }
}

TEST(GhostTokenTest, IsSignedByTheBytesOfTheKey) {
  // Made with Node's crypto: {"alg":"HS256","kid":"5f0c","typ":"JWT"},
  // {"aud":"/admin/","exp":1795169090,"iat":1795168790}.
  const std::string token = GhostToken("5f0c:0a0b0c0d", absl::FromUnixSeconds(1795168800));
  EXPECT_EQ(token,
            "eyJhbGciOiJIUzI1NiIsImtpZCI6IjVmMGMiLCJ0eXAiOiJKV1QifQ."
            "eyJhdWQiOiIvYWRtaW4vIiwiZXhwIjoxNzk1MTY5MDkwLCJpYXQiOjE3OTUxNjg3OTB9."
            "LKdEMrjHxswRIfZ-Yg0EROp6MFTTcXPyadPWyUHtsNA");
  for (const char* wrong : {"", "5f0c", ":0a", "5f0c:", "5f0c:0", "5f0c:0g"})
    EXPECT_EQ(GhostToken(wrong, absl::UnixEpoch()), "") << wrong;
}

TEST_F(GhostTest, AKeyOfAnotherFormIsADeadOne) {
  account.credentials.fields["admin_key"] = Secret("nonsense");
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "x")).reason, "TOKEN_EXPIRED");
  EXPECT_EQ(ReasonOf(connector.WhoAmI(network.call(), account).status()), "TOKEN_EXPIRED");
  EXPECT_EQ(Asked(), "");
}

TEST_F(GhostTest, Errors) {
  struct Case {
    int status;
    const char *type, *code;
    ErrorClass error;
  };
  for (const Case& one :
       {Case{401, "UnauthorizedError", "INVALID_JWT", ErrorClass::kTokenExpired},
        Case{400, "BadRequestError", "MISSING_ADMIN_API_KID", ErrorClass::kTokenExpired},
        Case{400, "BadRequestError", "", ErrorClass::kInvalid},
        Case{403, "NoPermissionError", "", ErrorClass::kPermission},
        Case{403, "HostLimitError", "", ErrorClass::kPermission}, Case{404, "NotFoundError", "", ErrorClass::kNotFound},
        Case{405, "MethodNotAllowedError", "", ErrorClass::kInvalid},
        Case{409, "UpdateCollisionError", "UPDATE_COLLISION", ErrorClass::kInvalid},
        Case{422, "ValidationError", "", ErrorClass::kInvalid},
        Case{429, "TooManyRequestsError", "", ErrorClass::kRateLimited},
        Case{500, "NotFoundError", "", ErrorClass::kTransient},
        Case{503, "MaintenanceError", "", ErrorClass::kTransient}, Case{404, "", "", ErrorClass::kNotFound},
        Case{502, "", "", ErrorClass::kTransient}, Case{200, "", "", ErrorClass::kNone}}) {
    net::ClientResult http;
    http.http_status = one.status;
    EXPECT_EQ(ClassifyGhost(http, ParseJson(Error(one.type, one.code))).error, one.error)
        << one.status << one.type << one.code;
  }
}

TEST_F(GhostTest, APostWithPicturesAndTags) {
  Write write = Of(WriteKind::kPost, "a < b\n\nNext");
  write.draft.link = "https://brand.example/?a=1&b=2";
  write.draft.tags = {"News"};
  write.draft.options["visibility"] = "members";
  write.draft.media = {{.type = "image/png", .alt_text = "A lamp", .bytes = "PNG1"},
                       {.type = "image/jpeg", .alt_text = "\"B\"", .bytes = "JPG2"}};
  network.Next(201, R"({"images":[{"url":"https://blog.example/1.png","ref":null}]})");
  network.Next(201, R"({"images":[{"url":"https://blog.example/2.jpg","ref":null}]})");
  network.Next(201, Post());
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, kPost);
  EXPECT_EQ(out.permalink, "https://blog.example/a/");
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].path, "/ghost/api/admin/images/upload/");
  EXPECT_EQ(asked[0].headers.at("Authorization").substr(0, 8), "Ghost ey");
  EXPECT_NE(asked[0].body.find("name=\"file\"; filename=\"picture-1.png\"\r\nContent-Type: image/png\r\n\r\nPNG1"),
            std::string::npos);
  EXPECT_EQ(asked[2].path + "?" + asked[2].query, "/ghost/api/admin/posts/?source=html");
  const Json post = ParseJson(asked[2].body)["posts"][0];
  EXPECT_EQ(post["title"], "A title");
  EXPECT_EQ(post["status"], "published");
  EXPECT_EQ(post["visibility"], "members");
  EXPECT_EQ(post["tags"], Json::parse(R"([{"name":"News"}])"));
  EXPECT_EQ(post["feature_image"], "https://blog.example/1.png");
  EXPECT_EQ(post["feature_image_alt"], "A lamp");
  EXPECT_EQ(post["codeinjection_foot"], "<!-- parvis:key_1 -->");
  const std::string html = post["html"];
  EXPECT_NE(html.find("a &lt; b"), std::string::npos);
  EXPECT_NE(html.find("<a href=\"https://brand.example/?a=1&amp;b=2\">"), std::string::npos);
  EXPECT_NE(html.find("<img src=\"https://blog.example/2.jpg\" alt=\"&quot;B&quot;\">"), std::string::npos);
}

TEST_F(GhostTest, AFailedUploadHasNoEffect) {
  Write write = Of(WriteKind::kPost, "x");
  write.draft.media = {{.type = "image/png", .bytes = "PNG1"}};
  network.Next(503, "");
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent);
  network.Next(415, Error("UnsupportedMediaTypeError"));
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kRefused);
  network.NextReset();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent);
}

TEST_F(GhostTest, ANewsletterGoesOutWhenTheDraftIsPublished) {
  Write write = Of(WriteKind::kPost, "x");
  write.draft.options = {{"newsletter", "weekly"}, {"email_segment", "status:free"}, {"email_only", "true"}};
  network.Next(201, Post("draft"));
  network.Next(200, Post("sent"));
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(ParseJson(asked[0].body)["posts"][0]["status"], "draft");
  EXPECT_EQ(ParseJson(asked[0].body)["posts"][0]["email_only"], true);
  EXPECT_EQ(asked[1].method + asked[1].path + "?" + asked[1].query,
            "PUT/ghost/api/admin/posts/" + kPost + "/?newsletter=weekly&email_segment=status%3Afree");
  EXPECT_EQ(ParseJson(asked[1].body),
            Json::parse(R"({"posts":[{"status":"published","updated_at":"2026-11-20T10:00:00.000Z"}]})"));

  network.NextReset();  // of the draft: nothing that anyone sees
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent);
  network.Next(201, Post("draft"));
  network.NextReset();  // of the publication
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kUnknown);
  Asked();
  network.Next(201, Post("draft"));
  network.Next(400, Error("BadRequestError"));
  network.Next(204, "");
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kRefused);
  EXPECT_EQ(Asked(), "POST /posts/?source=html\nPUT /posts/" + kPost +
                         "/?newsletter=weekly&email_segment=status%3Afree\nDELETE /posts/" + kPost + "/\n");
}

TEST_F(GhostTest, AnUnknownNewsletterIsRefusedAlthoughItIsA500) {
  Write write = Of(WriteKind::kPost, "x");
  write.draft.options = {{"newsletter", "none"}};
  network.Next(201, Post("draft"));
  network.Next(500, Error("EmailError"));
  network.Next(200, Post("draft"));
  network.Next(204, "");
  EXPECT_EQ(Execute(write).reason, "REJECTED");
  network.Next(201, Post("draft"));
  network.Next(500, Error("EmailError"));
  network.Next(200, Post());  // it is out all the same
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kUnknown);
}

TEST_F(GhostTest, ACollisionIsReadAndTriedOnceMore) {
  Write write = Of(WriteKind::kPost, "x");
  write.draft.options = {{"newsletter", "weekly"}};
  network.Next(201, Post("draft"));
  network.Next(409, Error("UpdateCollisionError", "UPDATE_COLLISION"));
  network.Next(200,
               R"({"posts":[{"id":")" + kPost + R"(","status":"draft","updated_at":"2026-11-20T10:00:05.000Z"}]})");
  network.Next(200, Post());
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(ParseJson(asked[3].body)["posts"][0]["updated_at"], "2026-11-20T10:00:05.000Z");
}

TEST_F(GhostTest, RepliesHangBelowTheFirstComment) {
  network.Next(200, Comment({{"parent_id", kRoot}}));
  network.Next(201, Comment());
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Thanks <3")).remote_id, kComment);
  auto asked = network.Taken();
  EXPECT_EQ(ParseJson(asked[1].body)["comments"][0], Json({{"member_id", kMember},
                                                           {"html", "<p>Thanks &lt;3</p>\n"},
                                                           {"parent_id", kRoot},
                                                           {"in_reply_to_id", kComment}}));
  network.Next(200, Comment());
  network.Next(201, Comment());
  Execute(Of(WriteKind::kReply, "x"));
  EXPECT_EQ(ParseJson(network.Taken()[1].body)["comments"][0],
            Json({{"member_id", kMember}, {"html", "<p>x</p>\n"}, {"parent_id", kComment}}));
  Write to_post = Of(WriteKind::kReply, "x");
  to_post.target_remote_id = kPost;
  network.Next(201, Comment());
  Execute(to_post);
  EXPECT_EQ(ParseJson(network.Taken()[0].body)["comments"][0],
            Json({{"member_id", kMember}, {"html", "<p>x</p>\n"}, {"post_id", kPost}}));
  network.Next(404, Error("NotFoundError"));
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "x")).reason, "NOT_FOUND");
  network.Next(200, Comment({{"status", "deleted"}}));
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "x")).reason, "NOT_FOUND");
}

TEST_F(GhostTest, Moderates) {
  for (const auto& [kind, status] :
       {std::pair{WriteKind::kHide, "hidden"}, {WriteKind::kUnhide, "published"}, {WriteKind::kDelete, "deleted"}}) {
    network.Next(200, Comment());
    network.Next(200, Comment());
    EXPECT_EQ(Execute(Of(kind)).kind, OutcomeKind::kAccepted);
    const auto asked = network.Taken();
    ASSERT_EQ(asked.size(), 2u);
    EXPECT_EQ(asked[1].method, "PUT");
    EXPECT_EQ(ParseJson(asked[1].body)["comments"][0]["status"], status);
  }
  network.Next(404, Error("NotFoundError"));  // its writer has deleted it: it is not brought back
  EXPECT_EQ(Execute(Of(WriteKind::kUnhide)).reason, "NOT_FOUND");
  network.Next(200, Comment({{"status", "deleted"}, {"html", nullptr}}));
  EXPECT_EQ(Execute(Of(WriteKind::kUnhide)).reason, "NOT_FOUND");
  Asked();
  Write own = Of(WriteKind::kDelete);
  own.target_remote_id = kPost;
  network.Next(204, "");
  EXPECT_EQ(Execute(own).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Asked(), "DELETE /posts/" + kPost + "/\n");
  network.Next(200, Comment());
  network.Next(200, R"({"members":[{"id":"x"}]})");
  EXPECT_EQ(Execute(Of(WriteKind::kBan)).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Asked(), "GET /comments/" + kComment + "/\nPOST /members/" + kMember + "/commenting/disable/\n");
  Write unban = Of(WriteKind::kUnban);
  unban.target_author_id = kMember;
  network.Next(200, R"({"members":[{"id":"x"}]})");
  EXPECT_EQ(Execute(unban).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Asked(), "POST /members/" + kMember + "/commenting/enable/\n");
}

TEST_F(GhostTest, ReadsBackPosts) {
  network.Next(
      200,
      R"({"posts":[{"id":"1","html":"<p>x</p>","codeinjection_foot":"<!-- parvis:key_2 -->","status":"published","created_at":"2026-11-20T10:00:00.000Z"}],
                        "meta":{"pagination":{"next":2}}})");
  network.Next(200,
               R"({"posts":[{"id":"2","html":"<p>x</p>","codeinjection_foot":"<!-- parvis:key_1 -->","status":"sent"},
                                 {"id":"3","html":"<p>x</p>","codeinjection_foot":null,"status":"published"},
                                 {"id":"4","html":"<p>x</p>","codeinjection_foot":"<!-- parvis:key_1 -->","status":"draft"}],"meta":{"pagination":{"next":null}}})");
  const Write write = Of(WriteKind::kPost, "x");
  const auto items = connector.ReadBack(network.call(), account, write, absl::FromUnixSeconds(1795168800), 50);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 4u);
  std::string matching;
  for (const OwnItem& item : *items) matching += connector.Matches(write, item) ? item.remote_id : "-";
  EXPECT_EQ(matching, "-23-");
  const auto asked = network.Taken();
  EXPECT_EQ(net::ParseQuery(asked[0].query)["filter"], "created_at:>='2026-11-20 09:59:59'+status:[published,sent]");
  EXPECT_EQ(net::ParseQuery(asked[1].query)["page"], "2");
}

TEST_F(GhostTest, ReadsBackRepliesAndTargets) {
  network.Next(200, R"({"comments":[{"id":"1","html":"<p>Thanks &lt;3</p>","in_reply_to_id":")" + kComment +
                        R"(","parent_id":")" + kRoot +
                        R"(","status":"published"}],"meta":{"pagination":{"next":null}}})");
  const Write write = Of(WriteKind::kReply, "Thanks <3");
  auto items = connector.ReadBack(network.call(), account, write, absl::FromUnixSeconds(1795168800), 50);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_TRUE(connector.Matches(write, items->front()));
  EXPECT_EQ(net::ParseQuery(network.Taken()[0].query)["filter"],
            "created_at:>='2026-11-20 09:59:59'+member_id:'" + kMember + "'+post_id:'" + kPost + "'");
  network.Next(200, Comment({{"status", "hidden"}}));
  items = connector.ReadBack(network.call(), account, Of(WriteKind::kHide), absl::UnixEpoch(), 50);
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kHide), items->at(0)));
  network.Next(404, Error("NotFoundError"));
  items = connector.ReadBack(network.call(), account, Of(WriteKind::kDelete), absl::UnixEpoch(), 50);
  EXPECT_TRUE(items->empty());
  network.Next(200, Comment());
  network.Next(200, R"({"members":[{"id":"x","can_comment":false}]})");
  items = connector.ReadBack(network.call(), account, Of(WriteKind::kBan), absl::UnixEpoch(), 50);
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kBan), items->at(0)));
}

TEST_F(GhostTest, Measures) {
  network.Next(200,
               R"({"posts":[{"id":")" + kPost +
                   R"(","count":{"clicks":3,"positive_feedback":2},"email":{"email_count":9,"opened_count":4}}]})");
  network.Next(200, R"({"comments":[],"meta":{"pagination":{"total":7}}})");
  auto counts = connector.Measure(network.call(), account, {kPost, "nonsense"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->counts.size(), 1u);
  EXPECT_EQ(counts->counts.front().values, (std::map<std::string, int64_t>{
                                        {"clicks", 3}, {"comments", 7}, {"emails", 9}, {"likes", 2}, {"opens", 4}}));
  for (const char* total : {"10", "5", "20"})
    network.Next(200, std::string(R"({"meta":{"pagination":{"total":)") + total + "}}}");
  counts = connector.Measure(network.call(), account, {});
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->counts.front().values, (std::map<std::string, int64_t>{{"members", 10}, {"posts", 5}, {"comments", 20}}));
  EXPECT_EQ(counts->counts.front().remote_id, "https://blog.example");
}

TEST_F(GhostTest, ChecksDrafts) {
  const auto reasons = [&](WriteKind kind, const Draft& draft) {
    std::string out;
    for (const Violation& one : connector.Check(kind, draft)) out += one.field + " " + one.reason + "\n";
    return out;
  };
  Draft draft;
  draft.text = "x";
  EXPECT_EQ(reasons(WriteKind::kReply, draft), "");
  EXPECT_EQ(reasons(WriteKind::kPost, draft), "title TITLE_MISSING\n");
  draft.title = std::string(256, 'x');
  draft.tags = {"a,b", "ok"};
  draft.options = {{"email_only", "true"}, {"visibility", "nobody"}};
  draft.media = {
      {.url = "https://brand.example/a.png", .type = "image/png", .alt_text = std::string(192, 'x'), .size_bytes = 10}};
  const std::string all = reasons(WriteKind::kPost, draft);
  for (const char* one : {"title TITLE_TOO_LONG", "tags[0] TAG_MALFORMED", "options[email_only] OPTION_VALUE",
                          "options[visibility] OPTION_VALUE", "media[0].alt_text ALT_TEXT_TOO_LONG"}) {
    EXPECT_NE(all.find(one), std::string::npos) << all;
  }
  EXPECT_NE(reasons(WriteKind::kApprove, Draft()).find("kind NOT_POSSIBLE"), std::string::npos);
}

TEST_F(GhostTest, WhoAmI) {
  network.Next(200, R"({"posts":[]})");
  network.Next(200, R"({"site":{"title":"Lumen","url":"https://www.blog.example/"}})");
  const auto identity = connector.WhoAmI(network.call(), account);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->remote_id, network.url());
  EXPECT_EQ(identity->name, "Lumen");
  EXPECT_EQ(identity->url, "https://www.blog.example");
}

}  // namespace
}  // namespace parvis::networks
