// What the consumer does when Kafka lacks the offset, when its name is taken, when it was killed, and when nothing
// works.
#include <atomic>

#include "platform/bus/rdkafka.h"
#include "platform/bus/testdata/consumer_fixture.h"

namespace parvis::bus {
namespace {

struct FreeQueue {
  void operator()(rd_kafka_queue_t* q) const { rd_kafka_queue_destroy(q); }
};
struct FreeEvent {
  void operator()(rd_kafka_event_t* e) const { rd_kafka_event_destroy(e); }
};

// Time of the machine, with leaps.
class LeapingClock : public RealClock {
 public:
  Instant Now() const override { return RealClock::Now() + absl::Nanoseconds(leapt_.load()); }
  void Leap(absl::Duration by) { leapt_ += absl::ToInt64Nanoseconds(by); }

 private:
  std::atomic<int64_t> leapt_{0};
};

class GuardTest : public ConsumerTest {
 protected:
  GuardTest()
      : admin_(*MakeHandle(RD_KAFKA_PRODUCER, MakeConf({{"bootstrap.servers", Kafka::Shared().brokers()}}, nullptr))) {}

  bool Done(rd_kafka_queue_t* queue) {
    const std::unique_ptr<rd_kafka_event_t, FreeEvent> event(rd_kafka_queue_poll(queue, 20'000));
    return event && rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  // As Kafka's retention would do it.
  void RemoveBefore(int partition, int64_t offset) {
    const std::unique_ptr<rd_kafka_queue_t, FreeQueue> queue(rd_kafka_queue_new(admin_.get()));
    const ListPtr list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition)->offset = offset;
    rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(list.get());
    rd_kafka_DeleteRecords(admin_.get(), &request, 1, nullptr, queue.get());
    EXPECT_TRUE(Done(queue.get()));
    rd_kafka_DeleteRecords_destroy(request);
  }
  // The topic with other data: as after a disaster of Kafka.
  void ReplaceTopic() {
    const std::unique_ptr<rd_kafka_queue_t, FreeQueue> queue(rd_kafka_queue_new(admin_.get()));
    rd_kafka_DeleteTopic_t* request = rd_kafka_DeleteTopic_new(topic_.c_str());
    rd_kafka_DeleteTopics(admin_.get(), &request, 1, nullptr, queue.get());
    EXPECT_TRUE(Done(queue.get()));
    rd_kafka_DeleteTopic_destroy(request);
    // Removed in the background; making it is refused until then.
    ASSERT_TRUE(testing::WaitFor(
        [&] {
          const bool made =
              EnsureTopics(Kafka::Shared().brokers(), {{.name = topic_, .partitions = 3}}, absl::Seconds(5)).ok();
          return made && EndOf(0) == 0 && EndOf(1) == 0 && EndOf(2) == 0;
        },
        absl::Seconds(30)));
  }
  int64_t EndOf(int partition) {
    int64_t low = -1, high = -1;
    rd_kafka_query_watermark_offsets(admin_.get(), topic_.c_str(), partition, &low, &high, 5000);
    return high;
  }
  // A record that was written long ago.
  void ProduceOld(int partition, const std::string& payload) {
    ASSERT_EQ(rd_kafka_producev(admin_.get(), RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_PARTITION(partition),
                                RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),
                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(1'700'000'000'000),
                                RD_KAFKA_V_END),
              RD_KAFKA_RESP_ERR_NO_ERROR);
    ASSERT_EQ(rd_kafka_flush(admin_.get(), 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  int64_t Stored(int partition) {
    return Database().Number("SELECT coalesce(max(next), -1) FROM stream_offsets WHERE part = " +
                             std::to_string(partition));
  }
  void Store(int64_t next, const std::string& where = "true") {  // as a person would
    Database().Number("WITH u AS (UPDATE stream_offsets SET next = " + std::to_string(next) + " WHERE " + where +
                      " RETURNING 1) SELECT count(*) FROM u");
  }
  double Gaps(const std::string& reason) {
    return metrics_
        .counter("parvis_bus_offset_gaps_total", "", {{"topic", topic_}, {"group", group_}, {"reason", reason}})
        .Value();
  }

  bool BecomesUnready(Consumer& consumer, const std::string& reason) {
    return WaitFor([&] { return ReasonOf(consumer.Ready()) == reason; }, absl::Seconds(30));
  }
  bool BecomesReady(Consumer& consumer) {
    return WaitFor([&] { return consumer.Ready().ok(); }, absl::Seconds(30));
  }

  HandlePtr admin_;
};

TEST_F(GuardTest, ReplacedTopicStopsThePartitionsUntilAPersonDecides) {
  Produce(0, 300);
  auto consumer = Make(Applying());
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 300; }, absl::Seconds(30)));
  consumer->Stop(absl::Seconds(10));
  const int64_t before = Database().Number("SELECT sum(next) FROM stream_offsets");
  ReplaceTopic();
  Produce(1000, 1030);
  consumer = Make(Applying());
  ASSERT_TRUE(BecomesUnready(*consumer, "OFFSET_BEYOND_END"));
  ASSERT_TRUE(WaitFor([&] { return Gaps("OFFSET_BEYOND_END") == 3; }));
  // New records reach the stored offsets: going on there would skip those before.
  Produce(1030, 2000);
  for (int partition = 0; partition < 3; ++partition) ASSERT_GT(EndOf(partition), Stored(partition));
  const int64_t epochs = Database().Number("SELECT sum(epoch) FROM stream_offsets");
  ASSERT_TRUE(WaitFor([&] { return Database().Number("SELECT sum(epoch) FROM stream_offsets") >= epochs + 6; },
                      absl::Seconds(60)))
      << "looked at again and again";
  EXPECT_EQ(ReasonOf(consumer->Ready()), "OFFSET_BEYOND_END");
  EXPECT_EQ(Distinct(), 300);
  EXPECT_EQ(Database().Number("SELECT sum(next) FROM stream_offsets"), before);
  EXPECT_EQ(Gaps("OFFSET_BEYOND_END"), 3) << "told once each";

  Store(0);
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 1300; }, absl::Seconds(60)));
  EXPECT_EQ(Doubled(), 0);
  EXPECT_TRUE(BecomesReady(*consumer));
  consumer->Stop(absl::Seconds(10));
}

