#include <map>

#include "sandbox/network/discourse_webhooks.h"
#include "sandbox/network/facebook_webhooks.h"
#include "sandbox/network/feed_webhooks.h"
#include "sandbox/network/ghost_webhooks.h"
#include "sandbox/network/instagram_webhooks.h"
#include "sandbox/network/linkedin_webhooks.h"
#include "sandbox/network/style.h"
#include "sandbox/network/x_webhooks.h"
#include "sandbox/network/youtube_webhooks.h"

namespace parvis::sandbox {

const WebhookStyle* StyleOf(Network network) {
  static const auto* const styles = new std::map<Network, const WebhookStyle*>{
      {Network::kFacebook, new FacebookWebhooks},
      {Network::kX, new XWebhooks},
      {Network::kLinkedin, new LinkedinWebhooks},
      {Network::kDiscourse, new DiscourseWebhooks},
      {Network::kInstagram, new InstagramWebhooks},
      {Network::kYoutube, new YoutubeWebhooks},
      {Network::kGhost, new GhostWebhooks},
      {Network::kFeed, new FeedWebhooks},
  };
  const auto it = styles->find(network);
  return it == styles->end() ? nullptr : it->second;
}

std::string DumpJson(const nlohmann::json& json, bool ascii) {
  return json.dump(-1, ' ', ascii, nlohmann::json::error_handler_t::replace);
}

}  // namespace parvis::sandbox
