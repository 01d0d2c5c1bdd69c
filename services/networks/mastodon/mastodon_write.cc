// What is written to Mastodon.
#include <algorithm>

#include "networks/mastodon/mastodon.h"
#include "networks/mastodon/mastodon_text.h"
#include "networks/wire/check.h"
#include "networks/wire/media.h"
#include "networks/wire/request.h"
#include "networks/wire/wait.h"

namespace parvis::networks {
namespace {

constexpr int kMediaLooks = 700;   // more than half an hour: the call's deadline comes first
constexpr absl::Duration kFirstPause = absl::Milliseconds(200), kLongestPause = absl::Seconds(3);
constexpr absl::Duration kForThePost = absl::Seconds(3);  // what the status itself needs after its media

constexpr std::string_view kVisibilities[] = {"public", "unlisted", "private", "direct"};

// How narrow; what a later version calls otherwise is taken for the narrowest.
size_t Narrowness(const std::string& visibility) {
  const auto* const it = std::find(std::begin(kVisibilities), std::end(kVisibilities), visibility);
  return std::min<size_t>(static_cast<size_t>(it - std::begin(kVisibilities)), std::size(kVisibilities) - 1);
}

// What became of the quote that was asked for; "" when it stands.
std::string QuoteLacks(const Json& status) {
  const Json& quote = Member(status, "quote");
  const std::string state = Text(quote, "state");
  if (!quote.is_object()) return "the server knows no quotes (they came with 4.5): the status appeared without";
  if (state == "pending") return "the quote waits for the quoted author's approval";
  return state.empty() || state == "accepted" ? "" : "the quote is " + state;
}

}  // namespace

// A video is worked on for a while after the upload: 206 until it is ready.
bool MastodonConnector::AwaitMedia(const Call& call, const Account& account, const std::string& id, Outcome* failed) {
  absl::Duration pause = kFirstPause;
  for (int looks = 0; looks < kMediaLooks && WaitWithin(call, clock_, pause, kForThePost); ++looks) {
    const Answer answer = Ask(call, account, "GET", "/api/v1/media/" + net::UrlEncode(id));
    if (!answer.ok()) {
      *failed = FailedWrite(answer, account, false);
      return false;
    }
    if (answer.http.http_status != 206) return true;
    pause = std::min(pause * 1.5, kLongestPause);
  }
  *failed = RefusedBeforeSending(ErrorClass::kTransient, "the server still works on the media");
  failed->kind = OutcomeKind::kNotSent;
  return false;
}

bool MastodonConnector::AddMedia(const Call& call, const Account& account, const Draft& draft, Json* ids,
                                 Outcome* failed) {
  for (size_t i = 0; i < draft.media.size(); ++i) {
    const Media& media = draft.media[i];
    const bool video = media.type.rfind("video/", 0) == 0;
    const auto bytes =
        MediaBytes(http_, call, media, video ? capabilities_.video_max_bytes : capabilities_.media_max_bytes);
    if (!bytes.ok()) {
      *failed = MediaFailed(bytes.status());
      return false;
    }
    net::ClientRequest request;
    request.method = "POST";
    FormData form;
    form.AddFile("file", MediaFileName(media, i), media.type, *bytes);
    if (!media.alt_text.empty()) form.AddField("description", media.alt_text);
    if (i == 0 && draft.thumbnail) {
      const auto picture = MediaBytes(http_, call, *draft.thumbnail, capabilities_.media_max_bytes);
      if (!picture.ok()) {
        *failed = MediaFailed(picture.status());
        return false;
      }
      form.AddFile("thumbnail", MediaFileName(*draft.thumbnail, i), draft.thumbnail->type, *picture);
    }
    form.MoveTo(&request);
    const Answer answer = SendRequest(call, account, "/api/v2/media", std::move(request));
    const std::string id = Text(answer.json, "id");
    if (!answer.ok() || id.empty()) {  // nobody sees what no status names
      *failed = FailedWrite(answer, account, false);
      failed->budget = "media";
      return false;
    }
    if (answer.http.http_status == 202 && !AwaitMedia(call, account, id, failed)) return false;
    ids->push_back(id);
  }
  return true;
}

bool MastodonConnector::Address(const Call& call, const Account& account, const Write& write, Json* body,
                                Outcome* failed) {
  const Answer answer = Ask(call, account, "GET", "/api/v1/statuses/" + net::UrlEncode(write.target_remote_id));
  const Json& author = Member(answer.json, "account");
  const std::string acct = Text(author, "acct"), visibility = Text(answer.json, "visibility");
  if (!answer.ok() || acct.empty()) {
    *failed = FailedWrite(answer, account, false);  // nothing was written yet
    return false;
  }
  const bool ours = Text(author, "id") == account.remote_id;
  if (write.kind == WriteKind::kPost && !ours) {
    *failed = RefusedBeforeSending(ErrorClass::kInvalid, "a thread continues our own status");
    return false;
  }
  (*body)["in_reply_to_id"] = write.target_remote_id;
  // An answer is seen by no more people than what it answers.
  size_t narrow = std::max(Narrowness(visibility), write.kind == WriteKind::kPrivateReply ? size_t{3} : size_t{0});
  if (const std::string chosen = MastodonOption(write.draft, "visibility"); !chosen.empty()) {
    narrow = std::max(narrow, Narrowness(chosen));
  }
  (*body)["visibility"] = std::string(kVisibilities[narrow]);
  const std::string text = (*body)["status"].get<std::string>();
  if (!ours && !MentionsAcct(text, acct)) (*body)["status"] = "@" + acct + (text.empty() ? "" : " " + text);
  return true;
}

Outcome MastodonConnector::Create(const Call& call, const Account& account, const Write& write) {
  const Draft& draft = write.draft;
  Outcome failed;
  Json body = {{"status", MastodonDraftText(draft)}};
  const std::string visibility = MastodonOption(draft, "visibility");
  if (!visibility.empty()) body["visibility"] = visibility;
  if (!write.target_remote_id.empty() && !Address(call, account, write, &body, &failed)) return failed;
  if (const std::string warning = MastodonOption(draft, "spoiler_text"); !warning.empty()) {
    body["spoiler_text"] = warning;
  }
  if (const std::string sensitive = MastodonOption(draft, "sensitive"); !sensitive.empty()) {
    body["sensitive"] = sensitive == "true";
  }
  if (!draft.language.empty()) body["language"] = draft.language.substr(0, draft.language.find_first_of("-_"));
  if (!draft.quote_remote_id.empty()) body["quoted_status_id"] = draft.quote_remote_id;
  if (draft.poll) {
    body["poll"] = {{"options", draft.poll->options},
                    {"expires_in", absl::ToInt64Seconds(draft.poll->open_for)},
                    {"multiple", draft.poll->multiple}};
  }
  if (!draft.media.empty()) {
    Json ids = Json::array();
    if (!AddMedia(call, account, draft, &ids, &failed)) return failed;
    body["media_ids"] = ids;
  }
  const Answer answer = Ask(call, account, "POST", "/api/v1/statuses", &body, write.idempotency_key);
  const std::string id = Text(answer.json, "id");
  if (answer.ok() && id.empty()) return UnclearWrite(answer);
  Outcome out = SettledWrite(answer, account, id);
  if (out.kind != OutcomeKind::kAccepted) return out;
  out.permalink = Text(answer.json, "url");
  if (!draft.quote_remote_id.empty()) out.lacking = QuoteLacks(answer.json);
  return out;
}

bool MastodonConnector::AuthorOf(const Call& call, const Account& account, const Write& write, std::string* author,
                                 Outcome* failed) {
  *author = write.target_author_id;
  if (!author->empty()) return true;
  const Answer answer = Ask(call, account, "GET", "/api/v1/statuses/" + net::UrlEncode(write.target_remote_id));
  *author = Text(Member(answer.json, "account"), "id");
  if (answer.ok() && !author->empty()) return true;
  *failed = FailedWrite(answer, account, false);
  return false;
}

Outcome MastodonConnector::OnAuthor(const Call& call, const Account& account, const Write& write) {
  Outcome failed;
  std::string author;
  if (!AuthorOf(call, account, write, &author, &failed)) return failed;
  if (author == account.remote_id) return RefusedBeforeSending(ErrorClass::kInvalid, "that is our own account");
  const std::string id = write.target_remote_id.empty() ? author : write.target_remote_id;
  if (write.kind == WriteKind::kReport) {
    Json body = {{"account_id", author}, {"comment", write.draft.text}, {"category", "other"}};
    if (!write.target_remote_id.empty()) body["status_ids"] = Json::array({write.target_remote_id});
    return SettledWrite(Ask(call, account, "POST", "/api/v1/reports", &body), account, id);
  }
  const char* deed = write.kind == WriteKind::kBan     ? "block"
                     : write.kind == WriteKind::kUnban ? "unblock"
                     : write.kind == WriteKind::kMute  ? "mute"
                                                       : "unmute";
  return SettledWrite(Ask(call, account, "POST", "/api/v1/accounts/" + net::UrlEncode(author) + "/" + deed), account, id);
}

Outcome MastodonConnector::Delete(const Call& call, const Account& account, const Write& write) {
  return SettledWrite(Ask(call, account, "DELETE", "/api/v1/statuses/" + net::UrlEncode(write.target_remote_id)), account,
              write.target_remote_id);
}

Outcome MastodonConnector::CarryOut(const Call& call, const Account& account, const Write& write) {
  if (capabilities_.of_author.contains(write.kind)) return OnAuthor(call, account, write);
  return write.kind == WriteKind::kDelete ? Delete(call, account, write) : Create(call, account, write);
}

}  // namespace parvis::networks
