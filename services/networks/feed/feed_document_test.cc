#include "networks/feed/feed_document.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "networks/feed/feed.h"
#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

std::string File(const std::string& name) {
  std::ifstream in("services/networks/testdata/feeds/" + name);
  EXPECT_TRUE(in.is_open()) << name;
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

StatusOr<Feed> Parsed(const std::string& file, const std::string& type = "") {
  return ParseFeed(File(file), type, "https://site.example/blog/feed");
}

std::string ReasonOfFeed(const std::string& body) {
  return ReasonOf(ParseFeed(body, "", "https://site.example/").status());
}

TEST(FeedDocument, Rss) {
  const auto feed = Parsed("rss.xml");
  ASSERT_TRUE(feed.ok()) << feed.status();
  EXPECT_EQ(feed->title, "Lamps & more");
  EXPECT_EQ(feed->link, "https://lamps.example/");
  EXPECT_EQ(feed->updated, absl::FromUnixSeconds(1700042400));
  EXPECT_EQ(feed->broken, "");
  ASSERT_EQ(feed->items.size(), 2u);
  const FeedItem& second = feed->items[0];
  EXPECT_EQ(second.id, "9007199254740993");
  EXPECT_EQ(second.link, "https://lamps.example/2");
  EXPECT_EQ(second.author, "Ann O'Neill");
  EXPECT_EQ(second.text, "A lamp & a shade\n\nBye");
  EXPECT_EQ(second.published, absl::FromUnixSeconds(1700000000));
  ASSERT_EQ(second.enclosures.size(), 1u);
  EXPECT_EQ(second.enclosures[0], std::pair(std::string("audio/mpeg"), std::string("https://site.example/sound.mp3")));
  EXPECT_EQ(feed->items[1].link, "https://lamps.example/1");  // the guid is an address unless it says otherwise
  EXPECT_EQ(feed->items[1].text, "One\ntwo");
  EXPECT_EQ(feed->items[1].published, absl::FromUnixSeconds(1699913580));
}

TEST(FeedDocument, Atom) {
  const auto feed = Parsed("atom.xml");
  ASSERT_TRUE(feed.ok()) << feed.status();
  EXPECT_EQ(feed->title, "Brücken");
  EXPECT_EQ(feed->link, "https://atom.example/blog/");
  ASSERT_EQ(feed->items.size(), 2u);
  const FeedItem& two = feed->items[0];
  EXPECT_EQ(two.id, "tag:atom.example,2023:2");
  EXPECT_EQ(two.title, "Plain <b> stays");
  EXPECT_EQ(two.link, "https://atom.example/blog/2023/two#top");
  EXPECT_EQ(two.text, "1 < 2\n\nthree");
  EXPECT_EQ(two.author, "Ann");
  EXPECT_EQ(two.published, absl::FromUnixMillis(1700000000250));
  EXPECT_EQ(two.updated, absl::FromUnixSeconds(1700000000));
  ASSERT_EQ(two.enclosures.size(), 1u);
  EXPECT_EQ(two.enclosures[0].second, "https://atom.example/blog/2023/pic.png");
  EXPECT_EQ(feed->items[1].title, "Copied");  // its own, not that of where it was copied from
  EXPECT_EQ(feed->items[1].id, "tag:atom.example,2023:1");
  EXPECT_EQ(feed->items[1].text, "a summary");
}

TEST(FeedDocument, JsonFeed) {
  const auto feed = Parsed("feed.json", "application/feed+json");
  ASSERT_TRUE(feed.ok()) << feed.status();
  EXPECT_EQ(feed->title, "JSON");
  EXPECT_EQ(feed->link, "https://site.example/");
  ASSERT_EQ(feed->items.size(), 3u);
  EXPECT_EQ(feed->items[0].id, "9007199254740993");
  EXPECT_EQ(feed->items[0].text, "b & c");
  EXPECT_EQ(feed->items[0].author, "Ann");
  ASSERT_EQ(feed->items[0].enclosures.size(), 1u);
  EXPECT_EQ(feed->items[0].enclosures[0].second, "https://site.example/blog/a.mp3");
  EXPECT_EQ(feed->items[1].text, "plain <b>");
  EXPECT_EQ(feed->items[1].link, "https://else.example/");
  EXPECT_EQ(feed->items[1].author, "The house");
  EXPECT_EQ(FeedItemId(feed->items[2]).substr(0, 7), "digest:");
}

TEST(FeedDocument, EntitiesNeverBegin) {
  for (const char* file : {"billion_laughs.xml", "external_entity.xml"}) {
    EXPECT_EQ(ReasonOf(Parsed(file).status()), "FEED_DOCTYPE") << file;
  }
  const auto undeclared = Parsed("undeclared_entity.xml");  // read up to there
  ASSERT_TRUE(undeclared.ok());
  EXPECT_EQ(undeclared->items.size(), 1u);
  EXPECT_EQ(undeclared->broken, "not well-formed (undefined entity) in line 1");
}

TEST(FeedDocument, BoundsOfDepthItemsAttributesAndBytes) {
  const std::string start = "<rss version='2.0'><channel><title>t</title>", item = "<item><guid>1</guid></item>";
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<a>";
  auto feed = ParseFeed(start + item + deep, "", "https://site.example/");
  ASSERT_TRUE(feed.ok());
  EXPECT_EQ(feed->items.size(), 1u);
  EXPECT_EQ(feed->broken, "its elements are nested too deeply in line 1");
  EXPECT_EQ(ReasonOfFeed(start + deep), "NOT_A_FEED");
  std::string endless = start;
  for (int i = 0; i < 50000; ++i) endless += "<item><guid>" + std::to_string(i) + "</guid></item>";
  feed = ParseFeed(endless, "", "https://site.example/");  // and never closed
  ASSERT_TRUE(feed.ok());
  EXPECT_EQ(feed->items.size(), kFeedItemsMax);
  EXPECT_EQ(feed->broken, "");
  feed =
      ParseFeed(start + item + "<item a='" + std::string(kFeedAttributesMax, 'x') + "'/>", "", "https://site.example/");
  ASSERT_TRUE(feed.ok());
  EXPECT_EQ(feed->broken, "its attributes are too large in line 1");
  feed = ParseFeed(start + "<item><title>" + std::string(kFeedFieldMax * 2, 'x') + "</title></item></channel></rss>",
                   "", "https://site.example/");
  ASSERT_TRUE(feed.ok());
  EXPECT_EQ(feed->items[0].title.size(), kFeedFieldMax);
  EXPECT_EQ(ReasonOfFeed(start + std::string(kFeedBytesMax, ' ')), "FEED_TOO_LARGE");
  EXPECT_EQ(ReasonOfFeed(std::string(200000, '[')), "NOT_A_FEED");
  EXPECT_EQ(ReasonOfFeed("{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":" + std::string(200000, '[')),
            "NOT_A_FEED");
  std::string breaks = start + "<item><description><![CDATA[";  // line breaks and paragraphs, a million
  for (int i = 0; i < 30000; ++i) breaks += "<br>";
  for (int i = 0; i < 40000; ++i) breaks += "<p>";
  feed = ParseFeed(breaks + "x]]></description></item></channel></rss>", "", "https://site.example/");
  ASSERT_TRUE(feed.ok());
}

TEST(FeedDocument, WhatIsNoFeed) {
  EXPECT_EQ(ReasonOfFeed(""), "TRANSIENT");
  EXPECT_EQ(ReasonOfFeed(" \n"), "TRANSIENT");
  EXPECT_EQ(ReasonOfFeed("hello"), "NOT_A_FEED");
  EXPECT_EQ(ReasonOfFeed("{\"items\":[]}"), "NOT_A_FEED");
  EXPECT_EQ(ReasonOfFeed("<opml/>"), "NOT_A_FEED");
  const auto page = Parsed("page.html");
  EXPECT_EQ(ReasonOf(page.status()), "NOT_A_FEED");
  EXPECT_NE(std::string(page.status().message()).find("HTML page"), std::string::npos);
  const auto truncated = Parsed("truncated.xml");
  ASSERT_TRUE(truncated.ok());
  ASSERT_EQ(truncated->items.size(), 1u);
  EXPECT_EQ(truncated->items[0].title, "Whole");
  EXPECT_NE(truncated->broken, "");
  EXPECT_TRUE(ParseFeed("<rss><channel/></rss>", "", "https://site.example/")->items.empty());
}

TEST(FeedDocument, Charsets) {
  EXPECT_EQ(Parsed("windows_1252.xml")->items[0].title, "€ café");
  EXPECT_EQ(Parsed("utf_16.xml")->items[0].title, "€ café");
  EXPECT_EQ(Parsed("windows_1252.xml", "text/xml; charset=\"ISO-8859-1\"")->items[0].title, "€ café");
  const auto wrong = Parsed("wrong_charset.xml");  // says UTF-8 and is not
  ASSERT_TRUE(wrong.ok()) << wrong.status();
  EXPECT_EQ(wrong->items[0].title, "caf\uFFFD \uFFFD\uFFFD end");
  for (const char* charset :
       {"no-such", "utf-7", "utf-16", "utf-32", "hz-gb-2312", "iso-2022-kr", "scsu", "../../x", "ibm-1388"}) {
    for (const char* file : {"wrong_charset.xml", "atom.xml", "utf_16.xml"}) {  // whatever comes out is UTF-8
      EXPECT_TRUE(text::IsUtf8(FeedToUtf8(File(file), std::string("text/xml; charset=") + charset))) << charset << file;
      (void)Parsed(file, std::string("text/xml; charset=") + charset);
    }
  }
  // The header goes before the declaration, the byte order mark before both.
  EXPECT_EQ(FeedToUtf8("<?xml version='1.0' encoding='utf-8'?>\xA4", "text/xml; charset=iso-8859-15"),
            "<?xml version='1.0' encoding='utf-8'?>€");
  EXPECT_EQ(FeedToUtf8("\xEF\xBB\xBF\xC3\xA9", "text/xml; charset=iso-8859-1"), "é");
}

TEST(FeedDocument, IdentityWithoutGuid) {
  const auto feed = Parsed("no_guid.xml");
  ASSERT_TRUE(feed.ok()) << feed.status();
  EXPECT_EQ(feed->link, "https://site.example/blog/relative");
  ASSERT_EQ(feed->items.size(), 5u);
  EXPECT_EQ(FeedItemId(feed->items[0]), "https://site.example/a?b=1");
  std::set<std::string> ids;
  for (const FeedItem& item : feed->items) ids.insert(FeedItemId(item));
  EXPECT_EQ(ids.size(), 5u);
  EXPECT_EQ(FeedItemId(feed->items[1]).size(), 47u);
  EXPECT_EQ(FeedItemId(feed->items[4]), "https://x.example/ y");
  EXPECT_EQ(feed->items[4].link, "");
  EXPECT_TRUE(feed->items[4].enclosures.empty());
  EXPECT_FALSE(feed->items[4].published);
  FeedItem large;
  large.id = std::string(501, 'x');
  EXPECT_EQ(FeedItemId(large).size(), 47u);
}

TEST(FeedDocument, Times) {
  const struct {
    const char* text;
    int64_t seconds;
  } kTimes[] = {{"Tue, 14 Nov 2023 22:13:20 GMT", 1700000000},
                {"Tue, 14 Nov 2023 22:13:20 +0000", 1700000000},
                {" 14 Nov 23 22:13:20 Z ", 1700000000},
                {"Tue, 14 Nov 2023 14:13:20 PST", 1700000000},
                {"tue, 14 november 2023 23:13:20 +01:00", 1700000000},
                {"Tue,14 Nov 2023 17:43:20 -0430", 1700000000},
                {"Tue, 14 Nov 2023 22:13 UT", 1699999980},
                {"14 Nov 2023", 1699920000},
                {"2023-11-14", 1699920000},
                {"2023-11-14T22:13:20Z", 1700000000},
                {"2023-11-14 22:13:20+00:00", 1700000000},
                {"1 Jan 70 00:00:00 GMT", 0}};
  for (const auto& one : kTimes) {
    ASSERT_TRUE(ParseFeedTime(one.text)) << one.text;
    EXPECT_EQ(absl::ToUnixSeconds(*ParseFeedTime(one.text)), one.seconds) << one.text;
  }
  for (const char* none :
       {"", "yesterday", "31 Feb 2023 00:00:00 GMT", "Tue, 14 Foo 2023 22:13:20 GMT", "14 Nov 2023 25:00 GMT",
        "0000-00-00", "9999-12-31T00:00:00Z", "1 Jan 1960 00:00 GMT", ",", "1 2 3", "14 Nov 2023 22"}) {
    EXPECT_FALSE(ParseFeedTime(none)) << none;
  }
}

// RFC 3986 §5.4.
TEST(FeedDocument, Addresses) {
  const std::string base = "http://a/b/c/d;p?q";
  const struct {
    const char *reference, *result;
  } kVectors[] = {{"g", "http://a/b/c/g"},
                  {"./g", "http://a/b/c/g"},
                  {"g/", "http://a/b/c/g/"},
                  {"/g", "http://a/g"},
                  {"//g", "http://g"},
                  {"?y", "http://a/b/c/d;p?y"},
                  {"g?y", "http://a/b/c/g?y"},
                  {"#s", "http://a/b/c/d;p?q#s"},
                  {"g#s", "http://a/b/c/g#s"},
                  {"g?y#s", "http://a/b/c/g?y#s"},
                  {";x", "http://a/b/c/;x"},
                  {".", "http://a/b/c/"},
                  {"./", "http://a/b/c/"},
                  {"..", "http://a/b/"},
                  {"../", "http://a/b/"},
                  {"../g", "http://a/b/g"},
                  {"../..", "http://a/"},
                  {"../../g", "http://a/g"},
                  {"../../../g", "http://a/g"},
                  {"/./g", "http://a/g"},
                  {"/../g", "http://a/g"},
                  {"g.", "http://a/b/c/g."},
                  {"./g/.", "http://a/b/c/g/"},
                  {"g/../h", "http://a/b/c/h"},
                  {"g?y/../x", "http://a/b/c/g?y/../x"},
                  {"g:h", ""},
                  {"HTTPS://x.example/%41", "https://x.example/%41"},
                  {"mailto:a@b", ""},
                  {"javascript:x", ""},
                  {"data:,x", ""},
                  {"file:///etc/passwd", ""},
                  {"http://", ""},
                  {"a b", ""},
                  {"", ""},
                  {"http:///x", ""}};
  for (const auto& one : kVectors) EXPECT_EQ(ResolveUrl(base, one.reference), one.result) << one.reference;
  EXPECT_EQ(ResolveUrl("http://a", "g"), "http://a/g");
  EXPECT_EQ(ResolveUrl("http://a", std::string(2001, 'x')), "");
}

}  // namespace
}  // namespace parvis::networks
