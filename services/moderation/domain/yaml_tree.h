// YAML as a plain tree in which every node knows where it stood. Built from yaml-cpp's events rather than its nodes, so
// that aliases (and with them "billion laughs"), depth and size are refused while reading, not after.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "moderation/domain/policy.h"

namespace parvis::moderation {

struct YamlNode {
  enum class Type { kNull, kScalar, kList, kMap };
  Type type = Type::kNull;
  Position position;
  std::string scalar;
  bool quoted = false;  // "7" is a text, 7 may be a number
  std::vector<YamlNode> items;
  std::vector<YamlNode> keys, values;   // of a map, in order; equally many
};

// Reads the one document of `source`. False, with at least one problem added, when it is not YAML or goes beyond the
// limits: YAML_SYNTAX, YAML_ALIAS, YAML_TAG, YAML_TOO_DEEP, YAML_TOO_LARGE, YAML_DOCUMENTS, YAML_DUPLICATE_KEY.
bool ReadYaml(std::string_view source, const PolicyLimits& limits, YamlNode* root, Problems* problems);

}  // namespace parvis::moderation
