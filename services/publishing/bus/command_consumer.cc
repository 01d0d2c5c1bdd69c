#include "publishing/bus/command_consumer.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "parvis/publishing/v1/events.pb.h"

namespace parvis::publishing {
namespace {

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixMicros(google::protobuf::util::TimeUtil::TimestampToMicroseconds(time));
}

}  // namespace

StatusOr<DeliveryCommand> DecodeCommand(const StreamRecord& record) {
  v1::DeliveryCommand proto;
  if (!proto.ParseFromString(record.payload)) {
    return MakeError(Code::kInvalidArgument, "NOT_PROTOBUF", "the payload is not a DeliveryCommand");
  }
  DeliveryCommand command;
  const DeliveryKind kind = static_cast<DeliveryKind>(proto.kind());   // the numbers are the same
  if (kind == DeliveryKind::kPost || std::ranges::find(kDeliveryKinds, kind) == std::end(kDeliveryKinds)) {
    return MakeError(Code::kInvalidArgument, "COMMAND_KIND",
                     "kind " + std::to_string(proto.kind()) + " is no command or not known to this version");
  }
  command.kind = kind;
  if (!proto.has_requested_time()) return InvalidField("requested_time", "REQUIRED", "must be set");
  command.command_id = proto.command_id();
  command.workspace_id = proto.workspace_id();
  command.channel_id = proto.channel_id();
  command.target_remote_id = proto.target_remote_id();
  command.target_author_id = proto.target_author_id();
  command.text = proto.text();
  command.requested_by = proto.requested_by();
  command.post_remote_id = proto.post_remote_id();
  command.thread = proto.thread();
  command.requested_time = FromProto(proto.requested_time());
  if (proto.has_expire_time()) command.expire_time = FromProto(proto.expire_time());
  return command;
}

std::unique_ptr<bus::Consumer> MakeCommandConsumer(const bus::BusConfig& config, OffsetStore& offsets,
                                                   bus::Producer& producer, const Clock& clock, obs::Metrics& metrics,
                                                   AcceptContext context,
                                                   std::function<void(const std::vector<StreamPosition>&)> owned,
                                                   std::function<void()> accepted) {
  bus::Consumer::Options options;
  options.group = kAcceptGroup;
  options.topics = {kCommandTopic};
  options.offsets = bus::Consumer::Offsets::kDatabase;
  options.on_assignment = [owned = std::move(owned)](const std::string&, const std::vector<StreamPosition>& positions) {
    owned(positions);
  };
  auto handle = [context, accepted = std::move(accepted)](const StreamPositions& positions,
                                                          const std::vector<bus::Received>& batch) -> Status {
    std::vector<DeliveryCommand> commands;
    for (const bus::Received& received : batch) {
      PARVIS_ASSIGN_OR_RETURN(DeliveryCommand command, DecodeCommand(received.record));
      commands.push_back(std::move(command));
    }
    PARVIS_ASSIGN_OR_RETURN(const int added, AcceptCommands(context, positions, commands));
    if (added > 0) accepted();
    return absl::OkStatus();
  };
  return std::make_unique<bus::Consumer>(config, std::move(options), &offsets, producer, clock, metrics, std::move(handle));
}

}  // namespace parvis::publishing
