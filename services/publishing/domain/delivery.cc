#include "publishing/domain/delivery.h"

#include <algorithm>

namespace parvis::publishing {

const char* StateName(DeliveryState state) {
  switch (state) {
    case DeliveryState::kNone: return "none";
    case DeliveryState::kScheduled: return "scheduled";
    case DeliveryState::kClaimed: return "claimed";
    case DeliveryState::kSent: return "sent";
    case DeliveryState::kDelivered: return "delivered";
    case DeliveryState::kFailed: return "failed";
    case DeliveryState::kUnknown: return "unknown";
    case DeliveryState::kCancelled: return "cancelled";
    case DeliveryState::kExpired: return "expired";
  }
  return "none";
}

const char* KindName(DeliveryKind kind) {
  switch (kind) {
    case DeliveryKind::kPost: return "post";
    case DeliveryKind::kReply: return "reply";
    case DeliveryKind::kHide: return "hide";
    case DeliveryKind::kUnhide: return "unhide";
    case DeliveryKind::kDelete: return "delete";
    case DeliveryKind::kPrivateReply: return "private_reply";
    case DeliveryKind::kApprove: return "approve";
    case DeliveryKind::kSpam: return "spam";
    case DeliveryKind::kBan: return "ban";
    case DeliveryKind::kUnban: return "unban";
    case DeliveryKind::kMute: return "mute";
    case DeliveryKind::kUnmute: return "unmute";
    case DeliveryKind::kReport: return "report";
    case DeliveryKind::kLock: return "lock";
    case DeliveryKind::kUnlock: return "unlock";
  }
  return "post";
}

bool IsFinal(DeliveryState state) {
  return state == DeliveryState::kDelivered || state == DeliveryState::kFailed || state == DeliveryState::kCancelled ||
         state == DeliveryState::kExpired;
}

bool IsVisible(DeliveryState state) { return state != DeliveryState::kNone && state != DeliveryState::kClaimed; }

bool IsIdempotent(DeliveryKind kind) {
  return kind != DeliveryKind::kPost && kind != DeliveryKind::kReply && kind != DeliveryKind::kPrivateReply &&
         kind != DeliveryKind::kReport;
}

std::optional<bool> TurnsOn(DeliveryKind kind) {
  switch (kind) {
    case DeliveryKind::kHide:
    case DeliveryKind::kSpam:
    case DeliveryKind::kBan:
    case DeliveryKind::kMute:
    case DeliveryKind::kLock: return true;
    case DeliveryKind::kUnhide:
    case DeliveryKind::kApprove:
    case DeliveryKind::kUnban:
    case DeliveryKind::kUnmute:
    case DeliveryKind::kUnlock: return false;
    default: return std::nullopt;
  }
}

bool IsSlow(const Delivery& delivery) {
  const std::vector<Media>& media = delivery.content.media;
  return std::any_of(media.begin(), media.end(),
                     [](const Media& m) { return !m.type.empty() && m.type.rfind("image/", 0) != 0; });
}

std::string LaneOf(const Delivery& delivery) {
  switch (delivery.kind) {
    case DeliveryKind::kPost: return delivery.channel_id + "/post";
    case DeliveryKind::kReply:
    case DeliveryKind::kPrivateReply:
      return delivery.channel_id + "/" + (delivery.thread.empty() ? delivery.target_remote_id : delivery.thread);
    default:
      if (!delivery.target_author_id.empty()) return delivery.channel_id + "/of/" + delivery.target_author_id;
      return delivery.channel_id + "/on/" + delivery.target_remote_id;
  }
}

std::string IdempotencyKeyOf(const Delivery& delivery) { return delivery.id; }

int ShardOf(std::string_view channel_id) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const unsigned char byte : channel_id) hash = (hash ^ byte) * 0x100000001b3ULL;
  return static_cast<int>((hash ^ (hash >> 32)) % kShards);
}

}  // namespace parvis::publishing
