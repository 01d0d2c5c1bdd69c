#include <algorithm>

#include "networks/mastodon/mastodon.h"

namespace parvis::networks {
namespace {

// The value of `parameter` in the query of `url`, decoded.
std::string QueryValue(std::string_view url, std::string_view parameter) {
  const size_t query = url.find('?');
  if (query == std::string_view::npos) return "";
  std::string_view rest = url.substr(query + 1);
  rest = rest.substr(0, rest.find('#'));
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) == parameter && equals != std::string_view::npos) {
      return std::string(pair.substr(equals + 1));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return "";
}

}  // namespace

Refusal ClassifyMastodon(const net::ClientResult& http, const Json& json) {
  Refusal refusal;
  refusal.error = ClassOfStatus(http.http_status);
  if (refusal.error == ErrorClass::kNone) return refusal;
  refusal.message = Text(json, "error");
  if (const std::string more = Text(json, "error_description"); !more.empty()) refusal.message += ": " + more;
  if (refusal.message.empty()) refusal.message = "HTTP " + std::to_string(http.http_status);
  return refusal;
}

RateState MastodonRate(const net::Headers& headers, absl::Time now) {
  RateState rate;
  rate.limit = HeaderCount(headers, "X-RateLimit-Limit");
  rate.remaining = HeaderCount(headers, "X-RateLimit-Remaining");
  if (const auto reset = ParseIsoTime(net::HeaderOf(headers, "X-RateLimit-Reset"))) {
    rate.reset_in = std::clamp(*reset - now, absl::ZeroDuration(), absl::Hours(24));
  }
  rate.retry_after = RetryAfter(headers);
  return rate;
}

std::string LinkParameter(const net::Headers& headers, std::string_view rel, std::string_view parameter) {
  const std::string header = net::HeaderOf(headers, "Link");
  std::string_view rest = header;
  const std::string wanted = "rel=\"" + std::string(rel) + "\"";
  while (true) {
    const size_t start = rest.find('<'), end = rest.find('>');
    if (start == std::string_view::npos || end == std::string_view::npos || end < start) return "";
    const std::string_view url = rest.substr(start + 1, end - start - 1);
    rest.remove_prefix(end + 1);
    const std::string_view attributes = rest.substr(0, rest.find('<'));
    if (attributes.find(wanted) == std::string_view::npos) continue;
    // An id is letters and digits; anything else is none of ours to send back.
    std::string value = QueryValue(url, parameter);
    const bool plain =
        value.size() <= 64 && std::all_of(value.begin(), value.end(), [](char c) {
          return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
        });
    return plain ? value : "";
  }
}

bool IsOlderId(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace parvis::networks
