#include "publishing/domain/accept_commands.h"

#include "platform/base/ids.h"
#include "publishing/domain/text_rules.h"

namespace parvis::publishing {
namespace {

Status CheckParts(const DeliveryCommand& command) {
  if (command.command_id.empty() || command.command_id.size() > 300) {
    return InvalidField("command_id", "REQUIRED", "must have 1 to 300 bytes");
  }
  if (!IsUuid(command.workspace_id)) return InvalidField("workspace_id", "WORKSPACE_ID", "must be a UUID");
  if (!IsUuid(command.channel_id)) return InvalidField("channel_id", "CHANNEL_ID", "must be a UUID");
  if (command.kind == DeliveryKind::kPost) return InvalidField("kind", "KIND", "posts are not ordered by command");
  if (command.target_remote_id.empty() && command.target_author_id.empty()) {
    return InvalidField("target_remote_id", "REQUIRED", "must not be empty");
  }
  if (CodePoints(command.text) < 0) return InvalidField("text", "NOT_UTF8", "must be UTF-8 without NUL");
  return absl::OkStatus();
}

void Refuse(Delivery& delivery, const std::string& reason, const std::string& message) {
  delivery.state = DeliveryState::kFailed;
  delivery.error_reason = reason;
  delivery.error_message = message;
}

}  // namespace

StatusOr<int> AcceptCommands(const AcceptContext& context, const StreamPositions& positions,
                             const std::vector<DeliveryCommand>& commands) {
  const absl::Time now = context.clock.WallNow();
  std::vector<Delivery> deliveries;
  for (const DeliveryCommand& command : commands) {
    PARVIS_RETURN_IF_ERROR(CheckParts(command));
    Delivery delivery;
    delivery.workspace_id = command.workspace_id;
    delivery.id = UuidOfName("delivery/" + command.workspace_id + "/" + command.command_id);
    delivery.channel_id = command.channel_id;
    delivery.kind = command.kind;
    delivery.target_remote_id = command.target_remote_id;
    delivery.target_author_id = command.target_author_id;
    delivery.post_remote_id = command.post_remote_id;
    delivery.thread = command.thread;
    delivery.content.text = command.text;
    delivery.command_id = command.command_id;
    delivery.requested_by = command.requested_by;
    // A clock ahead of ours must not hold it back.
    delivery.due_time = delivery.ready_time = std::min(command.requested_time, now);
    delivery.expire_time = command.expire_time > absl::InfinitePast() ? command.expire_time
                                                                      : delivery.due_time + absl::Hours(24);
    delivery.lane = LaneOf(delivery);
    Call call = BackgroundCall("publishing", command.workspace_id);
    call.deadline = context.clock.Now() + absl::Seconds(5);
    const auto channel = context.channels.GetChannel(call, command.workspace_id, command.channel_id);
    if (channel.ok()) {
      delivery.network = channel->network;
      const auto violations = context.rules.Check(channel->network, delivery.kind, delivery.content);
      const bool named = !command.target_remote_id.empty() || context.rules.AuthorIsEnough(channel->network, delivery.kind);
      if (!named) Refuse(delivery, "REJECTED", "names a person and no target, which is not enough for it there");
      if (!violations.empty()) Refuse(delivery, "REJECTED", violations.front().description);
    } else if (channel.status().code() == Code::kNotFound) {
      Refuse(delivery, "NOT_FOUND", "the workspace has no such channel");
    } else {
      return channel.status();
    }
    deliveries.push_back(std::move(delivery));
  }
  return context.ledger.Accept(positions, deliveries, now, context.actor);
}

}  // namespace parvis::publishing
