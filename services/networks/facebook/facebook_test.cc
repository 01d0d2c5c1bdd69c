#include <gtest/gtest.h>

#include "networks/wire/answer.h"
#include "networks/testing/connector_test.h"

namespace parvis::networks {
namespace {

class FacebookTest : public ConnectorTest {
 protected:
  FacebookTest() : ConnectorTest("facebook", "111", "222_333", "/facebook/v23.0") {}
};

TEST_F(FacebookTest, PostsTextAndLink) {
  network.Next(200, R"({"id":"111_222","permalink_url":"https://fb/1"})",
               {{"X-Business-Use-Case-Usage", R"({"111":[{"call_count":40}]})"}});
  Write write = Of(WriteKind::kPost, "Bonjour & bienvenue");
  write.draft.link = "https://brand.example/a?b=c";
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "111_222");
  EXPECT_EQ(out.permalink, "https://fb/1");
  EXPECT_EQ(out.rate.remaining, 60);
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].method, "POST");
  EXPECT_EQ(asked[0].path, "/facebook/v23.0/111/feed");
  const auto form = net::ParseQuery(asked[0].body);
  EXPECT_EQ(form.at("message"), "Bonjour & bienvenue");
  EXPECT_EQ(form.at("link"), "https://brand.example/a?b=c");
  EXPECT_EQ(form.at("access_token"), "the-access_token");
  EXPECT_EQ(form.count("appsecret_proof"), 0u);
  EXPECT_EQ(asked[0].query, "");
}

TEST_F(FacebookTest, ProvesTheAppWhenItsSecretIsKnown) {
  account.credentials.fields["access_token"] = Secret("EAAtoken");
  account.credentials.fields["app_secret"] = Secret("app-secret-example");
  network.Next(200, R"({"id":"1"})");
  Execute(Of(WriteKind::kPost, "x"));
  // testdata/signatures.json, "appsecret_proof".
  EXPECT_EQ(net::ParseQuery(network.Taken()[0].body).at("appsecret_proof"), "17d8a1c5b985fe9235656332e74397db7cf41995ed1d73cfd0e4e3a2a8662f3d");
}

TEST_F(FacebookTest, PostsOnePhotoOrSeveral) {
  Write write = Of(WriteKind::kPost, "Look");
  write.draft.media = {{.url = "https://cdn.example/1.png", .type = "image/png", .alt_text = "A lamp"}};
  network.Next(200, R"({"id":"5","post_id":"111_9"})");
  EXPECT_EQ(Execute(write).remote_id, "111_9");
  auto asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/facebook/v23.0/111/photos");
  EXPECT_EQ(net::ParseQuery(asked[0].body).at("alt_text_custom"), "A lamp");
  EXPECT_EQ(net::ParseQuery(asked[0].body).at("caption"), "Look");

  write.draft.media.push_back({.url = "https://cdn.example/2.png", .type = "image/png"});
  network.Next(200, R"({"id":"5"})");
  network.Next(200, R"({"id":"6"})");
  network.Next(200, R"({"id":"111_10"})");
  EXPECT_EQ(Execute(write).remote_id, "111_10");
  asked = network.Taken();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(net::ParseQuery(asked[0].body).at("published"), "false");
  EXPECT_EQ(net::ParseQuery(asked[2].body).at("attached_media"), R"([{"media_fbid":"5"},{"media_fbid":"6"}])");

  // An upload that got lost has shown nothing to anyone: the post can be tried again.
  network.Next(200, R"({"id":"5"})");
  network.NextReset();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent);
}

// A picture that has no public address.
class KeptPicture : public MediaContent {
 public:
  int64_t size() const override { return 7; }
  StatusOr<std::string> Read(const Call&, int64_t, int64_t) override {
    if (!status.ok()) return status;
    return std::string("picture");
  }
  Status status;
};

