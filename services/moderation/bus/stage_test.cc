// The two stages on a real Kafka, with the stores in memory.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include <absl/strings/str_cat.h>

#include "moderation/bus/assess_stage.h"
#include "moderation/bus/codec.h"
#include "moderation/bus/queue_stage.h"
#include "moderation/domain/fake_store.h"
#include "parvis/publishing/v1/events.pb.h"
#include "platform/base/ids.h"
#include "platform/bus/envelope.h"
#include "platform/testing/kafka.h"
#include "platform/testing/wait.h"

namespace parvis::moderation {
namespace {

constexpr char kWs[] = "018f0000-0000-7000-8000-000000000001";
constexpr char kChannel[] = "018f0000-0000-7000-8000-0000000000c1";

ingestion::v1::Activity Comment(int n, const std::string& text) {
  ingestion::v1::Activity a;
  a.set_id(UuidOfName(absl::StrCat("activity/", n)));
  a.set_workspace_id(kWs);
  a.set_channel_id(kChannel);
  a.set_network("facebook");
  a.set_kind(ingestion::v1::Activity::KIND_COMMENT);
  a.set_remote_id(absl::StrCat("c", n));
  a.set_thread(absl::StrCat("t", n % 7));
  a.set_text(text);
  a.set_revision(n + 1);
  a.mutable_author()->set_handle("zoe");
  return a;
}

std::string PolicySaying(const std::string& word, const std::string& action) {
  return "version: 1\nrules:\n- {name: r, action: " + action + ", reason: why, if: {text: {words: [" + word + "]}}}\n";
}

TEST(Codec, RefusesWhatIsIncomplete) {
  EXPECT_TRUE(CheckActivity(Comment(1, "x")).ok());
  auto bad = Comment(1, "x");
  bad.set_workspace_id("w");
  EXPECT_EQ(ReasonOf(CheckActivity(bad)), "ACTIVITY_INCOMPLETE");
  bad = Comment(1, "x");
  bad.clear_kind();
  EXPECT_EQ(ReasonOf(CheckActivity(bad)), "ACTIVITY_INCOMPLETE");
  bad.set_kind(static_cast<ingestion::v1::Activity::Kind>(99));
  EXPECT_EQ(ReasonOf(CheckActivity(bad)), "ACTIVITY_KIND_UNKNOWN");
  bad = Comment(1, "x");
  bad.set_remote_id(std::string("a\0b", 3));
  EXPECT_EQ(ReasonOf(CheckActivity(bad)), "ACTIVITY_INCOMPLETE");
  StreamRecord record;
  record.payload = "\xFF\xFF";
  EXPECT_EQ(ReasonOf(ReadAssessed(record).status()), "ASSESSMENT_UNREADABLE");
}

TEST(Codec, CommandsCarryTheirNaturalKey) {
  const Command command{"moderation/hide/a1",
                        kWs,
                        kChannel,
                        Command::Kind::kHide,
                        "c1",
                        "p1",
                        "t1",
                        "policy/x@2",
                        absl::FromUnixMicros(1'700'000'000'123'456),
                        Trace::New()};
  const StreamRecord record = ToRecord(command);
  EXPECT_EQ(record.topic, kCommandTopic);
  EXPECT_EQ(record.key, kChannel);
  publishing::v1::DeliveryCommand proto;
  ASSERT_TRUE(proto.ParseFromString(record.payload));
  EXPECT_EQ(proto.command_id(), command.command_id);
  EXPECT_EQ(proto.kind(), publishing::v1::DELIVERY_KIND_HIDE);
  EXPECT_EQ(proto.target_remote_id(), "c1");
  EXPECT_EQ(proto.requested_by(), "policy/x@2");
  EXPECT_EQ(proto.requested_time().nanos(), 123'456'000);
  EXPECT_EQ(bus::ReadEnvelope(record).workspace_id, kWs);
}

// What both stages need, around one broker. The topics' names are the real ones.
class Stages : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    testing::Kafka& kafka = testing::Kafka::Shared();
    kafka.MakeTopic(kActivityTopic, 3, {"moderation.assess"});
    kafka.MakeTopic(kAssessmentTopic, 3, {"moderation.queue"});
  }

  void Produce(const std::vector<ingestion::v1::Activity>& activities) {
    std::vector<StreamRecord> records;
    for (const auto& a : activities) {
      bus::Envelope envelope{a.id(), "parvis.ingestion.v1.Activity", "test",
                             kWs,    absl::FromUnixSeconds(1),       Trace::New()};
      records.push_back(bus::ToRecord(kActivityTopic, absl::StrCat(kWs, "/", kChannel, "/", a.thread()),
                                      a.SerializeAsString(), envelope));
    }
    ASSERT_TRUE(producer_.SendAll(records).ok());
  }

  void Activate(const std::string& word, const std::string& action) {
    const Call call = BackgroundCall("test", kWs);
    auto policy = policies_.Create(call, "P", PolicySaying(word, action), "");
    ASSERT_TRUE(policy.ok()) << policy.status();
    ASSERT_TRUE(policies_.Activate(call, policy->id, 0).ok());
  }

