#include <gtest/gtest.h>

#include "networks/bluesky/bluesky.h"
#include "networks/testing/scripted_network.h"

namespace parvis::networks {
namespace {

const char kReply[] = "at://did:plc:ada/app.bsky.feed.post/3k";
const char kRoot[] = "at://did:plc:me/app.bsky.feed.post/3root";

class BlueskyModeration : public testing::Test {
 protected:
  static Write Of(WriteKind kind, const std::string& target) {
    Write write;
    write.kind = kind;
    write.target_remote_id = target;
    return write;
  }
  Outcome Execute(const Write& write) { return connector_.Execute(network_.call(), account_, write); }
  StatusOr<std::vector<OwnItem>> ReadBack(const Write& write) {
    return connector_.ReadBack(network_.call(), account_, write, absl::UnixEpoch(), 10);
  }
  void Reply(const std::string& root = kRoot) {
    Json posts = Json::array();
    posts.push_back({{"uri", kReply},
                     {"cid", "c1"},
                     {"record", {{"text", "x"}, {"reply", {{"root", {{"uri", root}, {"cid", "c0"}}}}}}}});
    network_.Next(200, Json{{"posts", posts}}.dump());
  }
  void Root() { network_.Next(200, R"({"uri":"x","cid":"c0","value":{"text":"ours"}})"); }
  void Gate(const Json& value, const std::string& cid) {
    network_.Next(200, Json{{"uri", "g"}, {"cid", cid}, {"value", value}}.dump());
  }
  void NoGate() { network_.Next(400, R"({"error":"RecordNotFound","message":"Could not locate record"})"); }
  void Put() { network_.Next(200, R"({"uri":"g","cid":"new"})"); }
  Json LastBody() { return ParseJson(network_.Taken().back().body); }

