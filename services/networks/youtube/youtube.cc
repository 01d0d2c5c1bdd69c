#include "networks/youtube/youtube.h"

#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {

constexpr int kDescriptionMax = 5000, kTagsMax = 500, kCommentMax = 10000;
constexpr int64_t kVideoBytesMax = int64_t{256} << 30;
constexpr int64_t kThumbnailBytesMax = int64_t{50} << 20;
constexpr absl::Duration kShortMax = absl::Minutes(3);
const char kDocs[] = "https://developers.google.com/youtube/v3/docs";
const char kComments[] = "https://developers.google.com/youtube/v3/docs/comments";

bool HasAngle(const std::string& text) { return text.find_first_of("<>") != std::string::npos; }

// As YouTube counts: commas between the tags, quotes around those with blanks (facts 0.3).
int TagsLength(const std::vector<std::string>& tags) {
  int length = tags.empty() ? 0 : static_cast<int>(tags.size()) - 1;
  for (const std::string& tag : tags) {
    length += text::CodePoints(tag) + (tag.find(' ') == std::string::npos ? 0 : 2);
  }
  return length;
}

void CheckSchedule(const Draft& draft, std::vector<Violation>* out) {
  const auto at = draft.options.find("publish_at");
  if (at == draft.options.end()) return;
  if (!ParseIsoTime(at->second)) {
    out->push_back({"options[publish_at]", "must be a time like 2026-12-01T09:00:00Z", "OPTION_VALUE"});
  }
  const auto visibility = draft.options.find("visibility");
  if (visibility != draft.options.end() && visibility->second != "private") {
    out->push_back(
        {"options[visibility]", "a video with a time to be published must be private until then", "EXCLUSIVE"});
  }
}

void CheckShort(const Draft& draft, std::vector<Violation>* out) {
  if (draft.format != PostFormat::kReel || draft.media.empty()) return;
  const Media& video = draft.media[0];
  if (video.width > 0 && video.height > 0 && video.width > video.height) {
    out->push_back({"media[0]", "a Short is a square or upright video", "MEDIA_SHAPE"});
  }
  if (video.duration > kShortMax)
    out->push_back({"media[0].duration", "a Short has at most 3 minutes", "MEDIA_TOO_LONG"});
}

void CheckThumbnail(const Draft& draft, std::vector<Violation>* out) {
  if (!draft.thumbnail) return;
  const Media& picture = *draft.thumbnail;
  if (picture.type != "image/jpeg" && picture.type != "image/png") {
    out->push_back(
        {"thumbnail.type", "\"" + picture.type + "\" is not taken; allowed are image/jpeg, image/png", "MEDIA_TYPE"});
  }
  const int64_t size = std::max<int64_t>(picture.size_bytes, static_cast<int64_t>(picture.bytes.size()));
  if (size > kThumbnailBytesMax) {
    out->push_back(
        {"thumbnail.size_bytes",
         "has " + std::to_string(size) + " bytes, at most " + std::to_string(kThumbnailBytesMax) + " are allowed",
         "MEDIA_TOO_LARGE"});
  }
}

void RefuseWhatIsMissing(Capabilities& c) {
  using F = Feature;
  c.Refuse(F::kImage, "posts are videos; a picture can be a video's thumbnail", kDocs);
  c.Refuse(F::kGallery, "posts are videos", kDocs);
  c.Refuse(F::kStory, "there are none", kDocs);
  c.Refuse(F::kDocument, "posts are videos", kDocs);
  c.Refuse(F::kPoll, "community posts are not in the API", kDocs);
  c.Refuse(F::kThread, "videos do not continue each other", kDocs);
  c.Refuse(F::kQuote, "videos do not quote each other", kDocs);
  c.Refuse(F::kNewsletter, "there are none", kDocs);
  c.Refuse(F::kStream, "comments are read by polling", kDocs);
  c.Refuse(F::kMentions, "the API does not tell who mentions a channel", kDocs);
  c.Refuse(F::kMessages, "there are no private messages", kDocs);
  c.Refuse(F::kPrivateReply, "there are no private messages", kDocs);
  c.Refuse(F::kSpam, "comments.markAsSpam is no longer supported: hide or delete the comment",
           "https://developers.google.com/youtube/v3/docs/comments/markAsSpam");
  c.Refuse(F::kMute, "the API does not mute authors; deleting with a ban hides what they write", kComments);
  c.Refuse(F::kReport, "only videos can be reported, not comments", kDocs);
  c.Refuse(F::kLock, "the API does not close the comments of a video",
           "https://developers.google.com/youtube/v3/docs/videos");
  c.Leave(F::kImpressions, "they are in the YouTube Analytics API, which has a scope of its own");
}

}  // namespace

std::string TopLevelComment(const std::string& id) { return id.substr(0, id.find('.')); }

