#include "tests/sim/sim.h"

namespace parvis::sim {

Faults Faults::Draw(Random& random) {
  Faults f;
  // Each kind is off in some worlds, rare in most and frequent in a few.
  const auto rate = [&](double usual) {
    const int luck = random.Below(10);
    return luck < 3 ? 0.0 : luck < 9 ? usual : usual * 5;
  };
  const auto every = [&](absl::Duration usual) {
    const int luck = random.Below(10);
    return luck < 3 ? absl::ZeroDuration() : luck < 8 ? usual : usual / 4;
  };
  f.store_lost = rate(0.004);
  f.store_ambiguous = rate(0.004);
  f.store_stall = rate(0.004);
  f.crash_in_call = rate(0.001);
  f.network_refused = rate(0.02);
  f.network_lost = rate(0.01);
  f.network_answer_lost = rate(0.01);
  f.network_transient = rate(0.02);
  f.network_limited = rate(0.005);
  f.network_invalid = rate(0.01);
  f.network_slow = rate(0.01);
  f.read_failed = rate(0.1);
  f.webhook_twice = rate(0.1);
  f.webhook_late = rate(0.1);
  f.produce_failed = rate(0.02);
  f.produce_twice = rate(0.02);
  f.directory_down = rate(0.01);
  f.crash_every = every(absl::Seconds(4));
  f.pause_every = every(absl::Seconds(4));
  f.rebalance_every = every(absl::Seconds(4));
  f.step_every = every(absl::Seconds(4));
  f.outage_every = every(absl::Seconds(5));
  f.token_every = every(absl::Seconds(5));
  const int paces[] = {1, 1, 1, 2, 2, 2, 2, 6, 6, 15};
  f.pace = paces[random.Below(10)];
  return f;
}

Fate Database::Pass(Process& process, const char* what, double hangs) {
  if (process.dying() || !process.up()) return Fate::kLostBefore;
  if (sim_.quiet) return Fate::kDone;
  if (sim_.Fault(sim_.faults.store_stall * hangs)) {
    const bool long_one = sim_.random.Chance(0.2);
    sim_.Note(process.name(), "stalled before commit", long_one);
    sim_.scheduler.Stall(process, sim_.random.Around(long_one ? absl::Seconds(20) : absl::Milliseconds(200)));
    if (process.dying() || !process.up()) return Fate::kLostBefore;
  }
  if (sim_.scheduler.now() < down_until_) return Fate::kLostBefore;
  if (sim_.Fault(sim_.faults.crash_in_call)) {
    const bool committed = sim_.random.Chance(0.5);
    sim_.Note(process.name(), "dies in a transaction", committed);
    process.Crash();
    return committed ? Fate::kLostAfter : Fate::kLostBefore;
  }
  if (sim_.Fault(sim_.faults.store_lost)) {
    sim_.Note(process.name(), what, -1);
    return Fate::kLostBefore;
  }
  if (sim_.Fault(sim_.faults.store_ambiguous)) {
    sim_.Note(process.name(), what, -2);
    return Fate::kLostAfter;
  }
  return Fate::kDone;
}

}  // namespace parvis::sim
