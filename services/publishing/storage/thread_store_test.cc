// Threads that end early, on PostgreSQL.
#include "publishing/domain/thread_contract.h"
#include "publishing/storage/ledger_store.h"
#include "publishing/storage/post_store_pg.h"
#include "publishing/storage/testdata/database.h"

namespace parvis::publishing {
namespace {

class PgFixture : public ThreadFixture {
 public:
  PgFixture() { Database().Clear(); }
  PostStore& posts() override { return posts_; }
  CampaignStore& campaigns() override { return posts_; }
  DeliveryStore& deliveries() override { return posts_; }
  DeliveryLedger& ledger() override { return ledger_; }

 private:
  PgPostStore posts_{Database().api(), EncodeForTest, nullptr};
  LedgerStore ledger_{Database().stream(), EncodeForTest, nullptr};
};

INSTANTIATE_TEST_SUITE_P(PostgreSQL, ThreadContract, ::testing::Values([]() -> std::unique_ptr<ThreadFixture> {
                           return std::make_unique<PgFixture>();
                         }));

}  // namespace
}  // namespace parvis::publishing
