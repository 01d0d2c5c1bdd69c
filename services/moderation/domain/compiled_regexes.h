// The regexes of a compiled policy; only for compiled_policy.cc and assess.cc.
#pragma once

#include <memory>
#include <vector>

#include <re2/re2.h>
#include <re2/set.h>

#include "moderation/domain/compiled_policy.h"

namespace parvis::moderation {

struct CompiledPolicy::Regexes {
  std::unique_ptr<re2::RE2::Set> set;
  std::vector<std::unique_ptr<re2::RE2>> all;  // as numbered in the set
  std::vector<uint32_t> rule;                  // of each
};

}  // namespace parvis::moderation
