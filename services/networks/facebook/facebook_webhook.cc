// Webhooks of a Page (facts 0.1, 1.5).
#include "networks/facebook/facebook.h"
#include "networks/meta/meta_webhook.h"
#include "networks/text/unicode.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {
namespace {

using meta::Entry;

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
  h.account_remote_id = entry.id;
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
  h.by_us = h.author_remote_id == entry.id;
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

}  // namespace

StatusOr<HandshakeAnswer> FacebookConnector::Handshake(const WebhookCall& call, const std::vector<Secret>&,
                                                       const Secret& verify_token) const {
  return meta::AnswerHandshake(call, verify_token);
}

Status FacebookConnector::VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const {
  return meta::VerifyCall(call, app_secrets);
}

WebhookContent FacebookConnector::ParseWebhook(std::string_view body) const {
  WebhookContent content;
  meta::ParseNotification(body, "page", &content, [&](const JsonValue& change, const Entry& entry) {
    ParseChange(change, entry, &content);
  });
  return content;
}

}  // namespace parvis::networks
