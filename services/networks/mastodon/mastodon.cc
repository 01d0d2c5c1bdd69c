#include "networks/mastodon/mastodon.h"

#include <algorithm>
#include <set>

#include "networks/mastodon/mastodon_text.h"
#include "networks/text/mastodon.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {

// What a server has as it is shipped (facts 7.2); its own numbers are in /api/v2/instance.
constexpr int kTextMax = 500, kMediaMax = 4, kPollOptionsMax = 4, kPollOptionTextMax = 50;
constexpr int64_t kImageBytesMax = 16'777'216, kVideoBytesMax = 103'809'024;
constexpr int64_t kImagePixelsMax = 33'177'600, kVideoPixelsMax = 8'294'400;   // mastodon.social's
constexpr absl::Duration kPollShortest = absl::Seconds(300), kPollLongest = absl::Seconds(2'629'746);
constexpr int kAltTextMax = 1500, kReportTextMax = 1000;
const char kStatuses[] = "https://docs.joinmastodon.org/methods/statuses/";
const char kMethods[] = "https://docs.joinmastodon.org/methods/";
const char kModeration[] = "https://docs.joinmastodon.org/user/moderating/";

bool IsWord(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

bool IsTag(const std::string& tag) {
  bool letter = false;
  for (const char c : tag) {
    const bool beyond_ascii = static_cast<unsigned char>(c) >= 0x80;
    if (!beyond_ascii && !IsWord(c)) return false;
    letter = letter || c < '0' || c > '9';
  }
  return letter && text::IsUtf8(tag) && text::CodePoints(tag) <= 100;
}

void CheckPollDraft(const Draft& draft, std::vector<Violation>* out) {
  if (!draft.poll) return;
  const PollDraft& poll = *draft.poll;
  if (poll.open_for < kPollShortest || poll.open_for > kPollLongest) {
    out->push_back({"poll.open_for", "must be 300 to 2629746 seconds (a month)", "POLL_DURATION"});
  }
  std::set<std::string> seen;
  for (size_t i = 0; i < poll.options.size(); ++i) {
    if (!seen.insert(text::ForComparison(poll.options[i])).second) {
      out->push_back({"poll.options[" + std::to_string(i) + "]", "is there twice", "POLL_OPTION_TEXT"});
    }
  }
  if (!draft.media.empty()) {
    out->push_back({"poll", "cannot stand beside pictures or a video: leave out one of them", "POLL_WITH_MEDIA"});
  }
}

void CheckMix(const Draft& draft, std::vector<Violation>* out) {
  const bool video = std::any_of(draft.media.begin(), draft.media.end(),
                                 [](const Media& media) { return media.type.rfind("video/", 0) == 0; });
  if (video && draft.media.size() > 1) {
    out->push_back({"media", "a video stands alone: leave out the others", "MEDIA_MIXED"});
  }
  for (size_t i = 0; i < draft.media.size(); ++i) {
    if (text::CodePoints(draft.media[i].alt_text) <= kAltTextMax) continue;
    out->push_back({"media[" + std::to_string(i) + "].alt_text",
                    "at most " + std::to_string(kAltTextMax) + " characters are allowed", "ALT_TEXT_TOO_LONG"});
  }
}

}  // namespace

