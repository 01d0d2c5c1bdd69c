#include <algorithm>

#include "networks/discourse/discourse.h"

namespace parvis::networks {
namespace {

struct Known {
  const char* type;
  ErrorClass error;
};
// `error_type` is the forum's code; the messages are in its language.
constexpr Known kTypes[] = {
    {"rate_limit", ErrorClass::kRateLimited},       {"not_logged_in", ErrorClass::kTokenExpired},
    {"invalid_api_key", ErrorClass::kTokenExpired}, {"invalid_access", ErrorClass::kPermission},
    {"read_only", ErrorClass::kTransient},          {"not_found", ErrorClass::kNotFound},
    {"invalid_parameters", ErrorClass::kInvalid},
};

std::string MessageOf(const Json& json) {
  const Json& errors = Member(json, "errors");
  std::string out;
  for (size_t i = 0; errors.is_array() && i < errors.size() && i < 5; ++i) {
    if (errors[i].is_string()) out += (out.empty() ? "" : "; ") + errors[i].get<std::string>();
  }
  if (out.empty()) out = Text(json, "message");
  return out;
}

}  // namespace

Refusal ClassifyDiscourse(const net::ClientResult& http, const Json& json) {
  Refusal refusal;
  refusal.error = ClassOfStatus(http.http_status);
  const std::string type = Text(json, "error_type"), message = MessageOf(json);
  // A forum behind an old proxy answers 200 with {"failed":"FAILED"}.
  const bool failed = Text(json, "failed") == "FAILED";
  if (refusal.error == ErrorClass::kNone && !failed) return refusal;
  if (refusal.error == ErrorClass::kNone) refusal.error = ErrorClass::kInvalid;
  for (const Known& known : kTypes) {
    if (type == known.type) refusal.error = known.error;
  }
  // A wrong or revoked key is a 403 like any other, but it is about no object: only then is there no error_type of
  // access.
  refusal.message = message.empty() ? "HTTP " + std::to_string(http.http_status) : message;
  if (!type.empty()) refusal.message += " (" + type + ")";
  return refusal;
}

RateState DiscourseRate(const net::ClientResult& http, const Json& json) {
  RateState rate;
  rate.retry_after = RetryAfter(http.headers);
  const Json& wait = Member(Member(json, "extras"), "wait_seconds");
  if (!rate.retry_after && wait.is_number()) {
    const double seconds = std::clamp(wait.get<double>(), 0.0, 86400.0);
    rate.retry_after = absl::Ceil(absl::Seconds(seconds), absl::Seconds(1));
  }
  return rate;
}

}  // namespace parvis::networks
