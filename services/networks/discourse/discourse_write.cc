// What is written to a forum.
#include <algorithm>

#include "networks/discourse/discourse.h"
#include "networks/discourse/discourse_parse.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/media.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {

constexpr int kSpam = 8, kTellModerators = 7;  // post_action_type_id

// Ids are numbers on the wire; beyond what a JSON number surely keeps, Rails reads the text as well.
Json Number(const std::string& id) {
  const bool plain = !id.empty() && id.size() <= 15 && id.find_first_not_of("0123456789") == std::string::npos;
  return plain ? Json(std::stoll(id)) : Json(id);
}

// Text inside the brackets of a Markdown image.
std::string Inside(const std::string& text) {
  std::string out;
  for (const char c : text) out.push_back(c == '[' || c == ']' || c == '|' || c == '\n' || c == '\r' ? ' ' : c);
  return out;
}

std::string MarkdownOf(const Media& media, const Json& upload) {
  const std::string name =
      Inside(media.alt_text.empty() ? (media.title.empty() ? Text(upload, "original_filename") : media.title)
                                    : media.alt_text);
  const std::string target = "](" + Text(upload, "short_url") + ")";
  if (media.type.rfind("video/", 0) == 0) return "![" + name + "|video" + target;
  if (media.type.rfind("image/", 0) != 0) return "[" + name + "|attachment" + target;
  const std::string width = Text(upload, "width"), height = Text(upload, "height");
  return "![" + name + (width.empty() || height.empty() ? "" : "|" + width + "x" + height) + target;
}

std::string PollMarkdown(const PollDraft& poll, absl::Time now) {
  std::string out =
      poll.multiple ? "[poll type=multiple min=1 max=" + std::to_string(poll.options.size()) : "[poll type=regular";
  out += " results=always public=false close=" + FormatIsoTime(now + poll.open_for) + "]\n";
  for (const std::string& option : poll.options) out += "* " + text::ForComparison(option) + "\n";
  return out + "[/poll]";
}

}  // namespace

bool DiscourseConnector::AddMedia(const Call& call, const Account& account, const Draft& draft, std::string* raw,
                                  Outcome* failed) {
  for (size_t i = 0; i < draft.media.size(); ++i) {
    const Media& media = draft.media[i];
    const auto bytes = MediaBytes(http_, call, media, capabilities_.media_max_bytes);
    if (!bytes.ok()) {
      *failed = MediaFailed(bytes.status());
      return false;
    }
    net::ClientRequest request;
    request.method = "POST";
    FormData form;
    form.AddField("upload_type", "composer");
    form.AddField("synchronous", "true");
    form.AddFile("file", MediaFileName(media, i), media.type, *bytes);
    form.MoveTo(&request);
    const Answer answer = SendRequest(call, account, "/uploads.json", std::move(request));
    // Nobody sees an upload that no post names; the forum clears it away.
    if (!answer.ok() || Text(answer.json, "short_url").empty()) {
      *failed = FailedWrite(answer, account, false);
      return false;
    }
    *raw += (raw->empty() ? "" : "\n\n") + MarkdownOf(media, answer.json);
  }
  return true;
}

Answer DiscourseConnector::AskPost(const Call& call, const Account& account, const std::string& id) {
  const auto position = ParseDiscoursePosition(id);
  const std::string path =
      position ? "/posts/by_number/" + position->topic + "/" + position->number : "/posts/" + net::UrlEncode(id);
  return Ask(call, account, "GET", path + ".json");
}

bool DiscourseConnector::Find(const Call& call, const Account& account, const std::string& id, Place* place,
                              Outcome* failed) {
  const Answer answer = AskPost(call, account, id);
  *place = {Text(answer.json, "id"),      Text(answer.json, "topic_id"), Text(answer.json, "post_number"),
            Text(answer.json, "user_id"), Text(answer.json, "username"), Text(answer.json, "topic_title")};
  if (answer.ok() && !place->id.empty() && !place->topic.empty()) return true;
  *failed = FailedWrite(answer, account, false);  // nothing was written yet
  return false;
}

