// Building blocks of the inbox's tests: a workspace, activities and deliveries with short names.
#pragma once

#include <string>

#include "inbox/domain/activity.h"
#include "platform/base/call.h"

namespace parvis::inbox::testing {

inline constexpr char kWorkspace[] = "0190a0b1-0000-7000-8000-000000000001";
inline constexpr char kOtherWorkspace[] = "0190a0b1-0000-7000-8000-000000000002";
inline constexpr char kChannel[] = "0190a0b1-0000-7000-8000-0000000000c1";
inline constexpr char kOtherChannel[] = "0190a0b1-0000-7000-8000-0000000000c2";

// Second `at` of the scenario, by the network's clock.
inline absl::Time At(int at) { return absl::FromUnixSeconds(1'790'000'000 + at); }

inline Assessed Activity(ActivityKind kind, const std::string& conversation, const std::string& remote_id, int at,
                         const std::string& text = "") {
  Assessed a;
  a.workspace_id = kWorkspace;
  a.channel_id = kChannel;
  a.network = "facebook";
  a.kind = kind;
  a.remote_id = remote_id;
  a.thread = conversation;
  a.conversation = conversation;
  a.post_remote_id = "post";
  a.author = {.remote_id = "p-" + conversation, .name = "Person " + conversation, .handle = "p" + conversation};
  a.occurred_at = At(at);
  a.revision = absl::ToUnixMicros(At(at));
  a.activity_id = remote_id + "/" + std::to_string(static_cast<int>(kind)) + "/" + std::to_string(at);
  a.text = text;
  if (!text.empty()) {
    a.language = "en";
    a.intent = Kind::kOther;
    a.action = Action::kAllowed;
    a.policy_version = 1;
  }
  return a;
}

inline Assessed Comment(const std::string& conversation, const std::string& remote_id, int at,
                        const std::string& text = "hello", Kind intent = Kind::kOther) {
  Assessed a = Activity(ActivityKind::kComment, conversation, remote_id, at, text);
  a.intent = intent;
  return a;
}

inline Assessed OurComment(const std::string& conversation, const std::string& remote_id, int at,
                           const std::string& text = "our answer") {
  Assessed a = Comment(conversation, remote_id, at, text);
  a.by_us = true;
  a.author = {.remote_id = "page", .name = "The brand", .handle = "brand"};
  return a;
}

inline DeliveryUpdate ReplyUpdate(const std::string& message_id, SendState state, int64_t sequence, int at,
                                  const std::string& remote_id = "") {
  DeliveryUpdate d;
  d.workspace_id = kWorkspace;
  d.channel_id = kChannel;
  d.state = state;
  d.command_id = ReplyCommandId(message_id);
  d.remote_id = remote_id;
  d.time = At(at);
  d.sequence = sequence;
  if (state == SendState::kFailed) d.reason = "REJECTED";
  return d;
}

inline DeliveryUpdate TargetUpdate(DeliveryKind kind, const std::string& target, int at) {
  DeliveryUpdate d;
  d.workspace_id = kWorkspace;
  d.channel_id = kChannel;
  d.kind = kind;
  d.state = SendState::kSent;
  d.target_remote_id = target;
  d.time = At(at);
  d.sequence = 3;
  return d;
}

inline Call CallOf(const std::string& member = "amelie", const std::string& workspace = kWorkspace) {
  Call call;
  call.principal.workspace_id = workspace;
  call.principal.member_id = member;
  call.principal.roles = {Role::kModerator};
  call.workspace_id = workspace;
  call.deadline = Instant::Max();
  return call;
}

inline std::string IdOf(const std::string& conversation, const std::string& workspace = kWorkspace,
                        const std::string& channel = kChannel) {
  return ConversationId(workspace, channel, conversation);
}

// A request id that depends on `n` alone.
inline std::string RequestId(int n) {
  std::string digits = std::to_string(n);
  return "0190a0b1-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

}  // namespace parvis::inbox::testing
