// URLs inside a text, after the rules of twitter-text that its conformance vectors show. Works on code points.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace parvis::sandbox {

// [begin, end) of every URL, ascending and disjoint. Linear in the length of the text, save that one host is read at
// most twice.
std::vector<std::pair<size_t, size_t>> FindUrls(std::u32string_view text);

}  // namespace parvis::sandbox
