// LinkedIn's URNs: a post has two numbers, its own (urn:li:share:N or urn:li:ugcPost:N) and that of the activity it
// makes, and comments are named by the activity (facts 5.3). Here the one follows from the other.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "sandbox/domain/cat.h"

namespace parvis::sandbox {

inline constexpr std::string_view kLinkedinActivity = "urn:li:activity:";
inline constexpr std::string_view kLinkedinComment = "urn:li:comment:";
inline constexpr int64_t kLinkedinActivityAhead = 1'000'000'000'000'000;  // of the post's number

// The number at the end of "urn:li:share:7130"; -1 where there is none.
inline int64_t LinkedinNumber(std::string_view urn) {
  const std::string_view digits = urn.substr(urn.rfind(':') + 1);
  int64_t number = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? number : -1;
}

// "urn:li:share:7130" -> "urn:li:activity:7131".
inline std::string LinkedinActivityOf(std::string_view post) {
  return Cat(kLinkedinActivity, LinkedinNumber(post) + kLinkedinActivityAhead);
}

// "urn:li:comment:(urn:li:activity:1,2)" -> "2".
inline std::string LinkedinCommentNumber(std::string_view comment) {
  const size_t comma = comment.rfind(',');
  if (comma == std::string_view::npos || !comment.ends_with(')')) return "";
  return std::string(comment.substr(comma + 1, comment.size() - comma - 2));
}

inline std::string LinkedinCommentUrn(std::string_view post, std::string_view number) {
  return Cat(kLinkedinComment, "(", LinkedinActivityOf(post), ",", number, ")");
}

}  // namespace parvis::sandbox
