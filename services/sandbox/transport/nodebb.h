// A forum that speaks NodeBB's API (facts 10): /nodebb/<uid>/api/... is read, /nodebb/<uid>/api/v3/... is written;
// every account is the one user of a forum of its own, and a global moderator there.
#pragma once

#include <optional>
#include <string>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe.
class Nodebb : public Face {
 public:
  explicit Nodebb(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  struct Asked {
    const Request& request;
    AccountPtr forum;
    std::vector<std::string> path;  // behind "api", or behind "v3"
  };
  using Perform = std::function<net::HttpResponse(Answer)>;
  Reply Guarded(const Asked& asked, std::string_view operation, const Perform& perform);
  Reply RouteRead(const Asked& asked);
  Reply RouteWrite(const Asked& asked);
  std::optional<Reply> RouteTopics(const Asked& asked);
  std::optional<Reply> RoutePosts(const Asked& asked);

  // nodebb_read.cc
  net::HttpResponse Self(const Asked& asked);
  net::HttpResponse RecentPosts(const Asked& asked, Answer answer);
  net::HttpResponse Topics(const Asked& asked, Answer answer);
  net::HttpResponse ShowTopic(const Asked& asked);
  net::HttpResponse PostQueue(const Asked& asked, Answer answer);
  net::HttpResponse Person(const Asked& asked, const std::string& uid, const std::string& handle, bool envelope);
  net::HttpResponse Categories(const Asked& asked);
  net::HttpResponse ShowPost(const Asked& asked);

  // nodebb_write.cc
  net::HttpResponse CreateTopic(const Asked& asked, Answer answer);
  net::HttpResponse CreateReply(const Asked& asked, Answer answer);
  net::HttpResponse Stored(const Asked& asked, const StatusOr<ItemPtr>& item);
  net::HttpResponse EditPost(const Asked& asked, Answer answer);
  net::HttpResponse SetRemoved(const Asked& asked, Answer answer);
  net::HttpResponse Purge(const Asked& asked, Answer answer);
  net::HttpResponse SetTopic(const Asked& asked, Answer answer);
  net::HttpResponse Vote(const Asked& asked);
  net::HttpResponse Sanction(const Asked& asked, Answer answer);
  net::HttpResponse Flag(const Asked& asked, Answer answer);
  net::HttpResponse Review(const Asked& asked, Answer answer);
  net::HttpResponse Upload(const Asked& asked, Answer answer);

  ItemPtr PostOf(const Asked& asked, const std::string& pid) const;
  ItemPtr TopicOf(const Asked& asked, const std::string& tid) const;
  ItemPtr Target(const Asked& asked) const;  // of /posts/{pid}/.. or, by its number, /topics/{tid}/..
  std::vector<ItemPtr> StreamOf(const ItemPtr& first) const;
  int64_t Replies(const Item& item) const;
  bool Knows(const Asked& asked, const std::string& uid) const;
  WriteContext Us(const Asked& asked, Answer answer) const;

  Context& context_;
};

}  // namespace parvis::sandbox
