#include "networks/linkedin/linkedin.h"

#include <algorithm>

#include "networks/linkedin/linkedin_text.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {

constexpr int kPostTextMax = 3000, kCommentTextMax = 1250;  // facts 0.3
constexpr int kQuestionMax = 140;
constexpr int64_t kPixelsMax = 36'152'320;
constexpr int64_t kImageBytesMax = 10 << 20, kVideoBytesMax = 500 << 20, kDocumentBytesMax = 100 << 20;
const char kVersion[] = "202607";
const char kPostsDocs[] = "https://learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api";
const char kCommentsDocs[] = "https://learn.microsoft.com/linkedin/marketing/community-management/shares/comments-api";

bool IsImage(const Media& media) { return media.type.rfind("image/", 0) == 0; }

void CheckContent(const Draft& draft, std::vector<Violation>* out) {
  const auto images = std::count_if(draft.media.begin(), draft.media.end(), IsImage);
  if (draft.media.size() > 1 && images != static_cast<std::ptrdiff_t>(draft.media.size())) {
    out->push_back({"media", "a video or a document must be the only one", "MEDIA_MIX"});
  }
  if (draft.poll && !draft.media.empty()) out->push_back({"poll", "a post has a poll or media, not both", "MEDIA_MIX"});
  if (!draft.quote_remote_id.empty() && (draft.poll || !draft.media.empty())) {
    out->push_back({"quote_remote_id", "a shared post takes no media and no poll", "MEDIA_MIX"});
  }
}

void CheckPoll(const Draft& draft, std::vector<Violation>* out) {
  if (!draft.poll) return;
  if (draft.poll->multiple) out->push_back({"poll.multiple", "must be off: people have one vote", "POLL_MULTIPLE"});
  if (draft.poll->open_for > absl::Hours(24 * 14))
    out->push_back({"poll.open_for", "is at most 14 days", "POLL_DURATION"});
  const int length = text::CodePoints(draft.title.empty() ? draft.text : draft.title);
  if (length > kQuestionMax) {
    out->push_back({draft.title.empty() ? "text" : "title",
                    "is the poll's question and has " + std::to_string(length) + " characters, at most " +
                        std::to_string(kQuestionMax) + " are allowed",
                    "TEXT_TOO_LONG"});
  }
}

}  // namespace

LinkedInConnector::LinkedInConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "linkedin";
  c.display_name = "LinkedIn";
  using F = Feature;
  c.Allow({F::kText,  F::kTitle,  F::kLink,      F::kImage,      F::kGallery,     F::kVideo,        F::kDocument,
           F::kPoll,  F::kQuote,  F::kTags,      F::kThumbnail,  F::kWebhooks,    F::kPolling,      F::kMentions,
           F::kReply, F::kDelete, F::kDeleteOwn, F::kPostCounts, F::kImpressions, F::kChannelCounts});
  c.Refuse(F::kReel, "there is one kind of video", kPostsDocs);
  c.Refuse(F::kStory, "there are no stories any more", kPostsDocs);
  c.Refuse(F::kThread, "a post continues no other", kPostsDocs);
  c.Refuse(F::kNativeSchedule, "the API publishes at once", kPostsDocs);
  c.Refuse(F::kNewsletter, "the API makes no articles and no newsletters", kPostsDocs);
  c.Refuse(F::kStream, "it pushes by webhook only",
           "https://learn.microsoft.com/linkedin/marketing/community-management/organizations/"
           "organization-social-action-notifications");
  c.Refuse(F::kMessages, "pages' messages are not in this programme", kCommentsDocs);
  c.Refuse(F::kPrivateReply, "pages' messages are not in this programme", kCommentsDocs);
  for (const F feature : {F::kHide, F::kUnhide, F::kApprove, F::kSpam, F::kBan, F::kMute, F::kReport}) {
    c.Refuse(feature, "comments can be answered and deleted, nothing else", kCommentsDocs);
  }
  c.Leave(F::kLock, "closing the comments of a post deletes those it has");
  c.post_text_max = kPostTextMax;
  c.reply_text_max = kCommentTextMax;
  c.media_max = 20;
  c.media_types = {"image/jpeg", "image/png", "image/gif", "video/mp4", "application/pdf"};
  c.media_max_bytes = kImageBytesMax;
  c.document_max_bytes = kDocumentBytesMax;
  c.picture_pixels_max = kPixelsMax;
  c.video_max_bytes = kVideoBytesMax;
  c.video_duration_min = absl::Seconds(3);
  c.video_duration_max = absl::Minutes(30);
  c.poll_options_max = 4;
  c.poll_option_text_max = 30;
  c.settle = absl::Seconds(5);
  c.credential_fields = {"access_token"};
  c.linked = {text::Facet::Kind::kLink, text::Facet::Kind::kTag};
  c.webhooks_bring_comments = true;
  c.counters = {"impressions", "reach", "clicks", "likes", "comments", "shares", "followers"};
  // Every endpoint has a day's window of its own (facts 5.5).
  c.budgets = {{WriteKind::kPost, "posts"}, {WriteKind::kReply, "comments"}, {WriteKind::kDelete, "delete"}};
}

