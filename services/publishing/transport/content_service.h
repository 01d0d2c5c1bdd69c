// parvis.publishing.v1.MediaContentService: what the gateway hands on of who fetches a medium by its public address.
#pragma once

#include <memory>

#include "platform/rpc/server.h"
#include "publishing/domain/fetch_media.h"

namespace grpc {
class Service;
}
namespace parvis::platform::v1 {
class FetchContentRequest;
class FetchContentResponse;
}

namespace parvis::publishing {

// Everything given outlives the service.
std::unique_ptr<grpc::Service> MakeContentService(rpc::Runtime& runtime, const FetchContext& context);

Status FetchContentMethod(const Call& call, const FetchContext& context, const platform::v1::FetchContentRequest& request,
                          platform::v1::FetchContentResponse& response);

}  // namespace parvis::publishing
