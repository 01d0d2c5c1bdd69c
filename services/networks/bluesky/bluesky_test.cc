#include "networks/bluesky/bluesky.h"

#include <gtest/gtest.h>

#include "networks/testing/scripted_network.h"

namespace parvis::networks {
namespace {

const char kKey[] = "0190a0b1-c2d3-7e4f-8a5b-6c7d8e9f0a1b";
const char kOther[] = "at://did:plc:ada/app.bsky.feed.post/3kaaaaaaaaa2a";

std::string Ours(const std::string& rkey) { return BlueskyUri("did:plc:me", kBlueskyPosts, rkey); }

bool Names(const std::vector<Violation>& found, const std::string& reason) {
  for (const Violation& one : found) {
    if (one.reason == reason) return true;
  }
  return false;
}

class Bluesky : public testing::Test {
 protected:
  Outcome Execute(const Write& write) { return connector_.Execute(network_.call(), account_, write); }
  void AcceptPut(const std::string& uri) { network_.Next(200, R"({"uri":")" + uri + R"(","cid":"c"})"); }

  ScriptedNetwork network_;
  Connector& connector_ = network_.connector("bluesky");
  const Account account_ = network_.account("bluesky", "did:plc:me");
};

TEST_F(Bluesky, RecordKeysAreTids) {
  EXPECT_EQ(EncodeTid(0, 0), "2222222222222");
  EXPECT_EQ(EncodeTid(1700000000000000, 5), "3ke6kg3wk2227");
  EXPECT_EQ(TidOfKey("a"), TidOfKey("a"));
  EXPECT_NE(TidOfKey("a"), TidOfKey("b"));
  EXPECT_LT(TidOfKey("0190a0b1-c2d3-7fff-8a5b-6c7d8e9f0a1b"), TidOfKey("0190a0b1-c2d4-7000-8a5b-6c7d8e9f0a1b"));
  EXPECT_EQ(TidOfKey(kKey).substr(0, 8), EncodeTid(0x0190a0b1c2d3ULL * 1000, 0).substr(0, 8))
      << "the UUID's millisecond";
}

TEST_F(Bluesky, AnUriHasThreeParts) {
  EXPECT_EQ(DidOf(kOther), "did:plc:ada");
  EXPECT_EQ(CollectionOf(kOther), "app.bsky.feed.post");
  EXPECT_EQ(RkeyOf(kOther), "3kaaaaaaaaa2a");
  for (const char* wrong :
       {"", "at://", "at://a/b", "at://a//c", "at://a/b/", "https://a/b/c", "at://a/b/c/d", "at://a/b/c?d"}) {
    EXPECT_EQ(RkeyOf(wrong), "") << wrong;
    EXPECT_FALSE(IsBlueskyPost(wrong)) << wrong;
  }
}

TEST_F(Bluesky, ErrorsAreClassifiedByName) {
  const struct {
    int status;
    const char* body;
    ErrorClass error;
  } kCases[] = {
      {200, "{}", ErrorClass::kNone},
      {400, R"({"error":"ExpiredToken","message":"Token has expired"})", ErrorClass::kTokenExpired},
      {400, R"({"error":"InvalidToken"})", ErrorClass::kTokenExpired},
      {401, R"({"error":"AuthMissing"})", ErrorClass::kTokenExpired},
      {400, R"({"error":"AccountTakedown"})", ErrorClass::kPermission},
      {400, R"({"error":"BlockedByActor"})", ErrorClass::kPermission},
      {403, R"({"error":"ScopeMissingError"})", ErrorClass::kPermission},
      {400, R"({"error":"RecordNotFound"})", ErrorClass::kNotFound},
      {404, "<html>", ErrorClass::kNotFound},
      {400, R"({"error":"InvalidSwap"})", ErrorClass::kDuplicate},
      {429, R"({"error":"RateLimitExceeded"})", ErrorClass::kRateLimited},
      {400, R"({"error":"InvalidRequest","message":"Invalid app.bsky.feed.post record"})", ErrorClass::kInvalid},
      {413, "", ErrorClass::kInvalid},
      {501, R"({"error":"MethodNotImplemented"})", ErrorClass::kInvalid},
      {502, R"({"error":"UpstreamFailure"})", ErrorClass::kTransient},
      {500, R"({"error":"InternalServerError"})", ErrorClass::kTransient},
  };
  for (const auto& one : kCases) {
    net::ClientResult http;
    http.http_status = one.status;
    EXPECT_EQ(ClassifyBluesky(http, ParseJson(one.body)).error, one.error) << one.status << one.body;
  }
}

TEST_F(Bluesky, TakesAStanceOnEverything) {
  const Capabilities& c = connector_.capabilities();
  for (int f = 0; f < kFeatures; ++f) {
    const Feature feature = static_cast<Feature>(f);
    ASSERT_EQ(c.features.count(feature), 1u) << NameOf(feature);
    const Support& support = c.Of(feature);
    EXPECT_EQ(support.because.empty(), support.stance == Stance::kPossible) << NameOf(feature);
    EXPECT_EQ(support.source.empty(), support.stance != Stance::kNotInApi) << NameOf(feature);
  }
  EXPECT_TRUE(c.Can(WriteKind::kDelete)) << "of our own";
  for (int k = 0; k < kWriteKinds; ++k) {
    const WriteKind kind = static_cast<WriteKind>(k);
    if (c.Can(kind)) continue;
    Write write;
    write.kind = kind;
    EXPECT_EQ(Execute(write).kind, OutcomeKind::kRefused) << NameOf(kind);
    EXPECT_TRUE(Names(connector_.Check(kind, write.draft), "NOT_POSSIBLE")) << NameOf(kind);
  }
  EXPECT_TRUE(network_.Taken().empty());
}

TEST_F(Bluesky, ChecksADraft) {
  Draft draft;
  EXPECT_TRUE(Names(connector_.Check(WriteKind::kPost, draft), "TEXT_MISSING"));
  draft.text = std::string(300, 'a');
  EXPECT_TRUE(connector_.Check(WriteKind::kPost, draft).empty());
  draft.link = "https://example.org/";
  EXPECT_TRUE(connector_.Check(WriteKind::kPost, draft).empty()) << "a card does not count";
  draft.media = {{"", "image/png", "a", "bytes"}};
  EXPECT_TRUE(Names(connector_.Check(WriteKind::kReply, draft), "TEXT_TOO_LONG")) << "with a picture it is in the text";
  draft = {};
  for (int i = 0; i < 130; ++i)
    draft.text +=
        "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7\xE2\x80\x8D\xF0\x9F\x91\xA6";
  EXPECT_EQ(connector_.TextLength(draft.text), 130);
  EXPECT_TRUE(Names(connector_.Check(WriteKind::kPost, draft), "TEXT_TOO_LONG")) << "3000 bytes";
  draft = {};
  draft.text = "a";
  draft.poll = PollDraft{{"a", "b"}};
  draft.quote_remote_id = "https://bsky.app/profile/a/post/b";
  draft.tags = {std::string(65, 'x')};
  draft.options = {{"label", "boring"}, {"colour", "red"}};
  draft.media = {{"", "image/tiff", "", "x"}, {"", "video/mp4", "", "x"}};
  const auto found = connector_.Check(WriteKind::kPost, draft);
  for (const char* reason :
       {"NOT_POSSIBLE", "QUOTE_INVALID", "TAG_INVALID", "OPTION_VALUE", "OPTION_UNKNOWN", "MEDIA_TYPE"}) {
    EXPECT_TRUE(Names(found, reason)) << reason;
  }
}

TEST_F(Bluesky, SaysWhoWeAre) {
  network_.Next(200, R"({"did":"did:plc:me","handle":"me.example","active":true,"new":1})");
  const auto me = connector_.WhoAmI(network_.call(), account_);
  ASSERT_TRUE(me.ok()) << me.status();
  EXPECT_EQ(me->remote_id, "did:plc:me");
  EXPECT_EQ(me->url, "https://bsky.app/profile/me.example");
  network_.Next(200, "[]");
  EXPECT_EQ(connector_.WhoAmI(network_.call(), account_).status().code(), Code::kUnavailable);
  network_.Next(400, R"({"error":"ExpiredToken"})");
  EXPECT_EQ(connector_.WhoAmI(network_.call(), account_).status().code(), Code::kUnauthenticated);
}

TEST_F(Bluesky, ASecondSendingTakesTheFirstOver) {
  Write write;
  write.draft.text = "é #a";
  write.idempotency_key = "k";
  const std::string uri = Ours(TidOfKey("k"));
  network_.NextReset();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kUnknown);
  network_.Next(400, R"({"error":"InvalidSwap","message":"Record was at x"})");
  network_.Next(200, R"({"uri":")" + uri + R"(","cid":"c","value":{"text":"é #a"}})");
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, uri);
  const Json sent = ParseJson(network_.Taken()[1].body);
  EXPECT_TRUE(sent.contains("swapRecord") && sent["swapRecord"].is_null());
  EXPECT_EQ(sent["record"]["facets"][0]["index"]["byteStart"], 3);
  network_.Next(400, R"({"error":"InvalidSwap"})");
  network_.Next(200, R"({"uri":")" + uri + R"(","cid":"c","value":{"text":"something else"}})");
  EXPECT_EQ(Execute(write).error, ErrorClass::kDuplicate);
  network_.Next(400, R"({"error":"InvalidSwap"})");
  network_.NextReset();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kUnknown) << "it is there, and whose it is was not seen";
  network_.Next(400, R"({"error":"ExpiredToken","message":"Token has expired"})");
  EXPECT_EQ(Execute(write).error, ErrorClass::kTokenExpired);
}

