// From the topics to the facts, with a real Kafka and a fake store.
#include "metrics/bus/folders.h"

#include <gtest/gtest.h>

#include "metrics/bus/decode.h"
#include "parvis/inbox/v1/events.pb.h"
#include "parvis/metrics/v1/sample.pb.h"
#include "parvis/moderation/v1/assessment.pb.h"
#include "parvis/publishing/v1/events.pb.h"
#include "platform/base/ids.h"
#include "platform/testing/kafka.h"
#include "platform/testing/wait.h"

namespace parvis::metrics {
namespace {

const std::string kWorkspace = UuidOfName("workspace"), kChannel = UuidOfName("channel");

moderation::v1::Assessment Assessment(const std::string& remote_id) {
  moderation::v1::Assessment assessment;
  ingestion::v1::Activity& activity = *assessment.mutable_activity();
  activity.set_id(UuidOfName(remote_id));
  activity.set_workspace_id(kWorkspace);
  activity.set_channel_id(kChannel);
  activity.set_network("facebook");
  activity.set_kind(ingestion::v1::Activity::KIND_COMMENT);
  activity.set_remote_id(remote_id);
  activity.set_post_remote_id("post-1");
  activity.mutable_occurred_at()->set_seconds(1'800'000'000);
  assessment.set_action(moderation::v1::ACTION_HIDE);
  assessment.set_intent(moderation::v1::INTENT_COMPLAINT);
  assessment.add_reasons()->set_rule("insult");
  return assessment;
}

StreamRecord RecordOf(const google::protobuf::MessageLite& message, const char* topic = kAssessmentTopic) {
  return {.topic = topic, .key = "k", .payload = message.SerializeAsString()};
}

TEST(Decode, Activity) {
  const auto fact = ToActivityFact(RecordOf(Assessment("c1")));
  ASSERT_TRUE(fact.ok()) << fact.status();
  EXPECT_EQ(fact->kind, "comment");
  EXPECT_EQ(fact->action, "hide");
  EXPECT_EQ(fact->intent, "complaint");
  EXPECT_EQ(fact->rules, std::vector<std::string>{"insult"});
  EXPECT_EQ(fact->occurred_time, absl::FromUnixSeconds(1'800'000'000));
  EXPECT_EQ(fact->fact_id, ActivityFactId("comment", kChannel, "c1", ""));
}

TEST(Decode, RefusesGarbageAndToleratesANewerSchema) {
  EXPECT_EQ(ReasonOf(ToActivityFact({.payload = "\xff\xff garbage"}).status()), "RECORD_UNREADABLE");
  EXPECT_EQ(ReasonOf(ToActivityFact({}).status()), "RECORD_UNREADABLE");
  moderation::v1::Assessment assessment = Assessment("c1");
  assessment.mutable_activity()->set_kind(static_cast<ingestion::v1::Activity::Kind>(99));
  assessment.set_action(static_cast<moderation::v1::Action>(99));
  const auto newer = ToActivityFact(RecordOf(assessment));
  ASSERT_TRUE(newer.ok());
  EXPECT_EQ(newer->kind, "#99");
  EXPECT_EQ(newer->action, "#99");
  EXPECT_EQ(newer->fact_id,
            ActivityFactId("#99", kChannel, "", assessment.activity().id()));  // not one with the comment
  assessment.mutable_activity()->set_kind(ingestion::v1::Activity::KIND_UNSPECIFIED);
  EXPECT_EQ(ToActivityFact(RecordOf(assessment))->kind, "");
  assessment.mutable_activity()->set_workspace_id("not a uuid");
  EXPECT_EQ(ReasonOf(ToActivityFact(RecordOf(assessment)).status()), "RECORD_INCOMPLETE");
}

TEST(Decode, DeliveryAndConversation) {
  publishing::v1::DeliveryEvent event;
  event.set_workspace_id(kWorkspace);
  event.set_sequence(4);
  publishing::v1::Delivery& delivery = *event.mutable_delivery();
  delivery.set_name("workspaces/" + kWorkspace + "/deliveries/d1");
  delivery.set_channel_id(kChannel);
  delivery.set_kind(publishing::v1::DELIVERY_KIND_POST);
  delivery.set_state(publishing::v1::DELIVERY_STATE_DELIVERED);
  delivery.set_campaign_id("campaign");
  delivery.mutable_due_time()->set_seconds(10);
  delivery.set_thread_part(2);
  const auto fact = ToDeliveryFact(RecordOf(event));
  ASSERT_TRUE(fact.ok()) << fact.status();
  EXPECT_EQ(fact->delivery_id, "d1");
  EXPECT_EQ(fact->kind, "post");
  EXPECT_EQ(fact->state, "delivered");
  EXPECT_EQ(fact->due_time, absl::FromUnixSeconds(10));
  EXPECT_FALSE(fact->delivered_time.has_value());
  EXPECT_EQ(fact->thread_part, 2);

  inbox::v1::ConversationEvent change;
  change.set_event_id("e");
  change.set_workspace_id(kWorkspace);
  change.set_sequence(3);
  change.set_type(inbox::v1::ConversationEvent::TYPE_CASE_OPENED);
  change.mutable_conversation()->set_name("workspaces/" + kWorkspace + "/conversations/" + UuidOfName("c"));
  change.mutable_conversation()->set_channel_id(kChannel);
  const auto conversation = ToConversationFact(RecordOf(change));
  ASSERT_TRUE(conversation.ok()) << conversation.status();
  EXPECT_EQ(conversation->type, "case_opened");
  EXPECT_EQ(conversation->conversation_id, UuidOfName("c"));

  delivery.set_kind(static_cast<publishing::v1::DeliveryKind>(98));
  delivery.set_state(static_cast<publishing::v1::DeliveryState>(97));
  EXPECT_EQ(ToDeliveryFact(RecordOf(event))->kind, "#98");
  EXPECT_EQ(ToDeliveryFact(RecordOf(event))->state, "#97");
  change.set_type(static_cast<inbox::v1::ConversationEvent::Type>(96));
  EXPECT_EQ(ToConversationFact(RecordOf(change))->type, "#96");
}

TEST(Decode, Sample) {
  v1::Sample sample;
  sample.set_workspace_id(kWorkspace);
  sample.set_channel_id(kChannel);
  sample.set_network("x");
  sample.set_post_remote_id("1");
  (*sample.mutable_counters())["likes"] = 3;
  EXPECT_EQ(ReasonOf(ToSampleFact(RecordOf(sample)).status()), "RECORD_INCOMPLETE") << "without a time";
  sample.mutable_measured_time()->set_seconds(1'800'000'000);
  const auto fact = ToSampleFact(RecordOf(sample));
  ASSERT_TRUE(fact.ok()) << fact.status();
  EXPECT_EQ(fact->network, "x");
  EXPECT_EQ(fact->post_remote_id, "1");
  EXPECT_EQ(fact->measured_time, absl::FromUnixSeconds(1'800'000'000));
  EXPECT_EQ(fact->counters.at("likes"), 3);
}

// Remembers what it is given; thread-safe.
class Remembering : public FactStore, public OffsetStore {
 public:
  StatusOr<StreamPosition> Claim(const std::string& group, const std::string& topic, int32_t partition) override {
    return StreamPosition{.group = group, .topic = topic, .partition = partition, .epoch = 1};
  }
  Status FoldActivities(const StreamPositions&, const std::vector<ActivityFact>& facts) override {
    const std::lock_guard lock(mutex);
    for (const ActivityFact& fact : facts) activities.insert(fact.remote_id);
    return absl::OkStatus();
  }
  Status FoldDeliveries(const StreamPositions&, const std::vector<DeliveryFact>&) override { return absl::OkStatus(); }
  Status FoldConversations(const StreamPositions&, const std::vector<ConversationFact>&) override {
    return absl::OkStatus();
  }
  Status FoldSamples(const StreamPositions&, const std::vector<SampleFact>&) override { return absl::OkStatus(); }
  size_t size() {
    const std::lock_guard lock(mutex);
    return activities.size();
  }
  std::mutex mutex;
  std::set<std::string> activities;
};

TEST(Folders, FoldTheTopicAndBuryWhatIsUnreadable) {
  testing::Kafka& kafka = testing::Kafka::Shared();
  kafka.MakeTopic(kAssessmentTopic, 2, {kAssessmentGroup});
  kafka.MakeTopic(kDeliveryTopic, 1, {kDeliveryGroup});
  kafka.MakeTopic(kConversationTopic, 1, {kConversationGroup});
  kafka.MakeTopic(kSampleTopic, 1, {kSampleGroup});
  obs::Metrics metrics;
  RealClock clock;
  bus::Producer producer(kafka.Config(), metrics);
  std::vector<StreamRecord> records;
  for (int i = 0; i < 200; ++i) records.push_back(RecordOf(Assessment(std::to_string(i))));
  records[50].payload = "\xff garbage";
  ASSERT_TRUE(producer.SendAll(records).ok());
  Remembering store;
  auto folders = MakeFolders(kafka.Config(), store, store, producer, clock, metrics);
  ASSERT_EQ(folders.size(), 4u);
  for (const auto& folder : folders) ASSERT_TRUE(folder->Start().ok());
  EXPECT_TRUE(testing::WaitFor([&] { return store.size() == 199; }, absl::Seconds(30)));
  const auto dead = kafka.Read(std::string(kAssessmentTopic) + ".dlq." + kAssessmentGroup, 1);
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].record.headers.at("parvis_reason"), "RECORD_UNREADABLE");
  for (const auto& folder : folders) folder->Stop(absl::Seconds(10));
}

}  // namespace
}  // namespace parvis::metrics
