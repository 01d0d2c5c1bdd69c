// Use case: a person answers, moderates or reports at once, below any of our posts or by anybody's comment.
#pragma once

#include <string>

#include "platform/base/call.h"
#include "publishing/domain/posts.h"

namespace parvis::publishing {

struct DeliverRequest {
  std::string channel_id;
  DeliveryKind kind = DeliveryKind::kReply;
  std::string target_remote_id, target_author_id, post_remote_id, thread, text;
  std::string request_id;   // "" = every call is a delivery of its own
};

// The delivery, due now and for an hour; the same `request_id` of the same caller gives the same one. INVALID_ARGUMENT with every
// violation, NOT_POSSIBLE among them when the network does not have it; NOT_FOUND for a channel that the workspace does not have.
StatusOr<Delivery> Deliver(const Call& call, const PostContext& context, DeliveryStore& deliveries, const DeliverRequest& request);

}  // namespace parvis::publishing
