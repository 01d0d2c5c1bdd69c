// What every text, address and role of accounts must satisfy. Each appends what is wrong to `violations`.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/call.h"
#include "platform/base/error.h"

namespace parvis::accounts {

// 1 to 200 code points, no control characters, not only white space.
void CheckDisplayName(std::string_view field, std::string_view text, std::vector<Violation>& violations);
// local@domain, at most 254 bytes (RFC 5321 §4.5.3.1.3), no white space. Not a promise that it receives mail.
void CheckEmail(std::string_view field, std::string_view text, std::vector<Violation>& violations);
// A name of the IANA time zone database ("Europe/Paris", "UTC") that this machine knows.
void CheckTimeZone(std::string_view field, std::string_view text, std::vector<Violation>& violations);
// At least one; only analyst, moderator, manager, owner and approver.
void CheckRoles(std::string_view field, const std::set<Role>& roles, std::vector<Violation>& violations);
// An http(s) URL with a host and without user information, query or fragment, at most 500 bytes.
void CheckSiteUrl(std::string_view field, std::string_view text, std::vector<Violation>& violations);

// Lower case for ASCII letters: how addresses are compared.
std::string FoldEmail(std::string_view email);
// Whether some role in `held` implies `needed`.
bool AnyImplies(const std::set<Role>& held, Role needed);
// INVALID_ARGUMENT about all of them, OK when there is none.
Status ToStatus(std::vector<Violation> violations);

}  // namespace parvis::accounts
