#include "publishing/domain/posts.h"
#include "publishing/domain/text_rules.h"

namespace parvis::publishing {
namespace {

Status WrongState(const Post& post, const std::string& needed) {
  return MakeError(Code::kFailedPrecondition, "WRONG_STATE",
                   std::string("the post is ") + PostStateName(post.state) + "; it must be " + needed);
}

StatusOr<Post> Review(const Call& call, const PostContext& context, const std::string& id,
                      std::optional<int64_t> version, const std::string& comment, bool approve) {
  std::vector<Violation> violations;
  CheckName("comment", comment, context.limits.comment_max, !approve, violations);
  if (!violations.empty()) return InvalidFields(std::move(violations));
  PARVIS_ASSIGN_OR_RETURN(Post post, context.posts.GetPost(call, id));
  PARVIS_RETURN_IF_ERROR(CheckVersion(post.version, version));
  if (post.state != PostState::kInReview) return WrongState(post, "in review");
  if (approve && post.submitted_by == ActorOf(call)) {
    return MakeError(Code::kPermissionDenied, "SELF_APPROVAL",
                     "four eyes: whoever submitted a post cannot approve it; somebody else must");
  }
  post.state = approve ? PostState::kApproved : PostState::kRejected;
  post.reviewed_by = ActorOf(call);
  post.review_comment = comment;
  post.review_time = post.update_time = context.clock.WallNow();
  return context.posts.SavePost(call, post, {});
}

}  // namespace

StatusOr<Post> SubmitPost(const Call& call, const PostContext& context, const std::string& id,
                          std::optional<int64_t> version) {
  PARVIS_ASSIGN_OR_RETURN(Post post, context.posts.GetPost(call, id));
  PARVIS_RETURN_IF_ERROR(CheckVersion(post.version, version));
  if (post.state != PostState::kDraft && post.state != PostState::kRejected) {
    return WrongState(post, "a draft or rejected");
  }
  PARVIS_ASSIGN_OR_RETURN(PostCheck check, CheckPost(call, context, post));
  if (!check.violations.empty()) return InvalidFields(std::move(check.violations));
  post.state = PostState::kInReview;
  post.submitted_by = ActorOf(call);
  post.reviewed_by.clear();
  post.review_comment.clear();
  post.review_time = absl::InfinitePast();
  post.update_time = context.clock.WallNow();
  return context.posts.SavePost(call, post, {});
}

StatusOr<Post> ApprovePost(const Call& call, const PostContext& context, const std::string& id,
                           std::optional<int64_t> version, const std::string& comment) {
  return Review(call, context, id, version, comment, true);
}

StatusOr<Post> RejectPost(const Call& call, const PostContext& context, const std::string& id,
                          std::optional<int64_t> version, const std::string& comment) {
  return Review(call, context, id, version, comment, false);
}

}  // namespace parvis::publishing
