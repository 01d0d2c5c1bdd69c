// Fakes of the ports of WebSub, for tests.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ingestion/domain/fakes.h"
#include "ingestion/domain/hub_keeper.h"
#include "ingestion/domain/runner.h"

namespace parvis::ingestion {

// Keeps the same promises as PgHubStore (hub_contract.h proves it), beside the sources of `sources`.
class FakeHubStore : public HubStore {
 public:
  FakeHubStore(FakeSourceStore& sources, const Clock& clock);
  StatusOr<std::vector<ClaimedSubscription>> Claim(const std::vector<std::string>& networks, int limit,
                                                   absl::Duration lease) override;
  Status Ask(const ClaimedSubscription& claimed, const HubChoice& hub, absl::Duration answer_in) override;
  Status Release(const ClaimedSubscription& claimed, const SubscriptionEnd& end) override;
  Status Confirm(const Binding& binding, const HubConfirmation& confirmation) override;
  Status Deny(const Binding& binding, const std::string& topic, const std::string& message,
              absl::Duration retry_in) override;

 private:
  struct Row {
    Binding binding;
    HubChoice hub;
    std::optional<bool> asked;  // true: to subscribe; not answered yet
    std::optional<absl::Time> answer_until, lease_end, claimed_until;
    absl::Time next_try = absl::InfinitePast();
    int64_t token = 0;
    int failures = 0;
    std::string reason;
  };
  Row* Owned(const ClaimedSubscription& claimed);
  Row* Of(const Binding& binding);
  FakeSourceStore& sources_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Row> rows_;  // by channel
};

// Knows hubs by channel, and asks back at once if told to.
class FakeHubDesk : public HubDesk {
 public:
  StatusOr<HubChoice> Find(const Call& call, const Source& source) override;
  Status Ask(const Call& call, const Source& source, const HubChoice& hub, bool subscribe,
             absl::Duration lease) override;

  std::map<std::string, HubChoice> hubs;  // by channel
  Status refusal;
  std::function<void(const Source&, const HubChoice&, bool subscribe)> on_ask;
  std::vector<std::string> asked;  // "subscribe c1"
};

// A receiver for what hubs deliver, on fakes: channels are those of `finder`, what it takes is in `sink`. Stop the executor
// before what calls the receiver is gone.
struct FakeIntake {
  explicit FakeIntake(const Clock& clock)
      : cache(finder, executor, clock, {}), receiver(cache, sink, heard, clock, {}) {}
  FakeFinder finder;
  FakeSink sink;
  HeardBook heard{10};
  Executor executor{{.name = "bindings", .threads = 1, .queue_max = 10}};
  BindingCache cache;
  Receiver receiver;
};

}  // namespace parvis::ingestion
