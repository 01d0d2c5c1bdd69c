#include <gtest/gtest.h>

#include <set>

#include "networks/testing/connector_test.h"
#include "networks/wire/answer.h"

namespace parvis::networks {
namespace {

class XTest : public ConnectorTest {
 protected:
  XTest() : ConnectorTest("x", "10", "19") {}
};

TEST_F(XTest, PostsAndReplies) {
  network.Next(201, R"({"data":{"id":"20","text":"Bonjour"}})", {{"x-rate-limit-limit", "100"}, {"x-rate-limit-remaining", "99"}});
  Write write = Of(WriteKind::kPost, "Bonjour");
  write.draft.link = "https://brand.com";
  Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "20");
  EXPECT_EQ(out.permalink, "https://x.com/i/web/status/20");
  EXPECT_EQ(out.rate.remaining, 99);
  network.Next(201, R"({"data":{"id":"21"}})");
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Merci")).remote_id, "21");
  const auto asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/2/tweets");
  EXPECT_EQ(asked[0].headers.at("Authorization"), "Bearer the-access_token");
  EXPECT_EQ(ParseJson(asked[0].body), Json({{"text", "Bonjour\nhttps://brand.com"}}));
  EXPECT_EQ(ParseJson(asked[1].body), Json({{"text", "Merci"}, {"reply", {{"in_reply_to_tweet_id", "19"}}}}));
}

TEST_F(XTest, UploadsMediaFirst) {
  Write write = Of(WriteKind::kPost, "Look");
  write.draft.media = {{.url = network.url() + "/1.png", .type = "image/png", .alt_text = "A lamp"}};
  network.Next(200, "PNG-BYTES");
  network.Next(200, R"({"data":{"id":"900"}})");
  network.Next(200, R"({"data":{}})");
  network.Next(201, R"({"data":{"id":"20"}})");
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[0].headers.count("Authorization"), 0u);   // the token is for the network alone
  EXPECT_EQ(asked[1].path, "/2/media/upload");
  EXPECT_NE(asked[1].body.find("PNG-BYTES"), std::string::npos);
  EXPECT_EQ(asked[2].path, "/2/media/metadata");
  EXPECT_EQ(ParseJson(asked[3].body)["media"]["media_ids"], Json::array({"900"}));
  network.Next(404, "");
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kRefused);
  network.Next(200, "PNG");
  network.NextReset();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent);
}

TEST_F(XTest, HidesAndDeletes) {
  network.Next(200, R"({"data":{"hidden":true}})");
  EXPECT_EQ(Execute(Of(WriteKind::kHide)).kind, OutcomeKind::kAccepted);
  network.Next(200, R"({"data":{"hidden":false}})");
  EXPECT_EQ(Execute(Of(WriteKind::kUnhide)).kind, OutcomeKind::kAccepted);
  network.Next(200, R"({"data":{"deleted":true}})");
  EXPECT_EQ(Execute(Of(WriteKind::kDelete)).kind, OutcomeKind::kAccepted);
  const auto asked = network.Taken();
  EXPECT_EQ(asked[0].method + asked[0].path, "PUT/2/tweets/19/hidden");
  EXPECT_EQ(asked[1].body, R"({"hidden":false})");
  EXPECT_EQ(asked[2].method + asked[2].path, "DELETE/2/tweets/19");
  network.Next(403, R"({"type":"about:blank","detail":"You are not allowed to create a Tweet with duplicate content."})");
  const Outcome duplicate = Execute(Of(WriteKind::kPost, "again"));
  EXPECT_EQ(duplicate.kind, OutcomeKind::kRefused);
  EXPECT_EQ(duplicate.error, ErrorClass::kDuplicate);
  network.Next(200, "garbage");
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "x")).kind, OutcomeKind::kUnknown);
  network.Next(503, "");
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "x")).kind, OutcomeKind::kUnknown);
}

