#include "publishing/domain/thread.h"

#include <algorithm>

#include "platform/base/ids.h"

namespace parvis::publishing {

std::optional<Delivery> NextOfThread(const Delivery& delivered, absl::Time now) {
  if (delivered.content.thread.empty()) return std::nullopt;
  Delivery next;
  next.workspace_id = delivered.workspace_id;
  next.id = UuidOfName("delivery/" + delivered.id + "/next");
  next.channel_id = delivered.channel_id;
  next.network = delivered.network;
  next.kind = delivered.kind;
  next.campaign_id = delivered.campaign_id;
  next.post_id = delivered.post_id;
  next.generation = delivered.generation;
  next.target_remote_id = delivered.remote_id;
  next.post_remote_id = delivered.post_remote_id.empty() ? delivered.remote_id : delivered.post_remote_id;
  next.content = PartOf(delivered.content, 0);
  next.requested_by = delivered.requested_by;
  next.lane = delivered.lane;
  next.due_time = delivered.due_time + absl::Microseconds(1);
  next.ready_time = std::max(next.due_time, now + kThreadPause);
  // As long as the first part could wait, from now on: a thread that has begun is to be completed.
  next.expire_time = std::max(delivered.expire_time, now + (delivered.expire_time - delivered.due_time));
  if (delivered.remote_id.empty()) {
    next.state = DeliveryState::kFailed;
    next.error_reason = "NOT_FOUND";
    next.error_message = "the network did not say under which id it took what this continues";
  }
  return next;
}

}  // namespace parvis::publishing
