// Publishing (facts 2.2): containers, which Meta fills from a public address or by an upload, and then media_publish. All
// that comes before it is seen by nobody; a container is forgotten after a day.
#include <algorithm>

#include "networks/instagram/instagram.h"
#include "networks/meta/upload.h"
#include "networks/wire/check.h"
#include "networks/wire/wait.h"

namespace parvis::networks {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(100), kLongestWait = absl::Seconds(3);
constexpr absl::Duration kForPublishing = absl::Seconds(1);  // of the call's time is kept for it
constexpr int kLooksMax = 700;                               // more than half an hour: the call's deadline comes first
constexpr absl::Duration kClockSkew = absl::Minutes(1);
constexpr int kNewest = 25;

bool IsVideo(const Media& media) { return media.type.rfind("video/", 0) == 0; }

Outcome NotReady(std::string message) {
  Outcome out;
  out.kind = OutcomeKind::kNotSent;
  out.error = ErrorClass::kTransient;
  out.reason = ReasonName(out.error);
  out.message = std::move(message);
  return out;
}

// The status text ends with the number that errors have as their subcode: "Error: ... with error code 2207026".
int64_t NumberIn(const std::string& status) {
  for (size_t at = status.find("22"); at != std::string::npos; at = status.find("22", at + 1)) {
    int64_t number = 0;
    size_t end = at;
    while (end < status.size() && end - at < 8 && status[end] >= '0' && status[end] <= '9') number = number * 10 + (status[end++] - '0');
    if (end - at == 7) return number;
  }
  return 0;
}

// Such a refusal says that nothing was published: not ready, gone, expired.
bool IsOfContainer(int64_t subcode) { return subcode >= 2207000 && subcode <= 2207099; }

// What Meta made of the media: it can be tried again when that was of the moment.
Outcome Broken(const Json& json, const Account& account) {
  const std::string status = Text(json, "status");
  const ErrorClass error = meta::ClassOfSubcode(NumberIn(status));
  Outcome out = RefusedBeforeSending(error == ErrorClass::kNone ? ErrorClass::kInvalid : error,
                                     SafeMessage("the media was not taken: " + status, account.credentials));
  if (out.error == ErrorClass::kTransient) out.kind = OutcomeKind::kNotSent;
  return out;
}

}  // namespace

bool InstagramConnector::UploadVideo(const Call& call, const Account& account, const std::string& container,
                                     const Json& made, const Media& media, Outcome* failed) {
  const auto received = [&]() -> std::optional<int64_t> {
    const Answer answer = Ask(call, account, "GET", meta::Path(container), {{"fields", "id,status_code,video_status"}});
    return answer.ok() ? meta::BytesReceived(Member(answer.json, "video_status")) : std::nullopt;
  };
  auto ended = meta::Upload(http_, call, account, Text(made, "uri"), media, received);
  if (ended) *failed = *std::move(ended);
  return !ended;
}

// `fields` say what it is; the media's address is added, or its bytes are uploaded.
std::string InstagramConnector::MakeContainer(const Call& call, const Account& account, const Media& media, Fields fields,
                                              Outcome* failed) {
  const bool fetched = !media.url.empty() && media.size_bytes > meta::kUploadBytesMax;   // too large to be sent at once
  const bool upload = IsVideo(media) && (media.content != nullptr || !media.bytes.empty()) && !fetched;
  if (upload) {
    fields.emplace_back("upload_type", "resumable");
  } else {
    fields.emplace_back(IsVideo(media) ? "video_url" : "image_url", media.url);
  }
  // Of pictures only; a story's are not described.
  const bool story = std::find(fields.begin(), fields.end(), Fields::value_type("media_type", "STORIES")) != fields.end();
  if (!IsVideo(media) && !story && !media.alt_text.empty()) fields.emplace_back("alt_text", media.alt_text);
  const Answer answer = Ask(call, account, "POST", meta::Path(account.remote_id, "/media"), std::move(fields));
  const std::string id = Text(answer.json, "id");
  if (!answer.ok()) {
    *failed = FailedWrite(answer, account, false);
  } else if (id.empty()) {
    *failed = Unusable(answer);
  } else if (!upload || UploadVideo(call, account, id, answer.json, media, failed)) {
    return id;
  }
  return "";
}

std::string InstagramConnector::MakeCarousel(const Call& call, const Account& account, const Draft& draft,
                                             Outcome* failed) {
  std::vector<std::string> children;
  for (const Media& media : draft.media) {
    Fields fields = {{"is_carousel_item", "true"}};
    if (IsVideo(media)) fields.emplace_back("media_type", "VIDEO");
    children.push_back(MakeContainer(call, account, media, std::move(fields), failed));
    if (children.back().empty()) return "";
  }
  std::string joined;
  for (size_t i = 0; i < children.size(); ++i) {
    // A carousel is made of what is ready.
    if (IsVideo(draft.media[i]) && !AwaitReady(call, account, children[i], failed)) return "";
    joined += (joined.empty() ? "" : ",") + children[i];
  }
  Fields fields = {{"media_type", "CAROUSEL"}, {"children", joined}};
  if (const std::string caption = TextWithLink(draft); !caption.empty()) fields.emplace_back("caption", caption);
  const Answer answer = Ask(call, account, "POST", meta::Path(account.remote_id, "/media"), std::move(fields));
  const std::string id = Text(answer.json, "id");
  if (id.empty()) *failed = answer.ok() ? Unusable(answer) : FailedWrite(answer, account, false);
  return answer.ok() ? id : "";
}

