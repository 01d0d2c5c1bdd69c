// What LinkedIn answers with: posts, comments, pages and errors, and how its parameters and texts are written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

struct LinkedinError {
  int status = 400;
  std::string message;
  std::string code;           // "" = left out, as by older endpoints
  int64_t service_code = -1;  // -1 = left out
  std::string field;          // of the body: makes errorDetails
};
net::HttpResponse LinkedinRefusal(const LinkedinError& error);
net::HttpResponse LinkedinGone(std::string_view what);
net::HttpResponse LinkedinFailed(const Status& status);
net::HttpResponse LinkedinEmpty(int status);  // no body
// The words of Rest.li's validation: "ERROR :: /author :: field is required but not found and has no default value".
net::HttpResponse LinkedinInvalid(std::string_view field, std::string_view what);
// nullopt when `body` is an object with all of `required` and nothing but `known`.
std::optional<net::HttpResponse> LinkedinCheck(const Json& body, const std::vector<std::string_view>& required,
                                               const std::vector<std::string_view>& known);

// The member at the end of `names`, or null: LinkedinAt(body, {"patch", "$set", "commentary"}).
Json LinkedinAt(const Json& json, std::initializer_list<const char*> names);

Json LinkedinPost(const Item& item);

// The part of a list that `start` and `count` ask for.
struct LinkedinPaging {
  int64_t start = 0, count = 10;
};
std::optional<LinkedinPaging> ReadPaging(const Request& request, int64_t count_max);
// `all` in order; `paths`: of the link to the next page. An empty page (a fault) leads to where it began.
net::HttpResponse LinkedinPage(const Request& request, const LinkedinPaging& paging, size_t total, Json elements,
                               bool empty);

// The members of `name=List(a%3Ab,c)` in a raw query, decoded; nullopt when it is there and no list.
std::optional<std::vector<std::string>> LinkedinList(std::string_view query, std::string_view name);

// Little text (facts 5.2) as readers see it: escapes undone, mentions and hashtags as their names; cut at what is
// reserved and not escaped.
std::string LittleTextShown(std::string_view commentary);

}  // namespace parvis::sandbox
