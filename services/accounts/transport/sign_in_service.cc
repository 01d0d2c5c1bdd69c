#include "parvis/accounts/v1/sign_in_service.grpc.pb.h"

#include <grpcpp/server_context.h>

#include "accounts/transport/convert.h"
#include "accounts/transport/services.h"
#include "platform/rpc/resource.h"
#include "platform/rpc/unary.h"

namespace parvis::accounts {
namespace {

using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

// The id in a channel's name, which must be of the call's workspace; "" for "".
StatusOr<std::string> ChannelId(const Call& call, const std::string& name) {
  if (name.empty()) return std::string();
  PARVIS_ASSIGN_OR_RETURN(std::vector<std::string> ids, rpc::ParseName("channel", name, "workspaces/*/channels/*"));
  if (ids[0] == call.workspace_id) return ids[1];
  return InvalidField("channel", "ANOTHER_WORKSPACE", "must be a channel of the workspace in parent");
}

class SignInServiceImpl final : public pb::SignInService::CallbackService {
 public:
  SignInServiceImpl(rpc::Runtime& runtime, UseCases use_cases) : runtime_(runtime), use_(use_cases) {}

  Reactor* BeginSignIn(Context* context, const pb::BeginSignInRequest* request,
                       pb::BeginSignInResponse* response) override {
    return rpc::Unary(context, runtime_, "parvis.accounts.v1.SignInService/BeginSignIn", *request, *response,
                      [this](const Call& call, const auto& r, auto& out) -> Status {
                        PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", r.parent(), "workspaces/*").status());
                        SignInRequest wanted{r.network(), r.site_url(), r.display_name(), "", r.remote_id()};
                        PARVIS_ASSIGN_OR_RETURN(wanted.channel_id, ChannelId(call, r.channel()));
                        PARVIS_ASSIGN_OR_RETURN(BegunSignIn begun, use_.sign_ins.BeginSignIn(call, wanted));
                        out.set_authorization_url(begun.authorization_url);
                        SetTime(begun.expire_time, *out.mutable_expire_time());
                        return absl::OkStatus();
                      });
  }

  Reactor* CompleteSignIn(Context* context, const pb::CompleteSignInRequest* request, pb::Channel* response) override {
    return rpc::Unary(context, runtime_, "parvis.accounts.v1.SignInService/CompleteSignIn", *request, *response,
                      [this](const Call& call, const auto& r, auto& out) -> Status {
                        PARVIS_RETURN_IF_ERROR(rpc::ParseName("parent", r.parent(), "workspaces/*").status());
                        PARVIS_ASSIGN_OR_RETURN(
                            Channel channel, use_.sign_ins.CompleteSignIn(call, Secret(r.state()), Secret(r.code())));
                        ToProto(channel, out);
                        return absl::OkStatus();
                      });
  }

 private:
  rpc::Runtime& runtime_;
  const UseCases use_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSignInService(rpc::Runtime& runtime, UseCases use_cases) {
  return std::make_unique<SignInServiceImpl>(runtime, use_cases);
}

}  // namespace parvis::accounts
