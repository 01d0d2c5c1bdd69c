#include "networks/instagram/instagram.h"

#include <algorithm>

#include "networks/meta/upload.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"

namespace parvis::networks {
namespace {

constexpr int kTextMax = 2200;  // facts 0.3, of captions and comments
constexpr int kPrivateReplyMax = 1000;
// Sources contradict each other on hashtags (30 in most, 5 in the newest: README.md). The larger number is checked here, so that
// nothing is held back that the network takes; what it does not take it refuses itself.
constexpr int kHashtagsMax = 30, kMentionsMax = 20;
constexpr int kAltTextMax = 1000;
constexpr int64_t kPictureBytesMax = 8 << 20, kVideoBytesMax = 300 << 20;
const char kUserSpec[] = "facebook-business-sdk-codegen api_specs IGUser.json @ad2b0b6 (2026-04-15)";
const char kMediaSpec[] = "facebook-business-sdk-codegen api_specs IGMedia.json, IGComment.json @ad2b0b6 (2026-04-15)";

void FillFeatures(Capabilities* c) {
  using F = Feature;
  c->Allow({F::kImage, F::kGallery, F::kVideo, F::kReel, F::kStory, F::kThumbnail, F::kWebhooks, F::kPolling, F::kMentions,
            F::kReply, F::kPrivateReply, F::kHide, F::kUnhide, F::kDelete, F::kDeleteOwn, F::kLock, F::kPostCounts,
            F::kImpressions, F::kChannelCounts});
  c->features[F::kText] = {Stance::kPossible, "as the caption of a picture or video", ""};
  c->features[F::kLink] = {Stance::kPossible, "as plain text of the caption: nobody can click it", ""};
  c->features[F::kVideo] = {Stance::kPossible, "a single video becomes a reel", ""};
  c->features[F::kThumbnail] = {Stance::kPossible, "of a reel, from a public address", ""};
  c->features[F::kImpressions] = {Stance::kPossible, "as views and reach", ""};
  c->Refuse(F::kTitle, "a post has a caption only", kUserSpec);
  c->Refuse(F::kDocument, "only pictures and videos are published", kUserSpec);
  c->Refuse(F::kPoll, "stickers, polls among them, cannot be published", kUserSpec);
  c->Refuse(F::kThread, "posts do not continue each other", kUserSpec);
  c->Refuse(F::kQuote, "the API shares no posts", kUserSpec);
  c->Refuse(F::kTags, "hashtags stand in the caption", kUserSpec);
  c->Refuse(F::kNativeSchedule, "media_publish publishes at once", kUserSpec);
  c->Refuse(F::kNewsletter, "there are none", kUserSpec);
  c->Refuse(F::kStream, "what happens is told by webhook", "developers.facebook.com/docs/instagram-platform/webhooks");
  c->Leave(F::kMessages, "direct messages are not read");
  c->Refuse(F::kApprove, "the API has no queue of held comments", kMediaSpec);
  c->Refuse(F::kSpam, "only conversations can be moved to spam: hide the comment", kUserSpec);
  c->Refuse(F::kBan, "only the people of conversations can be blocked, commenters cannot", kUserSpec);
  c->Refuse(F::kMute, "the API silences nobody", kUserSpec);
  c->Refuse(F::kReport, "the API takes no reports", kMediaSpec);
}

bool IsVideo(const Media& media) { return media.type.rfind("video/", 0) == 0; }

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte == '_';
}

// "#word" and "@word" that do not continue a word.
int CountMarks(std::string_view text, char mark) {
  int count = 0;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == mark && IsWordByte(text[i + 1]) && (i == 0 || !IsWordByte(text[i - 1]))) ++count;
  }
  return count;
}

void CheckMarks(const std::string& text, char mark, int max, const char* what, std::vector<Violation>* out) {
  const int count = CountMarks(text, mark);
  if (count <= max) return;
  out->push_back({"text", "has " + std::to_string(count) + " " + what + ", at most " + std::to_string(max) + " are allowed",
                  mark == '#' ? "TOO_MANY_HASHTAGS" : "TOO_MANY_MENTIONS"});
}

