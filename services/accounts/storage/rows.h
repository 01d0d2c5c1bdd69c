// What the stores of this folder share: roles as text[], request ids, constraint names.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "accounts/domain/types.h"
#include "platform/db/pool.h"

namespace parvis::accounts {

std::vector<std::string> RoleNames(const std::set<Role>& roles);
std::set<Role> RolesFromNames(const std::vector<std::string>& names);

// The scope of requests that belong to no workspace.
inline constexpr const char* kNoWorkspace = "00000000-0000-0000-0000-000000000000";

// Runs `insert` in `tx` unless `request` came before in `scope`, and remembers that it made `id`. FAILED_PRECONDITION
// REQUEST_ID_REUSED when it came with another content. Two at once: the second waits for the first's transaction.
StatusOr<Created> Once(db::Tx& tx, const std::string& scope, const Request& request, const std::string& id,
                       const std::function<Status()>& insert);
// What `request` made, "" if it did not come yet.
StatusOr<std::string> MadeBefore(db::Tx& tx, const std::string& scope, const Request& request);

// True when `status` is the violation of this constraint.
bool Violates(const Status& status, std::string_view constraint);

}  // namespace parvis::accounts
