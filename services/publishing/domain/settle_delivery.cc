#include "publishing/domain/settle_delivery.h"

#include "publishing/domain/posts.h"
#include "publishing/domain/text_rules.h"

namespace parvis::publishing {

StatusOr<Delivery> SettleDelivery(const Call& call, DeliveryStore& store, const Clock& clock, const SettleRequest& request,
                                  absl::Duration late_max) {
  std::vector<Violation> violations;
  CheckName("comment", request.comment, 4000, false, violations);
  CheckName("remote_id", request.remote_id, 500, false, violations);
  CheckName("permalink", request.permalink, 2000, false, violations);
  PARVIS_ASSIGN_OR_RETURN(const Delivery delivery, store.GetDelivery(call, request.id));
  if (!request.request_id.empty() && delivery.settle_request_id == request.request_id) return delivery;  // done already
  if (request.settlement == Settlement::kDelivered && !IsIdempotent(delivery.kind) && request.remote_id.empty()) {
    violations.push_back({"remote_id", "is required: the network's id of what was created", "REQUIRED"});
  }
  if (!violations.empty()) return InvalidFields(std::move(violations));
  if (delivery.state != DeliveryState::kUnknown) {
    return MakeError(Code::kFailedPrecondition, "NOT_UNKNOWN",
                     std::string("the delivery is ") + StateName(delivery.state) + "; only an unknown one can be settled");
  }
  const absl::Time now = clock.WallNow();
  Change change;
  change.after = delivery;
  change.from = {DeliveryState::kUnknown};
  change.fence = delivery.fence;
  change.actor = ActorOf(call);
  Delivery& after = change.after;
  after.fence += 1;   // whatever still reads it back is too late
  after.needs_human = false;
  after.reconciling = false;
  after.check_time = absl::InfiniteFuture();
  after.settle_request_id = request.request_id;
  after.error_reason.clear();
  after.error_message.clear();
  switch (request.settlement) {
    case Settlement::kDelivered:
      after.state = DeliveryState::kDelivered;
      after.remote_id = request.remote_id;
      after.permalink = request.permalink;
      after.delivered_time = now;
      change.detail = "settled by a person: delivered";
      break;
    case Settlement::kFailed:
      after.state = DeliveryState::kFailed;
      after.error_reason = "REJECTED";
      after.error_message = "settled by a person: it is not on the network";
      change.detail = "settled by a person: failed";
      break;
    case Settlement::kRetry:
      after.state = DeliveryState::kScheduled;
      after.ready_time = now;
      after.expire_time = std::max(after.expire_time, now + late_max);
      after.empty_reads = 0;
      after.resends = 0;
      change.detail = "settled by a person: send it again";
      break;
  }
  if (!request.comment.empty()) change.detail += ": " + request.comment;
  return store.SettleByPerson(call, change, now);
}

}  // namespace parvis::publishing
