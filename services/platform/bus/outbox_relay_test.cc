// From a transaction to Kafka, on the real servers.
#include "platform/bus/outbox_relay.h"

#include <gtest/gtest.h>

#include <thread>

#include "platform/db/stream_tables.h"
#include "platform/testing/kafka.h"
#include "platform/testing/postgres.h"
#include "platform/testing/wait.h"

namespace parvis::bus {
namespace {

using testing::Kafka;

TEST(OutboxRelay, TwoRelaysAndManyWritersKeepTheOrderOfEachKey) {
  testing::ServiceDatabase sample("sample", "services/platform/db/testdata/schema");
  const std::string topic = Kafka::Unique("outbox");
  Kafka::Shared().MakeTopic(topic, 3);
  obs::Metrics metrics;
  Producer producer(Kafka::Shared().Config(), metrics);
  db::OutboxTable one(sample.stream()), two(sample.stream());
  OutboxRelay relay_one(one, producer, metrics), relay_two(two, producer, metrics);
  ASSERT_TRUE(relay_one.Start().ok());
  ASSERT_TRUE(relay_two.Start().ok());
  constexpr int kWriters = 4, kEach = 200;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kEach; ++i) {
        const StreamRecord record{.topic = topic, .key = "writer" + std::to_string(w), .payload = std::to_string(i), .headers = {{"ce_id", "x"}}};
        EXPECT_TRUE(sample.api().Run(BackgroundCall("t"), [&](db::Tx& tx) { return db::OutboxTable::Append(tx, {record}); }).ok());
        relay_one.Wake();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::vector<Received> all = Kafka::Shared().Read(topic, kWriters * kEach);
  ASSERT_EQ(all.size(), static_cast<size_t>(kWriters * kEach));
  std::map<std::string, int> next;
  for (const Received& received : all) ASSERT_EQ(std::stoi(received.record.payload), next[received.record.key]++);
  EXPECT_TRUE(testing::WaitFor([&] { return sample.Number("SELECT count(*) FROM outbox") == 0; }));
  relay_one.Stop(absl::Seconds(5));
  relay_two.Stop(absl::Seconds(5));
}

TEST(OutboxRelay, DatabaseAwayAndBackLosesNothing) {
  testing::Postgres own(/*durable=*/true);
  testing::ServiceDatabase sample("sample", "services/platform/db/testdata/schema", own);
  const std::string topic = Kafka::Unique("outbox");
  Kafka::Shared().MakeTopic(topic, 1);
  obs::Metrics metrics;
  Producer producer(Kafka::Shared().Config(), metrics);
  db::OutboxTable outbox(sample.stream());
  std::vector<StreamRecord> records;
  for (int i = 0; i < 2000; ++i) records.push_back({.topic = topic, .key = "k", .payload = std::to_string(i)});
  ASSERT_TRUE(sample.api().Run(BackgroundCall("t"), [&](db::Tx& tx) { return db::OutboxTable::Append(tx, records); }).ok());
  OutboxRelay relay(outbox, producer, metrics);
  ASSERT_TRUE(relay.Start().ok());
  own.Kill();
  own.Start();
  ASSERT_TRUE(testing::WaitFor([&] { return sample.Number("SELECT count(*) FROM outbox") == 0; }, absl::Seconds(30)));
  relay.Stop(absl::Seconds(5));
  std::set<std::string> distinct;
  for (const Received& received : Kafka::Shared().Read(topic, 2000)) distinct.insert(received.record.payload);
  EXPECT_EQ(distinct.size(), 2000u);
}

}  // namespace
}  // namespace parvis::bus