TEST_F(FacebookTest, SendsThePhotosThatItCannotFetch) {
  const auto picture = std::make_shared<KeptPicture>();
  Write write = Of(WriteKind::kPost, "Look");
  write.draft.media = {{.type = "image/png", .alt_text = "A lamp", .content = picture}};
  EXPECT_TRUE(connector.Check(write.kind, write.draft).empty());
  network.Next(200, R"({"id":"5","post_id":"111_9"})");
  EXPECT_EQ(Execute(write).remote_id, "111_9");
  auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].path, "/facebook/v23.0/111/photos");
  EXPECT_NE(asked[0].body.find("name=\"source\"; filename=\"picture-1.png\"\r\nContent-Type: image/png\r\n\r\npicture\r\n"), std::string::npos);
  EXPECT_NE(asked[0].body.find("A lamp"), std::string::npos);
  EXPECT_EQ(asked[0].body.find("name=\"url\""), std::string::npos);
  picture->status = MakeError(Code::kUnavailable, "MEDIA_UNAVAILABLE", "away");
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent);
  write.draft.media.push_back({.url = "https://cdn.example/2.png", .type = "image/png"});
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent);
  EXPECT_TRUE(network.Taken().empty());
  write.kind = WriteKind::kReply;
  EXPECT_FALSE(connector.Check(write.kind, write.draft).empty()) << "an answer's picture is fetched";
}

TEST_F(FacebookTest, RepliesHidesAndDeletes) {
  network.Next(200, R"({"id":"222_444"})");
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Merci")).remote_id, "222_444");
  network.Next(200, R"({"success":true})");
  EXPECT_EQ(Execute(Of(WriteKind::kHide)).kind, OutcomeKind::kAccepted);
  network.Next(200, R"({"success":true})");
  EXPECT_EQ(Execute(Of(WriteKind::kUnhide)).kind, OutcomeKind::kAccepted);
  network.Next(200, R"({"success":true})");
  EXPECT_EQ(Execute(Of(WriteKind::kDelete)).kind, OutcomeKind::kAccepted);
  network.Next(200, R"({"success":false})");
  EXPECT_EQ(Execute(Of(WriteKind::kDelete)).kind, OutcomeKind::kRefused);
  const auto asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/facebook/v23.0/222_333/comments");
  EXPECT_EQ(net::ParseQuery(asked[1].body).at("is_hidden"), "true");
  EXPECT_EQ(net::ParseQuery(asked[2].body).at("is_hidden"), "false");
  EXPECT_EQ(asked[3].method, "DELETE");
  EXPECT_EQ(asked[3].query, "access_token=the-access_token");
  Write nowhere = Of(WriteKind::kHide);
  nowhere.target_remote_id.clear();
  EXPECT_EQ(Execute(nowhere).kind, OutcomeKind::kRefused);
  Write sly = Of(WriteKind::kDelete);
  sly.target_remote_id = "../111/feed?x=";
  network.Next(404, "");
  Execute(sly);
  EXPECT_EQ(network.Taken().back().target.find("/facebook/v23.0/..%2F111%2Ffeed%3Fx%3D?"), 0u);
}

TEST_F(FacebookTest, UnclearEndsAreUnknown) {
  for (const auto& step : std::vector<std::pair<int, std::string>>{{200, "<html>"}, {200, "{}"}, {504, ""}, {500, R"({"error":{"code":2}})"}}) {
    network.Next(step.first, step.second);
    const Outcome out = Execute(Of(WriteKind::kPost, "x"));
    EXPECT_EQ(out.kind, OutcomeKind::kUnknown) << step.first << step.second;
    EXPECT_EQ(out.reason, "OUTCOME_UNKNOWN");
  }
  network.NextReset();
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "x")).kind, OutcomeKind::kUnknown);
  EXPECT_EQ(network.Taken().size(), 5u);   // and nothing was sent twice
  account.base_url = "http://127.0.0.1:1";
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "x")).kind, OutcomeKind::kNotSent);
  account.base_url = "http://10.0.0.1";
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "x")).kind, OutcomeKind::kRefused);
}

