// Runs one tool as a process that cannot do harm: limits on address space, processor time, file size and wall time, an
// environment of our own, no network where the machine allows it, its own process group (killed as a whole), bounded
// output.
//
// The process is made by posix_spawn and limited by util-linux' unshare, setpriv and prlimit, one after the other in
// the same process: no code of ours runs between fork and exec, which only async-signal-safe code may in a process with
// threads. It dies with the thread that waits for it (PR_SET_PDEATHSIG), so none outlives the service.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/obs/metrics.h"
#include "publishing/media/media_tools_config.h"

namespace parvis::publishing {

// What one run of a tool may use.
struct ToolLimits {
  absl::Duration time, cpu;
  int64_t memory_bytes = 0, file_bytes = 0;
  bool in_background = false;   // gives way to whatever else the machine does
  std::function<bool()> go_on;  // asked every second, where there is one; false ends the tool
};

// What the errors of a tool mean is decided in ToolRunner::Run, what its output means by whoever called it.
class ToolRunner {
 public:
  // Finds out whether processes can be cut off from the network here; logs a warning when not.
  ToolRunner(const MediaToolsConfig& config, const Clock& clock, obs::Metrics& metrics);
  // Runs `tool` (a name in config.tools_folder) in `folder`, blocks until it has ended; returns its standard output
  // when it ended with 0. INVALID_ARGUMENT MEDIA_UNREADABLE (it refused the content, or crashed on it),
  // RESOURCE_EXHAUSTED MEDIA_OVER_LIMIT, FAILED_PRECONDITION MEDIA_TOOLS_MISSING, DEADLINE_EXCEEDED. Thread-safe.
  StatusOr<std::string> Run(const Call& call, const std::string& tool, const std::vector<std::string>& arguments,
                            const std::string& folder);
  // The same with other limits than those of the settings. ABORTED MEDIA_STOPPED when `go_on` said no.
  StatusOr<std::string> Run(const Call& call, const std::string& tool, const std::vector<std::string>& arguments,
                            const std::string& folder, const ToolLimits& limits);
  bool cut_off() const { return !cut_off_.empty(); }

 private:
  struct Ended;
  StatusOr<Ended> Execute(const std::vector<std::string>& argv, const std::string& folder, Instant deadline,
                          const std::function<bool()>& go_on);
  Status Judge(const std::string& tool, const Ended& ended, bool call_expired) const;
  std::vector<std::string> Limited(const std::string& path, const std::vector<std::string>& arguments,
                                   const ToolLimits& limits) const;
  const MediaToolsConfig config_;
  const Clock& clock_;
  obs::Metrics& metrics_;
  std::vector<std::string>
      cut_off_;  // the command before the tool that leaves it without a network; empty: not possible
};

}  // namespace parvis::publishing
