// The bodies of the campaigns' methods, without gRPC.
#pragma once

#include "parvis/publishing/v1/publishing_service.pb.h"
#include "platform/base/call.h"
#include "publishing/domain/posts.h"

namespace parvis::publishing {

inline constexpr int kPageDefault = 50, kPageMax = 200;

Status CreateCampaignMethod(const Call& call, const PostContext& posts, const v1::CreateCampaignRequest& request,
                            v1::Campaign& response);
Status GetCampaignMethod(const Call& call, const PostContext& posts, const v1::GetCampaignRequest& request,
                         v1::Campaign& response);
Status ListCampaignsMethod(const Call& call, const PostContext& posts, const v1::ListCampaignsRequest& request,
                           v1::ListCampaignsResponse& response);
Status UpdateCampaignMethod(const Call& call, const PostContext& posts, const v1::UpdateCampaignRequest& request,
                            v1::Campaign& response);

}  // namespace parvis::publishing
