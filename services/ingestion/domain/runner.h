// Keeps polling going: learns the channels from accounts, claims due sources, polls them on an executor, writes down
// what webhooks have brought. Any number of replicas share the sources by their leases.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "ingestion/domain/channel_desk.h"
#include "ingestion/domain/poll.h"
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
    int polls_at_once = 8;
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
  };
  // `pollable`: whether a network can be read back.
  Runner(SourceStore& store, ChannelDesk& desk, Poller& poller, HeardBook& heard, const Clock& clock,
         const Options& options, std::function<bool(const std::string& network)> pollable, Watchers watchers);
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

  SourceStore& store_;
  ChannelDesk& desk_;
  Poller& poller_;
  HeardBook& heard_;
  const Clock& clock_;
  const Options options_;
  const std::function<bool(const std::string&)> pollable_;
  const Watchers watchers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  int running_ = 0;
  Executor executor_;
  std::thread housekeeper_, claimer_;
};

}  // namespace parvis::ingestion
