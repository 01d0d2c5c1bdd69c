// A blog that speaks the REST API of WordPress, version 2, as the fact sheet (section 8) describes it:
// /blog/<slug>/wp-json/wp/v2/... ; without a slug the site of the signed-in user, else the first one.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// Thread-safe.
class Blog : public Face {
 public:
  explicit Blog(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  struct Asked {
    const Request& request;
    AccountPtr site;
    bool signed_in = false;
    std::string collection;  // "posts", "comments", "media", "users"
    std::string id;          // "" for the collection
  };
  Reply Route(const Asked& asked);
  Reply Discover(const Request& request, const AccountPtr& site);
  net::HttpResponse Me(const Asked& asked);
  net::HttpResponse ListPosts(const Asked& asked);
  net::HttpResponse CreatePost(const Asked& asked, Answer answer);
  net::HttpResponse ReadPost(const Asked& asked);
  net::HttpResponse UpdatePost(const Asked& asked, Answer answer);
  net::HttpResponse Upload(const Asked& asked, Answer answer);
  net::HttpResponse ReadMedia(const Asked& asked);
  net::HttpResponse ListComments(const Asked& asked);
  net::HttpResponse CreateComment(const Asked& asked, Answer answer);
  net::HttpResponse ReadComment(const Asked& asked);
  net::HttpResponse UpdateComment(const Asked& asked, Answer answer);
  net::HttpResponse Remove(const Asked& asked, Answer answer);

  ItemPtr Target(const Asked& asked, Item::Kind kind) const;
  WriteContext Us(const Asked& asked, Answer answer) const;
  std::string SlugFor(const Asked& asked, const std::string& wanted) const;
  Json Shown(const Asked& asked, const Item& item) const;
  // Page and per_page, `after`, `before`, `order`, and the X-WP headers.
  net::HttpResponse Paged(const Asked& asked, World::List list, bool fail_beyond_end,
                          const std::function<bool(const Item&)>& filter);

  Context& context_;
};

}  // namespace parvis::sandbox
