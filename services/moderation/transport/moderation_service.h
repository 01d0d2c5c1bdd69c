// parvis.moderation.v1.ModerationService over the use cases.
#pragma once

#include <memory>

#include "moderation/domain/policies.h"
#include "moderation/domain/review.h"
#include "platform/rpc/server.h"

namespace grpc {
class Service;
}

namespace parvis::moderation {

// All outlive the service.
std::unique_ptr<grpc::Service> MakeModerationService(rpc::Runtime& runtime, Policies& policies, Reviews& reviews);

}  // namespace parvis::moderation
