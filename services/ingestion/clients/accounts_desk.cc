#include "ingestion/clients/accounts_desk.h"

#include <grpcpp/channel.h>

#include "parvis/accounts/v1/channel_directory_service.grpc.pb.h"

namespace parvis::ingestion {
namespace {

namespace pb = ::parvis::accounts::v1;

std::string NameOf(const Binding& binding) {
  return "workspaces/" + binding.workspace_id + "/channels/" + binding.channel_id;
}

// UNAUTHENTICATED and PERMISSION_DENIED mean here that accounts does not trust this service; further up they would be
// taken for the network's word about the channel's credentials.
Status AsUnavailable(const Status& status) {
  if (status.code() == Code::kNotFound || status.code() == Code::kFailedPrecondition) return status;
  const Error error = ToError(status);
  return ToStatus({.code = Code::kUnavailable,
                   .reason = "ACCOUNTS_UNAVAILABLE",
                   .message = "accounts: " + error.reason + ": " + error.message,
                   .retry_after = error.retry_after});
}

}  // namespace

struct AccountsDesk::Stubs {
  std::unique_ptr<pb::ChannelDirectoryService::Stub> directory;
};

AccountsDesk::AccountsDesk(rpc::Client& client, const Clock& clock, absl::Duration find_max)
    : client_(client),
      clock_(clock),
      find_max_(find_max),
      stubs_(new Stubs{pb::ChannelDirectoryService::NewStub(client.channel())}) {}

AccountsDesk::~AccountsDesk() = default;

StatusOr<OpenedChannel> AccountsDesk::Open(const Call& call, const Binding& binding) {
  pb::GetChannelCredentialsRequest request;
  request.set_name(NameOf(binding) + "/credentials");
  pb::ChannelCredentials response;
  Status status = client_.Invoke(call, [&](grpc::ClientContext& context) {
    return stubs_->directory->GetChannelCredentials(&context, request, &response);
  });
  if (!status.ok()) return AsUnavailable(status);
  OpenedChannel opened{
      response.network(), response.remote_id(), response.base_url(), {}, response.credentials_version()};
  for (const auto& [field, value] : response.credentials()) opened.credentials[field] = Secret(value);
  return opened;
}

Status AccountsDesk::ReportBroken(const Call& call, const Binding& binding, int64_t credentials_version,
                                  const std::string& reason, const std::string& message) {
  pb::ReportChannelHealthRequest request;
  request.set_name(NameOf(binding));
  request.set_credentials_version(credentials_version);
  request.set_broken(true);
  request.set_reason(reason);
  request.set_message(message);
  pb::ReportChannelHealthResponse response;
  return client_.Invoke(call, [&](grpc::ClientContext& context) {
    return stubs_->directory->ReportChannelHealth(&context, request, &response);
  });
}

StatusOr<std::vector<BoundChannel>> AccountsDesk::List(const Call& call, std::string& page_token) {
  pb::ListChannelBindingsRequest request;
  request.set_page_size(1000);
  request.set_page_token(page_token);
  pb::ListChannelBindingsResponse response;
  PARVIS_RETURN_IF_ERROR(client_.Invoke(call, [&](grpc::ClientContext& context) {
    response.Clear();
    return stubs_->directory->ListChannelBindings(&context, request, &response);
  }));
  std::vector<BoundChannel> channels;
  channels.reserve(response.channel_bindings_size());
  for (const pb::ChannelBinding& binding : response.channel_bindings()) {
    channels.push_back({{binding.workspace_id(), binding.channel_id()},
                        binding.network(),
                        binding.remote_id(),
                        binding.credentials_version()});
  }
  page_token = response.next_page_token();
  return channels;
}

StatusOr<std::multimap<std::string, Binding>> AccountsDesk::FindChannels(const std::string& network,
                                                                         const std::vector<std::string>& accounts) {
  Call call = BackgroundCall("ingestion");
  call.deadline = clock_.Now() + find_max_;
  pb::FindChannelsRequest request;
  request.set_network(network);
  for (const std::string& account : accounts) request.add_remote_ids(account);
  pb::FindChannelsResponse response;
  Status status = client_.Invoke(call, [&](grpc::ClientContext& context) {
    response.Clear();
    return stubs_->directory->FindChannels(&context, request, &response);
  });
  if (!status.ok()) return AsUnavailable(status);
  std::multimap<std::string, Binding> found;
  for (const pb::ChannelBinding& binding : response.bindings()) {
    found.emplace(binding.remote_id(), Binding{binding.workspace_id(), binding.channel_id()});
  }
  return found;
}

}  // namespace parvis::ingestion
