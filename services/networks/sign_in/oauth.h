// OAuth 2.0, authorization code and PKCE, for every network that speaks it: one implementation, and a table of what the
// networks do differently.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "networks/sign_in.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// How the app shows who it is at the token endpoint (RFC 6749 §2.3.1).
enum class ClientAuth { kBasic, kBody };

// What one network does. `{base}` in an address is the account's base URL, `{version}` its last segment ("v23.0").
struct OAuthFacts {
  const char* network;
  const char* authorize_url;
  const char* token_url;
  ClientAuth auth;
  const char* scopes;  // parted by blanks
  char scope_separator;
  bool pkce;                        // where not, state and client secret alone protect the code
  bool refreshes;                   // gives refresh tokens
  bool single_use;                  // ... that may be used once
  bool own_app;                     // an app per server: POST {base}/api/v1/apps
  const char* long_lived_exchange;  // grant type that turns a new token into one that lasts (Facebook); null: none
  const char* extra;                // further parameters of the authorization URL, encoded
};
// nullptr: this network has no OAuth that we use.
const OAuthFacts* FindOAuthFacts(std::string_view network);

// Finds the accounts that a grant opens, where the connector's WhoAmI does not tell all of them.
using FindAccounts = std::function<StatusOr<std::vector<GrantedAccount>>(const Call& call, const SignInPlace& place,
                                                                         const Grant& grant)>;

class OAuthSignIn : public SignIn {
 public:
  OAuthSignIn(net::HttpClient& http, const Clock& clock, const OAuthFacts& facts, SignInEndpoints endpoints,
              FindAccounts find_accounts);
  const SignInFacts& facts() const override { return facts_; }
  StatusOr<SignInApp> Register(const Call& call, const std::string& base_url, const std::string& redirect_uri) override;
  StatusOr<std::string> AuthorizationUrl(const AuthorizationRequest& request) const override;
  StatusOr<Grant> Exchange(const Call& call, const SignInPlace& place, const Secret& code,
                           const Secret& verifier) override;
  Refreshed Refresh(const Call& call, const SignInPlace& place, const Credentials& credentials) override;
  StatusOr<std::vector<GrantedAccount>> WhoAmI(const Call& call, const SignInPlace& place, const Grant& grant) override;

 private:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  // A form to the token endpoint, with the app's credentials in it.
  Answer AskToken(const Call& call, const SignInPlace& place, Fields fields);

  net::HttpClient& http_;
  const Clock& clock_;
  const OAuthFacts& oauth_;
  const SignInEndpoints endpoints_;
  const FindAccounts find_accounts_;
  SignInFacts facts_;
};

// What a token endpoint's answer means (RFC 6749 §5.2, and Graph's own errors). kTokenExpired: what we showed (code,
// refresh token) is not taken; kPermission: the app is not; kTransient: nobody knows. Pure.
Refusal ClassifyTokenAnswer(const net::ClientResult& http, const Json& json);
// The grant in a token endpoint's answer (RFC 6749 §5.1). UNAVAILABLE TRANSIENT when there is none. Pure.
StatusOr<Grant> ParseGrant(const Json& json, absl::Time now);
// How a refresh that was answered, or not, ended. Pure.
RefreshEnd EndOf(const Answer& answer);

// The pages that a Facebook user manages, each with the token of its own, which does not expire by time.
FindAccounts FacebookPages(net::HttpClient& http);
// The organisations that a LinkedIn member administers.
FindAccounts LinkedInOrganisations(net::HttpClient& http, Connector& connector);
// The one account that the connector names.
FindAccounts ConnectorsAccount(Connector& connector);

}  // namespace parvis::networks
