// Webhooks of a site. They tell of posts, pages, tags and members; of comments there are none. What is published is
// what we publish, so only what becomes of a post afterwards is of interest: that somebody changed it on the site, or
// took it away.
#include "networks/ghost/ghost.h"
#include "networks/text/html.h"
#include "networks/text/unicode.h"
#include "networks/wire/signature.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {
namespace {

constexpr std::string_view kHeader = "X-Ghost-Signature";

// "sha256=<hex>, t=<ms>" in its two parts; the second is "" when it is missing or no number.
std::pair<std::string_view, std::string_view> Parts(std::string_view header) {
  const size_t comma = header.find(',');
  if (comma == std::string_view::npos) return {header, {}};
  std::string_view time = header.substr(comma + 1);
  while (!time.empty() && time.front() == ' ') time.remove_prefix(1);
  const bool named = time.substr(0, 2) == "t=";
  time = named ? time.substr(2) : std::string_view();
  if (time.size() > 14 || time.find_first_not_of("0123456789") != std::string_view::npos) time = {};
  return {header.substr(0, comma), time};
}

// Of `current`, or of `previous`: a deleted post is told of by what it was.
std::string First(const Json& post, const char* key) {
  const std::string now = Text(Member(post, "current"), key);
  return now.empty() ? Text(Member(post, "previous"), key) : now;
}

void Understand(const Json& body, const Json& post, std::string_view told_at, WebhookContent* content) {
  const std::string event = Text(body, "event");
  const Json& current = Member(post, "current");
  const Json& previous = Member(post, "previous");
  const std::string id = text::CutBytes(text::ToUtf8(First(post, "id")), 100);
  const auto give_up = [&](const char* what) {
    content->unparsed.push_back({Dump(body), "MISSING_FIELD", what});
  };
  // Sites older than 6 do not name the event: a post that is no more has nothing current.
  const bool gone = event == "post.deleted" || (event.empty() && (!current.is_object() || current.empty()));
  const bool withdrawn =
      event == "post.unpublished" || (event.empty() && Text(previous, "status") == "published" &&
                                      !Text(current, "status").empty() && Text(current, "status") != "published");
  const bool edited = event == "post.published.edited";
  if (!gone && !withdrawn && !edited) {
    ++content->ignored;  // drafts, schedules, what is published, tags put on and off
    return;
  }
  if (id.empty()) return give_up("post.current.id");
  if (gone && Text(previous, "status") == "draft") {
    ++content->ignored;
    return;
  }
  Happening h;
  h.kind = edited ? Happening::Kind::kEdit : Happening::Kind::kRemoval;
  h.remote_id = h.thread = h.conversation = h.post_remote_id = id;
  h.by_us = true;
  h.permalink = text::CutBytes(text::ToUtf8(First(post, "url")), 2000);
  if (edited) {
    const std::string plain = Text(current, "plaintext"), html = Text(current, "html");
    h.text = text::CutBytes(text::ToUtf8(plain.empty() ? text::HtmlToText(html, false) : plain), kHappeningTextMax);
  }
  // Of what is gone the post itself tells no time; each try of a delivery is dated alike.
  std::optional<absl::Time> time = ParseIsoTime(Text(current, "updated_at"));
  if (!time && !told_at.empty()) time = absl::FromUnixMillis(std::stoll(std::string(told_at)));
  if (!time) time = ParseIsoTime(Text(previous, "updated_at"));
  if (!time || *time < absl::UnixEpoch()) return give_up("post.current.updated_at");
  h.occurred_at = *time;
  h.revision = RevisionOf(*time);
  content->happenings.push_back(std::move(h));
}

}  // namespace

Status GhostConnector::VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const {
  const std::string header = net::HeaderOf(call.headers, kHeader);
  const auto [digest, time] = Parts(header);
  return CheckSha256Signature(digest, Encoding::kHex, call.body + std::string(time), app_secrets);
}

WebhookContent GhostConnector::ParseCall(const WebhookCall& call) const {
  WebhookContent content;
  // The parser of webhooks bounds depth and refuses what is no UTF-8, with the reason.
  if (!ParseWebhookBody(call.body, &content)) return content;
  const Json body = ParseJson(call.body);
  if (!body.is_object()) {
    content.unparsed.push_back({call.body, "UNKNOWN_SHAPE", "not an event of a site"});
    return content;
  }
  const Json& post = Member(body, "post");
  if (post.is_object()) {
    const std::string header = net::HeaderOf(call.headers, kHeader);
    Understand(body, post, Parts(header).second, &content);
  } else {
    ++content.ignored;  // pages, tags, members, "site.changed"
  }
  return content;
}

WebhookContent GhostConnector::ParseWebhook(std::string_view body) const {
  WebhookCall call;
  call.body = std::string(body);
  return ParseCall(call);
}

}  // namespace parvis::networks
