// One suite for every connector: each kind of write that its capabilities allow × what can go wrong on the way, against the
// sandbox, whose journal is the judge, or against real servers as far as they let it (sandbox_test.h). Prints the table that
// scripts/conformance shows. A network is added by its name below.
#include <gtest/gtest.h>

#include <cstdio>

#include "networks/wire/answer.h"
#include "platform/net/http_server.h"
#include "tests/contract/sandbox_test.h"

namespace parvis::networks {
namespace {

// What is done to a write, and how it must end. `journalled`: how often the network has taken it then.
struct Case {
  const char* name;
  const char* fault;        // "" = none; several are separated by a blank
  OutcomeKind kind;
  ErrorClass error;
  int journalled;
  bool anywhere = false;   // a real server's answers, too, can get lost that way
};
constexpr Case kCases[] = {
    {"success", "", OutcomeKind::kAccepted, ErrorClass::kNone, 1, true},
    {"odd members", "odd", OutcomeKind::kAccepted, ErrorClass::kNone, 1},
    {"rate limit", "limit", OutcomeKind::kRefused, ErrorClass::kRateLimited, 0},
    {"forbidden", "forbid", OutcomeKind::kRefused, ErrorClass::kPermission, 0},
    {"localised", "forbid localise", OutcomeKind::kRefused, ErrorClass::kPermission, 0},
    {"503", "server_error", OutcomeKind::kUnknown, ErrorClass::kTransient, 0, true},
    {"reset before", "reset_before_accept", OutcomeKind::kUnknown, ErrorClass::kNone, 0, true},
    {"reset after", "accept_then_reset", OutcomeKind::kUnknown, ErrorClass::kNone, 1, true},
    {"504 after", "accept_then_504", OutcomeKind::kUnknown, ErrorClass::kTransient, 1, true},
    {"garbage", "garbage", OutcomeKind::kUnknown, ErrorClass::kNone, 1, true},
};

// Lines of the table, printed when all is done.
class Table : public ::testing::Environment {
 public:
  void Add(const std::string& network, WriteKind kind, const std::string& cell) {
    rows_[network + " | " + std::string(NameOf(kind))] += " | " + cell;
  }
  void TearDown() override {
    std::string head = "\nnetwork | write";
    for (const Case& one : kCases) head += std::string(" | ") + one.name;
    std::puts((head + " | not found").c_str());
    for (const auto& [name, cells] : rows_) std::puts((name + cells).c_str());
  }

