// Reviews and decisions: the queue of what people decide, and the log of all that was decided.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "moderation/domain/assessment.h"
#include "moderation/domain/policies.h"
#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/stream.h"

namespace parvis::moderation {

// As in parvis.moderation.v1.ReviewState; kClaimed is never stored: it is kOpen with a claim that has not run out.
enum class ReviewState { kUnspecified = 0, kOpen = 1, kClaimed = 2, kDecided = 3, kClosed = 4 };
enum class DecisionSource { kUnspecified = 0, kPolicy = 1, kReview = 2 };

struct Author {
  std::string remote_id, name, handle;
};

struct Review {
  std::string id, workspace_id, activity_id, channel_id, network, remote_id, thread, post_remote_id;
  Author author;
  std::string text, permalink;
  Verdict verdict;  // the assessment that put it here
  absl::Time occurred_time, create_time;
  ReviewState state = ReviewState::kOpen;
  std::string claim_member_id;  // "" unless claimed; a key without a member claims as its key's id
  int64_t claim_token = 0;      // rises with every claim
  std::optional<absl::Time> claim_expire_time;
  Action decision = Action::kUnspecified;
  std::string decide_member_id, decide_request_id, note;
  std::optional<absl::Time> end_time;
  bool hidden = false;  // on the network, as far as we know; not stored with the review

  ReviewState StateAt(absl::Time now) const;
};

// One line of the decision log.
struct Decision {
  std::string id, workspace_id, activity_id, channel_id, remote_id;
  DecisionSource source = DecisionSource::kPolicy;
  Action action = Action::kUnspecified;
  std::vector<Reason> reasons;
  std::string policy_id;
  int64_t policy_version = 0;
  std::string member_id, note, command_id;
  absl::Time create_time;
};

// Something to be done on the network; becomes parvis.publishing.v1.DeliveryCommand.
struct Command {
  enum class Kind { kHide, kUnhide, kDelete };
  std::string command_id, workspace_id, channel_id;
  Kind kind = Kind::kHide;
  std::string target_remote_id, post_remote_id, thread;
  std::string requested_by;  // a member's id, or "policy/<policy id>@<version>"
  absl::Time requested_time;
  Trace trace;
};
using EncodeCommand = std::function<StreamRecord(const Command&)>;

// "moderation/hide/<activity id>": the natural key by which publishing does it once.
std::string CommandId(Command::Kind kind, std::string_view activity_id);
std::string ReviewId(std::string_view activity_id);

struct ReviewFilter {
  ReviewState state = ReviewState::kUnspecified;
  std::string channel_id, language;  // "" for every
};
struct DecisionFilter {
  std::string channel_id;
  DecisionSource source = DecisionSource::kUnspecified;
  Action action = Action::kUnspecified;
};
// Reviews are listed by (escalated first, create_time, id).
struct ReviewCursor {
  bool escalated = false;
  absl::Time time;
  std::string id;
};

// What a change of a review brings with it, in the same transaction.
struct ReviewEffects {
  std::optional<Command> command;
  std::optional<Decision> decision;
};

// Port. Every call is within call.workspace_id and sees nothing of another one.
class ReviewStore {
 public:
  virtual ~ReviewStore() = default;
  virtual StatusOr<Review> Get(const Call& call, const std::string& id) = 0;  // NOT_FOUND
  virtual StatusOr<std::vector<Review>> List(const Call& call, const ReviewFilter& filter,
                                             const std::optional<ReviewCursor>& after, absl::Time now, int limit) = 0;
  // Locks the review, lets `change` alter its claim, decision and end, and stores it with the effects; all or nothing.
  // Errors of `change` are returned as they are. `change` may be called more than once, each time with a fresh review.
  using Change = std::function<Status(Review&, ReviewEffects&)>;
  virtual StatusOr<Review> Alter(const Call& call, const std::string& id, const Change& change) = 0;
  // Newest first.
  virtual StatusOr<std::vector<Decision>> ListDecisions(const Call& call, const DecisionFilter& filter,
                                                        const std::optional<TimeCursor>& after, int limit) = 0;
};

// Thread-safe.
class Reviews {
 public:
  static constexpr size_t kNoteMax = 2000;  // characters
  // `claim`: how long a claim lasts. `after_commit` is told of every written command (to wake the outbox's relay).
  Reviews(ReviewStore& store, const Clock& clock, absl::Duration claim, std::function<void()> after_commit)
      : store_(store), clock_(clock), claim_(claim), after_commit_(std::move(after_commit)) {}

  StatusOr<Review> Get(const Call& call, const std::string& id) { return store_.Get(call, id); }
  StatusOr<std::vector<Review>> List(const Call& call, const ReviewFilter& filter,
                                     const std::optional<ReviewCursor>& after, int limit) {
    return store_.List(call, filter, after, clock_.WallNow(), limit);
  }
  StatusOr<std::vector<Decision>> ListDecisions(const Call& call, const DecisionFilter& filter,
                                                const std::optional<TimeCursor>& after, int limit) {
    return store_.ListDecisions(call, filter, after, limit);
  }
  // A claim that has run out may be taken by anybody; the old token is then worthless. FAILED_PRECONDITION
  // REVIEW_CLAIMED, REVIEW_ENDED.
  StatusOr<Review> Claim(const Call& call, const std::string& id);
  // ABORTED CLAIM_LOST.
  StatusOr<Review> Release(const Call& call, const std::string& id, int64_t claim_token);
  // A claim that has run out still decides as long as nobody else took it. ABORTED CLAIM_LOST; FAILED_PRECONDITION
  // REVIEW_ENDED. The same request id again returns the decided review.
  StatusOr<Review> Decide(const Call& call, const std::string& id, int64_t claim_token, Action decision,
                          const std::string& note, const std::string& request_id);
  absl::Time Now() const { return clock_.WallNow(); }

 private:
  ReviewStore& store_;
  const Clock& clock_;
  const absl::Duration claim_;
  const std::function<void()> after_commit_;
};

}  // namespace parvis::moderation
