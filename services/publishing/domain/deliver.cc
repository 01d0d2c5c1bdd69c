#include "publishing/domain/deliver.h"

#include "platform/base/ids.h"
#include "publishing/domain/text_rules.h"

namespace parvis::publishing {
namespace {

constexpr int kIdMax = 500;
// What somebody does by hand is of no use any more when it waited longer.
constexpr absl::Duration kUseful = absl::Hours(1);

bool HasText(DeliveryKind kind) {
  return kind == DeliveryKind::kReply || kind == DeliveryKind::kPrivateReply || kind == DeliveryKind::kReport;
}

std::vector<Violation> CheckShape(const DeliverRequest& request, const PostLimits& limits) {
  std::vector<Violation> violations;
  if (request.kind == DeliveryKind::kPost) {
    violations.push_back({"kind", "must not be a post: posts are approved and scheduled", "KIND"});
  }
  CheckName("target_remote_id", request.target_remote_id, kIdMax, request.target_author_id.empty(), violations);
  CheckName("target_author_id", request.target_author_id, kIdMax, false, violations);
  CheckName("post_remote_id", request.post_remote_id, kIdMax, false, violations);
  CheckName("thread", request.thread, kIdMax, false, violations);
  if (CodePoints(request.text) < 0) violations.push_back({"text", "must be UTF-8 without NUL", "NOT_UTF8"});
  if (static_cast<int>(request.text.size()) > limits.text_max_bytes) {
    violations.push_back({"text", "must have at most " + std::to_string(limits.text_max_bytes) + " bytes", "TOO_LONG"});
  }
  if (!HasText(request.kind) && !request.text.empty()) {
    violations.push_back({"text", std::string("must be empty: a ") + KindName(request.kind) + " carries no text", "TEXT_NOT_TAKEN"});
  }
  return violations;
}

}  // namespace

StatusOr<Delivery> Deliver(const Call& call, const PostContext& context, DeliveryStore& deliveries, const DeliverRequest& request) {
  std::vector<Violation> violations = CheckShape(request, context.limits);
  if (!violations.empty()) return InvalidFields(std::move(violations));
  PARVIS_ASSIGN_OR_RETURN(const Channel channel, context.channels.GetChannel(call, call.workspace_id, request.channel_id));
  Delivery delivery;
  delivery.workspace_id = call.workspace_id;
  delivery.channel_id = request.channel_id;
  delivery.network = channel.network;
  delivery.kind = request.kind;
  delivery.target_remote_id = request.target_remote_id;
  delivery.target_author_id = request.target_author_id;
  delivery.post_remote_id = request.post_remote_id;
  delivery.thread = request.thread;
  delivery.content.text = request.text;
  delivery.requested_by = ActorOf(call);
  delivery.command_id = "publishing/deliver/" + delivery.requested_by + "/" +
                        (request.request_id.empty() ? context.ids.New() : request.request_id);
  delivery.id = UuidOfName("delivery/" + delivery.workspace_id + "/" + delivery.command_id);
  violations = context.rules.Check(channel.network, request.kind, delivery.content);
  if (request.target_remote_id.empty() && !context.rules.AuthorIsEnough(channel.network, request.kind)) {
    violations.push_back({"target_remote_id", std::string("is required: a person alone is not enough for a ") + KindName(request.kind) +
                          " on " + channel.network, "REQUIRED"});
  }
  if (!violations.empty()) return InvalidFields(std::move(violations));
  const absl::Time now = context.clock.WallNow();
  delivery.due_time = delivery.ready_time = now;
  delivery.expire_time = now + kUseful;
  delivery.lane = LaneOf(delivery);
  return deliveries.InsertDelivery(call, delivery, now, delivery.requested_by);
}

}  // namespace parvis::publishing
