#include "networks/mastodon/mastodon.h"

#include <gtest/gtest.h>

#include "networks/mastodon/mastodon_text.h"
#include "networks/testing/scripted_network.h"

namespace parvis::networks {
namespace {

class MastodonTest : public ::testing::Test {
 protected:
  Write Of(WriteKind kind, const std::string& text = "") {
    Write write;
    write.kind = kind;
    write.draft.text = text;
    write.idempotency_key = "key-1";
    if (kind != WriteKind::kPost) write.target_remote_id = "50";
    return write;
  }
  Outcome Execute(const Write& write) { return connector.Execute(network.call(), account, write); }
  std::vector<std::string> Reasons(const Draft& draft, WriteKind kind = WriteKind::kPost) {
    std::vector<std::string> out;
    for (const Violation& v : connector.Check(kind, draft)) out.push_back(v.reason);
    return out;
  }
  std::string Asked() {
    std::string out;
    for (const auto& request : network.Taken()) out += request.method + " " + request.target + "\n";
    return out;
  }
  // What is answered: by 8, "bob@far.example".
  void Target(const std::string& visibility, const std::string& author = "8") {
    network.Next(200, R"({"id":"50","visibility":")" + visibility + R"(","account":{"id":")" + author +
                          R"(","acct":"bob@far.example"}})");
  }
  void Created() { network.Next(200, R"({"id":"113000000000000001","url":"https://m.example/@us/1","extra":[1]})"); }
  Json Sent(size_t request) { return ParseJson(network.Taken().at(request).body); }
  ScriptedNetwork network;
  Connector& connector = network.connector("mastodon");
  Account account = network.account("mastodon", "7");
};

TEST_F(MastodonTest, TakesAStanceOnEveryFeature) {
  for (int i = 0; i < kFeatures; ++i) {
    const auto& features = connector.capabilities().features;
    const auto it = features.find(static_cast<Feature>(i));
    ASSERT_NE(it, features.end()) << NameOf(static_cast<Feature>(i));
    if (it->second.stance == Stance::kNotInApi) {
      EXPECT_FALSE(it->second.source.empty()) << NameOf(static_cast<Feature>(i));
    }
  }
}

TEST_F(MastodonTest, AStatusWithItsKey) {
  Write write = Of(WriteKind::kPost, "Hello");
  write.draft.link = "https://brand.example/";
  write.draft.tags = {"news"};
  write.draft.language = "pt-BR";
  write.draft.options = {{"visibility", "unlisted"}, {"spoiler_text", "Lamps"}, {"sensitive", "true"}};
  network.Next(200, R"({"id":"113000000000000001","url":"https://m.example/@us/1"})",
               {{"X-RateLimit-Limit", "300"},
                {"X-RateLimit-Remaining", "299"},
                {"X-RateLimit-Reset",
                 absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now() + absl::Minutes(5), absl::UTCTimeZone())}});
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, "113000000000000001");
  EXPECT_EQ(out.permalink, "https://m.example/@us/1");
  EXPECT_EQ(out.rate.remaining, 299);
  EXPECT_GT(out.rate.reset_in.value_or(absl::ZeroDuration()), absl::Minutes(4));
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].method + asked[0].path, "POST/api/v1/statuses");
  EXPECT_EQ(asked[0].headers.at("Idempotency-Key"), "key-1");
  EXPECT_EQ(asked[0].headers.at("Authorization"), "Bearer the-access_token");
  EXPECT_EQ(ParseJson(asked[0].body), Json({{"status", "Hello\nhttps://brand.example/\n\n#news"},
                                            {"visibility", "unlisted"},
                                            {"spoiler_text", "Lamps"},
                                            {"sensitive", true},
                                            {"language", "pt"}}));
  EXPECT_TRUE(connector.capabilities().idempotency_key);
}

