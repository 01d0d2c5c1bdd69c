// Webhooks of a forum (facts 9). The body is keyed by the event's type; each delivery, a repeated one too, has a new
// event id, so nothing here goes by it. The kind of what happened follows the post's own state, not the event that
// reports it: then a post read back is the same activity.
#include "networks/discourse/discourse.h"
#include "networks/discourse/discourse_parse.h"
#include "networks/text/unicode.h"
#include "networks/wire/request.h"
#include "networks/wire/signature.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {
namespace {

std::string Told(const WebhookCall& call, std::string_view name) {
  return text::CutBytes(text::ToUtf8(net::HeaderOf(call.headers, name)), 512);
}

}  // namespace

Status DiscourseConnector::VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const {
  return CheckSha256Signature(net::HeaderOf(call.headers, "X-Discourse-Event-Signature"), Encoding::kHex, call.body,
                              app_secrets);
}

WebhookContent DiscourseConnector::ParseCall(const WebhookCall& call) const {
  WebhookContent content;
  // The parser of webhooks bounds depth and refuses what is no UTF-8, with the reason; the posts are then read as a
  // poll reads.
  if (!ParseWebhookBody(call.body, &content)) return content;
  const Json body = ParseJson(call.body);
  DiscourseReader reader;
  reader.instance = Told(call, "X-Discourse-Instance");
  reader.instance = WithoutSlash(reader.instance);
  const auto query = net::ParseQuery(call.query);
  if (const auto us = query.find("us"); us != query.end()) reader.username = us->second;

  std::string missing;
  std::vector<Happening> found;
  if (const Json& post = Member(body, "post"); post.is_object()) {
    found = DiscoursePost(post, reader, &missing);
    // A deleted post may come without the time of its deletion.
    const bool gone = Told(call, "X-Discourse-Event") == "post_destroyed";
    if (gone && !found.empty() && found.back().kind != Happening::Kind::kRemoval) {
      Happening removal = found.back();
      removal.kind = Happening::Kind::kRemoval;
      removal.by_us = false;
      removal.text.clear();
      found = {removal};
    }
  } else if (const Json& reviewable = Member(body, "reviewable"); reviewable.is_object()) {
    found = DiscourseReviewable(reviewable, reader, &missing);
  } else if (!body.is_object()) {
    content.unparsed.push_back({call.body, "UNKNOWN_SHAPE", "not an event of a forum"});
    return content;
  }
  if (!missing.empty()) {
    content.unparsed.push_back({call.body, "MISSING_FIELD", missing});
  } else if (found.empty()) {
    ++content.ignored;  // a ping, a topic (its first post comes by itself), users, groups, likes
  }
  content.happenings = std::move(found);
  return content;
}

WebhookContent DiscourseConnector::ParseWebhook(std::string_view body) const {
  WebhookCall call;
  call.body = std::string(body);
  return ParseCall(call);
}

}  // namespace parvis::networks
