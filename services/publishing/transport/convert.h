// Between protos and the domain.
#pragma once

#include <optional>
#include <string>

#include "parvis/publishing/v1/campaign.pb.h"
#include "parvis/publishing/v1/delivery.pb.h"
#include "parvis/publishing/v1/post.pb.h"
#include "platform/base/error.h"
#include "publishing/domain/post.h"

namespace parvis::publishing {

v1::Campaign ToProto(const Campaign& campaign);
v1::Post ToProto(const Post& post);
v1::Delivery ToProto(const Delivery& delivery);
v1::DeliveryTransition ToProto(const Transition& transition);

// Variants as they are: the use cases judge them. A channel may be given as its id only.
std::vector<Variant> FromProto(const google::protobuf::RepeatedPtrField<v1::Variant>& variants);

// A Timestamp outside of what can be stored (years 1 to 9999) is INVALID_ARGUMENT TIMESTAMP about `field`.
StatusOr<absl::Time> FromProto(const char* field, const google::protobuf::Timestamp& time);

// Etags are versions in quotes, as in HTTP. "" means any; INVALID_ARGUMENT ETAG for what we never gave.
std::string EtagOf(int64_t version);
StatusOr<std::optional<int64_t>> VersionOf(const std::string& etag);

}  // namespace parvis::publishing
