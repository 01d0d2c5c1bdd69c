// Reads a policy from YAML. The language is described in services/moderation/README.md.
#pragma once

#include <string_view>

#include "moderation/domain/policy.h"

namespace parvis::moderation {

// Adds every error to `problems`, with line and column; what could be read is returned all the same, so that a compiler
// may find further errors in it. Reasons: SOURCE_TOO_LARGE, SOURCE_NOT_UTF8, the YAML_* of yaml_tree.h, UNKNOWN_KEY,
// MISSING_KEY, WRONG_TYPE, WRONG_VALUE, OUT_OF_RANGE, EMPTY, TOO_MANY, TOO_LONG, DUPLICATE_NAME, NO_CONDITION.
Policy ReadPolicy(std::string_view source, const PolicyLimits& limits, Problems* problems);

}  // namespace parvis::moderation
