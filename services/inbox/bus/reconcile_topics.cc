#include "inbox/bus/reconcile_topics.h"

#include <unordered_set>

#include "parvis/ingestion/v1/activity.pb.h"
#include "parvis/moderation/v1/assessment.pb.h"
#include "platform/base/ids.h"
#include "platform/bus/envelope.h"

namespace parvis::inbox::bus {
namespace {

namespace ing = parvis::ingestion::v1;
using parvis::bus::Received;

constexpr char kActivityTopic[] = "parvis.ingestion.activity.v1";
constexpr char kAssessGroup[] = "moderation.assess";
constexpr absl::Duration kWaitMax = absl::Seconds(20);

bool Makes(ing::Activity::Kind kind) {
  return kind == ing::Activity::KIND_COMMENT || kind == ing::Activity::KIND_MENTION ||
         kind == ing::Activity::KIND_MESSAGE || kind == ing::Activity::KIND_REACTION;
}

// The dead letters of one stage; a topic that does not exist has none.
Status ReadDead(parvis::bus::TopicReader& reader, const std::string& topic, absl::Time from, Stages& stages) {
  const Status status = reader.Read(topic, from, kWaitMax, [&](const Received& received) {
    parvis::moderation::v1::Assessment assessment;
    stages.dead.insert(parvis::bus::ReadEnvelope(received.record).id);
    if (assessment.ParseFromString(received.record.payload)) stages.dead.insert(assessment.activity().id());
    return true;
  });
  return status.code() == Code::kNotFound ? absl::OkStatus() : status;
}

}  // namespace

StatusOr<std::vector<Accepted>> ReadAccepted(parvis::bus::TopicReader& reader, absl::Time from, size_t max) {
  std::vector<Accepted> accepted;
  std::unordered_set<std::string> seen;
  bool full = false;
  PARVIS_RETURN_IF_ERROR(reader.Read(kActivityTopic, from, kWaitMax, [&](const Received& received) {
    ing::Activity activity;
    if (!activity.ParseFromString(received.record.payload) || !Makes(activity.kind()) ||
        !IsUuid(activity.workspace_id()) || !IsUuid(activity.channel_id())) {
      return true;  // what cannot be read is in a dead letter
    }
    Accepted item{.workspace_id = activity.workspace_id(),
                  .channel_id = activity.channel_id(),
                  .remote_key = activity.remote_id(),
                  .activity_id = activity.id(),
                  .reaction = activity.kind() == ing::Activity::KIND_REACTION,
                  .partition = received.partition,
                  .offset = received.offset};
    if (!seen.insert(item.Key()).second) return true;
    full = accepted.size() >= max;
    if (!full) accepted.push_back(std::move(item));
    return !full;
  }));
  if (full) {
    return MakeError(Code::kResourceExhausted, "TOO_MANY_ACTIVITIES",
                     "more than activities_max activities since then; look at a shorter time");
  }
  return accepted;
}

Status ReadStages(parvis::bus::TopicReader& reader, absl::Time from, Stages& stages) {
  PARVIS_ASSIGN_OR_RETURN(stages.assessed, reader.Committed(kAssessGroup, kActivityTopic));
  PARVIS_RETURN_IF_ERROR(reader.Read(kAssessmentTopic, from, kWaitMax, [&](const Received& received) {
    parvis::moderation::v1::Assessment assessment;
    if (assessment.ParseFromString(received.record.payload)) {
      stages.assessments[assessment.activity().id()] = {received.partition, received.offset};
    }
    return true;
  }));
  PARVIS_RETURN_IF_ERROR(ReadDead(reader, std::string(kActivityTopic) + ".dlq." + kAssessGroup, from, stages));
  return ReadDead(reader, std::string(kAssessmentTopic) + ".dlq." + kFoldGroup, from, stages);
}

}  // namespace parvis::inbox::bus
