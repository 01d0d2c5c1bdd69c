// Facts: what happened, as far as it is counted. Append-only; each has a natural key, so that a record that is
// delivered twice is one fact. The key tells the channel: whichever way a fact comes, its channel is the same (its time
// need not be).
//
// Words (kind, action, intent, state, type) are those of the records' enums, lower case. A value that a newer release
// writes and this one does not know is "#" and its number ("#99"): kept, counted nowhere, and found again by the
// migration of the release that knows it. "" if the record says nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "platform/base/error.h"
#include "platform/base/stream.h"

namespace parvis::metrics {

// Somebody did something on a network, and what moderation thinks of it.
struct ActivityFact {
  std::string workspace_id, channel_id;
  std::string fact_id;  // ActivityFactId
  std::string network;  // "facebook"
  std::string kind;     // "comment", "mention", "message", "edit", "removal", "reaction", "hide", "unhide"
  std::string remote_id, post_remote_id;
  absl::Time occurred_time;
  bool by_us = false;
  std::string action;              // "allow", "hold", "hide", "delete", "escalate"; "" if not assessed
  std::vector<std::string> rules;  // that matched, the deciding one first
  std::string language, intent;    // intent: "question", "complaint", "thanks", "other"; "" if not assessed
};
// What makes two activities one fact: the id for changes (each edit is a fact), the network's id for what was written
// (a comment that a webhook and a later poll bring with different revisions is one comment). An activity of a kind that
// is not known goes by its id.
std::string ActivityFactId(std::string_view kind, std::string_view channel_id, std::string_view remote_id,
                           std::string_view activity_id);

// A delivery changed its state. Key: (delivery_id, sequence).
struct DeliveryFact {
  std::string workspace_id, delivery_id;
  int64_t sequence = 0;
  std::string channel_id, network;
  std::string kind;   // "post", "reply", "hide", "unhide", "delete"
  std::string state;  // "scheduled", "sent", "delivered", "failed", "unknown", "cancelled", "expired", ...
  std::string campaign_id, post_id, target_remote_id, remote_id;
  std::optional<absl::Time> due_time, delivered_time;
  absl::Time event_time;
  int thread_part = 0;   // of a post; a later part of a thread (> 0) is no post of its own
};

// A conversation changed. Key: event_id.
struct ConversationFact {
  std::string workspace_id, event_id;
  int64_t sequence = 0;  // of the workspace: the highest is the latest
  std::string type;      // "created", "replied", "resolved", ...
  absl::Time event_time;
  std::string conversation_id, channel_id, network, post_remote_id, member_id;
  std::optional<absl::Time> first_message_time, first_response_time;
};

// What a network counted of one post, or of a channel, at one moment. No fact to be summed up: the latest is what counts.
// Key: (channel_id, post_remote_id, measured_time).
struct SampleFact {
  std::string workspace_id, channel_id, network;
  std::string post_remote_id;  // "" for the channel itself
  absl::Time measured_time;
  std::map<std::string, int64_t> counters;
};

// Port: keeps facts and the sums (by the minute, the hour and the day) that follow from them, with the consumer's
// position, in one transaction. Facts that are known already change nothing. ABORTED FENCED when the position's epoch
// is not ours any more.
class FactStore {
 public:
  virtual ~FactStore() = default;
  virtual Status FoldActivities(const StreamPositions& positions, const std::vector<ActivityFact>& facts) = 0;
  virtual Status FoldDeliveries(const StreamPositions& positions, const std::vector<DeliveryFact>& facts) = 0;
  virtual Status FoldConversations(const StreamPositions& positions, const std::vector<ConversationFact>& facts) = 0;
  // Of each counter the latest value, and the last of every hour and day: in whatever order and however often samples
  // come, the same remains.
  virtual Status FoldSamples(const StreamPositions& positions, const std::vector<SampleFact>& samples) = 0;
};

}  // namespace parvis::metrics
