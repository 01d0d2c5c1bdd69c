// The WordPress connector against WordPress 6.1 itself: publishing with media, comments of visitors by real HTTP, holding,
// approving, trashing, replying, and the site's own answers to duplicates and floods.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "networks/connector.h"
#include "networks/wire/answer.h"
#include "networks/wire/request.h"
#include "platform/testing/wait.h"
#include "tests/contract/site_feed.h"

extern char** environ;

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;
using parvis::testing::WaitFor;

// A PNG of one pixel.
const unsigned char kPng[] = {0x89, 'P',  'N',  'G',  0x0d, 0x0a, 0x1a, 0x0a, 0,    0,    0,    0x0d, 'I',  'H',  'D',  'R',  0,    0,
                              0,    1,    0,    0,    0,    1,    8,    6,    0,    0,    0,    0x1f, 0x15, 0xc4, 0x89, 0,    0,    0,
                              0x0d, 'I',  'D',  'A',  'T',  0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0,    5,    0,    1,    0xff,
                              0x89, 0x99, 0x3d, 0x1d, 0,    0,    0,    0,    'I',  'E',  'N',  'D',  0xae, 0x42, 0x60, 0x82};

// Runs site.py as long as the tests run; its standard input ends with us, and so does it.
class Site : public ::testing::Environment {
 public:
  void SetUp() override {
    char name[] = "/tmp/parvis-wordpress-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    int to[2], from[2];
    ASSERT_EQ(pipe2(to, O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(from, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from[1], 1);
    std::string script = "deploy/local/wordpress/site.py", python = "/usr/bin/python3";
    char* arguments[] = {python.data(), script.data(), folder_.data(), nullptr};
    ASSERT_EQ(posix_spawn(&pid_, python.c_str(), &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    input_ = to[1];
    std::string line;
    char byte;
    while (read(from[0], &byte, 1) == 1 && byte != '\n') line.push_back(byte);
    close(from[0]);
    info = ParseJson(line);
    ASSERT_TRUE(info.is_object()) << "site.py said: " << line;
  }
  void TearDown() override {
    if (pid_ <= 0) return;
    close(input_);
    int status = 0;
    waitpid(pid_, &status, 0);
    EXPECT_EQ(status, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Json info;

 private:
  std::string folder_;
  pid_t pid_ = -1;
  int input_ = -1;
};

Site* const site = static_cast<Site*>(::testing::AddGlobalTestEnvironment(new Site));

class WordPressSiteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(site->info.is_object());
    net::HttpClientConfig config;
    config.allowed_networks = {"127.0.0.0/8"};
    config.request_max = absl::Seconds(30);
    http = std::make_unique<net::HttpClient>(config, clock, metrics);
    connectors = MakeConnectors(*http, clock);
    account.base_url = account.remote_id = Text(site->info, "url");
    account.credentials.fields["username"] = Secret(Text(site->info, "user"));
    account.credentials.fields["application_password"] = Secret(Text(site->info, "application_password"));
    started = clock.WallNow();
  }
  Connector& wordpress() { return *connectors.at("wordpress"); }
  Call call() {
    Call out = BackgroundCall("test");
    out.deadline = clock.Now() + absl::Seconds(30);
    return out;
  }
  Write Of(WriteKind kind, const std::string& text, const std::string& target = "") {
    Write write;
    write.kind = kind;
    write.draft.text = text;
    write.draft.title = "Post " + text.substr(0, 20);
    write.target_remote_id = target;
    write.idempotency_key = "key" + std::to_string(++keys);
    return write;
  }
  std::string Post(const std::string& text) {
    const Outcome out = wordpress().Execute(call(), account, Of(WriteKind::kPost, text));
    EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.reason << " " << out.message;
    return out.remote_id;
  }
  // A visitor fills in the form below the post. Returns the comment's number, or "" with the status in `visitor_status`.
  std::string Visit(const std::string& post, const std::string& text, const std::string& parent = "0", bool flood_check = false) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = account.base_url + "/wp-comments-post.php";
    request.headers["Content-Type"] = "application/x-www-form-urlencoded";
    if (flood_check) request.headers["X-Parvis-Flood"] = "1";
    const std::string name = "visitor" + std::to_string(++visitors);
    request.body = net::FormEncode({{"author", name}, {"email", name + "@example.org"}, {"comment", text}, {"comment_post_ID", post}, {"comment_parent", parent}});
    const net::ClientResult result = http->Send(call(), request);
    visitor_status = result.http_status;
    const auto location = result.headers.find("Location");
    const size_t hash = location == result.headers.end() ? std::string::npos : location->second.find("#comment-");
    return hash == std::string::npos ? "" : location->second.substr(hash + 9);
  }
  // Polls until nothing more is there; the happenings since the cursor.
  std::vector<Happening> Poll() {
    std::vector<Happening> out;
    for (int i = 0; i < 50; ++i) {
      auto page = wordpress().Poll(call(), account, cursor, started - absl::Seconds(2), 20);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      EXPECT_TRUE(page->unparsed.empty());
      out.insert(out.end(), page->happenings.begin(), page->happenings.end());
      cursor = page->cursor;
      if (!page->more) break;
    }
    return out;
  }
  static const Happening* Find(const std::vector<Happening>& all, const std::string& id, Kind kind) {
    for (const Happening& h : all) {
      if (h.remote_id == id && h.kind == kind) return &h;
    }
    return nullptr;
  }
  std::string StatusOf(const std::string& comment) {
    net::ClientRequest request;
    request.url = account.base_url + "/wp-json/wp/v2/comments/" + comment + "?context=edit";
    request.basic = Secret(Text(site->info, "user") + ":" + Text(site->info, "application_password"));
    return Text(ParseJson(http->Send(call(), request).body), "status");
  }

  RealClock clock;
  obs::Metrics metrics;
  std::unique_ptr<net::HttpClient> http;
  std::map<std::string, std::unique_ptr<Connector>> connectors;
  Account account;
  absl::Time started;
  std::string cursor;
  int keys = 0, visitor_status = 0;
  inline static int visitors = 0;
};

TEST_F(WordPressSiteTest, KnowsWhoWeAre) {
  const auto identity = wordpress().WhoAmI(call(), account);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->handle, "brand");
  account.credentials.fields["application_password"] = Secret("wrong wrong wrong");
  EXPECT_EQ(ReasonOf(wordpress().WhoAmI(call(), account).status()), "TOKEN_EXPIRED");
}

TEST_F(WordPressSiteTest, PublishesWithMediaAndFindsItAgain) {
  Write write = Of(WriteKind::kPost, "Bonjour <b>à tous</b> & \"bienvenue\"\n\nSecond paragraph");
  write.draft.link = "https://brand.com/?a=1&b=2";
  const std::string png(reinterpret_cast<const char*>(kPng), sizeof kPng);
  write.draft.media = {{.type = "image/png", .alt_text = "Une lampe", .bytes = png}, {.type = "image/png", .bytes = png}};
  const Outcome out = wordpress().Execute(call(), account, write);
  ASSERT_EQ(out.kind, OutcomeKind::kAccepted) << out.reason << " " << out.message;
  net::ClientRequest request;
  request.url = out.permalink;
  const std::string page = http->Send(call(), request).body;
  EXPECT_NE(page.find("&lt;b&gt;à tous"), std::string::npos);
  EXPECT_NE(page.find("Second paragraph"), std::string::npos);
  EXPECT_NE(page.find("picture-2"), std::string::npos);
  request.url = account.base_url + "/wp-json/wp/v2/posts/" + out.remote_id;
  const std::string featured = Text(ParseJson(http->Send(call(), request).body), "featured_media");
  request.url = account.base_url + "/wp-json/wp/v2/media/" + featured;
  EXPECT_EQ(Text(ParseJson(http->Send(call(), request).body), "alt_text"), "Une lampe");

  const auto items = wordpress().ReadBack(call(), account, write, started, 10);
  ASSERT_TRUE(items.ok()) << items.status();
  int matches = 0;
  for (const OwnItem& item : *items) matches += wordpress().Matches(write, item) ? 1 : 0;
  EXPECT_EQ(matches, 1);
  Write other = write;
  other.idempotency_key = "another";   // the same text by another delivery is another post
  for (const OwnItem& item : *items) EXPECT_FALSE(wordpress().Matches(other, item));
  Write removal = Of(WriteKind::kDelete, "", out.remote_id);
  removal.post_remote_id = out.remote_id;
  EXPECT_EQ(wordpress().Execute(call(), account, removal).kind, OutcomeKind::kAccepted);
  EXPECT_TRUE(wordpress().ReadBack(call(), account, removal, started, 1)->empty());
}

TEST_F(WordPressSiteTest, PollsWhatVisitorsWrite) {
  const std::string post = Post("For the poll");
  const std::string first = Visit(post, "Premier <script>alert(1)</script> commentaire, it's \"mine\" 😀");
  const std::string second = Visit(post, "Second", first);
  const std::string third = Visit(post, "Third", second);
  ASSERT_FALSE(first.empty() || second.empty() || third.empty()) << visitor_status;
  const auto happenings = Poll();
  const Happening* h = Find(happenings, first, Kind::kComment);
  ASSERT_NE(h, nullptr);
  EXPECT_EQ(h->post_remote_id, post);
  EXPECT_EQ(h->parent_remote_id, post);
  EXPECT_EQ(h->thread, first);
  EXPECT_EQ(h->author_name.rfind("visitor", 0), 0u);
  EXPECT_FALSE(h->by_us);
  EXPECT_NE(h->text.find("commentaire, it's \"mine\" 😀"), std::string::npos) << h->text;
  EXPECT_EQ(h->text.find('<'), std::string::npos);
  // The site's time zone is not UTC: a comment of now is dated now.
  EXPECT_LT(absl::AbsDuration(h->occurred_at - clock.WallNow()), absl::Minutes(2));
  ASSERT_NE(Find(happenings, third, Kind::kComment), nullptr);
  EXPECT_EQ(Find(happenings, third, Kind::kComment)->thread, first);
  EXPECT_EQ(Find(happenings, third, Kind::kComment)->parent_remote_id, second);
  EXPECT_TRUE(Poll().empty());
  // A burst of one second, in small pages: each comes once.
  std::set<std::string> written, read;
  for (int i = 0; i < 30; ++i) written.insert(Visit(post, "Burst " + std::to_string(i)));
  for (const Happening& one : Poll()) {
    EXPECT_TRUE(read.insert(one.remote_id).second) << one.remote_id;
  }
  EXPECT_EQ(read, written);
}

TEST_F(WordPressSiteTest, HoldsApprovesAndTrashes) {
  const std::string post = Post("For moderation");
  const std::string comment = Visit(post, "Please moderate me"), spam = Visit(post, "Buy now");
  Poll();
  const auto act = [&](WriteKind kind, const std::string& target) { return wordpress().Execute(call(), account, Of(kind, "", target)); };
  EXPECT_EQ(act(WriteKind::kHide, comment).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(StatusOf(comment), "hold");
  EXPECT_EQ(act(WriteKind::kHide, comment).kind, OutcomeKind::kAccepted);   // again: nothing to change
  const auto read = wordpress().ReadBack(call(), account, Of(WriteKind::kHide, "", comment), started, 1);
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(wordpress().Matches(Of(WriteKind::kHide, "", comment), read->at(0)));
  EXPECT_NE(Find(Poll(), comment, Kind::kHide), nullptr);
  EXPECT_EQ(act(WriteKind::kUnhide, comment).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(StatusOf(comment), "approved");
  EXPECT_NE(Find(Poll(), comment, Kind::kUnhide), nullptr);
  EXPECT_EQ(act(WriteKind::kDelete, spam).kind, OutcomeKind::kAccepted);
  EXPECT_EQ(StatusOf(spam), "trash");
  EXPECT_EQ(act(WriteKind::kDelete, spam).reason, "NOT_FOUND");
  EXPECT_NE(Find(Poll(), spam, Kind::kRemoval), nullptr);
  EXPECT_TRUE(Poll().empty());
  EXPECT_EQ(act(WriteKind::kHide, "999999").reason, "NOT_FOUND");
}

TEST_F(WordPressSiteTest, Replies) {
  const std::string post = Post("For replies");
  const std::string comment = Visit(post, "Une question ?");
  Write reply = Of(WriteKind::kReply, "Une réponse <3 & l'équipe", comment);
  const Outcome out = wordpress().Execute(call(), account, reply);
  ASSERT_EQ(out.kind, OutcomeKind::kAccepted) << out.message;
  const auto happenings = Poll();
  const Happening* ours = Find(happenings, out.remote_id, Kind::kComment);
  ASSERT_NE(ours, nullptr);
  EXPECT_TRUE(ours->by_us);
  EXPECT_EQ(ours->thread, comment);
  EXPECT_EQ(ours->text, "Une réponse <3 & l'équipe");
  const auto items = wordpress().ReadBack(call(), account, reply, started, 10);
  ASSERT_TRUE(items.ok());
  int matches = 0;
  for (const OwnItem& item : *items) matches += wordpress().Matches(reply, item) ? 1 : 0;
  EXPECT_EQ(matches, 1);
  // The same words again: the site knows them.
  const Outcome again = wordpress().Execute(call(), account, reply);
  EXPECT_EQ(again.kind, OutcomeKind::kRefused);
  EXPECT_EQ(again.error, ErrorClass::kDuplicate);
  EXPECT_NE(again.message.find("comment_duplicate"), std::string::npos);
}

TEST_F(WordPressSiteTest, FeedsTellOfPostsAndComments) {
  std::string post;
  SiteFeed posts(*http, clock, account.base_url + "/feed/");
  posts.TellsOfPosts(
      [&](const std::string& name) {
        const Write write = Of(WriteKind::kPost, "About the " + name + " lamp: it shines.");
        const Outcome out = wordpress().Execute(call(), account, write);
        EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.reason << " " << out.message;
        return SiteFeed::Written{post = out.remote_id, write.draft.title, write.draft.text, out.permalink};
      },
      [&](const SiteFeed::Written& written, const std::string& text) {
        net::ClientRequest request;
        request.method = "POST";
        request.url = account.base_url + "/wp-json/wp/v2/posts/" + written.id;
        request.basic = Secret(Text(site->info, "user") + ":" + Text(site->info, "application_password"));
        SetJson({{"content", "<p>" + text + "</p>"}}, &request);
        EXPECT_EQ(http->Send(call(), request).http_status, 200);
      });
  Visit(post, "What was there before");
  SiteFeed comments(*http, clock, account.base_url + "/comments/feed/");
  comments.TellsOfComments([&](const std::string& text) { return "#comment-" + Visit(post, text); });
}

TEST_F(WordPressSiteTest, FloodsAndMissingRights) {
  const std::string post = Post("For floods");
  const std::string comment = Visit(post, "Hello");
  EXPECT_EQ(Visit(post, "Too quick", "0", true), "");
  EXPECT_EQ(visitor_status, 429);
  EXPECT_EQ(Visit(post, "Hello again"), std::to_string(std::stoi(comment) + 1));
  // A reader may comment, but not as quickly as that, and not moderate.
  account.credentials.fields["username"] = Secret(Text(site->info, "reader"));
  account.credentials.fields["application_password"] = Secret(Text(site->info, "reader_password"));
  Write reply = Of(WriteKind::kReply, "As a reader", comment);
  reply.post_remote_id = post;
  Outcome out = wordpress().Execute(call(), account, reply);
  EXPECT_TRUE(out.kind == OutcomeKind::kAccepted || out.error == ErrorClass::kRateLimited) << out.message;
  reply.draft.text = "As a reader, at once";
  out = wordpress().Execute(call(), account, reply);
  EXPECT_EQ(out.error, ErrorClass::kRateLimited) << out.message;
  EXPECT_NE(out.message.find("comment_flood"), std::string::npos);
  EXPECT_EQ(wordpress().Execute(call(), account, Of(WriteKind::kHide, "", comment)).error, ErrorClass::kPermission);
  EXPECT_EQ(wordpress().Execute(call(), account, Of(WriteKind::kPost, "x")).error, ErrorClass::kPermission);
}

}  // namespace
}  // namespace parvis::networks
