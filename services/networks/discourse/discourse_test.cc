#include <gtest/gtest.h>

#include "networks/discourse/discourse.h"
#include "networks/testing/connector_test.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;

class DiscourseTest : public ConnectorTest {
 protected:
  DiscourseTest() : ConnectorTest("discourse", "https://forum.example", "34") {}
  static std::string Post(int64_t id, const std::string& time, const std::string& user = "ann",
                          const std::string& text = "hi", int number = 3) {
    return Json{{"id", id},           {"topic_id", 12},     {"post_number", number}, {"reply_to_post_number", nullptr},
                {"user_id", 9},       {"username", user},   {"topic_title", "T"},    {"raw", text},
                {"created_at", time}, {"updated_at", time}, {"version", 1}}
        .dump();
  }
  static std::string Latest(const std::vector<std::string>& posts) {
    std::string out;
    for (const std::string& post : posts) out += (out.empty() ? "" : ",") + post;
    return R"({"latest_posts":[)" + out + "]}";
  }
};

TEST_F(DiscourseTest, TakesAStanceOnEveryFeature) {
  for (int i = 0; i < kFeatures; ++i) {
    const auto& features = connector.capabilities().features;
    const auto it = features.find(static_cast<Feature>(i));
    ASSERT_NE(it, features.end()) << NameOf(static_cast<Feature>(i));
    if (it->second.stance == Stance::kNotInApi) {
      EXPECT_FALSE(it->second.source.empty()) << NameOf(static_cast<Feature>(i));
    }
  }
}

TEST_F(DiscourseTest, ATopicWithPicturesAndAPoll) {
  Write write = Of(WriteKind::kPost, "Hello");
  write.draft.link = "https://brand.example/";
  write.draft.media = {{.type = "image/png", .alt_text = "A [lamp]", .bytes = "PNG1"},
                       {.type = "application/pdf", .bytes = "PDF", .title = "Plan"}};
  write.draft.poll = PollDraft{{"yes", "no\nno"}};
  write.draft.options["category"] = "5";
  network.Next(200, R"({"id":1,"short_url":"upload://a.png","width":10,"height":20})");
  network.Next(200, R"({"id":2,"short_url":"upload://b.pdf","original_filename":"picture-2.pdf"})");
  network.Next(200, Post(34, "2026-11-20T10:00:00Z", "the-api_username", "x", 1));
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "t/12/1");
  EXPECT_EQ(out.permalink, network.url() + "/t/-/12/1");
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].path, "/uploads.json");
  EXPECT_EQ(asked[0].headers.at("Api-Key"), "the-api_key");
  EXPECT_EQ(asked[0].headers.at("Api-Username"), "the-api_username");
  EXPECT_NE(asked[0].body.find("name=\"upload_type\"\r\n\r\ncomposer"), std::string::npos);
  const Json body = ParseJson(asked[2].body);
  EXPECT_EQ(body["title"], "A title that is long enough");
  EXPECT_EQ(body["category"], 5);
  EXPECT_EQ(body["external_id"], "key-1");
  const std::string raw = body["raw"];
  EXPECT_EQ(raw.find("Hello\nhttps://brand.example/\n\n![A  lamp "
                     "|10x20](upload://a.png)\n\n[Plan|attachment](upload://b.pdf)\n\n[poll type=regular"),
            0u)
      << raw;
  EXPECT_NE(raw.find("* yes\n* no no\n[/poll]"), std::string::npos);
}

