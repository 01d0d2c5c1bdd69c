// parvis.publishing.v1.PublishingService: takes requests apart, calls one use case, puts the answer together.
#pragma once

#include <memory>

#include "platform/rpc/server.h"
#include "publishing/domain/posts.h"

namespace grpc {
class Service;
}

namespace parvis::publishing {

struct TransportContext {
  rpc::Runtime& runtime;
  const PostContext& posts;
  DeliveryStore& deliveries;
};

// Everything in `context` outlives the service.
std::unique_ptr<grpc::Service> MakePublishingService(const TransportContext& context);

}  // namespace parvis::publishing