  RealClock clock_;
  Ids ids_{clock_};
  obs::Metrics metrics_;
  Normalizer normalizer_;
  FakeData data_;
  FakePolicyStore policy_store_{data_};
  FakeQueueStore queue_store_{data_};
  Policies policies_{policy_store_, normalizer_, PolicyLimits{}, ids_, clock_};
  Executor compiler_{{.name = "compile", .threads = 1, .queue_max = 4}};
  PolicyCache cache_{policy_store_, normalizer_, compiler_, clock_, {.fresh = absl::Milliseconds(20)}};
  bus::Producer producer_{testing::Kafka::Shared().Config(), metrics_};
};

// Claims epochs in the fake's data, as db::OffsetTable does in the database.
class FakeOffsets : public OffsetStore {
 public:
  explicit FakeOffsets(FakeData& data) : d_(data) {}
  StatusOr<StreamPosition> Claim(const std::string& group, const std::string& topic, int32_t partition) override {
    std::lock_guard lock(d_.mutex);
    StreamPosition& at = d_.positions[absl::StrCat(group, "/", topic, "/", partition)];
    at.group = group, at.topic = topic, at.partition = partition;
    ++at.epoch;
    return at;
  }

 private:
  FakeData& d_;
};

// Policies change and the store goes down while comments flow: nothing is lost, doubled or out of order, what is no
// activity is put aside, and hides become commands once.
TEST_F(Stages, NothingLostDoubledOrGuessed) {
  const bus::BusConfig config = testing::Kafka::Shared().Config();
  AssessStage assess(cache_, normalizer_, producer_, clock_, metrics_);
  bus::Consumer assess_consumer(
      config, {.group = "moderation.assess", .topics = {kActivityTopic}, .offsets = bus::Consumer::Offsets::kKafka},
      nullptr, producer_, clock_, metrics_,
      [&](const StreamPositions&, const std::vector<bus::Received>& batch) { return assess.Handle(batch); });
  FakeOffsets offsets(data_);
  QueueStage queue(queue_store_, clock_, metrics_, nullptr);
  bus::Consumer queue_consumer(
      config, {.group = "moderation.queue", .topics = {kAssessmentTopic}}, &offsets, producer_, clock_, metrics_,
      [&](const StreamPositions& p, const std::vector<bus::Received>& batch) { return queue.Handle(p, batch); });
  Activate("vilain", "hide");
  ASSERT_TRUE(assess_consumer.Start().ok());
  ASSERT_TRUE(queue_consumer.Start().ok());

  std::vector<ingestion::v1::Activity> first, second;
  for (int n = 0; n < 100; ++n) first.push_back(Comment(n, n % 10 == 0 ? "un v1lain mot" : "bonjour"));
  for (int n = 100; n < 200; ++n) second.push_back(Comment(n, n % 10 == 0 ? "un v1lain mot" : "bonjour"));
  Produce(first);
  StreamRecord poison;
  poison.topic = kActivityTopic, poison.key = "k", poison.payload = "\xFF not an activity";
  ASSERT_TRUE(producer_.SendAll({poison}).ok());
  EXPECT_EQ(testing::Kafka::Shared().Read(kAssessmentTopic, 100).size(), 100u);

  {
    std::lock_guard lock(data_.mutex);
    data_.down = true;  // the policy cannot be told: the stage waits
  }
  Produce(second);
  EXPECT_TRUE(testing::WaitFor(
      [&] {
        std::lock_guard lock(data_.mutex);
        return data_.refused > 1;
      },
      absl::Seconds(20)));
  {
    std::lock_guard lock(data_.mutex);
    data_.down = false;
  }
  Activate("bonjour", "hold");
  const std::vector<bus::Received> all = testing::Kafka::Shared().Read(kAssessmentTopic, 200);
  ASSERT_EQ(all.size(), 200u);
  std::map<std::string, int> seen;
  std::map<std::string, int64_t> last;
  for (const bus::Received& r : all) {
    v1::Assessment assessment;
    ASSERT_TRUE(assessment.ParseFromString(r.record.payload));
    ++seen[assessment.activity().id()];
    EXPECT_LT(last[r.record.key], assessment.activity().revision());
    last[r.record.key] = assessment.activity().revision();
    const int n = static_cast<int>(assessment.activity().revision()) - 1;
    if (n < 100) {
      EXPECT_EQ(assessment.action(), n % 10 == 0 ? v1::ACTION_HIDE : v1::ACTION_ALLOW);
      if (n % 10 == 0) {
        EXPECT_EQ(assessment.reasons(0).spans(0).text(), "v1lain");
      }
    }
    EXPECT_EQ(bus::ReadEnvelope(r.record).type, "parvis.moderation.v1.Assessment");
    EXPECT_FALSE(assessment.policy_id().empty());
  }
  EXPECT_EQ(seen.size(), 200u);
  EXPECT_EQ(testing::Kafka::Shared().Read(absl::StrCat(kActivityTopic, ".dlq.moderation.assess"), 1).size(), 1u);

  size_t decided = 0;
  for (const bus::Received& r : all) {
    v1::Assessment assessment;
    assessment.ParseFromString(r.record.payload);
    decided += assessment.action() != v1::ACTION_ALLOW;
  }
  EXPECT_TRUE(testing::WaitFor(
      [&] {
        std::lock_guard lock(data_.mutex);
        return data_.decisions.size() == decided;
      },
      absl::Seconds(20)));
  std::lock_guard lock(data_.mutex);
  EXPECT_EQ(data_.decisions.size(), decided);
  EXPECT_EQ(data_.commands.size() + data_.reviews.size(), decided);
  EXPECT_EQ(std::set<std::string>(data_.commands.begin(), data_.commands.end()).size(), data_.commands.size());
}

}  // namespace
}  // namespace parvis::moderation
