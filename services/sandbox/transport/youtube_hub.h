// The WebSub hub of YouTube's feeds, pubsubhubbub.appspot.com (facts 4.4, https://www.w3.org/TR/websub/): POST
// /youtube/subscribe. Subscriptions are targets of the webhooks, which tell them.
#pragma once

#include "sandbox/network/webhooks.h"
#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe, without state of its own. A subscriber is asked once, after it has been answered 202.
class YoutubeHub : public Face {
 public:
  YoutubeHub(Context& context, Webhooks& webhooks) : context_(context), webhooks_(webhooks) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  void Verify(bool subscribe, const std::string& query, const std::string& challenge, absl::Duration lease,
              WebhookTarget target);

  Context& context_;
  Webhooks& webhooks_;
};

}  // namespace parvis::sandbox
