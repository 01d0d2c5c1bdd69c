#include "metrics/bus/decode.h"

#include <algorithm>

#include "parvis/inbox/v1/events.pb.h"
#include "parvis/metrics/v1/sample.pb.h"
#include "parvis/moderation/v1/assessment.pb.h"
#include "parvis/publishing/v1/events.pb.h"
#include "platform/base/ids.h"

namespace parvis::metrics {
namespace {

// Named v1 inside, so that the three packages do not meet.
namespace inbox_pb = ::parvis::inbox::v1;
namespace ingestion_pb = ::parvis::ingestion::v1;
namespace moderation_pb = ::parvis::moderation::v1;
namespace publishing_pb = ::parvis::publishing::v1;

// KIND_COMMENT → "comment"; "" for unspecified; "#99" for 99 of a newer schema (facts.h).
template <class Enum>
std::string WordOf(const std::string& (*name_of)(Enum), Enum value, std::string_view prefix) {
  const std::string& name = name_of(value);
  if (!name.starts_with(prefix)) return "#" + std::to_string(static_cast<int>(value));
  std::string word = name.substr(prefix.size());
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return word == "unspecified" ? "" : word;
}

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// "workspaces/1/deliveries/2" → "2".
std::string LastOf(const std::string& name) { return name.substr(name.rfind('/') + 1); }

template <class Message>
Status Parse(const StreamRecord& record, Message& message) {
  if (!record.payload.empty() && message.ParseFromString(record.payload)) return absl::OkStatus();
  return MakeError(Code::kInvalidArgument, "RECORD_UNREADABLE",
                   "the payload is no " + std::string(message.GetTypeName()));
}

Status RequireIds(std::initializer_list<std::pair<const char*, const std::string*>> ids) {
  for (const auto& [name, id] : ids) {
    if (!IsUuid(*id)) return MakeError(Code::kInvalidArgument, "RECORD_INCOMPLETE", std::string(name) + " is no UUID");
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<ActivityFact> ToActivityFact(const StreamRecord& record) {
  moderation_pb::Assessment assessment;
  PARVIS_RETURN_IF_ERROR(Parse(record, assessment));
  const ingestion_pb::Activity& activity = assessment.activity();
  PARVIS_RETURN_IF_ERROR(
      RequireIds({{"workspace_id", &activity.workspace_id()}, {"channel_id", &activity.channel_id()}}));
  if (activity.id().empty()) return MakeError(Code::kInvalidArgument, "RECORD_INCOMPLETE", "the activity has no id");
  ActivityFact fact{.workspace_id = activity.workspace_id(),
                    .channel_id = activity.channel_id(),
                    .network = activity.network(),
                    .kind = WordOf(&ingestion_pb::Activity::Kind_Name, activity.kind(), "KIND_"),
                    .remote_id = activity.remote_id(),
                    .post_remote_id = activity.post_remote_id(),
                    .occurred_time = ToTime(activity.occurred_at()),
                    .by_us = activity.by_us(),
                    .action = WordOf(&moderation_pb::Action_Name, assessment.action(), "ACTION_"),
                    .language = assessment.language(),
                    .intent = WordOf(&moderation_pb::Intent_Name, assessment.intent(), "INTENT_")};
  for (const moderation_pb::Reason& reason : assessment.reasons()) fact.rules.push_back(reason.rule());
  fact.fact_id = ActivityFactId(fact.kind, fact.channel_id, fact.remote_id, activity.id());
  return fact;
}

StatusOr<DeliveryFact> ToDeliveryFact(const StreamRecord& record) {
  publishing_pb::DeliveryEvent event;
  PARVIS_RETURN_IF_ERROR(Parse(record, event));
  const publishing_pb::Delivery& delivery = event.delivery();
  PARVIS_RETURN_IF_ERROR(RequireIds({{"workspace_id", &event.workspace_id()}, {"channel_id", &delivery.channel_id()}}));
  if (delivery.name().empty())
    return MakeError(Code::kInvalidArgument, "RECORD_INCOMPLETE", "the delivery has no name");
  DeliveryFact fact{.workspace_id = event.workspace_id(),
                    .delivery_id = LastOf(delivery.name()),
                    .sequence = event.sequence(),
                    .channel_id = delivery.channel_id(),
                    .network = delivery.network(),
                    .kind = WordOf(&publishing_pb::DeliveryKind_Name, delivery.kind(), "DELIVERY_KIND_"),
                    .state = WordOf(&publishing_pb::DeliveryState_Name, delivery.state(), "DELIVERY_STATE_"),
                    .campaign_id = LastOf(delivery.campaign_id()),
                    .post_id = LastOf(delivery.post_id()),
                    .target_remote_id = delivery.target_remote_id(),
                    .remote_id = delivery.remote_id(),
                    .event_time = ToTime(event.time()),
                    .thread_part = delivery.thread_part()};
  if (delivery.has_due_time()) fact.due_time = ToTime(delivery.due_time());
  if (delivery.has_delivered_time()) fact.delivered_time = ToTime(delivery.delivered_time());
  return fact;
}

StatusOr<ConversationFact> ToConversationFact(const StreamRecord& record) {
  inbox_pb::ConversationEvent event;
  PARVIS_RETURN_IF_ERROR(Parse(record, event));
  const inbox_pb::Conversation& conversation = event.conversation();
  ConversationFact fact{.workspace_id = event.workspace_id(),
                        .event_id = event.event_id(),
                        .sequence = event.sequence(),
                        .type = WordOf(&inbox_pb::ConversationEvent::Type_Name, event.type(), "TYPE_"),
                        .event_time = ToTime(event.time()),
                        .conversation_id = LastOf(conversation.name()),
                        .channel_id = conversation.channel_id(),
                        .network = conversation.network(),
                        .post_remote_id = conversation.post_remote_id(),
                        .member_id = event.member_id()};
  PARVIS_RETURN_IF_ERROR(RequireIds({{"workspace_id", &fact.workspace_id},
                                     {"channel_id", &fact.channel_id},
                                     {"conversation", &fact.conversation_id}}));
  if (fact.event_id.empty()) return MakeError(Code::kInvalidArgument, "RECORD_INCOMPLETE", "the event has no id");
  if (conversation.has_first_message_time()) fact.first_message_time = ToTime(conversation.first_message_time());
  if (conversation.has_first_response_time()) fact.first_response_time = ToTime(conversation.first_response_time());
  return fact;
}

StatusOr<SampleFact> ToSampleFact(const StreamRecord& record) {
  v1::Sample sample;
  PARVIS_RETURN_IF_ERROR(Parse(record, sample));
  PARVIS_RETURN_IF_ERROR(
      RequireIds({{"workspace_id", &sample.workspace_id()}, {"channel_id", &sample.channel_id()}}));
  if (!sample.has_measured_time()) {
    return MakeError(Code::kInvalidArgument, "RECORD_INCOMPLETE", "the sample has no measured_time");
  }
  SampleFact fact{.workspace_id = sample.workspace_id(),
                  .channel_id = sample.channel_id(),
                  .network = sample.network(),
                  .post_remote_id = sample.post_remote_id(),
                  .measured_time = ToTime(sample.measured_time()),
                  .counters = {}};
  for (const auto& [counter, value] : sample.counters()) fact.counters[counter] = value;
  return fact;
}

}  // namespace parvis::metrics
