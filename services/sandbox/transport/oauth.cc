#include "sandbox/transport/oauth.h"

#include <algorithm>
#include <set>

#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>

#include "platform/base/ids.h"
#include "sandbox/domain/cat.h"
#include "sandbox/domain/nature.h"
#include "sandbox/transport/mastodon_json.h"
#include "sandbox/transport/oauth_words.h"

namespace parvis::sandbox {
namespace {

constexpr size_t kStateMax = 500;  // X's (facts 3.1)
constexpr size_t kConsentAccountsMax = 50;
constexpr size_t kRedirectsMax = 20;

std::set<std::string> Words(std::string_view text) {
  return absl::StrSplit(std::string(text), absl::ByAnyChar(" ,"), absl::SkipEmpty());
}

bool IsFormPost(const net::HttpRequest& http) {
  return http.method == "POST" && absl::StartsWithIgnoreCase(net::HeaderOf(http.headers, "content-type"),
                                                             "application/x-www-form-urlencoded");
}

net::HttpResponse NotThere() { return JsonResponse(404, {{"error", "Not Found"}}, false); }

// What comes behind the '?' of an address that may have one already.
std::string With(const std::string& address, const std::vector<std::pair<std::string, std::string>>& fields) {
  return Cat(address, address.find('?') == std::string::npos ? "?" : "&", net::FormEncode(fields));
}

// Whether an app may ask for this; "read" holds "read:accounts" (Mastodon).
bool Holds(const std::set<std::string>& held, const std::string& scope) {
  return held.contains(scope) || held.contains(scope.substr(0, scope.find(':')));
}

}  // namespace

Reply OAuthFace::Handle(const net::HttpRequest& http) {
  StatusOr<Request> read = ReadRequest(http, "");
  if (!read.ok()) return {OAuthMissing(network_, "body")};
  const std::string& last = read->path.back();
  if (last == "apps" && network_ == Network::kMastodon) return {RegisterApp(*read)};
  if (last == "authorize" || last == "authorization" || last == "auth" || (last == "oauth" && read->path.size() > 2)) {
    return {Authorize(*read)};
  }
  if (last == "token" || last == "accessToken" || last == "access_token") return Token(*read);
  if (last == "revoke") return {Revoke(*read)};
  return {NotThere()};
}

// ---- the person
// -----------------------------------------------------------------------------------------------------------

std::string OAuthFace::WhyNot(const Request& request, OAuthConsent& consent) const {
  const OAuthRules& rules = *RulesOf(network_);
  consent.app = request.Param("client_id");
  consent.redirect = request.Param("redirect_uri");
  consent.scope = absl::StrReplaceAll(request.Param("scope"), {{",", " "}});
  consent.challenge = request.Param("code_challenge");
  consent.method = request.Param("code_challenge_method", "plain");
  const auto app = oauth_.FindApp(network_, consent.app);
  if (!app) return "Client authentication failed due to unknown client.";
  if (std::ranges::find(app->redirects, consent.redirect) == app->redirects.end()) {
    return "The redirect_uri does not match the registered value.";
  }
  if (request.Param("response_type") != "code") return "The authorization server does not support this response type.";
  if (request.Param("state").size() > kStateMax) return "Something went wrong: state is too long.";
  if (rules.pkce && consent.challenge.empty()) return "Something went wrong: code_challenge is missing.";
  if (!consent.challenge.empty() && consent.method != "S256" && !(rules.plain && consent.method == "plain")) {
    return "The code_challenge_method must be S256.";
  }
  if (consent.scope.empty()) return "The requested scope is invalid, unknown, or malformed.";
  const std::set<std::string> held = Words(app->scopes);
  for (const std::string& scope : Words(consent.scope)) {
    if (!held.empty() && !Holds(held, scope)) return "The requested scope is invalid, unknown, or malformed.";
  }
  if (network_ == Network::kX) consent.offline = Words(consent.scope).contains("offline.access");
  if (network_ == Network::kYoutube) consent.offline = request.Param("access_type") == "offline";
  return "";
}

net::HttpResponse OAuthFace::Authorize(const Request& request) {
  OAuthConsent consent;
  if (const std::string wrong = WhyNot(request, consent); !wrong.empty()) return OAuthErrorPage(wrong);
  if (request.http.method == "POST") return Decide(request, std::move(consent));
  std::vector<AccountPtr> accounts = context_.world.Accounts();
  std::erase_if(accounts, [&](const AccountPtr& account) { return account->network != network_; });
  return OAuthConsentPage(network_, consent.app, consent.scope, accounts, RulesOf(network_)->personal);
}

net::HttpResponse OAuthFace::Decide(const Request& request, OAuthConsent consent) {
  std::vector<std::pair<std::string, std::string>> fields;
  if (request.Param("decide") == "allow") {
    consent.accounts = AllOf(request.http.body, "account");
    const bool one = consent.accounts.size() == 1 || RulesOf(network_)->personal;
    const bool there = std::ranges::all_of(
        consent.accounts, [&](const std::string& id) { return context_.world.FindAccount(network_, id) != nullptr; });
    if (!one || !there || consent.accounts.empty() || consent.accounts.size() > kConsentAccountsMax) {
      return OAuthErrorPage("Sandbox: account must be the id of an account of this network.");
    }
    const StatusOr<std::string> code = oauth_.Allow(network_, consent);
    if (!code.ok()) return OAuthErrorPage("Sandbox: too many codes.");
    fields = {{"code", *code}};
  } else if (request.Param("decide") == "deny") {
    fields = OAuthDenied(network_);
  } else {
    return OAuthErrorPage("Sandbox: decide is allow or deny.");
  }
  if (!request.Param("state").empty()) fields.emplace_back("state", request.Param("state"));
  net::HttpResponse response;
  response.status = 302;
  response.headers["Location"] = With(consent.redirect, fields);
  response.headers["Cache-Control"] = "no-store";
  return response;
}

// ---- the app
// --------------------------------------------------------------------------------------------------------------

net::HttpResponse OAuthFace::Refuse(OAuthEnd end) {
  oauth_.Refused(network_, end);
  return OAuthRefusal(network_, end);
}

// By Basic, or in the body. X takes confidential clients by Basic only (facts 3.1), Facebook and LinkedIn in the body
// only.
OAuthFace::Client OAuthFace::Authenticate(const Request& request) const {
  std::string id = request.Param("client_id"), secret = request.Param("client_secret");
  const bool basic_taken = network_ != Network::kFacebook && network_ != Network::kLinkedin;
  const std::string header = net::HeaderOf(request.http.headers, "authorization");
  bool basic = false;
  if (basic_taken && absl::StartsWithIgnoreCase(header, "Basic ")) {
    std::string pair;
    if (!absl::Base64Unescape(header.substr(6), &pair)) return {OAuthEnd::kWrongSecret, ""};
    basic = true;
    id = pair.substr(0, pair.find(':'));
    secret = pair.find(':') == std::string::npos ? "" : pair.substr(pair.find(':') + 1);
  }
  const auto app = oauth_.FindApp(network_, id);
  if (!app) return {OAuthEnd::kNoApp, ""};
  if (app->secret.empty()) return {OAuthEnd::kDone, id};
  if (app->secret != secret || (network_ == Network::kX && !basic)) return {OAuthEnd::kWrongSecret, ""};
  return {OAuthEnd::kDone, id};
}

Reply OAuthFace::Token(const Request& request) {
  const bool get = network_ == Network::kFacebook && request.http.method == "GET";
  if (!get && !IsFormPost(request.http)) return {OAuthMissing(network_, "grant_type")};
  const Client client = Authenticate(request);
  if (client.end != OAuthEnd::kDone) return {Refuse(client.end)};
  // Facebook's dialog has no grant type for codes.
  const std::string type = request.Param("grant_type", network_ == Network::kFacebook ? "authorization_code" : "");
  const std::string shown = request.Param(type == "refresh_token" ? "refresh_token" : "code");
  return UnderFaults(context_, network_, oauth_.AccountOf(network_, shown), "token",
                     {.limited = [&] { return OAuthTooMany(network_); },
                      .forbidden = [&] { return OAuthRefusal(network_, OAuthEnd::kWrongSecret); }},
                     [&](Answer) { return Grant(request, client, type); });
}

net::HttpResponse OAuthFace::Grant(const Request& request, const Client& client, const std::string& type) {
  OAuthAnswer answer;
  if (type == "authorization_code") {
    for (const char* name : {"code", "redirect_uri"}) {
      if (request.Param(name).empty()) return OAuthMissing(network_, name);
    }
    answer = oauth_.Exchange(network_, client.id, request.Param("code"), request.Param("redirect_uri"),
                             request.Param("code_verifier"));
  } else if (type == "refresh_token" && RulesOf(network_)->refreshes) {
    if (request.Param("refresh_token").empty()) return OAuthMissing(network_, "refresh_token");
    answer = oauth_.Refresh(network_, client.id, request.Param("refresh_token"));
  } else if (type == "fb_exchange_token" && network_ == Network::kFacebook) {
    answer = oauth_.LongLived(network_, client.id, request.Param("fb_exchange_token"));
  } else {
    return OAuthMissing(network_, "grant_type");
  }
  if (answer.end != OAuthEnd::kDone) return Refuse(answer.end);
  // LinkedIn gives the refresh token again, as it is (facts 5.1).
  if (type == "refresh_token" && network_ == Network::kLinkedin) answer.tokens.refresh = request.Param("refresh_token");
  return OAuthGranted(network_, answer.tokens, type == "authorization_code");
}

net::HttpResponse OAuthFace::Revoke(const Request& request) {
  if (!IsFormPost(request.http)) return NotThere();
  if (const Client client = Authenticate(request); client.end != OAuthEnd::kDone) return Refuse(client.end);
  context_.world.RevokeToken(network_, request.Param("token"));
  return JsonResponse(200, network_ == Network::kX ? Json{{"revoked", true}} : Json::object(), false);
}

// POST /api/v1/apps: every server has apps of its own.
net::HttpResponse OAuthFace::RegisterApp(const Request& request) {
  if (request.http.method != "POST") return MastodonError(404, "Not Found");
  OAuthApp app{.id = "sandbox-app-" + RandomHex(32), .secret = "sandbox-app-secret-" + RandomHex(48)};
  if (request.Param("client_name").empty()) return MastodonInvalid("Application name can't be blank");
  app.redirects = absl::StrSplit(request.Param("redirect_uris"), absl::ByAnyChar(" \r\n"), absl::SkipEmpty());
  for (const std::string& one : ListOf(request, "redirect_uris")) app.redirects.push_back(one);
  if (app.redirects.empty()) return MastodonInvalid("Redirect URI can't be blank");
  if (app.redirects.size() > kRedirectsMax) return MastodonInvalid("Redirect URI is too long");
  app.scopes = request.Param("scopes", "read");
  if (!oauth_.AddApp(network_, app).ok()) return MastodonError(429, "Too many requests");
  Json json = {{"id", "1"},
               {"name", request.Param("client_name")},
               {"website", nullptr},
               {"scopes", Words(app.scopes)},
               {"redirect_uris", app.redirects},
               {"redirect_uri", app.redirects.front()},
               {"client_id", app.id},
               {"client_secret", app.secret},
               {"client_secret_expires_at", 0}};
  return JsonResponse(200, json, false);
}

std::vector<Served> MakeOAuthFaces(Context& context, OAuth& oauth) {
  const std::pair<const char*, Network> places[] = {
      {"/x/i/oauth2", Network::kX},
      {"/x/2/oauth2", Network::kX},
      {"/mastodon/oauth", Network::kMastodon},
      {"/mastodon/api/v1/apps", Network::kMastodon},
      {"/youtube/o/oauth2/v2", Network::kYoutube},     // accounts.google.com
      {"/youtube/token", Network::kYoutube},           // oauth2.googleapis.com
      {"/linkedin/oauth/v2", Network::kLinkedin},      // www.linkedin.com
      {"/facebook/v23.0/dialog", Network::kFacebook},  // www.facebook.com
      {"/facebook/v23.0/oauth", Network::kFacebook},
  };
  std::vector<Served> out;
  for (const auto& [prefix, network] : places) {
    out.push_back({prefix, network, std::make_unique<OAuthFace>(context, oauth, network)});
  }
  return out;
}

}  // namespace parvis::sandbox
