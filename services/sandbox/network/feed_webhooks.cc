#include "sandbox/network/feed_webhooks.h"

#include <algorithm>

#include "sandbox/domain/cat.h"
#include "sandbox/network/feed_rss.h"
#include "sandbox/network/signature.h"

namespace parvis::sandbox {
namespace {

FeedShown Shown(const StyleSettings& settings, const AccountPtr& site) {
  const std::string url = Cat(settings.origin, "/feed/", site->id);
  return {site, url, url, Cat(settings.origin, kFeedHub), {}, absl::UnixEpoch()};
}

}  // namespace

bool FeedWebhooks::Tells(const Notice& notice) const {
  return !notice.item->hidden && (notice.kind == Notice::Kind::kAdd || notice.kind == Notice::Kind::kEdit);
}

// A target is told of one feed only.
bool FeedWebhooks::Together(const StyleSettings&, const Notice&, const Notice&) const { return true; }

std::string FeedWebhooks::Body(const StyleSettings& settings, const std::vector<Notice>& notices, absl::Time) const {
  FeedShown shown = Shown(settings, notices.front().account);
  for (const Notice& notice : notices) {
    shown.items.push_back(notice.item);
    shown.changed = std::max(shown.changed, notice.item->changed);
  }
  return Rss(shown);
}

std::string FeedWebhooks::Odd(const StyleSettings& settings, const Notice& like, absl::Time) const {
  return Cat("<?xml version=\"1.0\"?>\n<rss version=\"3.1\" xmlns:new=\"http://example.com/2031\"><channel><title>",
             Xml(like.account->name), "</title><link>", settings.origin,
             "</link><new:hologram depth=\"3\"><new:part/>🛸</new:hologram></channel></rss>\n");
}

void FeedWebhooks::Dress(const StyleSettings& settings, const std::string& body, const Notice& like,
                         net::Headers* headers) const {
  const std::string method = settings.shape.empty() ? "sha256" : settings.shape;
  const FeedShown shown = Shown(settings, like.account);
  (*headers)["Content-Type"] = "application/rss+xml; charset=UTF-8";
  (*headers)["Link"] = Cat("<", shown.url, ">; rel=\"self\", <", shown.hub, ">; rel=\"hub\"");
  if (settings.secret.empty()) return;  // a subscriber need not give one
  (*headers)["X-Hub-Signature"] = Cat(method, "=", HmacHexBy(method, settings.secret, body));
}

// Who subscribes is asked before it is a target (transport/hub.h).
std::optional<Challenge> FeedWebhooks::MakeChallenge(const StyleSettings&, Rng&) const { return std::nullopt; }
bool FeedWebhooks::Answered(const std::string&, const std::string&) const { return false; }

}  // namespace parvis::sandbox
