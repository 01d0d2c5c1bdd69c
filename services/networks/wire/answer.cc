#include "networks/wire/answer.h"

#include <algorithm>

#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

constexpr size_t kMessageMax = 300;

}  // namespace

ErrorClass ClassOfStatus(int status) {
  if (status >= 200 && status < 300) return ErrorClass::kNone;
  switch (status) {
    case 401: return ErrorClass::kTokenExpired;
    case 403: return ErrorClass::kPermission;
    case 404:
    case 410: return ErrorClass::kNotFound;
    case 408: return ErrorClass::kTransient;
    case 429: return ErrorClass::kRateLimited;
    default: return status >= 500 ? ErrorClass::kTransient : ErrorClass::kInvalid;
  }
}

const char* ReasonName(ErrorClass error) {
  switch (error) {
    case ErrorClass::kNone: return "";
    case ErrorClass::kTokenExpired: return "TOKEN_EXPIRED";
    case ErrorClass::kPermission: return "PERMISSION_DENIED";
    case ErrorClass::kRateLimited: return "RATE_LIMITED";
    case ErrorClass::kDuplicate: return "DUPLICATE";
    case ErrorClass::kNotFound: return "NOT_FOUND";
    case ErrorClass::kInvalid: return "REJECTED";
    case ErrorClass::kTransient: return "TRANSIENT";
  }
  return "REJECTED";
}

