// One simulated world: three replicas of publishing, two of the inbox, their databases, the bus, the networks, the
// people on both sides, and trouble. A run is a function of its options.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/sim/sim.h"

namespace parvis::sim {

struct RunOptions {
  uint64_t seed = 1;
  int deliveries = 600;  // ordered in the time of trouble
  Bug bug = Bug::kNone;
  bool loud = false;  // prints each step
};

struct RunResult {
  std::string violation;  // "" when every invariant held
  std::string latest;     // the last steps before it
  uint64_t hash = 0;      // of all that happened
  int64_t steps = 0, events = 0;
  int deliveries = 0;  // that came to their end, real ones of the ledger
  int posts = 0, comments = 0, replies = 0, unknown = 0, crashes = 0;
  absl::Duration simulated;
};

RunResult RunWorld(const RunOptions& options);

const char* BugName(Bug bug);
// False when there is no bug of this name.
bool ParseBug(const std::string& name, Bug& bug);

}  // namespace parvis::sim
