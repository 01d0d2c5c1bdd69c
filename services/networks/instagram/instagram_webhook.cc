// Webhooks of an account: comments and mentions (facts 0.1, 2.3). With Facebook Login changes come in "changes" and name the
// comment "comment_id" or "id"; with Instagram Login the entry may be the change itself.
#include "networks/instagram/instagram.h"
#include "networks/meta/meta_webhook.h"

namespace parvis::networks {
namespace {

using meta::Entry;

void ParseComment(const JsonValue& change, const JsonValue& value, const Entry& entry, WebhookContent* content) {
  Happening h;
  h.kind = Happening::Kind::kComment;
  h.revision = kInstagramOnlyRevision;
  h.account_remote_id = entry.id;
  h.remote_id = GetId(value, "id");
  if (h.remote_id.empty()) h.remote_id = GetId(value, "comment_id");
  if (h.remote_id.empty()) return AddUnparsed(change, "MISSING_FIELD", "value.id", content);
  const std::string parent = GetId(value, "parent_id");
  if (const auto media = Get(value, "media")) h.post_remote_id = GetId(*media, "id");
  h.parent_remote_id = parent.empty() ? h.post_remote_id : parent;
  h.thread = h.conversation = parent.empty() ? h.remote_id : parent;
  if (const auto from = Get(value, "from")) {
    h.author_remote_id = GetId(*from, "id");
    h.author_name = h.author_handle = GetString(*from, "username");
  }
  h.text = GetString(value, "text");
  h.occurred_at = entry.time;   // of the report: a comment carries no time of its own
  h.by_us = h.author_remote_id == entry.id;
  content->happenings.push_back(std::move(h));
}

// Ids only: of the comment that mentions us, if it is in one, and of the media, which is somebody else's.
void ParseMention(const JsonValue& change, const JsonValue& value, const Entry& entry, WebhookContent* content) {
  Happening h;
  h.kind = Happening::Kind::kMention;
  h.revision = kInstagramOnlyRevision;
  h.account_remote_id = entry.id;
  h.post_remote_id = GetId(value, "media_id");
  h.remote_id = GetId(value, "comment_id");
  if (!h.remote_id.empty()) h.parent_remote_id = h.post_remote_id;
  if (h.remote_id.empty()) h.remote_id = h.post_remote_id;
  if (h.remote_id.empty()) return AddUnparsed(change, "MISSING_FIELD", "value.media_id", content);
  h.thread = h.conversation = h.remote_id;
  h.occurred_at = entry.time;
  content->happenings.push_back(std::move(h));
}

void ParseChange(const JsonValue& change, const Entry& entry, WebhookContent* content) {
  const auto field = GetText(change, "field");
  if (!field) return AddUnparsed(change, "MISSING_FIELD", "field", content);
  const bool comment = *field == "comments" || *field == "live_comments";
  if (!comment && *field != "mentions") {
    ++content->ignored;
    return;
  }
  const auto value = Get(change, "value");
  if (!value || !value->is_object()) return AddUnparsed(change, "MISSING_FIELD", "value", content);
  if (!entry.has_time) return AddUnparsed(change, "MISSING_FIELD", "entry.time", content);
  comment ? ParseComment(change, *value, entry, content) : ParseMention(change, *value, entry, content);
}

}  // namespace

StatusOr<HandshakeAnswer> InstagramConnector::Handshake(const WebhookCall& call, const std::vector<Secret>&,
                                                        const Secret& verify_token) const {
  return meta::AnswerHandshake(call, verify_token);
}

Status InstagramConnector::VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const {
  return meta::VerifyCall(call, app_secrets);
}

WebhookContent InstagramConnector::ParseWebhook(std::string_view body) const {
  WebhookContent content;
  meta::ParseNotification(body, "instagram", &content, [&](const JsonValue& change, const Entry& entry) {
    ParseChange(change, entry, &content);
  });
  return content;
}

}  // namespace parvis::networks