TEST_F(MastodonTest, PollsAndQuotes) {
  Write write = Of(WriteKind::kPost, "Which?");
  write.draft.poll = PollDraft{{"Red", "Blue"}, absl::Hours(2), true};
  Created();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Sent(0)["poll"], Json({{"options", {"Red", "Blue"}}, {"expires_in", 7200}, {"multiple", true}}));
  write = Of(WriteKind::kPost, "See");
  write.draft.quote_remote_id = "49";
  Created();
  EXPECT_NE(Execute(write).lacking.find("4.5"), std::string::npos);
  EXPECT_EQ(Sent(0)["quoted_status_id"], "49");
  network.Next(200, R"({"id":"1","quote":{"state":"pending"}})");
  EXPECT_NE(Execute(write).lacking.find("approval"), std::string::npos);
  network.Next(200, R"({"id":"1","quote":{"state":"accepted"}})");
  EXPECT_EQ(Execute(write).lacking, "");
}

TEST_F(MastodonTest, AnAnswerTellsItsAuthorAndIsSeenByNoMore) {
  Target("private");
  Created();
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "Thanks")).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Sent(1),
            Json({{"status", "@bob@far.example Thanks"}, {"in_reply_to_id", "50"}, {"visibility", "private"}}));
  Write write = Of(WriteKind::kReply, "Thanks @BOB@far.example!");
  write.draft.options["visibility"] = "public";  // wider than what is answered
  Target("unlisted");
  Created();
  Execute(write);
  EXPECT_EQ(Sent(1),
            Json({{"status", "Thanks @BOB@far.example!"}, {"in_reply_to_id", "50"}, {"visibility", "unlisted"}}));
  Target("some-later-kind");
  Created();
  Execute(Of(WriteKind::kReply, "Thanks"));
  EXPECT_EQ(Sent(1)["visibility"], "direct");
  Target("public");
  Created();
  Execute(Of(WriteKind::kPrivateReply, "In private"));
  EXPECT_EQ(Sent(1)["visibility"], "direct");
  // The target is gone: nothing was written.
  network.Next(404, R"({"error":"Eintrag nicht gefunden"})");
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "x")).error, ErrorClass::kNotFound);
  EXPECT_EQ(network.Taken().size(), 1u);
  network.NextReset();
  EXPECT_EQ(Execute(Of(WriteKind::kReply, "x")).kind, OutcomeKind::kNotSent);
}

TEST_F(MastodonTest, AThreadContinuesOurOwn) {
  Write write = Of(WriteKind::kPost, "More");
  write.target_remote_id = "50";
  Target("unlisted", "7");
  Created();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Sent(1), Json({{"status", "More"}, {"in_reply_to_id", "50"}, {"visibility", "unlisted"}}));
  Target("public");
  EXPECT_EQ(Execute(write).error, ErrorClass::kInvalid);
  EXPECT_EQ(network.Taken().size(), 1u);
}

TEST_F(MastodonTest, MediaIsAwaited) {
  Write write = Of(WriteKind::kPost, "A lamp");
  write.draft.media = {{.type = "video/mp4", .alt_text = "A lamp turns", .bytes = "MP4"}};
  write.draft.thumbnail = Media{.type = "image/png", .bytes = "PNG"};
  network.Next(202, R"({"id":"9007199254740993","url":null})");
  network.Next(206, "");
  network.Next(200, R"({"id":"9007199254740993","url":"https://m.example/v.mp4"})");
  Created();
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[0].path, "/api/v2/media");
  EXPECT_NE(asked[0].body.find("name=\"file\"; filename=\"picture-1.mp4\"\r\nContent-Type: video/mp4\r\n\r\nMP4\r\n"),
            std::string::npos);
  EXPECT_NE(asked[0].body.find("name=\"description\"\r\n\r\nA lamp turns\r\n"), std::string::npos);
  EXPECT_NE(asked[0].body.find("name=\"thumbnail\"; filename=\"picture-1.png\""), std::string::npos);
  EXPECT_EQ(asked[1].target, "/api/v1/media/9007199254740993");
  EXPECT_EQ(ParseJson(asked[3].body)["media_ids"], Json::array({"9007199254740993"}));
}

