#include "networks/linkedin/linkedin.h"

namespace parvis::networks {
namespace {

struct Known {
  const char* code;
  ErrorClass error;
};
// Codes that say more than their status.
constexpr Known kCodes[] = {
    {"DUPLICATE_POST", ErrorClass::kDuplicate},          {"REVOKED_ACCESS_TOKEN", ErrorClass::kTokenExpired},
    {"EXPIRED_ACCESS_TOKEN", ErrorClass::kTokenExpired}, {"INVALID_ACCESS_TOKEN", ErrorClass::kTokenExpired},
    {"NONEXISTENT_VERSION", ErrorClass::kPermission},    {"VERSION_MISSING", ErrorClass::kPermission},
    {"TOO_MANY_REQUESTS", ErrorClass::kRateLimited},
};
constexpr int64_t kRevoked = 65601, kExpired = 65602;  // serviceErrorCode

ErrorClass OfStatus(int status) {
  if (status == 409) return ErrorClass::kDuplicate;
  if (status == 426) return ErrorClass::kPermission;  // the version was sunset: nothing works until another is set
  return ClassOfStatus(status);
}

// A 422 for a duplicate names the post: "... urn:li:share:1"; of whatever else is wrong it names no post.
bool NamesAPost(const std::string& message) {
  return message.find("urn:li:share:") != std::string::npos || message.find("urn:li:ugcPost:") != std::string::npos;
}

}  // namespace

Refusal ClassifyLinkedIn(const net::ClientResult& http, const Json& json) {
  Refusal refusal;
  refusal.error = OfStatus(http.http_status);
  if (refusal.error == ErrorClass::kNone) return refusal;
  const std::string code = Text(json, "code"), message = Text(json, "message");
  const int64_t number = NumberOf(json, "serviceErrorCode");
  if (number == kRevoked || number == kExpired) refusal.error = ErrorClass::kTokenExpired;
  if (http.http_status == 422 && NamesAPost(message)) refusal.error = ErrorClass::kDuplicate;
  for (const Known& known : kCodes) {
    if (code == known.code) refusal.error = known.error;
  }
  refusal.message = message.empty() ? "HTTP " + std::to_string(http.http_status) : message;
  if (!code.empty()) refusal.message += " (" + code + ")";
  return refusal;
}

}  // namespace parvis::networks