TEST_F(XTest, EveryEndpointHasItsOwnBudget) {
  const Capabilities& c = connector.capabilities();
  EXPECT_EQ(c.BudgetOf(WriteKind::kPost), c.BudgetOf(WriteKind::kReply));
  EXPECT_EQ(c.BudgetOf(WriteKind::kHide), c.BudgetOf(WriteKind::kUnhide));
  EXPECT_EQ(std::set<std::string>({c.BudgetOf(WriteKind::kPost), c.BudgetOf(WriteKind::kHide), c.BudgetOf(WriteKind::kDelete)}).size(), 3u);
  network.Next(429, "{}", {{"x-rate-limit-limit", "50"}, {"x-rate-limit-remaining", "0"}});
  EXPECT_EQ(Execute(Of(WriteKind::kHide)).budget, std::nullopt) << "the kind's own";
  Write write = Of(WriteKind::kPost, "a lamp");
  write.draft.media.push_back({.url = "https://brand.com/a.png", .type = "image/png", .bytes = "PNG"});
  network.Next(429, R"({"errors":[{"code":88,"message":"Rate limit exceeded"}]})", {{"Retry-After", "60"}});
  const Outcome upload = Execute(write);
  EXPECT_EQ(upload.error, ErrorClass::kRateLimited);
  EXPECT_NE(upload.budget.value_or(c.BudgetOf(WriteKind::kPost)), c.BudgetOf(WriteKind::kPost)) << "the upload's, not the posts'";
}

TEST_F(XTest, ReadsBackAndRecognises) {
  network.Next(200, R"({"data":[
    {"id":"22","text":"@ann Merci https://t.co/zzz","created_at":"2023-11-14T22:13:20.000Z","referenced_tweets":[{"type":"replied_to","id":"19"}]},
    {"id":"21","text":"Voyez https://t.co/abc et 1 &lt; 2 https://t.co/pic","created_at":"2023-11-14T22:13:19.000Z",
     "entities":{"urls":[{"url":"https://t.co/abc","expanded_url":"https://brand.com/lampes"}]}}],"meta":{"result_count":2}})");
  const auto items = connector.ReadBack(network.call(), account, Of(WriteKind::kPost), absl::FromUnixSeconds(1700000000), 10);
  ASSERT_TRUE(items.ok());
  ASSERT_EQ(items->size(), 2u);
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kReply, "Merci https://brand.com/x"), (*items)[0]));
  EXPECT_FALSE(connector.Matches(Of(WriteKind::kPost, "Merci https://brand.com/x"), (*items)[0]));
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kPost, "Voyez https://brand.com/lampes et 1 &lt; 2"), (*items)[1]));
  EXPECT_FALSE(connector.Matches(Of(WriteKind::kPost, "Voyez"), (*items)[1]));
  EXPECT_EQ(net::ParseQuery(network.Taken()[0].query).at("start_time"), "2023-11-14T22:13:20Z");
  network.Next(200, R"({"meta":{"result_count":0}})");
  EXPECT_TRUE(connector.ReadBack(network.call(), account, Of(WriteKind::kPost), absl::UnixEpoch(), 10)->empty());
  network.Next(200, R"({"errors":[{"type":"https://api.x.com/2/problems/resource-not-found"}]})");
  EXPECT_TRUE(connector.ReadBack(network.call(), account, Of(WriteKind::kDelete), absl::UnixEpoch(), 1)->empty());
  network.Next(200, "[]");
  EXPECT_EQ(ReasonOf(connector.ReadBack(network.call(), account, Of(WriteKind::kPost), absl::UnixEpoch(), 10).status()), "TRANSIENT");
}

// What is not among them is taken for not written, and may be sent again.
TEST_F(XTest, ReadsAllPagesBackOrSaysThatItCannot) {
  network.Next(200, R"({"data":[{"id":"22","text":"b","created_at":"2023-11-14T22:13:21.000Z"}],"meta":{"next_token":"T1"}})");
  network.Next(200, R"({"data":[{"id":"21","text":"a","created_at":"2023-11-14T22:13:20.000Z"}],"meta":{"result_count":1}})");
  const auto items = connector.ReadBack(network.call(), account, Of(WriteKind::kReply), absl::FromUnixSeconds(1700000000), 10);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 2u);
  EXPECT_EQ((*items)[1].remote_id, "21");
  EXPECT_EQ(net::ParseQuery(network.Taken()[1].query).at("pagination_token"), "T1");
  for (int page = 0; page < kReadBackPagesMax; ++page) {
    network.Next(200, R"({"data":[],"meta":{"next_token":"T)" + std::to_string(page) + R"("}})");
  }
  EXPECT_EQ(ReasonOf(connector.ReadBack(network.call(), account, Of(WriteKind::kReply), absl::UnixEpoch(), 10).status()),
            "READ_BACK_TOO_LONG");
}

