// The deliverer: claims what is due in the shards that this replica owns, sends it on time and in order, records what
// became of it, and reads back what nobody knows.
//
// One thread decides (Step), a bounded pool calls the networks. The ledger is the truth; what is held here (claims fetched
// ahead, budgets, lanes in flight) may be lost at any moment. A call begins only after its intent is committed.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/stream.h"
#include "publishing/domain/ledger.h"
#include "publishing/domain/network_writer.h"
#include "publishing/domain/outage_gate.h"
#include "publishing/domain/rate_budget.h"
#include "publishing/domain/settle.h"

namespace parvis::publishing {

// So much longer than the call is the lease of what is sent or read back: nobody else begins to read it back while the call may
// still be under way.
inline constexpr absl::Duration kLeaseBeyondCall = absl::Seconds(5);

struct DelivererOptions {
  std::string replica = "local";
  int partitions = 8;                   // of the command topic
  int claim_batch = 200;                // claimed in one transaction
  int held_max = 2000;                  // claimed and waiting in memory
  int held_per_channel_max = 100;       // for one budget of it: one flood leaves room for the others
  int calls_max = 32;                   // calls at once, in all
  int calls_per_channel_max = 4;
  int video_calls_max = 8;              // of calls_max, that are IsSlow; one of a channel, and always less than all
  absl::Duration prefetch = absl::Seconds(2);    // claimed so long before it is due
  absl::Duration poll_min = absl::Milliseconds(20), poll_max = absl::Milliseconds(200);
  absl::Duration sweep_every = absl::Seconds(1);          // unknown, expired, abandoned
  absl::Duration resume_check_every = absl::Seconds(5);   // paused channels: new credentials?
  absl::Duration call_max = absl::Seconds(20);
  absl::Duration video_call_max = absl::Minutes(5);   // of what IsSlow
  absl::Duration lease = absl::Seconds(60);      // of a claim; longer than prefetch
  absl::Duration fenced_max = absl::Seconds(5);  // fenced for so long under one assignment: it must be claimed anew
  absl::Duration probe_max = absl::Seconds(15);  // between two probes of a network that is down
  absl::Duration clock_skew = absl::Minutes(2);  // reading back looks so much further into the past
  SettleRules rules;
};

// What happened, for metrics. Called from the deliverer's thread.
struct DelivererObserver {
  std::function<void(const Delivery& after)> settled;                  // delivered, failed, unknown, expired
  std::function<void(const std::string& network, absl::Duration)> lateness;    // first call's start after due_time
  std::function<void(const Status& status)> ledger_failed;
  // Somebody claimed a partition after us, and nobody tells us that it is not ours any more: a zombie's late claim. Whoever
  // owns the assignment must claim it again, or nothing of ours is ever claimed.
  std::function<void()> fenced;
  std::function<void(const std::string& network, absl::Duration wait)> budget_used_up;   // the next call waits so long
};

class Deliverer {
 public:
  // Runs a task on the pool; false when it is full.
  using Submit = std::function<bool(std::function<void()>)>;
  Deliverer(DeliveryLedger& ledger, NetworkWriter& writer, const Clock& clock, Submit submit, DelivererOptions options,
            DelivererObserver observer = {});
  ~Deliverer();

  // Which partitions of the command topic are ours; from the consumer's thread. Takes effect with the next step.
  void SetOwned(std::vector<StreamPosition> owned);
  void Wake();   // something may be due; cheap, any thread

  void Start();
  // Claims no more and gives back what has not begun. The calls at hand have half of `limit` to end by themselves; then they are
  // cancelled (Call::cancellation), and what they came to is recorded like any outcome.
  void Stop(absl::Duration limit);

  // One pass, for tests and the thread: returns how long nothing needs to happen. Only one thread may call it.
  absl::Duration Step();
  int in_flight() const { return in_flight_.load(); }
  // For tests: how many channels it knows something of.
  int known_channels() const { return static_cast<int>(channels_.size()); }

 private:
  using Key = std::pair<std::string, std::string>;   // workspace, channel
  struct Done {
    Delivery delivery;                 // as it was when the call or reading began
    bool read_back = false;
    WriteOutcome outcome;
    StatusOr<std::vector<FoundItem>> found = std::vector<FoundItem>{};
  };
  struct BudgetState {
    RateBudget rate;
    int held = 0;                      // claimed deliveries that draw on it
    bool full = false;                 // enough is held: none is claimed until half of that has gone
  };
  // What may not go now and is given back.
  struct SentAway {
    std::map<std::pair<Key, std::string>, absl::Duration> budgets;   // that are used up for longer than claims are kept
    std::vector<const Delivery*> crowd;                              // slow ones that found no place
    std::set<std::string> lanes;
  };
  struct ChannelState {
    std::string network;
    std::map<std::string, BudgetState> budgets;   // by NetworkWriter::BudgetOf
    int calls = 0, slow_calls = 0;   // under way; those of what IsSlow are counted apart: others do not wait for them
    OutageGate gate;
  };

