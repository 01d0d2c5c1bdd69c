// The gRPC services of accounts. Each turns messages into calls of use cases and back, and nothing else.
#pragma once

#include <memory>

#include "accounts/domain/api_keys.h"
#include "accounts/domain/channels.h"
#include "accounts/domain/directory.h"
#include "accounts/domain/members.h"
#include "accounts/domain/sign_in.h"
#include "accounts/domain/tenants.h"
#include "platform/rpc/server.h"

namespace grpc {
class Service;
}

namespace parvis::accounts {

struct UseCases {
  Tenants& tenants;
  Members& members;
  ApiKeys& api_keys;
  Channels& channels;
  SignIns& sign_ins;
  Directory& directory;
  Authentication& authentication;
};

// parvis.accounts.v1.AccountsService. `runtime` and the use cases outlive it.
std::unique_ptr<grpc::Service> MakeAccountsService(rpc::Runtime& runtime, UseCases use_cases);
// parvis.accounts.v1.SignInService, for people.
std::unique_ptr<grpc::Service> MakeSignInService(rpc::Runtime& runtime, UseCases use_cases);
// parvis.accounts.v1.ChannelDirectoryService, for other services.
std::unique_ptr<grpc::Service> MakeDirectoryService(rpc::Runtime& runtime, UseCases use_cases);
// parvis.platform.v1.AuthenticationService, for other services.
std::unique_ptr<grpc::Service> MakeAuthenticationService(rpc::Runtime& runtime, UseCases use_cases);

// How this service itself learns who calls: from its own store.
class OwnAuthenticator : public rpc::Authenticator {
 public:
  explicit OwnAuthenticator(Authentication& authentication) : authentication_(authentication) {}
  StatusOr<Principal> Authenticate(const std::string& token) override { return authentication_.Authenticate(token); }

 private:
  Authentication& authentication_;
};

}  // namespace parvis::accounts
