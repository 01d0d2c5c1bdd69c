#include <gtest/gtest.h>

#include "networks/mastodon/mastodon.h"
#include "networks/testing/connector_test.h"
#include "networks/wire/wait.h"

namespace parvis::networks {
namespace {

constexpr char kDay[] = "2026-11-20T";

struct Wrote {
  std::string id, author, clock = "10:00:00", parent = "", parent_author = "", visibility = "public", edited = "";
};

Json StatusOf(const Wrote& w) {
  Json out = {
      {"id", w.id},
      {"created_at", kDay + w.clock + ".500Z"},
      {"edited_at", nullptr},
      {"in_reply_to_id", nullptr},
      {"in_reply_to_account_id", nullptr},
      {"visibility", w.visibility},
      {"spoiler_text", ""},
      {"url", "https://m.example/@a/" + w.id},
      {"content", "<p><span class=\"h-card\"><a href=\"https://m.example/@us\">@<span>us</span></a></span> text " +
                      w.id + "</p><p>more &amp; more</p>"},
      {"account", {{"id", w.author}, {"acct", "a" + w.author + "@far.example"}, {"display_name", "A " + w.author}}},
      {"mentions", Json::array({{{"id", "7"}, {"acct", "us"}}})},
      {"reblog", nullptr},
      {"something_new", {{"a", 1}}}};
  if (!w.parent.empty()) out["in_reply_to_id"] = w.parent;
  if (!w.parent_author.empty()) out["in_reply_to_account_id"] = w.parent_author;
  if (!w.edited.empty()) out["edited_at"] = kDay + w.edited + "Z";
  return out;
}

Json Notified(const std::string& id, const Wrote& w, const std::string& type = "mention") {
  return Json{{"id", id}, {"type", type}, {"created_at", kDay + w.clock + ".600Z"}, {"status", StatusOf(w)}};
}

class MastodonPollTest : public ConnectorTest {
 protected:
  MastodonPollTest() : ConnectorTest("mastodon", "7") {}
  void Next(const Json& json, net::Headers headers = {}) { network.Next(200, json.dump(), std::move(headers)); }
  PollPage Poll(const std::string& cursor, int limit = 100) {
    auto page = connector.Poll(network.call(), account, cursor, since, limit);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? *page : PollPage();
  }
  // A cursor that stands behind notification 100 and status 500.
  std::string Begun() const { return R"({"m":{"f":"100"},"o":{"f":"500"}})"; }
  std::vector<std::string> Asked() {
    std::vector<std::string> out;
    for (const auto& request : network.Taken()) out.push_back(request.target);
    return out;
  }
  static std::string Ids(const PollPage& page) {
    std::string out;
    for (const Happening& h : page.happenings) out += (out.empty() ? "" : " ") + h.remote_id;
    return out;
  }
  absl::Time since = *ParseIsoTime("2026-11-20T09:00:00Z");
};

TEST_F(MastodonPollTest, TheFirstRoundLooksForItsStart) {
  Next(Json::array({Notified("102", {"601", "8"}), Notified("101", {"600", "8", "09:30:00"})}));
  Next(Json::array({Notified("99", {"400", "8", "08:00:00"}), Notified("98", {"399", "8", "07:00:00"})}));
  Next(Json::array(
      {Notified("102", {"601", "8"}), Notified("101", {"600", "8", "09:30:00"})}));  // newest first, as ever
  Next(Json::array());                                                               // we never wrote
  Next(Json::array());
  const PollPage page = Poll("");
  EXPECT_EQ(Ids(page), "600 601");
  EXPECT_FALSE(page.more);
  const auto asked = Asked();
  ASSERT_EQ(asked.size(), 5u);
  const std::string list = "/api/v1/notifications?types[]=mention&types[]=quote&types[]=update&limit=";
  EXPECT_EQ(asked[0], list + "80");
  EXPECT_EQ(asked[1], list + "80&max_id=101");
  EXPECT_EQ(asked[2], list + "50&min_id=99");
  EXPECT_EQ(asked[3], "/api/v1/accounts/7/statuses?exclude_reblogs=true&limit=40");
  EXPECT_EQ(asked[4], "/api/v1/accounts/7/statuses?exclude_reblogs=true&limit=40&min_id=0");
}

TEST_F(MastodonPollTest, KindsThreadsAndOurOwn) {
  Next(Json::array({Notified("106", {"606", "8", "10:00:06", "", "", "direct"}),
                    Notified("105", {"605", "9", "10:00:05", "405", "6", "public", "11:00:00"}, "update"),
                    Notified("104", {"604", "9", "10:00:04"}, "quote"),
                    Notified("103", {"603", "9", "10:00:03", "403", "9"}),
                    Notified("102", {"602", "8", "10:00:02", "402", "7"}),
                    Notified("101", {"601", "8", "10:00:01"}),
                    {{"id", "107"}, {"type", "favourite"}},
                    {{"id", "108"}, {"type", "mention"}, {"status", nullptr}}}));
  Next(Json::array({StatusOf({"611", "7", "10:00:12", "602", "8"}), StatusOf({"610", "7", "10:00:10"})}));
  // The parents of 602, 603 and 605; 405 is gone. What is above 402 and 403 is asked for next.
  Next(Json::array({StatusOf({"402", "7", "08:00:00", "300", "7"}), StatusOf({"403", "9", "08:00:00", "302", "9"})}));
  Next(Json::array({StatusOf({"300", "7", "07:00:00"}), StatusOf({"302", "6", "07:00:00"})}));
  const PollPage page = Poll(Begun());
  ASSERT_EQ(Ids(page), "601 602 603 604 606 611 605");
  using K = Happening::Kind;
  const K kinds[] = {K::kMention, K::kComment, K::kComment, K::kMention, K::kMessage, K::kComment, K::kEdit};
  const char* roots[] = {"601", "300", "302", "604", "606", "300", "405"};
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(page.happenings[i].kind, kinds[i]) << i;
    EXPECT_EQ(page.happenings[i].thread, roots[i]) << i;
    EXPECT_EQ(page.happenings[i].by_us, i == 5) << i;
  }
  const Happening& comment = page.happenings[1];
  EXPECT_EQ(comment.parent_remote_id, "402");
  EXPECT_EQ(comment.post_remote_id, "300");
  EXPECT_EQ(comment.text, "@us text 602\n\nmore & more");
  EXPECT_EQ(comment.author_name + " " + comment.author_handle, "A 8 a8@far.example");
  EXPECT_EQ(comment.revision, absl::ToUnixMicros(*ParseIsoTime("2026-11-20T10:00:02.500Z")));
  EXPECT_EQ(page.happenings[6].revision, absl::ToUnixMicros(*ParseIsoTime("2026-11-20T11:00:00Z")));
  ASSERT_EQ(page.unparsed.size(), 1u);
  const auto asked = Asked();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[2], "/api/v1/statuses?id[]=402&id[]=403&id[]=405");
  EXPECT_EQ(asked[3], "/api/v1/statuses?id[]=300&id[]=302");
}

