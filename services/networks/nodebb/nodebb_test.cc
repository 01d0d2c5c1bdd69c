#include "networks/nodebb/nodebb.h"

#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"

namespace parvis::networks {
namespace {

class NodeBbTest : public ConnectorTest {
 protected:
  NodeBbTest() : ConnectorTest("nodebb", "https://forum.example", "34") {}
  void Ok(const std::string& response) {
    network.Next(200, R"({"status":{"code":"ok","message":"OK"},"response":)" + response + "}");
  }
};

TEST_F(NodeBbTest, TakesAStanceOnEveryFeature) {
  for (int i = 0; i < kFeatures; ++i) {
    const auto& features = connector.capabilities().features;
    const auto it = features.find(static_cast<Feature>(i));
    ASSERT_NE(it, features.end()) << NameOf(static_cast<Feature>(i));
    if (it->second.stance == Stance::kNotInApi) {
      EXPECT_FALSE(it->second.source.empty()) << NameOf(static_cast<Feature>(i));
    }
  }
}

TEST_F(NodeBbTest, ATopicWithAPicture) {
  Write write = Of(WriteKind::kPost, "Hello");
  write.draft.link = "https://brand.example/";
  write.draft.media = {{.type = "image/png", .alt_text = "A [lamp]", .bytes = "PNG1"}};
  write.draft.tags = {"news"};
  write.draft.options["category"] = "5";
  Ok(R"({"images":[{"url":"/assets/uploads/files/1.png"}]})");
  Ok(R"({"tid":12,"mainPid":34,"title":"A title"})");
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "34");
  EXPECT_EQ(out.permalink, network.url() + "/post/34");
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].path, "/api/post/upload");
  EXPECT_NE(asked[0].body.find("name=\"files[]\"; filename=\"picture-1.png\""), std::string::npos);
  EXPECT_EQ(asked[1].path, "/api/v3/topics");
  EXPECT_EQ(asked[1].headers.at("Authorization"), "Bearer the-access_token");
  EXPECT_EQ(ParseJson(asked[1].body),
            Json({{"cid", 5},
                  {"title", "A title that is long enough"},
                  {"tags", {"news"}},
                  {"content", "Hello\nhttps://brand.example/\n\n![A  lamp ](/assets/uploads/files/1.png)"}}));
}

TEST_F(NodeBbTest, RepliesAndChats) {
  account.credentials.fields["uid"] = Secret("7");  // a master token
  Ok(R"({"pid":34,"tid":12,"uid":9})");
  Ok(R"({"pid":9007199254740993,"tid":12})");
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Thanks")).remote_id, "9007199254740993");
  auto asked = network.Taken();
  EXPECT_EQ(asked.at(0).target, "/api/v3/posts/34?_uid=7");
  EXPECT_EQ(asked.at(1).target, "/api/v3/topics/12?_uid=7");
  EXPECT_EQ(ParseJson(asked[1].body), Json({{"toPid", 34}, {"content", "Thanks"}}));
  account.credentials.fields.erase("uid");
  Ok(R"({"pid":34,"tid":12,"uid":9})");
  Ok(R"({"roomId":3})");
  Ok(R"({"messageId":55})");
  EXPECT_EQ(Execute(Of(WriteKind::kPrivateReply, "In private")).remote_id, "chat/3/55");
  asked = network.Taken();
  EXPECT_EQ(asked.at(1).body, R"({"uids":[9]})");
  EXPECT_EQ(asked.at(2).path + asked[2].body, R"(/api/v3/chats/3{"message":"In private"})");
  // Our own topic goes on.
  Write thread = Of(WriteKind::kPost, "More");
  thread.target_remote_id = "34";
  Ok(R"({"pid":34,"tid":12,"uid":7})");
  Ok(R"({"pid":56,"tid":12})");
  EXPECT_EQ(Execute(thread).remote_id, "56");
  EXPECT_EQ(ParseJson(network.Taken().at(1).body), Json({{"content", "More"}}));
}

