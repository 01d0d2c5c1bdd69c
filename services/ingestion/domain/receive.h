// Use case: a verified webhook call becomes activities.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ingestion/domain/activity.h"
#include "ingestion/domain/binding_cache.h"
#include "ingestion/domain/sink.h"
#include "platform/base/call.h"
#include "platform/base/clock.h"

namespace parvis::ingestion {

// Port: is told which channels have just been heard of. Must not block.
class HeardOf {
 public:
  virtual ~HeardOf() = default;
  virtual void ByWebhook(const Binding& binding, absl::Time received_at, absl::Time event_time) = 0;
};

// What became of a call, for the answer and the counters.
struct ReceiveOutcome {
  Status status;       // OK: everything is safe. UNAVAILABLE, RESOURCE_EXHAUSTED: try again later, with all of it.
                       // PERMISSION_DENIED WEBHOOK_REPLAYED: all of it was outside the replay window.
  int activities = 0;  // sent, one per channel
  int unknown = 0;     // happenings at accounts that are no channel of ours
  int replayed = 0;    // happenings outside the replay window, left out
  int unparsed = 0;    // parts that went to the dead letters
};

class Receiver {
 public:
  struct Options {
    // How old, by the network's clock, something may be that a webhook brings; by network. A signature stays valid for
    // ever, so a captured call could be sent again years later: what is older than the network itself may still send is
    // refused. What was missed in that way comes by polling. Removals are taken however old: they may carry no other
    // time than that of what was removed, no poll would bring them, and hearing of one twice changes nothing.
    // Facebook repeats a failed call for 36 h; X repeats for minutes, but on request replays the last 5 days. An hour more
    // each, for clocks and queues.
    std::map<std::string, absl::Duration> replay_max = {{"facebook", absl::Hours(37)}, {"x", absl::Hours(121)}};
    absl::Duration replay_max_default = absl::Hours(48);
  };
  Receiver(BindingCache& bindings, ActivitySink& sink, HeardOf& heard, const Clock& clock, Options options)
      : bindings_(bindings), sink_(sink), heard_(heard), clock_(clock), options_(std::move(options)) {}

  // `done` is called once, from any thread, when all of it is safe or will not be. Never blocks.
  void Receive(const Trace& trace, const std::string& network, std::vector<Happening> happenings,
               std::vector<RawPart> unparsed, std::function<void(const ReceiveOutcome&)> done);
  // Whose load the happenings are: the workspace of the account that most of them are about, as far as it is known
  // without asking, else that account.
  std::string WhoseAre(const std::string& network, const std::vector<Happening>& happenings) const;

 private:
  struct Work;
  void Send(std::shared_ptr<Work> work, const BindingCache::Answer& answer);

  BindingCache& bindings_;
  ActivitySink& sink_;
  HeardOf& heard_;
  const Clock& clock_;
  const Options options_;
};

}  // namespace parvis::ingestion
