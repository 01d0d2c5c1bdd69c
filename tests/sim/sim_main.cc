// parvis-sim: runs seeds of the simulation. A seed that breaks an invariant is printed with the invariant and the last
// steps; the same options run it again, step by step with --trace.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "tests/sim/world.h"

namespace {

struct Flags {
  parvis::sim::RunOptions run;
  int seeds = 1;
};

void Usage() {
  std::fprintf(stderr,
               "usage: parvis-sim [--seed N] [--seeds K] [--steps M] [--bug NAME] [--trace]\n"
               "  --seed N    the first seed (1)\n"
               "  --seeds K   how many seeds, counting up (1)\n"
               "  --steps M   deliveries ordered in each (600)\n"
               "  --bug NAME  plants one: fencing, attempt, retry, offset, claim, relay, deaf\n"
               "  --trace     prints every step to stderr\n");
  std::exit(2);
}

Flags Parse(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--trace") {
      flags.run.loud = true;
      continue;
    }
    if (i + 1 >= argc) Usage();
    const char* const value = argv[++i];
    if (flag == "--seed") {
      flags.run.seed = std::strtoull(value, nullptr, 10);
    } else if (flag == "--seeds") {
      flags.seeds = std::atoi(value);
    } else if (flag == "--steps") {
      flags.run.deliveries = std::atoi(value);
    } else if (flag != "--bug" || !parvis::sim::ParseBug(value, flags.run.bug)) {
      Usage();
    }
  }
  return flags;
}

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main(int argc, char** argv) {
  Flags flags = Parse(argc, argv);
  const double begin = CpuSeconds();
  int64_t deliveries = 0, events = 0, people = 0, crashes = 0;
  absl::Duration simulated;
  for (int i = 0; i < flags.seeds; ++i, ++flags.run.seed) {
    const parvis::sim::RunResult result = parvis::sim::RunWorld(flags.run);
    deliveries += result.deliveries;
    events += result.events;
    people += result.unknown;
    crashes += result.crashes;
    simulated += result.simulated;
    if (flags.seeds == 1)
      std::printf("trace %016llx, %lld steps\n", static_cast<unsigned long long>(result.hash),
                  static_cast<long long>(result.steps));
    if (result.violation.empty()) continue;
    std::printf("%sseed %llu: %s\n", result.latest.c_str(), static_cast<unsigned long long>(flags.run.seed),
                result.violation.c_str());
    std::printf("found after %.2f s; again: parvis-sim --seed %llu --steps %d --bug %s --trace\n", CpuSeconds() - begin,
                static_cast<unsigned long long>(flags.run.seed), flags.run.deliveries,
                parvis::sim::BugName(flags.run.bug));
    return 1;
  }
  const double spent = CpuSeconds() - begin;
  std::printf(
      "%d seeds, %lld deliveries (%lld left to a person), %lld crashes, %lld events, %.0f s of simulated time\n",
      flags.seeds, static_cast<long long>(deliveries), static_cast<long long>(people), static_cast<long long>(crashes),
      static_cast<long long>(events), absl::ToDoubleSeconds(simulated));
  std::printf("%.2f s of one core: %.0f deliveries a minute\n", spent, static_cast<double>(deliveries) / spent * 60);
  return 0;
}