TEST_F(NodeBbTest, WhatIsHeldIsToldDecidedAndFoundAgain) {
  Ok(R"({"id":"topic-1700000000000","type":"topic","queued":true,"message":"[[success:post-queued]]"})");
  const Outcome out = Execute(Of(WriteKind::kPost, "Hello <3"));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted);
  EXPECT_TRUE(out.held);
  EXPECT_EQ(out.remote_id, "queue/topic-1700000000000");
  network.Taken();
  network.Next(200, R"({"uid":7,"userslug":"us"})");
  network.Next(200, R"([{"pid":33,"tid":1,"uid":8,"timestamp":1699999990000}])");
  network.Next(
      200,
      R"({"posts":[{"id":"topic-1700000000000","uid":7,"data":{"rawContent":"Hello &lt;3","timestamp":1700000000000}}]})");
  const auto back = connector.ReadBack(network.call(), account, Of(WriteKind::kPost, "Hello <3"),
                                       absl::FromUnixMillis(1699999999000), 50);
  ASSERT_TRUE(back.ok()) << back.status();
  ASSERT_EQ(back->size(), 1u);
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kPost, "Hello <3"), back->at(0)));
  EXPECT_EQ(Asked(), "GET /api/self\nGET /api/recent/posts?page=1\nGET /api/post-queue\n");

  Write decide = Of(WriteKind::kApprove);
  EXPECT_EQ(Execute(decide).error, ErrorClass::kInvalid);
  decide.target_remote_id = "queue/reply-17";
  Ok(R"({"type":"reply","pid":60,"tid":12})");
  EXPECT_EQ(Execute(decide).kind, OutcomeKind::kAccepted);
  decide.kind = WriteKind::kDelete;
  Ok("{}");
  EXPECT_EQ(Execute(decide).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Asked(), "POST /api/v3/posts/queue/reply-17\nDELETE /api/v3/posts/queue/reply-17\n");
}

TEST_F(NodeBbTest, ReadsBackItsTextAsWritten) {
  network.Next(200, R"({"uid":7})");
  network.Next(
      200,
      R"([{"pid":36,"tid":1,"uid":7,"toPid":34,"timestamp":1700000002000,"content":"bold"},{"pid":35,"tid":1,"uid":8,"timestamp":1700000001000}])");
  network.Next(200, "[]");
  network.Next(200, R"([{"pid":30,"tid":1,"uid":7,"timestamp":1600000000000}])");
  Ok(R"({"content":"**bold**"})");
  const auto back = connector.ReadBack(network.call(), account, Of(WriteKind::kReply, "**bold**"),
                                       absl::FromUnixMillis(1700000000000), 50);
  ASSERT_TRUE(back.ok()) << back.status();
  ASSERT_EQ(back->size(), 1u);
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kReply, "**bold**"), back->at(0)));
  EXPECT_FALSE(connector.Matches(Of(WriteKind::kReply, "bold"), back->at(0)));
  Write elsewhere = Of(WriteKind::kReply, "**bold**");
  elsewhere.target_remote_id = "99";
  EXPECT_FALSE(connector.Matches(elsewhere, back->at(0)));
  // A list that does not know pages would be read for ever.
  network.Next(200, R"({"uid":7})");
  network.Next(200, R"([{"pid":36,"uid":8,"timestamp":1700000002000}])");
  network.Next(200, R"([{"pid":36,"uid":8,"timestamp":1700000002000}])");
  EXPECT_EQ(
      ReasonOf(connector.ReadBack(network.call(), account, Of(WriteKind::kReply, "x"), absl::UnixEpoch(), 50).status()),
      "READ_BACK_TOO_LONG");
}

TEST_F(NodeBbTest, Moderates) {
  for (const WriteKind kind : {WriteKind::kDelete, WriteKind::kHide, WriteKind::kUnhide, WriteKind::kSpam}) {
    Ok("{}");
    EXPECT_EQ(Execute(Of(kind)).kind, OutcomeKind::kAccepted) << NameOf(kind);
  }
  EXPECT_EQ(
      Asked(),
      "DELETE /api/v3/posts/34/state\nDELETE /api/v3/posts/34/state\nPUT /api/v3/posts/34/state\nPOST /api/v3/flags\n");
  for (const WriteKind kind : {WriteKind::kLock, WriteKind::kUnlock}) {
    Ok(R"({"pid":34,"tid":12,"uid":9})");
    Ok("{}");
    EXPECT_EQ(Execute(Of(kind)).kind, OutcomeKind::kAccepted);
  }
  EXPECT_EQ(Asked(),
            "GET /api/v3/posts/34\nPUT /api/v3/topics/12/lock\nGET /api/v3/posts/34\nDELETE /api/v3/topics/12/lock\n");
  Write ban = Of(WriteKind::kBan, "spam");
  ban.target_author_id = "9";
  Ok("{}");
  EXPECT_EQ(Execute(ban).kind, OutcomeKind::kAccepted);
  auto asked = network.Taken();
  EXPECT_EQ(asked.at(0).method + asked[0].path + asked[0].body, R"(PUT/api/v3/users/9/ban{"reason":"spam","until":0})");
  Ok(R"({"pid":34,"tid":12,"uid":9})");  // whose post is it?
  Ok("{}");
  EXPECT_EQ(Execute(Of(WriteKind::kUnmute)).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Asked(), "GET /api/v3/posts/34\nDELETE /api/v3/users/9/mute\n");
  // Whether it worked: the state is read.
  Ok(R"({"pid":34,"tid":12,"uid":9,"timestamp":1,"deleted":1})");
  auto back = connector.ReadBack(network.call(), account, Of(WriteKind::kHide), absl::UnixEpoch(), 50);
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kHide), back->at(0)));
  Ok(R"({"uid":9,"banned":true})");
  back = connector.ReadBack(network.call(), account, ban, absl::UnixEpoch(), 50);
  EXPECT_TRUE(connector.Matches(ban, back->at(0)));
}

