#include "sandbox/transport/hub.h"

#include <algorithm>

#include "platform/base/ids.h"
#include "platform/obs/log.h"
#include "sandbox/domain/cat.h"
#include "sandbox/network/feed_rss.h"

namespace parvis::sandbox {
namespace {

constexpr int64_t kLeaseUnasked = 5 * 86'400, kLeaseMost = 10 * 86'400;

net::HttpResponse Plain(int status, std::string_view text) {
  net::HttpResponse response;
  response.status = status;
  response.headers["Content-Type"] = "text/plain; charset=utf-8";
  response.body = text;
  return response;
}

// The channel, in either form that YouTube's pages print.
std::string YoutubeChannel(Context&, const Request&, const std::string& topic) {
  for (const std::string_view form : {"https://www.youtube.com/xml/feeds/videos.xml?",
                                      "https://www.youtube.com/feeds/videos.xml?"}) {
    if (topic.starts_with(form)) return net::ParseQuery(topic.substr(form.size()))["channel_id"];
  }
  return "";
}

// The site, of any of its three formats.
std::string FeedSite(Context& context, const Request& request, const std::string& topic) {
  const std::string feeds = request.base_url + "/feed/";
  if (!topic.starts_with(feeds)) return "";
  const std::vector<std::string> path = SplitPath(topic.substr(feeds.size()));
  if (path.empty() || path.size() > 2 || (path.size() == 2 && path[1] != "atom" && path[1] != "json")) return "";
  return context.world.FindAccount(Network::kFeed, path[0]) == nullptr ? "" : path[0];
}

bool IsCallback(const std::string& url) {
  return (url.starts_with("http://") || url.starts_with("https://")) && url.find('#') == std::string::npos;
}

}  // namespace

Reply Hub::Handle(const net::HttpRequest& http) {
  const StatusOr<Request> read = ReadRequest(http, prefix_);
  if (!read.ok()) return {Plain(400, ToError(read.status()).message)};
  const Request& request = *read;
  if (!request.path.empty()) return {Plain(404, "Not Found")};
  if (http.method != "POST") {
    net::HttpResponse refused = Plain(405, "Method Not Allowed");
    refused.headers["Allow"] = "POST";
    return {refused};
  }
  const std::string mode = request.Param("hub.mode"), seconds = request.Param("hub.lease_seconds"),
                    account = account_of_(context_, request, request.Param("hub.topic"));
  const auto lease = ReadNumber(seconds, kLeaseUnasked, 1, INT64_MAX);
  if (!IsCallback(request.Param("hub.callback"))) {
    return {Plain(400, "Invalid parameter: hub.callback; must be valid URI with no fragment and optional port")};
  }
  if (account.empty()) return {Plain(400, "Invalid parameter: hub.topic; Sandbox: no feed of this hub's")};
  if (mode != "subscribe" && mode != "unsubscribe") return {Plain(400, Cat("Invalid value for hub.mode: ", mode))};
  if (!lease) return {Plain(400, Cat("Invalid value for hub.lease_seconds: ", seconds))};
  return UnderFaults(context_, network_, account, "subscribe",
                     {.limited = [] { return Plain(429, "Too Many Requests"); },
                      .forbidden = [] { return Plain(403, "Forbidden"); }},
                     [&](Answer) { return Accept(request, account, absl::Seconds(std::min(*lease, kLeaseMost))); });
}

net::HttpResponse Hub::Accept(const Request& request, const std::string& account, absl::Duration lease) {
  WebhookTarget target{.network = network_, .account = account, .verified = true};
  target.style.secret = Secret(request.Param("hub.secret"));
  target.style.url = request.Param("hub.callback");
  target.style.origin = request.base_url;
  const std::string mode = request.Param("hub.mode"), challenge = RandomHex(40);
  std::string query = Cat("hub.topic=", net::UrlEncode(request.Param("hub.topic")), "&hub.challenge=", challenge,
                          "&hub.mode=", mode);
  if (mode == "subscribe") Append(query, "&hub.lease_seconds=", absl::ToInt64Seconds(lease));
  if (const std::string token = request.Param("hub.verify_token"); !token.empty()) {
    Append(query, "&hub.verify_token=", net::UrlEncode(token));
  }
  Verify(mode == "subscribe", query, challenge, lease, std::move(target));
  return Plain(202, "");
}

// The subscriber has the last word: whoever asked, only what it confirms is done.
void Hub::Verify(bool subscribe, const std::string& query, const std::string& challenge, absl::Duration lease,
                 WebhookTarget target) {
  const std::string url = target.style.url;
  webhooks_.Ask(url, query, [=, this, target = std::move(target)](const net::ClientResult& result) mutable {
    if (result.sent != net::Sent::kAnswered || result.http_status / 100 != 2 || result.body != challenge) {
      return obs::Info("a subscriber of the hub does not confirm", {{"status", result.http_status}});
    }
    if (!subscribe) return webhooks_.Unsubscribe(target);
    target.until = context_.clock.Now() + lease;
    const StatusOr<int64_t> added = webhooks_.Subscribe(target);
    if (!added.ok()) obs::Warn("a subscriber of the hub is not taken", {{"error", added.status()}});
  });
}

std::unique_ptr<Face> MakeYoutubeHub(Context& context, Webhooks& webhooks) {
  return std::make_unique<Hub>(context, webhooks, Network::kYoutube, kYoutubeHub, YoutubeChannel);
}

std::unique_ptr<Face> MakeFeedHub(Context& context, Webhooks& webhooks) {
  return std::make_unique<Hub>(context, webhooks, Network::kFeed, kFeedHub, FeedSite);
}

}  // namespace parvis::sandbox
