// The bodies of the posts' methods, without gRPC.
#pragma once

#include <google/protobuf/empty.pb.h>

#include "parvis/publishing/v1/publishing_service.pb.h"
#include "platform/base/call.h"
#include "publishing/domain/posts.h"

namespace parvis::publishing {

Status CreatePostMethod(const Call& call, const PostContext& posts, const v1::CreatePostRequest& request,
                        v1::Post& response);
Status GetPostMethod(const Call& call, const PostContext& posts, const v1::GetPostRequest& request, v1::Post& response);
Status ListPostsMethod(const Call& call, const PostContext& posts, const v1::ListPostsRequest& request,
                       v1::ListPostsResponse& response);
Status UpdatePostMethod(const Call& call, const PostContext& posts, const v1::UpdatePostRequest& request,
                        v1::Post& response);
Status DeletePostMethod(const Call& call, const PostContext& posts, const v1::DeletePostRequest& request,
                        google::protobuf::Empty& response);
Status CheckPostMethod(const Call& call, const PostContext& posts, const v1::CheckPostRequest& request,
                       v1::CheckPostResponse& response);
Status PreviewPostMethod(const Call& call, const PostContext& posts, const v1::PreviewPostRequest& request,
                         v1::PreviewPostResponse& response);
Status SubmitPostMethod(const Call& call, const PostContext& posts, const v1::SubmitPostRequest& request,
                        v1::Post& response);
Status ApprovePostMethod(const Call& call, const PostContext& posts, const v1::ApprovePostRequest& request,
                         v1::Post& response);
Status RejectPostMethod(const Call& call, const PostContext& posts, const v1::RejectPostRequest& request,
                        v1::Post& response);
Status SchedulePostMethod(const Call& call, const PostContext& posts, const v1::SchedulePostRequest& request,
                          v1::Post& response);
Status ResumePostMethod(const Call& call, const PostContext& posts, const v1::ResumePostRequest& request,
                        v1::Post& response);
Status CancelPostMethod(const Call& call, const PostContext& posts, const v1::CancelPostRequest& request,
                        v1::Post& response);

}  // namespace parvis::publishing
