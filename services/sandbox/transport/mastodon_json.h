// What Mastodon's answers are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

net::HttpResponse MastodonError(int status, std::string_view message);
net::HttpResponse MastodonInvalid(std::string_view message);  // 422 Validation failed: ...
net::HttpResponse MastodonGone();                             // 404 Record not found

std::string MastodonTime(absl::Time time);
Json MastodonAccount(std::string_view id, std::string_view name, std::string_view handle, const std::string& base);
Json MastodonMedia(const Item& media, const std::string& base);
// The text as HTML: paragraphs, links, mentions.
std::string MastodonHtml(std::string_view text);
// Characters as they count: graphemes, a link 23, of a mention only the name (facts 0.3).
size_t MastodonLength(std::string_view text);
// Ids are compared by length, then as text.
bool NewerId(std::string_view id, std::string_view than);

// A list among the parameters: `name[]=a&name[]=b` in query, form or multipart, or an array of JSON's.
std::vector<std::string> ListOf(const Request& request, const char* name);
bool IsTrue(std::string_view text);

}  // namespace parvis::sandbox
