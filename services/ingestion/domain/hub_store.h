// Port: subscriptions at WebSub hubs, one a source.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ingestion/domain/sources.h"

namespace parvis::ingestion {

// A hub that tells of a source's news.
struct HubChoice {
  std::string url, topic;
  bool tells_all = false;  // of all that polling would find: polls are only made to be sure
};

// A subscription that this process may ask for until the lease ends.
struct ClaimedSubscription {
  Source source;
  int64_t token = 0;     // fencing, as with sources
  HubChoice hub;         // that was asked last; empty before
  bool leaving = false;  // the channel is disconnected: to be given up
  int failures = 0;      // in a row
};

// How asking ended, for the next time.
struct SubscriptionEnd {
  absl::Duration next_in;  // unless the hub has confirmed meanwhile
  int failures = 0;
  std::string reason, message;
};

// What a hub asks back: whether we want this.
struct HubConfirmation {
  bool subscribe = true;
  std::string topic;
  absl::Duration lease;     // for so long the hub will tell
  absl::Duration renew_in;  // when to ask again
};

// Thread-safe; blocks. Times are measured with the store's clock.
class HubStore {
 public:
  virtual ~HubStore() = default;
  // At most `limit` whose time has come: of active sources of `networks` to be asked for or renewed, of disconnected
  // ones to be given up while the hub still tells.
  virtual StatusOr<std::vector<ClaimedSubscription>> Claim(const std::vector<std::string>& networks, int limit,
                                                           absl::Duration lease) = 0;
  // Before the hub is asked: for `answer_in` its question is answered with yes. ABORTED FENCED.
  virtual Status Ask(const ClaimedSubscription& claimed, const HubChoice& hub, absl::Duration answer_in) = 0;
  // Ends the claim. ABORTED FENCED.
  virtual Status Release(const ClaimedSubscription& claimed, const SubscriptionEnd& end) = 0;
  // NOT_FOUND SUBSCRIPTION_UNKNOWN unless we asked the hub for exactly this, lately. A subscription that is given up is
  // forgotten.
  virtual Status Confirm(const Binding& binding, const HubConfirmation& confirmation) = 0;
  // The hub will not tell, or no longer. Asked again after `retry_in`. NOT_FOUND as Confirm, but whenever we asked.
  virtual Status Deny(const Binding& binding, const std::string& topic, const std::string& message,
                      absl::Duration retry_in) = 0;
};

}  // namespace parvis::ingestion
