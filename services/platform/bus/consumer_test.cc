// The consumer against a real Kafka, with offsets in a real PostgreSQL.
#include "platform/bus/consumer.h"

#include <gtest/gtest.h>

#include <atomic>

#include "platform/db/stream_tables.h"
#include "platform/testing/kafka.h"
#include "platform/testing/postgres.h"
#include "platform/testing/wait.h"

namespace parvis::bus {
namespace {

using testing::Kafka;
using testing::WaitFor;

constexpr char kWorkspace[] = "0190a0b1-c2d3-7eee-8fff-00000000000a";
constexpr char kEffects[] =
    "INSERT INTO things (workspace_id, thing_id, amount) SELECT $1, unnest($2::text[]), 1 "
    "ON CONFLICT (workspace_id, thing_id) DO UPDATE SET amount = things.amount + 1";

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
  std::mutex mutex;
  std::multiset<std::string> seen;
  const auto stage = [&](const StreamPositions&, const std::vector<Received>& batch) {
    const std::lock_guard lock(mutex);
    for (const Received& received : batch) seen.insert(received.record.payload);
    return absl::OkStatus();
  };
  const auto size = [&] {
    const std::lock_guard lock(mutex);
    return seen.size();
  };
  Produce(0, 500);
  auto consumer = Make(stage, {.offsets = Consumer::Offsets::kKafka});
  ASSERT_TRUE(WaitFor([&] { return size() == 500; }, absl::Seconds(30)));
  consumer->Stop(absl::Seconds(10));
  Produce(500, 600);
  consumer = Make(stage, {.offsets = Consumer::Offsets::kKafka});
  ASSERT_TRUE(WaitFor([&] { return size() >= 600; }, absl::Seconds(30)));
  consumer->Stop(absl::Seconds(10));
  EXPECT_EQ(size(), 600u);
}

}  // namespace
}  // namespace parvis::bus
