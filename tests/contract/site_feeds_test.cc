// The feeds of real sites: scripts/conformance networks --with ghost,wordpress. The sandbox's sites have none.
#include <gtest/gtest.h>

#include "networks/wire/answer.h"
#include "tests/contract/sandbox_test.h"
#include "tests/contract/site_feed.h"

namespace parvis::networks {
namespace {

class SiteFeedsTest : public SandboxTest {
 protected:
  void SetUp() override {
    if (!sandbox->real) GTEST_SKIP() << "PARVIS_SERVERS names no real servers";
    SandboxTest::SetUp();
  }
  void TearDown() override {
    if (sandbox->real) SandboxTest::TearDown();
  }
  SiteFeed::Written Publish(const std::string& name) {
    Write write;
    write.kind = WriteKind::kPost;
    write.draft.title = "About the " + name + " lamp";
    write.draft.text = "It is the " + name + " lamp of " + std::to_string(absl::ToUnixMicros(clock.WallNow())) + ".";
    write.idempotency_key = name + std::to_string(absl::ToUnixMicros(clock.WallNow()));
    const Outcome out = connector().Execute(call(), account, write);
    EXPECT_EQ(out.kind, OutcomeKind::kAccepted) << out.reason << " " << out.message;
    return {out.remote_id, write.draft.title, write.draft.text, out.permalink};
  }
};

TEST_P(SiteFeedsTest, WhatIsWrittenComesOnce) {
  SiteFeed posts(*http, clock, account.base_url + (GetParam() == "ghost" ? "/rss/" : "/feed/"));
  posts.TellsOfPosts([&](const std::string& name) { return Publish(name); },
                     [&](const SiteFeed::Written& post, const std::string& text) {
                       Control("POST", "comments/" + GetParam() + "/" + post.id, {{"text", text}});
                     });
  if (GetParam() != "wordpress") return;   // Ghost has no feed of comments
  const std::string post = Publish("third").id;
  SiteFeed comments(*http, clock, account.base_url + "/comments/feed/");
  comments.TellsOfComments([&](const std::string& text) {
    const Json made = Control("POST", "comments", {{"network", GetParam()}, {"parent", post}, {"text", text}});
    return "#comment-" + Text(made, "remote_id");
  });
}

INSTANTIATE_TEST_SUITE_P(Networks, SiteFeedsTest, ::testing::Values("ghost", "wordpress"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace parvis::networks
