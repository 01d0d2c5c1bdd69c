#include "networks/ghost/ghost.h"

#include <algorithm>

#include "networks/text/html.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {

constexpr int kAltMax = 191;    // of the picture on top
constexpr size_t kTagMax = 191;
const char kSource[] = "TryGhost/Ghost 6.65, core/server/web/api/endpoints/admin (routes.js, middleware.js)";

void SayWhatIsNot(Capabilities& c) {
  using F = Feature;
  c.Refuse(F::kStream, "it has no stream; comments are read instead", kSource);
  c.Refuse(F::kMessages, "its members write comments only", kSource);
  c.Refuse(F::kPrivateReply, "a comment is answered below it, for all to see", kSource);
  c.Refuse(F::kReel, "a site has one kind of post", kSource);
  c.Refuse(F::kStory, "a site has one kind of post", kSource);
  c.Refuse(F::kPoll, "its editor has no polls", kSource);
  c.Refuse(F::kThread, "a post continues no other", kSource);
  c.Refuse(F::kApprove, "comments are shown at once; none wait", kSource);
  c.Refuse(F::kSpam, "it has no such mark; hide the comment", kSource);
  c.Refuse(F::kMute, "a member may comment or may not; ban them", kSource);
  c.Refuse(F::kReport, "members report to the site's staff, which is us", kSource);
  c.Refuse(F::kLock, "comments are switched on and off for the whole site", kSource);
  c.Refuse(F::kImpressions, "an integration's key may not read the analytics", kSource);
  c.Leave(F::kVideo, "put a link to the video into the text");
  c.Leave(F::kDocument, "put a link to the document into the text");
  c.Leave(F::kQuote, "quote in the text");
  c.Leave(F::kThumbnail, "the first picture stands for the post");
  c.Leave(F::kNativeSchedule, "Parvis keeps the time itself");
  c.Leave(F::kMentions, "the web's mentions of the site are not read");
}

}  // namespace

GhostConnector::GhostConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "ghost";
  c.display_name = "Ghost";
  using F = Feature;
  c.Allow({F::kText, F::kTitle, F::kLink, F::kImage, F::kGallery, F::kTags, F::kNewsletter, F::kWebhooks, F::kPolling,
           F::kReply, F::kHide, F::kUnhide, F::kDelete, F::kDeleteOwn, F::kBan, F::kPostCounts, F::kChannelCounts});
  c.features[F::kNewsletter].because = "sent to the members once, when the post is published";
  c.features[F::kWebhooks].because = "they tell of posts; comments are read";
  c.features[F::kReply].because = "written by the member that is named with the key";
  c.features[F::kBan].because = "the member cannot comment any more; what they wrote stays";
  SayWhatIsNot(c);
  c.needs_title = true;
  c.title_max = 255;   // the schema of the posts table
  c.text_unit = TextUnit::kCodePoints;
  c.media_max = 20;
  c.media_types = {"image/jpeg", "image/png", "image/gif", "image/webp"};
  c.media_max_bytes = 8 << 20;
  c.settle = absl::Seconds(1);
  c.credential_fields = {"admin_key", "member_id"};
  c.options = {{"newsletter", "the slug of the newsletter that the post is sent by", {}},
               {"email_segment", "which members get it", {"all", "status:free", "status:-free"}},
               {"email_only", "sent, and not shown on the site", {"true", "false"}},
               {"visibility", "who may read the post", {"public", "members", "paid"}}};
  c.counters = {"comments", "clicks", "likes", "emails", "opens", "members", "posts"};
}

Appearance GhostConnector::Show(const Draft& draft) const { return ShowPage(draft, capabilities_); }

int GhostConnector::TextLength(std::string_view text) const { return text::CodePoints(text); }

