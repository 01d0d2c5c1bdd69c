#include "networks/wordpress/wordpress.h"

#include <algorithm>

#include "networks/text/html.h"
#include "networks/text/unicode.h"
#include "networks/wire/check.h"

namespace parvis::networks {
namespace {

constexpr int kTitleMax = 200;             // code points; the column is unlimited, themes are not
constexpr int kReplyBytesMax = 65525;      // facts 0.3

std::string WithoutSlash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

}  // namespace

WordPressConnector::WordPressConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "wordpress";
  c.display_name = "WordPress";
  using F = Feature;
  c.Allow({F::kText, F::kTitle, F::kLink, F::kImage, F::kGallery, F::kPolling, F::kReply, F::kHide, F::kUnhide, F::kDelete,
           F::kDeleteOwn});
  c.Refuse(F::kWebhooks, "its core calls nobody; comments are read instead", "https://developer.wordpress.org/rest-api/reference/");
  c.needs_title = true;
  c.reply_text_max = kReplyBytesMax;
  c.text_unit = TextUnit::kBytes;
  c.media_max = 20;
  c.media_types = {"image/jpeg", "image/png", "image/gif", "image/webp"};
  c.media_max_bytes = 8 << 20;
  c.settle = absl::Seconds(1);
  c.credential_fields = {"username", "application_password"};
}

int WordPressConnector::TextLength(std::string_view text) const { return static_cast<int>(text.size()); }

std::vector<Violation> WordPressConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  if (kind != WriteKind::kPost && kind != WriteKind::kReply) return out;
  const bool post = kind == WriteKind::kPost;
  const int length = post ? 0 : static_cast<int>(text::EscapeHtml(TextWithLink(draft)).size());
  CheckText(draft, length, post ? 0 : kReplyBytesMax, "bytes", post, &out);
  if (post) {
    if (text::ForComparison(draft.title).empty()) out.push_back({"title", "must not be empty: a blog post needs a title", "TITLE_MISSING"});
    if (!text::IsUtf8(draft.title)) out.push_back({"title", "must be UTF-8", "TEXT_NOT_UTF8"});
    if (const int title = text::CodePoints(draft.title); title > kTitleMax) {
      out.push_back({"title", "has " + std::to_string(title) + " characters, at most " + std::to_string(kTitleMax) + " are allowed", "TITLE_TOO_LONG"});
    }
    CheckMedia(draft, capabilities_, &out);
  } else if (!draft.media.empty()) {
    out.push_back({"media", "a comment of WordPress takes no pictures", "TOO_MANY_MEDIA"});
  }
  CheckLink(draft, &out);
  return out;
}

Answer WordPressConnector::SendRequest(const Call& call, const Account& account, const std::string& route, const std::string& query,
                                       net::ClientRequest request) {
  const std::string base = WithoutSlash(account.base_url);
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
  if (body != nullptr) {
    request.headers["Content-Type"] = "application/json";
    request.body = body->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return SendRequest(call, account, route, query, std::move(request));
}

StatusOr<Identity> WordPressConnector::WhoAmI(const Call& call, const Account& account) {
  const Answer answer = Ask(call, account, "GET", "/wp/v2/users/me", "context=edit");
  if (!answer.ok()) return FailedRead(answer, account);
  if (Text(answer.json, "id").empty()) return UnintelligibleRead();
  Identity identity;
  identity.remote_id = identity.url = WithoutSlash(account.base_url);
  identity.name = text::ToUtf8(Text(answer.json, "name"));
  identity.handle = Text(answer.json, "slug");
  return identity;
}

}  // namespace parvis::networks
