// The contract suites on PostgreSQL, and what only PostgreSQL can show.
#include "inbox/domain/testing/store_contract.h"
#include "inbox/storage/conversation_store.h"
#include "inbox/storage/event_outbox.h"
#include "inbox/storage/feed_store.h"
#include "inbox/storage/fold_store.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/postgres.h"

namespace parvis::inbox::storage {
namespace {

using inbox::testing::StoreFactory;
using inbox::testing::StoreUnderTest;

parvis::testing::ServiceDatabase& Database() {
  static parvis::testing::ServiceDatabase database("inbox");
  return database;
}

Encoders TestEncoders() {
  return {.event = [](const Event& e) { return std::to_string(e.sequence); },
          .delivery = [](const DeliveryRequest& r) {
            return StreamRecord{.topic = "command", .key = r.channel_id, .payload = r.text, .headers = {}};
          }};
}

class OnPostgres : public StoreUnderTest {
 public:
  OnPostgres() { Clear(); }
  FoldStore& fold() override { return fold_; }
  ConversationStore& conversations() override { return conversations_; }
  FeedStore& feeds() override { return feeds_; }
  UpkeepStore& upkeep() override { return upkeep_; }
  OffsetStore& offsets() override { return offsets_; }
  void Clear() override { db_.Clear(); }
  void Age(absl::Duration by) override {
    const std::string seconds = "make_interval(secs => " + std::to_string(absl::ToInt64Seconds(by)) + ")";
    db_.Script("UPDATE conversations SET claim_expire_time = claim_expire_time - " + seconds + ";"
               "UPDATE feed_events SET create_time = create_time - " + seconds + ";"
               "UPDATE messages SET create_time = create_time - " + seconds + ";"
               "DELETE FROM feed_outbox");   // the relay has told Kafka meanwhile
  }
  int64_t deliveries() override { return db_.Number("SELECT count(*) FROM outbox WHERE topic = 'command'"); }
  int64_t outbox_events() override { return db_.Number("SELECT coalesce(sum(last_sequence - first_sequence + 1), 0)::bigint FROM feed_outbox"); }
  int64_t absent_messages() override { return db_.Number("SELECT count(*) FROM messages WHERE NOT present"); }

 private:
  parvis::testing::ServiceDatabase& db_ = Database();
  PgFoldStore fold_{db_.stream(), TestEncoders(), [] {}};
  PgConversationStore conversations_{db_.api(), TestEncoders(), [] {}};
  PgFeedStore feeds_{db_.api(), db_.stream()};
  PgUpkeepStore upkeep_{db_.stream(), TestEncoders()};
  db::OffsetTable offsets_{db_.stream(), "inbox"};
};

using inbox::testing::Comment;

class EventOutbox : public ::testing::Test {
 protected:
  EventOutbox() { db_.Clear(); }
  void Fold(std::vector<FoldInput> inputs) {
    StreamPosition position = *db::OffsetTable(db_.stream(), "inbox").Claim("inbox.fold", "topic", 0);
    ++position.next;
    ASSERT_TRUE(FoldBatch(fold_, position, inputs).ok());
  }
  // Notes what went in told_.
  int Drain(int limit) {
    const auto drained = outbox_.Drain(limit, [this](const std::vector<OutboxRow>& rows) -> Status {
      if (refuses_) return MakeError(Code::kUnavailable, "BUS_UNAVAILABLE", "no");
      for (const OutboxRow& row : rows) told_.push_back(row.record);
      return absl::OkStatus();
    });
    return drained.ok() ? *drained : -1;
  }

