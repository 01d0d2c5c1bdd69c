#include "networks/feed/feed.h"

#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;
constexpr int64_t kBegin = 1700000000;

class FeedTest : public ConnectorTest {
 protected:
  FeedTest() : ConnectorTest("feed", "https://blog.example/feed", "", "/feed") {}
  static std::string Item(const std::string& id, const std::string& title, int64_t at = 0) {
    const std::string date =
        at == 0 ? ""
                : "<pubDate>" +
                      absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::FromUnixSeconds(at), absl::UTCTimeZone()) +
                      "</pubDate>";
    return "<item><guid isPermaLink='false'>" + id + "</guid><title>" + title + "</title><link>/" + id + "</link>" +
           date + "</item>";
  }
  static std::string Rss(const std::string& items) {
    return "<rss version='2.0'><channel><title>A blog</title>" + items + "</channel></rss>";
  }
  StatusOr<PollPage> Poll(const std::string& cursor, int limit = 100, int64_t since = kBegin) {
    return connector.Poll(network.call(), account, cursor, absl::FromUnixSeconds(since), limit);
  }
};

TEST_F(FeedTest, TheHubIsTheOneOfTheLinkHeaderElseOfTheDocument) {
  const auto find = [&](const std::string& body, const net::Headers& headers = {}) {
    network.Next(200, body, headers);
    auto hub = connector.FindHub(network.call(), account);
    return hub.ok() ? hub->url + " " + hub->topic : ReasonOf(hub.status());
  };
  const std::string inside =
      "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='hub' href='https://in.example/'/>"
      "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='self' href='/self'/>";
  EXPECT_EQ(find(Rss(inside)), "https://in.example/ " + network.url() + "/self");
  EXPECT_EQ(find(Rss(inside), {{"Link", "</a>; rel=next, <https://out.example/>; rel=\"hub\", </me>; rel=\"x self\""}}),
            "https://out.example/ " + network.url() + "/me");
  EXPECT_EQ(
      find(R"({"version":"https://jsonfeed.org/version/1.1","title":"A","feed_url":"https://blog.example/j",)"
           R"("hubs":[{"type":"rssCloud","url":"https://x.example"},{"type":"WebSub","url":"https://h.example/"}],)"
           R"("items":[]})"),
      "https://h.example/ https://blog.example/j");
  EXPECT_EQ(find(Rss("")), "HUB_NONE");
  EXPECT_EQ(find(Rss(""), {{"Link", "<javascript:x>; rel=hub"}}), "HUB_NONE");
  EXPECT_TRUE(connector.ParseWebhook("whatever").read_back);
  EXPECT_FALSE(
      connector.VerifySignature({.method = "POST", .query = "", .body = "x", .headers = {}}, {Secret("s")}).ok());
}

TEST_F(FeedTest, MentionsFromTheOldestOnThenOnlyWhatChanged) {
  const net::Headers validators{{"ETag", "W/\"1\""}, {"Last-Modified", "Tue, 14 Nov 2023 22:20:00 GMT"}};
  network.Next(200,
               Rss(Item("3", "Third", kBegin + 20) + Item("2", "Second", kBegin + 10) + Item("1", "Old", kBegin - 10)),
               validators);
  auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->happenings.size(), 2u);
  const Happening& h = page->happenings[0];
  EXPECT_EQ(h.kind, Kind::kMention);
  EXPECT_EQ(h.remote_id, "2");
  EXPECT_EQ(h.thread, "2");
  EXPECT_EQ(h.text, "Second");
  EXPECT_EQ(h.permalink, network.url() + "/2");
  EXPECT_EQ(h.account_remote_id, "https://blog.example/feed");
  EXPECT_EQ(h.revision, (kBegin + 10) * 1'000'000);
  EXPECT_EQ(page->happenings[1].remote_id, "3");
  EXPECT_FALSE(page->more);
  auto asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/feed");
  EXPECT_EQ(asked[0].headers.count("If-None-Match"), 0u);
  // Not modified: nothing comes out, the place is the same.
  network.Next(304, "");
  const auto quiet = Poll(page->cursor);
  ASSERT_TRUE(quiet.ok()) << quiet.status();
  EXPECT_TRUE(quiet->happenings.empty());
  EXPECT_EQ(quiet->cursor, page->cursor);
  asked = network.Taken();
  EXPECT_EQ(asked[0].headers.at("If-None-Match"), "W/\"1\"");
  EXPECT_EQ(asked[0].headers.at("If-Modified-Since"), "Tue, 14 Nov 2023 22:20:00 GMT");
  // Reordered, one dropped, one edited in silence, one back-dated: the edit and the new one; the same cursor again says
  // the same.
  const std::string changed =
      Rss(Item("2", "Second, edited", kBegin + 10) + Item("4", "Late", kBegin - 100) + Item("3", "Third", kBegin + 20));
  network.Next(200, changed);
  network.Next(200, changed);
  const auto next = Poll(page->cursor), again = Poll(page->cursor);
  ASSERT_TRUE(next.ok() && again.ok());
  ASSERT_EQ(next->happenings.size(), 2u);
  EXPECT_EQ(next->happenings[0].remote_id, "4");
  EXPECT_EQ(next->happenings[0].kind, Kind::kMention);
  EXPECT_EQ(next->happenings[1].kind, Kind::kEdit);
  EXPECT_EQ(next->happenings[1].text, "Second, edited");
  EXPECT_GT(next->happenings[1].revision, h.revision);
  EXPECT_EQ(next->happenings[1].revision, again->happenings[1].revision);
  // What dropped out and comes back is known still.
  network.Next(200, Rss(Item("1", "Old", kBegin - 10) + Item("2", "Second, edited", kBegin + 10)));
  EXPECT_TRUE(Poll(next->cursor)->happenings.empty());
}