TEST_F(FacebookTest, ReadsBackAndRecognises) {
  network.Next(200, R"({"data":[
    {"id":"111_2","message":"Bonjour  à\ntous","from":{"id":"111"},"created_time":"2023-11-14T22:13:20+0000","permalink_url":"l"},
    {"id":"111_1","message":"visitor","from":{"id":"9"},"created_time":"2023-11-14T22:13:20+0000"}]})");
  const Write post = Of(WriteKind::kPost, "Bonjour à tous");
  const auto items = connector.ReadBack(network.call(), account, post, absl::FromUnixSeconds(1700000000), 25);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_TRUE(connector.Matches(post, (*items)[0]));
  EXPECT_FALSE(connector.Matches(Of(WriteKind::kPost, "Bonjour"), (*items)[0]));
  EXPECT_EQ(net::ParseQuery(network.Taken()[0].query).at("since"), "1700000000");

  network.Next(200, R"({"data":[]})");
  network.Next(200, R"({"id":"222_333","parent":{"id":"222_100"}})");
  network.Next(200, R"({"data":[{"id":"222_5","message":"Merci","from":{"id":"111"},"created_time":"2023-11-14T22:13:20+0000","parent":{"id":"222_100"}}]})");
  const Write reply = Of(WriteKind::kReply, "Merci");
  const auto replies = connector.ReadBack(network.call(), account, reply, absl::UnixEpoch(), 25);
  ASSERT_TRUE(replies.ok());
  ASSERT_EQ(replies->size(), 1u);
  EXPECT_TRUE(connector.Matches(reply, (*replies)[0]));

  network.Next(200, R"({"id":"222_333","is_hidden":true})");
  const auto hidden = connector.ReadBack(network.call(), account, Of(WriteKind::kHide), absl::UnixEpoch(), 1);
  EXPECT_TRUE(connector.Matches(Of(WriteKind::kHide), hidden->at(0)));
  EXPECT_FALSE(connector.Matches(Of(WriteKind::kUnhide), hidden->at(0)));
  network.Next(400, R"({"error":{"code":100,"error_subcode":33}})");
  EXPECT_TRUE(connector.ReadBack(network.call(), account, Of(WriteKind::kDelete), absl::UnixEpoch(), 1)->empty());
  network.Next(400, R"({"error":{"code":190,"message":"dead"}})");
  EXPECT_EQ(ReasonOf(connector.ReadBack(network.call(), account, post, absl::UnixEpoch(), 1).status()), "TOKEN_EXPIRED");
}

