// What every network needs to know about a text: whether it is UTF-8, how long it is, how to cut and compare it.
// Pure functions on UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace parvis::networks::text {

bool IsUtf8(std::string_view text);
// `text` with every malformed sequence replaced by U+FFFD and NUL left out (PostgreSQL's text has no NUL).
std::string ToUtf8(std::string_view text);
int CodePoints(std::string_view text);
// Extended grapheme clusters (UAX #29): what a person would call characters.
int Graphemes(std::string_view text);
// At most `max_bytes` of `text`, cut between code points.
std::string CutBytes(std::string_view text, size_t max_bytes);
// Canonical composition, with every run of white space (and line breaks) as one blank, none at the ends: two texts that
// read the same compare the same.
std::string ForComparison(std::string_view text);

}  // namespace parvis::networks::text
