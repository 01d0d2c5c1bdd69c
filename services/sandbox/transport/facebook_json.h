// What the Graph API answers with: objects cut down to the asked fields, and errors.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

// The names at the top of `fields=id,from{name},comments.summary(true).limit(0)`: id, from, comments.
std::set<std::string> FacebookFields(std::string_view fields);
// "2026-11-22T18:50:06+0000"
std::string FacebookTime(absl::Time time);

Json FacebookPage(const Account& account, const std::set<std::string>& fields);
struct FacebookCounts {
  int64_t comments = 0;
};
Json FacebookPost(const Item& item, const std::set<std::string>& fields, const FacebookCounts& counts);
Json FacebookComment(const Item& item, const std::set<std::string>& fields, const FacebookCounts& counts);

struct FacebookError {
  int http_status = 400;
  int code = 1;
  int subcode = 0;
  std::string message;
  std::string type = "OAuthException";
  bool transient = false;
};
net::HttpResponse FacebookErrorResponse(const FacebookError& error);

}  // namespace parvis::sandbox
