#include "networks/facebook/facebook.h"

#include <algorithm>

#include "networks/meta/upload.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/media.h"

namespace parvis::networks {
namespace {

constexpr int kPostTextMax = 63206;    // facts 0.3
constexpr int kReplyTextMax = 8000;
const char kDocs[] = "https://developers.facebook.com/docs/graph-api/reference (SDK specification of 2026-04-15)";
constexpr int64_t kPhotoBytesMax = 4 << 20;
constexpr int64_t kVideoBytesMax = int64_t{10} << 30;   // from memory

// Facebook fetches it, or we send it (facts 1.1: `url` or multipart `source`).
bool IsSent(const Media& media) { return media.url.empty() && (media.content != nullptr || !media.bytes.empty()); }

meta::Fields FieldsOfPhoto(const Media& media) {
  meta::Fields out;
  if (!IsSent(media)) out.emplace_back("url", media.url);
  if (!media.alt_text.empty()) out.emplace_back("alt_text_custom", media.alt_text);
  return out;
}

bool IsVideo(const Media& media) { return media.type.rfind("video/", 0) == 0; }

void CheckTitle(bool post, const Draft& draft, std::vector<Violation>* out) {
  const bool video = post && draft.format != PostFormat::kStory && draft.media.size() == 1 && IsVideo(draft.media[0]);
  if (!draft.title.empty() && !video) out->push_back({"title", "only a video or reel has one", "NOT_POSSIBLE"});
}

void CheckNoVideo(const Draft& draft, std::vector<Violation>* out) {
  if (std::any_of(draft.media.begin(), draft.media.end(), IsVideo)) out->push_back({"media", "an answer takes no video", "MEDIA_TYPE"});
}

void CheckFormat(const Draft& draft, std::vector<Violation>* out) {
  const auto videos = std::count_if(draft.media.begin(), draft.media.end(), IsVideo);
  const bool one_video = videos == 1 && draft.media.size() == 1;
  if (videos > 0 && draft.media.size() > 1) out->push_back({"media", "a post takes one video, or pictures", "MEDIA_MIX"});
  if (draft.format == PostFormat::kReel && !one_video) out->push_back({"media", "a reel is one video", "MEDIA_MISSING"});
  if (draft.format == PostFormat::kStory) {
    if (draft.media.size() != 1) out->push_back({"media", "a story is one picture or video", "MEDIA_MISSING"});
    if (!draft.text.empty() || !draft.link.empty()) {
      out->push_back({"text", "a story shows no text; take it out, or put it into the picture", "TEXT_NOT_SHOWN"});
    }
  }
  // Where Facebook does not fetch the video itself, that much is sent at once.
  if (draft.format != PostFormat::kPost && one_video && draft.media[0].url.empty() && draft.media[0].size_bytes > meta::kUploadBytesMax) {
    out->push_back({"media[0].url", "is needed for a video of more than 100 MB", "MEDIA_URL"});
  }
  if (draft.thumbnail && (!one_video || draft.format == PostFormat::kStory)) {
    out->push_back({"thumbnail", "only a video has one", "NOT_POSSIBLE"});
  }
}

}  // namespace

FacebookConnector::FacebookConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "facebook";
  c.display_name = "Facebook";
  using F = Feature;
  c.Allow({F::kText, F::kLink, F::kImage, F::kGallery, F::kWebhooks, F::kPolling, F::kReply, F::kPrivateReply, F::kHide, F::kUnhide,
           F::kDelete, F::kDeleteOwn, F::kBan, F::kPostCounts, F::kChannelCounts, F::kVideo, F::kReel, F::kStory, F::kThumbnail});
  c.features[F::kTitle] = {Stance::kPossible, "of a video: posts have none", ""};
  c.features[F::kImpressions] = {Stance::kPossible, "as views of the media and the people reached: impressions are gone", ""};
  c.Refuse(F::kDocument, "a Page's post takes pictures and videos", kDocs);
  c.Refuse(F::kPoll, "the API creates none", kDocs);
  c.Refuse(F::kThread, "posts do not continue each other", kDocs);
  c.Refuse(F::kTags, "hashtags stand in the text", kDocs);
  c.Refuse(F::kNewsletter, "there are none", kDocs);
  c.Refuse(F::kStream, "what happens is told by webhook", kDocs);
  c.Refuse(F::kApprove, "the Page API has no queue of held comments", kDocs);
  c.Refuse(F::kSpam, "the API takes no reports: hide the comment", kDocs);
  c.Refuse(F::kMute, "the API blocks people or does not", kDocs);
  c.Refuse(F::kReport, "the API takes no reports", kDocs);
  c.Refuse(F::kLock, "comments below a post cannot be closed", kDocs);
  c.Leave(F::kQuote, "sharing a post is done by its link");
  c.Leave(F::kNativeSchedule, "Parvis schedules: a change of plan never reaches the network");
  c.Leave(F::kMentions, "mentions elsewhere are not built");
  c.Leave(F::kMessages, "messages are not read");
  c.webhooks_bring_comments = true;
  c.counters = {"likes", "comments", "shares", "views", "reach", "followers"};
  c.post_text_max = kPostTextMax;
  c.reply_text_max = kReplyTextMax;
  c.text_unit = TextUnit::kCodePoints;
  c.media_max = 10;
  c.media_types = {"image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/quicktime"};
  c.media_max_bytes = kPhotoBytesMax;
  c.video_max_bytes = kVideoBytesMax;
  c.fetches_media = true;
  c.credential_fields = {"access_token"};
  c.linked = {text::Facet::Kind::kLink, text::Facet::Kind::kTag};   // mentions of a post need a permission of their own
}

