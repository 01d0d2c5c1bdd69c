// The contract and what is PostgreSQL's own, on a real server.
#include <gtest/gtest.h>

#include <algorithm>
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
  const auto queries = std::make_shared<PgQueryStore>(Database().api());
  return {std::make_shared<PgFactStore>(Database().stream()), queries, queries, Positions()};
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
  ASSERT_TRUE(
      facts_
          .FoldDeliveries(next_(), {Post("a", 3, "delivered", "post-1", absl::Seconds(2)), Post("a", 1, "scheduled"),
                                    Post("a", 2, "unknown"), Post("b", 1, "scheduled"), Post("c", 1, "unknown"),
                                    Post("d", 1, "cancelled"), Post("e", 1, "expired"), on_x,
                                    Post("f", 1, "delivered", "post-2", -absl::Seconds(1))})
          .ok());
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

// Parts of a thread on one channel: as publishing numbers them, of one post.
DeliveryFact PartOf(const std::string& thread, int part, int64_t sequence, const std::string& state,
                    absl::Duration late = absl::ZeroDuration()) {
  const std::string id = thread + std::to_string(part);
  DeliveryFact fact = Post(id, sequence, state, state == "delivered" ? "post-" + id : "", late);
  fact.post_id = UuidOfName(thread);
  fact.thread_part = part;
  return fact;
}

TEST_F(PgMetrics, AThreadIsOnePostOfTheCampaign) {
  ASSERT_TRUE(facts_
                  .FoldDeliveries(next_(), {PartOf("a", 0, 1, "delivered"), PartOf("a", 1, 1, "delivered", absl::Hours(1)),
                                            PartOf("a", 2, 1, "scheduled"), PartOf("b", 0, 1, "delivered"),
                                            PartOf("b", 1, 1, "failed"), PartOf("c", 0, 1, "delivered"),
                                            PartOf("c", 1, 1, "expired"), Post("d", 1, "failed")})
                  .ok());
  CampaignReport report = Report();
  EXPECT_EQ(report.total.posts.planned, 4);
  EXPECT_EQ(report.total.posts.delivered, 3);
  EXPECT_EQ(report.total.posts.partly_delivered, 2);
  EXPECT_EQ(report.total.posts.failed, 1);
  EXPECT_EQ(report.total.posts.waiting, 0);
  EXPECT_EQ(report.total.posts.lateness_p99, absl::ZeroDuration()) << "of first parts";
  ASSERT_EQ(report.networks.size(), 1u);
  EXPECT_EQ(report.networks[0].posts.partly_delivered, 2);
  // Resumed: on its way, then there.
  ASSERT_TRUE(facts_.FoldDeliveries(next_(), {PartOf("b", 1, 2, "scheduled")}).ok());
  EXPECT_EQ(Report().total.posts.partly_delivered, 1);
  ASSERT_TRUE(facts_.FoldDeliveries(next_(), {PartOf("b", 1, 3, "delivered")}).ok());
  report = Report();
  EXPECT_EQ(report.total.posts.planned, 4);
  EXPECT_EQ(report.total.posts.delivered, 3);
  EXPECT_EQ(report.total.posts.partly_delivered, 1);
  // What people write below a later part is the campaign's too.
  ASSERT_TRUE(facts_.FoldActivities(next_(), {Comment("1", kNoon, "post-b1")}).ok());
  EXPECT_EQ(Report().total.comments.comments, 1);
}

TEST_F(PgMetrics, ReportCountsEachCommentOnceWithWhatModerationDid) {
  ActivityFact held = Comment("2"), hidden = Comment("3"), ours = Comment("5"), edit = Comment("1"),
               lone_edit = Comment("9");
  held.action = "hold";
  held.rules = {"price", "caps"};
  hidden.action = "hide";
  hidden.rules = {"insult"};
  ours.by_us = true;
  edit.kind = lone_edit.kind = "edit";
  edit.action = "hide";
  edit.rules = {"insult"};
  edit.fact_id = UuidOfName("edit");
  lone_edit.fact_id = UuidOfName("lone edit");  // of a comment that has not come (yet)
  ASSERT_TRUE(facts_
                  .FoldActivities(next_(), {Comment("1"), held, hidden, Comment("4"), ours, edit, lone_edit,
                                            Comment("6", kNoon, "elsewhere")})
                  .ok());
  DeliveryFact reply{.workspace_id = kWorkspace,
                     .delivery_id = "r",
                     .sequence = 1,
                     .channel_id = kChannel,
                     .network = "facebook",
                     .kind = "reply",
                     .state = "delivered",
                     .target_remote_id = "4",
                     .event_time = kNoon};
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
  const auto report =
      GetCampaignReport(BackgroundCall("test", kOtherWorkspace), kCampaign, Database().clock(), queries_);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->total.posts.planned, 0);
  // Even a call that claims no workspace sees nothing.
  EXPECT_EQ(GetCampaignReport(BackgroundCall("test", ""), kCampaign, Database().clock(), queries_).ok(), false);
}

