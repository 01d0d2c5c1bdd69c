// What is written to a WordPress site, and how an unclear write is found again.
#include <algorithm>

#include "networks/text/html.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/media.h"
#include "networks/wordpress/wordpress.h"

namespace parvis::networks {
namespace {

// The key of a delivery travels in its post as a comment of HTML, which nobody sees: so the post is found again for certain,
// however the site changes its text.
std::string Marker(const std::string& key) {
  std::string safe;
  for (const char c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    safe.push_back(plain ? c : '_');   // "--" would end the comment
  }
  return "<!-- parvis:" + safe + " -->";
}
constexpr std::string_view kMarkerStart = "<!-- parvis:";

std::string PostHtml(const Write& write) {
  std::string html = text::TextToHtml(write.draft.text);
  const std::string& link = write.draft.link;
  if (!link.empty() && write.draft.text.find(link) == std::string::npos) {
    html += "<p><a href=\"" + text::EscapeHtml(link) + "\">" + text::EscapeHtml(link) + "</a></p>\n";
  }
  return html;
}

std::string Route(const char* collection, const std::string& id = "") {
  return std::string("/wp/v2/") + collection + (id.empty() ? "" : "/" + net::UrlEncode(id));
}

std::string RawOrRendered(const Json& object, const char* key) {
  const Json& value = Member(object, key);
  const std::string raw = Text(value, "raw");
  return raw.empty() ? Text(value, "rendered") : raw;
}

OwnItem ItemOf(const Json& json) {
  OwnItem item;
  item.remote_id = Text(json, "id");
  item.permalink = Text(json, "link");
  item.text = RawOrRendered(json, "content");
  item.parent_remote_id = Text(json, "parent") == "0" ? "" : Text(json, "parent");
  item.created_at = ParseIsoTime(Text(json, "date_gmt")).value_or(absl::InfinitePast());
  const std::string status = Text(json, "status");
  item.hidden = !status.empty() && status != "approved" && status != "approve" && status != "publish";
  return item;
}

bool IsOfUs(const Json& item, const std::string& me) { return me.empty() || Text(item, "author") == me; }

}  // namespace

Outcome WordPressConnector::Created(const Answer& answer, const Account& account) const {
  if (!answer.ok()) return FailedWrite(answer, account);
  Outcome out;
  out.remote_id = Text(answer.json, "id");
  if (out.remote_id.empty()) return UnclearWrite(answer);
  out.kind = OutcomeKind::kAccepted;
  out.permalink = Text(answer.json, "link");
  out.rate = answer.rate;
  return out;
}

StatusOr<WordPressConnector::Uploaded> WordPressConnector::Upload(const Call& call, const Account& account, const Media& media, size_t index,
                                                                  Outcome* failed) {
  const Status stop = MakeError(Code::kUnavailable, "MEDIA_UNAVAILABLE", "the upload failed");
  const auto bytes = MediaBytes(http_, call, media, capabilities_.media_max_bytes);
  if (!bytes.ok()) {
    *failed = MediaFailed(bytes.status());
    return stop;
  }
  net::ClientRequest request;
  request.method = "POST";
  request.headers["Content-Type"] = media.type;
  request.headers["Content-Disposition"] = "attachment; filename=\"" + MediaFileName(media, index) + "\"";
  request.body = *bytes;
  Answer answer = SendRequest(call, account, Route("media"), "", std::move(request));
  const Uploaded uploaded{answer.ok() ? Text(answer.json, "id") : "", answer.ok() ? Text(answer.json, "source_url") : ""};
  if (uploaded.id.empty()) {
    *failed = FailedWrite(answer, account, false);   // a picture in the library is nothing that readers see
    return stop;
  }
  if (!media.alt_text.empty()) {
    const Json alt = {{"alt_text", media.alt_text}};
    answer = Ask(call, account, "POST", Route("media", uploaded.id), "", &alt);
    if (!answer.ok()) {
      *failed = FailedWrite(answer, account, false);
      return stop;
    }
  }
  return uploaded;
}

Outcome WordPressConnector::Post(const Call& call, const Account& account, const Write& write) {
  Json body = {{"title", write.draft.title}, {"status", "publish"}};
  std::string html = PostHtml(write);
  for (size_t i = 0; i < write.draft.media.size(); ++i) {
    Outcome failed;
    const auto uploaded = Upload(call, account, write.draft.media[i], i, &failed);
    if (!uploaded.ok()) return failed;
    if (i == 0) {
      body["featured_media"] = std::stoll("0" + uploaded->id.substr(0, 18));
      continue;
    }
    html += "<figure><img src=\"" + text::EscapeHtml(uploaded->url) + "\" alt=\"" + text::EscapeHtml(write.draft.media[i].alt_text) + "\"></figure>\n";
  }
  if (!write.idempotency_key.empty()) {   // inside a paragraph: standing alone, the site would make an empty one around it
    const size_t paragraph = html.find("<p>");
    html.insert(paragraph == std::string::npos ? html.size() : paragraph + 3, Marker(write.idempotency_key));
  }
  body["content"] = html;
  return Created(Ask(call, account, "POST", Route("posts"), "", &body), account);
}

Outcome WordPressConnector::Reply(const Call& call, const Account& account, const Write& write) {
  std::string post = write.post_remote_id;
  if (post.empty()) {
    const Answer target = Ask(call, account, "GET", Route("comments", write.target_remote_id), "context=edit");
    post = target.ok() ? Text(target.json, "post") : "";
    if (post.empty()) return FailedWrite(target, account, false);
  }
  // Without escaping, the site would take "<" for a tag, and keep a script for those who may write one.
  const Json body = {{"post", post}, {"parent", write.target_remote_id}, {"content", text::EscapeHtml(TextWithLink(write.draft))}};
  return Created(Ask(call, account, "POST", Route("comments"), "", &body), account);
}

Outcome WordPressConnector::SetStatus(const Call& call, const Account& account, const Write& write, const std::string& status) {
  const Json body = {{"status", status}};
  Answer answer = Ask(call, account, "POST", Route("comments", write.target_remote_id), "", &body);
  if (answer.answered() && Text(answer.json, "code") == "rest_comment_failed_edit") {
    // This is also how the site answers when the comment has this status already.
    const Answer now = Ask(call, account, "GET", Route("comments", write.target_remote_id), "context=edit");
    const std::string is = now.ok() ? Text(now.json, "status") : "";
    if (is == status || (status == "approve" && is == "approved")) answer = now;
  }
  return Created(answer, account);
}

Outcome WordPressConnector::Remove(const Call& call, const Account& account, const Write& write) {
  const bool post = write.target_remote_id == write.post_remote_id;
  return Created(Ask(call, account, "DELETE", Route(post ? "posts" : "comments", write.target_remote_id), ""), account);
}

Outcome WordPressConnector::CarryOut(const Call& call, const Account& account, const Write& write) {
  switch (write.kind) {
    case WriteKind::kPost: return Post(call, account, write);
    case WriteKind::kReply: return Reply(call, account, write);
    case WriteKind::kHide: return SetStatus(call, account, write, "hold");
    case WriteKind::kUnhide:
    case WriteKind::kApprove: return SetStatus(call, account, write, "approve");
    case WriteKind::kSpam: return SetStatus(call, account, write, "spam");
    case WriteKind::kDelete: return Remove(call, account, write);
    default: break;
  }
  return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(write.kind));
}

