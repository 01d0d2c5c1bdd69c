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

bool CanResume(const Delivery& part) {
  const bool missed = part.state == DeliveryState::kFailed || part.state == DeliveryState::kExpired;
  return missed && part.content.part > 0 && !part.content.ended && !part.target_remote_id.empty();
}

Change ResumePart(const Delivery& part, absl::Time now, absl::Time expire_time, const std::string& actor) {
  Change change;
  change.after = part;
  change.from = {part.state};
  change.fence = part.fence;
  change.actor = actor;
  change.detail = "resumed by a person: send it again";
  Delivery& after = change.after;
  after.state = DeliveryState::kScheduled;
  after.fence += 1;
  // As if scheduled for now: posts that were due before have gone out or go first, and the rest follows without a gap.
  after.due_time = after.ready_time = now;
  after.expire_time = expire_time;
  after.check_time = absl::InfiniteFuture();
  after.tries = after.empty_reads = after.resends = 0;
  after.reconciling = after.needs_human = false;
  after.error_reason.clear();
  after.error_message.clear();
  return change;
}

Status NothingToResume() {
  return MakeError(Code::kFailedPrecondition, "NOTHING_TO_RESUME",
                   "no thread of the post can go on: none ended early, or the post was cancelled, or the network did not say what "
                   "the failed part answers");
}

}  // namespace parvis::publishing
