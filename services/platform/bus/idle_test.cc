// What waiting costs: an idle service must be nearly free (all services together 3 % of a core).
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <condition_variable>

#include "platform/bus/consumer.h"
#include "platform/bus/outbox_relay.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/kafka.h"
#include "platform/testing/postgres.h"
#include "platform/testing/wait.h"

namespace parvis::bus {
namespace {

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST(Idle, ConsumersRelayAndProducerCostNearlyNothing) {
  testing::ServiceDatabase sample("sample", "services/platform/db/testdata/schema");
  testing::Kafka& kafka = testing::Kafka::Shared();
  const std::string topic = testing::Kafka::Unique("idle");
  kafka.MakeTopic(topic, 8);
  obs::Metrics metrics;
  BusConfig config;   // as in production
  config.brokers = kafka.brokers();
  Producer producer(config, metrics);
  db::OffsetTable offsets(sample.stream(), "sample");
  db::OutboxTable outbox(sample.stream());
  OutboxRelay relay(outbox, producer, metrics);
  std::atomic<int> owned{0};
  std::atomic<int> handled{0};
  Consumer consumer(config, {.group = testing::Kafka::Unique("idle.group"), .topics = {topic},
                             .on_assignment = [&](const std::string&, const std::vector<StreamPosition>& p) { owned = static_cast<int>(p.size()); }},
                    &offsets, producer, sample.clock(), metrics, [&](const StreamPositions& p, const std::vector<Received>& batch) {
                      handled += static_cast<int>(batch.size());
                      return sample.stream().Run(BackgroundCall("t"), [&](db::Tx& tx) { return db::OffsetTable::Advance(tx, p); });
                    });
  ASSERT_TRUE(relay.Start().ok());
  ASSERT_TRUE(consumer.Start().ok());
  ASSERT_TRUE(producer.SendAll({{.topic = topic, .key = "k", .payload = "p"}}).ok());
  ASSERT_TRUE(testing::WaitFor([&] { return owned == 8 && handled == 1; }, absl::Seconds(30)));

  constexpr double kSeconds = 4;
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const double before = CpuSeconds();
  never.wait_for(lock, std::chrono::duration<double>(kSeconds));
  const double share = (CpuSeconds() - before) / kSeconds;
  std::printf("idle: %.2f %% of a core\n", 100 * share);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(share, 0.01);   // measured 0.4 %; the limit leaves room for a loaded machine
#endif
  consumer.Stop(absl::Seconds(10));
  relay.Stop(absl::Seconds(5));
}

}  // namespace
}  // namespace parvis::bus