  void Run();
  std::vector<int> Shards() const;
  bool Owns(const std::string& channel_id) const;
  void TakeAssignment();
  void CollectDone();
  void Learn(const Done& done);
  // Pauses the channels whose credentials were refused and gives back what is held of them; false when it cannot be written.
  bool PauseExpired();
  // One transaction: the outcomes that are not recorded yet and the intents of the next calls. Gives the intents' rows.
  StatusOr<std::vector<std::optional<Delivery>>> Commit(std::vector<Change> intents);
  void Sweep();
  void SweepUnsettled(bool every_claim);
  void StartReadBacks(const std::vector<Delivery>& unknown);
  void SweepExpired();
  void CheckPaused();
  void ResumeRenewed(const std::vector<PausedChannel>& paused);
  void ClaimMore();
  void ClaimSoon();
  void ClaimFailed(const Status& status);
  absl::Duration SendDue();
  std::vector<Delivery> PickDue(absl::Duration& wait);
  void SendAway(const SentAway& away);
  void SendAwayCrowd(const std::vector<const Delivery*>& crowd);
  int SlowCallsMax() const { return std::clamp(options_.video_calls_max, 1, std::max(1, options_.calls_max - 1)); }
  void StartCalls(const std::vector<Delivery>& picked);
  void ReleaseHeld(const std::function<bool(const Delivery&)>& which, absl::Time ready, const std::string& reason);
  void Drop(const Delivery& delivery);
  // `deadline` is of the moment at which the lease was decided on, however late the pool begins.
  void CallNetwork(Delivery delivery, Instant deadline);
  void ReadNetwork(Delivery delivery, Instant deadline);
  void Finished(Done done);
  absl::Duration CallMaxOf(const Delivery& delivery) const;
  Call NetworkCall(const Delivery& delivery, Instant deadline) const;
  // A call or reading begins (1) or has ended (-1).
  void CountCall(const Delivery& delivery, bool read_back, int change);
  bool AwaitCalls(absl::Duration limit);   // whether all that are under way have ended
  ChannelState& ChannelOf(const Delivery& delivery);
  BudgetState& BudgetOf(const Delivery& delivery);
  std::vector<ClaimSkip> Skipped();
  void ForgetIdleChannels();
  double Jitter();
  StatusOr<std::vector<std::optional<Delivery>>> Apply(const std::vector<Change>& changes);

  DeliveryLedger& ledger_;
  NetworkWriter& writer_;
  const Clock& clock_;
  const Submit submit_;
  const DelivererOptions options_;
  const DelivererObserver observer_;
  const std::shared_ptr<Cancellation> cancellation_ = std::make_shared<Cancellation>();   // of all calls, by Stop

  // Shared with other threads, under mutex_.
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false, claim_now_ = false, stopping_ = false, assignment_changed_ = false;
  std::vector<StreamPosition> next_owned_;
  std::deque<Done> done_;
  std::atomic<int> in_flight_{0};
  std::atomic<bool> asking_paused_{false};   // a task asks for the credentials of paused channels

  // The deciding thread's own.
  std::vector<StreamPosition> owned_;
  std::map<std::pair<absl::Time, std::string>, Delivery> held_;   // claimed: by (due_time, id)
  std::set<std::string> busy_ids_;                               // calls and readings under way, or not recorded yet
  std::set<std::string> busy_lanes_;
  std::map<Key, ChannelState> channels_;
  int slow_calls_ = 0;                 // of in_flight_
  std::deque<Done> unrecorded_;        // outcomes that the ledger could not take yet
  std::optional<PausedChannel> paused_after_;   // the next look at the paused channels goes on here
  bool recover_claims_ = false, claim_more_ = true, draining_ = false;
  Instant claim_rest_{0};   // no claim before, whatever is wanted: the last one was slow
  Instant next_claim_{0}, next_sweep_{0}, next_resume_check_{0};
  Instant fenced_since_ = Instant::Max();
  absl::Duration poll_;
  uint64_t jitter_state_;
  std::thread thread_;
};

}  // namespace parvis::publishing
