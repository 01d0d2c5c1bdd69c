#include "publishing/storage/ledger_store.h"

#include "platform/db/stream_tables.h"
#include "publishing/domain/ledger_contract.h"
#include "publishing/storage/post_store_pg.h"
#include "publishing/storage/testdata/database.h"

namespace parvis::publishing {
namespace {

class PgFixture : public LedgerFixture {
 public:
  PgFixture()
      : ledger_(Database().stream(), EncodeForTest, nullptr), posts_(Database().api(), EncodeForTest, nullptr),
        offsets_(Database().stream(), "publishing") {
    Database().Clear();
  }
  DeliveryLedger& ledger() override { return ledger_; }
  DeliveryStore& deliveries() override { return posts_; }
  StreamPosition ClaimPartition() override {
    auto position = offsets_.Claim("publishing.accept", "parvis.publishing.command.v1", 0);
    EXPECT_TRUE(position.ok()) << position.status();
    return position.ok() ? *position : StreamPosition{};
  }

 private:
  LedgerStore ledger_;
  PgPostStore posts_;
  db::OffsetTable offsets_;
};

INSTANTIATE_TEST_SUITE_P(PostgreSQL, LedgerContract, ::testing::Values([]() -> std::unique_ptr<LedgerFixture> {
                           return std::make_unique<PgFixture>();
                         }));

TEST(LedgerStore, EveryVisibleStateLeavesThroughTheOutbox) {
  PgFixture fixture;
  StreamPosition position = fixture.ClaimPartition();
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  position.next = 1;
  ASSERT_TRUE(fixture.ledger().Accept(position, {MakeReply("a", now)}, now, "test").ok());
  ClaimRequest request;
  request.owned = {position};
  for (int shard = 0; shard < kShards; ++shard) request.shards.push_back(shard);
  request.now = request.horizon = now;
  request.lease_until = now + absl::Seconds(60);
  const auto claimed = fixture.ledger().Claim(request);
  ASSERT_TRUE(claimed.ok()) << claimed.status();
  const auto sent = fixture.ledger().Apply({BeginSend(claimed->front(), now, now, {})}, now);
  WriteOutcome accepted{WriteResult::kAccepted, Refusal::kNone, "", "", "r1"};
  ASSERT_TRUE(fixture.ledger().Apply({AfterCall(*sent->front(), accepted, {}, now, 0, {})}, now).ok());
  EXPECT_EQ(Database().Number("SELECT count(*) FROM outbox"), 3);
  EXPECT_EQ(Database().Number("SELECT count(*) FROM outbox WHERE convert_from(payload, 'UTF8') LIKE '% 3 delivered'"), 1);
}

}  // namespace
}  // namespace parvis::publishing
