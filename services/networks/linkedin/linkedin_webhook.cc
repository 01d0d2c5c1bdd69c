// Webhooks of organisation pages (facts 5.4, 0.1).
#include "networks/linkedin/linkedin.h"
#include "networks/linkedin/linkedin_parse.h"
#include "networks/wire/signature.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {
namespace {

constexpr std::string_view kSignedPrefix = "hmacsha256=";  // in what is signed, not in the header

}  // namespace

StatusOr<HandshakeAnswer> LinkedInConnector::Handshake(const WebhookCall& call, const std::vector<Secret>& app_secrets,
                                                       const Secret&) const {
  const auto query = net::ParseQuery(call.query);
  const auto found = query.find("challengeCode");
  // Answered for whoever asks, with the key that signs events: what is no UUID is no challenge, least of all
  // "hmacsha256={...}".
  const bool plain = found != query.end() && !found->second.empty() && found->second.size() <= 64 &&
                     found->second.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
  if (!plain) return MakeError(Code::kInvalidArgument, "HANDSHAKE_MALFORMED", "challengeCode is not a UUID");
  if (app_secrets.empty() || app_secrets[0].empty()) {
    return MakeError(Code::kFailedPrecondition, "SECRET_MISSING",
                     "no client secret is known to answer the challenge with");
  }
  const Json answer = {{"challengeCode", found->second},
                       {"challengeResponse", ToHex(HmacSha256(app_secrets[0].Reveal(), found->second))}};
  return HandshakeAnswer{200, "application/json", answer.dump()};
}

Status LinkedInConnector::VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const {
  const std::string header = net::HeaderOf(call.headers, "X-LI-Signature");
  // The header is the bare digest; the check compares "sha256=" and a digest.
  const std::string digest = header.empty() ? "" : "sha256=" + header;
  return CheckSha256Signature(digest, Encoding::kHex, std::string(kSignedPrefix) + call.body, app_secrets);
}

WebhookContent LinkedInConnector::ParseWebhook(std::string_view body) const {
  WebhookContent content;
  // The parser of webhooks bounds depth and refuses what is no UTF-8, with the reason.
  if (!ParseWebhookBody(body, &content)) return content;
  const Json json = ParseJson(body);
  const Json& notifications = Member(json, "notifications");
  if (!notifications.is_array()) {
    content.unparsed.push_back({std::string(body), "UNKNOWN_SHAPE", "not a list of notifications"});
    return content;
  }
  size_t parts = 0;
  for (const Json& notification : notifications) {
    const auto unparsed = [&](const char* reason, const std::string& detail) {
      content.unparsed.push_back({Dump(notification), reason, detail});
    };
    if (++parts > kWebhookPartsMax) {
      unparsed("UNKNOWN_SHAPE", "too many notifications in one call");
      break;
    }
    if (!notification.is_object()) {
      unparsed("UNKNOWN_SHAPE", "a notification that is no object");
      continue;
    }
    std::string missing;
    std::vector<Happening> found = LinkedInNotification(notification, &missing);
    if (!missing.empty()) {
      unparsed("MISSING_FIELD", missing);
    } else if (found.empty()) {
      ++content.ignored;
    }
    for (Happening& h : found) content.happenings.push_back(std::move(h));
  }
  return content;
}

}  // namespace parvis::networks