TEST_F(FeedTest, AnEditWithADateOfItsOwnHasThatRevision) {
  const auto atom = [](const std::string& text, const std::string& updated) {
    return "<feed "
           "xmlns='http://www.w3.org/2005/Atom'><entry><id>a</id><published>2023-11-14T22:13:20Z</published><updated>" +
           updated + "</updated><content>" + text + "</content></entry></feed>";
  };
  network.Next(200, atom("one", "2023-11-14T22:13:20Z"));
  auto page = Poll("");
  network.Next(200, atom("one", "2023-11-15T22:13:20Z"));  // a new date alone is no edit
  page = Poll(page->cursor);
  EXPECT_TRUE(page->happenings.empty());
  network.Next(200, atom("two", "2023-11-16T22:13:20Z"));
  page = Poll(page->cursor);
  ASSERT_EQ(page->happenings.size(), 1u);
  EXPECT_EQ(page->happenings[0].kind, Kind::kEdit);
  EXPECT_EQ(page->happenings[0].revision, 1700172800000000);
  EXPECT_EQ(page->happenings[0].occurred_at, absl::FromUnixSeconds(1700172800));
}

TEST_F(FeedTest, KeepsToItsLimitAndAsksForTheWholeUntilAllIsOut) {
  const std::string all = Rss(Item("3", "c", kBegin + 3) + Item("1", "a", kBegin + 1) + Item("2", "b", kBegin + 2) +
                              Item("2", "twice", kBegin + 2));
  std::string cursor, out;
  for (int i = 0; i < 3; ++i) {
    network.Next(200, all, {{"ETag", "\"1\""}});
    const auto page = Poll(cursor, 1);
    ASSERT_TRUE(page.ok() && page->happenings.size() == 1u);
    out += page->happenings[0].remote_id;
    EXPECT_EQ(page->more, i < 2);
    cursor = page->cursor;
  }
  EXPECT_EQ(out, "123");
  for (const auto& asked : network.Taken()) EXPECT_EQ(asked.headers.count("If-None-Match"), 0u);
  network.Next(304, "");
  EXPECT_TRUE(Poll(cursor).ok());
  EXPECT_EQ(network.Taken()[0].headers.at("If-None-Match"), "\"1\"");
}

