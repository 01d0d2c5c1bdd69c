// Signing in to a network: how a channel comes by its credentials, and how they are kept fresh. Beside the connector,
// which only uses them.
//
// All calls block the calling thread until the call's deadline at most. Stateless and thread-safe. Nothing is retried
// in here; no secret is in any message. OAuth 2.0 is RFC 6749, PKCE is RFC 7636 (S256 only).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "networks/connector.h"

namespace parvis::networks {

// What the network knows our installation as. Where every server has its own (Mastodon), Register brings it.
struct SignInApp {
  std::string client_id;
  Secret client_secret;  // empty: a public client
};

// Where somebody signs in, and as which app.
struct SignInPlace {
  std::string base_url;  // of the network's API for the account, as in Account
  SignInApp app;
  std::string redirect_uri;  // exactly as registered; compared by the network byte by byte
};

struct AuthorizationRequest {
  SignInPlace place;
  std::string state;           // comes back with the code; at most 500 bytes (X)
  std::string code_challenge;  // CodeChallenge of the verifier
};

// What a sign-in or a refresh brings.
struct Grant {
  Credentials credentials;  // what the connector uses, and what the next refresh needs (refresh_token, ...)
  std::optional<absl::Time> expires_at;          // of what the connector uses; nullopt: not by time
  std::optional<absl::Time> refresh_expires_at;  // after that only a person helps
};

// An account that a grant opens, with the credentials of that account (a Facebook page has its own token).
struct GrantedAccount {
  Identity identity;
  Grant grant;
};

// How a refresh ended. Decides what may be done next where a refresh token may be used once.
enum class RefreshEnd {
  kRefreshed,
  kRefused,  // the network does not take it any more: a person has to sign in again
  kNotDone,  // certainly without effect: the same refresh may be tried later
  kUnclear,  // the refresh token may have been used up, and what it brought is lost
};
struct Refreshed {
  RefreshEnd end = RefreshEnd::kNotDone;
  Status status;  // why not; as Connector's reads: UNAUTHENTICATED TOKEN_EXPIRED, PERMISSION_DENIED, RATE_LIMITED, ...
  Grant grant;    // kRefreshed
};

struct SignInFacts {
  std::string network;
  bool by_browser = false;     // AuthorizationUrl and Exchange
  bool own_app = false;        // every server has its own app: Register
  bool refreshes = false;      // Refresh
  bool single_use = false;     // a refresh token is used up by its use
  absl::Duration reuse_grace;  // ... but for so long after it, using it again gives the same; zero: not at all
  std::vector<std::string> password_fields;  // what Open takes; empty: there is no Open
};

class SignIn {
 public:
  virtual ~SignIn() = default;
  virtual const SignInFacts& facts() const = 0;

  // Makes us known to a server. FAILED_PRECONDITION NOT_POSSIBLE where the app is the installation's.
  virtual StatusOr<SignInApp> Register(const Call& call, const std::string& base_url, const std::string& redirect_uri);
  // Where the person's browser goes. Pure. INVALID_ARGUMENT for a request that the network would not take.
  virtual StatusOr<std::string> AuthorizationUrl(const AuthorizationRequest& request) const;
  // The code that came back, turned into a grant. UNAUTHENTICATED TOKEN_EXPIRED when the code is not (any more) taken,
  // PERMISSION_DENIED when the app is not or when the person left out a permission that we need.
  virtual StatusOr<Grant> Exchange(const Call& call, const SignInPlace& place, const Secret& code,
                                   const Secret& verifier);
  // A session for an account's own name and application password.
  virtual StatusOr<Grant> Open(const Call& call, const SignInPlace& place, const Credentials& credentials);
  virtual Refreshed Refresh(const Call& call, const SignInPlace& place, const Credentials& credentials);
  // Every account that the grant opens, at most kGrantedAccountsMax; never none.
  virtual StatusOr<std::vector<GrantedAccount>> WhoAmI(const Call& call, const SignInPlace& place,
                                                       const Grant& grant) = 0;
};

inline constexpr size_t kGrantedAccountsMax = 200;

// BASE64URL(SHA256(verifier)) without padding (RFC 7636 §4.2).
std::string CodeChallenge(const Secret& verifier);
// RFC 4648 §5 without padding.
std::string Base64Url(std::string_view bytes);

// Other addresses than the network's own, for tests and proxies; "" keeps it.
struct SignInEndpoints {
  std::string authorize_url, token_url;
};

// The sign-ins of all networks that are among `connectors`, by network name; a network without one has fixed
// credentials. `http`, `clock` and `connectors` outlive them.
std::map<std::string, std::unique_ptr<SignIn>> MakeSignIns(
    net::HttpClient& http, const Clock& clock, const std::map<std::string, std::unique_ptr<Connector>>& connectors,
    const std::map<std::string, SignInEndpoints>& endpoints = {});

}  // namespace parvis::networks
