// LinkedIn: headers, posts and media.
#include "sandbox/transport/linkedin_json.h"
#include "sandbox/transport/test_linkedin.h"

namespace parvis::sandbox {
namespace {

class LinkedinTest : public LinkedinFixture {};

TEST_F(LinkedinTest, WantsVersionAndProtocol) {
  const std::string path = "/linkedin/rest/organizations/" + page.substr(page.rfind(':') + 1);
  auto with = [&](net::Headers headers) {
    headers["Authorization"] = "Bearer " + token;
    return sandbox.Send("GET", path, "", headers);
  };
  const Answered none = with({{"X-Restli-Protocol-Version", "2.0.0"}});
  EXPECT_EQ(none.status, 400);
  EXPECT_EQ(none.json["code"], "VERSION_MISSING");
  const Answered sunset = with({{"X-Restli-Protocol-Version", "2.0.0"}, {"LinkedIn-Version", "202404"}});
  EXPECT_EQ(sunset.status, 426);
  EXPECT_EQ(sunset.json["code"], "NONEXISTENT_VERSION");
  EXPECT_EQ(sunset.json["message"], "Requested version 20240401 is not active");
  for (const char* never : {"209901", "2026", "202613", "latest"}) {
    EXPECT_EQ(with({{"X-Restli-Protocol-Version", "2.0.0"}, {"LinkedIn-Version", never}}).status, 426) << never;
  }
  EXPECT_EQ(with({{"LinkedIn-Version", "202607"}}).status, 400);
  EXPECT_EQ(with({{"X-Restli-Protocol-Version", "2.0.0"}, {"LinkedIn-Version", "202607"}}).json["localizedName"],
            "Maison Lumen");
}

TEST_F(LinkedinTest, TokensEndAsLinkedinsDo) {
  const std::string me = "organizationAcls?q=roleAssignee";
  EXPECT_EQ(Call("GET", me).json["elements"][0]["organization"], page);
  sandbox.Control("POST", "/accounts/linkedin/" + page + "/token", {{"state", "expired"}});
  const Answered expired = Call("GET", me);
  EXPECT_EQ(expired.status, 401);
  EXPECT_EQ(expired.json["serviceErrorCode"], 65602);
  sandbox.Control("POST", "/accounts/linkedin/" + page + "/token", {{"state", "revoked"}});
  EXPECT_EQ(Call("GET", me).json["code"], "REVOKED_ACCESS_TOKEN");
  EXPECT_EQ(sandbox.Send("GET", "/linkedin/rest/" + me).status, 401);
}

TEST_F(LinkedinTest, PostsAreMadeReadEditedAndDeletedTwice) {
  const std::string commentary = "Bonjour \\(à tous\\) @[Maison Lumen](" + page + ") {hashtag|\\#|lumen}";
  const Answered made = Call("POST", "posts", PostBody(commentary));
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body, "");
  const std::string urn = made.headers.at("x-restli-id");
  EXPECT_TRUE(urn.starts_with("urn:li:share:71"));
  Answered read = Call("GET", "posts/" + Enc(urn));
  EXPECT_EQ(read.json["commentary"], commentary);
  EXPECT_EQ(read.json["lifecycleState"], "PUBLISHED");
  EXPECT_EQ(Patch("posts/" + Enc(urn), {{"$set", {{"commentary", "Neu"}}}}).status, 204);
  read = Call("GET", "posts/" + Enc(urn));
  EXPECT_EQ(read.json["commentary"], "Neu");
  EXPECT_EQ(read.json["lifecycleStateInfo"]["isEditedByAuthor"], true);
  EXPECT_EQ(Call("DELETE", "posts/" + Enc(urn)).status, 204);
  EXPECT_EQ(Call("DELETE", "posts/" + Enc(urn)).status, 204);
  EXPECT_EQ(Call("GET", "posts/" + Enc(urn)).status, 404);
  EXPECT_EQ(Call("DELETE", "posts/" + Enc("urn:li:share:1")).status, 404);
  EXPECT_EQ(JournalKinds(), (std::vector<std::string>{"post", "edit", "delete"}));
  EXPECT_EQ(sandbox.JournalLines()[0]["text"], commentary);
}

TEST_F(LinkedinTest, RefusesWhatItDoesNotKnowAndUrnsThatAreNotEncoded) {
  Json body = PostBody("Un");
  body.erase("author");
  Answered answer = Call("POST", "posts", body);
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.json["message"], "ERROR :: /author :: field is required but not found and has no default value\n");
  body = PostBody("Un");
  body["sparkle"] = 1;
  EXPECT_EQ(Call("POST", "posts", body).status, 422);
  body = PostBody("Un");
  body["author"] = "urn:li:organization:5";
  EXPECT_EQ(Call("POST", "posts", body).status, 403);
  EXPECT_EQ(Call("POST", "posts", PostBody(std::string(3000, 'a') + "\\(")).json["code"], "FIELD_LENGTH_TOO_LONG");
  EXPECT_EQ(Call("POST", "posts", PostBody(std::string(2999, 'a') + "\\(")).status, 201);
  EXPECT_EQ(Call("GET", "posts/urn:li:share:1").status, 400);
  EXPECT_EQ(Call("GET", "posts?q=author&author=" + page).status, 400);
  EXPECT_EQ(Call("GET", "nonsense").status, 404);
  EXPECT_EQ(JournalKinds(), (std::vector<std::string>{"post"}));
}

