// The part of NQL, Ghost's filter language, that is served here: terms joined by '+', each "key:value", "key:-value",
// "key:>value" (>=, <, <=) or "key:[a,b]"; texts in quotes, null.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parvis::sandbox {

struct GhostTerm {
  enum class Op { kIs, kIsNot, kMore, kAtLeast, kLess, kAtMost };
  std::string key;
  Op op = Op::kIs;
  std::vector<std::string> values;  // one, or those of a list; "" stands for null
};
using GhostFilter = std::vector<GhostTerm>;

// nullopt for what is no filter, or none that is served.
std::optional<GhostFilter> ParseGhostFilter(std::string_view text);
// `value`: what the item has under a key; nullopt for a key that there is not.
bool Passes(const GhostFilter& filter, const std::function<std::optional<std::string>(const std::string& key)>& value);

}  // namespace parvis::sandbox
