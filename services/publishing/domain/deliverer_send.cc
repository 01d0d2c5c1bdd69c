// The deliverer's way from a claim to a call: what is claimed, which of it may go now, and the calls themselves.
#include <algorithm>

#include "publishing/domain/deliverer.h"

namespace parvis::publishing {

using State = DeliveryState;

namespace {

// A claim that is not full has gone past all that is skipped, which may be a hundred thousand deliveries of a channel whose
// budget is used up. After a slow one claiming rests so many times as long, within `prefetch`: such a backlog costs others
// nothing that claiming ahead does not make good, and the ledger a tenth of the time at most until it is very long.
constexpr int kClaimRest = 9;
constexpr absl::Duration kQuickClaim = absl::Milliseconds(3);

// A slow delivery that finds no place waits so long for each round of those before it, and no longer than the second.
constexpr absl::Duration kCrowdWait = absl::Seconds(15), kCrowdWaitMax = absl::Minutes(5);

}  // namespace

void Deliverer::ClaimMore() {
  claim_more_ = false;
  const int room = options_.held_max - static_cast<int>(held_.size());
  if (room <= 0) {
    next_claim_ = clock_.Now() + options_.poll_min;
    return;
  }
  ClaimRequest request;
  request.owned = owned_;
  request.shards = Shards();
  request.now = clock_.WallNow();
  request.horizon = request.now + options_.prefetch;
  request.lease_until = request.now + options_.lease;
  request.limit = std::min(room, options_.claim_batch);
  request.actor = options_.rules.actor;
  request.skip = Skipped();
  const Instant began = clock_.Now();
  const auto claimed = ledger_.Claim(request);
  if (!claimed.ok()) return ClaimFailed(claimed.status());
  fenced_since_ = Instant::Max();
  for (const Delivery& delivery : *claimed) {
    held_[{delivery.due_time, delivery.id}] = delivery;
    ++BudgetOf(delivery).held;
  }
  if (static_cast<int>(claimed->size()) == request.limit) {
    claim_more_ = true;
  } else if (const absl::Duration took = clock_.Now() - began; took > kQuickClaim) {
    claim_rest_ = clock_.Now() + std::min(kClaimRest * took, options_.prefetch / 4);
  }
  poll_ = claimed->empty() ? std::min(poll_ * 2, options_.poll_max) : options_.poll_min;
  next_claim_ = clock_.Now() + poll_;
}

// After outcomes, which may have freed lanes: at once when little is held. Else the claims gather, so that a flood is claimed
// by the hundred.
void Deliverer::ClaimSoon() {
  if (static_cast<int>(held_.size()) < options_.calls_max) {
    claim_more_ = true;
  } else {
    next_claim_ = std::min(next_claim_, clock_.Now() + options_.poll_min);
  }
}

// What draws on a budget that is used up for longer than claims are kept, or of which enough is held. A budget that was full
// is claimed for again when half has gone: a claim that goes through a flood to fetch one of it is wasted.
std::vector<ClaimSkip> Deliverer::Skipped() {
  std::vector<ClaimSkip> skipped;
  for (auto& [key, channel] : channels_) {
    if (channel.gate.WaitNow(clock_.Now()) > options_.prefetch) {
      for (const DeliveryKind kind : kDeliveryKinds) skipped.push_back({key.second, kind});
      continue;
    }
    for (auto& [name, budget] : channel.budgets) {
      budget.full = budget.held >= options_.held_per_channel_max || (budget.full && budget.held > options_.held_per_channel_max / 2);
      if (!budget.full && budget.rate.WaitNow(clock_.Now()) <= options_.prefetch) continue;
      for (const DeliveryKind kind : kDeliveryKinds) {
        if (writer_.BudgetOf(channel.network, kind) == name) skipped.push_back({key.second, kind});
      }
    }
  }
  return skipped;
}

void Deliverer::ClaimFailed(const Status& status) {
  const Instant now = clock_.Now();
  if (observer_.ledger_failed) observer_.ledger_failed(status);
  next_claim_ = now + options_.poll_max;
  if (ReasonOf(status) != "FENCED") {
    recover_claims_ = true;   // after a lost answer some rows may be claimed that we do not know of: they are looked for
    return;
  }
  // Somebody else owns a partition; the consumer will tell us which, unless it was a zombie.
  fenced_since_ = std::min(fenced_since_, now);
  if (now - fenced_since_ < options_.fenced_max) return;
  fenced_since_ = now;
  if (observer_.fenced) observer_.fenced();
}

void Deliverer::Drop(const Delivery& delivery) {
  if (held_.erase({delivery.due_time, delivery.id}) > 0) --BudgetOf(delivery).held;
}

void Deliverer::ReleaseHeld(const std::function<bool(const Delivery&)>& which, absl::Time ready,
                            const std::string& reason) {
  std::vector<Change> changes;
  for (const auto& [key, delivery] : held_) {
    if (!which(delivery)) continue;
    changes.push_back(Release(delivery, std::max(ready, delivery.ready_time), reason, "", options_.rules));
  }
  for (const Change& change : changes) Drop(change.after);
  // If it cannot be written now, the lease ends and the sweep gives them back.
  (void)Apply(changes);
}

absl::Duration Deliverer::SendDue() {
  absl::Duration wait = absl::InfiniteDuration();
  if (!PauseExpired()) return wait;   // the database is away
  StartCalls(PickDue(wait));
  return wait;
}

// Goes through what is held in due order: at most one per lane, within its budget and the pool's room. A budget that is
// used up holds back what draws on it, and behind it in their lanes; everything else of the channel goes on.
std::vector<Delivery> Deliverer::PickDue(absl::Duration& wait) {
  const absl::Time now = clock_.WallNow();
  const Instant mono = clock_.Now();
  std::vector<Delivery> picked;
  std::vector<Change> expired;
  std::set<std::string> seen_lanes;
  SentAway away;
  std::set<const RateBudget*> drawn;
  for (const auto& [key, delivery] : held_) {
    if (in_flight_ >= options_.calls_max) break;
    if (now > delivery.expire_time) {
      expired.push_back(Expire(delivery, now, options_.rules));
      continue;
    }
    if (!seen_lanes.insert(delivery.lane).second || busy_lanes_.contains(delivery.lane)) continue;
    if (delivery.ready_time > now) {
      wait = std::min(wait, delivery.ready_time - now);
      continue;
    }
    ChannelState& channel = ChannelOf(delivery);
    if (const absl::Duration closed = channel.gate.WaitNow(mono); closed > absl::ZeroDuration()) {
      wait = std::min(wait, closed);   // what is held stays held; its lease is longer than the gate is closed
      continue;
    }
    if (channel.gate.Doubtful() && channel.calls > 0) continue;
    const bool slow = IsSlow(delivery);
    if (slow && (slow_calls_ >= SlowCallsMax() || channel.slow_calls > 0)) {
      away.crowd.push_back(&delivery);
      continue;
    }
    const std::string name = writer_.BudgetOf(delivery.network, delivery.kind);
    RateBudget& budget = channel.budgets[name].rate;
    const absl::Duration budget_wait = budget.WaitNow(mono);
    if (budget_wait > options_.prefetch) {
      if (drawn.contains(&budget)) continue;   // by this pass: a call that does not come about is given back
      away.budgets[{{delivery.workspace_id, delivery.channel_id}, name}] = budget_wait;
      away.lanes.insert(delivery.lane);
      continue;
    }
    if (budget_wait > absl::ZeroDuration()) {
      wait = std::min(wait, budget_wait);
      continue;
    }
    if (!slow && channel.calls >= options_.calls_per_channel_max) continue;
    budget.Take(mono);
    drawn.insert(&budget);
    CountCall(delivery, false, 1);
    picked.push_back(delivery);
  }
  for (const Change& change : expired) Drop(change.after);
  (void)Apply(expired);
  SendAway(away);
  return picked;
}

void Deliverer::SendAway(const SentAway& away) {
  SendAwayCrowd(away.crowd);
  const absl::Time now = clock_.WallNow();
  for (const auto& [budget, budget_wait] : away.budgets) {
    ReleaseHeld(
        [this, &budget = budget](const Delivery& held) {
          return Key(held.workspace_id, held.channel_id) == budget.first &&
                 writer_.BudgetOf(held.network, held.kind) == budget.second;
        },
        now + budget_wait, "RATE_LIMITED");
  }
  // Those behind them draw on other budgets but must not overtake: the ledger claims them when their turn has come.
  if (!away.lanes.empty()) {
    ReleaseHeld([&](const Delivery& held) { return away.lanes.contains(held.lane); }, absl::InfinitePast(), "");
  }
}

// As many slow ones as there are places stay here, so that none is free for long. The others go back to the ledger, and what
// is behind them in their lanes with them: a thousand videos for one moment must not fill the room of everything else.
void Deliverer::SendAwayCrowd(const std::vector<const Delivery*>& crowd) {
  const absl::Time now = clock_.WallNow();
  const size_t places = static_cast<size_t>(SlowCallsMax());
  std::vector<Change> changes;
  std::set<std::string> lanes;
  for (size_t i = places; i < crowd.size(); ++i) {
    const absl::Duration wait = std::min(kCrowdWaitMax, kCrowdWait * static_cast<int64_t>(i / places));
    changes.push_back(Release(*crowd[i], now + wait, "OVERLOADED", "other videos and documents are being sent", options_.rules));
    lanes.insert(crowd[i]->lane);
  }
  if (changes.empty()) return;
  for (const Change& change : changes) Drop(change.after);
  (void)Apply(changes);
  ReleaseHeld([&](const Delivery& held) { return lanes.contains(held.lane); }, absl::InfinitePast(), "");
}

void Deliverer::StartCalls(const std::vector<Delivery>& picked) {
  if (picked.empty() && unrecorded_.empty()) return;
  const absl::Time now = clock_.WallNow();
  const Instant mono = clock_.Now();
  std::vector<Change> changes;
  for (const Delivery& delivery : picked) {
    changes.push_back(BeginSend(delivery, now, now + CallMaxOf(delivery) + kLeaseBeyondCall, options_.rules));
  }
  const auto applied = Commit(std::move(changes));   // committed before any call
  std::vector<Change> refused;
  for (size_t i = 0; i < picked.size(); ++i) {
    const bool sent = applied.ok() && (*applied)[i].has_value();
    if (applied.ok()) Drop(picked[i]);
    if (!sent) {
      CountCall(picked[i], false, -1);
      BudgetOf(picked[i]).rate.GiveBack(clock_.Now());
      if (applied.ok()) refused.push_back(Release(picked[i], picked[i].ready_time, "", "", options_.rules));
      continue;
    }
    const Delivery& delivery = *(*applied)[i];
    busy_ids_.insert(delivery.id);
    busy_lanes_.insert(delivery.lane);
    if (delivery.attempts == 1 && observer_.lateness) observer_.lateness(delivery.network, now - delivery.due_time);
    const Instant deadline = mono + CallMaxOf(delivery);
    if (!submit_([this, delivery, deadline] { CallNetwork(delivery, deadline); })) {
      WriteOutcome outcome;
      outcome.result = WriteResult::kNotSent;
      outcome.reason = "OVERLOADED";
      Finished({delivery, false, outcome, std::vector<FoundItem>{}});
    }
  }
  // Cancelled or moved meanwhile (then this changes nothing), or not its turn in the lane.
  (void)Apply(refused);
}

absl::Duration Deliverer::CallMaxOf(const Delivery& delivery) const {
  return IsSlow(delivery) ? std::max(options_.video_call_max, options_.call_max) : options_.call_max;
}

Call Deliverer::NetworkCall(const Delivery& delivery, Instant deadline) const {
  Call call = BackgroundCall("publishing", delivery.workspace_id);
  call.deadline = deadline;
  call.cancellation = cancellation_;
  return call;
}

void Deliverer::CallNetwork(Delivery delivery, Instant deadline) {
  const Call call = NetworkCall(delivery, deadline);
  WriteOutcome outcome = writer_.Write(call, delivery);
  Finished({std::move(delivery), false, std::move(outcome), std::vector<FoundItem>{}});
}

void Deliverer::ReadNetwork(Delivery delivery, Instant deadline) {
  const Call call = NetworkCall(delivery, deadline);
  const absl::Time since = delivery.first_sent_time - options_.clock_skew;
  StatusOr<std::vector<FoundItem>> found = writer_.ReadBack(call, delivery, since);
  if (found.ok() && !found->empty() && !IsIdempotent(delivery.kind)) {
    std::vector<std::string> ids;
    for (const FoundItem& item : *found) ids.push_back(item.remote_id);
    const auto taken = ledger_.TakenRemoteIds(delivery.workspace_id, delivery.channel_id, ids);
    if (!taken.ok()) {
      found = taken.status();
    } else {
      std::erase_if(*found, [&](const FoundItem& item) { return taken->contains(item.remote_id); });
    }
  }
  Finished({std::move(delivery), true, {}, std::move(found)});
}

}  // namespace parvis::publishing
