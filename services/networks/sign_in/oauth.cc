#include "networks/sign_in/oauth.h"

#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <set>

namespace parvis::networks {
namespace {

constexpr size_t kStateMax = 500;  // X's, the smallest
constexpr absl::Duration kLifetimeMax = absl::Hours(24 * 3660);

std::string At(const char* address, const std::string& base) {
  std::string root = base;
  while (root.ends_with('/')) root.pop_back();
  return absl::StrReplaceAll(address, {{"{base}", root}, {"{version}", root.substr(root.rfind('/') + 1)}});
}

std::string Scopes(const OAuthFacts& facts, char separator) {
  std::string scopes = facts.scopes;
  std::replace(scopes.begin(), scopes.end(), ' ', separator);
  return scopes;
}

// Everything in what we say to the token endpoint that nobody may read in an error.
Account SecretsOf(const SignInPlace& place, const std::vector<std::pair<std::string, std::string>>& fields) {
  Account account;
  account.credentials.fields["client_secret"] = place.app.client_secret;
  for (const char* name : {"code", "code_verifier", "refresh_token", "fb_exchange_token"}) {
    for (const auto& [field, value] : fields) {
      if (field == name) account.credentials.fields[name] = Secret(value);
    }
  }
  return account;
}

std::optional<absl::Time> In(const Json& json, const char* key, absl::Time now) {
  const std::string text = Text(json, key);
  if (text.empty() || text.size() > 12 || text.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const int64_t seconds = std::stoll(text);
  if (seconds == 0) return std::nullopt;  // Facebook: does not expire
  return now + std::min(absl::Seconds(seconds), kLifetimeMax);
}

// The permissions that the person left out. Networks that do not tell gave what was asked for (RFC 6749 §5.1).
std::string MissingScopes(const OAuthFacts& facts, const Json& json) {
  const std::string given = Text(json, "scope");
  if (given.empty()) return "";
  const std::set<std::string> held = absl::StrSplit(given, absl::ByAnyChar(" ,"), absl::SkipEmpty());
  std::string missing;
  for (const std::string& scope : std::vector<std::string>(absl::StrSplit(facts.scopes, ' '))) {
    if (!held.contains(scope)) missing += (missing.empty() ? "" : ", ") + scope;
  }
  return missing;
}

}  // namespace

Refusal ClassifyTokenAnswer(const net::ClientResult& http, const Json& json) {
  const int status = http.http_status;
  if (status >= 200 && status < 300) return {};
  const Json& graph = Member(json, "error");
  const std::string name = graph.is_object() ? Text(graph, "type") : Text(json, "error");
  const std::string said = graph.is_object() ? Text(graph, "message") : Text(json, "error_description");
  Refusal out{ErrorClass::kInvalid, name.empty() ? said : name + (said.empty() ? "" : ": " + said)};
  if (status == 429) {
    out.error = ErrorClass::kRateLimited;
  } else if (status >= 500 || status == 408 || name == "temporarily_unavailable" || name == "server_error") {
    out.error = ErrorClass::kTransient;
  } else if (name == "invalid_client" || name == "unauthorized_client" || name == "unsupported_grant_type" ||
             name == "invalid_scope" || Text(graph, "code") == "101") {
    out.error = ErrorClass::kPermission;
  } else if (status == 400 && !name.empty()) {
    out.error = ErrorClass::kTokenExpired;  // invalid_grant; X says invalid_request for a used refresh token
  } else if (status == 401 || status == 403) {
    out.error = ErrorClass::kPermission;
  }
  return out;
}

StatusOr<Grant> ParseGrant(const Json& json, absl::Time now) {
  const std::string token = Text(json, "access_token");
  if (token.empty() || !Member(json, "access_token").is_string()) return UnintelligibleRead();
  Grant grant;
  grant.credentials.fields["access_token"] = Secret(token);
  if (std::string refresh = Text(json, "refresh_token"); !refresh.empty()) {
    grant.credentials.fields["refresh_token"] = Secret(std::move(refresh));
  }
  grant.expires_at = In(json, "expires_in", now);
  grant.refresh_expires_at = In(json, "refresh_token_expires_in", now);
  return grant;
}

RefreshEnd EndOf(const Answer& answer) {
  if (!answer.answered()) return answer.http.sent == net::Sent::kNo ? RefreshEnd::kNotDone : RefreshEnd::kUnclear;
  switch (answer.refusal.error) {
    case ErrorClass::kNone:
      return RefreshEnd::kUnclear;  // a success that brought nothing
    case ErrorClass::kTokenExpired:
      return RefreshEnd::kRefused;
    // 503 is the server's word that it did nothing (RFC 9110 §15.6.4); 500, 502 and 504 come after the fact, too.
    case ErrorClass::kTransient:
      return answer.http.http_status == 503 || answer.http.http_status < 500 ? RefreshEnd::kNotDone
                                                                             : RefreshEnd::kUnclear;
    default:
      return RefreshEnd::kNotDone;
  }
}

OAuthSignIn::OAuthSignIn(net::HttpClient& http, const Clock& clock, const OAuthFacts& facts, SignInEndpoints endpoints,
                         FindAccounts find_accounts)
    : http_(http),
      clock_(clock),
      oauth_(facts),
      endpoints_(std::move(endpoints)),
      find_accounts_(std::move(find_accounts)) {
  facts_.network = facts.network;
  facts_.by_browser = true;
  facts_.own_app = facts.own_app;
  facts_.refreshes = facts.refreshes;
  facts_.single_use = facts.single_use;
}

StatusOr<SignInApp> OAuthSignIn::Register(const Call& call, const std::string& base_url,
                                          const std::string& redirect_uri) {
  if (!oauth_.own_app) return SignIn::Register(call, base_url, redirect_uri);
  net::ClientRequest request;
  request.method = "POST";
  request.url = At("{base}/api/v1/apps", base_url);
  request.headers["Content-Type"] = "application/x-www-form-urlencoded";
  request.body =
      net::FormEncode({{"client_name", "Parvis"}, {"redirect_uris", redirect_uri}, {"scopes", Scopes(oauth_, ' ')}});
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (answer.answered()) {
    answer.json = ParseJson(answer.http.body);
    answer.refusal = ClassifyTokenAnswer(answer.http, answer.json);
    answer.rate.retry_after = RetryAfter(answer.http.headers);
  }
  if (!answer.ok()) return FailedRead(answer, {});
  SignInApp app{Text(answer.json, "client_id"), Secret(Text(answer.json, "client_secret"))};
  if (app.client_id.empty() || app.client_secret.empty()) return UnintelligibleRead();
  return app;
}

StatusOr<std::string> OAuthSignIn::AuthorizationUrl(const AuthorizationRequest& request) const {
  if (request.state.empty() || request.state.size() > kStateMax) {
    return InvalidField("state", "STATE", "must have 1 to 500 bytes");
  }
  if (request.place.app.client_id.empty() || request.place.redirect_uri.empty()) {
    return MakeError(Code::kFailedPrecondition, "SIGN_IN_NOT_CONFIGURED",
                     "the installation has no app or no redirect address for this network");
  }
  std::vector<std::pair<std::string, std::string>> query = {{"response_type", "code"},
                                                            {"client_id", request.place.app.client_id},
                                                            {"redirect_uri", request.place.redirect_uri},
                                                            {"scope", Scopes(oauth_, oauth_.scope_separator)},
                                                            {"state", request.state}};
  if (oauth_.pkce) {
    if (request.code_challenge.size() != 43) {  // base64url of 32 bytes
      return InvalidField("code_challenge", "CODE_CHALLENGE", "must be the S256 challenge of the verifier");
    }
    query.emplace_back("code_challenge", request.code_challenge);
    query.emplace_back("code_challenge_method", "S256");
  }
  std::string url =
      endpoints_.authorize_url.empty() ? At(oauth_.authorize_url, request.place.base_url) : endpoints_.authorize_url;
  url += (url.find('?') == std::string::npos ? '?' : '&') + net::FormEncode(query);
  if (oauth_.extra != nullptr) url += std::string("&") + oauth_.extra;
  return url;
}

Answer OAuthSignIn::AskToken(const Call& call, const SignInPlace& place, Fields fields) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = endpoints_.token_url.empty() ? At(oauth_.token_url, place.base_url) : endpoints_.token_url;
  request.headers["Content-Type"] = "application/x-www-form-urlencoded";
  request.headers["Accept"] = "application/json";
  const bool secret = !place.app.client_secret.empty();
  if (oauth_.auth == ClientAuth::kBasic && secret) {
    request.basic = Secret(place.app.client_id + ":" + place.app.client_secret.Reveal());
  } else {
    fields.emplace_back("client_id", place.app.client_id);
    if (secret) {
      request.secret_parameter = "client_secret";
      request.secret_value = place.app.client_secret;
    }
  }
  request.body = net::FormEncode(fields);
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyTokenAnswer(answer.http, answer.json);
  answer.rate.retry_after = RetryAfter(answer.http.headers);
  return answer;
}

StatusOr<Grant> OAuthSignIn::Exchange(const Call& call, const SignInPlace& place, const Secret& code,
                                      const Secret& verifier) {
  Fields fields = {{"grant_type", "authorization_code"}, {"code", code.Reveal()}, {"redirect_uri", place.redirect_uri}};
  if (oauth_.pkce) fields.emplace_back("code_verifier", verifier.Reveal());
  Answer answer = AskToken(call, place, fields);
  if (!answer.ok()) return FailedRead(answer, SecretsOf(place, fields));
  if (const std::string missing = MissingScopes(oauth_, answer.json); !missing.empty()) {
    return MakeError(Code::kPermissionDenied, "SCOPES_MISSING",
                     "the person did not give these permissions: " + missing);
  }
  PARVIS_ASSIGN_OR_RETURN(Grant grant, ParseGrant(answer.json, clock_.WallNow()));
  if (oauth_.long_lived_exchange == nullptr) return grant;
  fields = {{"grant_type", oauth_.long_lived_exchange},
            {oauth_.long_lived_exchange, grant.credentials.Get("access_token").Reveal()}};
  answer = AskToken(call, place, fields);
  if (!answer.ok()) return FailedRead(answer, SecretsOf(place, fields));
  return ParseGrant(answer.json, clock_.WallNow());
}

Refreshed OAuthSignIn::Refresh(const Call& call, const SignInPlace& place, const Credentials& credentials) {
  if (!oauth_.refreshes || credentials.Get("refresh_token").empty()) {
    return {RefreshEnd::kRefused,
            MakeError(Code::kFailedPrecondition, "NOT_POSSIBLE", "there is no refresh token for this account"),
            {}};
  }
  const Fields fields = {{"grant_type", "refresh_token"}, {"refresh_token", credentials.Get("refresh_token").Reveal()}};
  const Answer answer = AskToken(call, place, fields);
  if (!answer.ok()) return {EndOf(answer), FailedRead(answer, SecretsOf(place, fields)), {}};
  StatusOr<Grant> grant = ParseGrant(answer.json, clock_.WallNow());
  if (!grant.ok()) return {RefreshEnd::kUnclear, grant.status(), {}};
  // What does not come anew stays: the refresh token where it is not rotated, an API version, ...
  grant->credentials.fields.insert(credentials.fields.begin(), credentials.fields.end());
  return {RefreshEnd::kRefreshed, absl::OkStatus(), *std::move(grant)};
}

StatusOr<std::vector<GrantedAccount>> OAuthSignIn::WhoAmI(const Call& call, const SignInPlace& place,
                                                          const Grant& grant) {
  PARVIS_ASSIGN_OR_RETURN(std::vector<GrantedAccount> accounts, find_accounts_(call, place, grant));
  if (accounts.empty()) {
    return MakeError(Code::kPermissionDenied, "PERMISSION_DENIED",
                     "whoever signed in manages no account of this network that could be a channel");
  }
  return accounts;
}

}  // namespace parvis::networks