TEST_F(NodeBbTest, EveryClassOfRefusal) {
  struct Case {
    int status;
    const char* body;
    ErrorClass error;
  };
  const Case cases[] = {
      {200, "{}", ErrorClass::kNone},
      {400, R"({"status":{"code":"bad-request","message":"[[error:no-privileges]]"}})", ErrorClass::kPermission},
      {403, R"({"status":{"code":"forbidden","message":"Keine Rechte"}})", ErrorClass::kPermission},
      {401, R"({"status":{"code":"not-authorised","message":"-"}})", ErrorClass::kTokenExpired},
      {400, R"({"status":{"message":"[[error:too-many-posts, 10]]"}})", ErrorClass::kRateLimited},
      {400, R"({"status":{"message":"[[error:too-many-posts-newbie, 120, 3]]"}})", ErrorClass::kRateLimited},
      {429, "{}", ErrorClass::kRateLimited},
      {404, R"({"status":{"code":"not-found","message":"-"}})", ErrorClass::kNotFound},
      {400, R"({"error":"[[error:no-post]]"})", ErrorClass::kNotFound},
      {400, R"({"status":{"message":"[[error:post-already-deleted]]"}})", ErrorClass::kNone},
      {400, R"({"status":{"message":"[[error:content-too-short, 8]]"}})", ErrorClass::kInvalid},
      {400, R"({"status":{"message":"[[error:"}})", ErrorClass::kInvalid},
      {503, "<html>", ErrorClass::kTransient},
  };
  for (const Case& c : cases) {
    net::ClientResult http;
    http.http_status = c.status;
    EXPECT_EQ(ClassifyNodeBb(http, ParseJson(c.body)).error, c.error) << c.status << c.body;
  }
  EXPECT_EQ(NodeBbRate({}, ParseJson(cases[5].body)).retry_after, absl::Seconds(120));
  network.NextReset();
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "Hello")).kind, OutcomeKind::kUnknown);
  network.NextReset();
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Hello")).kind, OutcomeKind::kNotSent);  // only its target was asked for
  network.Next(200, "garbage");
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "Hello")).kind, OutcomeKind::kUnknown);
}

TEST_F(NodeBbTest, Measures) {
  Ok(R"({"pid":34,"tid":12,"upvotes":5,"downvotes":1,"replies":{"count":2}})");
  Ok(R"({"tid":12,"mainPid":34,"viewcount":120,"postcount":7})");
  network.Next(404, R"({"status":{"code":"not-found"}})");
  const auto counts = connector.Measure(network.call(), account, {"34", "35", "queue/x"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->counts.size(), 1u);
  EXPECT_EQ(counts->counts.at(0).values,
            (std::map<std::string, int64_t>{{"likes", 5}, {"dislikes", 1}, {"comments", 6}, {"views", 120}}));
  network.Next(200,
               R"({"categories":[{"totalPostCount":5,"totalTopicCount":2},{"totalPostCount":1,"totalTopicCount":1}]})");
  EXPECT_EQ(connector.Measure(network.call(), account, {})->counts.at(0).values,
            (std::map<std::string, int64_t>{{"posts", 6}, {"topics", 3}}));
}

TEST_F(NodeBbTest, ChecksDraftsAndWhoWeAre) {
  EXPECT_TRUE(connector.Check(WriteKind::kPost, Of(WriteKind::kPost, "Hello").draft).empty());
  Draft draft;
  draft.title = std::string(256, 'x');
  draft.text = std::string(32768, 'x');
  draft.options = {{"category", "news"}};
  draft.tags = {"", "b", "c", "d", "e", "f"};
  draft.poll = PollDraft{{"a", "b"}};
  std::vector<std::string> reasons;
  for (const Violation& v : connector.Check(WriteKind::kPost, draft)) reasons.push_back(v.reason);
  EXPECT_EQ(reasons, (std::vector<std::string>{"NOT_POSSIBLE", "TEXT_TOO_LONG", "TITLE_TOO_LONG", "TOO_MANY_TAGS",
                                               "TAG_INVALID", "OPTION_VALUE"}));
  network.Next(200, R"({"uid":7,"username":"Us","userslug":"us"})");
  EXPECT_EQ(connector.WhoAmI(network.call(), account)->handle, "us");
  network.Next(200, R"({"uid":0,"username":"[[global:guest]]"})");
  EXPECT_EQ(ReasonOf(connector.WhoAmI(network.call(), account).status()), "TOKEN_EXPIRED");
}

}  // namespace
}  // namespace parvis::networks
