#include <gtest/gtest.h>

#include "networks/testing/connector_test.h"
#include "networks/wire/answer.h"

namespace parvis::networks {
namespace {

using Kind = Happening::Kind;
const char kUrl[] = "https://blog.example/t/";

std::string IdOf(int number) {
  char id[25];
  std::snprintf(id, sizeof id, "6745f0a1c2d3e4f5a6b7%04d", number);
  return id;
}

class GhostPollTest : public ConnectorTest {
 protected:
  GhostPollTest() : ConnectorTest("ghost", "https://blog.example") {
    account.credentials.fields["admin_key"] = Secret("6745f0a1c2d3e4f5a6b7c8d9:00ff");
    account.credentials.fields["member_id"] = Secret(IdOf(901));
  }
  Json Comment(int id, const std::string& text = "Hello", const Json& more = Json::object()) {
    Json comment = {{"id", IdOf(id)},
                    {"parent_id", nullptr},
                    {"in_reply_to_id", nullptr},
                    {"status", "published"},
                    {"html", "<p>" + text + "</p>"},
                    {"created_at", "2026-11-20T10:00:00.000Z"},
                    {"edited_at", nullptr},
                    {"member", {{"id", IdOf(900)}, {"name", "Ann"}, {"email", "ann@mail.example"}}},
                    {"post", {{"id", IdOf(1)}, {"url", kUrl}}},
                    {"odd", {1}}};
    comment.update(more);
    return comment;
  }
  void Page(const std::vector<Json>& comments, const Json& next = nullptr, int total = -1) {
    network.Next(
        200,
        Json{{"comments", comments},
             {"meta",
              {{"pagination", {{"next", next}, {"total", total < 0 ? static_cast<int>(comments.size()) : total}}}}}}
            .dump());
  }
  PollPage Poll(const std::string& cursor = "") {
    const auto page = connector.Poll(network.call(), account, cursor, absl::FromUnixSeconds(1795168000), 10);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? *page : PollPage();
  }
};

TEST_F(GhostPollTest, NewCommentsOnce) {
  const std::vector<Json> both = {
      Comment(2), Comment(3, "a &lt; b<br>c",
                          {{"parent_id", IdOf(2)}, {"in_reply_to_id", IdOf(7)}, {"member", {{"id", IdOf(901)}}}})};
  Page(both);
  Page(both);
  const PollPage page = Poll();
  ASSERT_EQ(page.happenings.size(), 2u);
  EXPECT_FALSE(page.more);
  const Happening& first = page.happenings[0];
  EXPECT_EQ(first.kind, Kind::kComment);
  EXPECT_EQ(first.remote_id, IdOf(2));
  EXPECT_EQ(first.thread, IdOf(2));
  EXPECT_EQ(first.parent_remote_id, IdOf(1));
  EXPECT_EQ(first.post_remote_id, IdOf(1));
  EXPECT_EQ(first.author_remote_id, IdOf(900));
  EXPECT_EQ(first.author_name, "Ann");
  EXPECT_EQ(first.text, "Hello");
  EXPECT_EQ(first.revision, 1795168800000000);
  EXPECT_EQ(first.permalink, "https://blog.example/t/#ghost-comments-" + IdOf(2));
  EXPECT_FALSE(first.by_us);
  const Happening& second = page.happenings[1];
  EXPECT_EQ(second.thread, IdOf(2));
  EXPECT_EQ(second.parent_remote_id, IdOf(7));
  EXPECT_EQ(second.text, "a < b\nc");
  EXPECT_TRUE(second.by_us);
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].path, "/ghost/api/admin/comments/");
  auto query = net::ParseQuery(asked[0].query);
  EXPECT_EQ(query["filter"], "created_at:>'2026-11-20 09:46:39'");
  EXPECT_EQ(query["order"], "created_at asc, id asc");
  EXPECT_EQ(query["limit"], "10");
  EXPECT_EQ(net::ParseQuery(asked[1].query)["filter"], "id:['" + IdOf(2) + "','" + IdOf(3) + "']");

  Page(both);
  Page(both);
  EXPECT_TRUE(Poll(page.cursor).happenings.empty());
}

