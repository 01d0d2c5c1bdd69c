// Bluesky's sessions (facts 6.1): opened with an application password, kept alive by a refresh token that is used once.
#pragma once

#include "networks/sign_in.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

class BlueskySession : public SignIn {
 public:
  BlueskySession(net::HttpClient& http, const Clock& clock, Connector& connector);
  const SignInFacts& facts() const override { return facts_; }
  // `identifier` (handle or DID) and `app_password`, which the grant keeps: sessions die when they are not used.
  StatusOr<Grant> Open(const Call& call, const SignInPlace& place, const Credentials& credentials) override;
  // With the application password when the refresh token is not taken any more.
  Refreshed Refresh(const Call& call, const SignInPlace& place, const Credentials& credentials) override;
  StatusOr<std::vector<GrantedAccount>> WhoAmI(const Call& call, const SignInPlace& place, const Grant& grant) override;

 private:
  Answer Ask(const Call& call, const SignInPlace& place, const char* method, const Secret& bearer, const Json* body);

  net::HttpClient& http_;
  const Clock& clock_;
  Connector& connector_;
  SignInFacts facts_;
};

// The time of expiry in a JSON Web Token (RFC 7519 §4.1.4), unverified; nullopt when it says none. Pure.
std::optional<absl::Time> ExpiryOfJwt(std::string_view token);

}  // namespace parvis::networks