TEST_F(LinkedinTest, ADuplicateNamesWhatIsThere) {
  const std::string urn = NewPost("Deux fois");
  const Answered again = Call("POST", "posts", PostBody("Deux fois"));
  EXPECT_EQ(again.status, 422);
  EXPECT_EQ(again.json["message"], "Content is a duplicate of " + urn);
  sandbox.Control("POST", "/settings", {{"refuse_duplicates", false}});
  EXPECT_EQ(Call("POST", "posts", PostBody("Deux fois")).status, 201);
}

TEST_F(LinkedinTest, FindsByAuthorPageByPage) {
  std::vector<std::string> made, found;
  for (int i = 0; i < 7; ++i) made.insert(made.begin(), NewPost("n" + std::to_string(i)));
  std::string url = "/linkedin/rest/posts?q=author&count=3&author=" + Enc(page);
  while (!url.empty()) {
    const Answered answer = sandbox.Send("GET", url, "", Headers({{"X-RestLi-Method", "FINDER"}}));
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.json["paging"]["total"], 7);
    for (const Json& post : answer.json["elements"]) found.push_back(post["id"]);
    const Json links = answer.json["paging"]["links"];
    url = links.empty() ? "" : "/linkedin" + links[0]["href"].get<std::string>();
  }
  EXPECT_EQ(found, made);
  // A long GET may come as a POST.
  net::Headers tunnelled = Headers({{"X-HTTP-Method-Override", "GET"}});
  tunnelled["Content-Type"] = "application/x-www-form-urlencoded";
  const Answered answer = sandbox.Send("POST", "/linkedin/rest/posts", "q=author&author=" + Enc(page), tunnelled);
  EXPECT_EQ(answer.json["elements"].size(), 7u) << answer.body;
  sandbox.Control("POST", "/faults", {{"kind", "empty_page"}, {"network", "linkedin"}, {"count", 1}});
  const Answered empty = Call("GET", "posts?q=author&author=" + Enc(page));
  EXPECT_TRUE(empty.json["elements"].empty());
  EXPECT_EQ(empty.json["paging"]["links"].size(), 1u);
}