TEST_F(GuardTest, ALeaderThatRecoversItsOldRecordsIsGoneOnWith) {
  for (int i = 0; i < 5; ++i) ProduceOld(1, "old" + std::to_string(i));
  for (int partition = 0; partition < 3; ++partition) ASSERT_TRUE(offsets_.Claim(group_, topic_, partition).ok());
  Store(8, "part = 1");
  auto consumer = Make(Applying());
  ASSERT_TRUE(BecomesUnready(*consumer, "OFFSET_BEYOND_END"));
  for (int i = 5; i < 10; ++i) ProduceOld(1, "old" + std::to_string(i));
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 2; }, absl::Seconds(30)));  // offsets 8 and 9
  EXPECT_TRUE(BecomesReady(*consumer));
  consumer->Stop(absl::Seconds(10));
}

TEST_F(GuardTest, RecordsRemovedBeforeTheyWereHandledStopThatPartitionOnly) {
  Produce(0, 300);
  auto consumer = Make(Applying());
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 300; }, absl::Seconds(30)));
  consumer->Stop(absl::Seconds(10));
  Produce(300, 600);
  const int64_t low = Stored(1) + 10, end = EndOf(1), lost = 10;
  RemoveBefore(1, low);
  consumer = Make(Applying());
  ASSERT_TRUE(BecomesUnready(*consumer, "OFFSET_EXPIRED"));
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 600 - (end - low) - lost; }, absl::Seconds(30))) << "the others go on";
  EXPECT_EQ(Gaps("OFFSET_EXPIRED"), 1);
  EXPECT_EQ(Stored(1), low - lost);
  Produce(600, 700);
  Store(low, "part = 1");
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 700 - lost; }, absl::Seconds(60)));
  EXPECT_EQ(Doubled(), 0);
  EXPECT_TRUE(BecomesReady(*consumer));
  // A partition that stands still can be given up and taken over like any other.
  consumer->Stop(absl::Seconds(10));
  Store(EndOf(1) + 5, "part = 1");
  consumer = Make(Applying());
  ASSERT_TRUE(BecomesUnready(*consumer, "OFFSET_BEYOND_END"));
  auto second = Make(Applying());
  Produce(700, 701);
  ASSERT_TRUE(WaitFor([&] { return !consumer->Ready().ok() != !second->Ready().ok(); }));
  consumer->Stop(absl::Seconds(10));
  ASSERT_TRUE(BecomesUnready(*second, "OFFSET_BEYOND_END"));
  second->Stop(absl::Seconds(10));
}