std::vector<Violation> GhostConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind != WriteKind::kPost && kind != WriteKind::kReply) return out;
  const bool post = kind == WriteKind::kPost;
  CheckText(draft, 0, 0, "characters", post, &out);
  CheckLink(draft, &out);
  if (!post) {
    if (!draft.media.empty()) out.push_back({"media", "a comment of Ghost takes no pictures", "TOO_MANY_MEDIA"});
    return out;
  }
  CheckTitle(kind, draft, capabilities_, "a post", &out);
  CheckMedia(draft, capabilities_, &out);
  if (!draft.media.empty() && text::CodePoints(draft.media[0].alt_text) > kAltMax) {
    out.push_back(
        {"media[0].alt_text",
         "must have at most " + std::to_string(kAltMax) + " characters: the first picture stands for the post",
         "ALT_TEXT_TOO_LONG"});
  }
  for (size_t i = 0; i < draft.tags.size(); ++i) {
    const std::string& tag = draft.tags[i];
    if (!text::IsUtf8(tag) || text::ForComparison(tag).empty() || tag.find(',') != std::string::npos ||
        static_cast<size_t>(text::CodePoints(tag)) > kTagMax) {
      out.push_back({"tags[" + std::to_string(i) + "]",
                     "must have 1 to " + std::to_string(kTagMax) + " characters, none of them a comma",
                     "TAG_MALFORMED"});
    }
  }
  const bool newsletter = draft.options.count("newsletter") > 0 && !draft.options.at("newsletter").empty();
  for (const char* name : {"email_segment", "email_only"}) {
    const auto option = draft.options.find(name);
    if (option == draft.options.end() || option->second == "false" || newsletter) continue;
    out.push_back({std::string("options[") + name + "]", "is for a post that is sent by a newsletter: choose one",
                   "OPTION_VALUE"});
  }
  return out;
}

Answer GhostConnector::SendRequest(const Call& call, const Account& account, const std::string& path,
                                   const std::string& query, net::ClientRequest request) {
  Answer answer;
  const std::string token = GhostToken(account.credentials.Get("admin_key").Reveal(), clock_.WallNow());
  if (token.empty()) {  // what the site would say to any token made of it
    answer.http.sent = net::Sent::kAnswered;
    answer.http.http_status = 401;
    answer.refusal = {ErrorClass::kTokenExpired, "the Admin API key is not of the form id:secret"};
    return answer;
  }
  request.url = BaseOf(account) + "/ghost/api/admin" + path + (query.empty() ? "" : "?" + query);
  request.headers["Authorization"] = "Ghost " + token;
  request.headers["Accept-Version"] = "v6.0";
  request.headers["Accept"] = "application/json";
  answer.http = http_.Send(call, std::move(request));
  if (!answer.answered()) return answer;
  answer.json = ParseJson(answer.http.body);
  answer.refusal = ClassifyGhost(answer.http, answer.json);
  answer.rate.retry_after = RetryAfter(answer.http.headers);
  return answer;
}

Answer GhostConnector::Ask(const Call& call, const Account& account, const std::string& method, const std::string& path,
                           const std::string& query, const Json* body) {
  net::ClientRequest request;
  request.method = method;
  if (body != nullptr) SetJson(*body, &request);
  return SendRequest(call, account, path, query, std::move(request));
}

StatusOr<Identity> GhostConnector::WhoAmI(const Call& call, const Account& account) {
  // The site tells its name to anyone, its posts' drafts to a living key only.
  const Answer posts = Ask(call, account, "GET", "/posts/", "limit=1&fields=id");
  if (!posts.ok()) return FailedRead(posts, account);
  if (!Member(posts.json, "posts").is_array()) return UnintelligibleRead();
  const Answer answer = Ask(call, account, "GET", "/site/", "");
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& site = Member(answer.json, "site");
  if (!site.is_object()) return UnintelligibleRead();
  Identity identity;
  identity.remote_id = BaseOf(account);
  identity.name = text::ToUtf8(Text(site, "title"));
  identity.url = WithoutSlash(Text(site, "url"));
  if (identity.url.empty()) identity.url = identity.remote_id;
  return identity;
}

}  // namespace parvis::networks
