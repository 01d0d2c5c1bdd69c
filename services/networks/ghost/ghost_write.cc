// What is written to a Ghost site. One request has the effect; pictures, and the draft of a post that goes out as a
// newsletter, are seen by no reader before it.
#include <algorithm>

#include "networks/ghost/ghost_parts.h"
#include "networks/text/html.h"
#include "networks/wire/check.h"
#include "networks/wire/media.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {


std::string OptionOf(const Draft& draft, const char* name) {
  const auto it = draft.options.find(name);
  return it == draft.options.end() ? "" : it->second;
}

std::string Path(const char* collection, const std::string& id = "") {
  return std::string("/") + collection + "/" + (id.empty() ? "" : net::UrlEncode(id) + "/");
}

Outcome Created(const Answer& answer, const Account& account, const Json& made) {
  if (!answer.ok()) return FailedWrite(answer, account);
  Outcome out;
  out.remote_id = Text(made, "id");
  if (out.remote_id.empty()) return UnclearWrite(answer);
  out.kind = OutcomeKind::kAccepted;
  out.permalink = Text(made, "url");
  out.rate = answer.rate;
  return out;
}

Json Wrapped(const char* collection, Json one) { return {{collection, Json::array({std::move(one)})}}; }

}  // namespace

const Json& GhostOnly(const Json& answer, const char* collection) {
  static const Json* const null = new Json;
  const Json& list = Member(answer, collection);
  return list.is_array() && !list.empty() ? list[0] : *null;
}

std::string GhostLiteral(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "'";
}

std::string GhostTime(absl::Time time) {
  return "'" + absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::UTCTimeZone()) + "'";
}

