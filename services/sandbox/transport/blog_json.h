// What the blog answers with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sandbox/transport/web.h"

namespace parvis::sandbox {

net::HttpResponse BlogError(int status, std::string_view code, std::string_view message);

// Times of a blog have no zone: `date` is the site's time, `date_gmt` is UTC ("2026-11-22T18:50:06").
std::string BlogTime(absl::Time time, int offset_minutes);
// Reads such a time; one that names its zone ("Z", "+02:00") is taken by its word. nullopt when it is neither.
std::optional<absl::Time> ParseBlogTime(const std::string& text, int offset_minutes);

// "<p>a &lt; b</p>\n", as the_content() makes of plain text.
std::string BlogHtml(std::string_view text);

Json BlogPost(const Item& item, const Account& site, std::string_view base_url, absl::Time now, bool edit);
Json BlogComment(const Item& item, const Account& site, std::string_view base_url, bool edit);
Json BlogMedia(const Item& item, const Account& site, std::string_view base_url);

// The status a reader sees: a scheduled post whose time has come is published.
std::string BlogStatus(const Item& item, absl::Time now);

}  // namespace parvis::sandbox
