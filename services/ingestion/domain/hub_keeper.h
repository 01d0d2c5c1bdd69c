// Keeps subscriptions at WebSub hubs (https://www.w3.org/TR/websub/): asks for them, renews them ahead of their end,
// gives up those of disconnected channels. Any number of replicas share them by leases.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ingestion/domain/hub_store.h"
#include "platform/base/call.h"
#include "platform/base/clock.h"

namespace parvis::ingestion {

// Port: the hubs. Thread-safe; blocks until the call's deadline at most.
class HubDesk {
 public:
  virtual ~HubDesk() = default;
  // NOT_FOUND HUB_NONE when no hub tells of the source.
  virtual StatusOr<HubChoice> Find(const Call& call, const Source& source) = 0;
  // OK: the hub has taken it, and will ask back whether we want it (it may have done so already).
  virtual Status Ask(const Call& call, const Source& source, const HubChoice& hub, bool subscribe,
                     absl::Duration lease) = 0;
};

// Ahead of the lease's end, scattered: subscriptions that began together are not renewed together.
absl::Duration RenewIn(absl::Duration lease, double uniform);

class HubKeeper {
 public:
  struct Options {
    int threads = 2;
    int batch = 4;  // claimed at once by a thread
    absl::Duration round = absl::Seconds(5);
    absl::Duration claim_lease = absl::Minutes(5);  // longer than a batch takes
    absl::Duration call_max = absl::Seconds(20);    // finding a hub, asking it
    absl::Duration ask_for = absl::Hours(24 * 5);   // how long a subscription should last; the hub decides
    absl::Duration answer_in = absl::Minutes(10);   // how long a hub may take to ask back
    absl::Duration failure_first = absl::Minutes(1);
    absl::Duration failure_max = absl::Hours(6);
    absl::Duration none_wait = absl::Hours(24);  // until a source without a hub is looked at again
  };
  struct Watchers {  // may be empty; called from the keeper's threads
    std::function<void(const Source&, bool subscribe, const Status&)> asked;
    std::function<void(const Status&)> store_failed;
  };
  // Without networks nothing is done.
  HubKeeper(HubStore& store, HubDesk& desk, const Clock& clock, const Options& options,
            std::vector<std::string> networks, std::function<double()> uniform, Watchers watchers)
      : store_(store),
        desk_(desk),
        clock_(clock),
        options_(options),
        networks_(std::move(networks)),
        uniform_(std::move(uniform)),
        watchers_(std::move(watchers)) {}
  ~HubKeeper() { Stop(); }
  Status Start();
  void Stop();  // after the call at hand
  // One round, for tests and for the threads: how many were claimed.
  StatusOr<int> Round();

 private:
  void Keep();
  Status Handle(const ClaimedSubscription& claimed);
  SubscriptionEnd After(const ClaimedSubscription& claimed, const Status& why);
  Call NewCall(const Source& source) const;

  HubStore& store_;
  HubDesk& desk_;
  const Clock& clock_;
  const Options options_;
  const std::vector<std::string> networks_;
  const std::function<double()> uniform_;
  const Watchers watchers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace parvis::ingestion
