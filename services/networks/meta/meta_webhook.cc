#include "networks/meta/meta_webhook.h"

#include <algorithm>

#include "networks/wire/signature.h"

namespace parvis::networks::meta {
namespace {

constexpr size_t kReservedMax = 100;  // a small body can hold many changes that are none
constexpr char kPlain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

using Take = std::function<void(const JsonValue& change, const Entry& entry)>;

void ParseEntry(const JsonValue& json, WebhookContent* content, size_t* parts, const Take& take) {
  Entry entry;
  entry.id = GetId(json, "id");
  if (entry.id.empty()) return AddUnparsed(json, "MISSING_FIELD", "entry.id", content);
  if (const auto time = GetNumber(json, "time")) {
    entry.time = TimeOfNumber(*time);
    entry.has_time = true;
  }
  simdjson::dom::array changes;
  const auto member = Get(json, "changes");
  if (!member || member->get_array().get(changes) != simdjson::SUCCESS) {
    // Instagram Login: the one change is the entry itself.
    if (GetText(json, "field")) return take(json, entry);
    if (!Get(json, "messaging") && !Get(json, "standby"))
      return AddUnparsed(json, "UNKNOWN_SHAPE", "entry.changes", content);
    ++content->ignored;  // private messages are not followed
    return;
  }
  content->happenings.reserve(content->happenings.size() + std::min<size_t>(changes.size(), kReservedMax));
  for (const JsonValue change : changes) {
    if (++*parts > kWebhookPartsMax) return AddUnparsed(json, "UNKNOWN_SHAPE", "too many changes in one call", content);
    take(change, entry);
  }
}

}  // namespace

StatusOr<HandshakeAnswer> AnswerHandshake(const WebhookCall& call, const Secret& verify_token) {
  const auto query = net::ParseQuery(call.query);
  const auto get = [&](const char* key) {
    const auto it = query.find(key);
    return it == query.end() ? std::string() : it->second;
  };
  const std::string challenge = get("hub.challenge");
  if (call.method != "GET" || get("hub.mode") != "subscribe" || challenge.empty()) {
    return MakeError(Code::kInvalidArgument, "HANDSHAKE_MALFORMED", "hub.mode=subscribe and hub.challenge are needed");
  }
  if (verify_token.empty() || !verify_token.Equals(get("hub.verify_token"))) {
    return MakeError(Code::kPermissionDenied, "VERIFY_TOKEN_WRONG", "hub.verify_token is not ours");
  }
  // Echoed into a page of ours: what is no plain word is no challenge of Meta's.
  if (challenge.size() > 256 || challenge.find_first_not_of(kPlain) != std::string::npos) {
    return MakeError(Code::kInvalidArgument, "HANDSHAKE_MALFORMED", "hub.challenge is not a plain word");
  }
  return HandshakeAnswer{200, "text/plain", challenge};
}

Status VerifyCall(const WebhookCall& call, const std::vector<Secret>& app_secrets) {
  return CheckSha256Signature(net::HeaderOf(call.headers, "X-Hub-Signature-256"), Encoding::kHex, call.body,
                              app_secrets);
}

void ParseNotification(std::string_view body, std::string_view object, WebhookContent* content, const Take& take) {
  const auto root = ParseWebhookBody(body, content);
  if (!root) return;
  simdjson::dom::array entries;
  const auto told = GetText(*root, "object");
  const auto member = Get(*root, "entry");
  if (!told || *told != object || !member || member->get_array().get(entries) != simdjson::SUCCESS) {
    content->unparsed.push_back({std::string(body), "UNKNOWN_SHAPE", "not a notification about " + std::string(object)});
    return;
  }
  size_t parts = 0;
  for (const JsonValue entry : entries) {
    if (++parts > kWebhookPartsMax) return AddUnparsed(entry, "UNKNOWN_SHAPE", "too many entries in one call", content);
    ParseEntry(entry, content, &parts, take);
  }
}

}  // namespace parvis::networks::meta
