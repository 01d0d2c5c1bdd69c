#include "publishing/domain/post.h"

namespace parvis::publishing {

const char* PostStateName(PostState state) {
  switch (state) {
    case PostState::kNone: return "none";
    case PostState::kDraft: return "draft";
    case PostState::kInReview: return "in review";
    case PostState::kRejected: return "rejected";
    case PostState::kApproved: return "approved";
    case PostState::kScheduled: return "scheduled";
    case PostState::kPublished: return "published";
    case PostState::kFailed: return "failed";
    case PostState::kCancelled: return "cancelled";
  }
  return "none";
}

PostState StateFromDeliveries(const std::vector<DeliveryState>& deliveries) {
  bool delivered = false, failed = false;
  for (const DeliveryState state : deliveries) {
    if (!IsFinal(state)) return PostState::kScheduled;
    delivered = delivered || state == DeliveryState::kDelivered;
    failed = failed || state != DeliveryState::kCancelled;
  }
  if (delivered) return PostState::kPublished;
  return failed ? PostState::kFailed : PostState::kCancelled;
}

}  // namespace parvis::publishing