TEST_F(MastodonPollTest, ALateRowIsNotLostAndNothingComesTwice) {
  Next(Json::array({Notified("103", {"603", "8", "10:00:40"}), Notified("101", {"601", "8", "10:00:00"})}));
  Next(Json::array());
  PollPage page = Poll(Begun());
  EXPECT_EQ(Ids(page), "601 603");
  network.Taken();
  // 102 was numbered before 103 and stored after it.
  Next(Json::array({Notified("103", {"603", "8", "10:00:40"}), Notified("102", {"602", "8", "10:00:39"})}));
  Next(Json::array());
  const std::string again = page.cursor;
  page = Poll(again);
  EXPECT_EQ(Ids(page), "602");
  EXPECT_NE(Asked()[0].find("min_id=101"), std::string::npos);
  // The same cursor once more.
  Next(Json::array({Notified("103", {"603", "8", "10:00:40"}), Notified("102", {"602", "8", "10:00:39"})}));
  Next(Json::array());
  EXPECT_EQ(Ids(Poll(again)), "602");
}

TEST_F(MastodonPollTest, FullPagesAndEmptyOnesGoOn) {
  Next(Json::array({Notified("102", {"602", "8"}), Notified("101", {"601", "8"})}));
  Next(Json::array(), {{"Link", "<https://elsewhere.example/x?min_id=555>; rel=\"prev\""}});
  PollPage page = Poll(Begun(), 4);
  EXPECT_TRUE(page.more);
  network.Taken();
  Next(Json::array());
  Next(Json::array({StatusOf({"610", "7", "10:00:00", "602", "8"})}));
  Next(Json::array({StatusOf({"602", "8"})}));
  page = Poll(page.cursor, 4);
  EXPECT_EQ(Ids(page), "610");
  EXPECT_FALSE(page.more);
  const auto asked = Asked();
  EXPECT_NE(asked[0].find("&limit=2&min_id=102"), std::string::npos) << asked[0];
  EXPECT_EQ(asked[1], "/api/v1/accounts/7/statuses?exclude_reblogs=true&limit=2&min_id=555");  // never its host
}