// Makes facts at random: two channels, two campaigns, times crowded about the edges of minutes, hours and days. What
// one key says is drawn anew each time it comes; only the first of them counts, here and in the fake.
class RandomFacts {
 public:
  explicit RandomFacts(uint64_t seed) : random_(seed) {}
  ActivityFact Activity() {
    const uint64_t number = random_() % 600;
    ActivityFact a = Comment(std::to_string(number), Time(), Pick({"post-1", "post-2", "post-3", ""}));
    a.channel_id = Channel(number);
    a.kind = Pick({"comment", "comment", "edit", "removal", "reaction", "mention", "message", "hide", "#99", ""});
    a.action = Pick({"allow", "hold", "hide", "delete", "escalate", "#99", ""});
    a.intent = Pick({"question", "complaint", "thanks", "other", ""});
    a.by_us = random_() % 8 == 0;
    a.fact_id = ActivityFactId(a.kind, a.channel_id, a.remote_id, a.remote_id);
    return a;
  }
  DeliveryFact Delivery() {
    const uint64_t number = random_() % 200;
    DeliveryFact d =
        Post(std::to_string(number), static_cast<int64_t>(random_() % 5),
             Pick({"scheduled", "delivered", "failed", "unknown", "expired", "#99"}), Pick({"post-1", "post-2", ""}));
    d.channel_id = Channel(number);
    d.kind = Pick({"post", "post", "reply", "hide", "unhide", "#99"});
    d.campaign_id = Pick({kCampaign.c_str(), UuidOfName("another campaign").c_str(), ""});
    d.event_time = Time();
    d.thread_part = static_cast<int>(random_() % 3);
    return d;
  }
  ConversationFact Change() {
    const uint64_t number = random_() % 800;
    ConversationFact c = Conversation(std::to_string(number), static_cast<int64_t>(random_() % 500),
                                      Pick({"created", "resolved", "reopened", "replied", "case_opened",
                                            "case_escalated", "case_resolved", "claimed", "#99"}),
                                      std::to_string(random_() % 50));
    c.channel_id = Channel(number);
    c.post_remote_id = Pick({"post-1", "post-2", "post-3", ""});
    c.event_time = Time();
    return c;
  }
  std::string Pick(std::initializer_list<const char*> of) { return *(of.begin() + random_() % of.size()); }
  absl::Time Time() {
    const absl::Time day = kNoon - absl::Hours(12) + absl::Hours(24) * static_cast<int64_t>(random_() % 4);
    const absl::Duration into = random_() % 2 == 0 ? absl::Hours(static_cast<int64_t>(random_() % 24))
                                                   : absl::Minutes(static_cast<int64_t>(random_() % 1440));
    const int64_t off = static_cast<int64_t>(random_() % 4) - 1;
    return day + into + (off == 2 ? absl::Seconds(17) : absl::Microseconds(off));
  }

 private:
  static std::string Channel(uint64_t number) { return number % 2 == 0 ? kChannel : UuidOfName("another channel"); }
  std::mt19937_64 random_;
};

