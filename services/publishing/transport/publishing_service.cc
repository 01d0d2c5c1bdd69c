#include "publishing/transport/publishing_service.h"

#include "parvis/publishing/v1/publishing_service.grpc.pb.h"
#include "platform/rpc/unary.h"
#include "publishing/transport/campaign_methods.h"
#include "publishing/transport/delivery_methods.h"
#include "publishing/transport/post_methods.h"

namespace parvis::publishing {
namespace {

// One method: its name, request and response, and the body that is called with (call, arguments..., request, response).
#define PARVIS_METHOD(name, Request, Response, ...)                                                              \
  grpc::ServerUnaryReactor* name(grpc::CallbackServerContext* context, const Request* request, Response* response) \
      override {                                                                                                 \
    return rpc::Unary(context, context_.runtime, "parvis.publishing.v1.PublishingService/" #name, *request,     \
                      *response, [this](const Call& call, const Request& in, Response& out) {                   \
                        return name##Method(call, __VA_ARGS__, in, out);                                        \
                      });                                                                                        \
  }

class PublishingService : public v1::PublishingService::CallbackService {
 public:
  explicit PublishingService(const TransportContext& context) : context_(context) {}

  PARVIS_METHOD(CreateCampaign, v1::CreateCampaignRequest, v1::Campaign, context_.posts)
  PARVIS_METHOD(GetCampaign, v1::GetCampaignRequest, v1::Campaign, context_.posts)
  PARVIS_METHOD(ListCampaigns, v1::ListCampaignsRequest, v1::ListCampaignsResponse, context_.posts)
  PARVIS_METHOD(UpdateCampaign, v1::UpdateCampaignRequest, v1::Campaign, context_.posts)
  PARVIS_METHOD(CreatePost, v1::CreatePostRequest, v1::Post, context_.posts)
  PARVIS_METHOD(GetPost, v1::GetPostRequest, v1::Post, context_.posts)
  PARVIS_METHOD(ListPosts, v1::ListPostsRequest, v1::ListPostsResponse, context_.posts)
  PARVIS_METHOD(UpdatePost, v1::UpdatePostRequest, v1::Post, context_.posts)
  PARVIS_METHOD(DeletePost, v1::DeletePostRequest, google::protobuf::Empty, context_.posts)
  PARVIS_METHOD(CheckPost, v1::CheckPostRequest, v1::CheckPostResponse, context_.posts)
  PARVIS_METHOD(PreviewPost, v1::PreviewPostRequest, v1::PreviewPostResponse, context_.posts)
  PARVIS_METHOD(SubmitPost, v1::SubmitPostRequest, v1::Post, context_.posts)
  PARVIS_METHOD(ApprovePost, v1::ApprovePostRequest, v1::Post, context_.posts)
  PARVIS_METHOD(RejectPost, v1::RejectPostRequest, v1::Post, context_.posts)
  PARVIS_METHOD(SchedulePost, v1::SchedulePostRequest, v1::Post, context_.posts)
  PARVIS_METHOD(ResumePost, v1::ResumePostRequest, v1::Post, context_.posts)
  PARVIS_METHOD(CancelPost, v1::CancelPostRequest, v1::Post, context_.posts)
  PARVIS_METHOD(Deliver, v1::DeliverRequest, v1::Delivery, context_.posts, context_.deliveries)
  PARVIS_METHOD(GetDelivery, v1::GetDeliveryRequest, v1::Delivery, context_.deliveries)
  PARVIS_METHOD(ListDeliveries, v1::ListDeliveriesRequest, v1::ListDeliveriesResponse, context_.deliveries)
  PARVIS_METHOD(ListDeliveryTransitions, v1::ListDeliveryTransitionsRequest, v1::ListDeliveryTransitionsResponse,
                context_.deliveries)
  PARVIS_METHOD(SettleDelivery, v1::SettleDeliveryRequest, v1::Delivery, context_.deliveries, context_.posts)

 private:
  const TransportContext context_;
};

#undef PARVIS_METHOD

}  // namespace

std::unique_ptr<grpc::Service> MakePublishingService(const TransportContext& context) {
  return std::make_unique<PublishingService>(context);
}

}  // namespace parvis::publishing
