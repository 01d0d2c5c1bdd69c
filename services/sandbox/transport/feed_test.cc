#include "sandbox/transport/test_sandbox.h"

namespace parvis::sandbox {
namespace {

class FeedTest : public ::testing::Test {
 protected:
  FeedTest() : account(sandbox.Account("feed")), url(account["base_url"]) {}
  std::string Mention(const std::string& text) {
    return sandbox.Control("POST", "/comments",
                           {{"network", "feed"}, {"account", account["remote_id"]}, {"text", text}})["remote_id"];
  }
  TestSandbox sandbox;
  Json account;
  std::string url;
};

TEST_F(FeedTest, ShowsTheSameInThreeFormats) {
  const std::string first = Mention("A <b> & \x01\nline"), second = Mention("Zweitens");
  const Answered rss = sandbox.Send("GET", url);
  EXPECT_EQ(rss.status, 200);
  EXPECT_EQ(rss.headers.at("Content-Type"), "application/rss+xml; charset=UTF-8");
  EXPECT_NE(rss.body.find("<guid isPermaLink=\"false\">" + first + "</guid>"), std::string::npos) << rss.body;
  EXPECT_NE(rss.body.find("&lt;p&gt;A &amp;lt;b&amp;gt; &amp;amp;  &lt;br/&gt;line&lt;/p&gt;"), std::string::npos)
      << rss.body;
  EXPECT_LT(rss.body.find(second), rss.body.find(first));  // the newest first
  const Answered atom = sandbox.Send("GET", url + "/atom");
  EXPECT_EQ(atom.headers.at("Content-Type"), "application/atom+xml; charset=utf-8");
  EXPECT_NE(atom.body.find("<id>" + first + "</id>"), std::string::npos);
  const Answered json = sandbox.Send("GET", url + "/json");
  EXPECT_EQ(json.headers.at("Content-Type"), "application/feed+json");
  EXPECT_EQ(json.json["version"], "https://jsonfeed.org/version/1.1");
  ASSERT_EQ(json.json["items"].size(), 2u);
  EXPECT_EQ(json.json["items"][1]["id"], first);
  EXPECT_EQ(sandbox.Send("GET", "/feed/none").status, 404);
  EXPECT_EQ(sandbox.Send("GET", url + "/opml").status, 404);
  const Answered post = sandbox.Send("POST", url, "{}", sandbox.JsonType());
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.headers.at("Allow"), "GET, HEAD");
}

TEST_F(FeedTest, AnswersConditionally) {
  const std::string first = Mention("one");
  for (const char* format : {"", "/atom", "/json"}) {
    const Answered full = sandbox.Send("GET", url + format);
    const net::Headers etag{{"If-None-Match", "W/" + full.headers.at("ETag")}},
        time{{"If-Modified-Since", full.headers.at("Last-Modified")}};
    const Answered same = sandbox.Send("GET", url + format, "", etag);
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(same.body, "");
    EXPECT_EQ(same.headers.at("ETag"), full.headers.at("ETag"));
    EXPECT_EQ(sandbox.Send("GET", url + format, "", time).status, 304);
    EXPECT_EQ(sandbox
                  .Send("GET", url + format, "",
                        {{"If-None-Match", "\"x\""}, {"If-Modified-Since", full.headers.at("Last-Modified")}})
                  .status,
              200);
    EXPECT_EQ(sandbox.Send("GET", url + format, "", {{"If-Modified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"}}).status,
              200);
    sandbox.Control("POST", "/comments/feed/" + first,
                    {{"text", std::string("edited for") + format}});  // the same id, new content
    const Answered edited = sandbox.Send("GET", url + format, "", etag);
    EXPECT_EQ(edited.status, 200);
    EXPECT_NE(edited.body.find("edited for"), std::string::npos);
    EXPECT_NE(edited.body.find(first), std::string::npos);
  }
  const std::string empty = sandbox.Account("feed")["base_url"];
  EXPECT_EQ(sandbox.Send("GET", empty, "", {{"If-Modified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"}}).status, 200);
}

TEST_F(FeedTest, GoesWrongOnDemand) {
  Mention("one");
  const auto once = [&](const Json& fault) {
    Json rule = {{"network", "feed"}, {"operation", "read"}, {"count", 1}};
    rule.update(fault);
    sandbox.Control("POST", "/faults", rule);
    return sandbox.Send("GET", url);
  };
  const Answered limited = once({{"kind", "limit"}});
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.headers.at("Retry-After"), "2");
  EXPECT_EQ(once({{"kind", "forbid"}}).status, 403);
  EXPECT_EQ(once({{"kind", "reset_before_accept"}}).status, 0);
  EXPECT_EQ(once({{"kind", "server_error"}, {"http_status", 503}}).status, 503);
  const Answered empty = once({{"kind", "empty_page"}});
  EXPECT_EQ(empty.status, 200);
  EXPECT_EQ(empty.body.find("<item>"), std::string::npos);
  EXPECT_NE(sandbox.Send("GET", url).body.find("<item>"), std::string::npos);
}

}  // namespace
}  // namespace parvis::sandbox