TEST_F(GuardTest, AStageToKafkaIsNotResetEither) {
  SeeingStage stage;
  Produce(0, 300);
  auto consumer = Make(stage.Handler(), {.offsets = Consumer::Offsets::kKafka});
  ASSERT_TRUE(WaitFor([&] { return stage.size() == 300; }, absl::Seconds(30)));
  consumer->Stop(absl::Seconds(10));
  const int64_t end = EndOf(2);
  Produce(300, 600);
  RemoveBefore(2, EndOf(2) - 1);
  const size_t gone = static_cast<size_t>(EndOf(2) - 1 - end);
  consumer = Make(stage.Handler(), {.offsets = Consumer::Offsets::kKafka});
  ASSERT_TRUE(BecomesUnready(*consumer, "OFFSET_EXPIRED"));
  ASSERT_TRUE(WaitFor([&] { return stage.size() == 600 - gone - 1; }, absl::Seconds(30)));
  EXPECT_EQ(Gaps("OFFSET_EXPIRED"), 1);
  consumer->Stop(absl::Seconds(10));
}

TEST_F(GuardTest, ANewGroupBeginsWithTheOldestRecordAndNotesIt) {
  Produce(0, 300);
  const int64_t low = EndOf(0) - 3;
  RemoveBefore(0, low);
  const int64_t rest = 3 + EndOf(1) + EndOf(2);
  std::atomic<bool> working{false};
  auto consumer = Make([&](const StreamPositions& p, const std::vector<Received>& batch) {
    if (!batch.empty() && !working) return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "not now");
    return Apply(p, batch);
  });
  ASSERT_TRUE(WaitFor([&] { return Stored(0) == low; }, absl::Seconds(30))) << "also when nothing can be handled yet";
  consumer->Stop(absl::Seconds(10));
  working = true;
  consumer = Make(Applying());
  ASSERT_TRUE(WaitFor([&] { return Distinct() == rest; }, absl::Seconds(30)));
  EXPECT_TRUE(consumer->Ready().ok());
  consumer->Stop(absl::Seconds(10));
}

TEST_F(GuardTest, ReadinessEndsWithAHandlerThatFailsForHalfAMinuteAndComesBack) {
  LeapingClock clock;
  std::atomic<bool> working{false};
  std::atomic<int> failures{0};
  Consumer consumer(Kafka::Shared().Config(), {.group = group_, .topics = {topic_}}, &offsets_, producer_, clock,
                    metrics_, [&](const StreamPositions& p, const std::vector<Received>& batch) {
                      if (working) return Apply(p, batch);
                      ++failures;
                      return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "not now");
                    });
  ASSERT_TRUE(consumer.Start().ok());
  Produce(0, 100);
  ASSERT_TRUE(WaitFor([&] { return failures > 3; }, absl::Seconds(30)));
  clock.Leap(absl::Seconds(20));
  const int before = failures;
  ASSERT_TRUE(WaitFor([&] { return failures > before + 3; }, absl::Seconds(30)));
  EXPECT_TRUE(consumer.Ready().ok()) << "not for less";
  clock.Leap(absl::Seconds(11));
  ASSERT_TRUE(BecomesUnready(consumer, "CONSUMER_FAILING"));
  working = true;
  ASSERT_TRUE(BecomesReady(consumer));
  EXPECT_EQ(Distinct(), 100);
  consumer.Stop(absl::Seconds(10));
}

}  // namespace
}  // namespace parvis::bus