 private:
  std::map<std::string, std::string> rows_;
};
Table* const table = static_cast<Table*>(::testing::AddGlobalTestEnvironment(new Table));

class ConformanceTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    // A real server remembers what an earlier test has written.
    if (sandbox->real) texts = static_cast<int>(absl::ToUnixMillis(clock.WallNow()) % 1'000'000'000);
    Control("POST", "limits", {{"network", GetParam()}, {"enabled", false}});
  }
  // What the network's journal calls it, where one call of the network stands for several kinds: the status that a comment gets
  // in WordPress and YouTube, a direct status of Mastodon, a personal message of Discourse, the soft deletion of NodeBB, flags of forums.
  std::string NameThere(WriteKind kind) const {
    static const std::map<std::pair<std::string, WriteKind>, std::string> names = {
        {{"wordpress", WriteKind::kApprove}, "unhide"}, {{"youtube", WriteKind::kApprove}, "unhide"}, {{"wordpress", WriteKind::kSpam}, "hide"},
        {{"mastodon", WriteKind::kPrivateReply}, "reply"}, {{"discourse", WriteKind::kPrivateReply}, "post"},
        {{"discourse", WriteKind::kSpam}, "report"}, {{"nodebb", WriteKind::kSpam}, "report"}, {{"nodebb", WriteKind::kHide}, "delete"}};
    const auto it = names.find({GetParam(), kind});
    return it == names.end() ? std::string(NameOf(kind)) : it->second;
  }
  // Why a kind cannot be tried on a visitor's comment here; "" when it can.
  std::string NotShown(WriteKind kind) const {
    static const std::map<std::pair<std::string, WriteKind>, std::string> reasons = {
        {{"discourse", WriteKind::kApprove}, "it is for entries of the review queue: discourse_test"},
        {{"discourse", WriteKind::kUnhide}, "only what flags have hidden can be shown again: discourse_test"},
        {{"nodebb", WriteKind::kApprove}, "it is for entries of the post queue: nodebb_test"},
        {{"nodebb", WriteKind::kPrivateReply}, "the sandbox has no chats: nodebb_test"}};
    const auto it = reasons.find({GetParam(), kind});
    return it == reasons.end() ? "" : it->second;
  }
  // Networks that can be asked what became of a write are asked at once: then the end is known after all.
  bool SettlesItself(WriteKind kind) const { return GetParam() == "instagram" && kind == WriteKind::kPost; }
  // How often the network took a write of this kind from this account.
  int Journalled(const std::string& kind) {
    const Json summary = Control("GET", "journal/summary", Json());
    int count = 0;
    for (const Json& row : Member(summary, "counts")) {
      const bool ours = Text(row, "network") == GetParam() && Text(row, "account") == journal_account && Text(row, "by") == "us";
      if (ours && Text(row, "kind") == kind) count += row.at("count").get<int>();
    }
    return count;
  }
  // What the sandbox calls a post of ours: a topic of Discourse goes by its place, "t/12/1", and by its first post's number there.
  static std::string PostThere(const std::string& id) {
    constexpr int64_t kTopicsBelowPosts = 1'500'000'000'000;   // sandbox/domain/forum.h
    if (!id.starts_with("t/")) return id;
    return std::to_string(std::stoll(id.substr(2, id.rfind('/') - 2)) + kTopicsBelowPosts);
  }
  std::string Comment(const std::string& parent) {
    const Json made = Control("POST", "comments", {{"network", GetParam()}, {"parent", PostThere(parent)}, {"text", "A question, number " + std::to_string(++texts)},
                                                    {"author_id", std::to_string(5'000'000 + texts)}, {"author_handle", "fan" + std::to_string(texts)}});
    return Text(made, "remote_id");
  }
  Write Post() {
    Write write;
    write.kind = WriteKind::kPost;
    write.draft.text = "What do you say to lamp number " + std::to_string(++texts) + "? We would love to hear it.";
    if (connector().capabilities().Can(Feature::kTitle)) write.draft.title = "About lamp number " + std::to_string(texts);
    if (connector().capabilities().needs_media) {
      const auto& types = connector().capabilities().media_types;
      const bool pictures = std::find(types.begin(), types.end(), picture.type) != types.end();
      write.draft.media = {pictures ? picture : Media{.type = "video/mp4", .bytes = "moving pictures " + std::to_string(texts)}};
    }
    write.idempotency_key = "conformance-" + std::to_string(texts);
    return write;
  }
  std::string Posted() {
    const Outcome out = connector().Execute(call(), account, Post());
    EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.reason << " " << out.message;
    return out.remote_id;
  }
  // A write of this kind that is possible now: below a post of its own, so that no write meets what another has done.
  Write Of(WriteKind kind) {
    Write write = Post();
    write.kind = kind;
    if (kind == WriteKind::kPost) return write;
    write.draft.title.clear();
    write.draft.media.clear();
    if (kind != WriteKind::kReply && kind != WriteKind::kPrivateReply) write.draft = Draft();
    write.post_remote_id = Posted();
    const bool own = kind == WriteKind::kLock || kind == WriteKind::kUnlock ||
                     (kind == WriteKind::kDelete && !connector().capabilities().Can(Feature::kDelete));
    write.target_remote_id = own ? write.post_remote_id : Comment(write.post_remote_id);
    if (kind == WriteKind::kUnhide || kind == WriteKind::kApprove) Before(write, WriteKind::kHide);
    if (kind == WriteKind::kUnban) Before(write, WriteKind::kBan);
    if (kind == WriteKind::kUnmute) Before(write, WriteKind::kMute);
    if (kind == WriteKind::kUnlock) Before(write, WriteKind::kLock);
    return write;
  }
  void Before(Write write, WriteKind kind) {
    if (!connector().capabilities().Can(kind)) return;
    write.kind = kind;
    const Outcome out = connector().Execute(call(), account, write);
    EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << NameOf(kind) << ": " << out.reason << " " << out.message;
  }
  // The fault strikes the write itself, not what the connector looks up before it.
  void Arm(const std::string& faults, WriteKind kind) {
    for (size_t at = 0; at < faults.size();) {
      const size_t end = std::min(faults.find(' ', at), faults.size());
      Json rule = {{"kind", faults.substr(at, end - at)}, {"network", GetParam()}, {"operation", kind == WriteKind::kPrivateReply ? std::string(NameOf(kind)) : NameThere(kind)}};
      if (faults.substr(at, end - at) == "server_error") rule["http_status"] = 503;
      Control("POST", "faults", rule);
      at = end + 1;
    }
  }
  // How often it is found again.
  int Found(const Write& write) {
    const auto items = connector().ReadBack(call(), account, write, started, 50);
    EXPECT_TRUE(items.ok()) << items.status();
    int found = 0;
    for (size_t i = 0; items.ok() && i < items->size(); ++i) found += connector().Matches(write, (*items)[i]) ? 1 : 0;
    return found;
  }
  // Reads back, or sends again where the network knows our key: what was taken is found, what was not is not.
  void Settles(const Write& write, const Case& one) {
    if (write.kind != WriteKind::kPost && write.kind != WriteKind::kReply) return;
    EXPECT_EQ(Found(write), one.journalled) << one.name;
    if (!connector().capabilities().idempotency_key) return;
    const int before = Journalled(NameThere(write.kind));
    EXPECT_EQ(connector().Execute(call(), account, write).kind, OutcomeKind::kAccepted);
    EXPECT_EQ(Journalled(NameThere(write.kind)), before + 1 - one.journalled) << "sent again with its key";
  }