std::string SafeMessage(std::string_view message, const Credentials& credentials) {
  std::string out = text::ToUtf8(message.substr(0, 4 * kMessageMax));
  for (const auto& [name, secret] : credentials.fields) {
    if (secret.size() < 4 || name == "username") continue;
    for (size_t at; (at = out.find(secret.Reveal())) != std::string::npos;) out.replace(at, secret.size(), "***");
  }
  // Line breaks, and what would steer the terminal of whoever reads it.
  std::replace_if(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return text::CutBytes(out, kMessageMax);
}

Outcome SettledWrite(const Answer& answer, const Account& account, std::string remote_id) {
  if (!answer.ok()) return FailedWrite(answer, account);
  if (!answer.json.is_structured() && !answer.http.body.empty()) return UnclearWrite(answer);
  Outcome out;
  out.kind = OutcomeKind::kAccepted;
  out.remote_id = std::move(remote_id);
  out.rate = answer.rate;
  return out;
}

Outcome RefusedBeforeSending(ErrorClass error, std::string_view message) {
  Outcome out;
  out.kind = OutcomeKind::kRefused;
  out.error = error;
  out.reason = ReasonName(error);
  out.message = std::string(message);
  return out;
}

Outcome FailedWrite(const Answer& answer, const Account& account, bool effect) {
  Outcome out;
  out.rate = answer.rate;
  const net::ClientResult& http = answer.http;
  if (http.sent == net::Sent::kAnswered) {
    out.error = answer.refusal.error == ErrorClass::kNone ? ErrorClass::kTransient : answer.refusal.error;
    out.message = SafeMessage(answer.refusal.message, account.credentials);
    // A server's error says nothing about whether the write happened (a gateway's 504 comes after the fact).
    const bool unclear = out.error == ErrorClass::kTransient;
    out.kind = !unclear ? OutcomeKind::kRefused : (effect ? OutcomeKind::kUnknown : OutcomeKind::kNotSent);
    out.reason = out.kind == OutcomeKind::kUnknown ? "OUTCOME_UNKNOWN" : ReasonName(out.error);
    return out;
  }
  out.error = ErrorClass::kTransient;
  out.message = std::string(http.status.message());
  if (http.sent == net::Sent::kMaybe && effect) {
    out.kind = OutcomeKind::kUnknown;
    out.reason = "OUTCOME_UNKNOWN";
    return out;
  }
  out.kind = OutcomeKind::kNotSent;
  out.reason = "CONNECT_FAILED";
  const std::string reason = parvis::ReasonOf(http.status);
  if (reason == "URL_REFUSED" || reason == "HEADER_REFUSED" || reason == "ADDRESS_REFUSED") {
    out.kind = OutcomeKind::kRefused;   // no try will ever get through
    out.error = ErrorClass::kInvalid;
    out.reason = ReasonName(out.error);
  }
  return out;
}

Outcome UnclearWrite(const Answer& answer) {
  Outcome out;
  out.kind = OutcomeKind::kUnknown;
  out.error = ErrorClass::kTransient;
  out.reason = "OUTCOME_UNKNOWN";
  out.message = "the network answered HTTP " + std::to_string(answer.http.http_status) + " with something unintelligible";
  out.rate = answer.rate;
  return out;
}

Outcome Unusable(const Answer& answer) {
  Outcome out = UnclearWrite(answer);
  out.kind = OutcomeKind::kNotSent;
  out.reason = ReasonName(ErrorClass::kTransient);
  return out;
}

bool MayGoOn(const Answer& answer) {
  return answer.answered() ? answer.refusal.error == ErrorClass::kTransient : answer.http.sent == net::Sent::kMaybe;
}

void TakeRate(const Answer& answer, RateState* rate) {
  const RateState& said = answer.rate;
  const bool used_up = rate->retry_after || (rate->remaining && *rate->remaining <= 0);
  if (!used_up && (said.limit || said.remaining || said.reset_in || said.retry_after)) *rate = said;
}

Status FailedRead(const Answer& answer, const Account& account) {
  if (!answer.answered()) return answer.http.status;
  const std::string message = SafeMessage(answer.refusal.message, account.credentials);
  Error error;
  error.reason = ReasonName(answer.refusal.error);
  error.message = message.empty() ? "the network answered HTTP " + std::to_string(answer.http.http_status) : message;
  error.retry_after = answer.rate.retry_after;
  switch (answer.refusal.error) {
    case ErrorClass::kTokenExpired: error.code = Code::kUnauthenticated; break;
    case ErrorClass::kPermission: error.code = Code::kPermissionDenied; break;
    case ErrorClass::kRateLimited:
      error.code = Code::kResourceExhausted;
      if (!error.retry_after) error.retry_after = answer.rate.reset_in;
      break;
    case ErrorClass::kNotFound: error.code = Code::kNotFound; break;
    case ErrorClass::kDuplicate:
    case ErrorClass::kInvalid: error.code = Code::kFailedPrecondition; break;
    case ErrorClass::kNone: return UnintelligibleRead();
    case ErrorClass::kTransient: error.code = Code::kUnavailable; break;
  }
  return ToStatus(error);
}

Status UnintelligibleRead() {
  return MakeError(Code::kUnavailable, "TRANSIENT", "the network answered with something unintelligible");
}

Status UnfinishedRead() {
  return MakeError(Code::kResourceExhausted, "READ_BACK_TOO_LONG",
                   "the network shows more of our own items than are read: whether the one in question is among them is not known");
}

Status CannotReadBack(WriteKind kind, const Capabilities& capabilities) {
  return MakeError(Code::kFailedPrecondition, "READ_BACK_IMPOSSIBLE",
                   capabilities.display_name + " does not show whether a " + std::string(NameOf(kind)) + " happened");
}

Status ReadPages(const Account& account, const std::function<Answer(const std::string& place)>& ask,
                 const std::function<StatusOr<std::string>(const Answer& answer)>& take) {
  std::string place;
  for (int pages = 0; pages < kReadBackPagesMax; ++pages) {
    const Answer answer = ask(place);
    if (!answer.ok()) return FailedRead(answer, account);
    PARVIS_ASSIGN_OR_RETURN(std::string next, take(answer));
    if (next.empty()) return absl::OkStatus();
    if (next == place) break;
    place = std::move(next);
  }
  return UnfinishedRead();
}

std::optional<int64_t> HeaderNumber(const net::Headers& headers, std::string_view name) {
  const std::string text = net::HeaderOf(headers, name);
  if (text.empty() || text.size() > 18) return std::nullopt;
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int> HeaderCount(const net::Headers& headers, std::string_view name) {
  const auto value = HeaderNumber(headers, name);
  if (!value) return std::nullopt;
  return static_cast<int>(std::min<int64_t>(*value, INT32_MAX));
}

std::optional<absl::Duration> RetryAfter(const net::Headers& headers) {
  const auto seconds = HeaderNumber(headers, "Retry-After");
  if (!seconds) return std::nullopt;
  return absl::Seconds(std::min<int64_t>(*seconds, 86400));
}

std::optional<absl::Time> ParseIsoTime(std::string_view text) {
  std::string value(text);
  if (value.size() < 19 || value.size() > 40) return std::nullopt;
  const size_t sign = value.find_first_of("+-Z", 19);
  if (sign == std::string::npos) {
    value += "+00:00";
  } else if (value[sign] != 'Z' && value.size() - sign == 5) {
    value.insert(sign + 3, ":");
  }
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, value, &time, &error)) return std::nullopt;
  return time;
}

std::string FormatIsoTime(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }

}  // namespace parvis::networks