TEST_F(FeedTest, ADocumentOfThisSecondIsReadWholeOnceMore) {
  const auto headers = [](const char* etag, const char* modified, const char* date) {
    const std::string day = "Tue, 14 Nov 2023 ";
    return net::Headers{{"ETag", etag}, {"Last-Modified", day + modified + " GMT"}, {"Date", day + date + " GMT"}};
  };
  std::string cursor;
  const auto told = [&] {
    const auto page = Poll(cursor);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return std::string();
    cursor = page->cursor;
    std::string out;
    for (const Happening& h : page->happenings) out += h.remote_id;
    return out;
  };
  const std::string one = Item("1", "a", kBegin), two = Item("2", "b", kBegin), three = Item("3", "c", kBegin + 50);
  network.Next(200, Rss(one), headers("\"1\"", "22:20:00", "22:20:00"));
  network.Next(200, Rss(one), headers("\"1\"", "22:20:00", "22:20:00"));
  network.Next(200, Rss(two + one), headers("\"1\"", "22:20:00", "22:21:00"));  // as WordPress makes ETags
  network.Next(304, "");
  EXPECT_EQ(told(), "1");
  EXPECT_EQ(told(), "");
  EXPECT_EQ(told(), "2") << "written in the second of the readings before";
  EXPECT_EQ(told(), "");
  // Always of now: known by an ETag that stays.
  network.Next(200, Rss(three + two + one), headers("\"2\"", "22:23:00", "22:23:00"));
  network.Next(200, Rss(three + two + one), headers("\"2\"", "22:24:00", "22:24:00"));
  network.Next(304, "");
  EXPECT_EQ(told(), "3");
  EXPECT_EQ(told(), "");
  EXPECT_EQ(told(), "");
  std::string asked;
  for (const auto& request : network.Taken()) {
    const auto etag = request.headers.find("If-None-Match");
    asked += etag == request.headers.end() ? "-" : etag->second;
  }
  EXPECT_EQ(asked, "---\"1\"\"1\"-\"2\"");
}

TEST_F(FeedTest, WithoutDatesTheSamePageGivesTheSameRevisions) {
  const std::string body = Rss(Item("2", "b") + Item("1", "a"));
  network.Next(200, body, {{"Last-Modified", "Tue, 14 Nov 2023 22:20:00 GMT"}});
  network.Next(200, body, {{"Last-Modified", "Tue, 14 Nov 2023 22:30:00 GMT"}});
  const auto page = Poll(""), again = Poll("");
  ASSERT_EQ(page->happenings.size(), 2u);
  EXPECT_EQ(page->happenings[0].remote_id, "1");  // feeds begin with what is new
  EXPECT_EQ(page->happenings[0].occurred_at, absl::FromUnixSeconds(kBegin + 400));
  EXPECT_EQ(page->happenings[0].revision, again->happenings[0].revision);
  EXPECT_GT(page->happenings[0].revision, 0);
  network.Next(200, body, {{"Last-Modified", "Mon, 13 Nov 2023 22:20:00 GMT"}});
  EXPECT_TRUE(Poll("")->happenings.empty());  // from before we listened
}

TEST_F(FeedTest, KeepsAPermanentAddressAndNoOther) {
  network.Next(301, "", {{"Location", "/moved"}});
  network.Next(302, "", {{"Location", "/today"}});
  network.Next(200, Rss(Item("1", "a", kBegin)), {{"ETag", "\"1\""}});
  const auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  network.Next(304, "");
  EXPECT_TRUE(Poll(page->cursor).ok());
  auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[2].path, "/today");
  EXPECT_EQ(asked[3].path, "/moved");
  // Another address is entered: the place is of the old one, what was seen stays known.
  account.base_url = network.url() + "/other";
  network.Next(200, Rss(Item("1", "a", kBegin)));
  EXPECT_TRUE(Poll(page->cursor)->happenings.empty());
  asked = network.Taken();
  EXPECT_EQ(asked[0].path, "/other");
  EXPECT_EQ(asked[0].headers.count("If-None-Match"), 0u);
  for (int i = 0; i <= kFeedHopsMax; ++i) network.Next(301, "", {{"Location", "/other"}});
  EXPECT_EQ(ReasonOf(Poll("").status()), "FEED_REDIRECTS");
  EXPECT_EQ(network.Taken().size(), static_cast<size_t>(kFeedHopsMax) + 1);
  network.Next(301, "", {{"Location", "file:///etc/passwd"}});
  EXPECT_EQ(ReasonOf(Poll("").status()), "FEED_REDIRECTS");
  network.Next(301, "");
  EXPECT_EQ(ReasonOf(Poll("").status()), "FEED_REDIRECTS");
}

