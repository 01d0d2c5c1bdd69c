// HTTP messages, as our server and client see them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"

namespace parvis::net {

// Header names compare without case (RFC 9110 §5.1).
struct CaselessLess { using is_transparent = void; bool operator()(std::string_view a, std::string_view b) const; };
using Headers = std::map<std::string, std::string, CaselessLess>;
std::string HeaderOf(const Headers& headers, std::string_view name);   // "" without it

// application/x-www-form-urlencoded and URL parts (RFC 3986).
std::string UrlEncode(std::string_view text);                 // everything but unreserved is %XX
StatusOr<std::string> UrlDecode(std::string_view text, bool plus_is_space);   // INVALID_ARGUMENT BAD_ESCAPE
std::string FormEncode(const std::vector<std::pair<std::string, std::string>>& fields);
std::map<std::string, std::string> ParseQuery(std::string_view query);   // last one wins; malformed parts are left out

}  // namespace parvis::net
