#include "inbox/bus/encode.h"

#include "parvis/publishing/v1/events.pb.h"
#include "platform/bus/envelope.h"

namespace parvis::inbox::bus {
namespace {

constexpr char kSource[] = "parvis/inbox";

void SetTime(absl::Time from, google::protobuf::Timestamp* to) {
  const int64_t micros = absl::ToUnixMicros(from);
  to->set_seconds(micros / 1'000'000);
  to->set_nanos(static_cast<int32_t>(micros % 1'000'000) * 1000);
}

}  // namespace

StreamRecord EventRecord(const Event& event, std::string payload) {
  return parvis::bus::ToRecord(kConversationTopic, event.conversation.id, std::move(payload),
                               {.id = event.id, .type = "parvis.inbox.v1.ConversationEvent", .source = kSource,
                                .workspace_id = event.conversation.workspace_id, .time = event.time, .trace = {}});
}

StreamRecord CommandRecord(const DeliveryRequest& r) {
  publishing::v1::DeliveryCommand command;
  command.set_command_id(ReplyCommandId(r.message_id));
  command.set_workspace_id(r.workspace_id);
  command.set_channel_id(r.channel_id);
  command.set_kind(publishing::v1::DELIVERY_KIND_REPLY);
  command.set_target_remote_id(r.target_remote_id);
  command.set_text(r.text);
  command.set_requested_by(r.member_id);
  SetTime(r.requested_time, command.mutable_requested_time());
  SetTime(r.expire_time, command.mutable_expire_time());
  command.set_post_remote_id(r.post_remote_id);
  command.set_thread(r.thread);
  return parvis::bus::ToRecord(kCommandTopic, r.channel_id, command.SerializeAsString(),
                               {.id = command.command_id(), .type = "parvis.publishing.v1.DeliveryCommand",
                                .source = kSource, .workspace_id = r.workspace_id, .time = r.requested_time, .trace = {}});
}

}  // namespace parvis::inbox::bus