void CheckAddresses(const Draft& draft, std::vector<Violation>* out) {
  for (size_t i = 0; i < draft.media.size(); ++i) {
    const std::string field = "media[" + std::to_string(i) + "]";
    if (draft.media[i].url.empty() && !IsVideo(draft.media[i])) {
      out->push_back({field + ".url", "is needed: Instagram fetches pictures from a public address", "MEDIA_URL"});
    } else if (draft.media[i].url.empty() && draft.media[i].size_bytes > meta::kUploadBytesMax) {
      out->push_back({field + ".url", "is needed for a video of more than 100 MB", "MEDIA_URL"});
    }
    if (text::CodePoints(draft.media[i].alt_text) > kAltTextMax) {
      out->push_back({field + ".alt_text", "has more than " + std::to_string(kAltTextMax) + " characters", "ALT_TEXT_TOO_LONG"});
    }
  }
  if (draft.thumbnail && draft.thumbnail->url.empty()) {
    out->push_back({"thumbnail.url", "is needed: Instagram fetches the cover from a public address", "MEDIA_URL"});
  }
}

void CheckPost(const Draft& draft, std::vector<Violation>* out) {
  const size_t count = draft.media.size();
  if (count == 0) out->push_back({"media", "is needed: there is no post without a picture or video", "MEDIA_MISSING"});
  if (draft.format != PostFormat::kPost && count > 1) {
    out->push_back({"media", "has " + std::to_string(count) + " items; a reel or story takes one", "TOO_MANY_MEDIA"});
  }
  const bool reel = count == 1 && IsVideo(draft.media[0]) && draft.format != PostFormat::kStory;
  if (draft.format == PostFormat::kReel && count == 1 && !reel) {
    out->push_back({"media[0].type", "a reel needs a video", "MEDIA_TYPE"});
  }
  if (draft.thumbnail && !reel) out->push_back({"thumbnail", "only a reel takes a cover", "NOT_POSSIBLE"});
  if (draft.format == PostFormat::kStory && (!draft.text.empty() || !draft.link.empty())) {
    out->push_back({"text", "a story shows no caption; take it out, or put it into the picture", "TEXT_NOT_SHOWN"});
  }
}

}  // namespace

InstagramConnector::InstagramConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "instagram";
  c.display_name = "Instagram";
  FillFeatures(&c);
  c.needs_media = true;
  c.post_text_max = c.reply_text_max = kTextMax;
  c.text_unit = TextUnit::kCodePoints;
  c.media_max = 10;
  c.media_types = {"image/jpeg", "video/mp4", "video/quicktime"};
  c.media_max_bytes = kPictureBytesMax;
  c.video_max_bytes = kVideoBytesMax;
  c.fetches_media = true;
  c.video_width_max = 1920;
  c.video_codecs = {"h264", "hevc"};
  c.audio_codecs = {"aac"};
  c.video_duration_min = absl::Seconds(3);
  c.video_duration_max = absl::Minutes(15);
  c.credential_fields = {"access_token"};
  c.options = {{"share_to_feed", "whether a reel is also shown in the feed", {"true", "false"}}};
  c.linked = {text::Facet::Kind::kMention, text::Facet::Kind::kTag};
  c.webhooks_bring_comments = true;
  c.counters = {"views", "reach", "likes", "comments", "shares", "saves", "interactions", "replies", "followers", "posts"};
  // What Meta counts of posts is a quota of the day; the rest draws on the channel's own.
  c.budgets = {{WriteKind::kPost, "publish"}};
}

Appearance InstagramConnector::Show(const Draft& draft) const {
  if (draft.format == PostFormat::kStory) return {};   // a caption is a violation there
  return ShowText(TextWithLink(draft), draft, capabilities_);
}

int InstagramConnector::TextLength(std::string_view text) const { return text::CodePoints(text); }

std::vector<Violation> InstagramConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  const bool post = kind == WriteKind::kPost;
  if (!post && kind != WriteKind::kReply && kind != WriteKind::kPrivateReply) return out;
  const std::string text = TextWithLink(draft);
  CheckText(draft, TextLength(text), kind == WriteKind::kPrivateReply ? kPrivateReplyMax : kTextMax, "characters", post, &out);
  CheckLink(draft, &out);
  if (!post) {
    if (!draft.media.empty()) out.push_back({"media", "an answer takes no pictures or videos", "TOO_MANY_MEDIA"});
    return out;
  }
  CheckMarks(text, '#', kHashtagsMax, "hashtags", &out);
  CheckMarks(text, '@', kMentionsMax, "mentions", &out);
  CheckMedia(draft, capabilities_, &out);
  CheckAddresses(draft, &out);
  CheckPost(draft, &out);
  return out;
}

