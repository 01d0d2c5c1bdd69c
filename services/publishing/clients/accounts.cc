#include "publishing/clients/accounts.h"

#include <charconv>

#include <grpcpp/channel.h>

#include "parvis/accounts/v1/accounts_service.grpc.pb.h"
#include "parvis/accounts/v1/channel_directory_service.grpc.pb.h"

namespace parvis::publishing {

namespace pb = parvis::accounts::v1;

struct AccountsDirectory::Stubs {
  std::unique_ptr<pb::AccountsService::Stub> accounts;
  std::unique_ptr<pb::ChannelDirectoryService::Stub> directory;
};

AccountsDirectory::AccountsDirectory(rpc::Client& client, const Clock& clock, const AccountsConfig& config)
    : client_(client), clock_(clock), config_(config),
      stubs_(new Stubs{pb::AccountsService::NewStub(client.channel()), pb::ChannelDirectoryService::NewStub(client.channel())}) {}

AccountsDirectory::~AccountsDirectory() = default;

template <class Value>
bool AccountsDirectory::Lookup(const Cache<Value>& cache, const std::string& key, Value& value) {
  const std::lock_guard lock(mutex_);
  const auto at = cache.entries.find(key);
  if (at == cache.entries.end() || at->second.second <= clock_.Now()) return false;
  value = at->second.first;
  return true;
}

template <class Value>
void AccountsDirectory::Remember(Cache<Value>& cache, const std::string& key, const Value& value, absl::Duration age_max) {
  const std::lock_guard lock(mutex_);
  if (static_cast<int>(cache.entries.size()) >= config_.entries_max) cache.entries.clear();
  cache.entries.insert_or_assign(key, std::pair(value, clock_.Now() + age_max));
}

StatusOr<Channel> AccountsDirectory::GetChannel(const Call& call, const std::string& workspace_id,
                                                const std::string& channel_id) {
  const std::string name = "workspaces/" + workspace_id + "/channels/" + channel_id;
  Channel channel;
  if (Lookup(channels_, name, channel)) return channel;
  pb::GetChannelRequest request;
  request.set_name(name);
  pb::Channel response;
  PARVIS_RETURN_IF_ERROR(client_.Invoke(call, [&](grpc::ClientContext& context) {
    return stubs_->accounts->GetChannel(&context, request, &response);
  }));
  channel = {channel_id, response.network(), response.display_name()};
  Remember(channels_, name, channel, config_.directory_max);
  return channel;
}

StatusOr<std::string> AccountsDirectory::GetTimeZone(const Call& call, const std::string& workspace_id) {
  std::string zone;
  if (Lookup(zones_, workspace_id, zone)) return zone;
  pb::GetWorkspaceRequest request;
  request.set_name("workspaces/" + workspace_id);
  pb::Workspace response;
  PARVIS_RETURN_IF_ERROR(client_.Invoke(call, [&](grpc::ClientContext& context) {
    return stubs_->accounts->GetWorkspace(&context, request, &response);
  }));
  zone = response.time_zone().empty() ? "UTC" : response.time_zone();
  // Short: a person who has just corrected the zone schedules next.
  Remember(zones_, workspace_id, zone, config_.access_max);
  return zone;
}

StatusOr<ChannelAccess> AccountsDirectory::GetAccess(const Call& call, const std::string& workspace_id,
                                                     const std::string& channel_id, bool fresh) {
  const std::string name = "workspaces/" + workspace_id + "/channels/" + channel_id + "/credentials";
  ChannelAccess access;
  if (!fresh && Lookup(access_, name, access)) return access;
  pb::GetChannelCredentialsRequest request;
  request.set_name(name);
  pb::ChannelCredentials response;
  PARVIS_RETURN_IF_ERROR(client_.Invoke(call, [&](grpc::ClientContext& context) {
    return stubs_->directory->GetChannelCredentials(&context, request, &response);
  }));
  access.network = response.network();
  access.remote_id = response.remote_id();
  access.base_url = response.base_url();
  access.version = std::to_string(response.credentials_version());
  for (auto& [field, value] : *response.mutable_credentials()) access.fields.emplace(field, Secret(std::move(value)));
  Remember(access_, name, access, config_.access_max);
  return access;
}

Status AccountsDirectory::ReportBroken(const Call& call, const std::string& workspace_id, const std::string& channel_id,
                                       const ChannelAccess& access, const std::string& reason,
                                       const std::string& message) {
  pb::ReportChannelHealthRequest request;
  request.set_name("workspaces/" + workspace_id + "/channels/" + channel_id);
  int64_t version = 0;
  std::from_chars(access.version.data(), access.version.data() + access.version.size(), version);
  request.set_credentials_version(version);
  request.set_broken(true);
  request.set_reason(reason);
  request.set_message(message.substr(0, 500));
  pb::ReportChannelHealthResponse response;
  return client_.Invoke(call, [&](grpc::ClientContext& context) {
    return stubs_->directory->ReportChannelHealth(&context, request, &response);
  });
}

}  // namespace parvis::publishing
