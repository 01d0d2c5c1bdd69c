#include "publishing/domain/deliverer.h"

#include <algorithm>

namespace parvis::publishing {

using State = DeliveryState;

Deliverer::Deliverer(DeliveryLedger& ledger, NetworkWriter& writer, const Clock& clock, Submit submit,
                     DelivererOptions options, DelivererObserver observer)
    : ledger_(ledger), writer_(writer), clock_(clock), submit_(std::move(submit)), options_(std::move(options)),
      observer_(std::move(observer)), poll_(options_.poll_min), jitter_state_(static_cast<uint64_t>(clock.Now().nanos)) {}

Deliverer::~Deliverer() { Stop(absl::Seconds(1)); }

void Deliverer::SetOwned(std::vector<StreamPosition> owned) {
  const std::lock_guard lock(mutex_);
  next_owned_ = std::move(owned);
  assignment_changed_ = true;
  woken_ = true;
  wake_.notify_all();
}

void Deliverer::Wake() {
  const std::lock_guard lock(mutex_);
  woken_ = claim_now_ = true;
  wake_.notify_all();
}

void Deliverer::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Deliverer::Run() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      if (claim_now_) next_claim_ = Instant{0};
      woken_ = claim_now_ = false;
    }
    const absl::Duration wait = Step();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, absl::ToChronoMicroseconds(wait), [&] { return woken_ || stopping_; });
  }
}

void Deliverer::Stop(absl::Duration limit) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  draining_ = true;
  ReleaseHeld([](const Delivery&) { return true; }, absl::InfinitePast(), "");
  // A video's call may have minutes to go. The last quarter is for writing down what the calls have come to.
  if (!AwaitCalls(limit / 2)) {
    cancellation_->Cancel();
    (void)AwaitCalls(limit / 4);
  }
  CollectDone();
  if (PauseExpired()) (void)Commit({});
}

bool Deliverer::AwaitCalls(absl::Duration limit) {
  std::unique_lock lock(mutex_);
  return wake_.wait_for(lock, absl::ToChronoMicroseconds(limit),
                        [&] { return static_cast<int>(done_.size()) >= in_flight_.load(); });
}

absl::Duration Deliverer::Step() {
  TakeAssignment();
  CollectDone();
  const Instant now = clock_.Now();
  if (!owned_.empty()) {
    if (now >= next_sweep_ || recover_claims_) Sweep();
    if (now >= next_resume_check_) CheckPaused();
    if ((now >= next_claim_ || claim_more_) && now >= claim_rest_) ClaimMore();
  }
  absl::Duration wait = SendDue();
  if (!owned_.empty()) {
    const Instant claim = claim_more_ ? claim_rest_ : std::max(next_claim_, claim_rest_);
    wait = std::min({wait, claim - clock_.Now(), next_sweep_ - clock_.Now()});
  }
  if (!unrecorded_.empty()) wait = std::min(wait, options_.poll_max);
  return std::clamp(wait, absl::ZeroDuration(), absl::Seconds(1));
}

std::vector<int> Deliverer::Shards() const {
  std::vector<int> shards;
  for (int shard = 0; shard < kShards; ++shard) {
    const int partition = PartitionOf(shard, options_.partitions);
    for (const StreamPosition& position : owned_) {
      if (position.partition == partition) shards.push_back(shard);
    }
  }
  return shards;
}

bool Deliverer::Owns(const std::string& channel_id) const {
  const int partition = PartitionOf(ShardOf(channel_id), options_.partitions);
  return std::any_of(owned_.begin(), owned_.end(), [&](const StreamPosition& p) { return p.partition == partition; });
}

void Deliverer::TakeAssignment() {
  {
    const std::lock_guard lock(mutex_);
    if (!assignment_changed_) return;
    assignment_changed_ = false;
    owned_ = next_owned_;
  }
  fenced_since_ = Instant::Max();
  ReleaseHeld([this](const Delivery& held) { return !Owns(held.channel_id); }, absl::InfinitePast(), "");
  ForgetIdleChannels();
  recover_claims_ = true;
  claim_more_ = true;
}

StatusOr<std::vector<std::optional<Delivery>>> Deliverer::Apply(const std::vector<Change>& changes) {
  if (changes.empty()) return std::vector<std::optional<Delivery>>{};
  auto applied = ledger_.Apply(changes, clock_.WallNow());
  if (!applied.ok()) {
    if (observer_.ledger_failed) observer_.ledger_failed(applied.status());
    return applied;
  }
  for (const std::optional<Delivery>& after : *applied) {
    if (after && (IsFinal(after->state) || after->state == State::kUnknown) && observer_.settled) {
      observer_.settled(*after);
    }
  }
  return applied;
}

// ---- outcomes ------------------------------------------------------------------------------------------------------

void Deliverer::Finished(Done done) {
  const std::lock_guard lock(mutex_);
  done_.push_back(std::move(done));
  woken_ = true;
  wake_.notify_all();
}

