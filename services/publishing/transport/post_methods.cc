#include "publishing/transport/post_methods.h"

#include "platform/base/ids.h"
#include "publishing/transport/campaign_methods.h"
#include "publishing/transport/convert.h"
#include "publishing/transport/paging.h"

namespace parvis::publishing {
namespace {

constexpr char kPostPattern[] = "workspaces/*/posts/*";

struct Named {
  std::string id;
  std::optional<int64_t> version;
};

// What most methods of a post begin with.
template <class Request>
StatusOr<Named> NameAndEtag(const Request& request) {
  Named named;
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName("name", request.name(), kPostPattern));
  named.id = ids[1];
  PARVIS_ASSIGN_OR_RETURN(named.version, VersionOf(request.etag()));
  return named;
}

// A campaign of the workspace that the call is about; naming another's is an error about the field.
StatusOr<std::string> CampaignId(const Call& call, const char* field, const std::string& name) {
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName(field, name, "workspaces/*/campaigns/*"));
  if (ids[0] != call.workspace_id) {
    return InvalidField(field, "OTHER_WORKSPACE", "must be a campaign of the same workspace");
  }
  return ids[1];
}

v1::PostViolation ToProto(const Violation& violation) {
  v1::PostViolation to;
  to.set_field(violation.field);
  to.set_reason(violation.reason);
  to.set_description(violation.description);
  return to;
}

v1::VariantLength ToProto(const NetworkRules::Length& length) {
  v1::VariantLength to;
  to.set_length(length.length);
  to.set_limit(length.limit);
  return to;
}

v1::TextSpan ToProto(const TextSpan& from) {
  v1::TextSpan to;
  to.set_kind(static_cast<v1::TextSpan::Kind>(from.kind));
  to.set_begin(from.begin);
  to.set_end(from.end);
  to.set_target(from.target);
  return to;
}

v1::VariantPreview ToProto(const VariantPreview& from) {
  v1::VariantPreview to;
  to.set_channel_id(from.channel_id);
  to.set_channel_display_name(from.channel_name);
  to.set_network(from.network);
  to.set_title(from.preview.title);
  to.set_text(from.preview.text);
  for (const TextSpan& span : from.preview.spans) *to.add_spans() = ToProto(span);
  to.set_card_link(from.preview.card);
  for (const std::string& remark : from.preview.remarks) to.add_remarks(remark);
  *to.mutable_length() = ToProto(from.length);
  for (const Violation& violation : from.violations) *to.add_violations() = ToProto(violation);
  for (const VariantPreview::Part& part : from.thread) {
    v1::ThreadPartPreview* out = to.add_thread();
    out->set_text(part.preview.text);
    for (const TextSpan& span : part.preview.spans) *out->add_spans() = ToProto(span);
    for (const std::string& remark : part.preview.remarks) out->add_remarks(remark);
    *out->mutable_length() = ToProto(part.length);
  }
  return to;
}

Status Answer(StatusOr<Post> post, v1::Post& response) {
  if (!post.ok()) return post.status();
  response = ToProto(*post);
  return absl::OkStatus();
}

}  // namespace

