// The contract and what is PostgreSQL's own, on a real server.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "metrics/domain/fakes.h"
#include "metrics/domain/store_contract.h"
#include "metrics/storage/pg_fact_store.h"
#include "metrics/storage/pg_query_store.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/postgres.h"

namespace parvis::metrics {
namespace {

testing::ServiceDatabase& Database() {
  static testing::ServiceDatabase database("metrics");
  return database;
}

std::function<StreamPosition()> Positions(const std::string& topic = "t") {
  db::OffsetTable offsets(Database().stream(), "metrics");
  return [position = *offsets.Claim("g", topic, 0)]() mutable {
    ++position.next;
    return position;
  };
}

Stores PgStores() {
  Database().Clear();
  return {std::make_shared<PgFactStore>(Database().stream()), std::make_shared<PgQueryStore>(Database().api()), Positions()};
}
INSTANTIATE_TEST_SUITE_P(Postgres, StoreContract, ::testing::Values(&PgStores));

class PgMetrics : public ::testing::Test {
 protected:
  void SetUp() override {
    Database().Clear();
    next_ = Positions();
  }
  CampaignReport Report() {
    auto report = GetCampaignReport(call_, kCampaign, Database().clock(), queries_);
    EXPECT_TRUE(report.ok()) << report.status();
    return *std::move(report);
  }
  const Call call_ = BackgroundCall("test", kWorkspace);
  PgFactStore facts_{Database().stream()};
  PgQueryStore queries_{Database().api()};
  std::function<StreamPosition()> next_;
};

TEST_F(PgMetrics, ReportOfACampaignWithoutFactsIsZero) {
  const CampaignReport report = Report();
  EXPECT_EQ(report.total.posts.planned, 0);
  EXPECT_EQ(report.total.comments.comments, 0);
  EXPECT_FALSE(report.total.posts.lateness_p50.has_value());
  EXPECT_TRUE(report.networks.empty());
}

TEST_F(PgMetrics, ReportCountsPostsByTheirLatestState) {
  DeliveryFact on_x = Post("x", 1, "failed");
  on_x.network = "x";
  ASSERT_TRUE(facts_.FoldDeliveries(next_(), {
      Post("a", 3, "delivered", "post-1", absl::Seconds(2)), Post("a", 1, "scheduled"), Post("a", 2, "unknown"),
      Post("b", 1, "scheduled"), Post("c", 1, "unknown"), Post("d", 1, "cancelled"), Post("e", 1, "expired"), on_x,
      Post("f", 1, "delivered", "post-2", -absl::Seconds(1))}).ok());
  const CampaignReport report = Report();
  EXPECT_EQ(report.total.posts.planned, 6);
  EXPECT_EQ(report.total.posts.delivered, 2);
  EXPECT_EQ(report.total.posts.failed, 2);
  EXPECT_EQ(report.total.posts.unknown, 1);
  EXPECT_EQ(report.total.posts.waiting, 1);
  EXPECT_EQ(report.total.posts.cancelled, 1);
  EXPECT_EQ(report.total.posts.lateness_p50, absl::ZeroDuration());
  EXPECT_EQ(report.total.posts.lateness_p99, absl::Seconds(2));
  ASSERT_EQ(report.networks.size(), 2u);
  EXPECT_EQ(report.networks[1].posts.failed, 1);
}

TEST_F(PgMetrics, ReportCountsEachCommentOnceWithWhatModerationDid) {
  ActivityFact held = Comment("2"), hidden = Comment("3"), ours = Comment("5"), edit = Comment("1"), lone_edit = Comment("9");
  held.action = "hold";
  held.rules = {"price", "caps"};
  hidden.action = "hide";
  hidden.rules = {"insult"};
  ours.by_us = true;
  edit.kind = lone_edit.kind = "edit";
  edit.action = "hide";
  edit.rules = {"insult"};
  edit.fact_id = UuidOfName("edit");
  lone_edit.fact_id = UuidOfName("lone edit");   // of a comment that has not come (yet)
  ASSERT_TRUE(facts_.FoldActivities(next_(), {Comment("1"), held, hidden, Comment("4"), ours, edit, lone_edit,
                                              Comment("6", kNoon, "elsewhere")}).ok());
  DeliveryFact reply{.workspace_id = kWorkspace, .delivery_id = "r", .sequence = 1, .channel_id = kChannel, .network = "facebook",
                     .kind = "reply", .state = "delivered", .target_remote_id = "4", .event_time = kNoon};
  DeliveryFact failed = reply;
  failed.delivery_id = "s";
  failed.state = "failed";
  failed.target_remote_id = "1";
  ASSERT_TRUE(facts_.FoldDeliveries(next_(), {Post("a", 1, "delivered", "post-1"), reply, failed}).ok());
  const CampaignReport report = Report();
  EXPECT_EQ(report.total.comments.comments, 4);
  EXPECT_EQ(report.total.comments.held, 1);
  EXPECT_EQ(report.total.comments.hidden, 2);
  EXPECT_EQ(report.total.comments.answered, 1);
  ASSERT_EQ(report.total.reasons.size(), 2u);
  EXPECT_EQ(report.total.reasons[0].rule, "insult");
  EXPECT_EQ(report.total.reasons[0].action, "hidden");
  EXPECT_EQ(report.total.reasons[0].count, 2);
  EXPECT_EQ(report.total.reasons[1].rule, "price");
  ASSERT_EQ(report.networks.size(), 1u);
  EXPECT_EQ(report.networks[0].comments.comments, 4);
}

TEST_F(PgMetrics, ReportTakesTheLatestOfEachConversation) {
  std::vector<ConversationFact> facts;
  for (int i = 0; i < 10; ++i) {
    const std::string id = "c" + std::to_string(i);
    facts.push_back(Conversation("a" + id, 2 * i + 1, "created", id));
    facts.push_back(Conversation("b" + id, 2 * i + 2, "reply_updated", id));
    if (i < 8) facts.back().first_response_time = kNoon + absl::Minutes(i + 1);
  }
  std::reverse(facts.begin(), facts.end());
  facts.push_back(Conversation("ours", 50, "created", "only ours"));
  facts.back().first_message_time.reset();
  ASSERT_TRUE(facts_.FoldConversations(next_(), facts).ok());
  ASSERT_TRUE(facts_.FoldDeliveries(next_(), {Post("a", 1, "delivered", "post-1")}).ok());
  const ReportPart total = Report().total;
  EXPECT_EQ(total.conversations.conversations, 10);
  EXPECT_EQ(total.conversations.answered, 8);
  EXPECT_EQ(total.answer_rate, 0.8);
  EXPECT_EQ(total.conversations.first_response_p50, absl::Minutes(4));
  EXPECT_EQ(total.conversations.first_response_p90, absl::Minutes(8));
}

// A report takes several queries, of one moment: its parts agree while facts keep coming.
TEST_F(PgMetrics, AReportIsOfOneMoment) {
  ASSERT_TRUE(facts_.FoldDeliveries(next_(), {Post("a", 1, "delivered", "post-1")}).ok());
  std::atomic<bool> enough = false;
  std::thread folder([&] {
    for (int n = 0; !enough; ++n) {
      ActivityFact hidden = Comment("hidden " + std::to_string(n));
      hidden.action = "hide";
      hidden.rules = {"insult"};
      EXPECT_TRUE(facts_.FoldActivities(next_(), {hidden}).ok());
    }
  });
  int64_t last = 0;
  for (int reports = 0; reports < 100 || last < 20; ++reports) {
    const ReportPart total = Report().total;
    const int64_t because = total.reasons.empty() ? 0 : total.reasons[0].count;
    EXPECT_EQ(total.comments.hidden, because) << "after " << reports << " reports";
    if (HasFailure()) break;
    last = because;
  }
  enough = true;
  folder.join();
}

TEST_F(PgMetrics, AnotherWorkspaceGetsNothingOfAReport) {
  ASSERT_TRUE(facts_.FoldDeliveries(next_(), {Post("a", 1, "delivered", "post-1")}).ok());
  const auto report = GetCampaignReport(BackgroundCall("test", kOtherWorkspace), kCampaign, Database().clock(), queries_);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->total.posts.planned, 0);
  // Even a call that claims no workspace sees nothing.
  EXPECT_EQ(GetCampaignReport(BackgroundCall("test", ""), kCampaign, Database().clock(), queries_).ok(), false);
}

// Random facts in random batches, many of them twice: the folded sums, the recount and the independent fake agree.
TEST_F(PgMetrics, RecountAndTheFakeGiveTheSameNumbers) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto pick = [&](std::initializer_list<const char*> of) { return std::string(*(of.begin() + random() % of.size())); };
  FakeStore fake;
  int64_t fake_next = 0;
  for (int batch = 0; batch < 30; ++batch) {
    std::vector<ActivityFact> activities;
    std::vector<DeliveryFact> deliveries;
    std::vector<ConversationFact> conversations;
    for (int i = 0; i < 40; ++i) {
      ActivityFact a = Comment(std::to_string(random() % 400), kNoon + absl::Minutes(random() % 600), pick({"post-1", "post-2", ""}));
      a.kind = pick({"comment", "comment", "edit", "removal", "reaction", "mention", "message", "hide"});
      a.action = pick({"allow", "hold", "hide", "delete", "escalate", ""});
      a.intent = pick({"question", "complaint", "thanks", "other", ""});
      a.by_us = random() % 8 == 0;
      a.fact_id = ActivityFactId(a.kind, a.channel_id, a.remote_id, a.remote_id);
      activities.push_back(a);
      DeliveryFact d = Post(std::to_string(random() % 100), random() % 5, pick({"scheduled", "delivered", "failed", "unknown", "expired"}),
                            pick({"post-1", "post-2"}), absl::Seconds(random() % 10000));
      d.kind = pick({"post", "reply", "hide", "unhide"});
      deliveries.push_back(d);
      ConversationFact c = Conversation(std::to_string(random() % 500), random() % 500, pick({"created", "resolved", "reopened", "replied",
                                        "case_opened", "case_escalated", "case_resolved", "claimed"}), std::to_string(random() % 50));
      conversations.push_back(c);
    }
    ASSERT_TRUE(facts_.FoldActivities(next_(), activities).ok());
    ASSERT_TRUE(facts_.FoldDeliveries(next_(), deliveries).ok());
    ASSERT_TRUE(facts_.FoldConversations(next_(), conversations).ok());
    ASSERT_TRUE(fake.FoldActivities(StreamPosition{.next = ++fake_next}, activities).ok());
    ASSERT_TRUE(fake.FoldDeliveries(StreamPosition{.next = ++fake_next}, deliveries).ok());
    ASSERT_TRUE(fake.FoldConversations(StreamPosition{.next = ++fake_next}, conversations).ok());
  }
  for (const std::string& metric : MetricNames()) {
    for (const std::string& campaign : {std::string(), kCampaign}) {
      const TimeseriesQuery query{.metric = metric, .campaign_id = campaign, .start = kNoon - absl::Hours(12),
                                  .end = kNoon + absl::Hours(36), .step = Step::kMinute};
      EXPECT_EQ(*queries_.Sum(call_, query), *fake.Sum(call_, query)) << metric << " " << campaign;
    }
  }
  const auto recount = queries_.RecountRollups(call_);
  ASSERT_TRUE(recount.ok()) << recount.status();
  EXPECT_EQ(recount->changed, 0);
  EXPECT_GT(recount->rollups, 100);
  EXPECT_EQ(recount->facts, Database().Number("SELECT (SELECT count(*) FROM activity_facts) + (SELECT count(*) FROM delivery_facts) + "
                                              "(SELECT count(*) FROM conversation_facts)"));
}

