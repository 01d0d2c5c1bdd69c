#include "accounts/transport/convert.h"

#include <charconv>

#include "platform/base/ids.h"
#include "platform/rpc/resource.h"

namespace parvis::accounts {
namespace {

std::string EtagOf(int64_t version) { return "v" + std::to_string(version); }

// Calls `take` for every field to change; it returns false for a path that cannot be changed.
Status ForEachPath(const google::protobuf::FieldMask& mask, const std::vector<std::string>& not_empty,
                   const std::function<bool(const std::string&)>& take) {
  std::vector<Violation> violations;
  if (mask.paths().empty()) {
    for (const std::string& path : not_empty) take(path);
  }
  for (const std::string& path : mask.paths()) {
    if (!take(path)) violations.push_back({"update_mask", "\"" + path + "\" cannot be changed", "UPDATE_MASK"});
  }
  return violations.empty() ? absl::OkStatus() : InvalidFields(std::move(violations));
}

}  // namespace

void SetTime(absl::Time from, google::protobuf::Timestamp& to) {
  to.set_seconds(absl::ToUnixSeconds(from));
  to.set_nanos(static_cast<int>((from - absl::FromUnixSeconds(to.seconds())) / absl::Nanoseconds(1)));
}

void ToProto(const Organization& from, pb::Organization& to) {
  to.set_name("organizations/" + from.id);
  to.set_display_name(from.display_name);
  SetTime(from.create_time, *to.mutable_create_time());
}

void ToProto(const Workspace& from, pb::Workspace& to) {
  to.set_name("workspaces/" + from.id);
  to.set_organization("organizations/" + from.organization_id);
  to.set_display_name(from.display_name);
  to.set_time_zone(from.time_zone);
  to.set_etag(EtagOf(from.version));
  SetTime(from.create_time, *to.mutable_create_time());
  SetTime(from.update_time, *to.mutable_update_time());
}

void ToProto(const Member& from, pb::Member& to) {
  to.set_name("workspaces/" + from.workspace_id + "/members/" + from.id);
  to.set_display_name(from.display_name);
  to.set_email(from.email);
  for (Role role : from.roles) to.add_roles(ToProto(role));
  to.set_etag(EtagOf(from.version));
  SetTime(from.create_time, *to.mutable_create_time());
  SetTime(from.update_time, *to.mutable_update_time());
}

void ToProto(const ApiKey& from, pb::ApiKey& to) {
  to.set_name("workspaces/" + from.workspace_id + "/apiKeys/" + from.id);
  to.set_display_name(from.display_name);
  to.set_member("workspaces/" + from.workspace_id + "/members/" + from.member_id);
  for (Role role : from.roles) to.add_roles(ToProto(role));
  SetTime(from.create_time, *to.mutable_create_time());
  if (from.expire_time) SetTime(*from.expire_time, *to.mutable_expire_time());
  if (from.revoke_time) SetTime(*from.revoke_time, *to.mutable_revoke_time());
}

void ToProto(const Channel& from, pb::Channel& to) {
  to.set_name("workspaces/" + from.workspace_id + "/channels/" + from.id);
  to.set_display_name(from.display_name);
  to.set_network(from.network);
  to.set_remote_id(from.remote_id);
  to.set_handle(from.handle);
  to.set_url(from.url);
  to.set_state(ToProto(from.state));
  to.set_state_reason(from.state_reason);
  to.set_state_message(from.state_message);
  SetTime(from.create_time, *to.mutable_create_time());
  SetTime(from.update_time, *to.mutable_update_time());
  if (from.credentials_expire_time) SetTime(*from.credentials_expire_time, *to.mutable_credentials_expire_time());
}

void ToProto(const Binding& from, pb::ChannelBinding& to) {
  to.set_workspace_id(from.workspace_id);
  to.set_channel_id(from.channel_id);
  to.set_network(from.network);
  to.set_remote_id(from.remote_id);
  to.set_state(ToProto(from.state));
  to.set_credentials_version(from.credentials_version);
}

void ToProto(const DirectoryStore::Opened& from, pb::ChannelCredentials& to) {
  const Channel& channel = from.channel;
  to.set_name("workspaces/" + channel.workspace_id + "/channels/" + channel.id + "/credentials");
  to.set_workspace_id(channel.workspace_id);
  to.set_channel_id(channel.id);
  to.set_network(channel.network);
  to.set_remote_id(channel.remote_id);
  to.set_base_url(channel.base_url);
  for (const auto& [field, secret] : from.credentials) (*to.mutable_credentials())[field] = secret.Reveal();
  to.set_credentials_version(channel.credentials_version);
  to.set_state(ToProto(channel.state));
}

pb::ChannelState ToProto(ChannelState state) {
  switch (state) {
    case ChannelState::kConnected:
      return pb::CHANNEL_STATE_CONNECTED;
    case ChannelState::kBroken:
      return pb::CHANNEL_STATE_BROKEN;
    case ChannelState::kDisconnected:
      return pb::CHANNEL_STATE_DISCONNECTED;
  }
  return pb::CHANNEL_STATE_UNSPECIFIED;
}

platform::v1::Role ToProto(Role role) {
  switch (role) {
    case Role::kUnspecified:
      return platform::v1::ROLE_UNSPECIFIED;
    case Role::kAnalyst:
      return platform::v1::ROLE_ANALYST;
    case Role::kModerator:
      return platform::v1::ROLE_MODERATOR;
    case Role::kManager:
      return platform::v1::ROLE_MANAGER;
    case Role::kOwner:
      return platform::v1::ROLE_OWNER;
    case Role::kApprover:
      return platform::v1::ROLE_APPROVER;
    case Role::kService:
      return platform::v1::ROLE_SERVICE;
    case Role::kOperator:
      return platform::v1::ROLE_OPERATOR;
  }
  return platform::v1::ROLE_UNSPECIFIED;
}

StatusOr<std::set<Role>> RolesFromProto(std::string_view field, const google::protobuf::RepeatedField<int>& roles) {
  std::set<Role> held;
  for (int role : roles) {
    switch (role) {
      case platform::v1::ROLE_UNSPECIFIED:
        held.insert(Role::kUnspecified);
        break;
      case platform::v1::ROLE_ANALYST:
        held.insert(Role::kAnalyst);
        break;
      case platform::v1::ROLE_MODERATOR:
        held.insert(Role::kModerator);
        break;
      case platform::v1::ROLE_MANAGER:
        held.insert(Role::kManager);
        break;
      case platform::v1::ROLE_OWNER:
        held.insert(Role::kOwner);
        break;
      case platform::v1::ROLE_APPROVER:
        held.insert(Role::kApprover);
        break;
      case platform::v1::ROLE_SERVICE:
        held.insert(Role::kService);
        break;
      case platform::v1::ROLE_OPERATOR:
        held.insert(Role::kOperator);
        break;
      default:
        return InvalidField(field, "ROLE_NOT_ALLOWED", std::to_string(role) + " is not a role");
    }
  }
  return held;
}

CredentialFields CredentialsFromProto(const google::protobuf::Map<std::string, std::string>& fields) {
  CredentialFields credentials;
  for (const auto& [field, value] : fields) credentials[field] = Secret(value);
  return credentials;
}

StatusOr<int64_t> VersionOfEtag(std::string_view field, std::string_view etag) {
  if (etag.empty()) return 0;
  int64_t version = 0;
  auto [end, error] = std::from_chars(etag.data() + 1, etag.data() + etag.size(), version);
  if (etag[0] != 'v' || error != std::errc() || end != etag.data() + etag.size() || version < 1) {
    return InvalidField(field, "ETAG", "is not an etag that was given out; leave it empty or read the resource again");
  }
  return version;
}

StatusOr<WorkspaceChange> ChangeFromProto(const pb::UpdateWorkspaceRequest& request) {
  const pb::Workspace& wanted = request.workspace();
  WorkspaceChange change;
  PARVIS_ASSIGN_OR_RETURN(change.version, VersionOfEtag("workspace.etag", wanted.etag()));
  std::vector<std::string> not_empty;
  if (!wanted.display_name().empty()) not_empty.push_back("display_name");
  if (!wanted.time_zone().empty()) not_empty.push_back("time_zone");
  PARVIS_RETURN_IF_ERROR(ForEachPath(request.update_mask(), not_empty, [&](const std::string& path) {
    if (path == "display_name" || path == "*") change.display_name = wanted.display_name();
    if (path == "time_zone" || path == "*") change.time_zone = wanted.time_zone();
    return path == "display_name" || path == "time_zone" || path == "*";
  }));
  return change;
}

StatusOr<MemberChange> ChangeFromProto(const pb::UpdateMemberRequest& request) {
  const pb::Member& wanted = request.member();
  MemberChange change;
  PARVIS_ASSIGN_OR_RETURN(change.version, VersionOfEtag("member.etag", wanted.etag()));
  PARVIS_ASSIGN_OR_RETURN(std::set<Role> roles, RolesFromProto("member.roles", wanted.roles()));
  std::vector<std::string> not_empty;
  if (!wanted.display_name().empty()) not_empty.push_back("display_name");
  if (!wanted.email().empty()) not_empty.push_back("email");
  if (!roles.empty()) not_empty.push_back("roles");
  PARVIS_RETURN_IF_ERROR(ForEachPath(request.update_mask(), not_empty, [&](const std::string& path) {
    if (path == "display_name" || path == "*") change.display_name = wanted.display_name();
    if (path == "email" || path == "*") change.email = wanted.email();
    if (path == "roles" || path == "*") change.roles = roles;
    return path == "display_name" || path == "email" || path == "roles" || path == "*";
  }));
  return change;
}

StatusOr<Request> RequestFromProto(std::string_view method, const std::string& request_id,
                                   const google::protobuf::Message& content) {
  PARVIS_RETURN_IF_ERROR(rpc::CheckRequestId(request_id));
  std::unique_ptr<google::protobuf::Message> bare(content.New());
  bare->CopyFrom(content);
  for (const char* left_out : {"request_id", "credentials"}) {
    const auto* field = bare->GetDescriptor()->FindFieldByName(left_out);
    if (field != nullptr) bare->GetReflection()->ClearField(bare.get(), field);
  }
  return Request{NormalizeUuid(request_id), std::string(method), UuidOfName(bare->SerializeAsString())};
}

}  // namespace parvis::accounts
