#include "publishing/bus/delivery_events.h"

#include <google/protobuf/util/time_util.h>

#include "parvis/publishing/v1/events.pb.h"
#include "platform/base/ids.h"
#include "platform/bus/envelope.h"

namespace parvis::publishing {
namespace {

void SetTime(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t micros = absl::ToUnixMicros(time);
  *out = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(micros);
}

bool IsSet(absl::Time time) { return time > absl::InfinitePast() && time < absl::InfiniteFuture(); }

void FillDelivery(const Delivery& from, v1::Delivery& to) {
  to.set_name("workspaces/" + from.workspace_id + "/deliveries/" + from.id);
  to.set_channel_id(from.channel_id);
  to.set_network(from.network);
  to.set_kind(static_cast<v1::DeliveryKind>(from.kind));
  to.set_state(static_cast<v1::DeliveryState>(from.state));
  to.set_campaign_id(from.campaign_id);
  to.set_post_id(from.post_id);
  to.set_target_remote_id(from.target_remote_id);
  to.set_target_author_id(from.target_author_id);
  to.set_text(from.content.text);
  to.set_command_id(from.command_id);
  SetTime(from.due_time, to.mutable_due_time());
  if (IsSet(from.sent_time)) SetTime(from.sent_time, to.mutable_sent_time());
  if (IsSet(from.delivered_time)) SetTime(from.delivered_time, to.mutable_delivered_time());
  to.set_remote_id(from.remote_id);
  to.set_permalink(from.permalink);
  to.set_attempts(from.attempts);
  if (!from.error_reason.empty()) {
    to.mutable_error()->set_reason(from.error_reason);
    to.mutable_error()->set_message(from.error_message);
  }
  to.set_needs_human(from.needs_human);
  to.set_thread_part(from.content.part);
  to.set_following_parts(static_cast<int32_t>(from.content.thread.size()));
}

}  // namespace

StreamRecord ToRecord(const DeliveryChanged& changed) {
  const Delivery& delivery = changed.delivery;
  v1::DeliveryEvent event;
  event.set_workspace_id(delivery.workspace_id);
  FillDelivery(delivery, *event.mutable_delivery());
  event.set_sequence(delivery.sequence);
  SetTime(changed.time, event.mutable_time());
  bus::Envelope envelope;
  envelope.id = UuidOfName("delivery-event/" + delivery.id + "/" + std::to_string(delivery.sequence));
  envelope.type = "parvis.publishing.v1.DeliveryEvent";
  envelope.source = "parvis/publishing";
  envelope.workspace_id = delivery.workspace_id;
  envelope.time = changed.time;
  return bus::ToRecord(kDeliveryTopic, delivery.channel_id, event.SerializeAsString(), envelope);
}

}  // namespace parvis::publishing