TEST_F(Bluesky, NothingIsWrittenWithoutAKey) {
  for (const WriteKind kind : {WriteKind::kPost, WriteKind::kReply}) {
    Write write;
    write.kind = kind;
    write.draft.text = "a";
    write.target_remote_id = kOther;
    EXPECT_EQ(Execute(write).kind, OutcomeKind::kRefused);
    EXPECT_EQ(connector_.ReadBack(network_.call(), account_, write, absl::UnixEpoch(), 10).status().code(),
              Code::kFailedPrecondition);
  }
  EXPECT_TRUE(network_.Taken().empty());
}

TEST_F(Bluesky, AReplyNamesTheRootOfItsParent) {
  Write write;
  write.kind = WriteKind::kReply;
  write.draft.text = "thanks";
  write.target_remote_id = kOther;
  write.idempotency_key = kKey;
  network_.Next(200, std::string(R"({"posts":[{"uri":")") + kOther + R"(","cid":"c1","record":{"text":"hi","reply":{
      "root":{"uri":"at://did:plc:me/app.bsky.feed.post/r","cid":"c0"},"parent":{"uri":"at://x/y/z","cid":"c9"}}}}]})");
  AcceptPut(Ours(TidOfKey(kKey)));
  const Outcome out = Execute(write);
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.permalink, "https://bsky.app/profile/did:plc:me/post/" + TidOfKey(kKey));
  const auto taken = network_.Taken();
  ASSERT_EQ(taken.size(), 2u);
  const Json sent = ParseJson(taken[1].body);
  EXPECT_EQ(sent["rkey"], TidOfKey(kKey));
  EXPECT_EQ(sent["record"]["reply"]["root"]["cid"], "c0");
  EXPECT_EQ(sent["record"]["reply"]["parent"]["uri"], kOther);
  EXPECT_EQ(sent["record"]["reply"]["parent"]["cid"], "c1");

  network_.Next(200, R"({"posts":[]})");
  EXPECT_EQ(Execute(write).error, ErrorClass::kNotFound);
  network_.Next(200, R"({"posts":[{"cid":"c1","record":{},"viewer":{"replyDisabled":true}}]})");
  EXPECT_EQ(Execute(write).error, ErrorClass::kPermission);
  network_.Next(502, R"({"error":"UpstreamFailure"})");
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent) << "reading the parent has no effect";
  network_.Taken();
  write.target_remote_id = "at://did:plc:ada/app.bsky.feed.like/3k";
  EXPECT_EQ(Execute(write).error, ErrorClass::kInvalid);
  write.kind = WriteKind::kPost;
  write.target_remote_id = kOther;
  EXPECT_EQ(Execute(write).error, ErrorClass::kInvalid) << "a thread is of our own";
  EXPECT_TRUE(network_.Taken().empty());
}

