#include "tests/sim/world.h"

#include "tests/sim/end_check.h"
#include "tests/sim/life.h"

namespace parvis::sim {
namespace {

constexpr int kPublishingReplicas = 3, kInboxReplicas = 2;
constexpr absl::Duration kTroubleMax = absl::Minutes(30), kDrainMax = absl::Hours(3);

class World : public LedgerWatcher {
 public:
  explicit World(const RunOptions& options)
      : sim_(options.seed),
        oracle_(sim_),
        ledger_(this),
        publishing_database_(sim_, "publishing"),
        inbox_database_(sim_, "inbox"),
        inbox_clock_(sim_.scheduler),
        store_(inbox_clock_),
        accept_(sim_, kAcceptGroup, {Topic::kCommands}, kPublishingReplicas),
        fold_(sim_, kFoldGroup, {Topic::kAssessments, Topic::kDeliveries}, kInboxReplicas),
        network_(sim_, oracle_, [this](const inbox::Assessed& activity) { return Ingest(activity); }),
        publishing_{sim_, oracle_, ledger_, publishing_database_, deliveries_, bus_, accept_, network_},
        inbox_{sim_, oracle_, store_, inbox_database_, commands_, bus_, fold_, {}},
        life_({sim_,
               oracle_,
               bus_,
               network_,
               ledger_,
               publishing_database_,
               inbox_database_,
               inbox_clock_,
               {&accept_, &fold_},
               publishing_replicas_,
               inbox_replicas_},
              options.deliveries) {
    sim_.bug = options.bug;
    sim_.trace.set_loud(options.loud);
    deliveries_.watch = &oracle_.deliveries;
    commands_.watch = &oracle_.commands;
    bus_.appended = [this](Topic topic) {
      accept_.Wake(topic);
      fold_.Wake(topic);
    };
    for (int i = 0; i < kPublishingReplicas; ++i) {
      publishing_replicas_.push_back(std::make_unique<PublishingReplica>(publishing_, i));
      Start(*publishing_replicas_.back());
    }
    for (int i = 0; i < kInboxReplicas; ++i) {
      inbox_replicas_.push_back(std::make_unique<InboxReplica>(inbox_, i));
      Start(*inbox_replicas_.back());
    }
  }

  // Live through the trouble, then let all come to rest.
  RunResult Live() {
    life_.Begin();
    const int64_t begin = sim_.scheduler.now();
    const int64_t trouble_end = begin + absl::ToInt64Nanoseconds(kTroubleMax);
    while (!sim_.scheduler.stopped() && !life_.over() && sim_.scheduler.now() < trouble_end)
      Pass(absl::Milliseconds(200));
    if (!sim_.scheduler.stopped()) Calm();
    const int64_t drain_end = sim_.scheduler.now() + absl::ToInt64Nanoseconds(kDrainMax);
    while (!sim_.scheduler.stopped() && !AtRest() && sim_.scheduler.now() < drain_end) Pass(absl::Milliseconds(500));
    if (!sim_.scheduler.stopped()) CheckEnd();
    return Result(begin);
  }

  void OnInserted(const pub::Delivery& delivery) override { oracle_.OnInserted(delivery); }
  void OnChanged(const pub::Delivery& before, const pub::Delivery& after) override { oracle_.OnChanged(before, after); }
  void OnEvent(const pub::Delivery& delivery, absl::Time time) override {
    oracle_.OnEvent(delivery);
    const int partition = publishing::PartitionOf(publishing::ShardOf(delivery.channel_id), kPartitions);
    deliveries_.Append(Topic::kDeliveries, partition, delivery.channel_id, ToUpdate(delivery, time));
  }

 private:
  void Start(Process& process) {
    process.clock().boot = static_cast<int64_t>(sim_.random.Next() >> 20);
    process.clock().offset = sim_.random.Between(absl::Milliseconds(-500), absl::Milliseconds(500));
    process.Boot();
  }

  void Pass(absl::Duration time) { sim_.scheduler.RunUntil(sim_.scheduler.now() + absl::ToInt64Nanoseconds(time)); }