MastodonConnector::MastodonConnector(net::HttpClient& http, const Clock& clock, net::StreamClient* streams)
    : http_(http), clock_(clock), streams_(streams) {
  Capabilities& c = capabilities_;
  c.network = "mastodon";
  c.display_name = "Mastodon";
  using F = Feature;
  c.Allow({F::kText,     F::kLink,       F::kImage,        F::kGallery,   F::kVideo,   F::kPoll,
           F::kThread,   F::kQuote,      F::kTags,         F::kThumbnail, F::kPolling, F::kMentions,
           F::kMessages, F::kReply,      F::kPrivateReply, F::kDeleteOwn, F::kBan,     F::kMute,
           F::kReport,   F::kPostCounts, F::kChannelCounts, F::kStream});
  c.features[F::kQuote].because = "from 4.5 on; whom the quoted author lets";
  c.features[F::kPrivateReply].because = "a status that only those whom it mentions can see";
  c.features[F::kMessages].because = "statuses that only those whom they mention can see";
  c.features[F::kBan].because = "blocks: they see nothing of us and cannot answer us; what they wrote stays";
  c.features[F::kMute].because = "we hear nothing of them; others do";
  c.Refuse(F::kTitle, "a status has no title; a content warning is an option of its own", kStatuses);
  c.Refuse(F::kReel, "there is one kind of status", kStatuses);
  c.Refuse(F::kStory, "there is one kind of status", kStatuses);
  c.Refuse(F::kDocument, "pictures, videos and sound are taken", "https://docs.joinmastodon.org/user/posting/");
  c.Refuse(F::kNewsletter, "statuses are not sent by mail", kStatuses);
  c.Refuse(F::kWebhooks, "only a server's administrators have them", "https://docs.joinmastodon.org/admin/webhooks/");
  c.Refuse(F::kHide, "nobody can hide what others answer; block or report them", kModeration);
  c.Refuse(F::kUnhide, "nobody can hide what others answer", kModeration);
  c.Refuse(F::kApprove, "answers appear at once, nobody approves them", kMethods);
  c.Refuse(F::kSpam, "nothing is hidden as spam by saying so; report it to the server's moderators", kMethods);
  c.Refuse(F::kDelete, "only what we wrote can be deleted", "https://docs.joinmastodon.org/methods/statuses/#delete");
  c.Refuse(F::kLock, "answers cannot be switched off", kStatuses);
  c.Refuse(F::kImpressions, "statuses are counted by answers, boosts and favourites alone",
           "https://docs.joinmastodon.org/entities/Status/");
  c.Leave(F::kNativeSchedule, "the status gets another id when it appears; Parvis keeps the time itself");
  c.features[F::kStream].because = "what mentions us, our answers, edits and removals; nothing is replayed: reading closes the gaps";
  if (streams_ == nullptr) c.Leave(F::kStream, "this process opens no streams");
  c.post_text_max = c.reply_text_max = kTextMax;
  c.text_unit = TextUnit::kGraphemes;
  c.media_max = kMediaMax;
  c.media_types = {"image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/webm", "video/quicktime"};
  c.media_max_bytes = kImageBytesMax;
  c.video_max_bytes = kVideoBytesMax;
  c.picture_pixels_max = kImagePixelsMax;
  c.video_pixels_max = kVideoPixelsMax;
  c.poll_options_max = kPollOptionsMax;
  c.poll_option_text_max = kPollOptionTextMax;
  c.idempotency_key = true;  // of statuses, for an hour
  c.credential_fields = {"access_token"};
  c.options = {{"visibility",
                "who sees it; without, the account's own setting, or that of what is answered",
                {"public", "unlisted", "private", "direct"}},
               {"spoiler_text", "the warning that the text is folded behind", {}},
               {"sensitive", "whether pictures are shown only on a click", {"true", "false"}}};
  c.counters = {"comments", "shares", "likes", "quotes", "followers", "following", "posts"};
  c.of_author.insert(WriteKind::kReport);
  c.budgets = {{WriteKind::kPost, "statuses"},
               {WriteKind::kReply, "statuses"},
               {WriteKind::kPrivateReply, "statuses"},
               {WriteKind::kDelete, "deletes"},
               {WriteKind::kReport, "reports"}};
}

Appearance MastodonConnector::Show(const Draft& draft) const {
  Appearance out = ShowText(MastodonDraftText(draft), draft, capabilities_);
  if (const std::string warning = MastodonOption(draft, "spoiler_text"); !warning.empty()) {
    out.remarks.push_back("only \"" + warning + "\" is seen until it is opened");
  }
  return out;
}

int MastodonConnector::TextLength(std::string_view text) const { return text::MastodonLength(text); }

