// The queue: what follows from assessments. Holds and escalations become reviews, hides and deletes become commands,
// every decision of a rule is logged; an edit is assessed anew and ends the review of what it replaced; a removal ends
// it too. Order of arrival does not matter: of one comment, the highest revision wins and a removal wins over
// everything.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "moderation/domain/review.h"

namespace parvis::moderation {

// An activity with its assessment, as read from the topic.
struct Assessed {
  std::string workspace_id, activity_id, channel_id, network;
  Kind kind = Kind::kUnspecified;
  bool by_us = false;
  std::string remote_id, thread, post_remote_id;
  int64_t revision = 0;
  Author author;
  std::string text, permalink;
  absl::Time occurred_time;
  Verdict verdict;
  Trace trace;
};

// (workspace, channel, network's id of the comment).
using CommentKey = std::tuple<std::string, std::string, std::string>;

// What the queue remembers of a comment. Only of those with a history: held, hidden, edited, removed.
struct CommentState {
  int64_t revision = INT64_MIN;  // of the text last seen
  bool removed = false;
  bool hidden = false;  // on the network, as last heard
  int64_t hidden_revision = INT64_MIN;
  bool hide_asked = false;  // a rule or a member has it hidden or deleted already
  bool operator==(const CommentState&) const = default;
};

struct QueueEffects {
  std::map<CommentKey, CommentState> comments;  // changed ones
  std::vector<CommentKey> close;                // their open reviews end before the new ones are stored
  std::vector<Review> reviews;
  std::vector<Decision> decisions;
  std::vector<Command> commands;
  absl::Time time;  // when all this was decided
};

// The keys whose states Plan needs.
std::vector<CommentKey> KeysOf(const std::vector<Assessed>& batch);

// Pure: what follows from `batch`, in its order, given what was known before. Applying the same batch again changes
// nothing.
QueueEffects Plan(const std::vector<Assessed>& batch, const std::map<CommentKey, CommentState>& known, absl::Time now);

// Port: one transaction that reads the states of the batch's comments, writes what `plan` makes of them, and the
// offset.
class QueueStore {
 public:
  virtual ~QueueStore() = default;
  using Planner = std::function<QueueEffects(const std::map<CommentKey, CommentState>& known)>;
  // ABORTED FENCED when the position's epoch is no longer ours: nothing is written.
  virtual Status Apply(const StreamPositions& positions, const std::vector<CommentKey>& keys, const Planner& plan) = 0;
};

}  // namespace parvis::moderation
