// Port and use case in one: counting the sums again from the facts, those of all steps. There is nothing to decide.
#pragma once

#include "platform/base/call.h"
#include "platform/base/error.h"

namespace parvis::metrics {

struct Recount {
  int64_t facts = 0;    // counted
  int64_t rollups = 0;  // sums that they give
  int64_t changed = 0;  // sums that were wrong, missing or too many
  bool operator==(const Recount&) const = default;
};

class RecountStore {
 public:
  virtual ~RecountStore() = default;
  // Replaces the sums of call.workspace_id by what its facts give, in one transaction, while nothing is folded.
  virtual StatusOr<Recount> RecountRollups(const Call& call) = 0;
};

}  // namespace parvis::metrics
