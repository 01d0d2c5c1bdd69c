// The Ghost connector against Ghost itself, where one is named by the environment: PARVIS_GHOST_URL, PARVIS_GHOST_KEY
// (of an integration), PARVIS_GHOST_MEMBER (who answers) and PARVIS_GHOST_FAN (another member, who comments). Without
// them it is skipped.
#include <gtest/gtest.h>

#include <cstdlib>

#include "networks/connector.h"
#include "networks/ghost/ghost.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;

// A PNG of one pixel.
const unsigned char kPng[] = {0x89, 'P',  'N',  'G',  0x0d, 0x0a, 0x1a, 0x0a, 0,    0,   0,    0x0d, 'I',  'H',
                              'D',  'R',  0,    0,    0,    1,    0,    0,    0,    1,   8,    6,    0,    0,
                              0,    0x1f, 0x15, 0xc4, 0x89, 0,    0,    0,    0x0d, 'I', 'D',  'A',  'T',  0x78,
                              0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0,    5,    0,   1,    0xff, 0x89, 0x99,
                              0x3d, 0x1d, 0,    0,    0,    0,    'I',  'E',  'N',  'D', 0xae, 0x42, 0x60, 0x82};

std::string Env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class GhostSiteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    account.remote_id = account.base_url = Env("PARVIS_GHOST_URL");
    if (account.base_url.empty()) GTEST_SKIP() << "PARVIS_GHOST_URL names no site";
    account.credentials.fields["admin_key"] = Secret(Env("PARVIS_GHOST_KEY"));
    account.credentials.fields["member_id"] = Secret(Env("PARVIS_GHOST_MEMBER"));
    net::HttpClientConfig config;
    config.allowed_networks = {"127.0.0.0/8"};
    http = std::make_unique<net::HttpClient>(config, clock, metrics);
    connectors = MakeConnectors(*http, clock);
    key = "site-" + std::to_string(absl::ToUnixMicros(clock.WallNow()));
    started = clock.WallNow() - absl::Seconds(2);
  }
  Call call() const {
    Call out = BackgroundCall("test");
    out.deadline = clock.Now() + absl::Seconds(20);
    return out;
  }
  Connector& connector() { return *connectors.at("ghost"); }
  Write Of(WriteKind kind, const std::string& target = "", const std::string& text = "") {
    Write write;
    write.kind = kind;
    write.draft.text = text;
    write.target_remote_id = target;
    write.post_remote_id = post;
    write.idempotency_key = key;
    return write;
  }
  std::string Done(const Write& write) {
    const Outcome out = connector().Execute(call(), account, write);
    EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << NameOf(write.kind) << ": " << out.reason << " " << out.message;
    return out.remote_id;
  }
  int Found(const Write& write) {
    const auto items = connector().ReadBack(call(), account, write, started, 50);
    EXPECT_TRUE(items.ok()) << items.status();
    int found = 0;
    for (const OwnItem& item : items.ok() ? *items : std::vector<OwnItem>())
      found += connector().Matches(write, item) ? 1 : 0;
    return found;
  }
  // What the fan writes: the site has no other way of commenting for a program without a signed-in member.
  std::string Fan(const std::string& text) {
    Account fan = account;
    fan.credentials.fields["member_id"] = Secret(Env("PARVIS_GHOST_FAN"));
    Write write = Of(WriteKind::kReply, post, text);
    const Outcome out = connector().Execute(call(), fan, write);
    EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
    return out.remote_id;
  }
  std::map<std::string, std::vector<Kind>> Polled(std::string* cursor) {
    std::map<std::string, std::vector<Kind>> out;
    for (int pages = 0; pages < 20; ++pages) {
      const auto page = connector().Poll(call(), account, *cursor, started, 2);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      for (const Happening& h : page->happenings) out[h.remote_id].push_back(h.kind);
      *cursor = page->cursor;
      if (!page->more) break;
    }
    return out;
  }

  RealClock clock;
  obs::Metrics metrics;
  std::unique_ptr<net::HttpClient> http;
  std::map<std::string, std::unique_ptr<Connector>> connectors;
  Account account;
  std::string key, post;
  absl::Time started;
};

