// The consumer against a real Kafka, with offsets in a real PostgreSQL.
#include "platform/bus/testdata/consumer_fixture.h"

#include <atomic>

namespace parvis::bus {
namespace {

TEST_F(ConsumerTest, AppliesEachRecordOnceAcrossRestartsAndInOrder) {
  std::mutex mutex;
  std::map<std::string, int> last;
  bool ordered = true;
  const auto handler = [&](const StreamPositions& p, const std::vector<Received>& batch) {
    for (const Received& received : batch) {
      const std::lock_guard lock(mutex);
      const int number = std::stoi(received.record.payload);
      ordered = ordered && (!last.contains(received.record.key) || last[received.record.key] < number);
      last[received.record.key] = number;
    }
    return Apply(p, batch);
  };
  Produce(0, 2000);
  auto consumer = Make(handler);
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 2000; }, absl::Seconds(30)));
  EXPECT_TRUE(consumer->Ready().ok());
  consumer->Stop(absl::Seconds(10));
  Produce(2000, 3000);
  consumer = Make(handler);
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 3000; }, absl::Seconds(30)));
  consumer->Stop(absl::Seconds(10));
  EXPECT_EQ(Doubled(), 0);
  EXPECT_TRUE(ordered);
}

TEST_F(ConsumerTest, TwoMembersShareThePartitionsAndNothingIsDoubled) {
  std::mutex mutex;
  std::map<int, size_t> owned;
  const auto options = [&](int member) {
    Consumer::Options o;
    o.on_assignment = [&, member](const std::string&, const std::vector<StreamPosition>& positions) {
      const std::lock_guard lock(mutex);
      owned[member] = positions.size();
    };
    return o;
  };
  const auto owns = [&](size_t one, size_t two) {
    return WaitFor([&] {
      const std::lock_guard lock(mutex);
      return owned[1] + owned[2] == 3 && owned[1] >= one && owned[2] >= two;
    }, absl::Seconds(30));
  };
  auto first = Make(Applying(), options(1));
  Produce(0, 1000);
  ASSERT_TRUE(owns(3, 0));
  auto second = Make(Applying(), options(2));
  Produce(1000, 2000);
  ASSERT_TRUE(owns(1, 1));
  Produce(2000, 3000);
  first->Stop(absl::Seconds(10));
  ASSERT_TRUE(owns(0, 3));
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 3000; }, absl::Seconds(30)));
  EXPECT_EQ(Doubled(), 0);
}

TEST_F(ConsumerTest, AZombieIsFencedRollsBackAndRejoins) {
  std::atomic<int> fenced{0};
  const auto handler = [&](const StreamPositions& p, const std::vector<Received>& b) {
    const Status status = Apply(p, b);
    fenced += ReasonOf(status) == "FENCED";
    return status;
  };
  auto consumer = Make(handler);
  Produce(0, 300);
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 300; }, absl::Seconds(30)));
  // Somebody else claims all partitions, as after a pause of ours that outlasted the session.
  for (int partition = 0; partition < 3; ++partition) ASSERT_TRUE(offsets_.Claim(group_, topic_, partition).ok());
  Produce(300, 600);
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 600; }, absl::Seconds(60)));
  EXPECT_GE(fenced, 1);
  EXPECT_EQ(Doubled(), 0);
}

TEST_F(ConsumerTest, PartitionsShareBatchesAndAreFencedTogether) {
  std::atomic<size_t> most{0};
  std::atomic<int> fenced{0};
  const auto handler = [&](const StreamPositions& p, const std::vector<Received>& b) {
    most = std::max(most.load(), p.size());
    const Status status = Apply(p, b);
    fenced += ReasonOf(status) == "FENCED";
    return status;
  };
  auto consumer = Make(handler);
  // The first record is handled at once, alone; the others come while batches are kept apart.
  for (int i = 0; i < 10; ++i) Produce(100 * i, 100 * (i + 1));
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 1000; }, absl::Seconds(30)));
  EXPECT_EQ(most, 3u);
  // One partition has a newer owner: nothing of a batch that it shares may be stored.
  ASSERT_TRUE(offsets_.Claim(group_, topic_, 1).ok());
  for (int i = 10; i < 20; ++i) Produce(100 * i, 100 * (i + 1));
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 2000; }, absl::Seconds(60)));
  EXPECT_GE(fenced, 1);
  EXPECT_EQ(Doubled(), 0);
}