YouTubeConnector::YouTubeConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "youtube";
  c.display_name = "YouTube";
  using F = Feature;
  c.Allow({F::kText, F::kTitle, F::kLink, F::kVideo, F::kReel, F::kTags, F::kThumbnail, F::kNativeSchedule,
           F::kWebhooks, F::kPolling, F::kReply, F::kHide, F::kUnhide, F::kApprove, F::kDelete, F::kDeleteOwn, F::kBan,
           F::kPostCounts, F::kChannelCounts});
  c.features[F::kText].because = "the description of a video";
  c.features[F::kReel].because = "YouTube itself makes a Short of an upright or square video of at most 3 minutes";
  c.features[F::kNativeSchedule].because = "option publish_at; the video is private until then";
  c.features[F::kWebhooks].because =
      "WebSub tells of videos, of which only deletions are passed on; comments are polled";
  c.features[F::kHide].because = "held for review";
  c.features[F::kDelete].because = "a comment of somebody else is rejected, which cannot be taken back";
  c.features[F::kBan].because = "rejects the comment, too";
  c.Refuse(WriteKind::kUnban, "the API has no way back from a ban", std::string(kComments) + "/setModerationStatus");
  RefuseWhatIsMissing(c);
  c.of_author = {};   // the ban is an addition to the rejection of a comment
  c.websub = true;
  c.needs_title = c.needs_media = true;
  c.title_max = 100;
  c.reads_share_budget =
      true;  // the quota is the project's: https://developers.google.com/youtube/v3/determine_quota_cost
  c.post_text_max = kDescriptionMax;
  c.reply_text_max = kCommentMax;
  c.text_unit = TextUnit::kBytes;
  c.media_max = 1;
  c.media_types = {"video/mp4", "video/quicktime", "video/webm", "video/x-msvideo", "video/mpeg", "video/x-matroska"};
  c.media_max_bytes = kThumbnailBytesMax;
  c.video_max_bytes = kVideoBytesMax;
  c.video_duration_max = absl::Hours(12);   // of accounts that are verified, others have 15 minutes; from memory
  c.settle = absl::Seconds(10);  // the uploads playlist follows an upload (memory)
  c.credential_fields = {"access_token"};
  c.options = {{"visibility", "who sees the video", {"public", "unlisted", "private"}},
               {"category", "the number of a category; 22 is People & Blogs", {}},
               {"publish_at", "when YouTube makes the video public", {}},
               {"made_for_kids", "whether the video is made for children", {"true", "false"}},
               {"synthetic_media", "whether it shows altered or generated scenes that look real", {"true", "false"}},
               {"embeddable", "whether other sites may show it", {"true", "false"}},
               {"license", "under which licence", {"youtube", "creativeCommon"}},
               {"notify_subscribers", "whether subscribers are told", {"true", "false"}}};
  c.counters = {"views", "likes", "comments", "followers", "posts"};
  // Uploads have a bucket of their own, 100 a day (facts 4.1); everything else shares one.
  c.budgets = {{WriteKind::kPost, "upload"}};
}

// Descriptions are counted in bytes (facts 0.3).
int YouTubeConnector::TextLength(std::string_view text) const { return static_cast<int>(text.size()); }

std::vector<Violation> YouTubeConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind == WriteKind::kReply) {
    CheckText(draft, text::CodePoints(TextWithLink(draft)), kCommentMax, "characters", false, &out);
    CheckLink(draft, &out);
    if (!draft.media.empty()) out.push_back({"media", "a comment is text alone", "NOT_POSSIBLE"});
    return out;
  }
  if (kind != WriteKind::kPost) return out;
  CheckText(draft, TextLength(TextWithLink(draft)), kDescriptionMax, "bytes", true, &out);
  if (HasAngle(TextWithLink(draft))) out.push_back({"text", "must not contain < or >", "TEXT_INVALID_CHARACTER"});
  CheckTitle(kind, draft, capabilities_, "a video", &out);
  if (HasAngle(draft.title)) out.push_back({"title", "must not contain < or >", "TEXT_INVALID_CHARACTER"});
  if (TagsLength(draft.tags) > kTagsMax) {
    out.push_back({"tags",
                   "count " + std::to_string(TagsLength(draft.tags)) + " characters together, at most " +
                       std::to_string(kTagsMax) + " are allowed",
                   "TAGS_TOO_LONG"});
  }
  CheckLink(draft, &out);
  if (draft.media.empty()) out.push_back({"media", "a post on YouTube is a video", "MEDIA_MISSING"});
  CheckMedia(draft, capabilities_, &out);
  CheckThumbnail(draft, &out);
  CheckShort(draft, &out);
  CheckSchedule(draft, &out);
  return out;
}

Answer YouTubeConnector::SendRequest(const Call& call, const Account& account, net::ClientRequest request,
                                     bool with_token) {
  if (with_token) request.bearer = account.credentials.Get("access_token");
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyYouTube(answer.http, answer.json);
  answer.rate = YouTubeRate(answer.http, answer.json, clock_.WallNow());
  return answer;
}

