// Which shared streams this replica reads: claims them, renews their leases while they are read, and gives them back when
// it stops. There are so few of them, one a network, that replicas need not share them out: whoever comes first has one,
// beside the channels' own streams and their places, and another takes it over when that one has gone.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ingestion/domain/shared_stream.h"
#include "platform/base/clock.h"
#include "platform/base/executor.h"

namespace parvis::ingestion {

class SharedStreamKeeper {
 public:
  struct Options {
    absl::Duration round = absl::Seconds(2);  // scattered: half of it to one and a half
    absl::Duration lease = absl::Seconds(15);
    SharedOptions shared;
  };
  // `networks`: those whose streams are shared. Without any nothing is done.
  SharedStreamKeeper(SharedStreamStore& store, NetworkStreams& streams, ActivitySink& sink, const Clock& clock,
                     const Options& options, std::vector<std::string> networks, std::function<double()> uniform,
                     SharedWatchers watchers);
  ~SharedStreamKeeper();  // Stop()
  Status Start();
  // Gives all streams back: each ends after the page at hand, within look_every and what the sink needs.
  void Stop();

  // One round, for tests and for the thread: renew what we have, then take what nobody has.
  Status Round();
  int held() const;

 private:
  struct Held {
    Held(ClaimedShared stream, Instant until) : claimed(std::move(stream)), lease(until) {}
    const ClaimedShared claimed;
    StreamLease lease;
  };
  void Keep();
  Status Renew();
  Status Take();
  void Begin(ClaimedShared claimed, Instant until);
  bool Hold(const std::shared_ptr<Held>& held);
  void Drop(const std::string& network);

  SharedStreamStore& store_;
  const Clock& clock_;
  const Options options_;
  const std::vector<std::string> networks_;
  const std::function<double()> uniform_;
  const SharedWatchers watchers_;
  SharedReader reader_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::map<std::string, std::shared_ptr<Held>> held_;  // by network
  std::unique_ptr<Executor> executor_;                 // null without networks
  std::thread thread_;
};

}  // namespace parvis::ingestion
