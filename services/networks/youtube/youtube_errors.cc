#include <algorithm>

#include "networks/youtube/youtube.h"

namespace parvis::networks {
namespace {

struct Named {
  const char* reason;
  ErrorClass error;
};

// By the reason of the first error (facts 4.4; developers.google.com/youtube/v3/docs/errors).
constexpr Named kReasons[] = {
    {"authError", ErrorClass::kTokenExpired},
    {"invalidCredentials", ErrorClass::kTokenExpired},
    {"required", ErrorClass::kTokenExpired},
    {"quotaExceeded", ErrorClass::kRateLimited},
    {"dailyLimitExceeded", ErrorClass::kRateLimited},
    {"rateLimitExceeded", ErrorClass::kRateLimited},
    {"userRateLimitExceeded", ErrorClass::kRateLimited},
    {"uploadLimitExceeded", ErrorClass::kRateLimited},
    {"uploadRateLimitExceeded", ErrorClass::kRateLimited},
    {"insufficientPermissions", ErrorClass::kPermission},
    {"forbidden", ErrorClass::kPermission},
    {"ineligibleAccount", ErrorClass::kPermission},
    {"youtubeSignupRequired", ErrorClass::kPermission},
    {"accessNotConfigured", ErrorClass::kPermission},
    {"accountDelegationForbidden", ErrorClass::kPermission},
    {"authenticatedUserAccountClosed", ErrorClass::kPermission},
    {"authenticatedUserAccountSuspended", ErrorClass::kPermission},
    {"commentsDisabled", ErrorClass::kInvalid},
    {"parentCommentIsPrivate", ErrorClass::kInvalid},
    {"videoNotFound", ErrorClass::kNotFound},
    {"commentNotFound", ErrorClass::kNotFound},
    {"parentCommentNotFound", ErrorClass::kNotFound},
    {"commentThreadNotFound", ErrorClass::kNotFound},
    {"channelNotFound", ErrorClass::kNotFound},
    {"playlistNotFound", ErrorClass::kNotFound},
    {"notFound", ErrorClass::kNotFound},
    {"backendError", ErrorClass::kTransient},
    {"internalError", ErrorClass::kTransient},
};

const Json& FirstError(const Json& json) {
  static const Json* const none = new Json;
  const Json& errors = Member(Member(json, "error"), "errors");
  return errors.is_array() && !errors.empty() ? errors[0] : *none;
}

}  // namespace

Refusal ClassifyYouTube(const net::ClientResult& http, const Json& json) {
  if (http.http_status >= 200 && http.http_status < 300) return {};
  const std::string reason = Text(FirstError(json), "reason");
  Refusal refusal;
  refusal.message = Text(Member(json, "error"), "message");
  if (refusal.message.empty()) refusal.message = Text(json, "error_description");
  if (refusal.message.empty()) refusal.message = "HTTP " + std::to_string(http.http_status);
  if (!reason.empty()) refusal.message += " (" + reason + ")";
  refusal.error = ClassOfStatus(http.http_status);
  // A server's error stays one whatever its body says: it may have come after the fact.
  if (refusal.error == ErrorClass::kTransient) return refusal;
  const auto named =
      std::find_if(std::begin(kReasons), std::end(kReasons), [&](const Named& one) { return reason == one.reason; });
  if (named != std::end(kReasons)) refusal.error = named->error;
  return refusal;
}

absl::Time NextPacificMidnight(absl::Time now) {
  static const absl::TimeZone pacific = [] {
    absl::TimeZone zone;
    // Without the zones' data: standard time, an hour late in summer.
    return absl::LoadTimeZone("America/Los_Angeles", &zone) ? zone : absl::FixedTimeZone(-8 * 3600);
  }();
  return absl::FromCivil(absl::CivilDay(absl::ToCivilDay(now, pacific)) + 1, pacific);
}

RateState YouTubeRate(const net::ClientResult& http, const Json& json, absl::Time now) {
  RateState rate;
  rate.retry_after = RetryAfter(http.headers);
  if (http.http_status < 400) return rate;
  const std::string reason = Text(FirstError(json), "reason");
  if (reason == "quotaExceeded" || reason == "dailyLimitExceeded") {
    rate.remaining = 0;
    rate.retry_after = rate.reset_in = NextPacificMidnight(now) - now;
  } else if (reason == "uploadLimitExceeded" && !rate.retry_after) {
    rate.retry_after = absl::Hours(24);  // the channel's own limit of a day (memory)
  }
  return rate;
}

}  // namespace parvis::networks
