#include "moderation/domain/review.h"

#include <absl/strings/str_cat.h>

#include "platform/base/ids.h"

namespace parvis::moderation {
namespace {

// Who acts: the member, or the key where there is no member behind it.
std::string Actor(const Call& call) {
  return call.principal.member_id.empty() ? call.principal.key_id : call.principal.member_id;
}

Status Ended(const Review& review) {
  return MakeError(Code::kFailedPrecondition, "REVIEW_ENDED",
                   review.state == ReviewState::kDecided ? "the review is already decided"
                                                         : "the review is closed: the comment was removed or changed");
}

Status ClaimLost() {
  return MakeError(Code::kAborted, "CLAIM_LOST",
                   "the claim is no longer yours: it ran out or was given back, and the token with it");
}

}  // namespace

std::string CommandId(Command::Kind kind, std::string_view activity_id) {
  const char* verb = kind == Command::Kind::kHide ? "hide" : kind == Command::Kind::kUnhide ? "unhide" : "delete";
  return absl::StrCat("moderation/", verb, "/", std::string(activity_id));
}

std::string ReviewId(std::string_view activity_id) {
  return UuidOfName(absl::StrCat("review/", std::string(activity_id)));
}

ReviewState Review::StateAt(absl::Time now) const {
  return state == ReviewState::kOpen && claim_expire_time && *claim_expire_time > now ? ReviewState::kClaimed : state;
}

StatusOr<Review> Reviews::Claim(const Call& call, const std::string& id) {
  const absl::Time now = clock_.WallNow();
  return store_.Alter(call, id, [&](Review& review, ReviewEffects&) -> Status {
    if (review.state != ReviewState::kOpen) return Ended(review);
    const std::string who = Actor(call);
    const bool held = review.StateAt(now) == ReviewState::kClaimed;
    if (held && review.claim_member_id != who) {
      Error error{Code::kFailedPrecondition, "REVIEW_CLAIMED", "somebody else has claimed the review", {}, {}, {}};
      error.retry_after = *review.claim_expire_time - now;
      return ToStatus(error);
    }
    if (!held) ++review.claim_token;
    review.claim_member_id = who;
    review.claim_expire_time = now + claim_;
    return absl::OkStatus();
  });
}

StatusOr<Review> Reviews::Release(const Call& call, const std::string& id, int64_t claim_token) {
  return store_.Alter(call, id, [&](Review& review, ReviewEffects&) -> Status {
    if (review.state != ReviewState::kOpen) return Ended(review);
    if (review.claim_token != claim_token || !review.claim_expire_time) return ClaimLost();
    review.claim_member_id.clear();
    review.claim_expire_time.reset();
    ++review.claim_token;  // the released token decides nothing any more
    return absl::OkStatus();
  });
}

StatusOr<Review> Reviews::Decide(const Call& call, const std::string& id, int64_t claim_token, Action decision,
                                 const std::string& note, const std::string& request_id) {
  if (decision != Action::kAllow && decision != Action::kHide && decision != Action::kDelete) {
    return InvalidField("decision", "WRONG_VALUE", "must be ACTION_ALLOW, ACTION_HIDE or ACTION_DELETE");
  }
  if (CountCodePoints(note) > kNoteMax) {
    return InvalidField("note", "TOO_LONG", absl::StrCat("at most ", kNoteMax, " characters"));
  }
  if (note.find('\0') != std::string::npos) return InvalidField("note", "WRONG_VALUE", "must not contain NUL");
  const absl::Time now = clock_.WallNow();
  bool sends = false;
  auto decided = store_.Alter(call, id, [&](Review& review, ReviewEffects& effects) -> Status {
    sends = false;
    if (review.state == ReviewState::kDecided && !request_id.empty() && review.decide_request_id == request_id) {
      return absl::OkStatus();
    }
    if (review.state != ReviewState::kOpen) return Ended(review);
    if (review.claim_token != claim_token || !review.claim_expire_time) return ClaimLost();
    review.state = ReviewState::kDecided;
    review.decision = decision;
    review.decide_member_id = Actor(call);
    review.decide_request_id = request_id;
    review.note = note;
    review.end_time = now;
    review.claim_member_id.clear();
    review.claim_expire_time.reset();

    Decision line{UuidOfName(absl::StrCat("decision/review/", review.id)),
                  review.workspace_id,
                  review.activity_id,
                  review.channel_id,
                  review.remote_id,
                  DecisionSource::kReview,
                  decision,
                  review.verdict.reasons,
                  review.verdict.policy_id,
                  review.verdict.policy_version,
                  review.decide_member_id,
                  note,
                  "",
                  now};
    if (decision != Action::kAllow || review.hidden) {
      const auto kind = decision == Action::kHide     ? Command::Kind::kHide
                        : decision == Action::kDelete ? Command::Kind::kDelete
                                                      : Command::Kind::kUnhide;
      line.command_id = CommandId(kind, review.activity_id);
      effects.command =
          Command{line.command_id,       review.workspace_id, review.channel_id,       kind, review.remote_id,
                  review.post_remote_id, review.thread,       review.decide_member_id, now,  call.trace};
      sends = true;
    }
    effects.decision = std::move(line);
    return absl::OkStatus();
  });
  if (decided.ok() && sends && after_commit_) after_commit_();
  return decided;
}

}  // namespace parvis::moderation
