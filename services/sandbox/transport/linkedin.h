// LinkedIn's versioned REST API for organisations, as the fact sheet (section 5) describes it: /linkedin/rest/..., and
// the addresses that media are uploaded to: /linkedin/dms-uploads/...
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe: all state is the Context's.
class Linkedin : public Face {
 public:
  explicit Linkedin(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  struct Asked {
    const Request& request;
    AccountPtr account;             // whom the token belongs to
    std::string method;             // GET, POST, PUT, DELETE, or PARTIAL_UPDATE
    std::vector<std::string> path;  // behind "rest": {"socialActions", "urn:li:share:1", "comments"}
    std::string query;              // raw; that of a tunnelled GET too
    std::string At(size_t i) const { return i < path.size() ? path[i] : ""; }
  };
  using Perform = std::function<net::HttpResponse(Answer)>;
  Reply Route(const Asked& asked);
  Reply RoutePosts(const Asked& asked);
  Reply RouteSocial(const Asked& asked);
  Reply RouteMedia(const Asked& asked);
  Reply RouteRest(const Asked& asked);
  Reply Guarded(const Asked& asked, std::string_view operation, const char* endpoint, const Perform& perform);

  net::HttpResponse Publish(const Asked& asked, Answer answer);
  net::HttpResponse EditPost(const Asked& asked, Answer answer);
  net::HttpResponse RemovePost(const Asked& asked, Answer answer);
  net::HttpResponse ReadPost(const Asked& asked);
  net::HttpResponse FindPosts(const Asked& asked, Answer answer);
  // A refusal, or nullopt when all that is attached is there, ours and ready; its ids come back in `media`.
  std::optional<net::HttpResponse> CheckContent(const Asked& asked, const Json& content, std::string* media);

  net::HttpResponse Comments(const Asked& asked, Answer answer);
  net::HttpResponse ReadComment(const Asked& asked);
  net::HttpResponse WriteComment(const Asked& asked, Answer answer);
  net::HttpResponse EditComment(const Asked& asked, Answer answer);
  net::HttpResponse RemoveComment(const Asked& asked, Answer answer);
  net::HttpResponse SocialSummary(const Asked& asked);
  net::HttpResponse Metadata(const Asked& asked);
  net::HttpResponse SetCommentsState(const Asked& asked, bool closed, Answer answer);

  net::HttpResponse InitializeUpload(const Asked& asked, const std::string& kind, Answer answer);
  net::HttpResponse FinalizeUpload(const Asked& asked);
  net::HttpResponse ReadMedia(const Asked& asked);
  Reply Upload(const Request& request);

  net::HttpResponse Organization(const Asked& asked);
  net::HttpResponse NetworkSize(const Asked& asked);
  net::HttpResponse Acls(const Asked& asked, Answer answer);
  net::HttpResponse ShareStatistics(const Asked& asked);

  // What a URN names: a post by its own or its activity's URN, or a comment; nullptr when there is no such thing (any
  // more).
  ItemPtr Find(std::string_view urn, bool deleted_too = false) const;
  ItemPtr CommentAt(const Asked& asked, bool deleted_too = false) const;  // socialActions/{urn}/comments/{id}
  int64_t CommentsBelow(const Item& item, bool all_levels) const;
  Json CommentJson(const Item& item) const;
  WriteContext Us(const Asked& asked, Answer answer) const;

  Context& context_;
};

}  // namespace parvis::sandbox