Status CreatePostMethod(const Call& call, const PostContext& posts, const v1::CreatePostRequest& request,
                        v1::Post& response) {
  PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", request.parent(), "workspaces/*").status());
  PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  Post post;
  PARVIS_ASSIGN_OR_RETURN(post.campaign_id, CampaignId(call, "post.campaign", request.post().campaign()));
  post.display_name = request.post().display_name();
  post.variants = FromProto(request.post().variants());
  return Answer(CreatePost(call, posts, post, request.request_id()), response);
}

Status GetPostMethod(const Call& call, const PostContext& posts, const v1::GetPostRequest& request, v1::Post& response) {
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName("name", request.name(), kPostPattern));
  return Answer(posts.posts.GetPost(call, ids[1]), response);
}

Status ListPostsMethod(const Call& call, const PostContext& posts, const v1::ListPostsRequest& request,
                       v1::ListPostsResponse& response) {
  PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", request.parent(), "workspaces/*").status());
  PARVIS_ASSIGN_OR_RETURN(const Page page, PageOf(request, kPageDefault, kPageMax));
  PostFilter filter;
  if (!request.campaign().empty()) {
    PARVIS_ASSIGN_OR_RETURN(filter.campaign_id, CampaignId(call, "campaign", request.campaign()));
  }
  if (request.state() != v1::POST_STATE_UNSPECIFIED) filter.state = static_cast<PostState>(request.state());
  PARVIS_ASSIGN_OR_RETURN(std::vector<Post> list, posts.posts.ListPosts(call, filter, page));
  if (static_cast<int>(list.size()) == page.size) {
    list.pop_back();
    response.set_next_page_token(NextToken(request, list.back().create_time, list.back().id));
  }
  for (const Post& post : list) *response.add_posts() = ToProto(post);
  return absl::OkStatus();
}

Status UpdatePostMethod(const Call& call, const PostContext& posts, const v1::UpdatePostRequest& request,
                        v1::Post& response) {
  const v1::Post& given = request.post();
  PARVIS_ASSIGN_OR_RETURN(const auto ids, rpc::ParseName("post.name", given.name(), kPostPattern));
  PostUpdate update;
  update.id = ids[1];
  PARVIS_ASSIGN_OR_RETURN(update.version, VersionOf(given.etag()));
  bool name = request.update_mask().paths().empty() && !given.display_name().empty();
  bool variants = request.update_mask().paths().empty() && !given.variants().empty();
  for (const std::string& path : request.update_mask().paths()) {
    if (path != "*" && path != "display_name" && path != "variants") {
      return InvalidField("update_mask", "FIELD_MASK", "\"" + path + "\" is not a field that can be changed");
    }
    name = name || path == "*" || path == "display_name";
    variants = variants || path == "*" || path == "variants";
  }
  if (name) update.display_name = given.display_name();
  if (variants) update.variants = FromProto(given.variants());
  return Answer(UpdatePost(call, posts, update), response);
}

Status DeletePostMethod(const Call& call, const PostContext& posts, const v1::DeletePostRequest& request,
                        google::protobuf::Empty&) {
  PARVIS_ASSIGN_OR_RETURN(const Named named, NameAndEtag(request));
  return DeletePost(call, posts, named.id, named.version);
}

Status CheckPostMethod(const Call& call, const PostContext& posts, const v1::CheckPostRequest& request,
                       v1::CheckPostResponse& response) {
  PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", request.parent(), "workspaces/*").status());
  Post post;
  post.display_name = request.post().display_name();
  post.variants = FromProto(request.post().variants());
  PARVIS_ASSIGN_OR_RETURN(const PostCheck check, CheckPost(call, posts, post));
  for (const Violation& violation : check.violations) *response.add_violations() = ToProto(violation);
  for (const NetworkRules::Length& length : check.lengths) *response.add_lengths() = ToProto(length);
  return absl::OkStatus();
}

Status PreviewPostMethod(const Call& call, const PostContext& posts, const v1::PreviewPostRequest& request,
                         v1::PreviewPostResponse& response) {
  PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", request.parent(), "workspaces/*").status());
  Post post;
  post.display_name = request.post().display_name();
  post.variants = FromProto(request.post().variants());
  PARVIS_ASSIGN_OR_RETURN(const PostPreview preview, PreviewPost(call, posts, post));
  for (const VariantPreview& variant : preview.variants) *response.add_previews() = ToProto(variant);
  for (const Violation& violation : preview.violations) *response.add_violations() = ToProto(violation);
  return absl::OkStatus();
}

Status SubmitPostMethod(const Call& call, const PostContext& posts, const v1::SubmitPostRequest& request,
                        v1::Post& response) {
  PARVIS_ASSIGN_OR_RETURN(const Named named, NameAndEtag(request));
  return Answer(SubmitPost(call, posts, named.id, named.version), response);
}

Status ApprovePostMethod(const Call& call, const PostContext& posts, const v1::ApprovePostRequest& request,
                         v1::Post& response) {
  PARVIS_ASSIGN_OR_RETURN(const Named named, NameAndEtag(request));
  return Answer(ApprovePost(call, posts, named.id, named.version, request.comment()), response);
}

Status RejectPostMethod(const Call& call, const PostContext& posts, const v1::RejectPostRequest& request,
                        v1::Post& response) {
  PARVIS_ASSIGN_OR_RETURN(const Named named, NameAndEtag(request));
  return Answer(RejectPost(call, posts, named.id, named.version, request.comment()), response);
}

Status SchedulePostMethod(const Call& call, const PostContext& posts, const v1::SchedulePostRequest& request,
                          v1::Post& response) {
  PARVIS_ASSIGN_OR_RETURN(const Named named, NameAndEtag(request));
  PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  When when;
  if (request.has_due_time()) {
    PARVIS_ASSIGN_OR_RETURN(when.due_time, FromProto("due_time", request.due_time()));
  }
  when.local_time = request.local_time();
  switch (request.local_time_choice()) {
    case v1::LOCAL_TIME_CHOICE_FIRST: when.choice = LocalTimeChoice::kFirst; break;
    case v1::LOCAL_TIME_CHOICE_SECOND: when.choice = LocalTimeChoice::kSecond; break;
    default: break;
  }
  return Answer(SchedulePost(call, posts, named.id, named.version, when, request.request_id()), response);
}

Status ResumePostMethod(const Call& call, const PostContext& posts, const v1::ResumePostRequest& request,
                        v1::Post& response) {
  PARVIS_ASSIGN_OR_RETURN(const Named named, NameAndEtag(request));
  PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(request.request_id()));
  return Answer(ResumePost(call, posts, named.id, named.version, request.request_id()), response);
}

Status CancelPostMethod(const Call& call, const PostContext& posts, const v1::CancelPostRequest& request,
                        v1::Post& response) {
  PARVIS_ASSIGN_OR_RETURN(const Named named, NameAndEtag(request));
  return Answer(CancelPost(call, posts, named.id, named.version), response);
}

}  // namespace parvis::publishing