TEST_F(PgMetrics, RecountPutsRightWhatIsWrong) {
  ASSERT_TRUE(facts_.FoldActivities(next_(), {Comment("1"), Comment("2", kNoon + absl::Hours(1))}).ok());
  Database().Script("UPDATE minute_rollups SET value = 7 WHERE minute = '" + absl::FormatTime(kNoon) + "'");
  Database().Script("INSERT INTO minute_rollups VALUES ('" + kWorkspace + "', 'edits', now(), '" + kChannel + "', '', '', 1)");
  Database().Script("INSERT INTO minute_rollups VALUES ('" + kOtherWorkspace + "', 'edits', now(), '" + kChannel + "', '', '', 1)");
  auto recount = queries_.RecountRollups(call_);
  ASSERT_TRUE(recount.ok()) << recount.status();
  EXPECT_EQ(*recount, (Recount{.facts = 2, .rollups = 2, .changed = 2}));
  recount = queries_.RecountRollups(call_);
  EXPECT_EQ(recount->changed, 0);
  EXPECT_EQ(Database().Number("SELECT sum(value) FROM minute_rollups WHERE workspace_id = '" + kWorkspace + "'"), 2);
  EXPECT_EQ(Database().Number("SELECT count(*) FROM minute_rollups WHERE workspace_id = '" + kOtherWorkspace + "'"), 1);
}

TEST_F(PgMetrics, AnOlderOwnerOfThePartitionChangesNothing) {
  const StreamPosition old = next_();
  (void)Positions();   // somebody claims it
  EXPECT_EQ(ReasonOf(facts_.FoldActivities(old, {Comment("1")})), "FENCED");
  EXPECT_EQ(Database().Number("SELECT count(*) FROM activity_facts"), 0);
  EXPECT_EQ(Database().Number("SELECT count(*) FROM minute_rollups"), 0);
}

}  // namespace
}  // namespace parvis::metrics
