#include "sandbox/transport/youtube_hub.h"

#include <algorithm>

#include "platform/base/ids.h"
#include "platform/obs/log.h"
#include "sandbox/domain/cat.h"

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

// The channel whose feed a topic is, in either form that YouTube's pages print; "" for any other address.
std::string ChannelOf(const std::string& topic) {
  for (const std::string_view form : {"https://www.youtube.com/xml/feeds/videos.xml?",
                                      "https://www.youtube.com/feeds/videos.xml?"}) {
    if (topic.starts_with(form)) return net::ParseQuery(topic.substr(form.size()))["channel_id"];
  }
  return "";
}

bool IsCallback(const std::string& url) {
  return (url.starts_with("http://") || url.starts_with("https://")) && url.find('#') == std::string::npos;
}

}  // namespace

Reply YoutubeHub::Handle(const net::HttpRequest& http) {
  const StatusOr<Request> read = ReadRequest(http, "/youtube/subscribe");
  if (!read.ok()) return {Plain(400, ToError(read.status()).message)};
  const Request& request = *read;
  if (!request.path.empty()) return {Plain(404, "Not Found")};
  if (http.method != "POST") {
    net::HttpResponse refused = Plain(405, "Method Not Allowed");
    refused.headers["Allow"] = "POST";
    return {refused};
  }
  const std::string mode = request.Param("hub.mode"), topic = request.Param("hub.topic"),
                    callback = request.Param("hub.callback"), channel = ChannelOf(topic),
                    seconds = request.Param("hub.lease_seconds");
  const auto lease = ReadNumber(seconds, kLeaseUnasked, 1, INT64_MAX);
  if (!IsCallback(callback)) {
    return {Plain(400, "Invalid parameter: hub.callback; must be valid URI with no fragment and optional port")};
  }
  if (channel.empty()) return {Plain(400, "Invalid parameter: hub.topic; Sandbox: no feed of a YouTube channel")};
  if (mode != "subscribe" && mode != "unsubscribe") return {Plain(400, Cat("Invalid value for hub.mode: ", mode))};
  if (!lease) return {Plain(400, Cat("Invalid value for hub.lease_seconds: ", seconds))};
  return UnderFaults(context_, Network::kYoutube, channel, "subscribe",
                     {.limited = [] { return Plain(429, "Too Many Requests"); },
                      .forbidden = [] { return Plain(403, "Forbidden"); }},
                     [&](Answer) {
                       WebhookTarget target{.network = Network::kYoutube, .account = channel, .verified = true};
                       target.style.secret = Secret(request.Param("hub.secret"));
                       target.style.url = callback;
                       target.style.origin = request.base_url;
                       const std::string challenge = RandomHex(40);
                       const absl::Duration lasts = absl::Seconds(std::min(*lease, kLeaseMost));
                       std::string query = Cat("hub.topic=", net::UrlEncode(topic), "&hub.challenge=", challenge,
                                               "&hub.mode=", mode);
                       if (mode == "subscribe") Append(query, "&hub.lease_seconds=", absl::ToInt64Seconds(lasts));
                       if (const std::string token = request.Param("hub.verify_token"); !token.empty()) {
                         Append(query, "&hub.verify_token=", net::UrlEncode(token));
                       }
                       Verify(mode == "subscribe", query, challenge, lasts, std::move(target));
                       return Plain(202, "");
                     });
}

// The subscriber has the last word: whoever asked, only what it confirms is done.
void YoutubeHub::Verify(bool subscribe, const std::string& query, const std::string& challenge, absl::Duration lease,
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

}  // namespace parvis::sandbox
