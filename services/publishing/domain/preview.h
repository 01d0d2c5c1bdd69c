// What a network will show of a variant. Plain data.
#pragma once

#include <string>
#include <vector>

namespace parvis::publishing {

// A stretch of the shown text that can be clicked. Numbers of Kind are those of parvis.publishing.v1.TextSpan.Kind.
struct TextSpan {
  enum class Kind { kLink = 1, kMention = 2, kHashtag = 3 };
  Kind kind = Kind::kLink;
  int begin = 0, end = 0;   // code points; `end` is exclusive
  std::string target;       // the address, the name without '@', the tag without '#'
  bool operator==(const TextSpan&) const = default;
};

struct Preview {
  std::string title, text;            // plain, as they are read there
  std::vector<TextSpan> spans;
  std::string card;                   // the address whose card stands below the text; "" = none
  std::vector<std::string> remarks;   // what the author would not expect
};

}  // namespace parvis::publishing