TEST_F(LinkedinTest, ImagesAreUploadedAndWaitedFor) {
  const Json value =
      Call("POST", "images?action=initializeUpload", {{"initializeUploadRequest", {{"owner", page}}}}).json["value"];
  const std::string image = value["image"], url = value["uploadUrl"];
  EXPECT_TRUE(image.starts_with("urn:li:image:"));
  Json body = PostBody("Avec image");
  body["content"] = {{"media", {{"id", image}, {"altText", "une lampe"}}}};
  EXPECT_EQ(Call("POST", "posts", body).status, 400);  // nothing uploaded yet
  EXPECT_EQ(sandbox.Send("PUT", url.substr(0, url.find("&ut=")), "x").status, 404);
  EXPECT_EQ(sandbox.Send("PUT", url, "\x89PNG").status, 201);
  EXPECT_EQ(Call("POST", "posts", body).status, 403);  // right after the upload
  const Answered made = Call("POST", "posts", body);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_TRUE(made.headers.at("x-restli-id").starts_with("urn:li:ugcPost:"));
  EXPECT_EQ(Call("GET", "posts/" + Enc(made.headers.at("x-restli-id"))).json["content"], body["content"]);
  EXPECT_EQ(Call("GET", "images/" + Enc(image)).json["status"], "AVAILABLE");
  body["content"] = {{"media", {{"id", "urn:li:image:nobody"}}}};
  EXPECT_EQ(Call("POST", "posts", body).status, 400);
  EXPECT_EQ(JournalKinds(), (std::vector<std::string>{"media", "post"}));
}

TEST_F(LinkedinTest, VideosComeInPartsAndAreFinalised) {
  const int64_t part = 4 << 20, size = part + 10;
  const Json value =
      Call("POST", "videos?action=initializeUpload",
           {{"initializeUploadRequest",
             {{"owner", page}, {"fileSizeBytes", size}, {"uploadCaptions", false}, {"uploadThumbnail", false}}}})
          .json["value"];
  const Json parts = value["uploadInstructions"];
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[1]["firstByte"], part);
  EXPECT_EQ(parts[1]["lastByte"], size - 1);
  EXPECT_EQ(sandbox.Send("PUT", parts[1]["uploadUrl"], "too short").status, 400);
  const Answered first = sandbox.Send("PUT", parts[0]["uploadUrl"], std::string(static_cast<size_t>(part), 'v'));
  const Answered second = sandbox.Send("PUT", parts[1]["uploadUrl"], std::string(10, 'v'));
  ASSERT_EQ(first.status, 200);
  const std::string one = first.headers.at("ETag"), two = second.headers.at("ETag");
  auto finalize = [&](const Json& ids) {
    return Call("POST", "videos?action=finalizeUpload",
                {{"finalizeUploadRequest",
                  {{"video", value["video"]}, {"uploadToken", value["uploadToken"]}, {"uploadedPartIds", ids}}}});
  };
  EXPECT_EQ(finalize({two, one}).status, 400);
  EXPECT_EQ(finalize({one}).status, 400);
  EXPECT_EQ(finalize({one, two.substr(1, two.size() - 2)}).status, 200);
  EXPECT_EQ(finalize({one, two}).status, 200);
  const std::string path = "videos/" + Enc(value["video"]);
  EXPECT_EQ(Call("GET", path).json["status"], "PROCESSING");
  EXPECT_EQ(Call("GET", path).json["status"], "AVAILABLE");
}

TEST(LittleText, IsShownAsReadersSeeIt) {
  EXPECT_EQ(LittleTextShown("a \\(b\\) \\\\ \\#c"), "a (b) \\ #c");
  EXPECT_EQ(LittleTextShown("Merci @[Maison \\(Lumen\\)](urn:li:organization:1) !"), "Merci Maison (Lumen) !");
  EXPECT_EQ(LittleTextShown("{hashtag|\\#|été} oui"), "#été oui");
  EXPECT_EQ(LittleTextShown("cut (here"), "cut ");
  EXPECT_EQ(LittleTextShown("@[open"), "@");
}

}  // namespace
}  // namespace parvis::sandbox
