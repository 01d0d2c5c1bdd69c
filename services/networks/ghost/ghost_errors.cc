#include "networks/ghost/ghost.h"

namespace parvis::networks {
namespace {

struct Known {
  const char* name;
  ErrorClass error;
};
// Codes first, then types: both say more than the status. A key of the wrong form is a 400, a dead one a 401.
constexpr Known kCodes[] = {
    {"INVALID_JWT", ErrorClass::kTokenExpired},           {"MISSING_ADMIN_API_KID", ErrorClass::kTokenExpired},
    {"UNKNOWN_ADMIN_API_KEY", ErrorClass::kTokenExpired}, {"INVALID_API_KEY_TYPE", ErrorClass::kTokenExpired},
    {"INVALID_AUTH_HEADER", ErrorClass::kTokenExpired},   {"UPDATE_COLLISION", ErrorClass::kInvalid},
};
constexpr Known kTypes[] = {
    {"UnauthorizedError", ErrorClass::kTokenExpired},   {"NoPermissionError", ErrorClass::kPermission},
    {"HostLimitError", ErrorClass::kPermission},        {"DisabledFeatureError", ErrorClass::kPermission},
    {"TooManyRequestsError", ErrorClass::kRateLimited}, {"NotFoundError", ErrorClass::kNotFound},
    {"MaintenanceError", ErrorClass::kTransient},       {"UpdateCollisionError", ErrorClass::kInvalid},
    {"ValidationError", ErrorClass::kInvalid},          {"BadRequestError", ErrorClass::kInvalid},
};

}  // namespace

Refusal ClassifyGhost(const net::ClientResult& http, const Json& json) {
  Refusal refusal;
  refusal.error = ClassOfStatus(http.http_status);
  if (refusal.error == ErrorClass::kNone) return refusal;
  const Json& errors = Member(json, "errors");
  const Json first = errors.is_array() && !errors.empty() ? errors[0] : Json();
  const std::string type = Text(first, "type"), code = Text(first, "code");
  // A server's failure stays one, whatever it calls itself: the write may have happened.
  if (refusal.error != ErrorClass::kTransient) {
    for (const Known& known : kTypes) {
      if (type == known.name) refusal.error = known.error;
    }
    for (const Known& known : kCodes) {
      if (code == known.name) refusal.error = known.error;
    }
  }
  refusal.message = Text(first, "message");
  if (const std::string context = Text(first, "context"); !context.empty()) {
    refusal.message += (refusal.message.empty() ? "" : " ") + context;
  }
  if (refusal.message.empty()) refusal.message = "HTTP " + std::to_string(http.http_status);
  if (!code.empty() || !type.empty()) refusal.message += " (" + (code.empty() ? type : code) + ")";
  return refusal;
}

}  // namespace parvis::networks
