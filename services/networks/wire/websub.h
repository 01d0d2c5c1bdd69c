// WebSub, the subscriber's side (https://www.w3.org/TR/websub/): the hub's question whether we want a subscription, and
// the signature of what it distributes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "networks/connector.h"

namespace parvis::networks {

// "<method>=<hex>" with sha1, sha256, sha384 or sha512 (WebSub 7.1), by one of `secrets`, all of which are tried.
// UNAUTHENTICATED SIGNATURE_MISSING (no header, or no secret to check it with), SIGNATURE_WRONG.
Status CheckHubSignature(std::string_view header, std::string_view body, const std::vector<Secret>& secrets);

// What a Link header (RFC 8288) names; "" where it names none.
struct HubLinks {
  std::string hub, self;
};
HubLinks ParseHubLinks(std::string_view link_header);

struct HubQuestion {
  std::string mode, topic, challenge, verify_token;  // hub.verify_token is older than WebSub; hubs that know it echo it
  std::string lease_seconds, reason;                 // as they stand there; "" when missing
};
// INVALID_ARGUMENT HANDSHAKE_MALFORMED when it is none.
StatusOr<HubQuestion> ParseHubQuestion(const WebhookCall& call);
// The challenge, as text. A denial has none and is answered with an empty body. To unsubscribe, which anybody can ask a
// hub for, takes the verify token; to subscribe, the token must be right where there is one. PERMISSION_DENIED
// VERIFY_TOKEN_WRONG. Whether the topic is ours is for the caller to know.
StatusOr<HandshakeAnswer> AnswerHub(const HubQuestion& question, const Secret& verify_token);

}  // namespace parvis::networks