Appearance FacebookConnector::Show(const Draft& draft) const {
  if (draft.format == PostFormat::kStory) return {};
  const bool card = draft.media.empty() && !draft.link.empty();
  Appearance out = ShowText(card ? draft.text : TextWithLink(draft), draft, capabilities_);
  if (card) out.card = draft.link;
  return out;
}

int FacebookConnector::TextLength(std::string_view text) const { return text::CodePoints(text); }

std::vector<Violation> FacebookConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind != WriteKind::kPost && kind != WriteKind::kReply && kind != WriteKind::kPrivateReply) return out;
  const bool post = kind == WriteKind::kPost;
  // A post shows a link as a preview of its own, a post with pictures or a comment only in its text.
  const bool link_in_text = !post || !draft.media.empty();
  const std::string counted = link_in_text ? TextWithLink(draft) : draft.text;
  CheckText(draft, TextLength(counted), post ? kPostTextMax : kReplyTextMax, "characters", true, &out);
  CheckLink(draft, &out);
  CheckMedia(draft, capabilities_, &out);
  if (kind == WriteKind::kPrivateReply && !draft.media.empty()) out.push_back({"media", "a private reply takes no pictures", "TOO_MANY_MEDIA"});
  if (!post && draft.media.size() > 1) out.push_back({"media", "a comment takes one picture", "TOO_MANY_MEDIA"});
  for (size_t i = 0; i < draft.media.size(); ++i) {
    if (draft.media[i].url.empty() && !IsVideo(draft.media[i]) && !(post && IsSent(draft.media[i]))) {
      out.push_back({"media[" + std::to_string(i) + "].url", "is needed: Facebook fetches pictures from a public address", "MEDIA_URL"});
    }
  }
  post ? CheckFormat(draft, &out) : CheckNoVideo(draft, &out);
  CheckTitle(post, draft, &out);
  return out;
}

Answer FacebookConnector::Ask(const Call& call, const Account& account, const std::string& method, const std::string& path, Fields fields) {
  return meta::Ask(http_, call, account, method, path, std::move(fields));
}

Answer FacebookConnector::AskWithPhoto(const Call& call, const Account& account, const Media& media, Fields fields, Outcome* failed) {
  const std::string path = meta::Path(account.remote_id, "/photos");
  if (!IsSent(media)) return Ask(call, account, "POST", path, std::move(fields));
  const auto bytes = MediaBytes(http_, call, media, kPhotoBytesMax);
  if (!bytes.ok()) {
    *failed = MediaFailed(bytes.status());
    return {};
  }
  return meta::AskWithFile(http_, call, account, path, std::move(fields), {"source", MediaFileName(media, 0), media.type, *bytes});
}

// Nobody sees an unpublished photo: whatever happened to it, the post has not been made.
std::string FacebookConnector::HiddenPhoto(const Call& call, const Account& account, const Media& media, Outcome* failed) {
  Fields fields = FieldsOfPhoto(media);
  fields.emplace_back("published", "false");
  const Answer answer = AskWithPhoto(call, account, media, std::move(fields), failed);
  if (!failed->message.empty()) return "";
  const std::string id = answer.ok() ? Text(answer.json, "id") : "";
  if (id.empty()) *failed = answer.ok() ? Unusable(answer) : FailedWrite(answer, account, false);
  return id;
}

Outcome FacebookConnector::PostPhotos(const Call& call, const Account& account, const Write& write, Fields fields) {
  const std::vector<Media>& media = write.draft.media;
  if (media.size() == 1) {
    Fields one = FieldsOfPhoto(media[0]);
    one.emplace_back("caption", TextWithLink(write.draft));
    Outcome failed;
    const Answer answer = AskWithPhoto(call, account, media[0], std::move(one), &failed);
    return failed.message.empty() ? meta::Created(answer, account, "post_id") : failed;
  }
  Json attached = Json::array();
  for (const Media& item : media) {
    Outcome failed;
    const std::string id = HiddenPhoto(call, account, item, &failed);
    if (id.empty()) return failed;
    attached.push_back({{"media_fbid", id}});
  }
  fields.emplace_back("attached_media", attached.dump());
  return meta::Created(Ask(call, account, "POST", "/" + net::UrlEncode(account.remote_id) + "/feed", std::move(fields)), account, "id");
}

