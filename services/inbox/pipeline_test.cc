// The inbox on real Kafka and real PostgreSQL, built as main.cc builds it, without its gRPC server.
#include <gtest/gtest.h>

#include "inbox/bus/decode.h"
#include "inbox/bus/encode.h"
#include "inbox/bus/fold_consumer.h"
#include "inbox/domain/claim.h"
#include "inbox/domain/reply.h"
#include "inbox/domain/testing/scenario.h"
#include "inbox/storage/conversation_store.h"
#include "inbox/storage/event_outbox.h"
#include "inbox/storage/fold_store.h"
#include "inbox/transport/convert.h"
#include "parvis/moderation/v1/assessment.pb.h"
#include "parvis/publishing/v1/events.pb.h"
#include "platform/bus/outbox_relay.h"
#include "platform/db/stream_tables.h"
#include "platform/testing/kafka.h"
#include "platform/testing/postgres.h"
#include "platform/testing/wait.h"

namespace parvis::inbox {
namespace {

using parvis::testing::Kafka;
using parvis::testing::WaitFor;
using testing::CallOf;
using testing::IdOf;

StreamRecord CommentRecord(const std::string& thread, const std::string& remote_id, int at, bool by_us = false) {
  moderation::v1::Assessment assessment;
  auto& a = *assessment.mutable_activity();
  a.set_id("id-" + remote_id);
  a.set_workspace_id(testing::kWorkspace);
  a.set_channel_id(testing::kChannel);
  a.set_network("facebook");
  a.set_kind(ingestion::v1::Activity::KIND_COMMENT);
  a.set_remote_id(remote_id);
  a.set_thread(thread);
  a.set_conversation(thread);
  a.set_text("text of " + remote_id);
  a.set_by_us(by_us);
  a.mutable_occurred_at()->set_seconds(absl::ToUnixSeconds(testing::At(at)));
  a.set_revision(absl::ToUnixMicros(testing::At(at)));
  assessment.set_language("en");
  assessment.set_intent(moderation::v1::INTENT_QUESTION);
  assessment.set_action(moderation::v1::ACTION_ALLOW);
  return {.topic = bus::kAssessmentTopic, .key = thread, .payload = assessment.SerializeAsString(), .headers = {}};
}

// One replica.
struct Replica {
  explicit Replica(parvis::testing::ServiceDatabase& db, const parvis::bus::BusConfig& config)
      : producer(config, metrics), outbox(db.stream(), bus::EventRecord), relay(outbox, producer, metrics), offsets(db.stream(), "inbox"),
        conversations(db.api(), encoders, [this] { relay.Wake(); }),
        fold_store(db.stream(), encoders, [this] { relay.Wake(); }), fold(fold_store, clock, metrics),
        consumer(config, bus::FoldOptions(), &offsets, producer, clock, metrics, fold) {}
  Status Start() {
    PARVIS_RETURN_IF_ERROR(relay.Start());
    return consumer.Start();
  }
  void Stop() {
    consumer.Stop(absl::Seconds(10));
    relay.Stop(absl::Seconds(10));
  }
  storage::Encoders encoders{.event = EncodeEvent, .delivery = bus::CommandRecord};
  RealClock clock;
  obs::Metrics metrics;
  parvis::bus::Producer producer;
  storage::PgEventOutbox outbox;
  parvis::bus::OutboxRelay relay;
  db::OffsetTable offsets;
  storage::PgConversationStore conversations;
  storage::PgFoldStore fold_store;
  bus::FoldHandler fold;
  parvis::bus::Consumer consumer;
};

TEST(Pipeline, FromAssessmentsToConversationsAndBack) {
  parvis::testing::ServiceDatabase db("inbox");
  Kafka& kafka = Kafka::Shared();
  kafka.MakeTopic(bus::kAssessmentTopic, 3, {bus::kGroup});
  kafka.MakeTopic(bus::kDeliveryTopic, 3, {bus::kGroup});
  kafka.MakeTopic(bus::kConversationTopic, 3);
  kafka.MakeTopic(bus::kCommandTopic, 3);
  const parvis::bus::BusConfig config = kafka.Config();
  auto replica = std::make_unique<Replica>(db, config);
  ASSERT_TRUE(replica->Start().ok());

  constexpr int kThreads = 50, kEach = 20;
  std::vector<StreamRecord> records;
  for (int i = 0; i < kEach; ++i) {
    for (int t = 0; t < kThreads; ++t) {
      records.push_back(CommentRecord("t" + std::to_string(t), std::to_string(t) + "_" + std::to_string(i), i));
      if (i % 4 == 0) records.push_back(records.back());   // delivered twice
    }
  }
  // What cannot be read is parked and stops nobody.
  records.insert(records.begin() + 100, {.topic = bus::kAssessmentTopic, .key = "t1", .payload = "\xff\xff", .headers = {}});
  const size_t half = records.size() / 2;
  ASSERT_TRUE(replica->producer.SendAll({records.begin(), records.begin() + half}).ok());
  ASSERT_TRUE(WaitFor([&] { return db.Number("SELECT count(*) FROM messages") > 100; }, absl::Seconds(30)));
  // A second replica joins in the middle, the first one leaves.
  auto second = std::make_unique<Replica>(db, config);
  ASSERT_TRUE(second->Start().ok());
  ASSERT_TRUE(second->producer.SendAll({records.begin() + half, records.end()}).ok());
  replica->Stop();
  replica.reset();
  EXPECT_TRUE(WaitFor([&] { return db.Number("SELECT count(*) FROM messages WHERE present") == kThreads * kEach; },
                      absl::Seconds(60)));
  EXPECT_EQ(db.Number("SELECT sum(message_count) FROM conversations"), kThreads * kEach);
  EXPECT_EQ(kafka.Read(std::string(bus::kAssessmentTopic) + ".dlq." + bus::kGroup, 1).size(), 1u);

  auto& store = second->conversations;
  const auto claim = ClaimConversation(store, CallOf(), IdOf("t7"), absl::Minutes(5));
  ASSERT_TRUE(claim.ok()) << claim.status();
  const auto sent = Reply(store, CallOf(), {.conversation_id = IdOf("t7"), .text = "Bonjour", .request_id = testing::RequestId(1),
                                            .claim_token = claim->claim.token}, {});
  ASSERT_TRUE(sent.ok()) << sent.status();
  const auto commands = kafka.Read(bus::kCommandTopic, 1);
  ASSERT_EQ(commands.size(), 1u);
  publishing::v1::DeliveryCommand command;
  ASSERT_TRUE(command.ParseFromString(commands[0].record.payload));
  EXPECT_EQ(command.target_remote_id(), "7_19");

  publishing::v1::DeliveryEvent event;
  event.set_workspace_id(command.workspace_id());
  event.set_sequence(3);
  event.mutable_delivery()->set_channel_id(command.channel_id());
  event.mutable_delivery()->set_kind(command.kind());
  event.mutable_delivery()->set_command_id(command.command_id());
  event.mutable_delivery()->set_state(publishing::v1::DELIVERY_STATE_DELIVERED);
  event.mutable_delivery()->set_remote_id("7_20");
  event.mutable_delivery()->mutable_delivered_time()->set_seconds(absl::ToUnixSeconds(testing::At(31)));
  // Both tell of the same answer, in partitions that know nothing of each other.
  ASSERT_TRUE(second->producer.SendAll({CommentRecord("t7", "7_20", 30, true),
                                        {.topic = bus::kDeliveryTopic, .key = command.channel_id(),
                                         .payload = event.SerializeAsString(), .headers = {}}}).ok());
  EXPECT_TRUE(WaitFor([&] {
    const auto messages = store.ListMessages(CallOf(), IdOf("t7"), std::nullopt, 100);
    return messages.ok() && messages->size() == kEach + 1 && messages->back().remote_key == "7_20" &&
           messages->back().id == sent->id && messages->back().facts_revision != INT64_MAX;
  }));
  EXPECT_EQ(store.GetConversation(CallOf(), IdOf("t7"))->first_response_time, testing::At(30));

  // Every change is an event, once, numbered without gaps, and Kafka has them all.
  const int64_t last = db.Number("SELECT last_sequence FROM feeds");
  EXPECT_EQ(db.Number("SELECT count(*) FROM feed_events"), last);
  std::set<int64_t> sequences;
  for (const auto& received : kafka.Read(bus::kConversationTopic, last)) {
    v1::ConversationEvent seen;
    ASSERT_TRUE(seen.ParseFromString(received.record.payload));
    sequences.insert(seen.sequence());
  }
  EXPECT_EQ(static_cast<int64_t>(sequences.size()), last);
  second->Stop();
}

}  // namespace
}  // namespace parvis::inbox
