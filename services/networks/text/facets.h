// What Bluesky makes of a text: the stretches that become links, mentions and hashtags (facts 6.2). The rules are those of
// the network's own library (@atproto/api, rich-text/detection.ts and util.ts, MIT or Apache-2.0; vectors in ../testdata).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace parvis::networks::text {

struct Facet {
  enum class Kind { kMention, kLink, kTag };
  Kind kind = Kind::kLink;
  size_t begin = 0, end = 0;   // bytes of UTF-8; `end` is exclusive
  std::string value;           // handle without '@' (to be resolved to a DID), address, tag without '#'
};

// Mentions, then links, then tags, each in order; none for what is no UTF-8 or longer than 20,000 bytes. Not overlapping
// ones only: where two overlap, the earlier kind stays.
std::vector<Facet> FindFacets(std::string_view text);

}  // namespace parvis::networks::text