TEST_F(DiscourseTest, RepliesByTopicAndNumber) {
  network.Next(200, Post(34, "2026-11-20T10:00:00Z"));
  network.Next(200, Post(40, "2026-11-20T10:01:00Z"));
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Thanks")).remote_id, "40");
  auto asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/posts/34.json");
  EXPECT_EQ(ParseJson(asked[1].body), Json({{"topic_id", 12}, {"reply_to_post_number", 3}, {"raw", "Thanks"}}));
  Write write = Of(WriteKind::kReply, "Thanks");
  write.target_remote_id = "t/12/3";  // nothing has to be asked
  network.Next(200, Post(41, "2026-11-20T10:01:00Z"));
  EXPECT_EQ(Execute(write).remote_id, "41");
  EXPECT_EQ(network.Taken().size(), 1u);
  network.Next(200, Post(34, "2026-11-20T10:00:00Z"));
  network.Next(200, Post(42, "2026-11-20T10:01:00Z"));
  EXPECT_EQ(Execute(Of(WriteKind::kPrivateReply, "In private")).remote_id, "42");
  EXPECT_EQ(ParseJson(network.Taken().at(1).body), Json({{"title", "Re: T"},
                                                         {"archetype", "private_message"},
                                                         {"target_recipients", "ann"},
                                                         {"external_id", "key-1"},
                                                         {"raw", "In private"}}));
}

TEST_F(DiscourseTest, WhatIsHeldIsToldAndFoundAgain) {
  network.Next(200, R"({"action":"enqueued","success":true,"pending_post":{"id":7,"raw":"Hello"}})");
  const Outcome out = Execute(Of(WriteKind::kPost, "Hello"));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted);
  EXPECT_TRUE(out.held);
  EXPECT_EQ(out.remote_id, "review/7");
  // Reading back: no topic has our key, but the queue has the text.
  network.Next(404, R"({"errors":["-"],"error_type":"not_found"})");
  network.Next(200, R"({"pending_posts":[{"id":7,"raw_text":"Hello","created_at":"2026-11-20T10:00:00Z"}]})");
  const auto back = connector.ReadBack(network.call(), account, Of(WriteKind::kPost, "Hello"), absl::UnixEpoch(), 50);
  ASSERT_TRUE(back.ok()) << back.status();
  ASSERT_EQ(back->size(), 1u);
  EXPECT_EQ(back->at(0).remote_id, "review/7");
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kPost, "Hello"), back->at(0)));
  EXPECT_FALSE(connector.Matches(Of(WriteKind::kPost, "Another"), back->at(0)));
}

// The forum says "taken" in its own language: the key, which only we make, says whose the topic is.
TEST_F(DiscourseTest, ATopicThatExistsAlreadyIsAdoptedByItsKey) {
  network.Next(422, R"({"action":"create_post","errors":["External ist bereits vergeben"]})");
  network.Next(301, "", {{"Location", "https://elsewhere.example/t/a-title/12.json"}});
  network.Next(200, R"({"id":12,"post_stream":{"posts":[)" +
                        Post(34, "2026-11-20T10:00:00Z", "the-api_username", "Hello", 1) + "]}}");
  const Outcome out = Execute(Of(WriteKind::kPost, "Hello"));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "t/12/1");
  EXPECT_EQ(Asked(),
            "POST /posts.json\nGET /t/external_id/key-1.json?include_raw=true\nGET /t/12.json?include_raw=true\n");
  network.Next(422, R"({"action":"create_post","errors":["Title is too short"]})");
  network.Next(404, R"({"errors":["-"],"error_type":"not_found"})");
  const Outcome refused = Execute(Of(WriteKind::kPost, "Hello"));
  EXPECT_EQ(refused.error, ErrorClass::kInvalid);
  EXPECT_EQ(refused.message, "Title is too short");
}