// A call that has ended has freed its place, whatever the ledger says; its lane waits until the outcome is recorded.
void Deliverer::CollectDone() {
  std::deque<Done> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(done_);
  }
  for (Done& done : ended) {
    Learn(done);
    CountCall(done.delivery, done.read_back, -1);
    unrecorded_.push_back(std::move(done));
  }
}

// Once an answer, however often the ledger must be asked to take its outcome: the waits count from now.
void Deliverer::Learn(const Done& done) {
  if (done.read_back) return;
  const WriteOutcome& outcome = done.outcome;
  const Instant now = clock_.Now();
  if (!outcome.ours) {
    ChannelOf(done.delivery).gate.Observe(outcome, now, Jitter(), options_.rules.retry_initial, options_.probe_max);
  }
  if (outcome.result == WriteResult::kNotSent) BudgetOf(done.delivery).rate.GiveBack(now);
  RateBudget& rate = outcome.budget ? ChannelOf(done.delivery).budgets[*outcome.budget].rate : BudgetOf(done.delivery).rate;
  rate.Observe(outcome.rate, outcome.refusal == Refusal::kRateLimited, now, options_.rules.rate_wait,
               options_.rules.rate_wait_max);
  const absl::Duration wait = rate.WaitNow(now);
  if (wait > absl::ZeroDuration() && observer_.budget_used_up) observer_.budget_used_up(done.delivery.network, wait);
}

bool Deliverer::PauseExpired() {
  const absl::Time now = clock_.WallNow();
  std::set<Key> paused;
  for (const Done& done : unrecorded_) {
    if (done.read_back || !PausesChannel(done.outcome)) continue;
    const Delivery& delivery = done.delivery;
    if (!paused.insert({delivery.workspace_id, delivery.channel_id}).second) continue;
    const Status status = ledger_.Pause({delivery.workspace_id, delivery.channel_id, "TOKEN_EXPIRED",
                                         done.outcome.credentials_version, now});
    if (!status.ok()) return false;
  }
  if (!paused.empty()) {
    ReleaseHeld([&](const Delivery& held) { return paused.contains({held.workspace_id, held.channel_id}); },
                absl::InfinitePast(), "TOKEN_EXPIRED");
  }
  return true;
}

StatusOr<std::vector<std::optional<Delivery>>> Deliverer::Commit(std::vector<Change> intents) {
  const absl::Time now = clock_.WallNow();
  std::vector<Change> changes;
  for (const Done& done : unrecorded_) {
    const NetworkTraits traits = writer_.Traits(done.delivery.network);
    changes.push_back(done.read_back ? AfterReadBack(done.delivery, done.found, traits, now, options_.rules)
                                     : AfterCall(done.delivery, done.outcome, traits, now, Jitter(), options_.rules));
  }
  const size_t outcomes = changes.size();
  std::move(intents.begin(), intents.end(), std::back_inserter(changes));
  auto applied = Apply(changes);
  if (!applied.ok()) return applied;   // the outcomes are kept until the ledger takes them
  for (const Done& done : unrecorded_) {
    busy_ids_.erase(done.delivery.id);
    busy_lanes_.erase(done.delivery.lane);
  }
  unrecorded_.clear();
  if (outcomes > 0 && !draining_) ClaimSoon();
  applied->erase(applied->begin(), applied->begin() + static_cast<std::ptrdiff_t>(outcomes));
  return applied;
}

// ---- looking after what nobody works on ----------------------------------------------------------------------------

void Deliverer::Sweep() {
  next_sweep_ = clock_.Now() + options_.sweep_every;
  const bool every_claim = recover_claims_;
  recover_claims_ = false;
  SweepUnsettled(every_claim);
  SweepExpired();
  ForgetIdleChannels();
}

void Deliverer::SweepUnsettled(bool every_claim) {
  const absl::Time now = clock_.WallNow();
  auto found = ledger_.FindUnsettled(Shards(), now, every_claim, options_.claim_batch);
  if (!found.ok()) {
    recover_claims_ = recover_claims_ || every_claim;
    if (observer_.ledger_failed) observer_.ledger_failed(found.status());
    return;
  }
  std::vector<Change> recovered;
  std::vector<Delivery> unknown;
  for (const Delivery& delivery : *found) {
    if (busy_ids_.contains(delivery.id) || held_.contains({delivery.due_time, delivery.id})) continue;
    if (delivery.state == State::kUnknown) {
      unknown.push_back(delivery);
    } else {
      recovered.push_back(Recover(delivery, writer_.Traits(delivery.network), now, options_.rules));
    }
  }
  (void)Apply(recovered);
  if (!recovered.empty()) claim_more_ = true;
  // A full answer may hide more behind it.
  if (every_claim && static_cast<int>(recovered.size()) == options_.claim_batch) recover_claims_ = true;
  StartReadBacks(unknown);
}