Outcome DiscourseConnector::Created(const Call& call, const Account& account, const Answer& answer,
                                    const std::string& external_id) {
  // Every refusal of a topic is a 422 in the forum's language, "this external id is taken" too. Only we make this key,
  // so the topic that has it is this one, written by an earlier try.
  if (answer.answered() && answer.http.http_status == 422 && !external_id.empty()) {
    const auto topic = TopicOf(call, account, external_id);
    if (topic.ok() && topic->has_value()) {
      Outcome out;
      out.kind = OutcomeKind::kAccepted;
      out.remote_id = (*topic)->remote_id;
      out.permalink = (*topic)->permalink;
      out.rate = answer.rate;
      return out;
    }
  }
  if (!answer.ok()) return FailedWrite(answer, account);
  Outcome out;
  out.rate = answer.rate;
  if (Text(answer.json, "action") == "enqueued") {
    const std::string id = Text(Member(answer.json, "pending_post"), "id");
    out.kind = OutcomeKind::kAccepted;
    out.held = true;
    if (!id.empty()) out.remote_id = "review/" + id;
    return out;
  }
  const Json& nested = Member(answer.json, "post");
  const Json& post = nested.is_object() ? nested : answer.json;
  out.remote_id = DiscourseIdOf(post);
  if (out.remote_id.empty()) return UnclearWrite(answer);
  out.kind = OutcomeKind::kAccepted;
  const std::string topic = Text(post, "topic_id"), number = Text(post, "post_number");
  if (!topic.empty()) out.permalink = BaseOf(account) + "/t/-/" + topic + (number.empty() ? "" : "/" + number);
  return out;
}

Outcome DiscourseConnector::Create(const Call& call, const Account& account, const Write& write) {
  Outcome failed;
  Json body = Json::object();
  std::string external_id;
  if (!write.target_remote_id.empty()) {
    Place place;
    const auto position = ParseDiscoursePosition(write.target_remote_id);
    if (position && write.kind != WriteKind::kPrivateReply) {
      place.topic = position->topic;
      place.number = position->number;
    } else if (!Find(call, account, write.target_remote_id, &place, &failed)) {
      return failed;
    }
    if (write.kind == WriteKind::kPrivateReply) {
      body["title"] = "Re: " + text::CutBytes(text::ToUtf8(place.title), 200);
      body["archetype"] = "private_message";
      body["target_recipients"] = place.username;
      external_id = DiscourseExternalId(write.idempotency_key);
    } else {
      body["topic_id"] = Number(place.topic);
      if (write.kind == WriteKind::kReply && !place.number.empty() && place.number != "1") {
        body["reply_to_post_number"] = Number(place.number);
      }
    }
  } else {
    body["title"] = write.draft.title;
    external_id = DiscourseExternalId(write.idempotency_key);
    const auto category = write.draft.options.find("category");
    if (category != write.draft.options.end()) body["category"] = Number(category->second);
  }
  if (!external_id.empty()) body["external_id"] = external_id;
  std::string raw = TextWithLink(write.draft);
  if (!AddMedia(call, account, write.draft, &raw, &failed)) return failed;
  if (write.draft.poll) raw += (raw.empty() ? "" : "\n\n") + PollMarkdown(*write.draft.poll, clock_.WallNow());
  body["raw"] = raw;
  return Created(call, account, Ask(call, account, "POST", "/posts.json", &body), external_id);
}

Outcome DiscourseConnector::Changed(const Answer& answer, const Account& account, const std::string& id) const {
  return SettledWrite(answer, account, id);
}

// Approving needs the entry's version, so that nobody approves what was changed meanwhile.
Outcome DiscourseConnector::Approve(const Call& call, const Account& account, const Write& write) {
  const std::string id = ReviewableOf(write.target_remote_id);
  if (id.empty())
    return RefusedBeforeSending(ErrorClass::kInvalid, "the target is no entry of the review queue (\"review/7\")");
  const Answer entry = Ask(call, account, "GET", "/review/" + id + ".json");
  const Json& reviewable = Member(entry.json, "reviewable");
  const std::string version = Text(reviewable, "version");
  if (!entry.ok() || version.empty()) return FailedWrite(entry, account, false);
  if (Text(reviewable, "status") == "1") return Changed(entry, account, write.target_remote_id);  // approved already
  const bool approve = write.kind == WriteKind::kApprove;
  const std::string action = approve ? "approve_post" : "reject_post";
  return Changed(Ask(call, account, "PUT", "/review/" + id + "/perform/" + action + ".json?version=" + version),
                 account, write.target_remote_id);
}

