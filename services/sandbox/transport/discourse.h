// A forum that speaks Discourse's API (facts 9): /discourse/<number of the user>/posts.json ; every account is the one
// user of a forum of its own, and on its staff.
#pragma once

#include <optional>
#include <string>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe.
class Discourse : public Face {
 public:
  explicit Discourse(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  struct Asked {
    const Request& request;
    AccountPtr forum;
    std::vector<std::string> path;  // behind the forum's base, without ".json"
    std::string base;
  };
  using Perform = std::function<net::HttpResponse(Answer)>;
  Reply Route(const Asked& asked);
  std::optional<Reply> RouteTopics(const Asked& asked);
  std::optional<Reply> RoutePosts(const Asked& asked);
  std::optional<Reply> RouteStaff(const Asked& asked);
  Reply Guarded(const Asked& asked, std::string_view operation, const Perform& perform);
  net::HttpResponse TooMany(absl::Duration wait) const;

  // discourse_posts.cc
  net::HttpResponse CreatePost(const Asked& asked, Answer answer);
  net::HttpResponse CreateTopic(const Asked& asked, Answer answer);
  net::HttpResponse CreateReply(const Asked& asked, Answer answer);
  net::HttpResponse Stored(const Asked& asked, const StatusOr<ItemPtr>& item);
  net::HttpResponse EditPost(const Asked& asked, Answer answer);
  net::HttpResponse DeletePost(const Asked& asked, Answer answer);
  net::HttpResponse Rename(const Asked& asked, Answer answer);
  net::HttpResponse Upload(const Asked& asked, Answer answer);

  // discourse_read.cc
  net::HttpResponse Latest(const Asked& asked, Answer answer);
  net::HttpResponse ShowPost(const Asked& asked);
  net::HttpResponse ShowTopic(const Asked& asked, const std::string& id, const std::string& number);
  net::HttpResponse TopicPosts(const Asked& asked);
  net::HttpResponse ByExternalId(const Asked& asked);
  net::HttpResponse Topics(const Asked& asked, Answer answer);
  net::HttpResponse Notifications(const Asked& asked, Answer answer);
  net::HttpResponse Profile(const Asked& asked);
  net::HttpResponse Categories(const Asked& asked);

  // discourse_staff.cc
  net::HttpResponse SetTopicStatus(const Asked& asked, Answer answer);
  net::HttpResponse Act(const Asked& asked, Answer answer);
  net::HttpResponse Unlike(const Asked& asked);
  net::HttpResponse Sanction(const Asked& asked, Answer answer);
  net::HttpResponse Reviewables(const Asked& asked, Answer answer);
  net::HttpResponse ShowReviewable(const Asked& asked);
  net::HttpResponse Review(const Asked& asked, Answer answer);
  net::HttpResponse Withdraw(const Asked& asked, Answer answer);
  net::HttpResponse Pending(const Asked& asked);

  // Posts, not what waits in the queue; deleted ones too. nullptr when there is none in this forum.
  ItemPtr PostOf(const Asked& asked, const std::string& id) const;
  ItemPtr TopicOf(const Asked& asked, const std::string& topic_id) const;  // its first post
  std::vector<ItemPtr> StreamOf(const ItemPtr& first) const;               // all posts of a topic, oldest first
  ItemPtr Queued(const Asked& asked, const std::string& id) const;
  std::vector<ItemPtr> Queue(const Asked& asked, std::string_view status) const;  // oldest first
  // The newest posts with a number below `before`, newest first.
  std::vector<ItemPtr> Below(const Asked& asked, int64_t before, int limit) const;
  Json Shown(const Asked& asked, const Item& item, bool raw) const;
  WriteContext Us(const Asked& asked, Answer answer) const;

  Context& context_;
};

}  // namespace parvis::sandbox
