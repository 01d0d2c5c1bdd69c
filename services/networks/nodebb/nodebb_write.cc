// What is written to a NodeBB forum.
#include "networks/nodebb/nodebb.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/media.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {

constexpr std::string_view kQueue = "queue/";
constexpr int64_t kForEverMillis = int64_t{100} * 365 * 24 * 3600 * 1000;

// Ids are numbers on the wire; those of posts from elsewhere (ActivityPub) are addresses.
Json Number(const std::string& id) {
  const bool plain = !id.empty() && id.size() <= 18 && id.find_first_not_of("0123456789") == std::string::npos;
  return plain ? Json(std::stoll(id)) : Json(id);
}

std::string Inside(const std::string& text) {
  std::string out;
  for (const char c : text) out.push_back(c == '[' || c == ']' || c == '\n' || c == '\r' ? ' ' : c);
  return out;
}

}  // namespace

bool NodeBbConnector::AddMedia(const Call& call, const Account& account, const Draft& draft, std::string* content,
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
    form.AddFile("files[]", MediaFileName(media, i), media.type, *bytes);
    form.MoveTo(&request);
    const Answer answer = SendRequest(call, account, "/api/post/upload", std::move(request));
    const Json& response = Member(answer.json, "response");
    const Json& images = Member(response.is_object() ? response : answer.json, "images");
    const std::string url = images.is_array() && !images.empty() ? Text(images[0], "url") : "";
    // Nobody sees a file that no post names.
    if (!answer.ok() || url.empty()) {
      *failed = FailedWrite(answer, account, false);
      return false;
    }
    const bool image = media.type.rfind("image/", 0) == 0;
    const std::string name = Inside(image                 ? media.alt_text
                                    : media.title.empty() ? MediaFileName(media, i)
                                                          : media.title);
    *content += (content->empty() ? "" : "\n\n") + std::string(image ? "![" : "[") + name + "](" + url + ")";
  }
  return true;
}

bool NodeBbConnector::Find(const Call& call, const Account& account, const std::string& pid, Json* post,
                           Outcome* failed) {
  const Answer answer = AskPost(call, account, pid);
  *post = Member(answer.json, "response");
  if (answer.ok() && !Text(*post, "tid").empty()) return true;
  *failed = FailedWrite(answer, account, false);  // nothing was written yet
  return false;
}

Outcome NodeBbConnector::Created(const Answer& answer, const Account& account) const {
  if (!answer.ok()) return FailedWrite(answer, account);
  const Json& response = Member(answer.json, "response");
  Outcome out;
  out.rate = answer.rate;
  if (IsTrue(response, "queued")) {
    out.kind = OutcomeKind::kAccepted;
    out.held = true;
    if (const std::string id = Text(response, "id"); !id.empty()) out.remote_id = std::string(kQueue) + id;
    return out;
  }
  out.remote_id = Text(response, "mainPid");  // a topic
  if (out.remote_id.empty()) out.remote_id = Text(response, "pid");
  if (out.remote_id.empty()) return UnclearWrite(answer);
  out.kind = OutcomeKind::kAccepted;
  out.permalink = BaseOf(account) + "/post/" + net::UrlEncode(out.remote_id);
  return out;
}

Outcome NodeBbConnector::Create(const Call& call, const Account& account, const Write& write) {
  Outcome failed;
  Json body = Json::object();
  std::string path = "/api/v3/topics";
  if (write.target_remote_id.empty()) {
    const auto category = write.draft.options.find("category");
    body["cid"] = category == write.draft.options.end() ? Json(1) : Number(category->second);
    body["title"] = write.draft.title;
    if (!write.draft.tags.empty()) body["tags"] = write.draft.tags;
  } else {
    Json post;
    if (!Find(call, account, write.target_remote_id, &post, &failed)) return failed;
    path += "/" + net::UrlEncode(Text(post, "tid"));
    if (write.kind == WriteKind::kReply) body["toPid"] = Number(write.target_remote_id);
  }
  std::string content = TextWithLink(write.draft);
  if (!AddMedia(call, account, write.draft, &content, &failed)) return failed;
  body["content"] = content;
  return Created(Ask(call, account, "POST", path, &body), account);
}

