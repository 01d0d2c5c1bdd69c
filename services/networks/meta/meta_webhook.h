// The part of Meta's webhooks that Facebook and Instagram share (facts 0.1, 1.5).
#pragma once

#include "networks/connector.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks::meta {

// hub.mode=subscribe with our verify token: the challenge comes back. INVALID_ARGUMENT HANDSHAKE_MALFORMED,
// PERMISSION_DENIED VERIFY_TOKEN_WRONG.
StatusOr<HandshakeAnswer> AnswerHandshake(const WebhookCall& call, const Secret& verify_token);
// X-Hub-Signature-256 over the raw bytes, by an app secret.
Status VerifyCall(const WebhookCall& call, const std::vector<Secret>& app_secrets);

struct Entry {
  std::string id;   // of the Page or the Instagram account
  absl::Time time;  // when the report was sent
  bool has_time = false;
};
// Reads {"object":`object`,"entry":[{"id","time","changes":[..]}]}, where a change may also stand in the entry itself
// ("field" beside "value"): `take` gets every change. Entries of messages are counted as ignored.
void ParseNotification(std::string_view body, std::string_view object, WebhookContent* content,
                       const std::function<void(const JsonValue& change, const Entry& entry)>& take);

}  // namespace parvis::networks::meta