TEST_F(MastodonPollTest, NoMoreThanAskedFor) {
  Next(Json::array({Notified("101", {"601", "8"})}));
  const PollPage page = Poll(Begun(), 1);
  EXPECT_EQ(Ids(page), "601");
  EXPECT_TRUE(page.more);
  EXPECT_EQ(Asked().size(), 1u);
  Next(Json::array());
  Next(Json::array({StatusOf({"610", "7", "10:00:00", "601", "8"})}));
  Next(Json::array({StatusOf({"601", "8"})}));
  EXPECT_EQ(Ids(Poll(page.cursor, 1)), "610");
}

TEST_F(MastodonPollTest, APageThatLeadsToItselfIsNoEnd) {
  Next(Json::array({Notified("100", {"600", "8"})}));
  const auto page = connector.Poll(network.call(), account, Begun(), since, 10);
  EXPECT_EQ(page.status().code(), Code::kUnavailable);
  network.Next(200, R"({"error":"no list"})");
  EXPECT_EQ(connector.Poll(network.call(), account, Begun(), since, 10).status().code(), Code::kUnavailable);
  network.Next(401, R"({"error":"x"})");
  EXPECT_EQ(connector.Poll(network.call(), account, Begun(), since, 10).status().code(), Code::kUnauthenticated);
}

TEST_F(MastodonPollTest, ADeepConversationIsAskedForAsAWhole) {
  Next(Json::array({Notified("101", {"601", "8", "10:00:00", "500", "9"})}));
  Next(Json::array());
  for (int id = 500; id > 494; --id) {
    network.Next(404, R"({"error":"Not Found"})");  // a server before 4.3
    Next(StatusOf({std::to_string(id), "9", "08:00:00", std::to_string(id - 1), "9"}));
  }
  Next(StatusOf({"494", "9", "08:00:00", "493", "9"}));
  Next({{"ancestors", {StatusOf({"400", "7", "07:00:00"}), StatusOf({"493", "9", "07:00:00", "400", "7"})}},
        {"descendants", Json::array()}});
  const PollPage page = Poll(Begun());
  ASSERT_EQ(Ids(page), "601");
  EXPECT_EQ(page.happenings[0].thread, "400");
  EXPECT_EQ(page.happenings[0].post_remote_id, "400");
  EXPECT_EQ(Asked().back(), "/api/v1/statuses/494/context");
}

TEST_F(MastodonPollTest, ReadsBackOurOwn) {
  Write write;
  write.kind = WriteKind::kReply;
  write.draft.text = "Thanks @Bob@far.example\nand see https://brand.example/a";
  write.target_remote_id = "50";
  Json mine = StatusOf({"700", "7", "10:00:00", "50", "8"});
  mine["content"] =
      "<p><span class=\"h-card\"><a href=\"https://far.example/@al\">@<span>al</span></a></span> Thanks "
      "<span>@<span>bob</span></span><br />and see "
      "<a href=\"https://brand.example/a\"><span "
      "class=\"invisible\">https://</span><span>brand.example/a</span></a></p>";
  Next(Json::array({mine, StatusOf({"699", "7", "09:30:00"})}));
  Next(Json::array({StatusOf({"600", "7", "08:00:00"})}));
  const auto back = connector.ReadBack(network.call(), account, write, since, 2);
  ASSERT_TRUE(back.ok()) << back.status();
  ASSERT_EQ(back->size(), 2u);
  EXPECT_TRUE(connector.Matches(write, back->at(0))) << back->at(0).text;
  EXPECT_FALSE(connector.Matches(write, back->at(1)));
  write.kind = WriteKind::kPost;
  write.target_remote_id = "";
  EXPECT_FALSE(connector.Matches(write, back->at(0)));
  const auto asked = Asked();
  EXPECT_EQ(asked.at(0), "/api/v1/accounts/7/statuses?exclude_reblogs=true&limit=2");
  EXPECT_EQ(asked.at(1), "/api/v1/accounts/7/statuses?exclude_reblogs=true&limit=2&max_id=699");
}

