// What a reader takes for one character.
#pragma once

#include <cstddef>
#include <string_view>

namespace parvis::sandbox {

// Extended grapheme clusters (UAX 29) of a text in UTF-8.
size_t Graphemes(std::string_view text);

}  // namespace parvis::sandbox
