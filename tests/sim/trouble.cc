// What comes over the processes: crashes and restarts, pauses, rebalances, clock steps, outages, expired tokens.
#include "tests/sim/life.h"

namespace parvis::sim {

void Life::Every(absl::Duration mean, std::function<void()> what) {
  if (mean == absl::ZeroDuration()) return;
  sim_.scheduler.After(sim_.random.Around(mean), nullptr, [this, mean, what = std::move(what)] {
    if (sim_.quiet) return;
    what();
    Every(mean, what);
  });
}

Process& Life::SomeProcess(int& group, int& slot) {
  group = sim_.random.Below(2);
  slot = sim_.random.Below(static_cast<int>(group == 0 ? scene_.publishing.size() : scene_.inbox.size()));
  if (group == 0) return *scene_.publishing[static_cast<size_t>(slot)];
  return *scene_.inbox[static_cast<size_t>(slot)];
}

void Life::Crash() {
  int group = 0, slot = 0;
  Process& process = SomeProcess(group, slot);
  if (!process.up() || process.dying()) return;
  ++crashes_;
  if (group == 0 && sim_.random.Chance(0.3)) {
    process.After(absl::ZeroDuration(), [this, slot] { scene_.publishing[static_cast<size_t>(slot)]->StopGently(); });
    return;
  }
  sim_.Note(process.name(), "crashes");
  process.Crash();
}

void Life::Pause() {
  int group = 0, slot = 0;
  Process& process = SomeProcess(group, slot);
  if (!process.up() || process.dying()) return;
  const absl::Duration length = sim_.random.Around(absl::Seconds(8));
  sim_.Note(process.name(), "pauses", absl::ToInt64Milliseconds(length));
  process.Pause();
  const uint32_t incarnation = process.incarnation();
  // Its group gives it up when its session ends; it learns of that only after it goes on.
  sim_.scheduler.After(absl::Seconds(3), nullptr, [this, group, slot, incarnation, &process] {
    if (process.held() && process.incarnation() == incarnation)
      scene_.groups[static_cast<size_t>(group)]->SetReachable(slot, false);
  });
  sim_.scheduler.After(length, nullptr, [this, group, slot, incarnation, &process] {
    if (process.incarnation() != incarnation) return;
    sim_.Note(process.name(), "goes on");
    process.Resume();
    scene_.groups[static_cast<size_t>(group)]->SetReachable(slot, true);
  });
}

void Life::StepClock() {
  absl::Duration step = sim_.random.Around(absl::Seconds(20));
  if (sim_.random.Chance(0.1)) step = sim_.random.Between(absl::Minutes(1), absl::Minutes(10));
  if (sim_.random.Chance(0.5)) step = -step;
  if (sim_.random.Chance(0.2)) {
    scene_.inbox_clock.offset += step;
    return;
  }
  int group = 0, slot = 0;
  Process& process = SomeProcess(group, slot);
  sim_.Note(process.name(), "its clock steps", absl::ToInt64Milliseconds(step));
  process.clock().offset += step;
}

void Life::Trouble() {
  Every(sim_.faults.crash_every, [this] { Crash(); });
  Every(sim_.faults.pause_every, [this] { Pause(); });
  Every(sim_.faults.step_every, [this] { StepClock(); });
  Every(sim_.faults.token_every, [this] { scene_.network.BreakToken(); });
  Every(sim_.faults.rebalance_every,
        [this] { scene_.groups[static_cast<size_t>(sim_.random.Below(2))]->Rebalance(true); });
  Every(sim_.faults.outage_every, [this] {
    Database& database = sim_.random.Chance(0.5) ? scene_.publishing_database : scene_.inbox_database;
    database.GoDown(sim_.random.Around(absl::Seconds(4)));
  });
  // Whoever died is started again.
  Every(absl::Seconds(1), [this] {
    const auto start = [this](Process& process) {
      if (!process.up() && sim_.random.Chance(0.3)) process.Boot();
    };
    for (auto& process : scene_.publishing) start(*process);
    for (auto& process : scene_.inbox) start(*process);
  });
}

}  // namespace parvis::sim