TEST_F(MastodonPollTest, ReadsTargetsBack) {
  Write write;
  write.kind = WriteKind::kMute;
  write.target_author_id = "8";
  Next(Json::array({{{"id", "8"}, {"muting", true}, {"blocking", false}}}));
  auto back = connector.ReadBack(network.call(), account, write, since, 10);
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(connector.Matches(write, back->at(0)));
  write.kind = WriteKind::kBan;
  Next(Json::array({{{"id", "8"}, {"muting", true}, {"blocking", false}}}));
  back = connector.ReadBack(network.call(), account, write, since, 10);
  EXPECT_FALSE(connector.Matches(write, back->at(0)));
  write.kind = WriteKind::kDelete;
  write.target_remote_id = "50";
  network.Next(404, "{}");
  back = connector.ReadBack(network.call(), account, write, since, 10);
  EXPECT_TRUE(back.ok() && back->empty());
  write.kind = WriteKind::kReport;
  EXPECT_EQ(connector.ReadBack(network.call(), account, write, since, 10).status().code(), Code::kFailedPrecondition);
}

TEST_F(MastodonPollTest, Measures) {
  Next(Json::array(
      {{{"id", "1"}, {"replies_count", 2}, {"reblogs_count", 3}, {"favourites_count", 4}, {"quotes_count", 5}}}));
  auto counts = connector.Measure(network.call(), account, {"1", "2"});
  ASSERT_TRUE(counts.ok());
  ASSERT_EQ(counts->counts.size(), 1u);
  EXPECT_EQ(counts->counts.at(0).values,
            (std::map<std::string, int64_t>{{"comments", 2}, {"shares", 3}, {"likes", 4}, {"quotes", 5}}));
  EXPECT_EQ(Asked(), std::vector<std::string>{"/api/v1/statuses?id[]=1&id[]=2"});
  network.Next(404, "<html>");  // before 4.3
  Next({{"id", "1"}, {"replies_count", 2}});
  network.Next(404, R"({"error":"Record not found"})");
  counts = connector.Measure(network.call(), account, {"1", "2"});
  ASSERT_EQ(counts->counts.size(), 1u);
  EXPECT_EQ(counts->counts.at(0).values, (std::map<std::string, int64_t>{{"comments", 2}}));
  Next({{"id", "7"}, {"followers_count", 10}, {"following_count", 11}, {"statuses_count", 12}});
  counts = connector.Measure(network.call(), account, {});
  EXPECT_EQ(counts->counts.at(0).values,
            (std::map<std::string, int64_t>{{"followers", 10}, {"following", 11}, {"posts", 12}}));
}

TEST_F(MastodonPollTest, WhoWeAre) {
  Next({{"id", "7"}, {"acct", "us"}, {"display_name", ""}, {"url", "https://m.example/@us"}});
  const auto me = connector.WhoAmI(network.call(), account);
  ASSERT_TRUE(me.ok());
  EXPECT_EQ(me->remote_id + me->name + me->handle + me->url, "7usushttps://m.example/@us");
}

TEST(Wait, EndsBeforeTheDeadline) {
  const RealClock clock;
  Call call = BackgroundCall("test");
  EXPECT_TRUE(WaitWithin(call, clock, absl::Milliseconds(5), absl::Hours(1)));
  call.deadline = clock.Now() + absl::Seconds(10);
  const Instant before = clock.Now();
  EXPECT_FALSE(WaitWithin(call, clock, absl::Seconds(5), absl::Seconds(6)));
  EXPECT_LT(clock.Now() - before, absl::Seconds(4));
  EXPECT_TRUE(WaitWithin(call, clock, absl::Milliseconds(20), absl::Seconds(1)));
  EXPECT_GE(clock.Now() - before, absl::Milliseconds(20));
  const auto cancellation = std::make_shared<Cancellation>();
  call.deadline = Instant::Max();
  call.cancellation = cancellation;
  EXPECT_TRUE(WaitWithin(call, clock, absl::Milliseconds(5), absl::Seconds(1)));
  cancellation->Cancel();
  EXPECT_FALSE(WaitWithin(call, clock, absl::Hours(1), absl::Seconds(1)));
}

}  // namespace
}  // namespace parvis::networks
