// A real site's feed as the feed connector reads it: what our other connectors have just written there comes in once, in
// order, as it was written, and so do changes. For the tests of sites.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "networks/connector.h"
#include "platform/testing/wait.h"

namespace parvis::networks {

class SiteFeed {
 public:
  struct Written {
    std::string id, title, text, permalink;
  };
  // `url`: the feed's address. What it has until now is passed over.
  SiteFeed(net::HttpClient& http, const Clock& clock, const std::string& url)
      : http_(http), clock_(clock), connectors_(MakeConnectors(http, clock)) {
    account_.base_url = account_.remote_id = url;
    Told();
  }

  // `publish` makes a post of this name, `change` gives it another text.
  void TellsOfPosts(const std::function<Written(const std::string& name)>& publish,
                    const std::function<void(const Written& post, const std::string& text)>& change) {
    KnowsItsDocumentAgain();
    std::vector<Written> posts;
    for (const char* name : {"first", "second"}) {
      posts.push_back(publish(name));
      NextSecond();
    }
    const std::vector<Happening> told = Told();
    ASSERT_EQ(told.size(), posts.size());
    for (size_t i = 0; i < posts.size(); ++i) {
      EXPECT_EQ(told[i].kind, Happening::Kind::kMention);
      EXPECT_EQ(told[i].text, posts[i].title + "\n\n" + posts[i].text);
      EXPECT_EQ(told[i].permalink, posts[i].permalink);
      EXPECT_LT(absl::AbsDuration(told[i].occurred_at - clock_.WallNow()), absl::Minutes(2));
    }
    EXPECT_NE(told[0].remote_id, told[1].remote_id);
    EXPECT_TRUE(Told().empty()) << "each comes once";
    change(posts[0], "It is another text now.");
    const std::vector<Happening> changed = Told();
    ASSERT_EQ(changed.size(), 1u);
    EXPECT_EQ(changed[0].kind, Happening::Kind::kEdit);
    EXPECT_EQ(changed[0].remote_id, told[0].remote_id);
    EXPECT_EQ(changed[0].text, posts[0].title + "\n\nIt is another text now.");
    EXPECT_GT(changed[0].revision, told[0].revision);
    EXPECT_TRUE(Told().empty());
    EXPECT_EQ(ReasonOf(connector().FindHub(call(), account_).status()), "HUB_NONE") << "so it is polled";
  }

  // `comment` writes as a visitor; what it returns is the end of the comment's address.
  void TellsOfComments(const std::function<std::string(const std::string& text)>& comment) {
    KnowsItsDocumentAgain();
    const std::string first = comment("Is it bright?");
    NextSecond();
    const std::string second = comment("I ask as well.");
    const std::vector<Happening> told = Told();
    ASSERT_EQ(told.size(), 2u);
    EXPECT_TRUE(told[0].text.ends_with("\n\nIs it bright?")) << told[0].text;
    EXPECT_TRUE(told[0].permalink.ends_with(first)) << told[0].permalink;
    EXPECT_TRUE(told[1].text.ends_with("\n\nI ask as well.")) << told[1].text;
    EXPECT_TRUE(told[1].permalink.ends_with(second)) << told[1].permalink;
    EXPECT_TRUE(Told().empty());
  }

 private:
  Connector& connector() { return *connectors_.at("feed"); }
  Call call() const {
    Call out = BackgroundCall("test");
    out.deadline = clock_.Now() + absl::Seconds(30);
    return out;
  }
  // What came since the last time.
  std::vector<Happening> Told() {
    std::vector<Happening> out;
    for (int pages = 0; pages < 50; ++pages) {
      const auto page = connector().Poll(call(), account_, cursor_, absl::UnixEpoch(), 2);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      EXPECT_TRUE(page->unparsed.empty());
      out.insert(out.end(), page->happenings.begin(), page->happenings.end());
      cursor_ = page->cursor;
      if (!page->more) break;
    }
    return out;
  }
  // The server's side of a conditional request: by what it gave, it knows what it has sent.
  void KnowsItsDocumentAgain() {
    net::ClientRequest request;
    request.url = account_.base_url;
    const net::ClientResult whole = http_.Send(call(), request);
    ASSERT_EQ(whole.http_status, 200);
    ASSERT_TRUE(whole.headers.contains("ETag"));
    request.headers["If-None-Match"] = whole.headers.at("ETag");
    const auto modified = whole.headers.find("Last-Modified");
    if (modified != whole.headers.end()) request.headers["If-Modified-Since"] = modified->second;
    EXPECT_EQ(http_.Send(call(), request).http_status, 304);
  }
  // Feeds date to the second: what is to be in order is written in different ones.
  void NextSecond() {
    const int64_t now = absl::ToUnixSeconds(clock_.WallNow());
    EXPECT_TRUE(parvis::testing::WaitFor([&] { return absl::ToUnixSeconds(clock_.WallNow()) > now; }));
  }

  net::HttpClient& http_;
  const Clock& clock_;
  const std::map<std::string, std::unique_ptr<Connector>> connectors_;
  Account account_;
  std::string cursor_;
};

}  // namespace parvis::networks
