// The producer against a real Kafka.
#include "platform/bus/producer.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>  // after rdkafka.h

#include <atomic>
#include <mutex>
#include <set>

#include "platform/bus/envelope.h"
#include "platform/bus/rdkafka.h"
#include "platform/testing/kafka.h"
#include "platform/testing/wait.h"

namespace parvis::bus {
namespace {

using testing::Kafka;

TEST(Envelope, RoundTripsAndToleratesWhatIsMissing) {
  const Envelope envelope{.id = "i",
                          .type = "t",
                          .source = "s",
                          .workspace_id = "w",
                          .time = absl::FromUnixMicros(1'700'000'000'123'456),
                          .trace = Trace::New()};
  const Envelope back = ReadEnvelope(ToRecord("topic", "key", "payload", envelope));
  EXPECT_EQ(back.id, "i");
  EXPECT_EQ(back.type, "t");
  EXPECT_EQ(back.source, "s");
  EXPECT_EQ(back.workspace_id, "w");
  EXPECT_EQ(back.time, envelope.time);
  EXPECT_EQ(back.trace.trace_id, envelope.trace.trace_id);
  const Envelope empty = ReadEnvelope({.headers = {{"ce_time", "yesterday"}, {"traceparent", "x"}}});
  EXPECT_EQ(empty.id, "");
  EXPECT_EQ(empty.time, absl::InfinitePast());
}

TEST(Producer, KeepsKeyHeadersPayloadAndOrderPerKey) {
  Kafka& kafka = Kafka::Shared();
  const std::string topic = Kafka::Unique("order");
  kafka.MakeTopic(topic, 3);
  obs::Metrics metrics;
  Producer producer(kafka.Config(), metrics);
  std::atomic<int> acknowledged{0};
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "k" + std::to_string(i % 7);
    ASSERT_TRUE(producer
                    .Send({.topic = topic, .key = key, .payload = std::to_string(i), .headers = {{"ce_id", "é"}}},
                          [&](Status status) { acknowledged += status.ok(); })
                    .ok());
  }
  ASSERT_TRUE(producer.Flush(absl::Seconds(20)).ok());
  EXPECT_EQ(acknowledged, 3000);
  EXPECT_TRUE(producer.Ready().ok());
  const std::vector<Received> all = kafka.Read(topic, 3000);
  ASSERT_EQ(all.size(), 3000u);
  std::map<std::string, int> last;
  for (const Received& received : all) {
    const int number = std::stoi(received.record.payload);
    EXPECT_EQ(received.record.headers.at("ce_id"), "é");
    ASSERT_TRUE(!last.contains(received.record.key) || last[received.record.key] < number);
    last[received.record.key] = number;
  }
}

TEST(Producer, SaysWhenItIsFullAndWhenARecordIsTooLarge) {
  BusConfig config;
  config.brokers = "127.0.0.1:1";  // nobody there
  config.producer_queue_max = 100;
  config.delivery_max = absl::Seconds(1);
  obs::Metrics metrics;
  Producer producer(config, metrics);
  std::atomic<int> reported{0}, unavailable{0};
  int taken = 0;
  Status status;
  while (status.ok() && taken < 1000) {
    status = producer.Send({.topic = "t", .key = "k", .payload = "p"}, [&](Status s) {
      ++reported;
      unavailable += s.code() == Code::kUnavailable;
    });
    taken += status.ok();
  }
  EXPECT_EQ(ReasonOf(status), "BUS_QUEUE_FULL");
  EXPECT_EQ(taken, 100);
  EXPECT_EQ(ReasonOf(producer.Send({.topic = "t", .payload = std::string(2 << 20, 'x')}, [](Status) { FAIL(); })),
            "RECORD_TOO_LARGE");
  EXPECT_FALSE(producer.Ready().ok());
  EXPECT_TRUE(testing::WaitFor([&] { return reported == 100; }, absl::Seconds(15)));
  EXPECT_EQ(unavailable, 100);
}

TEST(Producer, ABatchIsAnsweredOnceForAllOfItsRecords) {
  Kafka& kafka = Kafka::Shared();
  const std::string topic = Kafka::Unique("batch");
  kafka.MakeTopic(topic, 3);
  obs::Metrics metrics;
  Producer producer(kafka.Config(), metrics);
  std::mutex mutex;
  std::vector<Status> answers;
  const auto answer = [&](Status status) {
    const std::lock_guard lock(mutex);
    answers.push_back(std::move(status));
  };
  const auto answered = [&](size_t count) {
    return testing::WaitFor([&] {
      const std::lock_guard lock(mutex);
      return answers.size() == count;
    });
  };
  const HeaderView header{"ce_id", "é"};
  {
    Producer::Batch batch(producer, answer);
    for (int i = 0; i < 100; ++i) {
      const std::string key = std::to_string(i % 7), payload = std::to_string(i);
      ASSERT_TRUE(batch.Add({topic, key, payload, {&header, 1}}).ok());
    }
  }
  ASSERT_TRUE(answered(1));
  EXPECT_TRUE(answers[0].ok()) << answers[0];
  const std::vector<Received> all = kafka.Read(topic, 100);
  ASSERT_EQ(all.size(), 100u);
  for (const Received& received : all) EXPECT_EQ(received.record.headers.at("ce_id"), "é");
  { const Producer::Batch empty(producer, answer); }
  ASSERT_TRUE(answered(2));
  EXPECT_TRUE(answers[1].ok());
  EXPECT_EQ(metrics.counter("parvis_bus_produced_total", "", {{"topic", topic}, {"outcome", "ok"}}).Value(), 100);

  BusConfig config;
  config.brokers = "127.0.0.1:1";  // nobody there
  config.producer_queue_max = 10;
  config.delivery_max = absl::Seconds(1);
  Producer alone(config, metrics);
  {
    Producer::Batch batch(alone, answer);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(batch.Add(RecordView{topic, "k", "p", {}}).ok());
    EXPECT_EQ(ReasonOf(batch.Add(RecordView{topic, "k", "p", {}})), "BUS_QUEUE_FULL");
    EXPECT_EQ(answers.size(), 2u);  // not before the end, and not before the others are known
  }
  ASSERT_TRUE(answered(3));
  EXPECT_EQ(ReasonOf(answers[2]), "BUS_QUEUE_FULL");
}

TEST(Producer, SendAllWaitsForEveryAckAlsoWithASmallQueue) {
  Kafka& kafka = Kafka::Shared();
  const std::string topic = Kafka::Unique("all");
  kafka.MakeTopic(topic, 1);
  BusConfig config = kafka.Config();
  config.producer_queue_max = 50;
  obs::Metrics metrics;
  Producer producer(config, metrics);
  std::vector<StreamRecord> records;
  for (int i = 0; i < 1000; ++i) records.push_back({.topic = topic, .key = "k", .payload = std::to_string(i)});
  ASSERT_TRUE(producer.SendAll(records).ok());
  const std::vector<Received> all = kafka.Read(topic, 1000);
  ASSERT_EQ(all.size(), 1000u);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(all[i].record.payload, std::to_string(i));
  config.delivery_max = absl::Seconds(2);
  Producer hasty(config, metrics);
  EXPECT_EQ(hasty.SendAll({{.topic = "no-such-topic", .payload = "x"}}).code(), Code::kUnavailable);
}

TEST(Producer, BrokerKilledAndRestartedLosesAndDoublesNothing) {
  Kafka kafka;
  kafka.MakeTopic("crash", 2);
  obs::Metrics metrics;
  BusConfig config = kafka.Config();
  config.delivery_max = absl::Seconds(60);
  Producer producer(config, metrics);
  std::atomic<int> ok{0}, failed{0};
  const auto send = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      ASSERT_TRUE(producer
                      .Send({.topic = "crash", .key = std::to_string(i % 5), .payload = std::to_string(i)},
                            [&](Status status) { ++(status.ok() ? ok : failed); })
                      .ok());
    }
  };
  send(0, 5000);
  testing::WaitFor([&] { return ok > 500; });
  kafka.Kill();
  send(5000, 8000);
  kafka.Start();
  ASSERT_TRUE(producer.Flush(absl::Seconds(60)).ok());
  EXPECT_EQ(ok, 8000);
  EXPECT_EQ(failed, 0);
  const std::vector<Received> all = kafka.Read("crash", 8000);
  EXPECT_EQ(all.size(), 8000u);
  std::map<std::string, int> last;
  for (const Received& received : all) {
    const int number = std::stoi(received.record.payload);
    ASSERT_TRUE(!last.contains(received.record.key) || last[received.record.key] < number) << number;
    last[received.record.key] = number;
  }
}