TEST_F(MastodonTest, MediaThatIsNotReadyLeavesNoStatus) {
  Write write = Of(WriteKind::kPost, "A lamp");
  write.draft.media = {{.type = "video/mp4", .bytes = "MP4"}};
  network.Next(202, R"({"id":"9","url":null})");
  network.Next(422, R"({"error":"Fehler"})");
  EXPECT_EQ(Execute(write).error, ErrorClass::kInvalid);
  Call hurried = network.call();  // the deadline comes before the server is ready
  hurried.deadline = RealClock().Now() + absl::Seconds(3);
  network.Next(202, R"({"id":"9","url":null})");
  const Outcome late = connector.Execute(hurried, account, write);
  EXPECT_EQ(late.kind, OutcomeKind::kNotSent);
  EXPECT_EQ(late.reason, "TRANSIENT");
  network.Next(429, R"({"error":"Too many requests"})");
  EXPECT_EQ(Execute(write).budget, "media");
  network.NextReset();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent);  // nobody sees an upload
  EXPECT_EQ(Asked().find("POST /api/v1/statuses"), std::string::npos);
}

TEST_F(MastodonTest, Deeds) {
  Write write = Of(WriteKind::kBan);
  Target("public");
  network.Next(200, R"({"id":"8","blocking":true})");
  EXPECT_EQ(Execute(write).remote_id, "50");
  write.target_author_id = "8";
  for (const WriteKind kind : {WriteKind::kUnban, WriteKind::kMute, WriteKind::kUnmute}) {
    write.kind = kind;
    network.Next(200, R"({"id":"8"})");
    EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  }
  EXPECT_EQ(Asked(),
            "GET /api/v1/statuses/50\nPOST /api/v1/accounts/8/block\nPOST /api/v1/accounts/8/unblock\n"
            "POST /api/v1/accounts/8/mute\nPOST /api/v1/accounts/8/unmute\n");
  write.kind = WriteKind::kReport;
  write.draft.text = "Abuse";
  network.Next(200, R"({"id":"48914"})");
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Sent(0), Json({{"account_id", "8"}, {"comment", "Abuse"}, {"category", "other"}, {"status_ids", {"50"}}}));
  network.Next(200, R"({"id":"50","text":"gone"})");
  EXPECT_EQ(Execute(Of(WriteKind::kDelete)).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(Asked(), "DELETE /api/v1/statuses/50\n");
  write.kind = WriteKind::kMute;
  write.target_author_id = "7";
  EXPECT_EQ(Execute(write).error, ErrorClass::kInvalid);
  for (const WriteKind kind : {WriteKind::kHide, WriteKind::kUnhide, WriteKind::kApprove, WriteKind::kSpam,
                               WriteKind::kLock, WriteKind::kUnlock}) {
    EXPECT_EQ(Execute(Of(kind)).error, ErrorClass::kInvalid) << NameOf(kind);
  }
  EXPECT_EQ(Asked(), "");
}

TEST_F(MastodonTest, StatusDecidesNotTheMessage) {
  const struct {
    int status;
    ErrorClass error;
    OutcomeKind kind;
  } cases[] = {
      {401, ErrorClass::kTokenExpired, OutcomeKind::kRefused}, {403, ErrorClass::kPermission, OutcomeKind::kRefused},
      {404, ErrorClass::kNotFound, OutcomeKind::kRefused},     {410, ErrorClass::kNotFound, OutcomeKind::kRefused},
      {422, ErrorClass::kInvalid, OutcomeKind::kRefused},      {429, ErrorClass::kRateLimited, OutcomeKind::kRefused},
      {302, ErrorClass::kInvalid, OutcomeKind::kRefused},      {503, ErrorClass::kTransient, OutcomeKind::kUnknown}};
  for (const auto& c : cases) {
    network.Next(c.status, R"({"error":"Nicht gefunden, too many requests"})");
    const Outcome out = Execute(Of(WriteKind::kPost, "x"));
    EXPECT_EQ(out.error, c.error) << c.status;
    EXPECT_EQ(out.kind, c.kind) << c.status;
  }
  network.Next(200, "<html>");
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "x")).kind, OutcomeKind::kUnknown);
  network.NextReset();
  EXPECT_EQ(Execute(Of(WriteKind::kPost, "x")).kind, OutcomeKind::kUnknown);
}