// What is not among them is taken for not written, and may be sent again.
TEST_F(FacebookTest, ReadsAllPagesBackOrSaysThatItCannot) {
  network.Next(200, R"({"data":[],"paging":{"cursors":{"after":"A1"},"next":"https://graph/next"}})");   // facts 1.3: empty, and goes on
  network.Next(200, R"({"data":[{"id":"111_2","message":"Bonjour","from":{"id":"111"},"created_time":"2023-11-14T22:13:20+0000"}]})");
  const auto items = connector.ReadBack(network.call(), account, Of(WriteKind::kPost, "Bonjour"), absl::FromUnixSeconds(1700000000), 25);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ(net::ParseQuery(network.Taken()[1].query).at("after"), "A1");
  for (int page = 0; page < kReadBackPagesMax; ++page) {
    network.Next(200, R"({"data":[],"paging":{"cursors":{"after":"B)" + std::to_string(page) + R"("},"next":"https://graph/next"}})");
  }
  EXPECT_EQ(ReasonOf(connector.ReadBack(network.call(), account, Of(WriteKind::kPost, "x"), absl::UnixEpoch(), 25).status()),
            "READ_BACK_TOO_LONG");
}

TEST_F(FacebookTest, KnowsWhoWeAre) {
  network.Next(200, R"({"id":"111","name":"Lumen","username":"lumen"})");
  const auto identity = connector.WhoAmI(network.call(), account);
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ(identity->remote_id, "111");
  EXPECT_EQ(identity->name, "Lumen");
  network.Next(400, R"({"error":{"code":190,"message":"bad the-access_token"}})");
  const Status refused = connector.WhoAmI(network.call(), account).status();
  EXPECT_EQ(ReasonOf(refused), "TOKEN_EXPIRED");
  EXPECT_EQ(std::string(refused.message()).find("the-access_token"), std::string::npos);
  network.Next(200, "{}");
  EXPECT_EQ(ReasonOf(connector.WhoAmI(network.call(), account).status()), "TRANSIENT");
}

TEST_F(FacebookTest, PollsPostByPostAndPageByPage) {
  network.Next(200, R"({"data":[],"paging":{"cursors":{"after":"F1"},"next":"https://x"}})");   // empty, and not the end
  network.Next(200, R"({"data":[{"id":"111_2"},{"id":"111_1"}]})");
  network.Next(200, R"({"data":[{"id":"2_1","message":"one","from":{"id":"9","name":"N"},"created_time":"2023-11-14T22:13:20+0000"}],
                        "paging":{"cursors":{"after":"A1"},"next":"https://x"}})");
  auto page = connector.Poll(network.call(), account, "", absl::FromUnixSeconds(1600000000), 50);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_TRUE(page->more);
  ASSERT_EQ(page->happenings.size(), 1u);
  EXPECT_EQ(page->happenings[0].thread, "2_1");
  EXPECT_EQ(page->happenings[0].post_remote_id, "111_2");
  EXPECT_EQ(page->happenings[0].revision, 1700000000000000);   // as the webhook gives it
  network.Next(200, R"({"data":[{"id":"2_2","message":"two","from":{"id":"111"},"created_time":"2023-11-14T22:13:21+0000","parent":{"id":"2_1"}}, {"id":"2_3"}]})");
  page = connector.Poll(network.call(), account, page->cursor, absl::FromUnixSeconds(1600000000), 50);
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(page->more);
  EXPECT_EQ(page->happenings[0].thread, "2_1");
  EXPECT_TRUE(page->happenings[0].by_us);
  EXPECT_EQ(page->unparsed.size(), 1u);
  network.Next(400, R"({"error":{"code":100,"error_subcode":33}})");   // the post has gone meanwhile
  page = connector.Poll(network.call(), account, page->cursor, absl::FromUnixSeconds(1600000000), 50);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_FALSE(page->more);
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 5u);
  EXPECT_EQ(net::ParseQuery(asked[1].query).at("after"), "F1");
  EXPECT_EQ(net::ParseQuery(asked[2].query).at("since"), "1600000000");
  EXPECT_EQ(net::ParseQuery(asked[3].query).at("after"), "A1");
  EXPECT_EQ(asked[4].path, "/facebook/v23.0/111_1/comments");
  // The next round begins where this one began.
  network.Next(200, R"({"data":[]})");
  page = connector.Poll(network.call(), account, page->cursor, absl::UnixEpoch(), 50);
  ASSERT_TRUE(page.ok());
  EXPECT_FALSE(page->more);
  network.Next(400, R"({"error":{"code":32}})", {{"X-App-Usage", R"({"call_count":100})"}});
  EXPECT_EQ(ReasonOf(connector.Poll(network.call(), account, page->cursor, absl::UnixEpoch(), 50).status()), "RATE_LIMITED");
}

TEST_F(FacebookTest, ChecksEveryRule) {
  Draft draft;
  EXPECT_EQ(connector.Check(WriteKind::kPost, draft).size(), 1u);
  draft.text = std::string(63206, 'x');
  EXPECT_TRUE(connector.Check(WriteKind::kPost, draft).empty());
  draft.text += "é";
  draft.link = "ftp://x";
  draft.media.assign(11, {.url = "nowhere", .type = "image/bmp", .size_bytes = 5 << 20});
  const auto violations = connector.Check(WriteKind::kPost, draft);
  const auto has = [&](const std::string& field, const std::string& reason) {
    return std::any_of(violations.begin(), violations.end(), [&](const Violation& v) { return v.field == field && v.reason == reason; });
  };
  EXPECT_TRUE(has("text", "TEXT_TOO_LONG"));
  EXPECT_TRUE(has("link", "LINK_INVALID"));
  EXPECT_TRUE(has("media", "TOO_MANY_MEDIA"));
  EXPECT_TRUE(has("media[10].type", "MEDIA_TYPE"));
  EXPECT_TRUE(has("media[0].url", "MEDIA_URL"));
  EXPECT_TRUE(has("media[3].size_bytes", "MEDIA_TOO_LARGE"));
  Draft reply;
  reply.text = std::string(8001, 'x');
  EXPECT_EQ(connector.Check(WriteKind::kReply, reply).at(0).reason, "TEXT_TOO_LONG");
  reply.text = "\xff";
  EXPECT_EQ(connector.Check(WriteKind::kReply, reply).at(0).reason, "TEXT_NOT_UTF8");
  EXPECT_TRUE(connector.Check(WriteKind::kHide, {}).empty());
}

}  // namespace
TEST_F(FacebookTest, AnswersInPrivateAndBans) {
  network.Next(200, R"({"recipient_id":"999","message_id":"m_1"})");
  EXPECT_EQ(Execute(Of(WriteKind::kPrivateReply, "We wrote to you")).remote_id, "m_1");
  auto form = net::ParseQuery(network.Taken().at(0).body);
  EXPECT_EQ(ParseJson(form.at("recipient")), (Json{{"comment_id", "222_333"}}));
  EXPECT_EQ(ParseJson(form.at("message")), (Json{{"text", "We wrote to you"}}));
  network.NextReset();
  const Write ban = Of(WriteKind::kBan);
  network.Next(200, R"({"id":"222_333","from":{"id":"999"}})");
  EXPECT_EQ(Execute(ban).kind, OutcomeKind::kNotSent);   // the look at the author was lost: nothing has happened
  network.Next(200, R"({"999":true})");
  EXPECT_EQ(Execute(ban).remote_id, "999");
  network.Next(200, R"({"success":true})");
  Write unban = Of(WriteKind::kUnban);
  unban.target_author_id = "999";
  network.Taken();
  EXPECT_EQ(Execute(unban).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(network.Taken().at(0).method, "DELETE");
  network.Next(200, R"({"id":"222_333","from":{"id":"999"}})");
  network.Next(200, R"({"data":[{"id":"999","name":"N"}]})");
  const auto blocked = connector.ReadBack(network.call(), account, ban, absl::UnixEpoch(), 10);
  ASSERT_TRUE(blocked.ok()) << blocked.status();
  EXPECT_TRUE(connector.Matches(ban, blocked->at(0)));
  network.Next(200, R"({"data":[]})");
  EXPECT_TRUE(connector.Matches(unban, connector.ReadBack(network.call(), account, unban, absl::UnixEpoch(), 10)->at(0)));
  EXPECT_EQ(ReasonOf(connector.ReadBack(network.call(), account, Of(WriteKind::kMute), absl::UnixEpoch(), 10).status()), "READ_BACK_IMPOSSIBLE");
  EXPECT_EQ(Execute(Of(WriteKind::kMute)).reason, "REJECTED");
}

TEST_F(FacebookTest, CountsPostsAndThePage) {
  network.Next(200, R"({"id":"1_2","shares":{"count":4},"reactions":{"data":[],"summary":{"total_count":9}},"comments":{"data":[],"summary":{"total_count":3}}})");
  network.Next(400, R"({"error":{"message":"gone","type":"GraphMethodException","code":100,"error_subcode":33}})");
  const auto counts = connector.Measure(network.call(), account, {"1_2", "1_3"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->counts.size(), 1u);
  EXPECT_EQ(counts->counts.at(0).values, (std::map<std::string, int64_t>{{"likes", 9}, {"comments", 3}, {"shares", 4}}));
  network.Next(200, R"({"id":"1","followers_count":12})");
  EXPECT_EQ(connector.Measure(network.call(), account, {})->counts.at(0).values.at("followers"), 12);
}

}  // namespace parvis::networks
