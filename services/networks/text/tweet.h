// How X counts a text and finds the links in it: twitter-text's rules, configuration v3 (facts 0.3; conformance vectors in
// ../testdata/twitter_text.json).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace parvis::networks::text {

// Weighted length: after NFC, a link counts 23, an emoji sequence 2, code points of U+0000-10FF, 2000-200D, 2010-201F and
// 2032-2037 count 1, all others 2. Links are not looked for in texts of more than 20,000 UTF-16 units.
int WeightedLength(std::string_view text);
// The links that X would find (and replace by t.co links), in order.
std::vector<std::string> ExtractUrls(std::string_view text);
// `text` with every link replaced by `replacement`.
std::string ReplaceUrls(std::string_view text, std::string_view replacement);

}  // namespace parvis::networks::text