  // Ingestion and moderation: no state of their own, at least once.
  bool Ingest(const inbox::Assessed& activity) {
    if (sim_.Fault(sim_.faults.produce_failed)) return false;
    const int partition = publishing::ShardOf(activity.channel_id + activity.thread) % kPartitions;
    const Record record = std::make_shared<Payload>(activity);
    bus_.Append(Topic::kAssessments, partition, record);
    if (sim_.Fault(sim_.faults.produce_twice)) bus_.Append(Topic::kAssessments, partition, record);
    return true;
  }

  // The trouble ends: everything runs, sees the right time and answers.
  void Calm() {
    sim_.quiet = true;
    sim_.Note("world", "is calm from here on");
    network_.RenewAll();
    inbox_clock_.offset = absl::ZeroDuration();
    const auto mend = [](Process& process) {
      process.clock().offset = absl::ZeroDuration();
      process.Resume();
      process.Boot();
    };
    for (int i = 0; i < kPublishingReplicas; ++i) {
      mend(*publishing_replicas_[static_cast<size_t>(i)]);
      accept_.SetReachable(i, true);
    }
    for (int i = 0; i < kInboxReplicas; ++i) {
      mend(*inbox_replicas_[static_cast<size_t>(i)]);
      fold_.SetReachable(i, true);
    }
  }

  bool AtRest() {
    if (ledger_.unsettled() > 0 || !deliveries_.rows.empty() || !commands_.rows.empty()) return false;
    if (network_.webhooks_pending() > 0 || life_.requests() > 0) return false;
    return end_.Applied(bus_, oracle_);
  }

  void CheckEnd() {
    if (!AtRest()) sim_.Violate("it does not come to rest: " + end_.WhatIsLeft(bus_, oracle_, ledger_));
    oracle_.AtEnd(ledger_);
    end_.CheckInbox(sim_, network_, store_, ledger_);
  }

  RunResult Result(int64_t begin) {
    RunResult result;
    result.violation = sim_.violation;
    if (!sim_.violation.empty()) result.latest = sim_.trace.Latest(60);
    result.hash = sim_.trace.hash();
    result.steps = sim_.trace.steps();
    result.events = sim_.scheduler.events();
    result.deliveries = oracle_.settled();
    result.comments = life_.comments();
    result.replies = life_.replies();
    result.crashes = life_.crashes();
    for (const SimLedger::Row& row : ledger_.rows()) {
      result.unknown += row.d.needs_human;
      result.posts += row.d.kind == pub::DeliveryKind::kPost;
    }
    result.simulated = absl::Nanoseconds(sim_.scheduler.now() - begin);
    return result;
  }

  Sim sim_;
  Oracle oracle_;
  SimBus bus_;
  SimLedger ledger_;
  Database publishing_database_, inbox_database_;
  SimClock inbox_clock_;
  inbox::testing::MemoryStore store_;
  SimOutbox deliveries_, commands_;
  SimGroup accept_, fold_;
  SimNetwork network_;
  PublishingWorld publishing_;
  InboxWorld inbox_;
  EndCheck end_;
  std::vector<std::unique_ptr<PublishingReplica>> publishing_replicas_;
  std::vector<std::unique_ptr<InboxReplica>> inbox_replicas_;
  Life life_;
};

struct NamedBug {
  Bug bug;
  const char* name;
};
constexpr NamedBug kBugs[] = {{Bug::kNone, "none"},   {Bug::kFencing, "fencing"}, {Bug::kAttempt, "attempt"},
                              {Bug::kRetry, "retry"}, {Bug::kOffset, "offset"},   {Bug::kClaimToken, "claim"},
                              {Bug::kRelay, "relay"},
                              {Bug::kDeaf, "deaf"}};

}  // namespace

RunResult RunWorld(const RunOptions& options) { return World(options).Live(); }

const char* BugName(Bug bug) {
  for (const NamedBug& named : kBugs) {
    if (named.bug == bug) return named.name;
  }
  return "";
}

bool ParseBug(const std::string& name, Bug& bug) {
  for (const NamedBug& named : kBugs) {
    if (name != named.name) continue;
    bug = named.bug;
    return true;
  }
  return false;
}

}  // namespace parvis::sim