Outcome FacebookConnector::Post(const Call& call, const Account& account, const Write& write) {
  if (write.draft.format == PostFormat::kStory) return PostStory(call, account, write);
  if (write.draft.format == PostFormat::kReel) return PostReel(call, account, write, "/video_reels");
  if (write.draft.media.size() == 1 && IsVideo(write.draft.media[0])) return PostVideo(call, account, write);
  Fields fields = {{"fields", "id,permalink_url"}};
  const std::string text = write.draft.media.empty() ? write.draft.text : TextWithLink(write.draft);
  if (!text.empty()) fields.emplace_back("message", text);
  if (!write.draft.media.empty()) return PostPhotos(call, account, write, std::move(fields));
  if (!write.draft.link.empty()) fields.emplace_back("link", write.draft.link);
  return meta::Created(Ask(call, account, "POST", "/" + net::UrlEncode(account.remote_id) + "/feed", std::move(fields)), account, "id");
}

// A message to the author of a comment: once, within seven days (facts 1.4).
Outcome FacebookConnector::PrivateReply(const Call& call, const Account& account, const Write& write) {
  const Json recipient = {{"comment_id", write.target_remote_id}};
  const Json message = {{"text", TextWithLink(write.draft)}};
  Fields fields = {{"recipient", recipient.dump()},
                   {"messaging_type", "RESPONSE"},
                   {"message", Dump(message)}};
  return meta::Created(Ask(call, account, "POST", "/" + net::UrlEncode(account.remote_id) + "/messages", std::move(fields)), account, "message_id");
}

Answer FacebookConnector::AskAuthor(const Call& call, const Account& account, const std::string& id) {
  return Ask(call, account, "GET", meta::Path(id), {{"fields", "id,from{id}"}});
}

// Whom: the person named, else the author of the target, who is asked for first.
Outcome FacebookConnector::Ban(const Call& call, const Account& account, const Write& write) {
  std::string whom = write.target_author_id;
  if (whom.empty()) {
    const Answer answer = AskAuthor(call, account, write.target_remote_id);
    if (!answer.ok()) return FailedWrite(answer, account, false);
    whom = Text(Member(answer.json, "from"), "id");
  }
  if (whom.empty()) return RefusedBeforeSending(ErrorClass::kInvalid, "the target does not tell its author");
  const bool ban = write.kind == WriteKind::kBan;
  const Answer answer = Ask(call, account, ban ? "POST" : "DELETE", "/" + net::UrlEncode(account.remote_id) + "/blocked", {{"user", whom}});
  // {"<person>": true} for a block, {"success": true} for its end; either is a yes.
  const auto yes = [&](const char* key) { return Member(answer.json, key) == Json(true); };
  const Outcome out = SettledWrite(answer, account, whom);
  return out.kind == OutcomeKind::kAccepted && !yes(whom.c_str()) && !yes("success") ? UnclearWrite(answer) : out;
}

Outcome FacebookConnector::CarryOut(const Call& call, const Account& account, const Write& write) {
  if (write.kind == WriteKind::kBan || write.kind == WriteKind::kUnban) return Ban(call, account, write);
  const std::string target = "/" + net::UrlEncode(write.target_remote_id);
  switch (write.kind) {
    case WriteKind::kPost:
      return Post(call, account, write);
    case WriteKind::kReply: {
      Fields fields = {{"fields", "id,permalink_url"}, {"message", TextWithLink(write.draft)}};
      if (!write.draft.media.empty()) fields.emplace_back("attachment_url", write.draft.media[0].url);
      return meta::Created(Ask(call, account, "POST", target + "/comments", std::move(fields)), account, "id");
    }
    case WriteKind::kPrivateReply:
      return PrivateReply(call, account, write);
    case WriteKind::kHide:
    case WriteKind::kUnhide: {
      const bool hide = write.kind == WriteKind::kHide;
      return meta::Changed(Ask(call, account, "POST", target, {{"is_hidden", hide ? "true" : "false"}}), account, write.target_remote_id);
    }
    case WriteKind::kDelete:
      return meta::Changed(Ask(call, account, "DELETE", target, {}), account, write.target_remote_id);
    default:
      break;
  }
  return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(write.kind));
}

bool FacebookConnector::Matches(const Write& write, const OwnItem& item) const {
  switch (write.kind) {
    case WriteKind::kPost: {
      // A story shows no text: any of ours that is not known otherwise is it.
      if (write.draft.format == PostFormat::kStory) return true;
      const std::string text = write.draft.media.empty() ? write.draft.text : TextWithLink(write.draft);
      return text::ForComparison(text) == text::ForComparison(item.text);
    }
    case WriteKind::kReply:
    case WriteKind::kPrivateReply:
      return text::ForComparison(TextWithLink(write.draft)) == text::ForComparison(item.text);
    case WriteKind::kHide:
    case WriteKind::kBan:
      return item.hidden;
    case WriteKind::kUnhide:
    case WriteKind::kUnban:
      return !item.hidden;
    default:
      return false;   // what is deleted and still there was not deleted
  }
}

}  // namespace parvis::networks
