// Reasons as they are kept in the database: JSON, so that a person with psql can read them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "moderation/domain/assessment.h"

namespace parvis::moderation {

// [{"rule","action","explanation","condition","spans":[{"begin","end","text"}]}]. NUL, which PostgreSQL cannot keep,
// becomes U+FFFD.
std::string ReasonsToJson(const std::vector<Reason>& reasons);
// What ReasonsToJson wrote; what cannot be read is left out.
std::vector<Reason> ReasonsFromJson(std::string_view json);

// `text` without NUL, which PostgreSQL cannot keep: U+FFFD instead.
std::string WithoutNul(std::string text);

}  // namespace parvis::moderation