void Deliverer::StartReadBacks(const std::vector<Delivery>& unknown) {
  if (!unrecorded_.empty() && unrecorded_.size() >= static_cast<size_t>(options_.calls_max)) return;   // bounded
  const absl::Time now = clock_.WallNow();
  const Instant deadline = clock_.Now() + options_.call_max;
  std::vector<Change> changes;
  for (const Delivery& delivery : unknown) {
    if (in_flight_ + static_cast<int>(changes.size()) >= options_.calls_max) break;
    changes.push_back(BeginReadBack(delivery, now, now + options_.call_max + kLeaseBeyondCall, options_.rules));
  }
  const auto applied = Apply(changes);
  if (!applied.ok()) return;
  for (const std::optional<Delivery>& delivery : *applied) {
    if (!delivery) continue;
    busy_ids_.insert(delivery->id);
    CountCall(*delivery, true, 1);
    if (!submit_([this, delivery = *delivery, deadline] { ReadNetwork(delivery, deadline); })) {
      Finished({*delivery, true, {}, MakeError(Code::kUnavailable, "OVERLOADED", "no thread to read back")});
    }
  }
}

void Deliverer::SweepExpired() {
  const absl::Time now = clock_.WallNow();
  const auto found = ledger_.FindExpired(Shards(), now, options_.claim_batch);
  if (!found.ok()) return;
  std::vector<Change> changes;
  for (const Delivery& delivery : *found) changes.push_back(Expire(delivery, now, options_.rules));
  (void)Apply(changes);
  if (static_cast<int>(changes.size()) == options_.claim_batch) next_sweep_ = clock_.Now();
}

// A network's outage may pause a thousand channels: they are asked for page by page, and by the pool.
void Deliverer::CheckPaused() {
  next_resume_check_ = clock_.Now() + options_.resume_check_every;
  if (asking_paused_.load()) return;
  const auto paused = ledger_.ListPaused(Shards(), paused_after_, options_.claim_batch);
  if (!paused.ok()) return;
  const bool more = static_cast<int>(paused->size()) == options_.claim_batch;
  paused_after_ = more ? std::optional(paused->back()) : std::nullopt;
  if (paused->empty()) return;
  asking_paused_ = true;
  if (!submit_([this, paused = *paused] { ResumeRenewed(paused); })) asking_paused_ = false;
}

// On a thread of the pool.
void Deliverer::ResumeRenewed(const std::vector<PausedChannel>& paused) {
  bool resumed = false;
  for (const PausedChannel& channel : paused) {
    Call call = BackgroundCall("publishing", channel.workspace_id);
    call.deadline = clock_.Now() + absl::Seconds(2);
    const auto version = writer_.CredentialsVersion(call, channel.workspace_id, channel.channel_id);
    const Code code = version.status().code();
    if (code == Code::kUnavailable || code == Code::kDeadlineExceeded) break;   // nor would the others be answered
    if (!version.ok() || *version == channel.credentials_version) continue;
    resumed = ledger_.Resume(channel.workspace_id, channel.channel_id).ok() || resumed;
  }
  asking_paused_ = false;
  if (resumed) Wake();
}

Deliverer::ChannelState& Deliverer::ChannelOf(const Delivery& delivery) {
  ChannelState& channel = channels_[{delivery.workspace_id, delivery.channel_id}];
  if (channel.network.empty()) channel.network = delivery.network;
  return channel;
}

// Replies and hides do not wait for the video of their channel: it is counted apart.
void Deliverer::CountCall(const Delivery& delivery, bool read_back, int change) {
  const bool slow = !read_back && IsSlow(delivery);
  ChannelState& channel = ChannelOf(delivery);
  (slow ? channel.slow_calls : channel.calls) += change;
  if (slow) slow_calls_ += change;
  in_flight_ += change;
}

Deliverer::BudgetState& Deliverer::BudgetOf(const Delivery& delivery) {
  return ChannelOf(delivery).budgets[writer_.BudgetOf(delivery.network, delivery.kind)];
}

// What is known of a channel goes with its last delivery and the end of its last window, or with its shard: what is held
// here is bounded by what goes out within the longest wait a network may order.
void Deliverer::ForgetIdleChannels() {
  const Instant now = clock_.Now();
  for (auto& [key, channel] : channels_) {
    const bool ours = Owns(key.second);
    if (ours && channel.gate.Remembered(now)) continue;
    std::erase_if(channel.budgets, [&](const auto& budget) {
      return budget.second.held == 0 && (!ours || budget.second.rate.Over(now));
    });
  }
  std::erase_if(channels_, [](const auto& entry) {
    return entry.second.budgets.empty() && entry.second.calls == 0 && entry.second.slow_calls == 0;
  });
}

double Deliverer::Jitter() {
  jitter_state_ = jitter_state_ * 6364136223846793005ULL + 1442695040888963407ULL;  // Knuth's MMIX generator
  return static_cast<double>(jitter_state_ >> 11) / static_cast<double>(1ULL << 53);
}

}  // namespace parvis::publishing
