// What every implementation of the inbox's ports must do: one suite, run on memory and on PostgreSQL. Link
// store_contract.cc, request_contract.cc and shuffle_contract.cc into a test binary and instantiate the suites with a factory.
#pragma once

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "inbox/domain/fold.h"
#include "inbox/domain/store.h"
#include "inbox/domain/testing/scenario.h"

namespace parvis::inbox::testing {

// The ports of one empty database.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual FoldStore& fold() = 0;
  virtual ConversationStore& conversations() = 0;
  virtual FeedStore& feeds() = 0;
  virtual UpkeepStore& upkeep() = 0;
  virtual OffsetStore& offsets() = 0;
  // Empties it.
  virtual void Clear() = 0;
  // Makes the claim's lease run out; makes events and rows older.
  virtual void Age(absl::Duration by) = 0;
  virtual int64_t deliveries() = 0;        // handed to publishing so far
  virtual int64_t outbox_events() = 0;
  virtual int64_t absent_messages() = 0;
};

using StoreFactory = std::function<std::unique_ptr<StoreUnderTest>()>;

class StoreContract : public ::testing::TestWithParam<StoreFactory> {
 protected:
  StoreContract() : store_(GetParam()()) {}
  // Folds `inputs` as one batch of partition `part`.
  Status Fold(const std::vector<FoldInput>& inputs, int part = 0);
  std::vector<Conversation> List(const ConversationFilter& filter = {}, int limit = 100);
  std::vector<Message> Messages(const std::string& conversation);
  Conversation Get(const std::string& conversation);
  int64_t Last(const std::string& workspace = kWorkspace);   // number of the latest event

  std::unique_ptr<StoreUnderTest> store_;
  std::map<int, StreamPosition> positions_;
};
class ShuffleContract : public StoreContract {};

}  // namespace parvis::inbox::testing
