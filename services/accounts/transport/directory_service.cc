#include <grpcpp/server_context.h>

#include "accounts/transport/convert.h"
#include "accounts/transport/services.h"
#include "parvis/accounts/v1/channel_directory_service.grpc.pb.h"
#include "parvis/platform/v1/authentication_service.grpc.pb.h"
#include "platform/base/ids.h"
#include "platform/rpc/resource.h"
#include "platform/rpc/unary.h"

namespace parvis::accounts {
namespace {

constexpr int kBindingsDefault = 500;
constexpr int kBindingsMax = 1000;
// For how long other services may go on believing an answer about a key: how late a revocation takes effect.
constexpr int kAuthenticationCacheSeconds = 10;

using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

class DirectoryServiceImpl final : public pb::ChannelDirectoryService::CallbackService {
 public:
  DirectoryServiceImpl(rpc::Runtime& runtime, UseCases use_cases) : runtime_(runtime), use_(use_cases) {}

  Reactor* GetChannelCredentials(Context* context, const pb::GetChannelCredentialsRequest* request,
                                 pb::ChannelCredentials* response) override {
    return rpc::Unary(context, runtime_, "parvis.accounts.v1.ChannelDirectoryService/GetChannelCredentials", *request,
                      *response, [this](const Call& call, const auto& r, auto& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(
                            auto ids, rpc::ParseName("name", r.name(), "workspaces/*/channels/*/credentials"));
                        PARVIS_ASSIGN_OR_RETURN(auto opened, use_.directory.GetChannelCredentials(call, ids[1]));
                        ToProto(opened, out);
                        return absl::OkStatus();
                      });
  }

  Reactor* FindChannels(Context* context, const pb::FindChannelsRequest* request,
                        pb::FindChannelsResponse* response) override {
    return rpc::Unary(context, runtime_, "parvis.accounts.v1.ChannelDirectoryService/FindChannels", *request, *response,
                      [this](const Call& call, const auto& r, auto& out) -> Status {
                        std::vector<std::string> ids(r.remote_ids().begin(), r.remote_ids().end());
                        PARVIS_ASSIGN_OR_RETURN(auto bindings, use_.directory.FindChannels(call, r.network(), ids));
                        for (const Binding& binding : bindings) ToProto(binding, *out.add_bindings());
                        return absl::OkStatus();
                      });
  }

  Reactor* ListChannelBindings(Context* context, const pb::ListChannelBindingsRequest* request,
                               pb::ListChannelBindingsResponse* response) override {
    return rpc::Unary(context, runtime_, "parvis.accounts.v1.ChannelDirectoryService/ListChannelBindings", *request,
                      *response, [this](const Call& call, const auto& r, auto& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(int size, rpc::PageSize(r.page_size(), kBindingsDefault, kBindingsMax));
                        const std::string digest = rpc::QueryDigest(r);
                        Page page{.after = "", .limit = size + 1};
                        if (!r.page_token().empty()) {
                          PARVIS_ASSIGN_OR_RETURN(auto keyset, rpc::DecodePageToken(r.page_token(), digest));
                          if (keyset.size() != 1 || !IsUuid(keyset[0])) {
                            return InvalidField("page_token", "PAGE_TOKEN_INVALID",
                                                "is not a token that was given out");
                          }
                          page.after = keyset[0];
                        }
                        PARVIS_ASSIGN_OR_RETURN(auto bindings, use_.directory.ListBindings(call, page));
                        if (static_cast<int>(bindings.size()) > size) {
                          bindings.resize(size);
                          out.set_next_page_token(rpc::EncodePageToken(digest, {bindings.back().channel_id}));
                        }
                        for (const Binding& binding : bindings) ToProto(binding, *out.add_channel_bindings());
                        return absl::OkStatus();
                      });
  }

  Reactor* ReportChannelHealth(Context* context, const pb::ReportChannelHealthRequest* request,
                               pb::ReportChannelHealthResponse* response) override {
    return rpc::Unary(context, runtime_, "parvis.accounts.v1.ChannelDirectoryService/ReportChannelHealth", *request,
                      *response, [this](const Call& call, const auto& r, auto& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(auto ids, rpc::ParseName("name", r.name(), "workspaces/*/channels/*"));
                        HealthReport report{ids[1], r.credentials_version(), r.broken(), r.reason(), r.message()};
                        PARVIS_ASSIGN_OR_RETURN(ChannelState state, use_.directory.ReportHealth(call, report));
                        out.set_state(ToProto(state));
                        return absl::OkStatus();
                      });
  }

 private:
  rpc::Runtime& runtime_;
  const UseCases use_;
};

class AuthenticationServiceImpl final : public platform::v1::AuthenticationService::CallbackService {
 public:
  AuthenticationServiceImpl(rpc::Runtime& runtime, UseCases use_cases) : runtime_(runtime), use_(use_cases) {}

  Reactor* Authenticate(Context* context, const platform::v1::AuthenticateRequest* request,
                        platform::v1::AuthenticateResponse* response) override {
    return rpc::Unary(context, runtime_, "parvis.platform.v1.AuthenticationService/Authenticate", *request, *response,
                      [this](const Call&, const auto& r, auto& out) -> Status {
                        PARVIS_ASSIGN_OR_RETURN(Principal principal, use_.authentication.Authenticate(r.token()));
                        out.set_workspace_id(principal.workspace_id);
                        out.set_organization_id(principal.organization_id);
                        out.set_member_id(principal.member_id);
                        out.set_key_id(principal.key_id);
                        for (Role role : principal.roles) out.add_roles(ToProto(role));
                        out.set_cache_seconds(kAuthenticationCacheSeconds);
                        return absl::OkStatus();
                      });
  }

 private:
  rpc::Runtime& runtime_;
  const UseCases use_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeDirectoryService(rpc::Runtime& runtime, UseCases use_cases) {
  return std::make_unique<DirectoryServiceImpl>(runtime, use_cases);
}

std::unique_ptr<grpc::Service> MakeAuthenticationService(rpc::Runtime& runtime, UseCases use_cases) {
  return std::make_unique<AuthenticationServiceImpl>(runtime, use_cases);
}

}  // namespace parvis::accounts
