// What the API of X answers with: tweets cut down to the asked fields, users, and problems (RFC 7807).
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

std::set<std::string> XFields(std::string_view fields);  // comma-separated
std::string XTime(absl::Time time);                      // "2026-11-22T18:50:06.000Z"
Json XTweet(const Item& item, const std::set<std::string>& fields);
Json XUser(std::string_view id, std::string_view name, std::string_view handle);

struct XProblem {
  int status = 400;
  std::string type = "about:blank";  // or the name behind https://api.x.com/2/problems/
  std::string title, detail;
};
net::HttpResponse XProblemResponse(const XProblem& problem);
net::HttpResponse XInvalid(std::string_view parameter, std::string_view value, std::string_view message);
// An entry of errors[] in an answer with status 200.
Json XMissing(std::string_view id, std::string_view parameter);

}  // namespace parvis::sandbox
