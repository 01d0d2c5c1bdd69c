// The Graph API of Instagram's professional accounts, as the fact sheet (section 2) describes it: /instagram/v23.0/...
#pragma once

#include <string>
#include <vector>

#include "sandbox/transport/graph.h"

namespace parvis::sandbox {

// Thread-safe: all state is the Context's. A container is a medium of the account, a published one a post.
class Instagram : public Graph {
 public:
  explicit Instagram(Context& context)
      : Graph(context, {.network = Network::kInstagram,
                        .prefix = "/instagram",
                        .endpoint = "user",
                        .usage = "instagram",
                        .platform = "instagram",
                        .uploads = "ig-api-upload",
                        .limit_code = 80002}) {}
  // What a container shows (instagram_publish.cc).
  std::vector<std::string> Fetches(const net::HttpRequest& http) const override;

 protected:
  Reply Route(const Asked& asked) override;

 private:
  Reply RouteUser(const Asked& asked);
  Reply RouteObject(const Asked& asked);
  net::HttpResponse Identity(const Asked& asked);
  net::HttpResponse MentionedFields(const Asked& asked, Json* json);

  // Containers and publishing (instagram_publish.cc).
  net::HttpResponse MakeContainer(const Asked& asked, Answer answer);
  net::HttpResponse Publish(const Asked& asked, Answer answer);
  net::HttpResponse PublishingLimit(const Asked& asked);
  net::HttpResponse ReadContainer(const Asked& asked, const Item& container);
  // IN_PROGRESS, FINISHED, ERROR, EXPIRED or PUBLISHED. `look`: this question counts as one.
  std::string StatusOf(const Asked& asked, const Item& container, bool look);
  std::optional<net::HttpResponse> CheckChildren(const Asked& asked, const std::vector<std::string>& children);

  // Media and comments (instagram_media.cc, instagram_comments.cc).
  net::HttpResponse Media(const Asked& asked, Answer answer);
  net::HttpResponse Tags(const Asked& asked, Answer answer);
  net::HttpResponse ReadObject(const Asked& asked);
  net::HttpResponse MediaInsights(const Asked& asked);
  net::HttpResponse Comments(const Asked& asked, Answer answer);
  net::HttpResponse Replies(const Asked& asked, Answer answer);
  net::HttpResponse Comment(const Asked& asked, Answer answer);
  net::HttpResponse Mention(const Asked& asked, Answer answer);
  net::HttpResponse Write(const Asked& asked, Answer answer, const std::string& parent);
  net::HttpResponse Hide(const Asked& asked, Answer answer);
  net::HttpResponse EnableComments(const Asked& asked, Answer answer);
  net::HttpResponse Remove(const Asked& asked, Answer answer);
  int64_t CountOfComments(const Item& item) const;
  // A comment with the replies that were asked for along with it.
  Json Rendered(const Asked& asked, const Item& comment, const std::string& fields);
};

}  // namespace parvis::sandbox
