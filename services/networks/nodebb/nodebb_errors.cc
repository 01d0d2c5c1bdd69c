#include <algorithm>

#include "networks/nodebb/nodebb.h"

namespace parvis::networks {
namespace {

struct Known {
  std::string_view key;  // the beginning of it: "too-many-posts" is also "too-many-posts-newbie"
  ErrorClass error;
};
// Keys of the forum's translations. Most refusals come as 400, whatever they mean.
constexpr Known kKeys[] = {
    {"no-privileges", ErrorClass::kPermission},
    {"user-banned", ErrorClass::kPermission},
    {"user-muted", ErrorClass::kPermission},
    {"not-authorized", ErrorClass::kTokenExpired},
    {"not-logged-in", ErrorClass::kTokenExpired},
    {"invalid-uid", ErrorClass::kTokenExpired},
    {"too-many-", ErrorClass::kRateLimited},
    {"still-uploading", ErrorClass::kRateLimited},
    {"no-topic", ErrorClass::kNotFound},
    {"no-post", ErrorClass::kNotFound},
    {"no-user", ErrorClass::kNotFound},
    {"no-category", ErrorClass::kNotFound},
    {"invalid-pid", ErrorClass::kNotFound},
    {"invalid-tid", ErrorClass::kNotFound},
    {"post-already-deleted", ErrorClass::kNone},  // what was to be reached is reached
    {"post-already-restored", ErrorClass::kNone},
    {"topic-already-deleted", ErrorClass::kNone},
    {"topic-already-restored", ErrorClass::kNone},
};
constexpr std::string_view kStart = "[[error:";

// "[[error:too-many-posts, 10, 3]]" -> "too-many-posts, 10, 3"; "" for a message that was translated already.
std::string KeyIn(const Json& json) {
  const std::string message = Text(Member(json, "status"), "message"), plain = Text(json, "error");
  for (const std::string& text : {message, plain}) {
    const size_t start = text.find(kStart), end = text.find("]]");
    if (start == std::string::npos || end == std::string::npos || end < start + kStart.size()) continue;
    return text.substr(start + kStart.size(), end - start - kStart.size());
  }
  return "";
}

}  // namespace

Refusal ClassifyNodeBb(const net::ClientResult& http, const Json& json) {
  Refusal refusal;
  refusal.error = ClassOfStatus(http.http_status);
  if (refusal.error == ErrorClass::kNone) return refusal;
  const Json& status = Member(json, "status");
  const std::string key = KeyIn(json);
  for (const Known& known : kKeys) {
    if (key.compare(0, known.key.size(), known.key) == 0) {
      refusal.error = known.error;
      break;
    }
  }
  refusal.message = Text(status, "message");
  if (refusal.message.empty()) refusal.message = Text(json, "error");
  if (refusal.message.empty()) refusal.message = "HTTP " + std::to_string(http.http_status);
  if (const std::string code = Text(status, "code"); !code.empty()) refusal.message += " (" + code + ")";
  return refusal;
}

RateState NodeBbRate(const net::ClientResult& http, const Json& json) {
  RateState rate;
  rate.retry_after = RetryAfter(http.headers);
  const std::string key = KeyIn(json);
  const size_t comma = key.find(", ");
  if (rate.retry_after || key.compare(0, 9, "too-many-") != 0 || comma == std::string::npos) return rate;
  int64_t seconds = 0;
  for (size_t i = comma + 2; i < key.size() && key[i] >= '0' && key[i] <= '9' && seconds < 86400; ++i) {
    seconds = seconds * 10 + (key[i] - '0');
  }
  if (seconds > 0) rate.retry_after = absl::Seconds(std::min<int64_t>(seconds, 86400));
  return rate;
}

}  // namespace parvis::networks