TEST_F(Bluesky, ReadsOneWriteBack) {
  Write write;
  write.kind = WriteKind::kReply;
  write.draft.text = "thanks";
  write.target_remote_id = kOther;
  write.idempotency_key = kKey;
  network_.Next(400, R"({"error":"RecordNotFound"})");
  auto found = connector_.ReadBack(network_.call(), account_, write, absl::UnixEpoch(), 10);
  ASSERT_TRUE(found.ok() && found->empty()) << found.status();
  network_.Next(400, R"({"error":"InvalidRequest","message":"Could not locate record: at://x"})");
  found = connector_.ReadBack(network_.call(), account_, write, absl::UnixEpoch(), 10);
  ASSERT_TRUE(found.ok() && found->empty()) << "as older servers say it: " << found.status();
  network_.Next(200, R"({"uri":")" + Ours(TidOfKey(kKey)) + R"(","cid":"c","value":{"text":"thanks",
      "createdAt":"2026-11-23T10:00:00.123Z","reply":{"parent":{"uri":")" +
                         kOther + R"("}}}})");
  found = connector_.ReadBack(network_.call(), account_, write, absl::UnixEpoch(), 10);
  ASSERT_TRUE(found.ok() && found->size() == 1) << found.status();
  EXPECT_TRUE(connector_.Matches(write, found->front()));
  EXPECT_EQ(absl::ToUnixMillis(found->front().created_at) % 1000, 123);
  write.target_remote_id = Ours("x");
  EXPECT_FALSE(connector_.Matches(write, found->front())) << "below something else";
  network_.Next(503, "");
  EXPECT_EQ(connector_.ReadBack(network_.call(), account_, write, absl::UnixEpoch(), 10).status().code(),
            Code::kUnavailable);
}

