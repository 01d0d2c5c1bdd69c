#include "networks/text/html.h"
#include "networks/wordpress/wordpress.h"

namespace parvis::networks {
namespace {

struct Known {
  const char* code;
  ErrorClass error;
};
// Codes that say more than their status (facts 0.5, 8).
constexpr Known kCodes[] = {
    {"comment_flood", ErrorClass::kRateLimited},      // comes with 400
    {"comment_duplicate", ErrorClass::kDuplicate},
    {"incorrect_password", ErrorClass::kTokenExpired},
    {"invalid_username", ErrorClass::kTokenExpired},
    {"invalid_email", ErrorClass::kTokenExpired},
    {"rest_not_logged_in", ErrorClass::kTokenExpired},
    {"rest_post_invalid_id", ErrorClass::kNotFound},
    {"rest_comment_invalid_id", ErrorClass::kNotFound},
    {"rest_comment_invalid_post_id", ErrorClass::kNotFound},
    {"rest_already_trashed", ErrorClass::kNotFound},
    {"rest_no_route", ErrorClass::kNotFound},
    {"rest_comment_closed", ErrorClass::kInvalid},
    {"rest_comment_draft_post", ErrorClass::kInvalid},
    {"application_passwords_disabled", ErrorClass::kPermission},
};

}  // namespace

Refusal ClassifyWordPress(const net::ClientResult& http, const Json& json) {
  Refusal refusal;
  // 401 is the core's code for "not signed in", whatever was asked for; 403 is for members.
  refusal.error = http.http_status == 409 ? ErrorClass::kDuplicate : ClassOfStatus(http.http_status);
  if (refusal.error == ErrorClass::kNone) return refusal;
  const std::string code = Text(json, "code"), message = Text(json, "message");
  for (const Known& known : kCodes) {
    if (code == known.code) refusal.error = known.error;
  }
  refusal.message = message.empty() ? "HTTP " + std::to_string(http.http_status) : text::HtmlToText(message, false);
  if (!code.empty()) refusal.message += " (" + code + ")";
  return refusal;
}

}  // namespace parvis::networks
