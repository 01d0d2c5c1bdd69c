// The Graph API of Facebook Pages, as the fact sheet (section 1) describes it: /facebook/v23.0/...
#pragma once

#include <set>
#include <string>

#include "sandbox/transport/graph.h"

namespace parvis::sandbox {

// Thread-safe: all state is the Context's.
class Facebook : public Graph {
 public:
  explicit Facebook(Context& context)
      : Graph(context, {.network = Network::kFacebook,
                        .prefix = "/facebook",
                        .endpoint = "page",
                        .usage = "pages",
                        .platform = "messenger",
                        .uploads = "video-upload",
                        .limit_code = 80001}) {}

 protected:
  Reply Route(const Asked& asked) override;

 private:
  Reply RouteObject(const Asked& asked);
  Reply RoutePage(const Asked& asked);
  Reply RouteVideo(const Asked& asked);
  net::HttpResponse Identity(const Asked& asked);
  net::HttpResponse MyAccounts(const Asked& asked);
  net::HttpResponse Publish(const Asked& asked, Answer answer);
  net::HttpResponse Photo(const Asked& asked, Answer answer);
  net::HttpResponse Feed(const Asked& asked, Answer answer);
  net::HttpResponse Comments(const Asked& asked, Answer answer);
  net::HttpResponse Comment(const Asked& asked, Answer answer);
  net::HttpResponse Update(const Asked& asked, Answer answer);
  net::HttpResponse Remove(const Asked& asked, Answer answer);
  net::HttpResponse ReadObject(const Asked& asked);
  net::HttpResponse Listed(const Asked& asked, const Page& page);
  net::HttpResponse Block(const Asked& asked, bool block, Answer answer);
  net::HttpResponse Blocked(const Asked& asked);

  // Videos, reels and stories (facebook_video.cc).
  net::HttpResponse SimpleVideo(const Asked& asked, Answer answer);
  net::HttpResponse StartVideo(const Asked& asked, Answer answer, const char* kind);
  net::HttpResponse TransferVideo(const Asked& asked);
  net::HttpResponse FinishVideo(const Asked& asked, Answer answer);
  net::HttpResponse FinishReel(const Asked& asked, Answer answer);
  net::HttpResponse PhotoStory(const Asked& asked, Answer answer);
  net::HttpResponse Reels(const Asked& asked, Answer answer);
  net::HttpResponse Stories(const Asked& asked, Answer answer);
  net::HttpResponse Thumbnail(const Asked& asked);
  net::HttpResponse ReadMedia(const Item& media, const std::set<std::string>& fields);
  // The post of a medium that is published now.
  StatusOr<ItemPtr> PublishMedia(const Asked& asked, Answer answer, const Item& media);
  ItemPtr Session(const Asked& asked) const;
};

}  // namespace parvis::sandbox
