// Deliveries in, samples out, through a real Kafka.
#include <gtest/gtest.h>

#include "ingestion/bus/follow_posts.h"
#include "ingestion/bus/sample_sink.h"
#include "ingestion/domain/measure_fakes.h"
#include "parvis/metrics/v1/sample.pb.h"
#include "parvis/publishing/v1/events.pb.h"
#include "platform/base/ids.h"
#include "platform/bus/envelope.h"
#include "platform/testing/kafka.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

namespace pb = ::parvis::publishing::v1;

const Binding kPage{UuidOfName("workspace"), UuidOfName("channel")};

pb::DeliveryEvent AnEvent(const std::string& remote_id, pb::DeliveryKind kind = pb::DELIVERY_KIND_POST) {
  pb::DeliveryEvent event;
  event.set_workspace_id(kPage.workspace_id);
  pb::Delivery& delivery = *event.mutable_delivery();
  delivery.set_channel_id(kPage.channel_id);
  delivery.set_network("x");
  delivery.set_kind(kind);
  delivery.set_state(pb::DELIVERY_STATE_DELIVERED);
  if (kind == pb::DELIVERY_KIND_POST) {
    delivery.set_remote_id(remote_id);
  } else {
    delivery.set_target_remote_id(remote_id);
  }
  delivery.mutable_delivered_time()->set_seconds(1'790'000'000);
  return event;
}

StreamRecord RecordOf(const pb::DeliveryEvent& event) {
  return {.topic = kDeliveryTopic, .key = kPage.channel_id, .payload = event.SerializeAsString(), .headers = {}};
}

TEST(ToPostChange, TakesPostsThatWereDeliveredAndWhatWasDeleted) {
  const auto post = ToPostChange(RecordOf(AnEvent("1")));
  ASSERT_TRUE(post.ok() && post->has_value());
  EXPECT_EQ((*post)->binding, kPage);
  EXPECT_EQ((*post)->post_remote_id, "1");
  EXPECT_EQ((*post)->published, absl::FromUnixSeconds(1'790'000'000));
  EXPECT_FALSE((*post)->deleted);
  const auto deleted = ToPostChange(RecordOf(AnEvent("1", pb::DELIVERY_KIND_DELETE)));
  ASSERT_TRUE(deleted.ok() && deleted->has_value());
  EXPECT_TRUE((*deleted)->deleted);
  EXPECT_EQ((*deleted)->post_remote_id, "1");
  pb::DeliveryEvent sent = AnEvent("1");
  sent.mutable_delivery()->set_state(pb::DELIVERY_STATE_SENT);
  EXPECT_FALSE(ToPostChange(RecordOf(sent))->has_value());
  EXPECT_FALSE(ToPostChange(RecordOf(AnEvent("1", pb::DELIVERY_KIND_REPLY)))->has_value());
  EXPECT_FALSE(ToPostChange(RecordOf(AnEvent("")))->has_value());
}

TEST(ToPostChange, RefusesGarbage) {
  EXPECT_EQ(ReasonOf(ToPostChange({.payload = "\xff garbage"}).status()), "RECORD_UNREADABLE");
  EXPECT_EQ(ReasonOf(ToPostChange({}).status()), "RECORD_UNREADABLE");
  pb::DeliveryEvent event = AnEvent("1");
  event.set_workspace_id("not a uuid");
  EXPECT_EQ(ReasonOf(ToPostChange(RecordOf(event)).status()), "RECORD_INCOMPLETE");
}

class Offsets : public OffsetStore {
 public:
  StatusOr<StreamPosition> Claim(const std::string& group, const std::string& topic, int32_t partition) override {
    return StreamPosition{.group = group, .topic = topic, .partition = partition, .epoch = 1};
  }
};

TEST(Measuring, FollowsDeliveriesAndTellsSamples) {
  testing::Kafka& kafka = testing::Kafka::Shared();
  kafka.MakeTopic(kDeliveryTopic, 1, {kFollowGroup});
  kafka.MakeTopic(kSampleTopic, 1, {});
  obs::Metrics metrics;
  RealClock clock;
  FakeMeasureStore store(clock);
  store.SetSource(kPage, "x");
  MeasureOptions options;
  options.interval_min = absl::Milliseconds(1);
  options.follow_for = absl::Hours(24 * 36500);
  bus::Producer producer(kafka.Config(), metrics);
  std::vector<StreamRecord> records;
  for (int i = 0; i < 20; ++i) records.push_back(RecordOf(AnEvent(std::to_string(i))));
  records.push_back(RecordOf(AnEvent("7", pb::DELIVERY_KIND_DELETE)));
  ASSERT_TRUE(producer.SendAll(records).ok());
  Offsets offsets;
  bus::Consumer follower(
      kafka.Config(), FollowOptions(), &offsets, producer, clock, metrics,
      MakeFollowHandler(store, [](const std::string&) { return true; }, options, clock, [] { return 0.5; }));
  ASSERT_TRUE(follower.Start().ok());
  // All were published long ago and are due as seldom as possible; "early" brings them forward.
  std::set<std::string> posts;
  EXPECT_TRUE(testing::WaitFor(
      [&] {
        (void)store.AddChannels({"x"}, absl::ZeroDuration());
        auto jobs = store.Claim(1, 50, absl::Hours(24 * 100), absl::ZeroDuration(), {});
        posts.clear();
        for (const MeasureJob& job : *jobs) {
          for (const MeasuredPost& post : job.posts) posts.insert(post.remote_id);
        }
        return posts.size() == 19;
      },
      absl::Seconds(30)));
  EXPECT_FALSE(posts.contains("7"));
  follower.Stop(absl::Seconds(10));

  MeasureJob job;
  job.binding = kPage;
  job.network = "x";
  const Sample sample = MakeSample(job, "1", absl::FromUnixMicros(1'790'000'000'123'456), {{"likes", 3}, {"views", 9}});
  KafkaSampleSink sink(producer);
  ASSERT_TRUE(sink.Send({sample}).ok());
  ASSERT_TRUE(sink.Send({}).ok());
  const auto told = kafka.Read(kSampleTopic, 1);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].record.key, kPage.channel_id + "/1");
  EXPECT_EQ(bus::ReadEnvelope(told[0].record).id, sample.id);
  metrics::v1::Sample message;
  ASSERT_TRUE(message.ParseFromString(told[0].record.payload));
  EXPECT_EQ(message.workspace_id(), kPage.workspace_id);
  EXPECT_EQ(message.network(), "x");
  EXPECT_EQ(message.measured_time().nanos(), 123'456'000);
  EXPECT_EQ(message.counters().at("views"), 9);
}

}  // namespace
}  // namespace parvis::ingestion