  ScriptedNetwork network_;
  Connector& connector_ = network_.connector("bluesky");
  const Account account_ = network_.account("bluesky", "did:plc:me");
};

TEST_F(BlueskyModeration, HidesInAGateOfItsOwnMaking) {
  Reply();
  NoGate();
  Put();
  const Outcome out = Execute(Of(WriteKind::kHide, kReply));
  EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  EXPECT_EQ(out.remote_id, kReply);
  const Json sent = LastBody();
  EXPECT_EQ(sent["collection"], "app.bsky.feed.threadgate");
  EXPECT_EQ(sent["rkey"], "3root");
  EXPECT_TRUE(sent["swapRecord"].is_null());
  EXPECT_EQ(sent["record"]["post"], kRoot);
  EXPECT_EQ(sent["record"]["hiddenReplies"], Json::array({kReply}));
  EXPECT_FALSE(sent["record"].contains("allow")) << "everybody may reply as before";
}

TEST_F(BlueskyModeration, KeepsWhatOthersChangeMeanwhile) {
  Reply();
  Gate({{"post", kRoot}, {"hiddenReplies", {"at://a"}}, {"unknown", 7}}, "v1");
  network_.Next(400, R"({"error":"InvalidSwap"})");
  Gate({{"post", kRoot}, {"hiddenReplies", {"at://a", "at://b"}}, {"allow", Json::array()}, {"unknown", 7}}, "v2");
  Put();
  EXPECT_EQ(Execute(Of(WriteKind::kHide, kReply)).kind, OutcomeKind::kAccepted);
  const Json sent = LastBody();
  EXPECT_EQ(sent["swapRecord"], "v2");
  EXPECT_EQ(sent["record"]["hiddenReplies"], Json::array({"at://a", "at://b", kReply}));
  EXPECT_TRUE(sent["record"]["allow"].empty());
  EXPECT_EQ(sent["record"]["unknown"], 7);

  Reply();
  for (int i = 0; i < 3; ++i) {
    Gate({{"post", kRoot}}, "v" + std::to_string(i));
    network_.Next(400, R"({"error":"InvalidSwap"})");
  }
  EXPECT_EQ(Execute(Of(WriteKind::kHide, kReply)).kind, OutcomeKind::kNotSent)
      << "three tries, none of which had an effect";
  EXPECT_EQ(network_.Taken().size(), 7u);
}

TEST_F(BlueskyModeration, HidingTwiceAndUnhiding) {
  Reply();
  Gate({{"post", kRoot}, {"hiddenReplies", {kReply}}}, "v1");
  EXPECT_EQ(Execute(Of(WriteKind::kHide, kReply)).kind, OutcomeKind::kAccepted) << "it is hidden";
  EXPECT_EQ(network_.Taken().size(), 2u) << "and nothing is written";
  Reply();
  Gate({{"post", kRoot}, {"hiddenReplies", {"at://a", kReply}}}, "v1");
  Put();
  EXPECT_EQ(Execute(Of(WriteKind::kUnhide, kReply)).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(LastBody()["record"]["hiddenReplies"], Json::array({"at://a"}));
  Reply();
  NoGate();
  EXPECT_EQ(Execute(Of(WriteKind::kUnhide, kReply)).kind, OutcomeKind::kAccepted);
  Json full = Json::array();
  for (int i = 0; i < 300; ++i) full.push_back("at://" + std::to_string(i));
  Reply();
  Gate({{"post", kRoot}, {"hiddenReplies", full}}, "v1");
  EXPECT_EQ(Execute(Of(WriteKind::kHide, kReply)).error, ErrorClass::kInvalid) << "300 at most";
}

TEST_F(BlueskyModeration, HidesBelowOurOwnPostsOnly) {
  Reply("at://did:plc:bob/app.bsky.feed.post/3x");
  EXPECT_EQ(Execute(Of(WriteKind::kHide, kReply)).error, ErrorClass::kPermission);
  network_.Next(200, R"({"posts":[]})");
  EXPECT_EQ(Execute(Of(WriteKind::kHide, kReply)).error, ErrorClass::kNotFound);
  Reply();
  network_.Next(503, "");
  EXPECT_EQ(Execute(Of(WriteKind::kHide, kReply)).kind, OutcomeKind::kNotSent);
  Reply();
  NoGate();
  network_.NextReset();
  EXPECT_EQ(Execute(Of(WriteKind::kHide, kReply)).kind, OutcomeKind::kUnknown);
}

TEST_F(BlueskyModeration, ClosesAndOpensAThread) {
  Root();
  Gate({{"post", kRoot}, {"hiddenReplies", {kReply}}}, "v1");
  Put();
  EXPECT_EQ(Execute(Of(WriteKind::kLock, kRoot)).kind, OutcomeKind::kAccepted);
  Json sent = LastBody();
  EXPECT_TRUE(sent["record"]["allow"].is_array() && sent["record"]["allow"].empty());
  EXPECT_EQ(sent["record"]["hiddenReplies"], Json::array({kReply}));
  Root();
  Gate(sent["record"], "v2");
  Put();
  EXPECT_EQ(Execute(Of(WriteKind::kUnlock, kRoot)).kind, OutcomeKind::kAccepted);
  sent = LastBody();
  EXPECT_EQ(sent["swapRecord"], "v2");
  EXPECT_FALSE(sent["record"].contains("allow"));
  EXPECT_EQ(Execute(Of(WriteKind::kLock, kReply)).error, ErrorClass::kPermission);
  network_.Next(200, R"({"uri":"x","cid":"c0","value":{"text":"second of a thread","reply":{"root":{}}}})");
  EXPECT_EQ(Execute(Of(WriteKind::kLock, kRoot)).error, ErrorClass::kInvalid);
}

TEST_F(BlueskyModeration, BlocksOnceHoweverOften) {
  Put();
  EXPECT_EQ(Execute(Of(WriteKind::kBan, kReply)).kind, OutcomeKind::kAccepted);
  const Json sent = LastBody();
  EXPECT_EQ(sent["collection"], "app.bsky.graph.block");
  EXPECT_EQ(sent["record"]["subject"], "did:plc:ada");
  network_.Next(400, R"({"error":"InvalidSwap"})");
  EXPECT_EQ(Execute(Of(WriteKind::kBan, kReply)).kind, OutcomeKind::kAccepted) << "blocked before";
  EXPECT_EQ(LastBody()["rkey"], sent["rkey"]);
  EXPECT_EQ(Execute(Of(WriteKind::kBan, kRoot)).error, ErrorClass::kInvalid) << "us";
  EXPECT_EQ(Execute(Of(WriteKind::kBan, "")).error, ErrorClass::kInvalid);

  network_.Next(200, R"({"did":"did:plc:ada","viewer":{"blocking":"at://did:plc:me/app.bsky.graph.block/3native"}})");
  network_.Next(200, "{}");
  network_.Next(200, "{}");
  EXPECT_EQ(Execute(Of(WriteKind::kUnban, kReply)).kind, OutcomeKind::kAccepted);
  const auto taken = network_.Taken();
  ASSERT_EQ(taken.size(), 3u);
  EXPECT_EQ(ParseJson(taken[1].body)["rkey"], sent["rkey"]);
  EXPECT_EQ(ParseJson(taken[2].body)["rkey"], "3native") << "a block that was made elsewhere, too";
}

TEST_F(BlueskyModeration, MutesAndReports) {
  network_.Next(200, "");
  Write write = Of(WriteKind::kMute, kReply);
  write.target_author_id = "did:plc:bob";
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(LastBody()["actor"], "did:plc:bob");
  write = Of(WriteKind::kReport, kReply);
  write.draft.text = "sells pills";
  write.draft.options = {{"reason", "spam"}};
  EXPECT_TRUE(connector_.Check(write.kind, write.draft).empty());
  Reply();
  network_.Next(200, R"({"id":1,"reasonType":"x"})");
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  Json sent = LastBody();
  EXPECT_EQ(sent["reasonType"], "com.atproto.moderation.defs#reasonSpam");
  EXPECT_EQ(sent["subject"]["cid"], "c1");
  write = Of(WriteKind::kReport, "");
  write.target_author_id = "did:plc:bob";
  network_.Next(200, R"({"id":2})");
  EXPECT_EQ(Execute(write).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(LastBody()["subject"]["did"], "did:plc:bob");
  write.draft.text = std::string(2001, 'a');
  EXPECT_FALSE(connector_.Check(write.kind, write.draft).empty());
}

TEST_F(BlueskyModeration, ReadsTheTargetBack) {
  Write write = Of(WriteKind::kHide, kReply);
  Reply();
  Gate({{"hiddenReplies", {kReply}}}, "v");
  auto found = ReadBack(write);
  ASSERT_TRUE(found.ok() && found->size() == 1) << found.status();
  EXPECT_TRUE(connector_.Matches(write, found->front()));
  Reply();
  NoGate();
  found = ReadBack(write);
  ASSERT_TRUE(found.ok() && found->size() == 1) << found.status();
  EXPECT_FALSE(connector_.Matches(write, found->front()));
  network_.Next(200, R"({"posts":[]})");
  found = ReadBack(write);
  EXPECT_TRUE(found.ok() && found->empty()) << "gone";
  write = Of(WriteKind::kUnlock, kRoot);
  Root();
  Gate({{"allow", Json::array()}}, "v");
  found = ReadBack(write);
  ASSERT_TRUE(found.ok() && found->size() == 1) << found.status();
  EXPECT_FALSE(connector_.Matches(write, found->front()));
  for (const auto& [kind, matches] :
       {std::pair{WriteKind::kBan, true}, {WriteKind::kUnban, false}, {WriteKind::kMute, false}}) {
    write = Of(kind, kReply);
    network_.Next(
        200, R"({"did":"did:plc:ada","viewer":{"muted":false,"blocking":"at://did:plc:me/app.bsky.graph.block/3k"}})");
    found = ReadBack(write);
    ASSERT_TRUE(found.ok() && found->size() == 1) << found.status();
    EXPECT_EQ(connector_.Matches(write, found->front()), matches) << NameOf(kind);
  }
}

}  // namespace
}  // namespace parvis::networks
