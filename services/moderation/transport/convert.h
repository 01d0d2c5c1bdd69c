// Between the API's protos and the domain.
#pragma once

#include "moderation/domain/policies.h"
#include "moderation/domain/review.h"
#include "parvis/moderation/v1/policy.pb.h"
#include "parvis/moderation/v1/review.pb.h"

namespace parvis::moderation {

void ToProto(const std::string& workspace_id, const PolicyRecord& policy, v1::Policy* out);
void ToProto(const std::string& workspace_id, const std::string& policy_id, const PolicyVersionRecord& version,
             v1::PolicyVersion* out);
void ToProto(const TestedText& tested, v1::TestDecision* out);
// `now` tells whether a claim has run out.
void ToProto(const Review& review, absl::Time now, v1::Review* out);
void ToProto(const Decision& decision, v1::Decision* out);

// The etag of a policy and back; nullopt for "". INVALID_ARGUMENT when it is none of ours.
std::string EtagOf(int64_t revision);
StatusOr<std::optional<int64_t>> RevisionOf(const std::string& etag);

}  // namespace parvis::moderation
