// Degraded modes: what a process can no longer do, or only in part, while it goes on with the rest. For each: a gauge
// parvis_degraded{mode}, one log line when it begins (with what a person should do) and one when it ends, and a line of
// /readyz. The catalogue is here and docs/operations.md explains it; a mode that is not here does not exist.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "platform/base/clock.h"
#include "platform/base/error.h"

namespace parvis::obs {

class Metrics;

enum class Mode {
  kDatabaseAway,
  kBusAway,
  kStreamStandsStill,
  kAccountsAway,
  kBackendAway,
  kCallsShed,
  kWebhooksShed,
  kDeadLetters,
  kMediaStoreAway,
  kRateBudgetUsedUp,
  kPollsLate,
  kNeedsHuman,
};

inline constexpr size_t kModeCount = 12;

struct ModeInfo {
  Mode mode;
  std::string_view name;   // of the gauge's label: "database_away"
  std::string_view means;  // what does not work meanwhile, and what does
  std::string_view to_do;  // for the person who is called
};

// All of them, in the order of Mode.
std::span<const ModeInfo> Modes();
const ModeInfo& InfoOf(Mode mode);

// Thread-safe. Cheap enough for every refusal.
class Degraded {
 public:
  // How long a mode that is told of by events goes on after the last one, if nothing else is known.
  static constexpr absl::Duration kHold = absl::Seconds(15);

  // `metrics` and `clock` outlive it.
  Degraded(Metrics& metrics, const Clock& clock);

  // This process may get into `mode`: its gauge exists, at 0. Told of implicitly by the two below.
  void Declare(Mode mode);
  // A state, as one observer sees it ("db_api"): the mode lasts while any observer's status is not OK.
  void Set(Mode mode, std::string_view observer, const Status& status);
  // An event: the mode lasts until none has come for `lasts`.
  void Note(Mode mode, std::string_view why, absl::Duration lasts = kHold);
  // Ends the modes whose events have ceased. app::Process calls it about once a second.
  void Tick();
  bool Is(Mode mode) const;
  // One line for each mode that lasts: "degraded: webhooks_shed: <why>; do: <what>\n".
  std::string Text() const;

 private:
  struct State {
    bool declared = false, on = false;
    std::map<std::string, std::string, std::less<>> failing;  // observer -> why
    std::string why;                                          // of the last event
    Instant until;                                            // when the events are over
    Instant since;
  };
  State& At(Mode mode) { return states_[static_cast<size_t>(mode)]; }
  void Update(Mode mode);  // mutex_ held

  Metrics& metrics_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::array<State, kModeCount> states_;
};

}  // namespace parvis::obs
