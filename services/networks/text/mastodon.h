// How Mastodon counts a text (facts 0.3; app/validators/status_length_validator.rb): a link with a scheme counts 23, of a
// mention on another server only "@user" counts, everything else by grapheme clusters.
#pragma once

#include <string_view>

namespace parvis::networks::text {

// Add the length of the content warning, which counts as well.
int MastodonLength(std::string_view text);

}  // namespace parvis::networks::text
