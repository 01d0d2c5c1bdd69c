// What every part of a simulation shares: time, chance, the trace, the faults of this seed, the planted bug, and how a
// broken invariant is told.
#pragma once

#include <cstdint>
#include <string>

#include "platform/base/error.h"
#include "tests/sim/random.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/trace.h"

namespace parvis::sim {

// Planted bugs: each takes one guard of the simulated ports away, so that tests show that the simulation would notice.
enum class Bug {
  kNone,
  kFencing,     // stores ignore the epochs of partitions
  kAttempt,     // the ledger ignores the fences of attempts
  kRetry,       // a call whose end is unknown counts as not sent
  kOffset,      // effects and offset are committed one after the other
  kClaimToken,  // a reply does not check the claim's token
  kRelay,       // the outbox's rows are deleted before they are published
  kDeaf,        // nobody listens when the deliverer says that it has been fenced for long
};

// How often what goes wrong: drawn per seed, so that some worlds are calm and others miserable in one way only.
struct Faults {
  double store_lost = 0;       // per call: no effect, UNAVAILABLE
  double store_ambiguous = 0;  // per call: committed, but the answer is lost
  double store_stall = 0;      // per call: held up, others go on
  double crash_in_call = 0;    // per call: dies before or after the commit
  double network_refused = 0, network_lost = 0, network_answer_lost = 0, network_transient = 0, network_limited = 0,
         network_invalid = 0, network_slow = 0, read_failed = 0;
  double webhook_twice = 0, webhook_late = 0;
  double produce_failed = 0, produce_twice = 0, directory_down = 0;
  absl::Duration crash_every, pause_every, rebalance_every, step_every, outage_every,
      token_every;  // means; zero: never
  int pace = 1;   // how slowly people act: trouble lasts so much longer, and meets fewer of them at once
  static Faults Draw(Random& random);
};

struct Sim {
  explicit Sim(uint64_t seed) : random(seed), faults(Faults::Draw(random)) {}
  Scheduler scheduler;
  Random random;
  Trace trace;
  Faults faults;
  Bug bug = Bug::kNone;
  bool quiet = false;     // faults are over: everything must come to rest
  std::string violation;  // the first broken invariant, "" if none

  bool Fault(double p) { return !quiet && random.Chance(p); }
  void Note(std::string_view who, const char* what, int64_t a = 0, int64_t b = 0) {
    trace.Note(scheduler.now() - Scheduler::kStart, who, what, a, b);
  }
  // Ends the run.
  void Violate(const std::string& what) {
    if (!violation.empty()) return;
    violation = what;
    scheduler.set_stop();
  }
};

// What becomes of one call of a process to a database.
enum class Fate { kDone, kLostBefore, kLostAfter };

// A database as its clients meet it: it may be away for a while, calls get lost on the way there or back, and a process
// may die or be held up in the middle of one.
class Database {
 public:
  Database(Sim& sim, std::string name) : sim_(sim), name_(std::move(name)) {}
  // Decides what happens to the call that `process` makes now; may let time pass. `hangs`: so many times as often as usual,
  // for calls that are rare and made when there is trouble anyway.
  Fate Pass(Process& process, const char* what, double hangs = 1);
  static Status Lost() { return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "the database is gone"); }
  void GoDown(absl::Duration how_long) { down_until_ = sim_.scheduler.now() + absl::ToInt64Nanoseconds(how_long); }

 private:
  Sim& sim_;
  const std::string name_;
  int64_t down_until_ = 0;
};

}  // namespace parvis::sim
