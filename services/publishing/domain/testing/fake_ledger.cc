#include <algorithm>

#include "publishing/domain/testing/fake_store.h"
#include "publishing/domain/thread.h"

namespace parvis::publishing {
namespace {

using State = DeliveryState;

bool Holds(const std::vector<int>& shards, const std::string& channel_id) {
  return std::find(shards.begin(), shards.end(), ShardOf(channel_id)) != shards.end();
}

bool Unsettled(const Delivery& d) {
  return !d.needs_human && !IsFinal(d.state);
}

}  // namespace

void FakeStore::SetEpoch(int partition, int64_t epoch) {
  const std::lock_guard lock(mutex_);
  epochs_[partition] = epoch;
}

std::vector<DeliveryChanged> FakeStore::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

std::vector<Transition> FakeStore::history(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto at = history_.find(id);
  return at == history_.end() ? std::vector<Transition>{} : at->second;
}

void FakeStore::OnClaim(std::function<void()> hook) { on_claim_ = std::move(hook); }

void FakeStore::FailApply(int times) {
  const std::lock_guard lock(mutex_);
  fail_apply_ = times;
}

void FakeStore::Step(const Delivery& d, absl::Time time, State from, const std::string& detail,
                     const std::string& actor) {
  auto& steps = history_[d.id];
  steps.push_back({static_cast<int64_t>(steps.size()) + 1, time, from, d.state, d.attempts, detail, actor});
}

int FakeStore::Insert(const std::vector<Delivery>& deliveries, absl::Time now, const std::string& actor) {
  int added = 0;
  for (Delivery d : deliveries) {
    d.sequence = 1;
    if (!deliveries_.emplace(Key(d.workspace_id, d.id), d).second) continue;
    Step(d, now, State::kNone, d.state == State::kScheduled ? "accepted" : d.error_reason, actor);
    events_.push_back({d, now});
    ++added;
  }
  return added;
}

StatusOr<int> FakeStore::Accept(const StreamPositions& positions, const std::vector<Delivery>& deliveries, absl::Time now,
                                const std::string& actor) {
  const std::lock_guard lock(mutex_);
  for (const StreamPosition& p : positions) {
    if (epochs_[p.partition] != p.epoch) return MakeError(Code::kAborted, "FENCED", "newer epoch");
  }
  for (const StreamPosition& p : positions) next_[p.partition] = p.next;
  return Insert(deliveries, now, actor);
}

bool FakeStore::BehindOthers(const Delivery& d, absl::Time horizon, bool claiming, const std::set<ClaimSkip>& skip) const {
  return std::any_of(deliveries_.begin(), deliveries_.end(), [&](const auto& entry) {
    const Delivery& e = entry.second;
    if (e.workspace_id != d.workspace_id || e.lane != d.lane || !Unsettled(e) ||
        std::tie(e.due_time, e.id) >= std::tie(d.due_time, d.id)) {
      return false;
    }
    if (!claiming) return true;
    return e.state == State::kSent || e.state == State::kUnknown ||
           (e.state == State::kScheduled && (e.ready_time > horizon || skip.contains({e.channel_id, e.kind})));
  });
}

StatusOr<std::vector<Delivery>> FakeStore::Claim(const ClaimRequest& request) {
  if (const auto hook = on_claim_) hook();
  const std::lock_guard lock(mutex_);
  for (const StreamPosition& position : request.owned) {
    if (epochs_[position.partition] != position.epoch) return MakeError(Code::kAborted, "FENCED", "newer epoch");
  }
  std::vector<Delivery*> due;
  const std::set<ClaimSkip> skip(request.skip.begin(), request.skip.end());
  for (auto& [key, d] : deliveries_) {
    if (d.state == State::kScheduled && d.ready_time <= request.horizon && Holds(request.shards, d.channel_id) &&
        !skip.contains({d.channel_id, d.kind}) && !paused_.contains({d.workspace_id, d.channel_id}) &&
        !BehindOthers(d, request.horizon, true, skip)) {
      due.push_back(&d);
    }
  }
  std::sort(due.begin(), due.end(), [](const Delivery* a, const Delivery* b) {
    return std::tie(a->ready_time, a->id) < std::tie(b->ready_time, b->id);
  });
  if (static_cast<int>(due.size()) > request.limit) due.resize(request.limit);
  std::vector<Delivery> claimed;
  for (Delivery* d : due) {
    d->state = State::kClaimed;
    d->fence += 1;
    d->check_time = request.lease_until;
    Step(*d, request.now, State::kScheduled, "", request.actor);
    claimed.push_back(*d);
  }
  return claimed;
}

std::vector<std::optional<Delivery>> FakeStore::ApplyLocked(const std::vector<Change>& changes, absl::Time now) {
  std::vector<std::optional<Delivery>> result(changes.size());
  std::set<Key> touched;
  std::vector<bool> behind;
  for (const Change& change : changes) {
    behind.push_back(change.in_lane_order && BehindOthers(change.after, now, false));
  }
  for (size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    const Key key{change.after.workspace_id, change.after.id};
    const auto at = deliveries_.find(key);
    if (at == deliveries_.end() || at->second.fence != change.fence || behind[i] || touched.contains(key) ||
        std::find(change.from.begin(), change.from.end(), at->second.state) == change.from.end()) {
      continue;
    }
    const Delivery before = at->second;
    Delivery after = change.after;
    after.content = before.content;   // no change changes it
    const bool visible = IsVisible(after.state) && (after.state != before.state || after.needs_human);
    after.sequence = before.sequence + (visible ? 1 : 0);
    at->second = after;
    touched.insert(key);
    Step(after, now, before.state, change.detail, change.actor);
    if (visible) events_.push_back({after, now});
    result[i] = after;
    if (after.state == State::kDelivered) {
      if (auto next = NextOfThread(after, now)) Insert({std::move(*next)}, now, change.actor);
    }
    const auto post = posts_.find({after.workspace_id, after.post_id});
    if (post == posts_.end() || post->second.state != PostState::kScheduled || !IsFinal(after.state)) continue;
    std::vector<Delivery> mine;
    for (const auto& [other_key, other] : deliveries_) {
      if (other.post_id == after.post_id && other.generation == post->second.generation) mine.push_back(other);
    }
    post->second.state = StateFromDeliveries(mine);
    if (post->second.state != PostState::kScheduled) post->second.version += 1;
  }
  return result;
}

StatusOr<std::vector<std::optional<Delivery>>> FakeStore::Apply(const std::vector<Change>& changes, absl::Time now) {
  const std::lock_guard lock(mutex_);
  if (fail_apply_ > 0) {
    --fail_apply_;
    return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "the database is gone");
  }
  auto result = ApplyLocked(changes, now);
  if (fail_apply_ < 0) {
    ++fail_apply_;
    return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "the commit's answer was lost");
  }
  return result;
}

