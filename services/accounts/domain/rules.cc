#include "accounts/domain/rules.h"

#include <algorithm>

namespace parvis::accounts {
namespace {

int CodePoints(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

void Add(std::vector<Violation>& violations, std::string_view field, std::string_view reason, std::string text) {
  violations.push_back({std::string(field), std::move(text), std::string(reason)});
}

bool StartsWith(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

}  // namespace

void CheckDisplayName(std::string_view field, std::string_view text, std::vector<Violation>& violations) {
  if (text.find_first_not_of(' ') == std::string_view::npos) {
    Add(violations, field, "REQUIRED", "must not be empty");
  } else if (int n = CodePoints(text); n > 200) {
    Add(violations, field, "TEXT_TOO_LONG", "has " + std::to_string(n) + " characters; at most 200 are allowed");
  } else if (HasControl(text)) {
    Add(violations, field, "CONTROL_CHARACTER", "must not contain control characters");
  }
}

void CheckEmail(std::string_view field, std::string_view text, std::vector<Violation>& violations) {
  size_t at = text.find('@');
  bool ok = !text.empty() && text.size() <= 254 && at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
            text.find('@', at + 1) == std::string_view::npos && text.find(' ') == std::string_view::npos &&
            !HasControl(text);
  if (!ok) Add(violations, field, "EMAIL", "must be an address like name@example.com, at most 254 bytes");
}

void CheckTimeZone(std::string_view field, std::string_view text, std::vector<Violation>& violations) {
  // The library behind LoadTimeZone also takes paths of files: only names of the database may reach it.
  bool shape = !text.empty() && text.size() <= 64 && text.front() != '/' && text.find("..") == std::string_view::npos &&
               std::all_of(text.begin(), text.end(), [](char c) {
                 return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' ||
                        c == '_' || c == '-' || c == '+';
               });
  absl::TimeZone zone;
  if (!shape || text == "localtime" || !absl::LoadTimeZone({text.data(), text.size()}, &zone)) {
    Add(violations, field, "TIME_ZONE", "must be an IANA time zone like \"Europe/Paris\"");
  }
}

void CheckRoles(std::string_view field, const std::set<Role>& roles, std::vector<Violation>& violations) {
  if (roles.empty()) Add(violations, field, "REQUIRED", "must contain at least one role");
  for (Role role : roles) {
    if (role == Role::kUnspecified || role == Role::kService || role == Role::kOperator) {
      Add(violations, field, "ROLE_NOT_ALLOWED",
          "must be analyst, moderator, manager, owner or approver, not " + std::string(RoleName(role)));
    }
  }
}

void CheckSiteUrl(std::string_view field, std::string_view text, std::vector<Violation>& violations) {
  size_t host = StartsWith(text, "https://") ? 8 : StartsWith(text, "http://") ? 7 : 0;
  bool ok = host > 0 && text.size() > host && text.size() <= 500 && text[host] != '/' &&
            text.find_first_of(" @?#\\\"<>") == std::string_view::npos && !HasControl(text);
  if (!ok) {
    Add(violations, field, "SITE_URL",
        "must be an address like \"https://blog.example\", without user, query or fragment");
  }
}

std::string FoldEmail(std::string_view email) {
  std::string folded(email);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return folded;
}

bool AnyImplies(const std::set<Role>& held, Role needed) {
  return std::any_of(held.begin(), held.end(), [&](Role role) { return Implies(role, needed); });
}

Status ToStatus(std::vector<Violation> violations) {
  return violations.empty() ? absl::OkStatus() : InvalidFields(std::move(violations));
}

}  // namespace parvis::accounts
