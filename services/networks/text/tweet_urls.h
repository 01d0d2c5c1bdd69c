// Links in UTF-16 text, as twitter-text finds them. Internal to networks/text.
#pragma once

#include <unicode/unistr.h>

#include <vector>

namespace parvis::networks::text {

struct Span {
  int32_t begin = 0, end = 0;   // UTF-16 units
};

// In order, not overlapping. Empty for texts of more than 20,000 units (bounded work).
std::vector<Span> FindUrls(const icu::UnicodeString& text);

}  // namespace parvis::networks::text
