#include "moderation/domain/policy.h"

#include <algorithm>

#include <absl/strings/str_cat.h>

namespace parvis::moderation {

const char* ActionName(Action action) {
  switch (action) {
    case Action::kAllow:
      return "allow";
    case Action::kHold:
      return "hold";
    case Action::kHide:
      return "hide";
    case Action::kDelete:
      return "delete";
    case Action::kEscalate:
      return "escalate";
    case Action::kUnspecified:
      break;
  }
  return "unspecified";
}

void Problems::Add(Position at, std::string_view reason, std::string_view message) {
  if (found_.size() >= max_) {
    ++more_;
    return;
  }
  found_.push_back({at, std::string(reason), std::string(message)});
}

Status Problems::ToStatus(std::string_view field) const {
  if (found_.empty()) return absl::OkStatus();
  std::vector<Problem> sorted = found_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
  });
  Error error;
  error.code = Code::kInvalidArgument;
  error.reason = sorted.front().reason;
  for (const Problem& p : sorted) {
    error.violations.push_back(
        {std::string(field), absl::StrCat("line ", p.at.line, ", column ", p.at.column, ": ", p.message), p.reason});
  }
  error.message =
      absl::StrCat("The policy has ", sorted.size() + more_,
                   sorted.size() + more_ == 1 ? " error: " : " errors: ", error.violations.front().description);
  if (more_ > 0) error.message += absl::StrCat(" (only the first ", sorted.size(), " are listed)");
  error.metadata = {{"line", absl::StrCat(sorted.front().at.line)}, {"column", absl::StrCat(sorted.front().at.column)}};
  return parvis::ToStatus(error);
}

}  // namespace parvis::moderation
