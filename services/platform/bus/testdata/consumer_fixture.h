// What the tests of the consumer share: a real Kafka, offsets in a real PostgreSQL, effects that show doubling.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "platform/bus/consumer.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/kafka.h"
#include "platform/testing/postgres.h"
#include "platform/testing/wait.h"

namespace parvis::bus {
using testing::Kafka;
using testing::WaitFor;

inline constexpr char kWorkspace[] = "0190a0b1-c2d3-7eee-8fff-00000000000a";
inline constexpr char kEffects[] =
    "INSERT INTO things (workspace_id, thing_id, amount) SELECT $1, unnest($2::text[]), 1 "
    "ON CONFLICT (workspace_id, thing_id) DO UPDATE SET amount = things.amount + 1";

// A stage whose effect is that it has seen each payload; thread-safe.
class SeeingStage {
 public:
  Consumer::Handler Handler() {
    return [this](const StreamPositions&, const std::vector<Received>& batch) {
      const std::lock_guard lock(mutex_);
      for (const Received& received : batch) seen_.insert(received.record.payload);
      return absl::OkStatus();
    };
  }
  size_t size() const {
    const std::lock_guard lock(mutex_);
    return seen_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::multiset<std::string> seen_;
};

class ConsumerTest : public ::testing::Test {
 protected:
  static testing::ServiceDatabase& Database() {
    static testing::ServiceDatabase database("sample", "services/platform/db/testdata/schema");
    return database;
  }
  void SetUp() override {
    Database().Clear();
    topic_ = Kafka::Unique("consumed");
    Kafka::Shared().MakeTopic(topic_, 3, {group_});
  }
  void Produce(int from, int to) {
    std::vector<StreamRecord> records;
    for (int i = from; i < to; ++i) records.push_back({.topic = topic_, .key = "k" + std::to_string(i % 11), .payload = std::to_string(i)});
    ASSERT_TRUE(producer_.SendAll(records).ok());
  }
  // Counts each payload in the database: an effect that shows doubling, in one transaction with the offset.
  Status Apply(const StreamPositions& positions, const std::vector<Received>& batch) {
    std::vector<std::string> payloads;
    for (const Received& received : batch) payloads.push_back(received.record.payload);
    return Database().stream().Run(BackgroundCall("t"), [&](db::Tx& tx) -> Status {
      if (!payloads.empty()) PARVIS_RETURN_IF_ERROR(tx.Query(kEffects, {kWorkspace, db::Array(payloads)}).status());
      return db::OffsetTable::Advance(tx, positions);
    });
  }
  std::unique_ptr<Consumer> Make(Consumer::Handler handler, Consumer::Options options = {}, BusConfig config = Kafka::Shared().Config()) {
    options.group = group_;
    options.topics = {topic_};
    auto consumer = std::make_unique<Consumer>(config, options, &offsets_, producer_, Database().clock(), metrics_, std::move(handler));
    EXPECT_TRUE(consumer->Start().ok());
    return consumer;
  }
  Consumer::Handler Applying() {
    return [this](const StreamPositions& p, const std::vector<Received>& b) { return Apply(p, b); };
  }
  int64_t Distinct() { return Database().Number("SELECT count(*) FROM things"); }
  int64_t Doubled() { return Database().Number("SELECT count(*) FROM things WHERE amount > 1"); }

  std::string topic_;
  const std::string group_ = Kafka::Unique("sample.fold");
  obs::Metrics metrics_;
  Producer producer_{Kafka::Shared().Config(), metrics_};
  db::OffsetTable offsets_{Database().stream(), "sample"};
};

}  // namespace parvis::bus
