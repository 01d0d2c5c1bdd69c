// Activities through a real Kafka.
#include "ingestion/bus/activity_sink.h"

#include <gtest/gtest.h>

#include <atomic>

#include "parvis/ingestion/v1/activity.pb.h"
#include "platform/bus/envelope.h"
#include "platform/testing/kafka.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

Activity AnActivity(const std::string& remote_id) {
  Happening what;
  what.kind = Kind::kEdit;
  what.remote_id = remote_id;
  what.thread = "t1";
  what.author_name = "Zoé";
  what.text = "merci \xF0\x9F\x98\x80";
  what.occurred_at = absl::FromUnixMillis(1'790'000'000'123);
  what.revision = 1'790'000'000'123'000;
  what.by_us = true;
  what.attachments.emplace_back("image/png", "https://cdn.example/1.png");
  return MakeActivity(what, {"w1", "c1"}, "facebook", Origin::kBackfill, absl::FromUnixSeconds(1'790'000'100));
}

// Everything of `activity`, which was received with `trace`.
void ExpectCarriesEverything(const StreamRecord& record, const Activity& activity, const Trace& trace) {
  EXPECT_EQ(record.topic, "parvis.ingestion.activity.v1");
  EXPECT_EQ(record.key, "w1/c1/t1");
  const bus::Envelope envelope = bus::ReadEnvelope(record);
  EXPECT_EQ(envelope.id, activity.id);
  EXPECT_EQ(envelope.workspace_id, "w1");
  EXPECT_EQ(envelope.trace.trace_id, trace.trace_id);
  v1::Activity message;
  ASSERT_TRUE(message.ParseFromString(record.payload));
  EXPECT_EQ(message.kind(), v1::Activity::KIND_EDIT);
  EXPECT_EQ(message.origin(), v1::Activity::ORIGIN_BACKFILL);
  EXPECT_EQ(message.text(), "merci \xF0\x9F\x98\x80");
  EXPECT_EQ(message.occurred_at().nanos(), 123'000'000);
  EXPECT_EQ(message.revision(), 1'790'000'000'123'000);
  EXPECT_EQ(message.conversation(), "t1");
  EXPECT_TRUE(message.by_us());
  EXPECT_EQ(message.attachments(0).url(), "https://cdn.example/1.png");
}

TEST(ActivityRecordTest, DeadLettersFitIntoARecord) {
  RawPart part{std::string(2000, 'x'), "NOT_JSON", "at byte 7"};
  StreamRecord record = ToDeadLetter(part, "x", Trace(), absl::UnixEpoch(), 1000);
  EXPECT_EQ(record.topic, "parvis.ingestion.activity.v1.dlq.ingestion.receive");
  EXPECT_EQ(record.payload.size(), 1000u);
  EXPECT_EQ(record.headers.at("parvis_truncated"), "true");
  EXPECT_EQ(record.headers.at("parvis_reason"), "NOT_JSON");
  EXPECT_FALSE(ToDeadLetter(part, "x", Trace(), absl::UnixEpoch(), 2000).headers.contains("parvis_truncated"));
}

TEST(KafkaActivitySinkTest, AnswersWhenAllIsAcknowledgedAndKeepsTheOrderOfAThread) {
  testing::Kafka& kafka = testing::Kafka::Shared();
  kafka.MakeTopic("parvis.ingestion.activity.v1", 3, {"ingestion.receive"});
  obs::Metrics metrics;
  RealClock clock;
  bus::Producer producer(kafka.Config(), metrics);
  KafkaActivitySink sink(producer, clock, 1 << 20);
  std::vector<Activity> activities;
  for (int i = 0; i < 500; ++i) activities.push_back(AnActivity(std::to_string(i)));
  std::atomic<int> answers = 0;
  Status answer;
  const Trace trace = Trace::New();
  sink.Send(trace, activities, {{"garbage", "NOT_JSON", ""}}, "facebook", [&](Status status) {
    answer = status;
    ++answers;
  });
  ASSERT_TRUE(testing::WaitFor([&] { return answers > 0; }, absl::Seconds(30)));
  EXPECT_TRUE(answer.ok()) << answer;
  auto records = kafka.Read("parvis.ingestion.activity.v1", 500);
  ASSERT_EQ(records.size(), 500u);
  for (int i = 0; i < 500; ++i) {
    v1::Activity message;
    ASSERT_TRUE(message.ParseFromString(records[i].record.payload));
    EXPECT_EQ(message.remote_id(), std::to_string(i));
  }
  ExpectCarriesEverything(records[7].record, activities[7], trace);
  auto dead = kafka.Read(kReceiveDeadLetters, 1);
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].record.payload, "garbage");
  EXPECT_EQ(dead[0].record.headers.at("parvis_network"), "facebook");
  EXPECT_EQ(answers, 1);
}

TEST(KafkaActivitySinkTest, AFullQueueIsAnErrorAndNotAWait) {
  obs::Metrics metrics;
  RealClock clock;
  bus::BusConfig config;
  config.brokers = "127.0.0.1:1";   // nobody listens there
  config.producer_queue_max = 10;
  config.delivery_max = absl::Seconds(2);
  bus::Producer producer(config, metrics);
  KafkaActivitySink sink(producer, clock, 1 << 20);
  std::vector<Activity> activities(100, AnActivity("1"));
  std::atomic<bool> done = false;
  Status answer;
  sink.Send(Trace::New(), activities, {}, "facebook", [&](Status status) {
    answer = status;
    done = true;
  });
  ASSERT_TRUE(testing::WaitFor([&] { return done.load(); }, absl::Seconds(20)));
  EXPECT_EQ(ReasonOf(answer), "BUS_QUEUE_FULL");
}

}  // namespace
}  // namespace parvis::ingestion