std::vector<Violation> MastodonConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind == WriteKind::kReport && text::CodePoints(draft.text) > kReportTextMax) {
    out.push_back({"text", "at most 1000 characters are allowed in a report", "TEXT_TOO_LONG"});
  }
  if (kind != WriteKind::kPost && kind != WriteKind::kReply && kind != WriteKind::kPrivateReply) return out;
  const std::string warning = MastodonOption(draft, "spoiler_text");
  CheckText(draft, TextLength(MastodonDraftText(draft)) + TextLength(warning), kTextMax, "characters", true, &out);
  if (!text::IsUtf8(warning)) out.push_back({"options[spoiler_text]", "must be UTF-8", "TEXT_NOT_UTF8"});
  CheckMedia(draft, capabilities_, &out);
  CheckLink(draft, &out);
  CheckPollDraft(draft, &out);
  CheckMix(draft, &out);
  if (draft.thumbnail && (draft.media.empty() || draft.media[0].type.rfind("video/", 0) != 0)) {
    out.push_back({"thumbnail", "needs a video", "THUMBNAIL_WITHOUT_VIDEO"});
  }
  for (size_t i = 0; i < draft.tags.size(); ++i) {
    if (IsTag(draft.tags[i])) continue;
    out.push_back(
        {"tags[" + std::to_string(i) + "]", "must be letters, digits and _, with one letter at least", "TAG_INVALID"});
  }
  return out;
}

Answer MastodonConnector::SendRequest(const Call& call, const Account& account, const std::string& path,
                                      net::ClientRequest request) {
  request.url = BaseOf(account) + path;
  request.bearer = account.credentials.Get("access_token");
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyMastodon(answer.http, answer.json);
  answer.rate = MastodonRate(answer.http.headers, clock_.WallNow());
  return answer;
}

Answer MastodonConnector::Ask(const Call& call, const Account& account, const std::string& method,
                              const std::string& path, const Json* body, const std::string& idempotency_key) {
  net::ClientRequest request;
  request.method = method;
  if (body != nullptr) SetJson(*body, &request);
  if (!idempotency_key.empty()) request.headers["Idempotency-Key"] = idempotency_key;
  return SendRequest(call, account, path, std::move(request));
}

StatusOr<Identity> MastodonConnector::WhoAmI(const Call& call, const Account& account) {
  const Answer answer = Ask(call, account, "GET", "/api/v1/accounts/verify_credentials");
  if (!answer.ok()) return FailedRead(answer, account);
  Identity identity;
  identity.remote_id = Text(answer.json, "id");
  if (identity.remote_id.empty()) return UnintelligibleRead();
  identity.handle = text::ToUtf8(Text(answer.json, "acct"));
  identity.name = text::ToUtf8(Text(answer.json, "display_name"));
  if (identity.name.empty()) identity.name = identity.handle;
  identity.url = text::ToUtf8(Text(answer.json, "url"));
  return identity;
}

bool MastodonConnector::Matches(const Write& write, const OwnItem& item) const {
  switch (write.kind) {
    case WriteKind::kPost:
    case WriteKind::kReply:
    case WriteKind::kPrivateReply: {
      if (item.parent_remote_id != write.target_remote_id) return false;
      std::string wanted = MastodonComparable(MastodonDraftText(write.draft));
      // Without a text, the server takes the warning for one.
      if (wanted.empty()) wanted = MastodonComparable(MastodonOption(write.draft, "spoiler_text"));
      std::string is = MastodonComparable(item.text);
      if (!write.draft.quote_remote_id.empty() && is.rfind("RE: ", 0) == 0) {  // the server's line for older software
        const size_t end = is.find(' ', 4);
        is = end == std::string::npos ? "" : is.substr(end + 1);
      }
      if (is == wanted) return true;
      const size_t blank = is.find(' ');  // the mention that an answer begins with
      return !write.target_remote_id.empty() && !is.empty() && is[0] == '@' &&
             (blank == std::string::npos ? "" : is.substr(blank + 1)) == wanted;
    }
    case WriteKind::kBan:
    case WriteKind::kMute:
      return item.hidden;
    case WriteKind::kUnban:
    case WriteKind::kUnmute:
      return !item.hidden;
    default:
      return false;  // what is deleted and still there was not deleted
  }
}

}  // namespace parvis::networks