Appearance LinkedInConnector::Show(const Draft& draft) const {
  Appearance out = ShowText(FromLittleText(ToLittleText(CommentaryOf(draft))), draft, capabilities_);
  if (ShowsLinkAsCard(draft)) out.card = draft.link;
  return out;
}

int LinkedInConnector::TextLength(std::string_view text) const { return text::CodePoints(text); }

std::vector<Violation> LinkedInConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind != WriteKind::kPost && kind != WriteKind::kReply) return out;
  const bool post = kind == WriteKind::kPost;
  const bool stands_alone = post && (draft.poll || !draft.quote_remote_id.empty());
  if (!(stands_alone && draft.text.empty())) {
    CheckText(draft, TextLength(post ? CommentaryOf(draft) : TextWithLink(draft)),
              post ? kPostTextMax : kCommentTextMax, "characters", true, &out);
  }
  CheckLink(draft, &out);
  CheckMedia(draft, capabilities_, &out);
  if (!post) {
    if (draft.media.size() > 1 || (draft.media.size() == 1 && !IsImage(draft.media[0]))) {
      out.push_back({"media", "a comment takes one picture", "TOO_MANY_MEDIA"});
    }
    return out;
  }
  if (draft.poll && draft.text.empty() && draft.title.empty()) {
    out.push_back({"text", "must not be empty: a poll needs a question", "TEXT_MISSING"});
  }
  CheckContent(draft, &out);
  CheckPoll(draft, &out);
  for (size_t i = 0; i < draft.tags.size(); ++i) {
    if (!text::IsUtf8(draft.tags[i]) || draft.tags[i].empty() ||
        draft.tags[i].find_first_of(" \t\n#|{}\\") != std::string::npos) {
      out.push_back({"tags[" + std::to_string(i) + "]", "must be one word", "TAG_INVALID"});
    }
  }
  return out;
}

Answer LinkedInConnector::SendRequest(const Call& call, const Account& account, net::ClientRequest request) {
  const Secret& version = account.credentials.Get("api_version");
  request.headers["Linkedin-Version"] = version.empty() ? std::string(kVersion) : std::string(version.Reveal());
  request.headers["X-Restli-Protocol-Version"] = "2.0.0";
  request.bearer = account.credentials.Get("access_token");
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyLinkedIn(answer.http, answer.json);
  answer.rate.retry_after = RetryAfter(answer.http.headers);
  return answer;
}

Answer LinkedInConnector::Ask(const Call& call, const Account& account, const std::string& method,
                              const std::string& path, const Json* body) {
  net::ClientRequest request;
  request.method = method;
  request.url = BaseOf(account) + path;
  if (body != nullptr) SetJson(*body, &request);
  if (method == "DELETE") request.headers["X-RestLi-Method"] = "DELETE";
  if (method == "GET" && path.find("?q=") != std::string::npos) request.headers["X-RestLi-Method"] = "FINDER";
  return SendRequest(call, account, std::move(request));
}

StatusOr<Identity> LinkedInConnector::WhoAmI(const Call& call, const Account& account) {
  std::string urn = account.remote_id.empty() ? "" : OrganisationUrn(account.remote_id);
  if (urn.empty()) {
    const Answer roles =
        Ask(call, account, "GET", "/rest/organizationAcls?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED");
    if (!roles.ok()) return FailedRead(roles, account);
    const Json& elements = Member(roles.json, "elements");
    if (!elements.is_array()) return UnintelligibleRead();
    if (!elements.empty()) urn = Text(elements[0], "organization");
    if (urn.empty()) {
      return MakeError(Code::kPermissionDenied, "PERMISSION_DENIED",
                       "the credentials belong to no page's administrator");
    }
  }
  const std::string number = urn.substr(urn.rfind(':') + 1);
  const Answer answer = Ask(call, account, "GET", "/rest/organizations/" + net::UrlEncode(number));
  if (!answer.ok()) return FailedRead(answer, account);
  if (Text(answer.json, "id").empty()) return UnintelligibleRead();
  Identity identity;
  identity.remote_id = urn;
  identity.name = text::ToUtf8(Text(answer.json, "localizedName"));
  identity.handle = Text(answer.json, "vanityName");
  identity.url =
      "https://www.linkedin.com/company/" + (identity.handle.empty() ? number : net::UrlEncode(identity.handle));
  return identity;
}

bool LinkedInConnector::Matches(const Write& write, const OwnItem& item) const {
  switch (write.kind) {
    case WriteKind::kPost: {
      // Through little text and back, as LinkedIn does: mentions lose their brackets.
      const std::string wanted = FromLittleText(ToLittleText(CommentaryOf(write.draft)));
      return text::ForComparison(wanted) == text::ForComparison(item.text);
    }
    case WriteKind::kReply:
      return text::ForComparison(TextWithLink(write.draft)) == text::ForComparison(item.text);
    default:
      return false;  // what is deleted and still there was not deleted
  }
}

}  // namespace parvis::networks
