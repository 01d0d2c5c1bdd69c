// Use case: a person settles a delivery that is unknown.
#pragma once

#include <string>

#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "publishing/domain/post_store.h"

namespace parvis::publishing {

enum class Settlement { kDelivered, kFailed, kRetry };

struct SettleRequest {
  std::string id;
  Settlement settlement = Settlement::kFailed;
  std::string remote_id, permalink, comment, request_id;
};

// FAILED_PRECONDITION NOT_UNKNOWN; INVALID_ARGUMENT; ABORTED DELIVERY_CHANGED when reconciliation was faster. kRetry sends
// it again on the person's word, for at most `late_max` from now.
StatusOr<Delivery> SettleDelivery(const Call& call, DeliveryStore& store, const Clock& clock, const SettleRequest& request,
                                  absl::Duration late_max);

}  // namespace parvis::publishing
