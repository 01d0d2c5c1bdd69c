// Use case: commands of other services (inbox's replies, moderation's hides) become deliveries, once each.
#pragma once

#include <string>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/stream.h"
#include "publishing/domain/channels.h"
#include "publishing/domain/ledger.h"

namespace parvis::publishing {

struct DeliveryCommand {
  std::string command_id, workspace_id, channel_id;
  DeliveryKind kind = DeliveryKind::kReply;
  std::string target_remote_id, target_author_id, text, requested_by, post_remote_id, thread;
  absl::Time requested_time;
  absl::Time expire_time = absl::InfinitePast();   // InfinitePast: 24 hours after requested_time
};

struct AcceptContext {
  DeliveryLedger& ledger;
  ChannelDirectory& channels;
  const NetworkRules& rules;
  const Clock& clock;
  std::string actor;
};

// One batch of one partition, with its offset, in one transaction. What a network would surely refuse (a text that is too
// long, a channel that does not exist) is stored as failed, so that whoever asked learns of it. INVALID_ARGUMENT for a
// command without its parts (the record is to blame); UNAVAILABLE when accounts cannot be asked; FENCED. Returns how many
// were new.
StatusOr<int> AcceptCommands(const AcceptContext& context, const StreamPositions& positions,
                             const std::vector<DeliveryCommand>& commands);

}  // namespace parvis::publishing