TEST_F(DiscourseTest, Moderates) {
  for (const WriteKind kind : {WriteKind::kDelete, WriteKind::kUnhide, WriteKind::kSpam}) {
    network.Next(200, "");
    EXPECT_EQ(Execute(Of(kind)).kind, OutcomeKind::kAccepted) << NameOf(kind);
  }
  EXPECT_EQ(Asked(), "DELETE /posts/34.json\nPUT /posts/34/unhide.json\nPOST /post_actions.json\n");
  network.Next(200, Post(34, "2026-11-20T10:00:00Z"));
  network.Next(200, R"({"success":"OK"})");
  EXPECT_EQ(Execute(Of(WriteKind::kLock)).kind, OutcomeKind::kAccepted);
  auto asked = network.Taken();
  EXPECT_EQ(asked.at(1).path + asked[1].body, R"(/t/12/status.json{"enabled":"true","status":"closed"})");
  Write ban = Of(WriteKind::kBan, "spam");
  ban.target_author_id = "9";
  network.Next(200, R"({"suspension":{}})");
  EXPECT_EQ(Execute(ban).kind, OutcomeKind::kAccepted);
  asked = network.Taken();
  EXPECT_EQ(asked.at(0).path, "/admin/users/9/suspend.json");
  EXPECT_EQ(ParseJson(asked[0].body)["reason"], "spam");
  network.Next(200, Post(34, "2026-11-20T10:00:00Z"));  // whose post is it?
  network.Next(200, R"({"silence":{}})");
  EXPECT_EQ(Execute(Of(WriteKind::kMute)).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Asked(), "GET /posts/34.json\nPUT /admin/users/9/silence.json\n");
  Write approve = Of(WriteKind::kApprove);
  EXPECT_EQ(Execute(approve).error, ErrorClass::kInvalid);  // no entry of the queue
  approve.target_remote_id = "review/7";
  network.Next(200, R"({"reviewable":{"id":7,"status":0,"version":2}})");
  network.Next(200, R"({"reviewable_perform_result":{"success":true}})");
  EXPECT_EQ(Execute(approve).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Asked(), "GET /review/7.json\nPUT /review/7/perform/approve_post.json?version=2\n");
  EXPECT_EQ(Execute(Of(WriteKind::kHide)).reason, "REJECTED");
  EXPECT_TRUE(network.Taken().empty());
}

TEST_F(DiscourseTest, EveryClassOfRefusal) {
  struct Case {
    int status;
    const char* body;
    ErrorClass error;
  };
  const Case cases[] = {
      {200, R"({"id":1})", ErrorClass::kNone},
      {200, R"({"failed":"FAILED","message":"-"})", ErrorClass::kInvalid},
      {403, R"({"errors":["Das darfst du nicht"],"error_type":"invalid_access"})", ErrorClass::kPermission},
      {403, R"({"errors":["-"],"error_type":"not_logged_in"})", ErrorClass::kTokenExpired},
      {404, R"({"errors":["-"],"error_type":"not_found"})", ErrorClass::kNotFound},
      {422, R"({"action":"create_post","errors":["-"]})", ErrorClass::kInvalid},
      {409, R"({"errors":["-"]})", ErrorClass::kInvalid},
      {429, R"({"errors":["-"],"error_type":"rate_limit","extras":{"wait_seconds":7.2}})", ErrorClass::kRateLimited},
      {503, R"({"errors":["-"],"error_type":"read_only"})", ErrorClass::kTransient},
      {502, "<html>", ErrorClass::kTransient},
  };
  for (const Case& c : cases) {
    net::ClientResult http;
    http.http_status = c.status;
    EXPECT_EQ(ClassifyDiscourse(http, ParseJson(c.body)).error, c.error) << c.status << c.body;
  }
  net::ClientResult http;
  EXPECT_EQ(DiscourseRate(http, ParseJson(cases[7].body)).retry_after, absl::Seconds(8));
  // A dead key is answered like a missing right; our own profile tells them apart.
  network.Next(403, cases[2].body);
  network.Next(403, cases[2].body);
  EXPECT_EQ(Execute(Of(WriteKind::kDelete)).reason, "TOKEN_EXPIRED");
  network.Next(403, cases[2].body);
  network.Next(200, R"({"user":{"id":1}})");
  EXPECT_EQ(Execute(Of(WriteKind::kDelete)).reason, "PERMISSION_DENIED");
}

TEST_F(DiscourseTest, LostAnswersAndLostUploads) {
  network.NextReset();
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "Hello")).kind, OutcomeKind::kUnknown);
  Write write = Of(WriteKind::kPost, "Hello");
  write.draft.media = {{.type = "image/png", .bytes = "PNG1"}};
  network.NextReset();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent);
  network.Next(200, "not json");
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "Hello")).kind, OutcomeKind::kUnknown);
}

