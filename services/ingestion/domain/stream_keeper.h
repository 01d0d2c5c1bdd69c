// Which streams this replica reads: claims them, renews their leases while they are read, and gives them up when it
// stops, when they have been lost, and when others have more room. A thread a stream: what is beyond the places of all
// replicas is polled.
//
// Replicas share without talking to each other: each says how many places it has, reads from the store how many there
// are and how many streams, and keeps to its part of them, rounded up. So none takes more than its part while another
// has free places, and a newcomer is given its part within some rounds.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ingestion/domain/stream.h"
#include "platform/base/clock.h"
#include "platform/base/executor.h"

namespace parvis::ingestion {

// How many of the wanted streams a replica with `places` of its own may have.
int ShareOfStreams(const StreamPlan& plan, int places);

class StreamKeeper {
 public:
  struct Options {
    int places = 64;                          // streams at once; a thread each
    int change_max = 8;                       // begun, or asked back for others, in one round
    absl::Duration round = absl::Seconds(2);  // scattered: half of it to one and a half
    absl::Duration lease = absl::Seconds(15);
    StreamOptions stream;
  };
  // `networks`: those that have streams. `name`: of this process alone. Without networks or places nothing is done.
  StreamKeeper(StreamStore& store, ChannelStreams& streams, ActivitySink& sink, const Clock& clock,
               const Options& options, std::vector<std::string> networks, std::string name,
               std::function<double()> uniform, StreamWatchers watchers);
  ~StreamKeeper();  // Stop()
  Status Start();
  // Gives all streams back: each ends after the page at hand, within look_every and what the sink needs.
  void Stop();

  // One round, for tests and for the thread: renew what we have, then come closer to our share.
  Status Round();
  int held() const;

 private:
  struct Held {
    Held(ClaimedStream stream, Instant until) : claimed(std::move(stream)), lease(until) {}
    const ClaimedStream claimed;
    StreamLease lease;
  };
  void Keep();
  Status Renew();
  void AskBack(int count);
  Status Take(int count);
  void Begin(ClaimedStream claimed, Instant until);
  bool Hold(const std::shared_ptr<Held>& held);
  void Drop(const std::string& channel);
  bool idle() const { return networks_.empty() || options_.places == 0; }

  StreamStore& store_;
  const Clock& clock_;
  const Options options_;
  const std::vector<std::string> networks_;
  const std::string name_;
  const std::function<double()> uniform_;
  const StreamWatchers watchers_;
  StreamReader reader_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::map<std::string, std::shared_ptr<Held>> held_;  // by channel
  std::unique_ptr<Executor> executor_;                 // null when idle
  std::thread thread_;
};

}  // namespace parvis::ingestion