bool DiscourseConnector::FindUser(const Call& call, const Account& account, const Write& write, std::string* user,
                                  Outcome* failed) {
  *user = write.target_author_id;
  if (!user->empty()) return true;
  Place place;
  if (!Find(call, account, write.target_remote_id, &place, failed)) return false;
  *user = place.user;
  if (user->empty()) *failed = RefusedBeforeSending(ErrorClass::kNotFound, "the post's author is not told");
  return !user->empty();
}

Outcome DiscourseConnector::Sanction(const Call& call, const Account& account, const Write& write) {
  Outcome failed;
  std::string user;
  if (!FindUser(call, account, write, &user, &failed)) return failed;
  const bool ban = write.kind == WriteKind::kBan || write.kind == WriteKind::kUnban;
  const bool lift = write.kind == WriteKind::kUnban || write.kind == WriteKind::kUnmute;
  Json body = Json::object();
  if (!lift) {
    // There is no "for ever": the forum's own page sends a day far away.
    const std::string until =
        absl::FormatTime("%Y-%m-%d", clock_.WallNow() + absl::Hours(24 * 365 * 100), absl::UTCTimeZone());
    body[ban ? "suspend_until" : "silenced_till"] = until;
    body["reason"] = write.draft.text.empty() ? "moderation" : write.draft.text;
  }
  const std::string verb = ban ? (lift ? "unsuspend" : "suspend") : (lift ? "unsilence" : "silence");
  return Changed(Ask(call, account, "PUT", "/admin/users/" + net::UrlEncode(user) + "/" + verb + ".json", &body),
                 account, write.target_remote_id.empty() ? user : write.target_remote_id);
}

Outcome DiscourseConnector::Moderate(const Call& call, const Account& account, const Write& write) {
  Outcome failed;
  std::string id = write.target_remote_id, topic;
  const auto position = ParseDiscoursePosition(id);
  const bool needs_topic = write.kind == WriteKind::kLock || write.kind == WriteKind::kUnlock;
  if (position && needs_topic) {
    topic = position->topic;
  } else if (position || needs_topic) {
    Place place;
    if (!Find(call, account, id, &place, &failed)) return failed;
    id = place.id;
    topic = place.topic;
  }
  const std::string post = "/posts/" + net::UrlEncode(id);
  switch (write.kind) {
    case WriteKind::kDelete:
      return Changed(Ask(call, account, "DELETE", post + ".json"), account, write.target_remote_id);
    case WriteKind::kUnhide:
      return Changed(Ask(call, account, "PUT", post + "/unhide.json"), account, write.target_remote_id);
    case WriteKind::kLock:
    case WriteKind::kUnlock: {
      const Json body = {{"status", "closed"}, {"enabled", write.kind == WriteKind::kLock ? "true" : "false"}};
      return Changed(Ask(call, account, "PUT", "/t/" + net::UrlEncode(topic) + "/status.json", &body), account,
                     write.target_remote_id);
    }
    default: {
      Json body = {{"id", Number(id)},
                   {"post_action_type_id", write.kind == WriteKind::kSpam ? kSpam : kTellModerators}};
      if (write.kind == WriteKind::kReport) body["message"] = write.draft.text;
      return Changed(Ask(call, account, "POST", "/post_actions.json", &body), account, write.target_remote_id);
    }
  }
}

Outcome DiscourseConnector::CarryOut(const Call& call, const Account& account, const Write& write) {
  const bool queued = !ReviewableOf(write.target_remote_id).empty();
  switch (write.kind) {
    case WriteKind::kPost:
    case WriteKind::kReply:
    case WriteKind::kPrivateReply:
      return Create(call, account, write);
    case WriteKind::kApprove:
      return Approve(call, account, write);
    case WriteKind::kBan:
    case WriteKind::kUnban:
    case WriteKind::kMute:
    case WriteKind::kUnmute:
      return Sanction(call, account, write);
    case WriteKind::kDelete:
      return queued ? Approve(call, account, write) : Moderate(call, account, write);
    default:
      return Moderate(call, account, write);
  }
}

}  // namespace parvis::networks