TEST_F(GhostSiteTest, WritesReadsAndModerates) {
  const auto identity = connector().WhoAmI(call(), account);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_FALSE(identity->name.empty());
  Write write = Of(WriteKind::kPost, "", "A lamp < a sun?\nYes.\n\nIt \"shines\".");
  write.draft.title = "A lamp";
  write.draft.link = "https://brand.example/?a=1&b=2";
  write.draft.tags = {"News", "Lamps"};
  const std::string png(reinterpret_cast<const char*>(kPng), sizeof kPng);
  write.draft.media = {{.type = "image/png", .alt_text = "A pixel", .bytes = png},
                       {.type = "image/png", .alt_text = "Another", .bytes = png}};
  post = Done(write);
  ASSERT_EQ(post.size(), 24u);
  EXPECT_EQ(Found(write), 1);
  write.idempotency_key = "";
  EXPECT_GE(Found(write), 0);
  write.idempotency_key = key + "x";
  EXPECT_EQ(Found(write), 0);

  const std::string first = Fan("Is it bright & warm?"), second = Fan("I ask, too"), third = Fan("Buy gold");
  const Write reply = Of(WriteKind::kReply, first, "It is <bright>.\nAnd \"warm\".");
  const std::string ours = Done(reply);
  EXPECT_EQ(Found(reply), 1);
  const Write nested = Of(WriteKind::kReply, ours, "Really.");
  Done(nested);
  EXPECT_EQ(Found(nested), 1);

  std::string cursor;
  auto seen = Polled(&cursor);
  EXPECT_EQ(seen[first], std::vector<Kind>{Kind::kComment});
  EXPECT_EQ(seen[ours], std::vector<Kind>{Kind::kComment});
  EXPECT_EQ(seen.size(), 5u);
  EXPECT_TRUE(Polled(&cursor).empty());

  for (const WriteKind kind :
       {WriteKind::kHide, WriteKind::kUnhide, WriteKind::kHide, WriteKind::kBan, WriteKind::kUnban}) {
    const Write moderate = Of(kind, first);
    Done(moderate);
    EXPECT_EQ(Found(moderate), 1) << NameOf(kind);
  }
  Done(Of(WriteKind::kDelete, third));
  EXPECT_EQ(Found(Of(WriteKind::kDelete, third)), 0);
  seen = Polled(&cursor);
  EXPECT_EQ(seen[first], std::vector<Kind>{Kind::kHide});
  EXPECT_EQ(seen[third], std::vector<Kind>{Kind::kRemoval});
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_EQ(connector().Execute(call(), account, Of(WriteKind::kUnhide, third)).reason, "NOT_FOUND");
  EXPECT_EQ(connector().Execute(call(), account, Of(WriteKind::kHide, "0123456789abcdef01234567")).reason, "NOT_FOUND");
  EXPECT_EQ(connector().Execute(call(), account, Of(WriteKind::kHide, "12")).reason, "REJECTED");

  const auto counts = connector().Measure(call(), account, {post});
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->counts.size(), 1u);
  EXPECT_EQ(counts->counts.front().values.at("comments"), 4);
  const auto site = connector().Measure(call(), account, {});
  ASSERT_TRUE(site.ok()) << site.status();
  EXPECT_GE(site->counts.front().values.at("members"), 2);
  (void)second;
  Done(Of(WriteKind::kDelete, post));
  EXPECT_EQ(connector().Execute(call(), account, Of(WriteKind::kDelete, post)).reason, "NOT_FOUND");
}

TEST_F(GhostSiteTest, SendsNewslettersOnceAndRefusesUnknownOnes) {
  Write write = Of(WriteKind::kPost, "", "For members.");
  write.draft.title = "A letter";
  write.draft.options = {{"newsletter", "no-such-letter"}};
  const Outcome refused = connector().Execute(call(), account, write);
  EXPECT_EQ(refused.kind, OutcomeKind::kRefused) << refused.message;
  EXPECT_EQ(Found(write), 0);
  write.draft.options = {{"newsletter", "default-newsletter"}, {"visibility", "members"}};
  post = Done(write);
  EXPECT_EQ(Found(write), 1);
}

TEST_F(GhostSiteTest, DeadKeysAreSeen) {
  account.credentials.fields["admin_key"] = Secret("0123456789abcdef01234567:00ff");
  EXPECT_EQ(ReasonOf(connector().WhoAmI(call(), account).status()), "TOKEN_EXPIRED");
  const std::string real = Env("PARVIS_GHOST_KEY");
  account.credentials.fields["admin_key"] =
      Secret(real.substr(0, real.size() - 2) + (real.ends_with("00") ? "11" : "00"));
  EXPECT_EQ(ReasonOf(connector().WhoAmI(call(), account).status()), "TOKEN_EXPIRED");
}

}  // namespace
}  // namespace parvis::networks
