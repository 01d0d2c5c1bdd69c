#include "networks/wordpress/wordpress.h"

#include <algorithm>

#include "networks/text/html.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/request.h"

namespace parvis::networks {
namespace {

constexpr int kReplyBytesMax = 65525;      // facts 0.3
const char kReference[] = "https://developer.wordpress.org/rest-api/reference/";

}  // namespace

WordPressConnector::WordPressConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "wordpress";
  c.display_name = "WordPress";
  using F = Feature;
  c.Allow({F::kText, F::kTitle, F::kLink, F::kImage, F::kGallery, F::kPolling, F::kReply, F::kHide, F::kUnhide, F::kApprove,
           F::kSpam, F::kDelete, F::kDeleteOwn});
  c.features[F::kHide].because = "a comment is held for approval";
  c.features[F::kDelete].because = "into the trash, where it can be brought back from";
  c.Refuse(F::kWebhooks, "its core calls nobody; comments are read instead", kReference);
  c.Refuse(F::kStream, "its core has no stream; comments are read instead", kReference);
  c.Refuse(F::kMessages, "a blog has no messages", kReference);
  c.Refuse(F::kPrivateReply, "a comment is answered below it, for all to see", kReference);
  c.Refuse(F::kReel, "a blog has one kind of post", kReference);
  c.Refuse(F::kStory, "a blog has one kind of post", kReference);
  c.Refuse(F::kPoll, "polls are a plugin's, with no interface of the core", kReference);
  c.Refuse(F::kThread, "a post continues no other", kReference);
  c.Refuse(F::kNewsletter, "its core sends no newsletter", kReference);
  c.Refuse(F::kBan, "its list of disallowed names and addresses is no setting that can be written from outside", kReference);
  c.Refuse(F::kMute, "its core silences nobody; hold or delete the comment", kReference);
  c.Refuse(F::kReport, "whoever runs the blog is us", kReference);
  c.Refuse(F::kImpressions, "its core counts no readers", kReference);
  c.Leave(F::kVideo, "put a link to the video into the text: the blog shows the player");
  c.Leave(F::kDocument, "put a link to the document into the text");
  c.Leave(F::kQuote, "quote in the text");
  c.Leave(F::kTags, "tags have to exist on the blog first; choose them there");
  c.Leave(F::kThumbnail, "the first picture stands for the post");
  c.Leave(F::kNativeSchedule, "Parvis keeps the time itself");
  c.Leave(F::kMentions, "pingbacks and trackbacks are not read");
  c.Leave(F::kLock, "comments below a post are closed on the blog");
  c.Leave(F::kPostCounts, "the comments of a post are not counted");
  c.Leave(F::kChannelCounts, "posts and comments are not counted");
  c.needs_title = true;
  c.title_max = 200;   // the column is unlimited, themes are not
  c.reply_text_max = kReplyBytesMax;
  c.text_unit = TextUnit::kBytes;
  c.media_max = 20;
  c.media_types = {"image/jpeg", "image/png", "image/gif", "image/webp"};
  c.media_max_bytes = 8 << 20;
  c.settle = absl::Seconds(1);
  c.credential_fields = {"username", "application_password"};
}

Appearance WordPressConnector::Show(const Draft& draft) const { return ShowPage(draft, capabilities_); }

int WordPressConnector::TextLength(std::string_view text) const { return static_cast<int>(text.size()); }

std::vector<Violation> WordPressConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind != WriteKind::kPost && kind != WriteKind::kReply) return out;
  const bool post = kind == WriteKind::kPost;
  const int length = post ? 0 : static_cast<int>(text::EscapeHtml(TextWithLink(draft)).size());
  CheckText(draft, length, post ? 0 : kReplyBytesMax, "bytes", post, &out);
  if (post) {
    CheckTitle(kind, draft, capabilities_, "a blog post", &out);
    CheckMedia(draft, capabilities_, &out);
  } else if (!draft.media.empty()) {
    out.push_back({"media", "a comment of WordPress takes no pictures", "TOO_MANY_MEDIA"});
  }
  CheckLink(draft, &out);
  return out;
}

Answer WordPressConnector::SendRequest(const Call& call, const Account& account, const std::string& route, const std::string& query,
                                       net::ClientRequest request) {
  const std::string base = BaseOf(account);
  request.basic = Secret(account.credentials.Get("username").Reveal() + ":" + account.credentials.Get("application_password").Reveal());
  const auto send = [&](const std::string& url) {
    net::ClientRequest copy = request;
    copy.url = url;
    Answer answer;
    answer.http = http_.Send(call, std::move(copy));
    if (!answer.answered()) return answer;
    answer.json = ParseJson(answer.http.body);
    answer.refusal = ClassifyWordPress(answer.http, answer.json);
    answer.rate.retry_after = RetryAfter(answer.http.headers);
    return answer;
  };
  Answer answer = send(base + "/wp-json" + route + (query.empty() ? "" : "?" + query));
  // Without pretty permalinks nothing answers below /wp-json but the theme's "not found" page: nothing has happened there.
  const bool no_route_there = answer.answered() && answer.http.http_status == 404 && !answer.json.is_object();
  if (!no_route_there) return answer;
  return send(base + "/?rest_route=" + net::UrlEncode(route) + (query.empty() ? "" : "&" + query));
}

Answer WordPressConnector::Ask(const Call& call, const Account& account, const std::string& method, const std::string& route,
                               const std::string& query, const Json* body) {
  net::ClientRequest request;
  request.method = method;
  if (body != nullptr) SetJson(*body, &request);
  return SendRequest(call, account, route, query, std::move(request));
}

StatusOr<Identity> WordPressConnector::WhoAmI(const Call& call, const Account& account) {
  const Answer answer = Ask(call, account, "GET", "/wp/v2/users/me", "context=edit");
  if (!answer.ok()) return FailedRead(answer, account);
  if (Text(answer.json, "id").empty()) return UnintelligibleRead();
  Identity identity;
  identity.remote_id = identity.url = BaseOf(account);
  identity.name = text::ToUtf8(Text(answer.json, "name"));
  identity.handle = Text(answer.json, "slug");
  return identity;
}

}  // namespace parvis::networks
