// A site's feed (fact sheet, section 11): what others published about an account, newest first. /feed/<id> is RSS 2.0,
// /feed/<id>/atom Atom (RFC 4287), /feed/<id>/json JSON Feed 1.1. Conditional GET by ETag and Last-Modified (RFC 9110
// §13).
#pragma once

#include <string>
#include <vector>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

inline constexpr int kFeedItems = 500;  // that a feed shows

// Thread-safe.
class FeedFace : public Face {
 public:
  explicit FeedFace(Context& context) : context_(context) {}
  Reply Handle(const net::HttpRequest& http) override;

 private:
  net::HttpResponse Show(const Request& request, const AccountPtr& site, const std::string& format, Answer answer);

  Context& context_;
};

}  // namespace parvis::sandbox