TEST_F(Bluesky, DeletesItsOwnOnly) {
  Write write;
  write.kind = WriteKind::kDelete;
  write.target_remote_id = kOther;
  EXPECT_EQ(Execute(write).error, ErrorClass::kPermission);
  EXPECT_TRUE(network_.Taken().empty());
  write.target_remote_id = Ours("3k");
  network_.Next(200, "{}");
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(ParseJson(network_.Taken().at(0).body)["rkey"], "3k");
}

TEST_F(Bluesky, PicturesAreUploadedFirst) {
  Write write;
  write.draft.text = "look";
  write.draft.link = "https://example.org/";
  write.draft.media = {{"", "image/png", "a tree", "PNGBYTES"}};
  write.draft.media[0].width = 4;
  write.draft.media[0].height = 3;
  write.draft.tags = {"trees"};
  write.draft.language = "en";
  write.draft.options = {{"label", "nudity"}};
  write.idempotency_key = kKey;
  network_.Next(200, R"({"blob":{"$type":"blob","ref":{"$link":"bafk"},"mimeType":"image/png","size":8}})");
  AcceptPut(Ours("x"));
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  const auto taken = network_.Taken();
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].body, "PNGBYTES");
  EXPECT_EQ(taken[0].headers.find("Content-Type")->second, "image/png");
  const Json record = ParseJson(taken[1].body)["record"];
  EXPECT_EQ(record["text"], "look\nhttps://example.org/");
  EXPECT_EQ(record["embed"]["images"][0]["image"]["ref"]["$link"], "bafk");
  EXPECT_EQ(record["embed"]["images"][0]["alt"], "a tree");
  EXPECT_EQ(record["embed"]["images"][0]["aspectRatio"]["width"], 4);
  EXPECT_EQ(record["tags"][0], "trees");
  EXPECT_EQ(record["langs"][0], "en");
  EXPECT_EQ(record["labels"]["values"][0]["val"], "nudity");
  network_.NextReset();
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kNotSent) << "nobody sees a picture without its post";
}

TEST_F(Bluesky, ALinkIsACardAndAQuoteGoesWithIt) {
  Write write;
  write.draft.text = "read";
  write.draft.title = "News";
  write.draft.link = "https://example.org/";
  write.idempotency_key = kKey;
  AcceptPut(Ours("x"));
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  Json record = ParseJson(network_.Taken().at(0).body)["record"];
  EXPECT_EQ(record["text"], "read");
  EXPECT_EQ(record["embed"]["$type"], "app.bsky.embed.external");
  EXPECT_EQ(record["embed"]["external"]["title"], "News");
  write.draft.quote_remote_id = kOther;
  network_.Next(200, R"({"posts":[{"cid":"c1","record":{"text":"q"}}]})");
  AcceptPut(Ours("x"));
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  record = ParseJson(network_.Taken().at(1).body)["record"];
  EXPECT_EQ(record["embed"]["$type"], "app.bsky.embed.recordWithMedia");
  EXPECT_EQ(record["embed"]["record"]["record"]["cid"], "c1");
  EXPECT_EQ(record["embed"]["media"]["external"]["uri"], "https://example.org/");
}

}  // namespace
}  // namespace parvis::networks