TEST_F(FeedTest, Refusals) {
  const struct {
    int status;
    Code code;
    const char* reason;
  } kCases[] = {{410, Code::kFailedPrecondition, "FEED_GONE"},
                {404, Code::kNotFound, "NOT_FOUND"},
                {401, Code::kPermissionDenied, "PERMISSION_DENIED"},
                {403, Code::kPermissionDenied, "PERMISSION_DENIED"},
                {400, Code::kFailedPrecondition, "REJECTED"},
                {500, Code::kUnavailable, "TRANSIENT"},
                {304, Code::kUnavailable, "TRANSIENT"}};
  for (const auto& one : kCases) {
    network.Next(one.status, "");
    const Status status = Poll("").status();
    EXPECT_EQ(status.code(), one.code) << one.status;
    EXPECT_EQ(ReasonOf(status), one.reason) << one.status;
  }
  network.Next(429, "", {{"Retry-After", "120"}});
  EXPECT_EQ(ToError(Poll("").status()).retry_after, absl::Seconds(120));
  network.Next(503, "", {{"Retry-After", "Fri, 01 Jan 2100 00:00:00 GMT"}});
  EXPECT_EQ(ToError(Poll("").status()).retry_after, absl::Hours(24));
  network.NextReset();
  EXPECT_EQ(Poll("").status().code(), Code::kUnavailable);
  network.Next(200, "<html></html>");
  EXPECT_EQ(ReasonOf(Poll("").status()), "NOT_A_FEED");
}

TEST_F(FeedTest, ABrokenDocumentIsReadAsFarAsItGoesAndToldOnce) {
  const std::string whole = Rss(Item("1", "a", kBegin) + Item("2", "b", kBegin + 1));
  const std::string half = whole.substr(0, whole.find("<title>b"));
  network.Next(200, half, {{"ETag", "\"1\""}});
  auto page = Poll("");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->happenings.size(), 1u);
  ASSERT_EQ(page->unparsed.size(), 1u);
  EXPECT_EQ(page->unparsed[0].reason, "NOT_XML");
  network.Next(200, half, {{"ETag", "\"1\""}});
  page = Poll(page->cursor);
  EXPECT_TRUE(page->unparsed.empty());
  network.Taken();
  network.Next(200, whole);
  page = Poll(page->cursor);
  ASSERT_EQ(page->happenings.size(), 1u);
  EXPECT_EQ(page->happenings[0].remote_id, "2");
  EXPECT_EQ(network.Taken()[0].headers.count("If-None-Match"), 0u);
}

TEST_F(FeedTest, WhoItIs) {
  network.Next(308, "", {{"Location", "/canonical"}});
  network.Next(307, "", {{"Location", "/today"}});
  network.Next(200, Rss("<link>https://blog.example/</link>"));
  const auto identity = connector.WhoAmI(network.call(), account);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->name, "A blog");
  EXPECT_EQ(identity->remote_id, network.url() + "/canonical");
  EXPECT_EQ(identity->url, "https://blog.example/");
  network.Next(410, "");
  EXPECT_EQ(ReasonOf(connector.WhoAmI(network.call(), account).status()), "FEED_GONE");
}

TEST_F(FeedTest, NothingCanBeWritten) {
  const Capabilities& can = connector.capabilities();
  EXPECT_EQ(can.features.size(), static_cast<size_t>(kFeatures));
  EXPECT_TRUE(can.credential_fields.empty());
  for (const auto& [feature, support] : can.features) {
    EXPECT_EQ(support.stance == Stance::kNotInApi, !support.source.empty()) << NameOf(feature);
    EXPECT_FALSE(support.because.empty() && support.stance != Stance::kPossible) << NameOf(feature);
  }
  for (int kind = 0; kind < kWriteKinds; ++kind) {
    Write write;
    write.kind = static_cast<WriteKind>(kind);
    EXPECT_EQ(connector.Execute(network.call(), account, write).reason, "REJECTED");
    EXPECT_EQ(connector.Check(write.kind, {}).at(0).reason, "NOT_POSSIBLE");
    EXPECT_EQ(ReasonOf(connector.ReadBack(network.call(), account, write, absl::UnixEpoch(), 1).status()),
              "NOT_POSSIBLE");
  }
  EXPECT_TRUE(network.Taken().empty());
  for (const char* cursor : {"not json", "{}", R"({"k":[[1],["a","b",1.5],["a","b",-9]],"b":7})"}) {
    network.Next(200, Rss(Item("1", "a", kBegin)));
    EXPECT_TRUE(Poll(cursor).ok()) << cursor;
  }
}

}  // namespace
}  // namespace parvis::networks