std::string InstagramConnector::MakeSingle(const Call& call, const Account& account, const Draft& draft,
                                           Outcome* failed) {
  const Media& media = draft.media[0];
  Fields fields;
  if (draft.format == PostFormat::kStory) {
    fields.emplace_back("media_type", "STORIES");
    return MakeContainer(call, account, media, std::move(fields), failed);
  }
  if (IsVideo(media)) {
    fields.emplace_back("media_type", "REELS");
    if (draft.thumbnail) fields.emplace_back("cover_url", draft.thumbnail->url);
    if (const auto option = draft.options.find("share_to_feed"); option != draft.options.end()) fields.push_back(*option);
  }
  if (const std::string caption = TextWithLink(draft); !caption.empty()) fields.emplace_back("caption", caption);
  return MakeContainer(call, account, media, std::move(fields), failed);
}

bool InstagramConnector::AwaitReady(const Call& call, const Account& account, const std::string& container,
                                    Outcome* failed) {
  absl::Duration wait = kFirstWait;
  for (int looks = 0; looks < kLooksMax; ++looks) {
    const Answer answer = Ask(call, account, "GET", meta::Path(container), {{"fields", "status_code,status"}});
    if (!answer.ok()) {
      *failed = FailedWrite(answer, account, false);
      return false;
    }
    const std::string code = Text(answer.json, "status_code");
    if (code == "FINISHED") return true;
    if (code == "ERROR") {
      *failed = Broken(answer.json, account);
      return false;
    }
    if (code == "EXPIRED" || code == "PUBLISHED") {   // not by us: this container was made a moment ago
      *failed = NotReady("the container is " + code);
      return false;
    }
    // IN_PROGRESS, and what it may be called one day.
    if (!WaitWithin(call, clock_, wait, kForPublishing)) break;
    wait = std::min(2 * wait, kLongestWait);
  }
  *failed = NotReady("Instagram did not finish working the media through in time");
  return false;
}

Outcome InstagramConnector::Publish(const Call& call, const Account& account, const Write& write) {
  const Draft& draft = write.draft;
  if (draft.media.empty()) return RefusedBeforeSending(ErrorClass::kInvalid, "there is no post without a picture or video");
  Outcome failed;
  const std::string container = draft.media.size() > 1 ? MakeCarousel(call, account, draft, &failed)
                                                       : MakeSingle(call, account, draft, &failed);
  if (container.empty() || !AwaitReady(call, account, container, &failed)) return failed;
  const absl::Time begun = clock_.WallNow();
  const Answer answer = Ask(call, account, "POST", meta::Path(account.remote_id, "/media_publish"), {{"creation_id", container}});
  Outcome out = meta::Created(answer, account);
  if (out.kind == OutcomeKind::kUnknown) {
    if (!IsOfContainer(meta::SubcodeOf(answer.json))) {
      return Settle(call, account, write, container, begun, std::move(out));
    }
    out.kind = OutcomeKind::kNotSent;
    out.reason = ReasonName(out.error);
  }
  if (out.kind != OutcomeKind::kAccepted) return out;
  const Answer shown = Ask(call, account, "GET", meta::Path(out.remote_id), {{"fields", "id,permalink"}});
  if (shown.ok()) out.permalink = Text(shown.json, "permalink");
  return out;
}

Outcome InstagramConnector::Settle(const Call& call, const Account& account, const Write& write,
                                   const std::string& container, absl::Time begun, Outcome unclear) {
  const Answer answer = Ask(call, account, "GET", meta::Path(container), {{"fields", "status_code,status"}});
  const std::string code = answer.ok() ? Text(answer.json, "status_code") : "";
  if (code == "ERROR") return Broken(answer.json, account);
  if (code == "EXPIRED") return NotReady("the container is EXPIRED");
  // FINISHED may be about to be published: the request may still be under way.
  if (code != "PUBLISHED") return unclear;
  const auto items = OwnMedia(call, account, write.draft.format == PostFormat::kStory, begun - kClockSkew, kNewest);
  if (!items.ok()) return unclear;
  const OwnItem* found = nullptr;
  for (const OwnItem& item : *items) {
    if (!Matches(write, item)) continue;
    if (found != nullptr) return unclear;   // two of them: which of them are known already is not known here
    found = &item;
  }
  if (found == nullptr) return unclear;
  Outcome out;
  out.kind = OutcomeKind::kAccepted;
  out.remote_id = found->remote_id;
  out.permalink = found->permalink;
  out.rate = answer.rate;
  return out;
}

}  // namespace parvis::networks
