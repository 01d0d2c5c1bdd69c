// What the fold is fed with: assessed activities of people and the fate of our deliveries, without their wire format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <absl/time/time.h>

#include "inbox/domain/conversation.h"

namespace parvis::inbox {

enum class ActivityKind { kComment, kMention, kMessage, kEdit, kRemoval, kReaction, kHide, kUnhide };

// Mirrors parvis.moderation.v1.Assessment. Texts hold no NUL; ids of workspace and channel are canonical UUIDs.
struct Assessed {
  std::string workspace_id, channel_id, network, activity_id;
  ActivityKind kind = ActivityKind::kComment;
  std::string remote_id, thread, conversation, parent_remote_id, post_remote_id, permalink, text;
  Person author;
  absl::Time occurred_at;
  int64_t revision = 0;
  bool by_us = false;
  std::vector<std::pair<std::string, std::string>> attachments;
  std::string language = "und";
  Kind intent = Kind::kUnspecified;
  Action action = Action::kUnspecified;
  int64_t policy_version = 0;
  std::vector<Reason> reasons;
};

enum class DeliveryKind { kReply, kHide, kUnhide, kDelete };

// Mirrors parvis.publishing.v1.DeliveryEvent, only the kinds and states that concern conversations.
struct DeliveryUpdate {
  std::string workspace_id, channel_id;
  DeliveryKind kind = DeliveryKind::kReply;
  SendState state = SendState::kSending;
  std::string command_id;         // kReply: ReplyCommandId
  std::string remote_id;          // kReply, kSent: the network's id of the answer
  std::string target_remote_id;   // kHide, kUnhide, kDelete
  std::string permalink, reason, detail;
  absl::Time time;                // of the network's acceptance when kSent, else of the event
  int64_t sequence = 0;
};

using FoldInput = std::variant<Assessed, DeliveryUpdate>;

}  // namespace parvis::inbox