Answer InstagramConnector::Ask(const Call& call, const Account& account, const std::string& method,
                               const std::string& path, Fields fields) {
  return meta::Ask(http_, call, account, method, path, std::move(fields));
}

Outcome InstagramConnector::CarryOut(const Call& call, const Account& account, const Write& write) {
  const std::string& target = write.target_remote_id;
  const auto change = [&](const char* field, bool value) {
    return meta::Changed(Ask(call, account, "POST", meta::Path(target), {{field, value ? "true" : "false"}}), account, target);
  };
  switch (write.kind) {
    case WriteKind::kPost: {
      if (!target.empty()) return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(Feature::kThread));
      Outcome out = Publish(call, account, write);
      // The usage headers are of the calls; of the day's posts only their refusal tells.
      if (out.error != ErrorClass::kRateLimited) out.budget = "";
      return out;
    }
    case WriteKind::kReply: return Reply(call, account, write);
    case WriteKind::kPrivateReply: return PrivateReply(call, account, write);
    case WriteKind::kHide: return change("hide", true);
    case WriteKind::kUnhide: return change("hide", false);
    case WriteKind::kLock: return change("comment_enabled", false);
    case WriteKind::kUnlock: return change("comment_enabled", true);
    case WriteKind::kDelete:
      return meta::Changed(Ask(call, account, "DELETE", meta::Path(target), {}), account, target);
    default: break;
  }
  return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(write.kind));
}

// A comment on the post, or an answer below its comment. What hangs below somebody else's post, where we were mentioned,
// the network answers by another edge, and refuses here: that refusal had no effect (facts 2.3).
Outcome InstagramConnector::Reply(const Call& call, const Account& account, const Write& write) {
  const bool on_post = write.target_remote_id == write.post_remote_id;
  const std::string text = TextWithLink(write.draft);
  const Answer answer = Ask(call, account, "POST", meta::Path(write.target_remote_id, on_post ? "/comments" : "/replies"),
                            {{"message", text}});
  const bool elsewhere = answer.answered() && !write.post_remote_id.empty() &&
                         (answer.refusal.error == ErrorClass::kNotFound || answer.refusal.error == ErrorClass::kPermission);
  if (!elsewhere) return meta::Created(answer, account);
  Fields fields = {{"media_id", write.post_remote_id}, {"message", text}};
  if (!on_post) fields.emplace_back("comment_id", write.target_remote_id);
  const Answer mention = Ask(call, account, "POST", meta::Path(account.remote_id, "/mentions"), std::move(fields));
  // Not a mention either: the first refusal is the one that says why.
  const bool no_mention = mention.answered() && (mention.refusal.error == ErrorClass::kInvalid ||
                                                 mention.refusal.error == ErrorClass::kNotFound);
  return no_mention ? FailedWrite(answer, account) : meta::Created(mention, account);
}

// A message to the author of a comment: once, within seven days.
Outcome InstagramConnector::PrivateReply(const Call& call, const Account& account, const Write& write) {
  const Json recipient = {{"comment_id", write.target_remote_id}};
  const Json message = {{"text", TextWithLink(write.draft)}};
  return meta::Created(Ask(call, account, "POST", meta::Path(account.remote_id, "/messages"),
                           {{"recipient", Dump(recipient)},
                            {"message", Dump(message)}}),
                       account, "message_id");
}

bool InstagramConnector::Matches(const Write& write, const OwnItem& item) const {
  switch (write.kind) {
    case WriteKind::kPost:
      // A story shows no text: any of ours that is not known otherwise is it.
      if (write.draft.format == PostFormat::kStory) return true;
      return text::ForComparison(TextWithLink(write.draft)) == text::ForComparison(item.text);
    case WriteKind::kReply:
    case WriteKind::kPrivateReply:
      return text::ForComparison(TextWithLink(write.draft)) == text::ForComparison(item.text);
    case WriteKind::kHide:
    case WriteKind::kLock: return item.hidden;
    case WriteKind::kUnhide:
    case WriteKind::kUnlock: return !item.hidden;
    default: return false;   // what is deleted and still there was not deleted
  }
}

}  // namespace parvis::networks
