// WebSub hubs (https://www.w3.org/TR/websub/): POST /youtube/subscribe for YouTube's feeds, as pubsubhubbub.appspot.com (facts
// 4.4), and POST /feed/hub for those of /feed. Subscriptions are targets of the webhooks, which tell them.
#pragma once

#include <memory>

#include "sandbox/network/webhooks.h"
#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe, without state of its own. A subscriber is asked once, after it has been answered 202.
class Hub : public Face {
 public:
  // The id of the account whose feed a topic is; "" where it is none of this hub's.
  using AccountOf = std::string (*)(Context& context, const Request& request, const std::string& topic);
  Hub(Context& context, Webhooks& webhooks, Network network, std::string prefix, AccountOf account_of)
      : context_(context), webhooks_(webhooks), network_(network), prefix_(std::move(prefix)), account_of_(account_of) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  net::HttpResponse Accept(const Request& request, const std::string& account, absl::Duration lease);
  void Verify(bool subscribe, const std::string& query, const std::string& challenge, absl::Duration lease,
              WebhookTarget target);

  Context& context_;
  Webhooks& webhooks_;
  const Network network_;
  const std::string prefix_;
  const AccountOf account_of_;
};

inline constexpr char kYoutubeHub[] = "/youtube/subscribe";   // the other one's: kFeedHub (network/feed_rss.h)
std::unique_ptr<Face> MakeYoutubeHub(Context& context, Webhooks& webhooks);
std::unique_ptr<Face> MakeFeedHub(Context& context, Webhooks& webhooks);

}  // namespace parvis::sandbox
