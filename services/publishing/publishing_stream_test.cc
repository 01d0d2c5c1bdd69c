// The service without its RPCs: commands from Kafka into the ledger, to a network in memory, and out again as events; with
// real Kafka and real PostgreSQL.
#include <gtest/gtest.h>

#include "parvis/publishing/v1/events.pb.h"
#include "platform/base/executor.h"
#include "platform/bus/outbox_relay.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/kafka.h"
#include "platform/testing/wait.h"
#include "publishing/bus/command_consumer.h"
#include "publishing/bus/delivery_events.h"
#include "publishing/domain/deliverer.h"
#include "publishing/domain/testing/builders.h"
#include "publishing/domain/testing/fake_network.h"
#include "publishing/storage/ledger_store.h"
#include "publishing/storage/testdata/database.h"

namespace parvis::publishing {
namespace {

constexpr int kPartitions = 2;

// One replica, put together as in main.cc.
class Replica {
 public:
  Replica(FakeNetwork& network, FakeDirectory& directory, const std::string& name)
      : bus_(testing::Kafka::Shared().Config()), producer_(bus_, metrics_), outbox_(Database().stream()),
        relay_(outbox_, producer_, metrics_), offsets_(Database().stream(), "publishing"),
        ledger_(Database().stream(), ToRecord, [this] { relay_.Wake(); }), callers_({"network", 8, 64}),
        deliverer_(ledger_, network, clock_, [this](std::function<void()> task) { return callers_.TrySubmit(std::move(task)); },
                   Options(name)),
        consumer_(MakeCommandConsumer(bus_, offsets_, producer_, clock_, metrics_, {ledger_, directory, rules_, clock_, name},
                                      [this](const std::vector<StreamPosition>& owned) { deliverer_.SetOwned(owned); },
                                      [this] { deliverer_.Wake(); })) {
    EXPECT_TRUE(relay_.Start().ok());
    deliverer_.Start();
    EXPECT_TRUE(consumer_->Start().ok());
  }
  ~Replica() {
    consumer_->Stop(absl::Seconds(5));
    deliverer_.Stop(absl::Seconds(5));
    callers_.Stop();
    relay_.Stop(absl::Seconds(5));
  }

 private:
  static DelivererOptions Options(const std::string& name) {
    DelivererOptions options;
    options.partitions = kPartitions;
    options.rules.actor = name;
    options.rules.retry_initial = absl::Milliseconds(20);
    options.rules.read_spacing = absl::Milliseconds(100);
    options.sweep_every = absl::Milliseconds(50);
    return options;
  }
  bus::BusConfig bus_;
  RealClock clock_;
  obs::Metrics metrics_;
  bus::Producer producer_;
  db::OutboxTable outbox_;
  bus::OutboxRelay relay_;
  db::OffsetTable offsets_;
  LedgerStore ledger_;
  Executor callers_;
  FakeRules rules_;
  Deliverer deliverer_;
  std::unique_ptr<bus::Consumer> consumer_;
};

class StreamTest : public ::testing::Test {
 protected:
  StreamTest() : network_(clock_) {
    static const bool made = [] {
      testing::Kafka::Shared().MakeTopic(kCommandTopic, kPartitions, {kAcceptGroup});
      testing::Kafka::Shared().MakeTopic(kDeliveryTopic, kPartitions);
      return true;
    }();
    (void)made;
    network_.traits.settle = absl::Milliseconds(50);
    directory_.Add(kWorkspace, kChannel, "short");
    directory_.Add(kWorkspace, kOtherChannel, "short");
  }
  static StreamRecord Command(int i) {
    v1::DeliveryCommand command;
    command.set_command_id("inbox/reply/" + std::to_string(i));
    command.set_workspace_id(kWorkspace);
    command.set_channel_id(i % 2 == 0 ? kChannel : kOtherChannel);
    command.set_kind(v1::DELIVERY_KIND_REPLY);
    command.set_target_remote_id("c" + std::to_string(i % 7));
    command.set_thread("t" + std::to_string(i % 7));
    command.set_text("r" + std::to_string(i));
    command.mutable_requested_time()->set_seconds(absl::ToUnixSeconds(absl::Now()));
    command.mutable_requested_time()->set_nanos(i * 1000);
    return {kCommandTopic, command.channel_id(), command.SerializeAsString(), {}};
  }
  void Produce(const std::vector<StreamRecord>& records) {
    obs::Metrics metrics;
    bus::Producer producer(testing::Kafka::Shared().Config(), metrics);
    ASSERT_TRUE(producer.SendAll(records).ok());
  }
  RealClock clock_;
  FakeNetwork network_;
  FakeDirectory directory_;
};

TEST_F(StreamTest, CommandsAreDeliveredOnceAndTold) {
  constexpr int kCount = 60;
  for (int i = 0; i < kCount; i += 5) network_.next.insert(network_.next.end(), {Behaviour::kAccept, Behaviour::kAccept,
                                                           Behaviour::kAcceptThenLose, Behaviour::kNotSent});
  std::vector<StreamRecord> commands;
  for (int i = 0; i < kCount; ++i) {
    commands.push_back(Command(i));
    commands.push_back(Command(i));   // delivered twice by the sender
  }
  const auto delivered = [] { return Database().Number("SELECT count(*) FROM deliveries WHERE state = 4"); };
  {
    Replica first(network_, directory_, "publishing/first");
    Produce(commands);
    ASSERT_TRUE(testing::WaitFor([&] { return delivered() > kCount / 3; }, absl::Seconds(60)));
    // A second one takes over a part while calls are under way.
    Replica second(network_, directory_, "publishing/second");
    EXPECT_TRUE(testing::WaitFor([&] { return delivered() == kCount; }, absl::Seconds(90))) << delivered();
  }
  EXPECT_EQ(network_.accepted.size(), static_cast<size_t>(kCount));
  EXPECT_EQ(Database().Number("SELECT count(*) FROM deliveries"), kCount);

  // Every visible step of every delivery is told, numbered without gaps.
  const int64_t steps = Database().Number("SELECT sum(sequence) FROM deliveries");
  EXPECT_EQ(Database().Number("SELECT count(*) FROM outbox"), 0);
  std::map<std::string, std::set<int64_t>> sequences;
  for (const bus::Received& received : testing::Kafka::Shared().Read(kDeliveryTopic, steps)) {
    v1::DeliveryEvent event;
    ASSERT_TRUE(event.ParseFromString(received.record.payload));
    sequences[event.delivery().name()].insert(event.sequence());
  }
  EXPECT_EQ(sequences.size(), static_cast<size_t>(kCount));
  int64_t told = 0;
  for (const auto& [name, numbers] : sequences) {
    EXPECT_EQ(*numbers.rbegin(), static_cast<int64_t>(numbers.size())) << name;
    told += static_cast<int64_t>(numbers.size());
  }
  EXPECT_EQ(told, steps);

  // A command that cannot be read is parked with its reason, and the rest goes on.
  {
    Replica replica(network_, directory_, "publishing/third");
    Produce({{kCommandTopic, kChannel, "\xff\xff nonsense", {}}, Command(kCount)});
    EXPECT_TRUE(testing::WaitFor([&] { return delivered() == kCount + 1; }, absl::Seconds(60)));
  }
  const auto parked = testing::Kafka::Shared().Read(std::string(kCommandTopic) + ".dlq." + kAcceptGroup, 1);
  ASSERT_EQ(parked.size(), 1u);
  EXPECT_EQ(parked[0].record.headers.at("parvis_reason"), "NOT_PROTOBUF");
}

}  // namespace
}  // namespace parvis::publishing
