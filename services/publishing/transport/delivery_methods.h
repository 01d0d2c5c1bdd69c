// The bodies of the deliveries' methods, without gRPC.
#pragma once

#include "parvis/publishing/v1/publishing_service.pb.h"
#include "platform/base/call.h"
#include "publishing/domain/posts.h"

namespace parvis::publishing {

Status DeliverMethod(const Call& call, const PostContext& posts, DeliveryStore& store, const v1::DeliverRequest& request,
                     v1::Delivery& response);
Status GetDeliveryMethod(const Call& call, DeliveryStore& store, const v1::GetDeliveryRequest& request,
                         v1::Delivery& response);
Status ListDeliveriesMethod(const Call& call, DeliveryStore& store, const v1::ListDeliveriesRequest& request,
                            v1::ListDeliveriesResponse& response);
Status ListDeliveryTransitionsMethod(const Call& call, DeliveryStore& store,
                                     const v1::ListDeliveryTransitionsRequest& request,
                                     v1::ListDeliveryTransitionsResponse& response);
Status SettleDeliveryMethod(const Call& call, DeliveryStore& store, const PostContext& posts,
                            const v1::SettleDeliveryRequest& request, v1::Delivery& response);

}  // namespace parvis::publishing