  int texts = 0;
  const Media picture{.url = "https://cdn.example/lamp.jpg", .type = "image/jpeg"};
};

TEST_P(ConformanceTest, EveryWriteInEveryCase) {
  for (int i = 0; i < kWriteKinds; ++i) {
    const WriteKind kind = static_cast<WriteKind>(i);
    const Capabilities& can = connector().capabilities();
    if (!can.Can(kind)) {
      const Outcome out = connector().Execute(call(), account, Write{.kind = kind, .target_remote_id = "1"});
      EXPECT_EQ(out.kind, OutcomeKind::kRefused) << NameOf(kind);
      EXPECT_EQ(out.error, ErrorClass::kInvalid) << NameOf(kind);
      EXPECT_EQ(connector().Check(kind, {}).at(0).reason, "NOT_POSSIBLE") << NameOf(kind);
      const Support& why = can.Of(kind);
      table->Add(GetParam(), kind, why.stance == Stance::kNotInApi ? "not in the API: " + why.source : "not built: " + why.because);
      continue;
    }
    if (const std::string why = NotShown(kind); !why.empty()) {
      table->Add(GetParam(), kind, "not here: " + why);
      continue;
    }
    for (const Case& one : kCases) {
      if (sandbox->real && !one.anywhere) {
        table->Add(GetParam(), kind, "-");
        continue;
      }
      SCOPED_TRACE(std::string(NameOf(kind)) + ", " + one.name);
      const auto failures = [] { return ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count(); };
      const int failed = failures();
      const Write write = Of(kind);
      const int before = Journalled(NameThere(kind));
      Arm(one.fault, kind);
      const Outcome out = connector().Execute(call(), account, write);
      Control("DELETE", "faults", {});
      const bool settled = one.kind == OutcomeKind::kUnknown && one.journalled == 1 && SettlesItself(kind);
      EXPECT_EQ(out.kind, settled ? OutcomeKind::kAccepted : one.kind) << out.reason << ": " << out.message;
      if (one.kind == OutcomeKind::kRefused) EXPECT_EQ(out.error, one.error) << out.message;
      EXPECT_EQ(Journalled(NameThere(kind)) - before, one.journalled);
      if (one.kind == OutcomeKind::kUnknown) Settles(write, one);
      table->Add(GetParam(), kind, failures() > failed ? "FAILED" : "ok");
    }
    if (kind == WriteKind::kPost) {
      table->Add(GetParam(), kind, "-");
      continue;
    }
    Write lost = Of(kind);
    const size_t digit = lost.target_remote_id.find_last_of("0123456789");
    lost.target_remote_id = "999999999";
    if (digit == std::string::npos) lost.target_remote_id += "x";
    const Outcome out = connector().Execute(call(), account, lost);
    // A real WordPress takes a reply to a comment that is not there.
    const bool taken = sandbox->real && kind == WriteKind::kReply && out.kind == OutcomeKind::kAccepted;
    EXPECT_TRUE(taken || out.kind == OutcomeKind::kRefused) << NameOf(kind) << " of what is not there: " << out.reason << " " << out.message;
    table->Add(GetParam(), kind, taken ? "taken" : out.error == ErrorClass::kNotFound ? "ok" : "refused: " + std::string(ReasonName(out.error)));
  }
}

// The sandbox takes media of other networks unseen.
class MetaConformanceTest : public ConformanceTest {};

// What is made of pictures and videos, and how often it is found again.
TEST_P(MetaConformanceTest, EveryFormat) {
  const Media fetched{.url = "https://cdn.example/lamp.mp4", .type = "video/mp4"};
  const Media uploaded{.type = "video/mp4", .bytes = std::string(700'000, 'v')};
  struct Format {
    const char* name;
    PostFormat format;
    std::vector<Media> media;
  };
  const std::vector<Format> formats = {{"picture", PostFormat::kPost, {picture}},         {"gallery", PostFormat::kPost, {picture, picture}},
                                       {"video fetched", PostFormat::kPost, {fetched}},     {"video uploaded", PostFormat::kPost, {uploaded}},
                                       {"reel fetched", PostFormat::kReel, {fetched}},      {"reel uploaded", PostFormat::kReel, {uploaded}},
                                       {"picture story", PostFormat::kStory, {picture}}, {"video story", PostFormat::kStory, {uploaded}}};
  for (const Format& one : formats) {
    for (const char* fault : {"", "an answer lost on the way", "reset_before_accept", "accept_then_reset"}) {
      SCOPED_TRACE(std::string(one.name) + ", " + fault);
      const std::string name = fault;
      if (name.find(' ') != name.npos && one.media[0].bytes.empty()) continue;
      Write write = Post();
      write.draft.format = one.format;
      write.draft.media = one.media;
      if (one.format == PostFormat::kStory) write.draft.text.clear();
      if (one.format == PostFormat::kStory || one.media.size() != 1 || one.media[0].type != "video/mp4") write.draft.title.clear();
      const auto violations = connector().Check(WriteKind::kPost, write.draft);
      EXPECT_TRUE(violations.empty()) << violations[0].field << " " << violations[0].description;
      const int before = Journalled("post"), found_before = one.format == PostFormat::kStory ? Found(write) : 0;
      if (name.find(' ') != name.npos) {   // of a piece of the upload: it goes on where it stopped
        Control("POST", "faults", {{"kind", "accept_then_reset"}, {"network", GetParam()}, {"operation", "media"}, {"skip", 1}, {"count", 1}});
      } else {
        Arm(name, WriteKind::kPost);
      }
      const Outcome out = connector().Execute(call(), account, write);
      Control("DELETE", "faults", {});
      const bool taken = name != "reset_before_accept";
      // Another story may be the one in question: nothing shows which.
      const bool known = taken && (name != "accept_then_reset" || (SettlesItself(WriteKind::kPost) && one.format != PostFormat::kStory));
      if (one.format != PostFormat::kStory || known) {
        EXPECT_EQ(out.kind, known ? OutcomeKind::kAccepted : OutcomeKind::kUnknown) << out.reason << ": " << out.message;
      }
      EXPECT_EQ(Journalled("post") - before, taken ? 1 : 0);
      EXPECT_EQ(Found(write) - found_before, taken ? 1 : 0);
    }
  }
}

// Networks whose videos go in pieces, each of which the sandbox counts as an operation of its own.
class UploadConformanceTest : public ConformanceTest {};

// Thirteen megabytes, of which a part gets lost on the way: the upload goes on where it was.
TEST_P(UploadConformanceTest, VideosArriveInPieces) {
  const char* const operation = GetParam() == "youtube" ? "post" : "media";
  Write write = Post();
  write.draft.media = {{.type = "video/mp4", .alt_text = "A lamp", .bytes = std::string(13 << 20, 'v')}};
  for (const char* fault : {"reset_before_accept", "accept_then_reset", "server_error"}) {
    SCOPED_TRACE(fault);
    Json rule = {{"kind", fault}, {"network", GetParam()}, {"operation", operation}, {"skip", 1}, {"count", 1}};
    if (fault == std::string("server_error")) rule["http_status"] = 503;
    Control("POST", "faults", rule);
    write.draft.text = Post().draft.text;
    const int before = Journalled("post");
    const Outcome out = connector().Execute(call(), account, write);
    EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.reason << ": " << out.message;
    EXPECT_EQ(Journalled("post") - before, 1);
    Control("DELETE", "faults", {});
  }
}

TEST_P(ConformanceTest, DeadTokensAreSeen) {
  Control("POST", "accounts/" + GetParam() + "/" + net::UrlEncode(journal_account) + "/token", {{"state", "expired"}});
  EXPECT_EQ(ReasonOf(connector().WhoAmI(call(), account).status()), "TOKEN_EXPIRED");
  EXPECT_EQ(connector().Execute(call(), account, Post()).reason, "TOKEN_EXPIRED");
}

TEST_P(ConformanceTest, ReadsAllThatPeopleWroteOnce) {
  const std::string post = Posted();
  std::set<std::string> written;
  for (int i = 0; i < 30; ++i) written.insert(Comment(post));
  for (const char* fault : {"", "empty_page", "odd"}) {
    // LinkedIn numbers pages by position, Discourse goes on below the last id shown: their empty pages lead nowhere.
    if (sandbox->real && *fault != '\0') continue;
    if (fault == std::string("empty_page") && (GetParam() == "linkedin" || GetParam() == "discourse")) continue;
    SCOPED_TRACE(fault);
    if (*fault != '\0') Control("POST", "faults", {{"kind", fault}, {"network", GetParam()}, {"count", 1}});
    std::map<std::string, int> seen;
    std::string cursor;
    for (int pages = 0; pages < 100; ++pages) {
      const auto page = connector().Poll(call(), account, cursor, started, 10);
      ASSERT_TRUE(page.ok()) << page.status();
      EXPECT_TRUE(page->unparsed.empty()) << page->unparsed[0].raw;
      for (const Happening& h : page->happenings) {
        const bool earlier = sandbox->real && h.post_remote_id != post;   // by another test
        if (!h.by_us && !earlier) ++seen[h.remote_id];
        EXPECT_FALSE(h.thread.empty());
        EXPECT_GT(h.revision, 0);
      }
      cursor = page->cursor;
      if (!page->more) break;
    }
    for (const std::string& id : written) EXPECT_GE(seen[id], 1) << id;
    EXPECT_EQ(seen.size(), written.size());
  }
}

class WebSubConformanceTest : public ConformanceTest {};

// The hub's handshake, signature and Atom: a new video of ours is no message, that it is gone is told.
TEST_P(WebSubConformanceTest, TheHubIsUnderstood) {
  std::mutex mutex;
  std::vector<WebhookContent> told;
  const std::vector<Secret> secrets = {Secret("the-hub-secret")};
  net::HttpServer target({}, "target", metrics, [&](net::HttpRequest request, net::Responder responder) {
    const WebhookCall webhook{request.method, request.query, request.body, request.headers};
    if (request.method == "GET") {
      const auto answer = connector().Handshake(webhook, secrets, Secret("verify-me"));
      EXPECT_TRUE(answer.ok()) << answer.status();
      return responder.Send(answer.ok() ? net::HttpResponse{answer->status, {}, answer->body} : net::HttpResponse{403});
    }
    EXPECT_TRUE(connector().VerifySignature(webhook, secrets).ok());
    std::lock_guard lock(mutex);
    told.push_back(connector().ParseCall(webhook));
    responder.Send({204});
  });
  ASSERT_TRUE(target.Start().ok());
  const std::string hook = Text(Control("POST", "webhooks", {{"network", GetParam()}, {"account", journal_account}, {"url", "http://" + target.address() + "/hook"},
                                                             {"secret", "the-hub-secret"}, {"verify_token", "verify-me"}}), "id");
  Write gone;
  gone.kind = WriteKind::kDelete;
  gone.target_remote_id = Posted();
  EXPECT_EQ(connector().Execute(call(), account, gone).kind, OutcomeKind::kAccepted);
  EXPECT_TRUE(parvis::testing::WaitFor([&] {
    std::lock_guard lock(mutex);
    return told.size() == 2;
  }));
  Control("DELETE", "webhooks/" + hook, {});
  std::lock_guard lock(mutex);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].ignored, 1);
  EXPECT_TRUE(told[0].happenings.empty() && told[0].unparsed.empty());
  ASSERT_EQ(told[1].happenings.size(), 1u);
  EXPECT_EQ(told[1].happenings[0].kind, Happening::Kind::kRemoval);
  EXPECT_EQ(told[1].happenings[0].remote_id, gone.target_remote_id);
  EXPECT_EQ(told[1].happenings[0].account_remote_id, account.remote_id);
}

TEST_P(ConformanceTest, TakesAStanceOnEveryFeature) {
  for (int i = 0; i < kFeatures; ++i) {
    const Feature feature = static_cast<Feature>(i);
    const Support& support = connector().capabilities().Of(feature);
    EXPECT_TRUE(connector().capabilities().features.contains(feature)) << NameOf(feature);
    EXPECT_TRUE(support.stance != Stance::kNotInApi || !support.source.empty()) << NameOf(feature) << ": who says so?";
    EXPECT_TRUE(support.stance == Stance::kPossible || !support.because.empty()) << NameOf(feature) << ": why not?";
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ConformanceTest,
                         ::testing::Values("facebook", "instagram", "x", "youtube", "linkedin", "bluesky", "mastodon", "wordpress", "ghost", "discourse", "nodebb"),
                         [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(Networks, MetaConformanceTest, ::testing::Values("facebook", "instagram"),
                         [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(Networks, WebSubConformanceTest, ::testing::Values("youtube"), [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(Networks, UploadConformanceTest, ::testing::Values("x", "youtube"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace parvis::networks
