// Process: what surrounds a service: log, metrics, the admin listener (/livez, /readyz, /metrics), signals, and the
// order of starting and stopping. Construct it first in main, before any thread exists (it blocks SIGTERM and SIGINT).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/app/config.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/obs/degraded.h"
#include "platform/obs/metrics.h"

namespace parvis::app {

// A part that runs: started in the order given, stopped in reverse.
struct Part {
  std::string name;
  std::function<Status()> start;                   // may be empty
  std::function<void(absl::Duration limit)> stop;  // may be empty; must return within `limit`
};

// One readiness check: OK, or why not (the reason is shown by /readyz and logged once per change).
// Run about once a second on a thread of its own, never after RunUntilSignal has begun to stop the parts.
using ReadyCheck = std::function<Status()>;

class Process {
 public:
  Process(std::string_view service, const ProcessConfig& config);
  ~Process();
  obs::Metrics& metrics();
  // /readyz is 200 when all checks pass (503 and the reasons otherwise), and says in which degraded modes the process is
  // and what to do; also a gauge parvis_ready{check}. While the check fails the process is in `mode`, if one is given.
  void AddReadyCheck(std::string_view name, ReadyCheck check, std::optional<obs::Mode> mode = std::nullopt);
  // A listening address for the ready file ("grpc", "127.0.0.1:34567").
  void Announce(std::string_view name, std::string_view address);
  // Starts the parts, writes the ready file (removed again at the stop), waits for SIGTERM or SIGINT and stops the
  // parts in reverse order. If that takes longer than stop_deadline, or a second signal comes, the process ends at once
  // with exit status 3. Returns 0 after a signal, 1 when a part did not start, 4 after Fail.
  int RunUntilSignal(std::vector<Part> parts);
  // Makes RunUntilSignal stop everything and return 4: for a state in which going on would be wrong. Any thread.
  void Fail(std::string_view why);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::app
