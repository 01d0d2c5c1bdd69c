#include "publishing/transport/content_service.h"

#include "parvis/publishing/v1/media_service.grpc.pb.h"
#include "platform/rpc/unary.h"

namespace parvis::publishing {
namespace {

class ContentService : public v1::MediaContentService::CallbackService {
 public:
  ContentService(rpc::Runtime& runtime, const FetchContext& context) : runtime_(runtime), context_(context) {}

  grpc::ServerUnaryReactor* FetchContent(grpc::CallbackServerContext* context, const platform::v1::FetchContentRequest* request,
                                         platform::v1::FetchContentResponse* response) override {
    return rpc::Unary(context, runtime_, "parvis.publishing.v1.MediaContentService/FetchContent", *request, *response,
                      [this](const Call& call, const platform::v1::FetchContentRequest& in, platform::v1::FetchContentResponse& out) {
                        return FetchContentMethod(call, context_, in, out);
                      });
  }

 private:
  rpc::Runtime& runtime_;
  const FetchContext& context_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeContentService(rpc::Runtime& runtime, const FetchContext& context) {
  return std::make_unique<ContentService>(runtime, context);
}

Status FetchContentMethod(const Call& call, const FetchContext& context, const platform::v1::FetchContentRequest& request,
                          platform::v1::FetchContentResponse& response) {
  PARVIS_ASSIGN_OR_RETURN(MediaPiece piece, FetchMedia(call, context, {request.name(), request.expires(), request.signature(),
                                                                       request.offset(), request.length()}));
  response.set_type(piece.type);
  response.set_size_bytes(piece.size_bytes);
  response.set_sha256(piece.sha256);
  response.set_content(std::move(piece.content));
  return absl::OkStatus();
}

}  // namespace parvis::publishing