TEST_F(MastodonTest, Checks) {
  EXPECT_EQ(Reasons({.text = std::string(500, 'a')}), std::vector<std::string>{});
  Draft draft{.text = std::string(490, 'a')};
  draft.options["spoiler_text"] = "eleven char";
  EXPECT_EQ(Reasons(draft), std::vector<std::string>{"TEXT_TOO_LONG"});
  EXPECT_EQ(Reasons({.text = "@someone@a.very.long.host.example " + std::string(490, 'a')}),
            std::vector<std::string>{});
  draft = {.text = "x"};
  draft.poll = PollDraft{{"a", "a"}, absl::Seconds(10), false};
  draft.media = {{.type = "image/png", .bytes = "P"}};
  EXPECT_EQ(Reasons(draft), (std::vector<std::string>{"POLL_DURATION", "POLL_OPTION_TEXT", "POLL_WITH_MEDIA"}));
  draft = {.text = "x", .tags = {"a b", "12", "ok_1", "grüße"}};
  draft.media = {{.type = "video/mp4", .bytes = "P"},
                 {.type = "image/png", .alt_text = std::string(1501, 'a'), .bytes = "P"}};
  EXPECT_EQ(Reasons(draft),
            (std::vector<std::string>{"MEDIA_MIXED", "ALT_TEXT_TOO_LONG", "TAG_INVALID", "TAG_INVALID"}));
  draft = {.text = "x"};
  draft.options["visibility"] = "everybody";
  EXPECT_EQ(Reasons(draft), std::vector<std::string>{"OPTION_VALUE"});
  EXPECT_EQ(Reasons({}, WriteKind::kHide), std::vector<std::string>{"NOT_POSSIBLE"});
}

TEST(MastodonText, LinkHeaderGivesParametersOnly) {
  const net::Headers headers = {
      {"Link",
       "<https://evil.example/api?max_id=12>; rel=\"next\", <https://evil.example/api?a=b&min_id=34#x>; rel=\"prev\""}};
  EXPECT_EQ(LinkParameter(headers, "next", "max_id"), "12");
  EXPECT_EQ(LinkParameter(headers, "prev", "min_id"), "34");
  EXPECT_EQ(LinkParameter(headers, "prev", "max_id"), "");
  EXPECT_EQ(LinkParameter({{"Link", "<x?max_id=1%262>; rel=\"next\""}}, "next", "max_id"), "");
  EXPECT_EQ(LinkParameter({{"Link", ">< <"}}, "next", "max_id"), "");
  EXPECT_TRUE(IsOlderId("99", "100"));
  EXPECT_FALSE(IsOlderId("100", "100"));
}

TEST(MastodonText, Mentions) {
  EXPECT_TRUE(MentionsAcct("Hi @Bob@Far.example.", "bob@far.example"));
  EXPECT_FALSE(MentionsAcct("Hi @bob@far.example", "bob"));
  EXPECT_TRUE(MentionsAcct("@bob.", "bob"));
  EXPECT_FALSE(MentionsAcct("https://m.example/@bob a@bob", "bob"));
  EXPECT_EQ(MastodonComparable("@Bob@far.example,  see https://m.example/@Bob@x"),
            "@bob, see https://m.example/@Bob@x");
}

}  // namespace
}  // namespace parvis::networks
