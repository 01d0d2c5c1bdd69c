// The simulated networks, by the first segment of the path.
#include "sandbox/network/feed_rss.h"
#include "sandbox/transport/blog.h"
#include "sandbox/transport/bluesky.h"
#include "sandbox/transport/discourse.h"
#include "sandbox/transport/facebook.h"
#include "sandbox/transport/feed.h"
#include "sandbox/transport/ghost.h"
#include "sandbox/transport/hub.h"
#include "sandbox/transport/instagram.h"
#include "sandbox/transport/jetstream.h"
#include "sandbox/transport/linkedin.h"
#include "sandbox/transport/mastodon.h"
#include "sandbox/transport/nodebb.h"
#include "sandbox/transport/oauth.h"
#include "sandbox/transport/x.h"
#include "sandbox/transport/youtube.h"

namespace parvis::sandbox {

std::vector<Served> MakeFaces(Context& context, OAuth& oauth, Webhooks& webhooks) {
  std::vector<Served> out = MakeOAuthFaces(context, oauth);  // first: these lie below others' prefixes
  out.push_back({kYoutubeHub, Network::kYoutube, MakeYoutubeHub(context, webhooks)});
  out.push_back({kFeedHub, Network::kFeed, MakeFeedHub(context, webhooks)});
  out.push_back({"/facebook", Network::kFacebook, std::make_unique<Facebook>(context)});
  out.push_back({"/x", Network::kX, std::make_unique<X>(context)});
  out.push_back({"/blog", Network::kBlog, std::make_unique<Blog>(context)});
  out.push_back({"/bluesky", Network::kBluesky, std::make_unique<Bluesky>(context)});
  out.push_back({"/linkedin", Network::kLinkedin, std::make_unique<Linkedin>(context)});
  out.push_back({"/mastodon", Network::kMastodon, std::make_unique<Mastodon>(context)});
  out.push_back({"/feed", Network::kFeed, std::make_unique<FeedFace>(context)});
  out.push_back({"/discourse", Network::kDiscourse, std::make_unique<Discourse>(context)});
  out.push_back({"/nodebb", Network::kNodebb, std::make_unique<Nodebb>(context)});
  out.push_back({"/instagram", Network::kInstagram, std::make_unique<Instagram>(context)});
  out.push_back({"/youtube", Network::kYoutube, std::make_unique<Youtube>(context)});
  out.push_back({"/ghost", Network::kGhost, std::make_unique<Ghost>(context)});
  out.push_back({"/jetstream", Network::kBluesky, std::make_unique<Jetstream>(context)});
  return out;
}

}  // namespace parvis::sandbox
