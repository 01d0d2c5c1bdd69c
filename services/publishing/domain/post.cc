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
    case PostState::kPartlyPublished: return "partly published";
  }
  return "none";
}

PostState StateFromDeliveries(const std::vector<Delivery>& deliveries) {
  bool delivered = false, failed = false, broken = false;
  for (const Delivery& delivery : deliveries) {
    if (!IsFinal(delivery.state)) return PostState::kScheduled;
    const bool missed = delivery.state == DeliveryState::kFailed || delivery.state == DeliveryState::kExpired;
    delivered = delivered || delivery.state == DeliveryState::kDelivered;
    failed = failed || missed;
    broken = broken || (missed && delivery.content.part > 0);   // the parts before it are there
  }
  if (broken) return PostState::kPartlyPublished;
  if (delivered) return PostState::kPublished;
  return failed ? PostState::kFailed : PostState::kCancelled;
}

}  // namespace parvis::publishing