TEST_F(ConsumerTest, PoisonGoesToTheDeadLettersAndTheRestIsApplied) {
  std::atomic<int> seen{0};
  auto consumer = Make([&](const StreamPositions& p, const std::vector<Received>& batch) {
    for (const Received& received : batch) {
      if (received.record.payload == "77" || received.record.payload == "78") {
        seen += batch.size() == 1;
        return MakeError(Code::kInvalidArgument, "BAD_RECORD", "cannot be parsed");
      }
    }
    return Apply(p, batch);
  });
  Produce(0, 500);
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 498; }, absl::Seconds(30)));
  const std::vector<Received> dead = Kafka::Shared().Read(topic_ + ".dlq." + group_, 2);
  ASSERT_EQ(dead.size(), 2u);
  EXPECT_EQ(seen, 6);   // three tries each
  for (const Received& letter : dead) {
    EXPECT_EQ(letter.record.headers.at("parvis_reason"), "BAD_RECORD");
    EXPECT_EQ(letter.record.headers.at("parvis_message"), "cannot be parsed");
    EXPECT_TRUE(letter.record.headers.contains("parvis_offset"));
    EXPECT_TRUE(letter.record.headers.contains("parvis_partition"));
  }
  EXPECT_EQ(Doubled(), 0);
  // The partitions have moved on: the positions are behind the last record.
  EXPECT_TRUE(WaitFor([&] { return Database().Number("SELECT sum(next) FROM stream_offsets") == 500; }));
}

TEST_F(ConsumerTest, UnavailabilityIsTriedAgainWithoutLossOrDeadLetter) {
  std::atomic<int> failures{0};
  auto consumer = Make([&](const StreamPositions& p, const std::vector<Received>& batch) {
    if (batch[0].partition == 0 && failures < 5) {
      ++failures;
      return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "not now");
    }
    return Apply(p, batch);
  });
  Produce(0, 1000);
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 1000; }, absl::Seconds(30)));
  EXPECT_EQ(failures, 5);
  EXPECT_EQ(Doubled(), 0);
}

TEST_F(ConsumerTest, ALostCommitAnswerDoublesNothing) {
  std::atomic<bool> lost{false};
  auto consumer = Make([&](const StreamPositions& p, const std::vector<Received>& batch) {
    const Status status = Apply(p, batch);
    if (status.ok() && !lost.exchange(true)) return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "COMMIT's answer was lost");
    return status;
  });
  Produce(0, 1000);
  ASSERT_TRUE(WaitFor([&] { return Distinct() == 1000; }, absl::Seconds(60)));
  EXPECT_EQ(Doubled(), 0);
}

TEST_F(ConsumerTest, DatabaseAwayDuringTheClaimIsWaitedFor) {
  testing::Postgres own(/*durable=*/true);
  testing::ServiceDatabase sample("sample", "services/platform/db/testdata/schema", own);
  db::OffsetTable offsets(sample.stream(), "sample");
  own.Kill();
  Consumer consumer(Kafka::Shared().Config(), {.group = group_, .topics = {topic_}}, &offsets, producer_, sample.clock(), metrics_,
                    [&](const StreamPositions& p, const std::vector<Received>& batch) {
                      return sample.stream().Run(BackgroundCall("t"), [&](db::Tx& tx) -> Status {
                        for (const Received& r : batch) {
                          PARVIS_RETURN_IF_ERROR(tx.Query("INSERT INTO things (workspace_id, thing_id) VALUES ($1, $2)",
                                                          {kWorkspace, r.record.payload}).status());
                        }
                        return db::OffsetTable::Advance(tx, p);
                      });
                    });
  Produce(0, 100);
  ASSERT_TRUE(consumer.Start().ok());
  EXPECT_TRUE(WaitFor([&] { return metrics_.Expose().find("parvis_db") == std::string::npos && !sample.stream().Ping().ok(); }));
  own.Start();
  ASSERT_TRUE(WaitFor([&] { return sample.Number("SELECT count(*) FROM things") == 100; }, absl::Seconds(40)));
  consumer.Stop(absl::Seconds(10));
}

TEST_F(ConsumerTest, StageToKafkaGoesOnWhereItWasCommitted) {
  SeeingStage stage;
  Produce(0, 500);
  auto consumer = Make(stage.Handler(), {.offsets = Consumer::Offsets::kKafka});
  ASSERT_TRUE(WaitFor([&] { return stage.size() == 500; }, absl::Seconds(30)));
  consumer->Stop(absl::Seconds(10));
  Produce(500, 600);
  consumer = Make(stage.Handler(), {.offsets = Consumer::Offsets::kKafka});
  ASSERT_TRUE(WaitFor([&] { return stage.size() >= 600; }, absl::Seconds(30)));
  consumer->Stop(absl::Seconds(10));
  EXPECT_EQ(stage.size(), 600u);
}

}  // namespace
}  // namespace parvis::bus
