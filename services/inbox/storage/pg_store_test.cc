// The contract suites on PostgreSQL, and what only PostgreSQL can show.
#include "inbox/domain/testing/store_contract.h"
#include "inbox/storage/conversation_store.h"
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
  return {.event = [](const Event& e) {
            return StreamRecord{.topic = "event", .key = e.conversation.id, .payload = std::to_string(e.sequence), .headers = {}};
          },
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
               "UPDATE messages SET create_time = create_time - " + seconds);
  }
  int64_t deliveries() override { return db_.Number("SELECT count(*) FROM outbox WHERE topic = 'command'"); }
  int64_t outbox_events() override { return db_.Number("SELECT count(*) FROM outbox WHERE topic = 'event'"); }
  int64_t absent_messages() override { return db_.Number("SELECT count(*) FROM messages WHERE NOT present"); }

 private:
  parvis::testing::ServiceDatabase& db_ = Database();
  PgFoldStore fold_{db_.stream(), TestEncoders(), [] {}};
  PgConversationStore conversations_{db_.api(), TestEncoders(), [] {}};
  PgFeedStore feeds_{db_.api(), db_.stream()};
  PgUpkeepStore upkeep_{db_.stream(), TestEncoders()};
  db::OffsetTable offsets_{db_.stream(), "inbox"};
};

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
