// A site that speaks the Admin API of Ghost 6: /ghost/<site>/ghost/api/admin/... ; the key is an integration's. The
// site has one newsletter, "default-newsletter", and its members are whoever has written there, besides the one that is
// named with the key.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sandbox/transport/ghost_filter.h"
#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe.
class Ghost : public Face {
 public:
  explicit Ghost(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  struct Asked {
    const Request& request;
    AccountPtr site;
    std::vector<std::string> path;  // behind /ghost/api/admin
    const std::string& method() const { return request.http.method; }
  };
  using Perform = std::function<net::HttpResponse(Answer)>;
  Reply Guarded(const Asked& asked, std::string_view operation, const Perform& perform);
  Reply Route(const Asked& asked);
  Reply RoutePosts(const Asked& asked);
  Reply RouteComments(const Asked& asked);
  Reply RouteMembers(const Asked& asked);
  // nullptr when the token is right; else the refusal.
  std::unique_ptr<net::HttpResponse> SignIn(const net::HttpRequest& http, const Account& site) const;

  net::HttpResponse Site(const Asked& asked) const;
  net::HttpResponse Browse(const Asked& asked, const char* collection, Answer answer);
  net::HttpResponse CreatePost(const Asked& asked, Answer answer);
  net::HttpResponse EditPost(const Asked& asked, Answer answer);
  net::HttpResponse DeletePost(const Asked& asked, Answer answer);
  net::HttpResponse Upload(const Asked& asked, Answer answer);
  net::HttpResponse CreateComment(const Asked& asked, Answer answer);
  net::HttpResponse EditComment(const Asked& asked, Answer answer);
  net::HttpResponse Members(const Asked& asked) const;
  net::HttpResponse Commenting(const Asked& asked, Answer answer);

  std::vector<std::string> MemberIds(const Asked& asked) const;
  Json ShownMember(const Asked& asked, const std::string& id) const;
  ItemPtr Find(const Asked& asked, const std::string& id, Item::Kind kind) const;
  Json Shown(const Asked& asked, const Item& item) const;
  WriteContext Us(const Asked& asked, Answer answer) const;

  Context& context_;
};

}  // namespace parvis::sandbox
