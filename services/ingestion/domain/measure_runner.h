// Keeps measuring going: claims what is due and measures it on an executor, at most `at_once` channels at the same
// time. Any number of replicas share the channels by their leases.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ingestion/domain/measure.h"
#include "platform/base/executor.h"

namespace parvis::ingestion {

class MeasureRunner {
 public:
  struct Options {
    int at_once = 4;
    absl::Duration tick = absl::Seconds(1);         // how often due channels are looked for
    absl::Duration sync_every = absl::Seconds(10);  // how often new channels are looked for
  };
  struct Networks {
    std::vector<std::string> channels;                              // that count channels
    std::function<bool(const std::string& network)> shares_budget;  // all its channels of one host draw on one budget
  };
  struct Watchers {  // may be empty; for logs and counters; called from the runner's threads
    std::function<void(const MeasureJob&, const StatusOr<MeasureResult>&)> measured;
    std::function<void(const Status&)> store_failed;
    std::function<void(const MeasureDue&)> listed;
  };
  MeasureRunner(MeasureStore& store, Measurer& measurer, const Clock& clock, const Options& options, Networks networks,
                Watchers watchers);
  ~MeasureRunner();  // Stop()
  void Start();
  // Ends after the calls under way.
  void Stop();

  // One round each, for tests and for the thread.
  Status Sync();
  int ClaimAndMeasure();  // how many channels were begun; -1 when the store could not be asked

 private:
  void Run();
  std::vector<std::string> PausedHosts();
  // How long a host whose channels share a budget is left alone after this.
  absl::Duration SharedWait(const StatusOr<MeasureResult>& result) const;
  void End(const MeasureJob& job, const StatusOr<MeasureResult>& result);

  static constexpr size_t kPausesMax = 1000;  // hosts that are remembered

  MeasureStore& store_;
  Measurer& measurer_;
  const Clock& clock_;
  const Options options_;
  const Networks networks_;
  const Watchers watchers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  int running_ = 0;
  bool room_again_ = false;                // a channel has ended since the last claim
  std::map<std::string, Instant> paused_;  // hosts whose shared budget is used up, until when
  Executor executor_;
  std::thread thread_;
};

}  // namespace parvis::ingestion
