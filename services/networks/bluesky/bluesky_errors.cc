// What Bluesky's answers mean (facts 0.4, 0.5, 6.4): by the error's name, which is stable; the message is for people.
#include <algorithm>

#include "networks/bluesky/bluesky.h"

namespace parvis::networks {
namespace {

constexpr std::pair<std::string_view, ErrorClass> kNames[] = {
    {"ExpiredToken", ErrorClass::kTokenExpired},     {"InvalidToken", ErrorClass::kTokenExpired},
    {"RecordNotFound", ErrorClass::kNotFound},       {"NotFound", ErrorClass::kNotFound},
    {"RepoNotFound", ErrorClass::kNotFound},         {"ActorNotFound", ErrorClass::kNotFound},
    {"AccountNotFound", ErrorClass::kNotFound},      {"AccountTakedown", ErrorClass::kPermission},
    {"AccountDeactivated", ErrorClass::kPermission}, {"AccountSuspended", ErrorClass::kPermission},
    {"RepoTakendown", ErrorClass::kPermission},      {"RepoDeactivated", ErrorClass::kPermission},
    {"RepoSuspended", ErrorClass::kPermission},      {"BlockedActor", ErrorClass::kPermission},
    {"BlockedByActor", ErrorClass::kPermission},     {"RateLimitExceeded", ErrorClass::kRateLimited},
    {"InvalidSwap", ErrorClass::kDuplicate},         {"MethodNotImplemented", ErrorClass::kInvalid},
};

ErrorClass ByStatus(int status) {
  if (status == 401) return ErrorClass::kTokenExpired;
  if (status == 403) return ErrorClass::kPermission;
  if (status == 404) return ErrorClass::kNotFound;
  if (status == 429) return ErrorClass::kRateLimited;
  if (status >= 500 || status == 408) return ErrorClass::kTransient;
  return ErrorClass::kInvalid;
}

}  // namespace

Refusal ClassifyBluesky(const net::ClientResult& http, const Json& json) {
  const int status = http.http_status;
  if (status >= 200 && status < 300) return {};
  const std::string name = Text(json, "error"), message = Text(json, "message");
  Refusal out{ByStatus(status), name.empty() ? message : name + ": " + message};
  const auto known =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const auto& one) { return one.first == name; });
  if (known != std::end(kNames)) out.error = known->second;
  return out;
}

RateState BlueskyRate(const net::Headers& headers, absl::Time now) {
  RateState rate;
  const auto number = [&](const char* name) -> std::optional<int> {
    const auto value = HeaderNumber(headers, name);
    if (!value) return std::nullopt;
    return static_cast<int>(std::min<int64_t>(*value, INT32_MAX));
  };
  rate.limit = number("RateLimit-Limit");
  rate.remaining = number("RateLimit-Remaining");
  if (const auto reset = HeaderNumber(headers, "RateLimit-Reset")) {
    rate.reset_in = std::clamp(absl::FromUnixSeconds(*reset) - now, absl::ZeroDuration(), absl::Hours(24));
  }
  rate.retry_after = RetryAfter(headers);
  return rate;
}

}  // namespace parvis::networks
