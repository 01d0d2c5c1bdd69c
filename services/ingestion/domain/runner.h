// Keeps polling going: learns the channels from accounts, lists what is due, lets the schedule choose, claims what it
// chose, polls it on an executor; writes down what webhooks have brought. Any number of replicas share the sources by
// their leases: two that choose the same channel at once ask for it both, and one of them gets it.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "ingestion/domain/channel_desk.h"
#include "ingestion/domain/poll.h"
#include "ingestion/domain/poll_schedule.h"
#include "ingestion/domain/receive.h"
#include "ingestion/domain/sources.h"
#include "platform/base/clock.h"
#include "platform/base/executor.h"

namespace parvis::ingestion {

// What webhooks have brought since the last Take: one entry a channel. Bounded: beyond `channels_max` new channels are
// left out until the next Take (only a status line is late then). Thread-safe.
class HeardBook : public HeardOf {
 public:
  explicit HeardBook(int channels_max) : channels_max_(channels_max) {}
  void ByWebhook(const Binding& binding, absl::Time received_at, absl::Time event_time) override;
  std::vector<Heard> Take();

 private:
  const int channels_max_;
  std::mutex mutex_;
  std::map<std::string, Heard> heard_;  // by channel
};

class Runner {
 public:
  struct Options {
    PollSchedule::Options polls;                      // wait_max is the poller's
    absl::Duration tick = absl::Milliseconds(500);    // how often due sources are looked for
    absl::Duration sync_every = absl::Seconds(5);     // how often accounts is asked for channels
    absl::Duration note_every = absl::Seconds(2);     // how often webhook times are written down
    absl::Duration first_lookback = absl::Hours(24);  // how far back the first poll of a new channel reads
    absl::Duration sync_call_max = absl::Seconds(10);
  };
  struct Watchers {  // may be empty; for logs and counters; called from the runner's threads
    std::function<void(const Source&, const StatusOr<PollResult>&)> polled;
    std::function<void(const Status&)> synced;
    std::function<void(const Status&)> claim_failed;
    std::function<void(const DueList&, int running)> listed;  // its sources are empty
  };
  struct Networks {
    std::function<bool(const std::string& network)> pollable;       // it can be read back
    std::function<bool(const std::string& network)> shares_budget;  // all its channels of one host draw on one budget
  };
  Runner(SourceStore& store, ChannelDesk& desk, Poller& poller, HeardBook& heard, const Clock& clock,
         const Options& options, Networks networks, Watchers watchers);
  ~Runner();  // Stop()
  Status Start();
  // Ends after the polls under way; they take at most a page each after this.
  void Stop();

  // One round each, for tests and for the threads.
  Status Sync();
  Status NoteHeard();
  int ClaimAndPoll();  // how many polls were started; -1 when the store could not be asked

 private:
  void KeepHouse();
  void KeepClaiming();
  Status ListDue();
  std::vector<DueSource> Choose();
  void Begin(const DueSource& chosen, Claimed claimed);
  void End(const DueSource& chosen, const Source& source, const StatusOr<PollResult>& result);
  void NotTaken(const DueSource& chosen);

  SourceStore& store_;
  ChannelDesk& desk_;
  Poller& poller_;
  HeardBook& heard_;
  const Clock& clock_;
  const Options options_;
  const Networks networks_;
  const Watchers watchers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  PollSchedule schedule_;
  Instant list_at_{0};       // when to ask the store again what is due
  bool more_due_ = false;    // than the schedule was offered
  bool room_again_ = false;  // a poll has ended since the schedule was last asked
  Executor executor_;
  std::thread housekeeper_, claimer_;
};

}  // namespace parvis::ingestion
