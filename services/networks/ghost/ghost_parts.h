// What writing, reading back and polling share. Internal to the connector.
#pragma once

#include <string>

#include "networks/ghost/ghost.h"

namespace parvis::networks {

// The only one in a list {"posts": [{...}]}, which is how Ghost wraps everything; null when there is none.
const Json& GhostOnly(const Json& answer, const char* collection);
// 'text' as a literal of NQL, Ghost's filter language: quotes and backslashes are escaped.
std::string GhostLiteral(std::string_view text);
// A time in a filter: UTC, whole seconds, as the database has them.
std::string GhostTime(absl::Time time);
// Whether `id` can be one of Ghost's: 24 hexadecimal digits. Others are refused by the site with a 422.
bool IsGhostId(std::string_view id);
// The key of a delivery, in a field of the post that ends up below the page's body: a comment of HTML, which nobody
// sees.
std::string GhostMarker(const std::string& key);
// The text, and the link where the text does not name it, as paragraphs of HTML.
std::string GhostHtml(const Draft& draft);
// Where the next page is, from {"meta": {"pagination": {"next": 2}}}; 0 when this was the last.
int64_t GhostNextPage(const Json& answer);

}  // namespace parvis::networks
