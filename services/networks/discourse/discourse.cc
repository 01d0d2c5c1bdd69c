#include "networks/discourse/discourse.h"

#include <algorithm>

#include "networks/discourse/discourse_parse.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {

constexpr int kTextMax = 32000;  // the forum's setting max_post_length as shipped
constexpr int64_t kUploadBytesMax = 4 << 20;  // max_image_size_kb and max_attachment_size_kb as shipped
const char kDocs[] = "https://docs.discourse.org/ (openapi of 2026-08-20)";

}  // namespace

DiscourseConnector::DiscourseConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "discourse";
  c.display_name = "Discourse";
  using F = Feature;
  c.Allow({F::kText,   F::kTitle,   F::kLink,       F::kImage,       F::kGallery,      F::kVideo, F::kDocument,
           F::kPoll,   F::kThread,  F::kWebhooks,   F::kPolling,     F::kMessages,     F::kReply, F::kPrivateReply,
           F::kUnhide, F::kApprove, F::kSpam,       F::kDelete,      F::kDeleteOwn,    F::kBan,   F::kMute,
           F::kReport, F::kLock,    F::kPostCounts, F::kImpressions, F::kChannelCounts});
  c.Refuse(F::kReel, "forums have one kind of post", kDocs);
  c.Refuse(F::kStory, "forums have one kind of post", kDocs);
  c.Refuse(F::kThumbnail, "the forum makes a video's preview itself", kDocs);
  c.Refuse(F::kNativeSchedule, "a topic cannot be created for later, only moved to another category later", kDocs);
  c.Refuse(F::kNewsletter, "the forum's digest is its own", kDocs);
  c.Refuse(F::kStream, "its documented interface has webhooks, no stream", kDocs);
  c.Refuse(F::kHide, "no call hides one post: report it, or use the review queue", kDocs);
  c.Leave(F::kTags, "their form changed in 2026 and forums of both kinds are about: tags are added in the forum");
  c.Leave(F::kQuote, "a link to the quoted post on a line of its own is shown as a quote");
  c.Leave(F::kMentions, "every post comes in, with a mention of us or without");
  c.needs_title = true;
  c.post_text_max = c.reply_text_max = kTextMax;
  c.title_max = 255;
  c.media_max = 10;
  c.media_types = {"image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "application/pdf"};
  c.media_max_bytes = c.video_max_bytes = kUploadBytesMax;
  c.poll_options_max = 20;
  c.poll_option_text_max = 250;
  c.settle = absl::Seconds(1);
  c.credential_fields = {"api_key", "api_username"};
  c.options = {{"category", "the number of the category that a topic goes into; without, the forum's default", {}}};
  c.linked = {text::Facet::Kind::kLink, text::Facet::Kind::kMention};
  c.webhooks_bring_comments = true;
  c.counters = {"likes", "comments", "views", "reads", "members", "posts", "topics"};
}

int DiscourseConnector::TextLength(std::string_view text) const { return text::CodePoints(text); }

std::vector<Violation> DiscourseConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind != WriteKind::kPost && kind != WriteKind::kReply && kind != WriteKind::kPrivateReply) return out;
  CheckText(draft, TextLength(TextWithLink(draft)), kTextMax, "characters", true, &out);
  CheckTitle(kind, draft, capabilities_, "a topic", &out);
  CheckMedia(draft, capabilities_, &out);
  CheckLink(draft, &out);
  const auto category = draft.options.find("category");
  const bool number =
      category == draft.options.end() || (!category->second.empty() && category->second.size() <= 18 &&
                                          category->second.find_first_not_of("0123456789") == std::string::npos);
  if (!number) out.push_back({"options[category]", "must be the number of a category", "OPTION_VALUE"});
  return out;
}

Answer DiscourseConnector::SendRequest(const Call& call, const Account& account, const std::string& path,
                                       net::ClientRequest request) {
  request.url = BaseOf(account) + path;
  request.headers["Api-Key"] = std::string(account.credentials.Get("api_key").Reveal());
  request.headers["Api-Username"] = std::string(account.credentials.Get("api_username").Reveal());
  request.headers["Accept"] = "application/json";
  Answer answer;
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyDiscourse(answer.http, answer.json);
  answer.rate = DiscourseRate(answer.http, answer.json);
  return answer;
}

Answer DiscourseConnector::Ask(const Call& call, const Account& account, const std::string& method,
                               const std::string& path, const Json* body) {
  net::ClientRequest request;
  request.method = method;
  if (body != nullptr) SetJson(*body, &request);
  Answer answer = SendRequest(call, account, path, std::move(request));
  if (answer.refusal.error != ErrorClass::kPermission) return answer;
  // A dead key and a missing right are answered alike, in the forum's language. Our own profile anyone with a key may
  // see.
  net::ClientRequest self;
  const std::string me(account.credentials.Get("api_username").Reveal());
  const Answer probe = SendRequest(call, account, "/u/" + net::UrlEncode(me) + ".json", std::move(self));
  if (probe.refusal.error == ErrorClass::kPermission) answer.refusal.error = ErrorClass::kTokenExpired;
  return answer;
}

StatusOr<Identity> DiscourseConnector::WhoAmI(const Call& call, const Account& account) {
  const std::string me(account.credentials.Get("api_username").Reveal());
  const Answer answer = Ask(call, account, "GET", "/u/" + net::UrlEncode(me) + ".json");
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& user = Member(answer.json, "user");
  if (Text(user, "id").empty()) return UnintelligibleRead();
  Identity identity;
  identity.remote_id = BaseOf(account);
  identity.name = text::ToUtf8(Text(user, "name"));
  identity.handle = Text(user, "username");
  identity.url = identity.remote_id + "/u/" + net::UrlEncode(identity.handle);
  return identity;
}

bool DiscourseConnector::Matches(const Write& write, const OwnItem& item) const {
  switch (write.kind) {
    case WriteKind::kPost:
    case WriteKind::kPrivateReply:
    case WriteKind::kReply: {
      // What was read under our own external id is ours; a post that is held, or a reply, goes by its text.
      const std::string wanted = text::ForComparison(TextWithLink(write.draft)), is = text::ForComparison(item.text);
      const bool by_key = !item.parent_remote_id.empty() &&
                          item.parent_remote_id == "key:" + DiscourseExternalId(write.idempotency_key);
      return by_key || (!wanted.empty() && is.compare(0, wanted.size(), wanted) == 0);
    }
    case WriteKind::kLock:
    case WriteKind::kBan:
    case WriteKind::kMute:
    case WriteKind::kSpam:
    case WriteKind::kReport:
      return item.hidden;
    case WriteKind::kUnlock:
    case WriteKind::kUnban:
    case WriteKind::kUnmute:
    case WriteKind::kUnhide:
    case WriteKind::kApprove:
      return !item.hidden;
    default:
      return false;  // what is deleted and still there was not deleted
  }
}

}  // namespace parvis::networks
