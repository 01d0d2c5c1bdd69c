// Webhooks of a Page (facts 0.1, 1.5).
#include <algorithm>

#include "networks/facebook/facebook.h"
#include "networks/text/unicode.h"
#include "networks/wire/signature.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {
namespace {

constexpr size_t kReservedMax = 100;  // a small body can hold many changes that are none

struct Entry {
  std::string page;
  absl::Time time;
  bool has_time = false;
};

std::optional<Happening::Kind> KindOfVerb(std::string_view verb) {
  if (verb == "add") return Happening::Kind::kComment;
  if (verb == "edited" || verb == "edit") return Happening::Kind::kEdit;
  if (verb == "remove" || verb == "delete") return Happening::Kind::kRemoval;
  if (verb == "hide") return Happening::Kind::kHide;
  if (verb == "unhide") return Happening::Kind::kUnhide;
  return std::nullopt;
}

void AddAttachments(const JsonValue& value, Happening* h) {
  for (const auto& [key, type] : {std::pair("photo", "image"), {"video", "video"}, {"link", "link"}}) {
    if (const auto url = GetText(value, key); url && url->size() <= 2000)
      h->attachments.emplace_back(type, std::string(*url));
  }
}

void ParseComment(const JsonValue& change, const JsonValue& value, const Entry& entry, WebhookContent* content) {
  const auto verb = GetText(value, "verb");
  if (!verb) return AddUnparsed(change, "MISSING_FIELD", "value.verb", content);
  const auto kind = KindOfVerb(*verb);
  if (!kind)
    return AddUnparsed(change, "UNKNOWN_SHAPE", "value.verb is \"" + text::CutBytes(*verb, 40) + "\"", content);
  Happening h;
  h.kind = *kind;
  h.account_remote_id = entry.page;
  h.remote_id = GetId(value, "comment_id");
  if (h.remote_id.empty()) return AddUnparsed(change, "MISSING_FIELD", "value.comment_id", content);
  h.post_remote_id = GetId(value, "post_id");
  h.parent_remote_id = GetId(value, "parent_id");
  // A reply's parent is a comment, a top-level comment's is the post (facts 1.5).
  const bool top_level = h.parent_remote_id.empty() || h.parent_remote_id == h.post_remote_id;
  h.thread = h.conversation = top_level ? h.remote_id : h.parent_remote_id;
  const auto created = GetNumber(value, "created_time");
  // `created_time` dates what happened, so that a poll gives the same for a creation; `entry.time` is only when the
  // report was sent, and a repeated report has another one.
  if (!created && !entry.has_time) return AddUnparsed(change, "MISSING_FIELD", "value.created_time", content);
  h.occurred_at = created ? TimeOfNumber(*created) : entry.time;
  h.revision = RevisionOf(h.occurred_at);
  if (const auto from = Get(value, "from")) {
    h.author_remote_id = GetId(*from, "id");
    h.author_name = GetString(*from, "name");
  }
  if (*kind != Happening::Kind::kRemoval) h.text = GetString(value, "message");
  h.by_us = h.author_remote_id == entry.page;
  if (const auto post = Get(value, "post")) h.permalink = GetString(*post, "permalink_url");
  AddAttachments(value, &h);
  content->happenings.push_back(std::move(h));
}

void ParseChange(const JsonValue& change, const Entry& entry, WebhookContent* content) {
  const auto field = GetText(change, "field");
  if (!field) return AddUnparsed(change, "MISSING_FIELD", "field", content);
  const auto value = Get(change, "value");
  if (*field != "feed") {
    ++content->ignored;
    return;
  }
  if (!value || !value->is_object()) return AddUnparsed(change, "MISSING_FIELD", "value", content);
  const auto item = GetText(*value, "item");
  if (!item) return AddUnparsed(change, "MISSING_FIELD", "value.item", content);
  if (*item != "comment") {  // posts, photos, reactions: not followed here
    ++content->ignored;
    return;
  }
  ParseComment(change, *value, entry, content);
}

void ParseEntry(const JsonValue& json, WebhookContent* content, size_t* parts) {
  Entry entry;
  entry.page = GetId(json, "id");
  if (entry.page.empty()) return AddUnparsed(json, "MISSING_FIELD", "entry.id", content);
  if (const auto time = GetNumber(json, "time")) {
    entry.time = TimeOfNumber(*time);
    entry.has_time = true;
  }
  simdjson::dom::array changes;
  const auto member = Get(json, "changes");
  if (!member || member->get_array().get(changes) != simdjson::SUCCESS) {
    if (!Get(json, "messaging") && !Get(json, "standby"))
      return AddUnparsed(json, "UNKNOWN_SHAPE", "entry.changes", content);
    ++content->ignored;  // private messages are not followed
    return;
  }
  content->happenings.reserve(content->happenings.size() + std::min<size_t>(changes.size(), kReservedMax));
  for (const JsonValue change : changes) {
    if (++*parts > kWebhookPartsMax) return AddUnparsed(json, "UNKNOWN_SHAPE", "too many changes in one call", content);
    ParseChange(change, entry, content);
  }
}

}  // namespace

StatusOr<HandshakeAnswer> FacebookConnector::Handshake(const WebhookCall& call, const std::vector<Secret>&,
                                                       const Secret& verify_token) const {
  const auto query = net::ParseQuery(call.query);
  const auto get = [&](const char* key) {
    const auto it = query.find(key);
    return it == query.end() ? std::string() : it->second;
  };
  if (call.method != "GET" || get("hub.mode") != "subscribe" || get("hub.challenge").empty()) {
    return MakeError(Code::kInvalidArgument, "HANDSHAKE_MALFORMED", "hub.mode=subscribe and hub.challenge are needed");
  }
  if (verify_token.empty() || !verify_token.Equals(get("hub.verify_token"))) {
    return MakeError(Code::kPermissionDenied, "VERIFY_TOKEN_WRONG", "hub.verify_token is not ours");
  }
  const std::string challenge = get("hub.challenge");
  // Echoed into a page of ours: what is no plain word is no challenge of Facebook's.
  if (challenge.size() > 256 ||
      challenge.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
          std::string::npos) {
    return MakeError(Code::kInvalidArgument, "HANDSHAKE_MALFORMED", "hub.challenge is not a plain word");
  }
  return HandshakeAnswer{200, "text/plain", challenge};
}

Status FacebookConnector::VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const {
  const auto header = call.headers.find("X-Hub-Signature-256");
  return CheckSha256Signature(header == call.headers.end() ? std::string_view() : std::string_view(header->second),
                              Encoding::kHex, call.body, app_secrets);
}

WebhookContent FacebookConnector::ParseWebhook(std::string_view body) const {
  WebhookContent content;
  const auto root = ParseWebhookBody(body, &content);
  if (!root) return content;
  simdjson::dom::array entries;
  const auto object = GetText(*root, "object");
  const auto member = Get(*root, "entry");
  if (!object || *object != "page" || !member || member->get_array().get(entries) != simdjson::SUCCESS) {
    content.unparsed.push_back({std::string(body), "UNKNOWN_SHAPE", "not a notification about a page"});
    return content;
  }
  size_t parts = 0;
  for (const JsonValue entry : entries) {
    if (++parts > kWebhookPartsMax) {
      AddUnparsed(entry, "UNKNOWN_SHAPE", "too many entries in one call", &content);
      break;
    }
    ParseEntry(entry, &content, &parts);
  }
  return content;
}

}  // namespace parvis::networks
