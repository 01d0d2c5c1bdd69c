// A delivery: one thing written, or to be written, to one channel, and the rows of its history. Plain data; what may follow
// what is in settle.h, where it is kept is behind ledger.h.
//
//   scheduled -> claimed (lease, fence) -> sent (intent committed before the call) -> delivered | failed | unknown
//   scheduled, claimed -> cancelled | expired       unknown -> delivered | failed | scheduled (only when that is safe)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <absl/time/time.h>

#include "publishing/domain/content.h"

namespace parvis::publishing {

// Numbers are those of parvis.publishing.v1.DeliveryKind and of the column deliveries.kind.
enum class DeliveryKind {
  kPost = 1, kReply = 2, kHide = 3, kUnhide = 4, kDelete = 5, kPrivateReply = 6, kApprove = 7, kSpam = 8, kBan = 9,
  kUnban = 10, kMute = 11, kUnmute = 12, kReport = 13, kLock = 14, kUnlock = 15
};
// Numbers are those of parvis.publishing.v1.DeliveryState and of the column deliveries.state.
enum class DeliveryState {
  kNone = 0, kScheduled = 1, kClaimed = 2, kSent = 3, kDelivered = 4, kFailed = 5, kUnknown = 6, kCancelled = 7, kExpired = 8
};

inline constexpr DeliveryKind kDeliveryKinds[] = {
    DeliveryKind::kPost,  DeliveryKind::kReply, DeliveryKind::kHide,   DeliveryKind::kUnhide, DeliveryKind::kDelete,
    DeliveryKind::kPrivateReply, DeliveryKind::kApprove, DeliveryKind::kSpam, DeliveryKind::kBan, DeliveryKind::kUnban,
    DeliveryKind::kMute,  DeliveryKind::kUnmute, DeliveryKind::kReport, DeliveryKind::kLock, DeliveryKind::kUnlock};

const char* StateName(DeliveryState state);  // "scheduled"
const char* KindName(DeliveryKind kind);     // "post"
// Nothing follows: delivered, failed, cancelled, expired.
bool IsFinal(DeliveryState state);
// Others are told of it by an event; claimed is our own business.
bool IsVisible(DeliveryState state);
// Doing it twice is doing it once: all but what brings words to somebody (post, reply, private reply, report).
bool IsIdempotent(DeliveryKind kind);
// What the target looks like when it was done: true for hide, spam, ban, mute, lock (it is on), false for their reverse and for
// approve, nullopt for the others.
std::optional<bool> TurnsOn(DeliveryKind kind);

struct Delivery {
  std::string workspace_id, id, channel_id;
  std::string network;                  // "" until the channel is known
  DeliveryKind kind = DeliveryKind::kPost;
  DeliveryState state = DeliveryState::kScheduled;
  std::string campaign_id, post_id;     // posts
  std::string target_remote_id, post_remote_id, thread;   // replies and moderation
  std::string target_author_id;         // whom, of what is done to a person; "" = the author of the target
  Content content;
  std::string command_id;               // natural key of the command; "" for posts
  std::string requested_by;
  int generation = 0;                   // posts: how often the post has been scheduled anew
  std::string settle_request_id;        // request_id of the person's settlement
  std::string lane;                     // what keeps order among itself; LaneOf()

  absl::Time due_time;                  // when it should go out; orders its lane (with id)
  absl::Time ready_time;                // not claimed before: due_time, or later after a refusal for now
  absl::Time expire_time;               // not sent after
  absl::Time sent_time = absl::InfinitePast();        // last attempt's call began
  absl::Time first_sent_time = absl::InfinitePast();  // first attempt's call began: read-back looks from here
  absl::Time delivered_time = absl::InfinitePast();
  absl::Time check_time = absl::InfiniteFuture();     // claimed, sent: the lease's end; unknown: next reading back

  int64_t fence = 0;        // names the attempt; every change that is not the attempt's own raises it
  int attempts = 0;         // calls that reached the network, or may have
  int tries = 0;            // of them or before them, failures in a row: sets the backoff
  int empty_reads = 0;      // listings that did not show it
  int resends = 0;          // second tries after an unknown
  bool reconciling = false;  // reading back has begun: an outcome that comes now is too late
  int64_t sequence = 0;     // events so far
  std::string remote_id, permalink, error_reason, error_message;
  bool needs_human = false;
};

// Brings a medium that is no picture (a video, a document): large to upload, and networks work on it for minutes.
bool IsSlow(const Delivery& delivery);

// The order that must be kept: posts of a channel; what is done to one thread of a channel.
std::string LaneOf(const Delivery& delivery);

// The network sees the same key on every attempt of one delivery.
std::string IdempotencyKeyOf(const Delivery& delivery);

// One step in a delivery's history.
struct Transition {
  int64_t number = 0;  // from 1
  absl::Time time;
  DeliveryState from = DeliveryState::kNone, to = DeliveryState::kNone;
  int attempt = 0;
  std::string detail, actor;
};

// Event: a delivery changed visibly.
struct DeliveryChanged {
  Delivery delivery;  // after the change; delivery.sequence numbers the event
  absl::Time time;
};

// ---- who sends it --------------------------------------------------------------------------------------------------

inline constexpr int kShards = 64;
// Stable for ever: the number is stored with every delivery. FNV-1a of the channel's id, modulo 64.
int ShardOf(std::string_view channel_id);
// The partition of the command topic that a shard belongs to.
inline int PartitionOf(int shard, int partitions) { return shard % partitions; }

}  // namespace parvis::publishing