TEST_F(XTest, PollsBackToTheLastId) {
  network.Next(200, R"({"data":{"id":"10","name":"Lumen","username":"lumen"}})");
  EXPECT_EQ(connector.WhoAmI(network.call(), account)->url, "https://x.com/lumen");
  network.Next(200, R"({"data":[
      {"id":"102","text":"b","author_id":"11","conversation_id":"50","created_at":"2023-11-14T22:13:21.000Z","referenced_tweets":[{"type":"replied_to","id":"50"}]},
      {"id":"101","text":"@lumen hi","author_id":"12","conversation_id":"101","created_at":"2023-11-14T22:13:20.000Z"}],
    "includes":{"users":[{"id":"11","name":"Ann","username":"ann"}]},"meta":{"next_token":"T1","newest_id":"102"}})");
  auto page = connector.Poll(network.call(), account, "", absl::FromUnixSeconds(1600000000), 100);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_TRUE(page->more);
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->happenings[0].remote_id, "101");
  EXPECT_EQ(page->happenings[0].kind, Happening::Kind::kMention);
  EXPECT_EQ(page->happenings[1].kind, Happening::Kind::kComment);
  EXPECT_EQ(page->happenings[1].conversation, "50/11");
  EXPECT_EQ(page->happenings[1].author_handle, "ann");
  network.Next(200, R"({"data":[{"id":"99","text":"older","author_id":"11","conversation_id":"99","created_at":"2023-11-14T22:13:00.000Z"},{"id":"98"}],"meta":{}})");
  page = connector.Poll(network.call(), account, page->cursor, absl::FromUnixSeconds(1600000000), 100);
  ASSERT_TRUE(page.ok());
  EXPECT_FALSE(page->more);
  EXPECT_EQ(page->unparsed.size(), 1u);
  network.Next(200, R"({"meta":{"result_count":0}})");
  page = connector.Poll(network.call(), account, page->cursor, absl::FromUnixSeconds(1600000000), 100);
  ASSERT_TRUE(page.ok());
  const auto asked = network.Taken();
  EXPECT_EQ(net::ParseQuery(asked[1].query).at("start_time"), "2020-09-13T12:26:40Z");
  EXPECT_EQ(net::ParseQuery(asked[2].query).at("pagination_token"), "T1");
  EXPECT_EQ(net::ParseQuery(asked[3].query).at("since_id"), "102");
  EXPECT_EQ(net::ParseQuery(asked[3].query).count("start_time"), 0u);
}