TEST_F(GhostPollTest, WhatBecomesOfThem) {
  const std::vector<Json> all = {Comment(2), Comment(3), Comment(4), Comment(5, "x", {{"status", "hidden"}})};
  Page(all);
  Page(all);
  const PollPage before = Poll();
  ASSERT_EQ(before.happenings.size(), 5u);
  EXPECT_EQ(before.happenings[4].kind, Kind::kHide);
  Page({});
  Page({Comment(2, "Changed", {{"edited_at", "2026-11-20T11:00:00.000Z"}}), Comment(3, "Hello", {{"status", "hidden"}}),
        Comment(5, "x")});
  const PollPage after = Poll(before.cursor);
  ASSERT_EQ(after.happenings.size(), 4u);
  EXPECT_EQ(after.happenings[0].kind, Kind::kEdit);
  EXPECT_EQ(after.happenings[0].text, "Changed");
  EXPECT_EQ(after.happenings[0].revision, 1795172400000000);
  EXPECT_EQ(after.happenings[1].kind, Kind::kHide);
  EXPECT_EQ(after.happenings[2].kind, Kind::kRemoval);
  EXPECT_EQ(after.happenings[2].remote_id, IdOf(4));
  EXPECT_EQ(after.happenings[2].post_remote_id, IdOf(1));
  EXPECT_EQ(after.happenings[3].kind, Kind::kUnhide);
  Page({});
  Page({Comment(2, "Changed"), Comment(3, "Hello", {{"status", "hidden"}}), Comment(5, "x")});
  EXPECT_TRUE(Poll(after.cursor).happenings.empty());
}

TEST_F(GhostPollTest, AListThatIsNotWholeRemovesNothing) {
  Page({Comment(2), Comment(3)});
  Page({Comment(2)}, nullptr, 2);
  const PollPage page = Poll();
  EXPECT_EQ(page.happenings.size(), 2u);
  Page({});
  Page({Comment(2), Comment(3)});
  EXPECT_TRUE(Poll(page.cursor).happenings.empty());
}

TEST_F(GhostPollTest, PagesGoOnAndNeverLeadToThemselves) {
  const Json late = {{"created_at", "2026-11-20T09:46:42.000Z"}};  // within the overlap: the place does not move
  Page({Comment(2, "x", late)}, 2);
  const PollPage first = Poll();
  EXPECT_TRUE(first.more);
  Page({Comment(3, "x", late)}, 3);
  const PollPage second = Poll(first.cursor);
  EXPECT_TRUE(second.more);
  auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(net::ParseQuery(asked[1].query)["page"], "2");
  Page({Comment(4, "x", late)}, 3);
  const auto stuck = connector.Poll(network.call(), account, second.cursor, absl::UnixEpoch(), 10);
  EXPECT_EQ(stuck.status().code(), Code::kUnavailable);
}

TEST_F(GhostPollTest, AnEmptyPageThatIsNotTheLastIsAskedForAgain) {
  Page({}, 2);
  Page({Comment(2)}, 2);
  const PollPage page = Poll();
  EXPECT_EQ(page.happenings.size(), 1u);
  EXPECT_TRUE(page.more);
  const auto asked = network.Taken();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].query, asked[1].query);
  Page({}, 2);
  Page({}, 2);
  EXPECT_EQ(connector.Poll(network.call(), account, "", absl::UnixEpoch(), 10).status().code(), Code::kUnavailable);
}

TEST_F(GhostPollTest, WhatLacksAnIdOrATimeIsSetAside) {
  Page({Json{{"html", "x"}}, Comment(2)});
  Page({Comment(2)});
  const PollPage page = Poll();
  EXPECT_EQ(page.happenings.size(), 1u);
  ASSERT_EQ(page.unparsed.size(), 1u);
  EXPECT_EQ(page.unparsed[0].reason, "MISSING_FIELD");
  network.Next(200, "{}");
  EXPECT_FALSE(connector.Poll(network.call(), account, "", absl::UnixEpoch(), 10).ok());
  network.Next(
      401, R"({"errors":[{"type":"UnauthorizedError","code":"INVALID_JWT","message":"Invalid token: jwt expired"}]})");
  EXPECT_EQ(ReasonOf(connector.Poll(network.call(), account, "", absl::UnixEpoch(), 10).status()), "TOKEN_EXPIRED");
}

}  // namespace
}  // namespace parvis::networks
