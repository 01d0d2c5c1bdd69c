// parvis.publishing.v1.MediaService: takes requests apart, calls one use case, puts the answer together.
#pragma once

#include <memory>

#include "platform/rpc/server.h"
#include "publishing/domain/media.h"

namespace grpc {
class Service;
}

namespace parvis::publishing {

// Everything given outlives the service.
std::unique_ptr<grpc::Service> MakeMediaService(rpc::Runtime& runtime, const MediaContext& media);

}  // namespace parvis::publishing