TEST_F(XTest, ChecksEveryRule) {
  Draft draft;
  draft.text = std::string(280, 'x');
  EXPECT_TRUE(connector.Check(WriteKind::kPost, draft).empty());
  draft.link = "https://brand.com/a-very-long-path";
  const auto too_long = connector.Check(WriteKind::kPost, draft);
  ASSERT_EQ(too_long.size(), 1u);
  EXPECT_NE(too_long[0].description.find("304"), std::string::npos) << too_long[0].description;   // 280, line break, link 23
  draft = {};
  draft.text = "a\xEF\xBB\xBF" + std::string(280, 'x');
  draft.media.assign(5, {.url = "https://x.example/1.gif", .type = "image/gif"});
  EXPECT_EQ(connector.Check(WriteKind::kReply, draft).size(), 2u + 1u + 5u);
  EXPECT_EQ(connector.TextLength("👨‍👩‍👧‍👦 https://example.com"), 26);
}

}  // namespace
TEST_F(XTest, AsksQuotesContinuesAndMutes) {
  Write ask = Of(WriteKind::kPost, "Which one?");
  ask.target_remote_id.clear();
  ask.draft.poll = PollDraft{.options = {"Red", "Blue"}, .open_for = absl::Hours(1)};
  ask.draft.options["reply_settings"] = "following";
  EXPECT_TRUE(connector.Check(WriteKind::kPost, ask.draft).empty());
  network.Next(201, R"({"data":{"id":"31","text":"Which one?"}})");
  EXPECT_EQ(Execute(ask).remote_id, "31");
  Json body = ParseJson(network.Taken().at(0).body);
  EXPECT_EQ(body["poll"]["duration_minutes"], 60);
  EXPECT_EQ(body["reply_settings"], "following");
  EXPECT_FALSE(body.contains("reply"));
  ask.draft.quote_remote_id = "9";
  EXPECT_EQ(connector.Check(WriteKind::kPost, ask.draft).at(0).reason, "EXCLUSIVE");
  ask.draft.poll->options = {"one"};
  ask.draft.poll->open_for = absl::Minutes(1);
  EXPECT_EQ(connector.Check(WriteKind::kPost, ask.draft).at(0).reason, "POLL_OPTIONS");

  Write next = Of(WriteKind::kPost, "2/2");
  next.target_remote_id = "31";
  next.draft.quote_remote_id = "9007199254740993";
  network.Next(201, R"({"data":{"id":"32"}})");
  EXPECT_EQ(Execute(next).remote_id, "32");
  body = ParseJson(network.Taken().at(0).body);
  EXPECT_EQ(body["reply"]["in_reply_to_tweet_id"], "31");
  EXPECT_EQ(body["quote_tweet_id"], "9007199254740993");

  Write mute = Of(WriteKind::kMute);
  mute.target_remote_id = "20";
  network.Next(200, R"({"data":{"id":"20","author_id":"11"}})");
  network.Next(200, R"({"data":{"muting":true}})");
  EXPECT_EQ(Execute(mute).remote_id, "11");
  const auto taken = network.Taken();
  EXPECT_EQ(taken.at(1).path, "/2/users/" + account.remote_id + "/muting");
  EXPECT_EQ(ParseJson(taken.at(1).body)["target_user_id"], "11");
  EXPECT_EQ(ReasonOf(connector.ReadBack(network.call(), account, mute, absl::UnixEpoch(), 10).status()), "READ_BACK_IMPOSSIBLE");
  const Outcome banned = Execute(Of(WriteKind::kBan));
  EXPECT_EQ(banned.kind, OutcomeKind::kRefused);
  EXPECT_TRUE(network.Taken().empty());
}

TEST_F(XTest, CountsPostsAndTheAccount) {
  network.Next(200, R"({"data":[{"id":"1","public_metrics":{"like_count":3,"reply_count":2,"retweet_count":1,"impression_count":5000000000,
                        "sparkle_count":7}}],"errors":[{"resource_id":"2","type":"https://api.x.com/2/problems/resource-not-found"}]})",
               {{"x-rate-limit-limit", "15"}, {"x-rate-limit-remaining", "0"}});
  const auto counts = connector.Measure(network.call(), account, {"1", "2"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->counts.size(), 1u);
  EXPECT_EQ(counts->counts.at(0).values, (std::map<std::string, int64_t>{{"likes", 3}, {"comments", 2}, {"shares", 1}, {"impressions", 5000000000}}));
  EXPECT_EQ(counts->rate.remaining, 0) << "whoever measures waits before it is refused";
  EXPECT_EQ(net::ParseQuery(network.Taken().at(0).query).at("ids"), "1,2");
  network.Next(200, R"({"data":{"id":"10","public_metrics":{"followers_count":12,"tweet_count":4}}})");
  EXPECT_EQ(connector.Measure(network.call(), account, {})->counts.at(0).values.at("followers"), 12);
  network.Next(200, "garbage");
  EXPECT_EQ(connector.Measure(network.call(), account, {"1"}).status().code(), Code::kUnavailable);
  EXPECT_EQ(connector.Measure(network.call(), account, std::vector<std::string>(51, "1")).status().code(), Code::kInvalidArgument);
}

}  // namespace parvis::networks