StatusOr<std::vector<OwnItem>> WordPressConnector::ReadBack(const Call& call, const Account& account, const Write& write, absl::Time since,
                                                            int limit) {
  const bool post = write.kind == WriteKind::kPost;
  if (!post && write.kind != WriteKind::kReply) {
    const bool is_post = write.target_remote_id == write.post_remote_id;
    const Answer answer = Ask(call, account, "GET", Route(is_post ? "posts" : "comments", write.target_remote_id), "context=edit");
    if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
    if (!answer.ok()) return FailedRead(answer, account);
    OwnItem item = ItemOf(answer.json);
    if (item.remote_id.empty()) return UnintelligibleRead();
    if (Text(answer.json, "status") == "trash") return std::vector<OwnItem>();
    if (write.kind == WriteKind::kSpam) item.hidden = Text(answer.json, "status") == "spam";   // being held is not that
    return std::vector<OwnItem>{item};
  }
  const Answer me = Ask(call, account, "GET", "/wp/v2/users/me", "");
  if (!me.ok()) return FailedRead(me, account);
  // `after` is exclusive and in whole seconds.
  const std::string query = "context=edit&orderby=date" + std::string(post ? "&status=any" : "&status=all") + "&order=desc&per_page=" +
                            std::to_string(std::clamp(limit, 1, 100)) + "&after=" + net::UrlEncode(FormatIsoTime(since - absl::Seconds(1))) +
                            (post || write.post_remote_id.empty() ? "" : "&post=" + net::UrlEncode(write.post_remote_id));
  std::vector<OwnItem> out;
  int page = 1;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string& place) {
        return Ask(call, account, "GET", Route(post ? "posts" : "comments"), query + "&page=" + (place.empty() ? "1" : place));
      },
      [&](const Answer& answer) -> StatusOr<std::string> {
        if (!answer.json.is_array()) return UnintelligibleRead();
        for (const Json& one : answer.json) {
          if (IsOfUs(one, Text(me.json, "id"))) out.push_back(ItemOf(one));
        }
        // A short page is the last one; to ask beyond it is an error (rest_post_invalid_page_number).
        const bool last = static_cast<int>(answer.json.size()) < std::clamp(limit, 1, 100) ||
                          HeaderNumber(answer.http.headers, "X-WP-TotalPages") == page;
        return last ? "" : std::to_string(++page);
      }));
  return out;
}

bool WordPressConnector::Matches(const Write& write, const OwnItem& item) const {
  switch (write.kind) {
    case WriteKind::kPost: {
      const size_t marker = item.text.find(kMarkerStart);
      if (marker != std::string::npos && !write.idempotency_key.empty()) {
        return item.text.find(Marker(write.idempotency_key), marker) != std::string::npos;
      }
      return text::ForComparison(text::HtmlToText(PostHtml(write), false)) == text::ForComparison(text::HtmlToText(item.text, false));
    }
    case WriteKind::kReply:
      return item.parent_remote_id == write.target_remote_id &&
             text::ForComparison(TextWithLink(write.draft)) == text::ForComparison(text::HtmlToText(item.text, true));
    case WriteKind::kHide:
    case WriteKind::kSpam:
      return item.hidden;
    case WriteKind::kUnhide:
    case WriteKind::kApprove:
      return !item.hidden;
    default:
      return false;   // what is deleted and still there was not deleted
  }
}

}  // namespace parvis::networks
