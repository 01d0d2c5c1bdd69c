#include "sandbox/transport/ghost_filter.h"

#include <algorithm>

namespace parvis::sandbox {
namespace {

// Takes a literal off the front; nullopt when there is none.
std::optional<std::string> TakeValue(std::string_view& rest) {
  std::string out;
  if (rest.starts_with('\'')) {
    size_t at = 1;
    for (; at < rest.size() && rest[at] != '\''; ++at) {
      if (rest[at] == '\\' && ++at == rest.size()) return std::nullopt;
      out.push_back(rest[at]);
    }
    if (at >= rest.size()) return std::nullopt;
    rest.remove_prefix(at + 1);
    return out;
  }
  const size_t end = std::min(rest.find_first_of("+,()[]:<>='\" "), rest.size());
  if (end == 0) return std::nullopt;
  out = std::string(rest.substr(0, end));
  rest.remove_prefix(end);
  return out == "null" ? "" : out;
}

bool Take(std::string_view& rest, std::string_view mark) {
  if (!rest.starts_with(mark)) return false;
  rest.remove_prefix(mark.size());
  return true;
}

std::optional<GhostTerm> TakeTerm(std::string_view& rest) {
  GhostTerm term;
  const size_t colon = rest.find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  term.key = std::string(rest.substr(0, colon));
  if (term.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.") != std::string::npos) return std::nullopt;
  rest.remove_prefix(colon + 1);
  using Op = GhostTerm::Op;
  for (const auto& [mark, op] :
       {std::pair{">=", Op::kAtLeast}, {"<=", Op::kAtMost}, {">", Op::kMore}, {"<", Op::kLess}, {"-", Op::kIsNot}}) {
    if (!Take(rest, mark)) continue;
    term.op = op;
    break;
  }
  const bool list = Take(rest, "[");
  do {
    const auto value = TakeValue(rest);
    if (!value) return std::nullopt;
    term.values.push_back(*value);
  } while (list && Take(rest, ","));
  if (list && !Take(rest, "]")) return std::nullopt;
  if (list && term.op != Op::kIs && term.op != Op::kIsNot) return std::nullopt;
  return term;
}

// '2026-11-23T10:00:00.000Z' as the database has it: '2026-11-23 10:00:00'.
std::string AsStored(std::string value) {
  if (value.size() >= 19 && value[4] == '-' && value[10] == 'T') value[10] = ' ';
  return value.size() > 19 && value[4] == '-' && value[10] == ' ' ? value.substr(0, 19) : value;
}

}  // namespace

std::optional<GhostFilter> ParseGhostFilter(std::string_view text) {
  GhostFilter filter;
  while (!text.empty()) {
    auto term = TakeTerm(text);
    if (!term) return std::nullopt;
    filter.push_back(*std::move(term));
    if (text.empty()) break;
    if (!Take(text, "+") || text.empty()) return std::nullopt;
  }
  return filter;
}

bool Passes(const GhostFilter& filter, const std::function<std::optional<std::string>(const std::string& key)>& value) {
  using Op = GhostTerm::Op;
  return std::all_of(filter.begin(), filter.end(), [&](const GhostTerm& term) {
    const auto has = value(term.key);
    if (!has) return false;
    const auto is = [&](const std::string& wanted) { return AsStored(wanted) == *has; };
    const bool any = std::any_of(term.values.begin(), term.values.end(), is);
    const std::string first = AsStored(term.values.front());
    switch (term.op) {
      case Op::kIs:
        return any;
      case Op::kIsNot:
        return !any;
      case Op::kMore:
        return *has > first;
      case Op::kAtLeast:
        return *has >= first;
      case Op::kLess:
        return *has < first;
      case Op::kAtMost:
        return *has <= first;
    }
    return false;
  });
}

}  // namespace parvis::sandbox