TEST_F(DiscourseTest, OwnRepliesFromTheTopicsEnd) {
  network.Next(200, Post(34, "2026-11-20T10:00:00Z"));
  network.Next(200, R"({"post_stream":{"stream":[31,33,34,9007199254740993]}})");
  network.Next(200, R"({"post_stream":{"posts":[)" + Post(34, "2026-11-20T10:00:00Z") + "," +
                        Post(9007199254740993, "2026-11-20T10:05:00Z", "the-api_username", "Thanks") + "]}}");
  network.Next(200, R"({"post_stream":{"posts":[)" + Post(31, "2026-11-20T09:00:00Z") + "," +
                        Post(33, "2026-11-20T09:30:00Z") + "]}}");
  network.Next(200, R"({"pending_posts":[]})");
  const auto back = connector.ReadBack(network.call(), account, Of(WriteKind::kReply, "Thanks"),
                                       absl::FromUnixSeconds(1795167000), 2);
  ASSERT_TRUE(back.ok()) << back.status();
  ASSERT_EQ(back->size(), 1u);
  EXPECT_EQ(back->at(0).remote_id, "9007199254740993");
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kReply, "Thanks"), back->at(0)));
  EXPECT_NE(Asked().find("/t/12/posts.json?include_raw=true&post_ids[]=34&post_ids[]=9007199254740993"),
            std::string::npos);
}

TEST_F(DiscourseTest, PollsInTheOrderOfTimeAndOnce) {
  const auto poll = [&](const std::string& cursor, int limit = 100) {
    return connector.Poll(network.call(), account, cursor, absl::FromUnixSeconds(1795168800), limit);  // 10:00:00
  };
  network.Next(200, Latest({Post(9007199254740994, "2026-11-20T10:03:00Z"),
                            Post(9007199254740993, "2026-11-20T10:02:00Z", "The-Api_Username")}));
  network.Next(200, Latest({Post(50, "2026-11-20T10:01:00Z"), Post(49, "2026-11-20T09:00:00Z")}));
  auto page = poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 1u);
  EXPECT_EQ(page->happenings[0].remote_id, "50");
  EXPECT_TRUE(page->more);
  EXPECT_EQ(Asked(), "GET /posts.json\nGET /posts.json?before=9007199254740993\n");
  const std::string second = page->cursor;
  for (int again = 0; again < 2; ++again) {  // the same cursor may be read again; what came meanwhile waits
    network.Next(200, Latest({Post(9007199254740994, "2026-11-20T10:03:00Z"),
                              Post(9007199254740993, "2026-11-20T10:02:00Z", "The-Api_Username")}));
    page = poll(second);
    ASSERT_TRUE(page.ok());
    ASSERT_EQ(page->happenings.size(), 2u);
    EXPECT_EQ(page->happenings[0].remote_id, "9007199254740993");
    EXPECT_TRUE(page->happenings[0].by_us);
    EXPECT_FALSE(page->more);
  }
  EXPECT_EQ(network.Taken().at(0).query, "before=9007199254740995");
  // A quiet round costs one request and gives nothing; a late comer with a lower number is not lost.
  const std::string quiet = Latest({Post(9007199254740994, "2026-11-20T10:03:00Z"),
                                    Post(9007199254740992, "2026-11-20T10:02:50Z"), Post(49, "2026-11-20T09:00:00Z")});
  network.Next(200, quiet);
  page = poll(page->cursor);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->happenings.size(), 1u);
  EXPECT_EQ(page->happenings[0].remote_id, "9007199254740992");
  network.Next(200, quiet);
  page = poll(page->cursor);
  EXPECT_TRUE(page->happenings.empty());
  EXPECT_FALSE(page->more);
}