// A message in a room of the two of us. A room without a message is seen by nobody.
Outcome NodeBbConnector::Chat(const Call& call, const Account& account, const Write& write) {
  Outcome failed;
  Json post;
  if (!Find(call, account, write.target_remote_id, &post, &failed)) return failed;
  const Json people = {{"uids", Json::array({Number(Text(post, "uid"))})}};
  const Answer room = Ask(call, account, "POST", "/api/v3/chats", &people);
  const std::string id = Text(Member(room.json, "response"), "roomId");
  if (!room.ok() || id.empty()) return FailedWrite(room, account, false);
  std::string content = TextWithLink(write.draft);
  if (!AddMedia(call, account, write.draft, &content, &failed)) return failed;
  const Json message = {{"message", content}};
  const Answer answer = Ask(call, account, "POST", "/api/v3/chats/" + net::UrlEncode(id), &message);
  if (!answer.ok()) return FailedWrite(answer, account);
  const Json& response = Member(answer.json, "response");
  std::string mid = Text(response, "messageId");
  if (mid.empty()) mid = Text(response, "mid");
  if (mid.empty()) return UnclearWrite(answer);
  return Changed(answer, account, "chat/" + id + "/" + mid);
}

Outcome NodeBbConnector::Changed(const Answer& answer, const Account& account, const std::string& id) const {
  return SettledWrite(answer, account, id);
}

Outcome NodeBbConnector::Sanction(const Call& call, const Account& account, const Write& write) {
  std::string user = write.target_author_id;
  if (user.empty()) {
    Outcome failed;
    Json post;
    if (!Find(call, account, write.target_remote_id, &post, &failed)) return failed;
    user = Text(post, "uid");
    if (user.empty() || user == "0")
      return RefusedBeforeSending(ErrorClass::kNotFound, "the post was written by a guest");
  }
  const bool ban = write.kind == WriteKind::kBan || write.kind == WriteKind::kUnban;
  const bool lift = write.kind == WriteKind::kUnban || write.kind == WriteKind::kUnmute;
  Json body = Json::object();
  if (!lift) {
    // A ban until 0 is for ever; being muted has no such time.
    body["until"] = ban ? 0 : absl::ToUnixMillis(clock_.WallNow()) + kForEverMillis;
    body["reason"] = write.draft.text.empty() ? "moderation" : write.draft.text;
  }
  const std::string path = "/api/v3/users/" + net::UrlEncode(user) + (ban ? "/ban" : "/mute");
  return Changed(Ask(call, account, lift ? "DELETE" : "PUT", path, lift ? nullptr : &body), account,
                 write.target_remote_id.empty() ? user : write.target_remote_id);
}

Outcome NodeBbConnector::Moderate(const Call& call, const Account& account, const Write& write) {
  const std::string& target = write.target_remote_id;
  if (target.compare(0, kQueue.size(), kQueue) == 0) {
    const bool approve = write.kind == WriteKind::kApprove;
    if (!approve && write.kind != WriteKind::kDelete) {
      return RefusedBeforeSending(ErrorClass::kInvalid,
                                  "what waits for approval can be approved or deleted, nothing else");
    }
    const std::string path = "/api/v3/posts/queue/" + net::UrlEncode(target.substr(kQueue.size()));
    return Changed(Ask(call, account, approve ? "POST" : "DELETE", path), account, target);
  }
  switch (write.kind) {
    case WriteKind::kApprove:
      return RefusedBeforeSending(ErrorClass::kInvalid, "the target does not wait for approval (\"queue/reply-1\")");
    case WriteKind::kDelete:
    case WriteKind::kHide:
      return Changed(Ask(call, account, "DELETE", "/api/v3/posts/" + net::UrlEncode(target) + "/state"), account,
                     target);
    case WriteKind::kUnhide:
      return Changed(Ask(call, account, "PUT", "/api/v3/posts/" + net::UrlEncode(target) + "/state"), account, target);
    case WriteKind::kLock:
    case WriteKind::kUnlock: {
      Outcome failed;
      Json post;
      if (!Find(call, account, target, &post, &failed)) return failed;
      const std::string path = "/api/v3/topics/" + net::UrlEncode(Text(post, "tid")) + "/lock";
      return Changed(Ask(call, account, write.kind == WriteKind::kLock ? "PUT" : "DELETE", path), account, target);
    }
    default: {
      const std::string reason = write.kind == WriteKind::kSpam || write.draft.text.empty() ? "Spam" : write.draft.text;
      const Json body = {{"type", "post"}, {"id", Number(target)}, {"reason", reason}};
      return Changed(Ask(call, account, "POST", "/api/v3/flags", &body), account, target);
    }
  }
}

Outcome NodeBbConnector::CarryOut(const Call& call, const Account& account, const Write& write) {
  if (capabilities_.of_author.contains(write.kind)) return Sanction(call, account, write);
  if (write.kind == WriteKind::kPost || write.kind == WriteKind::kReply) return Create(call, account, write);
  if (write.kind == WriteKind::kPrivateReply) return Chat(call, account, write);
  return Moderate(call, account, write);
}

}  // namespace parvis::networks
