// The contract suites on the store that all other tests of the domain use.
#include "inbox/domain/testing/memory_store.h"

#include "inbox/domain/testing/store_contract.h"

namespace parvis::inbox::testing {
namespace {

class InMemory : public StoreUnderTest {
 public:
  FoldStore& fold() override { return *store_; }
  ConversationStore& conversations() override { return *store_; }
  FeedStore& feeds() override { return *store_; }
  UpkeepStore& upkeep() override { return *store_; }
  OffsetStore& offsets() override { return *store_; }
  void Clear() override { store_ = std::make_unique<MemoryStore>(clock_); }
  void Age(absl::Duration by) override { clock_.Advance(by); }
  int64_t deliveries() override { return static_cast<int64_t>(store_->deliveries().size()); }
  int64_t outbox_events() override { return static_cast<int64_t>(store_->events().size()); }
  int64_t absent_messages() override { return store_->absent_messages(); }

 private:
  FakeClock clock_;
  std::unique_ptr<MemoryStore> store_ = std::make_unique<MemoryStore>(clock_);
};

const StoreFactory kMemory = [] { return std::make_unique<InMemory>(); };
const auto kName = [](const auto&) { return "Memory"; };
INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, ::testing::Values(kMemory), kName);
INSTANTIATE_TEST_SUITE_P(Memory, ShuffleContract, ::testing::Values(kMemory), kName);

}  // namespace
}  // namespace parvis::inbox::testing