// Random facts in random batches, many of them twice: what is folded at every step, the recount and the independent
// fake agree, with every filter, for ranges that begin and end anywhere.
TEST_F(PgMetrics, RecountAndTheFakeGiveTheSameNumbers) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomFacts random(seed);
  FakeStore fake;
  int64_t fake_next = 0;
  for (int batch = 0; batch < 30; ++batch) {
    std::vector<ActivityFact> activities;
    std::vector<DeliveryFact> deliveries;
    std::vector<ConversationFact> conversations;
    for (int i = 0; i < 40; ++i) {
      activities.push_back(random.Activity());
      deliveries.push_back(random.Delivery());
      conversations.push_back(random.Change());
    }
    ASSERT_TRUE(facts_.FoldActivities(next_(), activities).ok());
    ASSERT_TRUE(facts_.FoldDeliveries(next_(), deliveries).ok());
    ASSERT_TRUE(facts_.FoldConversations(next_(), conversations).ok());
    ASSERT_TRUE(fake.FoldActivities(StreamPosition{.next = ++fake_next}, activities).ok());
    ASSERT_TRUE(fake.FoldDeliveries(StreamPosition{.next = ++fake_next}, deliveries).ok());
    ASSERT_TRUE(fake.FoldConversations(StreamPosition{.next = ++fake_next}, conversations).ok());
  }
  const std::string campaigns[] = {"", kCampaign, UuidOfName("another campaign"), UuidOfName("nobody's campaign")};
  for (const std::string& metric : MetricNames()) {
    int64_t seen = 0;
    for (const Step step : {Step::kMinute, Step::kHour, Step::kDay}) {
      for (const std::string& campaign : campaigns) {
        for (const std::string& channel : {std::string(), kChannel}) {
          const absl::Time a = random.Time(), b = random.Time();
          const TimeseriesQuery query{.metric = metric,
                                      .channel_id = channel,
                                      .campaign_id = campaign,
                                      .start = std::min(a, b),
                                      .end = std::max(a, b) + absl::Seconds(1),
                                      .step = step};
          const auto ours = QueryTimeseries(call_, query, 10'000, queries_),
                     theirs = QueryTimeseries(call_, query, 10'000, fake);
          ASSERT_TRUE(ours.ok() && theirs.ok()) << ours.status() << theirs.status();
          EXPECT_EQ(*ours, *theirs) << metric << " " << campaign << " " << channel << " " << static_cast<int>(step);
          for (const Point& point : *ours) seen += point.value;
        }
      }
    }
    EXPECT_GT(seen, 0) << metric;
  }
  const auto recount = queries_.RecountRollups(call_);
  ASSERT_TRUE(recount.ok()) << recount.status();
  EXPECT_EQ(recount->changed, 0);
  EXPECT_GT(recount->rollups, 100);
  EXPECT_EQ(recount->facts,
            Database().Number("SELECT (SELECT count(*) FROM activity_facts) + (SELECT count(*) FROM delivery_facts) + "
                              "(SELECT count(*) FROM conversation_facts)"));
}

// Sums that every fold changes, by several replicas at once and with every topic: none is lost, nobody waits in a
// circle.
TEST_F(PgMetrics, FoldsAtOnceAddUp) {
  constexpr int kFolders = 4, kBatches = 25;
  std::vector<std::thread> folders;
  for (int folder = 0; folder < kFolders; ++folder) {
    folders.emplace_back([this, folder] {
      const auto next = Positions("topic " + std::to_string(folder));
      for (int batch = 0; batch < kBatches; ++batch) {
        std::vector<ActivityFact> activities;
        std::vector<ConversationFact> changes;
        for (int i = 0; i < 8; ++i) {
          const std::string id = std::to_string(folder) + "/" + std::to_string(batch) + "/" + std::to_string(i);
          activities.push_back(Comment(id, kNoon + absl::Minutes((folder + i * 7) % 13),
                                       "post-" + std::to_string((folder * 3 + i) % 5)));
          activities.back().action = i % 2 == 0 ? "hide" : "hold";
          changes.push_back(Conversation(id, i, i % 2 == 0 ? "created" : "replied", id));
        }
        EXPECT_TRUE(facts_.FoldActivities(next(), activities).ok());
        EXPECT_TRUE(facts_.FoldConversations(next(), changes).ok());
      }
    });
  }
  for (std::thread& folder : folders) folder.join();
  EXPECT_EQ(Database().Number("SELECT value FROM channel_rollups WHERE metric = 'comments' AND step_minutes = 1440"),
            kFolders * kBatches * 8);
  const auto recount = queries_.RecountRollups(call_);
  ASSERT_TRUE(recount.ok()) << recount.status();
  EXPECT_EQ(recount->changed, 0);
}

TEST_F(PgMetrics, RecountPutsRightWhatIsWrong) {
  ASSERT_TRUE(facts_.FoldActivities(next_(), {Comment("1"), Comment("2", kNoon + absl::Hours(1))}).ok());
  // Two minutes, two hours and a day of the channel; two hours of the post.
  Database().Script("UPDATE channel_rollups SET value = 7 WHERE step_minutes = 60");
  Database().Script("DELETE FROM post_rollups WHERE hour = '" + absl::FormatTime(kNoon) + "'");
  for (const std::string& workspace : {kWorkspace, kOtherWorkspace}) {
    Database().Script("INSERT INTO channel_rollups VALUES ('" + workspace + "', 'edits', 1, now(), '" + kChannel +
                      "', 1)");
  }
  auto recount = queries_.RecountRollups(call_);
  ASSERT_TRUE(recount.ok()) << recount.status();
  EXPECT_EQ(*recount, (Recount{.facts = 2, .rollups = 7, .changed = 4}));
  recount = queries_.RecountRollups(call_);
  EXPECT_EQ(*recount, (Recount{.facts = 2, .rollups = 7, .changed = 0}));
  const std::string ours = " WHERE workspace_id = '" + kWorkspace + "'";
  EXPECT_EQ(Database().Number("SELECT sum(value) FROM channel_rollups" + ours), 6);
  EXPECT_EQ(Database().Number("SELECT sum(value) FROM post_rollups" + ours), 2);
  EXPECT_EQ(Database().Number("SELECT count(*) FROM channel_rollups WHERE workspace_id = '" + kOtherWorkspace + "'"),
            1);
}

TEST_F(PgMetrics, AnOlderOwnerOfThePartitionChangesNothing) {
  const StreamPosition old = next_();
  (void)Positions();  // somebody claims it
  EXPECT_EQ(ReasonOf(facts_.FoldActivities(old, {Comment("1")})), "FENCED");
  EXPECT_EQ(Database().Number("SELECT count(*) FROM activity_facts"), 0);
  EXPECT_EQ(Database().Number("SELECT count(*) FROM channel_rollups"), 0);
}

}  // namespace
}  // namespace parvis::metrics
