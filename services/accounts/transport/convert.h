// Messages <-> the nouns of the domain.
#pragma once

#include <string>
#include <vector>

#include <google/protobuf/map.h>
#include <google/protobuf/timestamp.pb.h>

#include "accounts/domain/directory.h"
#include "accounts/domain/members.h"
#include "accounts/domain/tenants.h"
#include "accounts/domain/types.h"
#include "parvis/accounts/v1/accounts_service.pb.h"
#include "parvis/accounts/v1/channel_directory_service.pb.h"

namespace parvis::accounts {

namespace pb = ::parvis::accounts::v1;

void SetTime(absl::Time from, google::protobuf::Timestamp& to);
void ToProto(const Organization& from, pb::Organization& to);
void ToProto(const Workspace& from, pb::Workspace& to);
void ToProto(const Member& from, pb::Member& to);
void ToProto(const ApiKey& from, pb::ApiKey& to);
void ToProto(const Channel& from, pb::Channel& to);
void ToProto(const Binding& from, pb::ChannelBinding& to);
void ToProto(const DirectoryStore::Opened& from, pb::ChannelCredentials& to);
pb::ChannelState ToProto(ChannelState state);

platform::v1::Role ToProto(Role role);
// INVALID_ARGUMENT ROLE_NOT_ALLOWED for a value that this build does not know; the use case judges the known ones.
StatusOr<std::set<Role>> RolesFromProto(std::string_view field, const google::protobuf::RepeatedField<int>& roles);
CredentialFields CredentialsFromProto(const google::protobuf::Map<std::string, std::string>& fields);

// What an update changes: the fields of the mask, or all that are not empty when there is no mask. INVALID_ARGUMENT
// UPDATE_MASK names paths that cannot be changed; ETAG for an etag that is none of ours.
StatusOr<WorkspaceChange> ChangeFromProto(const pb::UpdateWorkspaceRequest& request);
StatusOr<MemberChange> ChangeFromProto(const pb::UpdateMemberRequest& request);
// 0 for an empty etag.
StatusOr<int64_t> VersionOfEtag(std::string_view field, std::string_view etag);

// The request's identity. The fingerprint is over `content` without request_id and without credentials.
StatusOr<Request> RequestFromProto(std::string_view method, const std::string& request_id,
                                   const google::protobuf::Message& content);

}  // namespace parvis::accounts
