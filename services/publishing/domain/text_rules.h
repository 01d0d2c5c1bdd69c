// Small checks that several use cases share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"

namespace parvis::publishing {

// Code points of UTF-8 text, or -1 when it is not UTF-8 or contains NUL (PostgreSQL stores neither).
int CodePoints(std::string_view text);

// Appends REQUIRED, TOO_LONG or NOT_UTF8 about `field`. `max` in code points.
void CheckName(const std::string& field, const std::string& text, int max, bool required,
               std::vector<Violation>& violations);

// ABORTED ETAG_MISMATCH when the caller named a version and it is not the current one.
Status CheckVersion(int64_t current, const std::optional<int64_t>& expected);

}  // namespace parvis::publishing
