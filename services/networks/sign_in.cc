#include "networks/sign_in.h"

#include <openssl/evp.h>

#include <cstdlib>

#include "networks/sign_in/bluesky_session.h"
#include "networks/sign_in/oauth.h"
#include "networks/wire/signature.h"

namespace parvis::networks {
namespace {

Status NotPossible(const SignIn& sign_in, const char* what) {
  return MakeError(Code::kFailedPrecondition, "NOT_POSSIBLE", sign_in.facts().network + " has no " + what);
}

}  // namespace

StatusOr<SignInApp> SignIn::Register(const Call&, const std::string&, const std::string&) {
  return NotPossible(*this, "app of its own for every server");
}

StatusOr<std::string> SignIn::AuthorizationUrl(const AuthorizationRequest&) const {
  return NotPossible(*this, "sign-in in the browser");
}

StatusOr<Grant> SignIn::Exchange(const Call&, const SignInPlace&, const Secret&, const Secret&) {
  return NotPossible(*this, "sign-in in the browser");
}

StatusOr<Grant> SignIn::Open(const Call&, const SignInPlace&, const Credentials&) {
  return NotPossible(*this, "sign-in with a password");
}

Refreshed SignIn::Refresh(const Call&, const SignInPlace&, const Credentials&) {
  return {RefreshEnd::kRefused, NotPossible(*this, "refreshing of credentials"), {}};
}

std::string Base64Url(std::string_view bytes) {
  std::string out = ToBase64(bytes);
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

std::string CodeChallenge(const Secret& verifier) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(verifier.Reveal().data(), verifier.size(), digest, &size, EVP_sha256(), nullptr) != 1) std::abort();
  return Base64Url({reinterpret_cast<const char*>(digest), size});
}

std::map<std::string, std::unique_ptr<SignIn>> MakeSignIns(
    net::HttpClient& http, const Clock& clock, const std::map<std::string, std::unique_ptr<Connector>>& connectors,
    const std::map<std::string, SignInEndpoints>& endpoints) {
  std::map<std::string, std::unique_ptr<SignIn>> out;
  for (const auto& [network, connector] : connectors) {
    if (network == "bluesky") out[network] = std::make_unique<BlueskySession>(http, clock, *connector);
    const OAuthFacts* facts = FindOAuthFacts(network);
    if (facts == nullptr) continue;
    FindAccounts find = ConnectorsAccount(*connector);
    if (network == "facebook") find = FacebookPages(http);
    if (network == "linkedin") find = LinkedInOrganisations(http, *connector);
    const auto other = endpoints.find(network);
    out[network] = std::make_unique<OAuthSignIn>(
        http, clock, *facts, other == endpoints.end() ? SignInEndpoints() : other->second, std::move(find));
  }
  return out;
}

}  // namespace parvis::networks
