#include "publishing/transport/media_service.h"

#include "parvis/publishing/v1/media_service.grpc.pb.h"
#include "platform/rpc/unary.h"
#include "publishing/transport/media_methods.h"

namespace parvis::publishing {
namespace {

// One method: its name, request and response.
#define PARVIS_METHOD(name, Request, Response)                                                                      \
  grpc::ServerUnaryReactor* name(grpc::CallbackServerContext* context, const Request* request, Response* response) \
      override {                                                                                                   \
    return rpc::Unary(context, runtime_, "parvis.publishing.v1.MediaService/" #name, *request, *response,          \
                      [this](const Call& call, const Request& in, Response& out) {                                \
                        return name##Method(call, media_, in, out);                                               \
                      });                                                                                         \
  }

class MediaService : public v1::MediaService::CallbackService {
 public:
  MediaService(rpc::Runtime& runtime, const MediaContext& media) : runtime_(runtime), media_(media) {}

  PARVIS_METHOD(CreateMedia, v1::CreateMediaRequest, v1::MediaItem)
  PARVIS_METHOD(UploadMediaChunk, v1::UploadMediaChunkRequest, v1::MediaItem)
  PARVIS_METHOD(FinishMedia, v1::FinishMediaRequest, v1::MediaItem)
  PARVIS_METHOD(GetMedia, v1::GetMediaRequest, v1::MediaItem)
  PARVIS_METHOD(ListMedia, v1::ListMediaRequest, v1::ListMediaResponse)
  PARVIS_METHOD(UpdateMedia, v1::UpdateMediaRequest, v1::MediaItem)
  PARVIS_METHOD(DeleteMedia, v1::DeleteMediaRequest, google::protobuf::Empty)
  PARVIS_METHOD(CheckMedia, v1::CheckMediaRequest, v1::CheckMediaResponse)
  PARVIS_METHOD(ConvertMedia, v1::ConvertMediaRequest, v1::MediaItem)

 private:
  rpc::Runtime& runtime_;
  const MediaContext& media_;
};

#undef PARVIS_METHOD

}  // namespace

std::unique_ptr<grpc::Service> MakeMediaService(rpc::Runtime& runtime, const MediaContext& media) {
  return std::make_unique<MediaService>(runtime, media);
}

}  // namespace parvis::publishing