// Whoever brings posts in from elsewhere dates them.
TEST_F(DiscourseTest, PostsDatedAheadOrBackHideNoneOfTheOthers) {
  const auto poll = [&](const std::string& cursor) {
    return connector.Poll(network.call(), account, cursor, absl::FromUnixSeconds(1795168800), 100);
  };
  network.Next(200, Latest({Post(50, "2096-01-01T00:00:00Z"), Post(49, "2026-11-20T09:00:00Z")}));
  auto page = poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 1u);
  network.Next(200, Latest({Post(53, "2026-11-20T11:00:00Z"), Post(52, "2001-01-01T00:00:00Z")}));
  network.Next(200, Latest({Post(51, "2026-11-20T11:00:00Z"), Post(49, "2026-11-20T09:00:00Z")}));
  page = poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 1u);
  EXPECT_EQ(page->happenings[0].remote_id, "51");
  network.Next(200, Latest({Post(53, "2026-11-20T11:00:00Z"), Post(52, "2001-01-01T00:00:00Z")}));
  page = poll(page->cursor);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->happenings.size(), 2u);
}

TEST_F(DiscourseTest, APollKeepsToItsLimitAndEnds) {
  const std::string all =
      Latest({Post(3, "2026-11-20T10:00:03Z"), Post(2, "2026-11-20T10:00:02Z"), Post(1, "2026-11-20T10:00:01Z")});
  network.Next(200, all);
  network.Next(200, Latest({}));
  auto page = connector.Poll(network.call(), account, "", absl::UnixEpoch(), 2);
  ASSERT_TRUE(page.ok());
  std::vector<std::string> ids;
  for (int rounds = 0; page->more && rounds < 5; ++rounds) {
    network.Next(200, all);
    page = connector.Poll(network.call(), account, page->cursor, absl::UnixEpoch(), 2);
    ASSERT_TRUE(page.ok());
    EXPECT_LE(page->happenings.size(), 2u);
    for (const Happening& h : page->happenings) ids.push_back(h.remote_id);
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_FALSE(page->more);
  // A forum that does not know "before" would be read for ever.
  network.Next(200, all);
  network.Next(200, all);
  EXPECT_EQ(connector.Poll(network.call(), account, "", absl::UnixEpoch(), 2).status().code(), Code::kUnavailable);
  network.Next(200, "{}");
  EXPECT_EQ(connector.Poll(network.call(), account, "", absl::UnixEpoch(), 2).status().code(), Code::kUnavailable);
}

TEST_F(DiscourseTest, Measures) {
  network.Next(
      200,
      R"({"id":34,"topic_id":12,"post_number":1,"reads":8,"reply_count":2,"actions_summary":[{"id":2,"count":5}]})");
  network.Next(200, R"({"id":12,"views":120,"posts_count":7})");
  network.Next(404, R"({"errors":["-"],"error_type":"not_found"})");
  const auto counts = connector.Measure(network.call(), account, {"34", "35", "review/7"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->counts.size(), 1u);
  EXPECT_EQ(counts->counts.at(0).values,
            (std::map<std::string, int64_t>{{"likes", 5}, {"comments", 6}, {"views", 120}, {"reads", 8}}));
  network.Next(200, R"({"about":{"stats":{"topic_count":1,"posts_count":2,"user_count":3,"like_count":4}}})");
  EXPECT_EQ(connector.Measure(network.call(), account, {})->counts.at(0).values,
            (std::map<std::string, int64_t>{{"likes", 4}, {"members", 3}, {"posts", 2}, {"topics", 1}}));
}

TEST_F(DiscourseTest, ChecksDrafts) {
  EXPECT_TRUE(connector.Check(WriteKind::kPost, Of(WriteKind::kPost, "Hello").draft).empty());
  Draft draft;
  draft.title = std::string(256, 'x');
  draft.text = std::string(32001, 'x');
  draft.options = {{"category", "news"}};
  draft.tags = {"a"};
  std::vector<std::string> reasons;
  for (const Violation& v : connector.Check(WriteKind::kPost, draft)) reasons.push_back(v.reason);
  EXPECT_EQ(reasons, (std::vector<std::string>{"NOT_POSSIBLE", "TEXT_TOO_LONG", "TITLE_TOO_LONG", "OPTION_VALUE"}));
  EXPECT_EQ(connector.TextLength("a\xF0\x9F\x98\x80"), 2);
  EXPECT_EQ(connector.Check(WriteKind::kHide, {}).at(0).reason, "NOT_POSSIBLE");
}

}  // namespace
}  // namespace parvis::networks
