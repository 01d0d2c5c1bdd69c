// One comment, one notification and the place of the next page, as LinkedIn gives them. Pure; what comes out is UTF-8
// without NUL.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "networks/connector.h"
#include "networks/wire/answer.h"

namespace parvis::networks {

// A comment below `post`: that it was written and, when it was changed since, edited. Empty when it has no id or no
// time.
std::vector<Happening> LinkedInComment(const Json& comment, const std::string& organisation, const std::string& post);
// A notification of a webhook. Empty without `missing` for what nobody answers (likes, shares, actions of tomorrow).
std::vector<Happening> LinkedInNotification(const Json& notification, std::string* missing);
// Where the page after this one of `count` begins; nullopt = this was the last.
std::optional<int64_t> LinkedInNextStart(const Json& page, int64_t start, int count);
// Milliseconds of `object.key.time` or `object.key`; nullopt when missing or before 1970.
std::optional<absl::Time> LinkedInTime(const Json& object, const char* key);

}  // namespace parvis::networks
