// What networks make of a text: the stretches that become links, mentions and hashtags.
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

// As Bluesky does (facts 6.2; the rules of its own library, @atproto/api, rich-text/detection.ts and util.ts, MIT or
// Apache-2.0; vectors in ../testdata). Mentions, then links, then tags, each in order; none for what is no UTF-8 or longer than
// 20,000 bytes. Not overlapping ones only: where two overlap, the earlier kind stays.
std::vector<Facet> FindFacets(std::string_view text);

// As networks do that publish no rules of their own: addresses that begin with "http://" or "https://" (without the
// punctuation that ends a sentence), "@name" and "#tag" where no word goes before; a tag is not only digits. In order of the
// text, not overlapping. Linear, for any bytes.
std::vector<Facet> FindPlainFacets(std::string_view text);

}  // namespace parvis::networks::text