  parvis::testing::ServiceDatabase& db_ = Database();
  PgFoldStore fold_{db_.stream(), TestEncoders(), [] {}};
  PgEventOutbox outbox_{db_.stream(), [](const Event& e, std::string payload) {
                          EXPECT_EQ(e.id, EventId(e.conversation.workspace_id, e.sequence));
                          EXPECT_GT(e.time, absl::UnixEpoch());
                          return StreamRecord{.topic = "event", .key = e.conversation.id, .payload = std::move(payload), .headers = {}};
                        }};
  std::vector<StreamRecord> told_;
  bool refuses_ = false;
};

TEST_F(EventOutbox, EventsAreToldInTheirOrderInPiecesOfAnySize) {
  std::vector<FoldInput> many;
  for (int i = 0; i < 30; ++i) many.push_back(Comment("t" + std::to_string(i), "m" + std::to_string(i), i));   // by COPY
  Fold(many);
  Fold({Comment("t7", "again", 50)});
  EXPECT_GE(*outbox_.OldestAge(), absl::ZeroDuration());
  refuses_ = true;
  EXPECT_EQ(Drain(12), -1);
  refuses_ = false;
  EXPECT_EQ(Drain(12), 12);
  EXPECT_EQ(Drain(12), 12);
  EXPECT_EQ(Drain(12), 7);
  EXPECT_EQ(Drain(12), 0);
  EXPECT_EQ(*outbox_.OldestAge(), absl::ZeroDuration());
  ASSERT_EQ(told_.size(), 31u);
  for (size_t i = 0; i < told_.size(); ++i) EXPECT_EQ(told_[i].payload, std::to_string(i + 1));
  EXPECT_EQ(told_[7].key, told_[30].key);
  EXPECT_NE(told_[7].key, told_[8].key);
}

TEST_F(EventOutbox, RecordsOfTheOutboxComeFirst) {
  Fold({Comment("t", "m", 1)});
  ASSERT_TRUE(db_.stream().Run(BackgroundCall("t"), [](db::Tx& tx) {
    return db::OutboxTable::Append(tx, {{.topic = "command", .key = "k", .payload = "p", .headers = {}}});
  }).ok());
  EXPECT_EQ(Drain(1), 1);
  EXPECT_EQ(Drain(10), 1);
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_[0].topic, "command");
  EXPECT_EQ(told_[1].topic, "event");
}

TEST_F(EventOutbox, WhatKafkaHasNotBeenToldIsNotTrimmed) {
  Fold({Comment("t", "m1", 1)});
  Fold({Comment("t", "m2", 2)});
  EXPECT_EQ(Drain(1), 1);
  db_.Script("UPDATE feed_events SET create_time = create_time - interval '1 day'");
  PgUpkeepStore upkeep(db_.stream(), TestEncoders());
  EXPECT_EQ(*upkeep.TrimFeeds(absl::Minutes(1), 10), 1);
  EXPECT_EQ(*upkeep.TrimFeeds(absl::Minutes(1), 10), 0);
  EXPECT_EQ(Drain(10), 1);
  EXPECT_EQ(*upkeep.TrimFeeds(absl::Minutes(1), 10), 1);
}

// Before the first ANALYZE the planner believes that a channel has one message: it must not be led to read them all.
TEST(YoungDatabase, ALookUpReadsWhatItAsksForHoweverMuchTheChannelHas) {
  parvis::testing::ServiceDatabase& db = Database();
  db.Clear();
  db::PoolConfig config = db.StreamConfig();
  config.size = 1;   // one session, whose counts are asked for
  obs::Metrics metrics;
  RealClock clock;
  db::Pool pool(config, clock, metrics);
  PgFoldStore fold(pool, TestEncoders(), [] {});
  StreamPosition position = *db::OffsetTable(pool, "inbox").Claim("inbox.fold", "topic", 0);
  constexpr char kRead[] = "SELECT coalesce(sum(idx_tup_fetch), 0)::bigint FROM pg_stat_user_tables WHERE relname LIKE 'messages%'";
  const int64_t before = db.Number(kRead);
  constexpr int kBatches = 20, kBatch = 200;
  for (int batch = 0; batch < kBatches; ++batch) {
    std::vector<FoldInput> inputs;
    for (int i = batch * kBatch; i < (batch + 1) * kBatch; ++i) {
      inputs.push_back(Comment("t" + std::to_string(i % 10), "m" + std::to_string(i), i));
    }
    position.from = position.next;
    position.next += kBatch;
    ASSERT_TRUE(FoldBatch(fold, position, inputs).ok());
  }
  ASSERT_TRUE(pool.Run(BackgroundCall("t"), [](db::Tx& tx) { return tx.Query("SELECT pg_stat_force_next_flush()").status(); }).ok());
  ASSERT_EQ(db.Number("SELECT count(*) FROM messages"), kBatches * kBatch);
  // A batch that reads all its channel has read 38,000 by the end.
  EXPECT_LT(db.Number(kRead) - before, 2 * kBatches * kBatch);
}

}  // namespace
}  // namespace parvis::inbox::storage

namespace parvis::inbox::testing {
namespace {

const StoreFactory kPostgres = [] { return std::make_unique<storage::OnPostgres>(); };
const auto kName = [](const auto&) { return "Postgres"; };
INSTANTIATE_TEST_SUITE_P(Postgres, StoreContract, ::testing::Values(kPostgres), kName);
INSTANTIATE_TEST_SUITE_P(Postgres, ShuffleContract, ::testing::Values(kPostgres), kName);

}  // namespace
}  // namespace parvis::inbox::testing
