#include "networks/feed/feed.h"

#include <algorithm>

#include "networks/text/unicode.h"
#include "networks/wire/check.h"
#include "networks/wire/websub.h"

namespace parvis::networks {
namespace {

const char kRss[] =
    "https://www.rssboard.org/rss-specification (2.0.11): a document that is read; it has no operation that writes";
const char kAtom[] =
    "https://www.rfc-editor.org/rfc/rfc4287: a document format (writing is AtomPub, RFC 5023, which no feed address "
    "implies)";
const char kAccept[] =
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1";

void RefuseAll(Capabilities* c) {
  using F = Feature;
  for (const F feature :
       {F::kText, F::kTitle, F::kLink, F::kImage, F::kGallery, F::kVideo, F::kReel, F::kStory, F::kDocument, F::kPoll,
        F::kThread, F::kQuote, F::kTags, F::kThumbnail, F::kNativeSchedule, F::kNewsletter}) {
    c->Refuse(feature, "a feed is read; it is written where it comes from", kRss);
  }
  c->Refuse(F::kReply, "a feed takes no answers", kAtom);
  c->Refuse(F::kPrivateReply, "a feed takes no answers", kAtom);
  for (const F feature : {F::kHide, F::kUnhide, F::kApprove, F::kSpam, F::kDelete, F::kDeleteOwn, F::kBan, F::kMute,
                          F::kReport, F::kLock}) {
    c->Refuse(feature, "a feed belongs to whoever publishes it", kAtom);
  }
  for (const F feature : {F::kPostCounts, F::kImpressions, F::kChannelCounts}) {
    c->Refuse(feature, "a feed tells no figures", kRss);
  }
  c->Refuse(F::kStream, "a feed is a document, not a stream", kRss);
  c->Refuse(F::kMessages, "a feed has no messages", kRss);
}

bool IsHttps(const std::string& url) { return url.rfind("https://", 0) == 0; }

}  // namespace

FeedConnector::FeedConnector(net::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {
  Capabilities& c = capabilities_;
  c.network = "feed";
  c.display_name = "RSS, Atom and JSON feeds";
  c.reads_share_budget = true;  // a host can only go by our address: a feed is read without credentials
  RefuseAll(&c);
  c.Allow({Feature::kWebhooks, Feature::kPolling, Feature::kMentions});
  c.websub = true;
  c.features[Feature::kMentions].because = "every item of the feed comes in";
  c.features[Feature::kWebhooks].because = "by WebSub, where the feed names a hub; others are read at intervals";
}

int FeedConnector::TextLength(std::string_view text) const { return text::CodePoints(text); }

std::vector<Violation> FeedConnector::Check(WriteKind kind, const Draft& draft) const {
  std::vector<Violation> out;
  CheckPossible(kind, draft, capabilities_, &out);
  return out;
}

Outcome FeedConnector::CarryOut(const Call&, const Account&, const Write& write) {
  return RefusedBeforeSending(ErrorClass::kInvalid, capabilities_.WhyNot(write.kind));
}

StatusOr<std::vector<OwnItem>> FeedConnector::ReadBack(const Call&, const Account&, const Write& write, absl::Time,
                                                       int) {
  return MakeError(Code::kFailedPrecondition, "NOT_POSSIBLE",
                   std::string(NameOf(write.kind)) + " is " + capabilities_.WhyNot(write.kind));
}

bool FeedConnector::Matches(const Write&, const OwnItem&) const { return false; }

Refusal ClassifyFeed(const net::ClientResult& http) {
  Refusal refusal;
  const int status = http.http_status;
  if ((status >= 200 && status < 300) || status == 304) return refusal;
  refusal.message = "HTTP " + std::to_string(status);
  switch (status) {
    case 401:
    case 403:  // there are no credentials that could have expired
      refusal.error = ErrorClass::kPermission;
      refusal.message += ": the feed is not for everybody";
      break;
    case 404:
    case 410:
      refusal.error = ErrorClass::kNotFound;
      break;
    case 408:
    case 425:
      refusal.error = ErrorClass::kTransient;
      break;
    case 429:
      refusal.error = ErrorClass::kRateLimited;
      break;
    default:
      refusal.error = status >= 500 ? ErrorClass::kTransient : ErrorClass::kInvalid;
  }
  return refusal;
}

RateState FeedRate(const net::ClientResult& http, absl::Time now) {
  RateState rate;
  rate.retry_after = RetryAfter(http.headers);
  if (rate.retry_after) return rate;
  if (const auto time = ParseFeedTime(net::HeaderOf(http.headers, "Retry-After"))) {
    rate.retry_after = std::clamp<absl::Duration>(*time - now, absl::ZeroDuration(), absl::Hours(24));
  }
  return rate;
}

StatusOr<FeedConnector::Fetched> FeedConnector::Fetch(const Call& call, const Account& account, const std::string& url,
                                                      const net::Headers& validators) {
  Fetched out;
  out.url = out.kept = url;
  bool permanent = true;
  for (int hop = 0; hop <= kFeedHopsMax; ++hop) {
    net::ClientRequest request;
    request.url = out.url.substr(0, out.url.find('#'));
    request.headers = validators;
    request.headers["Accept"] = kAccept;
    out.answer.http = http_.Send(call, std::move(request));
    if (!out.answer.answered()) return FailedRead(out.answer, account);
    const net::ClientResult& http = out.answer.http;
    const int status = http.http_status;
    out.answer.rate = FeedRate(http, clock_.WallNow());
    if (status == 410) {
      return MakeError(Code::kFailedPrecondition, "FEED_GONE",
                       "the feed's server says that it is gone for ever (HTTP 410); nothing more will come from it");
    }
    const bool moved = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    if (!moved) {
      out.answer.refusal = ClassifyFeed(http);
      if (out.answer.refusal.error != ErrorClass::kNone) return FailedRead(out.answer, account);
      return out;
    }
    const auto location = http.headers.find("Location");
    const std::string next = location == http.headers.end() ? "" : ResolveUrl(out.url, location->second);
    if (next.empty()) {
      return MakeError(Code::kFailedPrecondition, "FEED_REDIRECTS",
                       "the feed's server redirects to no address that can be read");
    }
    // A temporary hop ends what may be kept, and so does one that gives up encryption.
    permanent = permanent && (status == 301 || status == 308) && (IsHttps(next) || !IsHttps(out.url));
    out.url = next;
    if (permanent) out.kept = next;
  }
  return MakeError(Code::kFailedPrecondition, "FEED_REDIRECTS",
                   "the feed's server redirects more than " + std::to_string(kFeedHopsMax) + " times");
}

StatusOr<HandshakeAnswer> FeedConnector::Handshake(const WebhookCall& call, const std::vector<Secret>&,
                                                   const Secret& verify_token) const {
  PARVIS_ASSIGN_OR_RETURN(const HubQuestion question, ParseHubQuestion(call));
  return AnswerHub(question, verify_token);
}

Status FeedConnector::VerifySignature(const WebhookCall& call, const std::vector<Secret>& app_secrets) const {
  return CheckHubSignature(net::HeaderOf(call.headers, "X-Hub-Signature"), call.body, app_secrets);
}

WebhookContent FeedConnector::ParseWebhook(std::string_view) const {
  WebhookContent content;
  content.read_back = true;
  return content;
}

StatusOr<Hub> FeedConnector::FindHub(const Call& call, const Account& account) {
  PARVIS_ASSIGN_OR_RETURN(const Fetched got, Fetch(call, account, account.base_url, {}));
  const net::ClientResult& http = got.answer.http;
  if (http.http_status == 304) return UnintelligibleRead();
  // The header comes first (WebSub 4): it is the server's own word.
  const HubLinks links = ParseHubLinks(net::HeaderOf(http.headers, "Link"));
  Hub hub{.url = ResolveUrl(got.url, links.hub), .topic = ResolveUrl(got.url, links.self), .tells_all = true};
  if (links.hub.empty() || hub.url.empty()) {
    PARVIS_ASSIGN_OR_RETURN(const Feed feed,
                            ParseFeed(http.body, net::HeaderOf(http.headers, "Content-Type"), got.url));
    hub.url = feed.hub;
    if (hub.topic.empty()) hub.topic = feed.self;
  }
  if (hub.topic.empty()) hub.topic = got.kept;
  if (hub.url.empty()) return MakeError(Code::kNotFound, "HUB_NONE", "the feed names no hub");
  return hub;
}

StatusOr<Identity> FeedConnector::WhoAmI(const Call& call, const Account& account) {
  PARVIS_ASSIGN_OR_RETURN(const Fetched got, Fetch(call, account, account.base_url, {}));
  const net::ClientResult& http = got.answer.http;
  if (http.http_status == 304) return UnintelligibleRead();
  PARVIS_ASSIGN_OR_RETURN(const Feed feed, ParseFeed(http.body, net::HeaderOf(http.headers, "Content-Type"), got.url));
  Identity identity;
  identity.remote_id = got.kept;
  identity.name = feed.title.empty() ? got.kept : text::ToUtf8(feed.title);
  identity.url = feed.link.empty() ? got.kept : feed.link;
  return identity;
}

}  // namespace parvis::networks