StatusOr<std::vector<Delivery>> FakeStore::FindUnsettled(const std::vector<int>& shards, absl::Time now, bool every_claim,
                                                         int limit) {
  const std::lock_guard lock(mutex_);
  std::vector<Delivery> found;
  for (const auto& [key, d] : deliveries_) {
    const bool looked_for = d.state == State::kClaimed || d.state == State::kSent || d.state == State::kUnknown;
    const bool now_due = d.check_time <= now || (every_claim && d.state == State::kClaimed);
    if (looked_for && now_due && !d.needs_human && Holds(shards, d.channel_id)) found.push_back(d);
  }
  if (static_cast<int>(found.size()) > limit) found.resize(limit);
  return found;
}

StatusOr<std::vector<Delivery>> FakeStore::FindExpired(const std::vector<int>& shards, absl::Time now, int limit) {
  const std::lock_guard lock(mutex_);
  std::vector<Delivery> found;
  for (const auto& [key, d] : deliveries_) {
    if (d.state == State::kScheduled && d.expire_time < now && Holds(shards, d.channel_id)) found.push_back(d);
  }
  if (static_cast<int>(found.size()) > limit) found.resize(limit);
  return found;
}

StatusOr<std::set<std::string>> FakeStore::TakenRemoteIds(const std::string& workspace_id, const std::string& channel_id,
                                                          const std::vector<std::string>& remote_ids) {
  const std::lock_guard lock(mutex_);
  std::set<std::string> taken;
  for (const auto& [key, d] : deliveries_) {
    if (d.workspace_id == workspace_id && d.channel_id == channel_id && !d.remote_id.empty() &&
        std::find(remote_ids.begin(), remote_ids.end(), d.remote_id) != remote_ids.end()) {
      taken.insert(d.remote_id);
    }
  }
  return taken;
}

Status FakeStore::Pause(const PausedChannel& channel) {
  const std::lock_guard lock(mutex_);
  paused_.emplace(Key(channel.workspace_id, channel.channel_id), channel);
  return absl::OkStatus();
}

Status FakeStore::Resume(const std::string& workspace_id, const std::string& channel_id) {
  const std::lock_guard lock(mutex_);
  paused_.erase({workspace_id, channel_id});
  return absl::OkStatus();
}

StatusOr<std::vector<PausedChannel>> FakeStore::ListPaused(const std::vector<int>& shards,
                                                           const std::optional<PausedChannel>& after, int limit) {
  const std::lock_guard lock(mutex_);
  const auto place = [](const PausedChannel& p) { return std::tie(p.since, p.workspace_id, p.channel_id); };
  std::vector<PausedChannel> list;
  for (const auto& [key, channel] : paused_) {
    if (Holds(shards, channel.channel_id) && (!after || place(channel) > place(*after))) list.push_back(channel);
  }
  std::sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  if (static_cast<int>(list.size()) > limit) list.resize(limit);
  return list;
}

}  // namespace parvis::publishing
