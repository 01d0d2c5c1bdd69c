// Which of the channels that are due is polled next. Pure: no threads, no clock, nothing random; the store keeps what
// must survive a restart (cursors, due times, intervals), so what is in here may be lost at any moment.
//
// The rules, first to last:
//  1. never two polls of one channel at once;
//  2. at most `at_once` polls, and `per_host` of one host;
//  3. no poll of a host whose budget is used up, where all channels of the host share it (a budget of the channel's own
//     is obeyed by its next due time);
//  4. among workspaces: the one with the fewest polls under way, then the one that has waited longest since it had one
//     (max-min fairness over the workers: D. Bertsekas, R. Gallager, Data Networks, 2nd ed., 6.5.2). A workspace that
//     comes anew is last in the round, so that those who come and go starve nobody;
//  5. within a workspace: in the order of the store's list, the most overdue first but for crowded hosts.
// Memory, reckoned: about 100 bytes for each channel that is due and offered and 700 for each host of a workspace among
// them, at most `window` of both; nothing for channels that are not due.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ingestion/domain/sources.h"
#include "platform/base/clock.h"

namespace parvis::ingestion {

// What the network says about its budget.
struct RateLimit {
  std::optional<int> remaining;
  std::optional<absl::Duration> reset_in, retry_after;
};

// What a poll has told about the budget that it drew on.
struct BudgetSignal {
  std::string host;      // where it read, if that is known better now; "" = the host it was scheduled by
  bool shared = false;   // all channels of the host draw on one budget
  bool limited = false;  // refused for the rate
  RateLimit rate;
};

// Not thread-safe.
class PollSchedule {
 public:
  struct Options {
    int at_once = 32;
    int per_host = 8;
    int window = 2000;                               // channels offered at once
    absl::Duration wait_max = absl::Hours(24);       // longest pause of a host, whatever it asks for
    absl::Duration limited_wait = absl::Minutes(1);  // pause of a host that refuses without saying how long
  };
  explicit PollSchedule(const Options& options) : options_(options) {}

  // What is due now, in the store's order: takes the place of all that was offered before. Channels that are being
  // polled are left out, and so is what goes beyond the window.
  void Offer(const std::vector<DueSource>& due, Instant now);
  // The next to poll, which counts as being polled until Ended or NotTaken; nullopt when nothing may be.
  std::optional<DueSource> Next(Instant now);
  void Ended(const DueSource& polled, const BudgetSignal& signal, Instant now);
  // The poll was not begun after all: somebody else has the channel, or it is gone.
  void NotTaken(const DueSource& picked);

  // Hosts that may not be asked now; bounded by kPausesMax.
  std::vector<std::string> PausedHosts(Instant now) const;
  int running() const { return static_cast<int>(running_.size()); }
  int waiting() const { return waiting_; }
  const Options& options() const { return options_; }

  static constexpr size_t kPausesMax = 1000;  // hosts that are remembered for their budget only

 private:
  struct Host {
    int running = 0;
    Instant blocked_until{0};
    std::optional<int> remaining;  // of the shared budget, in the window that ends then
    Instant window_end{0};
    Instant FreeAt(Instant now) const;
    bool Remembered(Instant now) const { return now < blocked_until || (remaining && now < window_end); }
  };
  struct Waiting {
    int place = 0;  // in the list that was offered
    std::string channel_id;
  };
  struct Lane {  // what waits for one host
    std::string host;
    std::deque<Waiting> channels;
  };
  struct Workspace {
    int running = 0;
    int64_t served = 0;         // place in the round
    std::map<int, Lane> lanes;  // by the place of the first in each; none is empty
  };
  // Running, served; a pointer to the workspace's entry.
  using Place = std::tuple<int, int64_t, std::pair<const std::string, Workspace>*>;

  DueSource Take(std::pair<const std::string, Workspace>& of, std::map<int, Lane>::iterator lane);
  void Drop(const DueSource& picked);
  bool MayAsk(const std::string& host, Instant now) const;
  void Observe(Host& host, const BudgetSignal& signal, Instant now) const;
  void Forget(Instant now);
  // Takes the workspace's place in the round away and gives it the right one.
  template <class Change>
  void Replace(std::pair<const std::string, Workspace>& workspace, Change change);

  const Options options_;
  std::unordered_map<std::string, Workspace> workspaces_;  // those with something waiting or running
  std::set<Place> round_;                                  // those with something waiting
  std::unordered_map<std::string, Host> hosts_;            // those with polls under way, or something to remember
  std::unordered_set<std::string> running_;                // channels
  int64_t served_ = 0;
  int waiting_ = 0;
};

}  // namespace parvis::ingestion
