#include "publishing/domain/posts.h"
#include "publishing/domain/text_rules.h"
#include "publishing/domain/thread.h"

namespace parvis::publishing {
namespace {

StatusOr<absl::Time> DueTime(const Call& call, const PostContext& context, const When& when) {
  absl::Time due;
  std::string field = "due_time";
  if (when.due_time) {
    due = *when.due_time;
  } else if (!when.local_time.empty()) {
    field = "local_time";
    PARVIS_ASSIGN_OR_RETURN(const std::string zone, context.channels.GetTimeZone(call, call.workspace_id));
    PARVIS_ASSIGN_OR_RETURN(due, ResolveLocalTime(field, when.local_time, zone, when.choice));
  } else {
    return InvalidField("when", "REQUIRED", "set due_time or local_time");
  }
  const absl::Time now = context.clock.WallNow();
  if (due < now - context.limits.past_max) return InvalidField(field, "DUE_IN_PAST", "must not be in the past");
  if (due > now + context.limits.future_max) return InvalidField(field, "DUE_TOO_FAR", "must be within two years");
  return due;
}

Delivery MakeDelivery(const Post& post, const Variant& variant, Content content, const std::string& network,
                      const std::string& actor, const PostLimits& limits) {
  Delivery delivery;
  delivery.workspace_id = post.workspace_id;
  // From the natural key: however often this is tried, a post has one delivery per channel and generation.
  delivery.id = UuidOfName("delivery/" + post.id + "/" + variant.channel_id + "/" + std::to_string(post.generation));
  delivery.channel_id = variant.channel_id;
  delivery.network = network;
  delivery.kind = DeliveryKind::kPost;
  delivery.campaign_id = post.campaign_id;
  delivery.post_id = post.id;
  delivery.generation = post.generation;
  delivery.content = std::move(content);
  delivery.requested_by = actor;
  delivery.due_time = delivery.ready_time = post.due_time;
  delivery.expire_time = post.due_time + limits.late_max;
  delivery.lane = LaneOf(delivery);
  return delivery;
}

}  // namespace

StatusOr<Post> SchedulePost(const Call& call, const PostContext& context, const std::string& id,
                            std::optional<int64_t> version, const When& when, const std::string& request_id) {
  PARVIS_ASSIGN_OR_RETURN(Post post, context.posts.GetPost(call, id));
  if (!request_id.empty() && post.schedule_request_id == request_id) return post;   // done already
  PARVIS_RETURN_IF_ERROR(CheckVersion(post.version, version));
  if (post.state == PostState::kPublished || post.state == PostState::kPartlyPublished) {
    return MakeError(Code::kFailedPrecondition, "ALREADY_SENT", std::string("the post is ") + PostStateName(post.state));
  }
  const bool moves = post.state == PostState::kScheduled;
  const bool approved = moves || post.state == PostState::kApproved || post.state == PostState::kCancelled ||
                        post.state == PostState::kFailed;
  if (!approved) {
    return MakeError(Code::kFailedPrecondition, "NOT_APPROVED",
                     std::string("the post is ") + PostStateName(post.state) + "; only an approved one can be scheduled");
  }
  PARVIS_ASSIGN_OR_RETURN(post.due_time, DueTime(call, context, when));
  DeliveryEdit edit;
  edit.actor = ActorOf(call);
  edit.due_time = post.due_time;
  edit.expire_time = post.due_time + context.limits.late_max;
  edit.kind = moves ? DeliveryEdit::Kind::kMove : DeliveryEdit::Kind::kInsert;
  if (!moves) {
    // A channel may have been removed, or rules changed, since the approval.
    PARVIS_ASSIGN_OR_RETURN(PostCheck check, CheckPost(call, context, post));
    if (!check.violations.empty()) return InvalidFields(std::move(check.violations));
    post.generation += 1;
    for (size_t i = 0; i < post.variants.size(); ++i) {
      const Variant& variant = post.variants[i];
      PARVIS_ASSIGN_OR_RETURN(const Channel channel, context.channels.GetChannel(call, call.workspace_id, variant.channel_id));
      edit.inserts.push_back(MakeDelivery(post, variant, std::move(check.contents[i]), channel.network, edit.actor, context.limits));
    }
  }
  post.state = PostState::kScheduled;
  post.schedule_request_id = request_id;
  post.update_time = context.clock.WallNow();
  return context.posts.SavePost(call, post, edit);
}

StatusOr<Post> ResumePost(const Call& call, const PostContext& context, const std::string& id,
                          std::optional<int64_t> version, const std::string& request_id) {
  PARVIS_ASSIGN_OR_RETURN(Post post, context.posts.GetPost(call, id));
  if (!request_id.empty() && post.schedule_request_id == request_id) return post;   // done already
  PARVIS_RETURN_IF_ERROR(CheckVersion(post.version, version));
  // Scheduled: a thread ended early while another variant is still under way.
  if (post.state != PostState::kPartlyPublished && post.state != PostState::kScheduled) return NothingToResume();
  DeliveryEdit edit;
  edit.kind = DeliveryEdit::Kind::kResume;
  edit.actor = ActorOf(call);
  edit.due_time = post.update_time = context.clock.WallNow();
  edit.expire_time = edit.due_time + context.limits.late_max;
  post.state = PostState::kScheduled;
  post.schedule_request_id = request_id;
  return context.posts.SavePost(call, post, edit);
}

StatusOr<Post> CancelPost(const Call& call, const PostContext& context, const std::string& id,
                          std::optional<int64_t> version) {
  PARVIS_ASSIGN_OR_RETURN(Post post, context.posts.GetPost(call, id));
  if (post.state == PostState::kCancelled) return post;
  PARVIS_RETURN_IF_ERROR(CheckVersion(post.version, version));
  if (post.state == PostState::kPublished || post.state == PostState::kPartlyPublished || post.state == PostState::kFailed) {
    return MakeError(Code::kFailedPrecondition, "ALREADY_SENT", "nothing of the post waits any more");
  }
  if (post.state != PostState::kScheduled) {
    return MakeError(Code::kFailedPrecondition, "WRONG_STATE",
                     std::string("the post is ") + PostStateName(post.state) + "; there is nothing to cancel");
  }
  DeliveryEdit edit;
  edit.kind = DeliveryEdit::Kind::kCancel;
  edit.actor = ActorOf(call);
  post.schedule_request_id.clear();
  post.update_time = context.clock.WallNow();
  return context.posts.SavePost(call, post, edit);
}

}  // namespace parvis::publishing
