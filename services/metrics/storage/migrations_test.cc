// V002 on what a release with V001 alone has stored, and beside a replica of that release.
#include <gtest/gtest.h>

#include <filesystem>

#include "metrics/domain/store_contract.h"
#include "metrics/storage/pg_fact_store.h"
#include "metrics/storage/pg_query_store.h"
#include "platform/db/migrations.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/postgres.h"

namespace parvis::metrics {
namespace {

namespace fs = std::filesystem;

const std::string kSchema = testing::Checkout() + "/services/metrics/storage/schema";
constexpr int kFacts = 300;

// A folder with V001 alone.
std::string FirstMigration() {
  const fs::path folder = fs::temp_directory_path() / ("parvis-metrics-v001-" + std::to_string(getpid()));
  fs::create_directories(folder);
  for (const auto& file : fs::directory_iterator(kSchema)) {
    if (file.path().filename().string().starts_with("V001")) {
      fs::copy_file(file.path(), folder / file.path().filename(), fs::copy_options::overwrite_existing);
    }
  }
  return folder.string();
}

// What the release with V001 does to fold comments, deliveries and changes number `from` to `to`: its statements, by
// its role.
std::string FoldedByV001(int from, int to) {
  const std::string series = "generate_series(" + std::to_string(from) + ", " + std::to_string(to) + ") n";
  const std::string workspace =
      "CASE WHEN n % 10 = 0 THEN '" + kOtherWorkspace + "' ELSE '" + kWorkspace + "' END::uuid";
  const std::string channel = "md5('channel ' || n % 5)::uuid";
  const std::string time = "timestamptz '2026-03-01 00:00:00Z' + n % 97 * interval '37 minutes'";
  const auto sums = [](const std::string& view, const std::string& fact, const std::string& keys) {
    return "INSERT INTO minute_rollups (workspace_id, metric, minute, channel_id, campaign_id, post_remote_id, value) "
           "SELECT c.workspace_id, c.metric, c.minute, c.channel_id, c.campaign_id, c.post_remote_id, count(*) FROM " +
           view + " c JOIN (" + keys + ") AS fresh (w, f) ON c.workspace_id = fresh.w AND c." + fact +
           " = fresh.f "
           "GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6 "
           "ON CONFLICT (workspace_id, metric, minute, channel_id, campaign_id, post_remote_id) "
           "DO UPDATE SET value = minute_rollups.value + EXCLUDED.value;\n";
  };
  return "SET ROLE metrics_stream;\n"
         "INSERT INTO activity_facts (workspace_id, fact_id, channel_id, network, kind, remote_id, post_remote_id, "
         "occurred_time, "
         "by_us, action, rules, language, intent) SELECT " +
         workspace + ", md5(n::text)::uuid, " + channel +
         ", 'facebook', (ARRAY['comment', 'comment', 'edit', 'reaction', ''])[n % 5 + 1], 'r' || n, 'post-' || n % "
         "7, " +
         time + ", n % 11 = 0, (ARRAY['allow', 'hide', 'hold'])[n % 3 + 1], ARRAY['a', 'b'], 'fr', 'question' FROM " +
         series + " ON CONFLICT DO NOTHING;\n" +
         sums("activity_counts", "fact_id", "SELECT " + workspace + ", md5(n::text)::uuid FROM " + series) +
         "INSERT INTO delivery_facts (workspace_id, delivery_id, sequence, channel_id, network, kind, state, "
         "campaign_id, post_id, "
         "target_remote_id, remote_id, due_time, delivered_time, event_time) SELECT " +
         workspace + ", 'd' || n, 1, " + channel +
         ", 'facebook', (ARRAY['post', 'reply', 'hide'])[n % 3 + 1], (ARRAY['delivered', 'failed'])[n % 2 + 1], '" +
         kCampaign + "', '', '', 'post-' || n % 7, NULL, NULL, " + time + " FROM " + series +
         " ON CONFLICT DO NOTHING;\n" +
         sums("delivery_counts", "delivery_id", "SELECT " + workspace + ", 'd' || n FROM " + series) +
         "INSERT INTO conversation_facts (workspace_id, event_id, sequence, type, event_time, conversation_id, "
         "channel_id, network, "
         "post_remote_id, member_id, first_message_time, first_response_time) SELECT " +
         workspace +
         ", 'e' || n, n, "
         "(ARRAY['created', 'replied', 'claimed'])[n % 3 + 1], " +
         time + ", md5(n::text)::uuid, " + channel + ", 'facebook', 'post-' || n % 7, '', NULL, NULL FROM " + series +
         " ON CONFLICT DO NOTHING;\n" +
         sums("conversation_counts", "event_id", "SELECT " + workspace + ", 'e' || n FROM " + series) + "RESET ROLE;\n";
}

class V002 : public ::testing::Test {
 protected:
  void Migrate() {
    const auto applied = db::Migrate({.dsn = database_.OwnerConfig().dsn, .schema = "metrics", .folder = kSchema});
    ASSERT_TRUE(applied.ok()) << applied.status();
    EXPECT_EQ(*applied, 3);  // V002 and what came after it
  }
  // The rows of a table of facts, whichever way they are stored, without what V004 has added.
  int64_t Fingerprint(const std::string& table) {
    return database_.Number("SELECT sum(hashtextextended((to_jsonb(f) - 'thread_part')::text, 0) / 1024)::bigint FROM " + table + " f");
  }
  void ExpectSumsAreTheRecount() {
    for (const std::string& workspace : {kWorkspace, kOtherWorkspace}) {
      const auto recount = PgQueryStore(database_.api()).RecountRollups(BackgroundCall("test", workspace));
      ASSERT_TRUE(recount.ok()) << recount.status();
      EXPECT_EQ(recount->changed, 0);
      EXPECT_GT(recount->rollups, 50);
    }
  }
  testing::ServiceDatabase database_{"metrics", FirstMigration()};
};

TEST_F(V002, KeepsEveryFactAndSumsThemUp) {
  database_.Script(FoldedByV001(1, kFacts));
  const int64_t sums = database_.Number("SELECT sum(value) FROM minute_rollups");
  int64_t before[3], i = 0;
  for (const char* table : {"activity_facts", "delivery_facts", "conversation_facts"}) before[i++] = Fingerprint(table);
  Migrate();
  i = 0;
  for (const std::string table : {"activity_facts", "delivery_facts", "conversation_facts"}) {
    EXPECT_EQ(Fingerprint(table), before[i++]) << table;
    EXPECT_EQ(database_.Number("SELECT count(*) FROM " + table), kFacts);
    EXPECT_GT(database_.Number("SELECT count(DISTINCT tableoid) FROM " + table), 1) << table;
    EXPECT_EQ(database_.Number("SELECT count(*) FROM pg_class WHERE relname = '" + table + "_v1'"), 0);
  }
  for (const char* step : {"1", "60", "1440"}) {
    EXPECT_EQ(database_.Number("SELECT sum(value) FROM channel_rollups WHERE step_minutes = " + std::string(step)),
              sums);
  }
  ExpectSumsAreTheRecount();
  // A fact that was there before and comes again is still the same fact.
  const int64_t total = database_.Number("SELECT sum(value) FROM channel_rollups");
  database_.Script("INSERT INTO activity_facts SELECT * FROM activity_facts ON CONFLICT DO NOTHING");
  EXPECT_EQ(database_.Number("SELECT count(*) FROM activity_facts"), kFacts);
  EXPECT_EQ(database_.Number("SELECT sum(value) FROM channel_rollups"), total);
}

TEST_F(V002, OnNothing) {
  Migrate();
  EXPECT_EQ(database_.Number("SELECT count(*) FROM activity_facts"), 0);
}

// While the replicas are replaced both releases fold, into the same sums.
TEST_F(V002, WhatTheReleaseBeforeFoldsAfterwardsCountsToo) {
  database_.Script(FoldedByV001(1, kFacts));
  Migrate();
  PgFactStore facts(database_.stream());
  StreamPosition position = *db::OffsetTable(database_.stream(), "metrics").Claim("g", "t", 0);
  for (int64_t i = 0; i < 5; ++i) {
    const int from = kFacts + 1 + static_cast<int>(i) * 40;
    database_.Script(FoldedByV001(from, from + 39));
    ++position.next;
    ASSERT_TRUE(
        facts.FoldActivities(position, {Comment("new " + std::to_string(i)), Comment("another " + std::to_string(i))})
            .ok());
  }
  EXPECT_EQ(database_.Number("SELECT count(*) FROM activity_facts"), kFacts + 210);
  ExpectSumsAreTheRecount();
}

}  // namespace
}  // namespace parvis::metrics
