// Cat: one string of several parts. (Debian's absl::StrCat does not take std::string_view.)
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

namespace parvis::sandbox {

template <class Part>
void AppendPart(std::string& out, const Part& part) {
  if constexpr (std::is_convertible_v<const Part&, std::string_view>) {
    out += std::string_view(part);
  } else {
    out += std::to_string(part);
  }
}

template <class... Parts>
std::string Cat(const Parts&... parts) {
  std::string out;
  (AppendPart(out, parts), ...);
  return out;
}

template <class... Parts>
void Append(std::string& out, const Parts&... parts) {
  (AppendPart(out, parts), ...);
}

}  // namespace parvis::sandbox
