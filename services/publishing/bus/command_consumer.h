// Commands from Kafka (topic parvis.publishing.command.v1, group publishing.accept) into the ledger, and the group's
// partitions to the deliverer: who owns a partition owns the shards that belong to it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "platform/base/stream.h"
#include "platform/bus/consumer.h"
#include "publishing/domain/accept_commands.h"

namespace parvis::publishing {

inline constexpr char kCommandTopic[] = "parvis.publishing.command.v1";
inline constexpr char kAcceptGroup[] = "publishing.accept";

// INVALID_ARGUMENT NOT_PROTOBUF, or COMMAND_KIND for one that this version does not know.
StatusOr<DeliveryCommand> DecodeCommand(const StreamRecord& record);

// `owned` is told after every change of the assignment; `accepted` after each batch with new deliveries. Everything given
// outlives the consumer.
std::unique_ptr<bus::Consumer> MakeCommandConsumer(const bus::BusConfig& config, OffsetStore& offsets,
                                                   bus::Producer& producer, const Clock& clock, obs::Metrics& metrics,
                                                   AcceptContext context,
                                                   std::function<void(const std::vector<StreamPosition>&)> owned,
                                                   std::function<void()> accepted);

}  // namespace parvis::publishing
