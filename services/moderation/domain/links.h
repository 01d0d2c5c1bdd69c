// Finds links in a text as people write them: with a scheme ("https://", "hxxp://"), with "www.", or bare
// ("exemple.fr/promo") when the ending is a well-known top-level domain.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parvis::moderation {

struct Link {
  uint32_t begin = 0, end = 0;  // bytes of the text
  std::string host;             // lower case, without port, user and "www."
};

// At most `max` links, in order. `links` is cleared first.
void FindLinks(std::string_view text, size_t max, std::vector<Link>* links);

// Whether `host` is `domain` or below it: "a.exemple.fr" is below "exemple.fr".
bool HostIsWithin(std::string_view host, std::string_view domain);

}  // namespace parvis::moderation
