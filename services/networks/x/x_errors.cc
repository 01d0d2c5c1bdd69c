#include <algorithm>

#include "networks/x/x.h"

namespace parvis::networks {
namespace {

bool Contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

// The last part of a problem's type: "https://api.x.com/2/problems/client-forbidden" -> "client-forbidden".
std::string ProblemOf(const std::string& type) {
  const size_t slash = type.rfind('/');
  return slash == std::string::npos ? type : type.substr(slash + 1);
}

ErrorClass OfProblem(const std::string& problem) {
  if (problem == "not-authorized-for-resource" || problem == "client-forbidden" || problem == "usage-capped") return ErrorClass::kPermission;
  if (problem == "resource-not-found") return ErrorClass::kNotFound;
  if (problem == "rate-limit-exceeded") return ErrorClass::kRateLimited;
  if (problem == "invalid-request") return ErrorClass::kInvalid;
  return ErrorClass::kNone;   // about:blank and types that are new: the status decides
}

ErrorClass OfStatus(int status) {
  return status == 402 ? ErrorClass::kPermission : ClassOfStatus(status);   // out of credits: waiting does not help
}

}  // namespace

Refusal ClassifyX(const net::ClientResult& http, const Json& json) {
  const Json& errors = Member(json, "errors");
  const Json* first = errors.is_array() && !errors.empty() && errors[0].is_object() ? &errors[0] : nullptr;
  const bool success = http.http_status >= 200 && http.http_status < 300;
  // 200 with errors[] and without data: what was asked for is not there (facts 0.5). With data, it is a partial answer.
  if (success && (first == nullptr || !Member(json, "data").is_null())) return {};
  std::string type = Text(json, "type"), detail = Text(json, "detail");
  if (first != nullptr) {
    if (type.empty()) type = Text(*first, "type");
    if (detail.empty()) detail = Text(*first, "detail");
    if (detail.empty()) detail = Text(*first, "message");
  }
  if (detail.empty()) detail = Text(json, "title");
  Refusal refusal;
  refusal.message = detail.empty() ? "HTTP " + std::to_string(http.http_status) : detail;
  const int64_t number = first == nullptr ? 0 : NumberOf(*first, "code");
  const std::string lower = Lower(detail);
  if (http.http_status == 403 && (Contains(lower, "duplicate") || number == 187)) {
    refusal.error = ErrorClass::kDuplicate;
  } else if (number == 88) {
    refusal.error = ErrorClass::kRateLimited;
  } else if (number == 89) {
    refusal.error = ErrorClass::kTokenExpired;
  } else {
    refusal.error = OfProblem(ProblemOf(type));
    if (refusal.error == ErrorClass::kNone) refusal.error = success ? ErrorClass::kNotFound : OfStatus(http.http_status);
  }
  // A usage cap comes as 429 as well, but is no rate limit: trying again costs money and does not help (facts 3.5).
  return refusal;
}

Outcome WithPermissionHint(Outcome outcome, const Write& write) {
  if (outcome.kind != OutcomeKind::kRefused || outcome.error != ErrorClass::kPermission) return outcome;
  if (!write.draft.quote_remote_id.empty()) {
    outcome.message += " - self-serve keys of X may not quote posts since 2026-04-20: link to the post instead";
  } else if (write.kind == WriteKind::kReply) {
    outcome.message += " - self-serve keys of X may answer only authors who mentioned or quoted the account, since 2026-02-23";
  }
  return outcome;
}

RateState XRate(const net::Headers& headers, absl::Time now) {
  RateState rate;
  rate.limit = HeaderCount(headers, "x-rate-limit-limit");
  rate.remaining = HeaderCount(headers, "x-rate-limit-remaining");
  if (const auto reset = HeaderNumber(headers, "x-rate-limit-reset")) {
    rate.reset_in = std::clamp(absl::FromUnixSeconds(*reset) - now, absl::ZeroDuration(), absl::Hours(24));
  }
  rate.retry_after = RetryAfter(headers);
  return rate;
}

std::optional<absl::Time> XPostTime(std::string_view created_at, std::string_view id) {
  std::optional<absl::Time> time = ParseIsoTime(created_at);
  if (!time && created_at.size() >= 20 && created_at.size() <= 40) {
    absl::Time legacy;   // v1.1: "Wed Oct 10 20:19:24 +0000 2018"
    std::string error;
    if (absl::ParseTime("%a %b %d %H:%M:%S %z %Y", std::string(created_at), &legacy, &error)) time = legacy;
  }
  if (!time && id.size() >= 11 && id.size() <= 19) {
    uint64_t number = 0;
    for (const char c : id) {
      if (c < '0' || c > '9') return std::nullopt;
      number = number * 10 + static_cast<uint64_t>(c - '0');
    }
    constexpr int64_t kSnowflakeEpochMillis = 1288834974657;   // 2010-11-04
    time = absl::FromUnixMillis(static_cast<int64_t>(number >> 22) + kSnowflakeEpochMillis);
  }
  if (!time || *time < absl::UnixEpoch()) return std::nullopt;
  return absl::FromUnixSeconds(absl::ToUnixSeconds(*time));
}

}  // namespace parvis::networks