Answer YouTubeConnector::Ask(const Call& call, const Account& account, const std::string& method,
                             const std::string& path, const Query& query, const Json* body) {
  net::ClientRequest request;
  request.method = method;
  request.url = BaseOf(account) + path + "?" + net::FormEncode(query);
  if (body != nullptr) SetJson(*body, &request);
  return SendRequest(call, account, std::move(request));
}

Outcome YouTubeConnector::Moderate(const Call& call, const Account& account, const Write& write, const char* status,
                                   bool ban) {
  Query query = {{"id", write.target_remote_id}, {"moderationStatus", status}};
  if (ban) query.emplace_back("banAuthor", "true");
  return SettledWrite(Ask(call, account, "POST", "/youtube/v3/comments/setModerationStatus", query), account,
                      write.target_remote_id);
}

// Replies hang below the top-level comment, whichever of its replies they answer. Answering the video itself begins a
// thread.
Outcome YouTubeConnector::Reply(const Call& call, const Account& account, const Write& write) {
  const std::string text = TextWithLink(write.draft);
  const bool on_video = write.target_remote_id == write.post_remote_id;
  Json body;
  if (on_video) {
    body = {{"snippet",
             {{"channelId", account.remote_id},
              {"videoId", write.target_remote_id},
              {"topLevelComment", {{"snippet", {{"textOriginal", text}}}}}}}};
  } else {
    body = {{"snippet", {{"parentId", TopLevelComment(write.target_remote_id)}, {"textOriginal", text}}}};
  }
  const Answer answer = Ask(call, account, "POST", on_video ? "/youtube/v3/commentThreads" : "/youtube/v3/comments",
                            {{"part", "snippet"}}, &body);
  if (!answer.ok()) return FailedWrite(answer, account);
  const std::string id = Text(answer.json, "id");
  if (id.empty()) return UnclearWrite(answer);
  Outcome out = SettledWrite(answer, account, id);
  const std::string& video = write.post_remote_id;
  if (!video.empty()) {
    out.permalink = "https://www.youtube.com/watch?v=" + net::UrlEncode(video) + "&lc=" + net::UrlEncode(id);
  }
  return out;
}

// What it is and whose decides how: a comment of ours is deleted, one of somebody else rejected, a video of ours
// deleted.
Outcome YouTubeConnector::Delete(const Call& call, const Account& account, const Write& write) {
  const std::string& id = write.target_remote_id;
  const Answer found = Ask(call, account, "GET", "/youtube/v3/comments", {{"part", "snippet"}, {"id", id}});
  const bool gone = found.answered() && found.refusal.error == ErrorClass::kNotFound;
  if (!found.ok() && !gone) return FailedWrite(found, account, false);
  const Json& items = Member(found.json, "items");
  if (!gone && !items.is_array()) {
    return FailedWrite(found, account, false);  // unintelligible: not sent
  }
  if (items.is_array() && !items.empty()) {
    const std::string author = Text(Member(Member(items[0], "snippet"), "authorChannelId"), "value");
    if (author != account.remote_id) return Moderate(call, account, write, "rejected", false);
    return SettledWrite(Ask(call, account, "DELETE", "/youtube/v3/comments", {{"id", id}}), account, id);
  }
  return SettledWrite(Ask(call, account, "DELETE", "/youtube/v3/videos", {{"id", id}}), account, id);
}

Outcome YouTubeConnector::CarryOut(const Call& call, const Account& account, const Write& write) {
  switch (write.kind) {
    case WriteKind::kPost:
      return Upload(call, account, write);
    case WriteKind::kReply:
      return Reply(call, account, write);
    case WriteKind::kHide:
      return Moderate(call, account, write, "heldForReview", false);
    case WriteKind::kUnhide:
    case WriteKind::kApprove:
      return Moderate(call, account, write, "published", false);
    case WriteKind::kBan:
      return Moderate(call, account, write, "rejected", true);
    case WriteKind::kDelete:
      return Delete(call, account, write);
    default:
      break;
  }
  return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(write.kind));
}

bool YouTubeConnector::Matches(const Write& write, const OwnItem& item) const {
  switch (write.kind) {
    case WriteKind::kPost:
      return text::ForComparison(write.draft.title + "\n" + TextWithLink(write.draft)) ==
             text::ForComparison(item.text);
    case WriteKind::kReply: {
      const bool on_video = write.target_remote_id == write.post_remote_id;
      return item.parent_remote_id == (on_video ? "" : TopLevelComment(write.target_remote_id)) &&
             text::ForComparison(TextWithLink(write.draft)) == text::ForComparison(item.text);
    }
    case WriteKind::kHide:
      return item.hidden;
    case WriteKind::kUnhide:
    case WriteKind::kApprove:
      return !item.hidden;
    default:
      return false;  // what is deleted and still there was not deleted
  }
}

}  // namespace parvis::networks