bool IsGhostId(std::string_view id) {
  return id.size() == 24 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string GhostMarker(const std::string& key) {
  std::string safe;
  for (const char c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    safe.push_back(plain ? c : '_');  // "--" would end the comment
  }
  return "<!-- parvis:" + safe + " -->";
}

std::string GhostHtml(const Draft& draft) {
  std::string html = text::TextToHtml(draft.text);
  if (!draft.link.empty() && draft.text.find(draft.link) == std::string::npos) {
    const std::string link = text::EscapeHtml(draft.link);
    html += "<p><a href=\"" + link + "\">" + link + "</a></p>\n";
  }
  return html;
}

std::string GhostConnector::Upload(const Call& call, const Account& account, const Media& media, size_t index,
                                   Outcome* failed) {
  const auto bytes = MediaBytes(http_, call, media, capabilities_.media_max_bytes);
  if (!bytes.ok()) {
    *failed = MediaFailed(bytes.status());
    return "";
  }
  net::ClientRequest request;
  request.method = "POST";
  FormData form;
  form.AddField("purpose", "image");
  form.AddFile("file", MediaFileName(media, index), media.type, *bytes);
  form.MoveTo(&request);
  const Answer answer = SendRequest(call, account, "/images/upload/", "", std::move(request));
  const std::string url = answer.ok() ? Text(GhostOnly(answer.json, "images"), "url") : "";
  if (url.empty()) *failed = FailedWrite(answer, account, false);  // a picture that no post names is seen by nobody
  return url;
}

// A newsletter goes out only when a post that is there is published, with the newsletter named in the query: so it is
// made as a draft first, and publishing that is the effect.
Outcome GhostConnector::Post(const Call& call, const Account& account, const Write& write) {
  const Draft& draft = write.draft;
  const bool newsletter = !OptionOf(draft, "newsletter").empty();
  Json post = {{"title", draft.title}, {"status", newsletter ? "draft" : "published"}};
  std::string html = GhostHtml(draft);
  for (size_t i = 0; i < draft.media.size(); ++i) {
    Outcome failed;
    const std::string url = Upload(call, account, draft.media[i], i, &failed);
    if (url.empty()) return failed;
    const std::string& alt = draft.media[i].alt_text;
    if (i == 0) {
      post["feature_image"] = url;
      if (!alt.empty()) post["feature_image_alt"] = alt;
    } else {
      html += "<figure><img src=\"" + text::EscapeHtml(url) + "\" alt=\"" + text::EscapeHtml(alt) + "\"></figure>\n";
    }
  }
  post["html"] = html;
  if (!draft.tags.empty()) post["tags"] = Json::array();
  for (const std::string& tag : draft.tags) post["tags"].push_back({{"name", tag}});
  if (const std::string visibility = OptionOf(draft, "visibility"); !visibility.empty())
    post["visibility"] = visibility;
  if (OptionOf(draft, "email_only") == "true") post["email_only"] = true;
  if (!write.idempotency_key.empty()) post["codeinjection_foot"] = GhostMarker(write.idempotency_key);
  const Json body = Wrapped("posts", std::move(post));
  const Answer answer = Ask(call, account, "POST", "/posts/", "source=html", &body);
  if (newsletter) return Publish(call, account, write, answer);
  return Created(answer, account, GhostOnly(answer.json, "posts"));
}

Outcome GhostConnector::Publish(const Call& call, const Account& account, const Write& write, const Answer& draft) {
  const std::string id = Text(GhostOnly(draft.json, "posts"), "id");
  std::string updated_at = Text(GhostOnly(draft.json, "posts"), "updated_at");
  if (!draft.ok() || id.empty() || updated_at.empty()) return FailedWrite(draft, account, false);
  const std::string segment = OptionOf(write.draft, "email_segment");
  const std::string query = "newsletter=" + net::UrlEncode(OptionOf(write.draft, "newsletter")) +
                            "&email_segment=" + net::UrlEncode(segment.empty() ? "all" : segment);
  Answer answer;
  for (int tries = 0; tries < 2; ++tries) {
    const Json body = Wrapped("posts", {{"status", "published"}, {"updated_at", updated_at}});
    answer = Ask(call, account, "PUT", Path("posts", id), query, &body);
    // Somebody has touched the draft since: the site did nothing. What it is now is read, and published unless it is
    // already.
    if (!answer.answered() || answer.http.http_status != 409) break;
    const Answer now = Ask(call, account, "GET", Path("posts", id), "");
    updated_at = Text(GhostOnly(now.json, "posts"), "updated_at");
    if (!now.ok() || updated_at.empty() || Text(GhostOnly(now.json, "posts"), "status") != "draft") break;
  }
  Outcome out = Created(answer, account, GhostOnly(answer.json, "posts"));
  // Of a newsletter that there is not, the site says 500, and takes the publication back.
  if (out.kind == OutcomeKind::kUnknown && Text(GhostOnly(answer.json, "errors"), "type") == "EmailError") {
    const Answer now = Ask(call, account, "GET", Path("posts", id), "");
    if (now.ok() && Text(GhostOnly(now.json, "posts"), "status") == "draft") {
      out = RefusedBeforeSending(ErrorClass::kInvalid, SafeMessage(answer.refusal.message, account.credentials));
    }
  }
  // A draft that nobody will publish is no more than litter; whether it could be cleared away changes nothing.
  if (out.kind == OutcomeKind::kRefused && answer.http.http_status != 409) {
    (void)Ask(call, account, "DELETE", Path("posts", id), "");
  }
  return out;
}

// Comments have two levels: an answer to an answer hangs below the first comment and names what it answers besides.
Outcome GhostConnector::Reply(const Call& call, const Account& account, const Write& write) {
  Json comment = {{"member_id", account.credentials.Get("member_id").Reveal()}, {"html", GhostHtml(write.draft)}};
  if (write.target_remote_id == write.post_remote_id) {
    comment["post_id"] = write.post_remote_id;
  } else {
    const Answer target = Ask(call, account, "GET", Path("comments", write.target_remote_id), "");
    const Json& above = GhostOnly(target.json, "comments");
    if (!target.ok() || Text(above, "id").empty()) return FailedWrite(target, account, false);
    // The site would take it and drop whom it answers.
    if (Text(above, "status") == "deleted") {
      return RefusedBeforeSending(ErrorClass::kNotFound, "the comment has been deleted");
    }
    const std::string root = Text(above, "parent_id");
    comment["parent_id"] = root.empty() ? write.target_remote_id : root;
    if (!root.empty()) comment["in_reply_to_id"] = write.target_remote_id;
  }
  const Json body = Wrapped("comments", std::move(comment));
  const Answer answer = Ask(call, account, "POST", "/comments/", "", &body);
  return Created(answer, account, GhostOnly(answer.json, "comments"));
}

// Asks first: a deleted comment is still shown, as deleted, and giving it any other status would bring it back.
Outcome GhostConnector::SetStatus(const Call& call, const Account& account, const Write& write,
                                  const std::string& status) {
  const std::string path = Path("comments", write.target_remote_id);
  const Answer now = Ask(call, account, "GET", path, "");
  const Json& comment = GhostOnly(now.json, "comments");
  if (!now.ok() || Text(comment, "id").empty()) return FailedWrite(now, account, false);
  if (Text(comment, "status") == "deleted") {
    return RefusedBeforeSending(ErrorClass::kNotFound, "the comment has been deleted");
  }
  const Json body = Wrapped("comments", {{"id", write.target_remote_id}, {"status", status}});
  return SettledWrite(Ask(call, account, "PUT", path, "", &body), account, write.target_remote_id);
}

Outcome GhostConnector::Remove(const Call& call, const Account& account, const Write& write) {
  if (write.target_remote_id != write.post_remote_id) return SetStatus(call, account, write, "deleted");
  return SettledWrite(Ask(call, account, "DELETE", Path("posts", write.target_remote_id), ""), account,
                      write.target_remote_id);
}

Outcome GhostConnector::Sanction(const Call& call, const Account& account, const Write& write) {
  std::string member = write.target_author_id;
  if (member.empty()) {
    const Answer comment = Ask(call, account, "GET", Path("comments", write.target_remote_id), "");
    if (!comment.ok()) return FailedWrite(comment, account, false);
    member = Text(Member(GhostOnly(comment.json, "comments"), "member"), "id");
    if (member.empty())
      return RefusedBeforeSending(ErrorClass::kNotFound, "who wrote the comment is no member any more");
  }
  const bool ban = write.kind == WriteKind::kBan;
  const Json body =
      ban ? Json{{"reason", write.draft.text.empty() ? "moderation" : write.draft.text}, {"hide_comments", false}}
          : Json::object();
  const std::string path = Path("members", member) + "commenting/" + (ban ? "disable/" : "enable/");
  return SettledWrite(Ask(call, account, "POST", path, "", &body), account,
                      write.target_remote_id.empty() ? member : write.target_remote_id);
}

Outcome GhostConnector::CarryOut(const Call& call, const Account& account, const Write& write) {
  if (write.kind == WriteKind::kPost && !write.target_remote_id.empty()) {
    return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(Feature::kThread));
  }
  switch (write.kind) {
    case WriteKind::kPost:
      return Post(call, account, write);
    case WriteKind::kReply:
      return Reply(call, account, write);
    case WriteKind::kHide:
      return SetStatus(call, account, write, "hidden");
    case WriteKind::kUnhide:
      return SetStatus(call, account, write, "published");
    case WriteKind::kDelete:
      return Remove(call, account, write);
    case WriteKind::kBan:
    case WriteKind::kUnban:
      return Sanction(call, account, write);
    default:
      break;
  }
  return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(write.kind));
}

}  // namespace parvis::networks
