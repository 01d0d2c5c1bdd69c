#include "publishing/domain/ledger_contract.h"

#include "publishing/domain/testing/fake_store.h"

namespace parvis::publishing {
namespace {

class FakeFixture : public LedgerFixture {
 public:
  DeliveryLedger& ledger() override { return store_; }
  DeliveryStore& deliveries() override { return store_; }
  StreamPosition ClaimPartition() override {
    store_.SetEpoch(0, ++epoch_);
    return {"publishing.accept", "parvis.publishing.command.v1", 0, epoch_, 0};
  }

 private:
  FakeStore store_;
  int64_t epoch_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Fake, LedgerContract, ::testing::Values([]() -> std::unique_ptr<LedgerFixture> {
                           return std::make_unique<FakeFixture>();
                         }));

}  // namespace
}  // namespace parvis::publishing