// A broker inside librdkafka that answers as it is told: a real one gives no fatal error on request.
class TellingBroker {
 public:
  TellingBroker()
      : rk_(*MakeHandle(RD_KAFKA_PRODUCER, MakeConf({}, nullptr))), cluster_(rd_kafka_mock_cluster_new(rk_.get(), 1)) {
    rd_kafka_mock_topic_create(cluster_, "told", 1, 1);
  }
  ~TellingBroker() { rd_kafka_mock_cluster_destroy(cluster_); }
  std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  void AnswerProduce(rd_kafka_resp_err_t err) {
    constexpr int16_t kProduce = 0;
    rd_kafka_mock_push_request_errors(cluster_, kProduce, 1, err);
  }
  void Slow(int millis) { rd_kafka_mock_broker_set_rtt(cluster_, 1, millis); }

 private:
  HandlePtr rk_;
  rd_kafka_mock_cluster_t* cluster_;
};

TEST(Producer, IsMadeAnewAfterAFatalErrorAndReportsWhatWasInFlight) {
  TellingBroker broker;
  BusConfig config;
  config.brokers = broker.brokers();
  obs::Metrics metrics;
  Producer producer(config, metrics);
  auto& rebuilds = metrics.counter("parvis_bus_producer_rebuilds_total", "");
  ASSERT_TRUE(producer.SendAll({{.topic = "told", .key = "k", .payload = "before"}}).ok());

  for (int round = 1; round <= 3; ++round) {
    // The broker misses a sequence number: an idempotent producer may never send again.
    broker.AnswerProduce(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    broker.Slow(200);  // all of them are queued or in flight when it says so
    std::mutex mutex;
    std::multiset<std::string> reasons;
    size_t reported = 0, taken = 0;
    for (int i = 0; i < 100; ++i) {
      taken += producer
                   .Send({.topic = "told", .key = "k", .payload = std::to_string(i)},
                         [&](Status status) {
                           const std::lock_guard lock(mutex);
                           ++reported;
                           if (!status.ok())
                             reasons.insert(absl::StatusCodeToString(status.code()) + " " + ReasonOf(status));
                         })
                   .ok();
    }
    ASSERT_TRUE(producer.Flush(absl::Seconds(20)).ok());
    broker.Slow(0);
    {
      const std::lock_guard lock(mutex);
      EXPECT_EQ(taken, 100u);
      EXPECT_EQ(reported, 100u);
      EXPECT_EQ(reasons.count("UNAVAILABLE PRODUCER_FATAL"), 100u);
    }
    ASSERT_TRUE(testing::WaitFor([&] { return rebuilds.Value() == round; }));
    // Their owners send again: refused for a moment at most.
    ASSERT_TRUE(
        testing::WaitFor([&] { return producer.SendAll({{.topic = "told", .key = "k", .payload = "again"}}).ok(); }));
    EXPECT_EQ(rebuilds.Value(), round);
  }
}

TEST(Topics, AreMadeOnceAndAnotherPartitionCountIsRefused) {
  Kafka& kafka = Kafka::Shared();
  const std::string topic = Kafka::Unique("made");
  EXPECT_TRUE(EnsureTopics(kafka.brokers(), {{.name = topic, .partitions = 2}}, absl::Seconds(20)).ok());
  EXPECT_TRUE(
      EnsureTopics(kafka.brokers(), {{.name = topic, .partitions = 2}, DeadLetterTopic(topic, "g")}, absl::Seconds(20))
          .ok());
  EXPECT_EQ(ReasonOf(EnsureTopics(kafka.brokers(), {{.name = topic, .partitions = 3}}, absl::Seconds(20))),
            "TOPIC_PARTITIONS");
  EXPECT_EQ(EnsureTopics("127.0.0.1:1", {{.name = topic}}, absl::Seconds(1)).code(), Code::kUnavailable);
}

}  // namespace
}  // namespace parvis::bus
