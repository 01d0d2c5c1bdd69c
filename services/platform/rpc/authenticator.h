// Authenticators for services other than accounts.
#pragma once

#include <memory>
#include <string>

#include <absl/time/time.h>

#include "platform/app/config.h"
#include "platform/base/clock.h"
#include "platform/obs/metrics.h"
#include "platform/rpc/client.h"
#include "platform/rpc/server.h"

namespace parvis::rpc {

struct AuthenticatorConfig {
  int cache_max = 10000;                           // tokens remembered, known and unknown ones together
  absl::Duration cache_time = absl::Seconds(30);   // never more than accounts allows
  absl::Duration unknown_time = absl::Seconds(5);  // for tokens that accounts refused
  void Declare(app::Options& o, std::string_view prefix = "authentication_");
};

// Asks accounts (parvis.platform.v1.AuthenticationService) and remembers. One question per token at a time: callers
// with the same token wait for the first one's answer. The cache holds digests, no tokens. Blocks; thread-safe. When
// accounts cannot be asked: UNAVAILABLE ACCOUNTS_UNAVAILABLE, which is not remembered.
class AccountsAuthenticator : public Authenticator {
 public:
  // `client` (to accounts) and `clock` outlive it.
  AccountsAuthenticator(Client& client, const AuthenticatorConfig& config, const Clock& clock, obs::Metrics& metrics);
  ~AccountsAuthenticator() override;
  StatusOr<Principal> Authenticate(const std::string& token) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::rpc
