#include "networks/sign_in/bluesky_session.h"

#include <absl/strings/escaping.h>

#include "networks/bluesky/bluesky.h"
#include "networks/sign_in/oauth.h"

namespace parvis::networks {
namespace {

constexpr int64_t kSecondsMax = 253402300799;  // the year 9999

Account SecretsOf(const Credentials& credentials) {
  Account account;
  account.credentials = credentials;
  account.credentials.fields.erase("identifier");
  return account;
}

StatusOr<Grant> GrantOf(const Json& json, const Credentials& before) {
  const std::string access = Text(json, "accessJwt"), refresh = Text(json, "refreshJwt");
  if (access.empty() || refresh.empty()) return UnintelligibleRead();
  Grant grant;
  grant.credentials.fields["access_token"] = Secret(access);
  grant.credentials.fields["refresh_token"] = Secret(refresh);
  for (const char* kept : {"identifier", "app_password"}) {
    if (!before.Get(kept).empty()) grant.credentials.fields[kept] = before.Get(kept);
  }
  grant.expires_at = ExpiryOfJwt(access);
  grant.refresh_expires_at = ExpiryOfJwt(refresh);
  return grant;
}

}  // namespace

std::optional<absl::Time> ExpiryOfJwt(std::string_view token) {
  const size_t first = token.find('.'), second = token.find('.', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  std::string payload;
  const std::string_view part = token.substr(first + 1, second - first - 1);
  if (!absl::WebSafeBase64Unescape({part.data(), part.size()}, &payload)) return std::nullopt;
  const Json json = ParseJson(payload);
  const Json& at = Member(json, "exp");
  if (!at.is_number_integer()) return std::nullopt;
  const auto seconds = at.get<int64_t>();
  if (seconds <= 0 || seconds > kSecondsMax) return std::nullopt;
  return absl::FromUnixSeconds(seconds);
}

BlueskySession::BlueskySession(net::HttpClient& http, const Clock& clock, Connector& connector)
    : http_(http), clock_(clock), connector_(connector) {
  facts_.network = "bluesky";
  facts_.refreshes = true;
  facts_.single_use = true;
  facts_.reuse_grace = absl::Hours(2);
  facts_.password_fields = {"identifier", "app_password"};
}

Answer BlueskySession::Ask(const Call& call, const SignInPlace& place, const char* method, const Secret& bearer,
                           const Json* body) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = place.base_url + (place.base_url.ends_with('/') ? "xrpc/" : "/xrpc/") + method;
  request.bearer = bearer;
  if (body != nullptr) {
    request.headers["Content-Type"] = "application/json";
    request.body = body->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyBluesky(answer.http, answer.json);
  answer.rate = BlueskyRate(answer.http.headers, clock_.WallNow());
  return answer;
}

StatusOr<Grant> BlueskySession::Open(const Call& call, const SignInPlace& place, const Credentials& credentials) {
  const Json body = {{"identifier", credentials.Get("identifier").Reveal()},
                     {"password", credentials.Get("app_password").Reveal()}};
  Answer answer = Ask(call, place, "com.atproto.server.createSession", Secret(), &body);
  if (answer.answered() && Text(answer.json, "error") == "AuthFactorTokenRequired") {
    answer.refusal = {ErrorClass::kPermission, "this is the account's own password; make an application password"};
  }
  if (!answer.ok()) return FailedRead(answer, SecretsOf(credentials));
  return GrantOf(answer.json, credentials);
}

Refreshed BlueskySession::Refresh(const Call& call, const SignInPlace& place, const Credentials& credentials) {
  Refreshed out;
  if (!credentials.Get("refresh_token").empty()) {
    const Answer answer =
        Ask(call, place, "com.atproto.server.refreshSession", credentials.Get("refresh_token"), nullptr);
    if (answer.ok()) {
      StatusOr<Grant> grant = GrantOf(answer.json, credentials);
      if (!grant.ok()) return {RefreshEnd::kUnclear, grant.status(), {}};
      return {RefreshEnd::kRefreshed, absl::OkStatus(), *std::move(grant)};
    }
    out = {EndOf(answer), FailedRead(answer, SecretsOf(credentials)), {}};
    // The account is closed to us: a new session would be so, too.
    if (answer.answered() && answer.refusal.error == ErrorClass::kPermission) out.end = RefreshEnd::kRefused;
    if (out.end != RefreshEnd::kRefused || answer.refusal.error == ErrorClass::kPermission) return out;
  }
  if (credentials.Get("app_password").empty() || credentials.Get("identifier").empty()) {
    if (out.status.ok()) out.status = MakeError(Code::kFailedPrecondition, "NOT_POSSIBLE", "there is no refresh token");
    out.end = RefreshEnd::kRefused;
    return out;
  }
  StatusOr<Grant> grant = Open(call, place, credentials);
  if (grant.ok()) return {RefreshEnd::kRefreshed, absl::OkStatus(), *std::move(grant)};
  const Code code = grant.status().code();
  // A session that nobody got to know does no harm, so opening one is never unclear.
  const bool refused = code == Code::kUnauthenticated || code == Code::kPermissionDenied;
  return {refused ? RefreshEnd::kRefused : RefreshEnd::kNotDone, grant.status(), {}};
}

StatusOr<std::vector<GrantedAccount>> BlueskySession::WhoAmI(const Call& call, const SignInPlace& place,
                                                             const Grant& grant) {
  return ConnectorsAccount(connector_)(call, place, grant);
}

}  // namespace parvis::networks
