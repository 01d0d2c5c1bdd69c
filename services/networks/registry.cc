#include "networks/bluesky/bluesky.h"
#include "networks/connector.h"
#include "networks/discourse/discourse.h"
#include "networks/facebook/facebook.h"
#include "networks/feed/feed.h"
#include "networks/ghost/ghost.h"
#include "networks/instagram/instagram.h"
#include "networks/linkedin/linkedin.h"
#include "networks/mastodon/mastodon.h"
#include "networks/nodebb/nodebb.h"
#include "networks/wordpress/wordpress.h"
#include "networks/x/x.h"
#include "networks/youtube/youtube.h"

namespace parvis::networks {

std::map<std::string, std::unique_ptr<Connector>> MakeConnectors(net::HttpClient& http, const Clock& clock,
                                                                 const Streaming& streaming) {
  std::map<std::string, std::unique_ptr<Connector>> out;
  const auto add = [&](std::unique_ptr<Connector> connector) {
    std::string name = connector->capabilities().network;
    out.emplace(std::move(name), std::move(connector));
  };
  add(std::make_unique<FacebookConnector>(http, clock));
  add(std::make_unique<XConnector>(http, clock, streaming));
  add(std::make_unique<WordPressConnector>(http, clock));
  add(std::make_unique<DiscourseConnector>(http, clock));
  add(std::make_unique<LinkedInConnector>(http, clock));
  add(std::make_unique<NodeBbConnector>(http, clock));
  add(std::make_unique<BlueskyConnector>(http, clock, streaming));
  add(std::make_unique<InstagramConnector>(http, clock));
  add(std::make_unique<YouTubeConnector>(http, clock));
  add(std::make_unique<FeedConnector>(http, clock));
  add(std::make_unique<MastodonConnector>(http, clock, streaming.client));
  add(std::make_unique<GhostConnector>(http, clock));
  return out;
}

}  // namespace parvis::networks
