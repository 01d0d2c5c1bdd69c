#include "tests/sim/sim_ledger.h"

#include <algorithm>

#include "publishing/domain/thread.h"

namespace parvis::sim {
namespace {

using State = pub::DeliveryState;

bool Unsettled(const pub::Delivery& d) { return !d.needs_human && !pub::IsFinal(d.state); }

bool LookedAfter(const pub::Delivery& d) {
  return !d.needs_human && (d.state == State::kClaimed || d.state == State::kSent || d.state == State::kUnknown);
}

std::string RemoteKey(const std::string& workspace, const std::string& channel, const std::string& remote) {
  return workspace + "/" + channel + "/" + remote;
}

Status Fenced() { return MakeError(Code::kAborted, "FENCED", "a newer owner"); }

}  // namespace

StatusOr<StreamPosition> SimLedger::Claim(const std::string& group, const std::string& topic, int32_t partition) {
  StreamPosition& position = positions_[{group, topic, partition}];
  position.group = group;
  position.topic = topic;
  position.partition = partition;
  ++position.epoch;
  return position;
}

StreamPosition SimLedger::PositionOf(const std::string& group, const std::string& topic, int32_t partition) const {
  const auto at = positions_.find({group, topic, partition});
  return at == positions_.end() ? StreamPosition{group, topic, partition, 0, 0} : at->second;
}

bool SimLedger::EpochHolds(const StreamPosition& p) const {
  const auto at = positions_.find({p.group, p.topic, p.partition});
  return at != positions_.end() && at->second.epoch == p.epoch;
}

bool SimLedger::Earlier(int a, int b) const {
  const pub::Delivery& x = rows_[static_cast<size_t>(a)].d;
  const pub::Delivery& y = rows_[static_cast<size_t>(b)].d;
  return x.due_time != y.due_time ? x.due_time < y.due_time : x.id < y.id;
}

void SimLedger::Index(int number) {
  const Row& row = rows_[static_cast<size_t>(number)];
  Shard& shard = shards_[static_cast<size_t>(row.shard)];
  if (row.d.state == State::kScheduled) {
    shard.ready.emplace(row.d.ready_time, number);
    shard.expiring.emplace(row.d.expire_time, number);
  }
  if (LookedAfter(row.d)) shard.checks.emplace(row.d.check_time, number);
  if (row.d.state == State::kClaimed) shard.claimed.insert(number);
  if (!row.d.remote_id.empty()) remotes_.insert(RemoteKey(row.d.workspace_id, row.d.channel_id, row.d.remote_id));
  if (!Unsettled(row.d)) return;
  ++unsettled_;
  std::vector<int>& lane = lanes_[static_cast<size_t>(row.lane)];
  lane.insert(std::lower_bound(lane.begin(), lane.end(), number, [this](int a, int b) { return Earlier(a, b); }),
              number);
}

void SimLedger::Unindex(int number) {
  const Row& row = rows_[static_cast<size_t>(number)];
  Shard& shard = shards_[static_cast<size_t>(row.shard)];
  if (row.d.state == State::kScheduled) {
    shard.ready.erase({row.d.ready_time, number});
    shard.expiring.erase({row.d.expire_time, number});
  }
  if (LookedAfter(row.d)) shard.checks.erase({row.d.check_time, number});
  if (row.d.state == State::kClaimed) shard.claimed.erase(number);
  if (!Unsettled(row.d)) return;
  --unsettled_;
  std::erase(lanes_[static_cast<size_t>(row.lane)], number);
}

void SimLedger::Note(Row& row, absl::Time time, State from, const std::string& detail, const std::string& actor) {
  if (!keep_history_) return;
  row.history.push_back(
      {static_cast<int64_t>(row.history.size()) + 1, time, from, row.d.state, row.d.attempts, detail, actor});
}

int SimLedger::Insert(const std::vector<pub::Delivery>& deliveries, absl::Time now, const std::string& actor) {
  int added = 0;
  for (const pub::Delivery& delivery : deliveries) {
    const int number = static_cast<int>(rows_.size());
    if (!by_id_.emplace(delivery.id, number).second) continue;
    Row& row = rows_.emplace_back();
    row.d = delivery;
    row.d.sequence = 1;
    row.number = number;
    row.shard = pub::ShardOf(delivery.channel_id);
    const auto lane =
        lane_numbers_.emplace(delivery.workspace_id + "/" + delivery.lane, static_cast<int>(lanes_.size()));
    if (lane.second) lanes_.emplace_back();
    row.lane = lane.first->second;
    Index(number);
    Note(row, now, State::kNone, row.d.state == State::kScheduled ? "accepted" : row.d.error_reason, actor);
    ++added;
    if (!watcher_) continue;
    watcher_->OnInserted(row.d);
    watcher_->OnEvent(row.d, now);
  }
  return added;
}

StatusOr<int> SimLedger::Accept(const StreamPositions& positions, const std::vector<pub::Delivery>& deliveries,
                                absl::Time now, const std::string& actor) {
  const auto stored = [this](const StreamPosition& p) -> int64_t& {
    return positions_[{p.group, p.topic, p.partition}].next;
  };
  for (const StreamPosition& position : positions) {
    if (!EpochHolds(position)) return Fenced();
    if (stored(position) >= position.next) return Fenced();  // strictly forward, as db::OffsetTable::Advance
  }
  for (const StreamPosition& position : positions) stored(position) = position.next;
  return Insert(deliveries, now, actor);
}

bool SimLedger::BehindOthers(const Row& row, absl::Time horizon, bool claiming,
                             const std::set<pub::ClaimSkip>& skip) const {
  for (const int number : lanes_[static_cast<size_t>(row.lane)]) {
    const pub::Delivery& e = rows_[static_cast<size_t>(number)].d;
    if (std::tie(e.due_time, e.id) >= std::tie(row.d.due_time, row.d.id)) return false;
    if (!claiming || e.state == State::kSent || e.state == State::kUnknown ||
        (e.state == State::kScheduled && (e.ready_time > horizon || skip.contains({e.channel_id, e.kind})))) {
      return true;
    }
  }
  return false;
}

StatusOr<std::vector<pub::Delivery>> SimLedger::Claim(const pub::ClaimRequest& request) {
  for (const StreamPosition& position : request.owned) {
    if (!EpochHolds(position)) return Fenced();
  }
  std::vector<int> due;
  const std::set<pub::ClaimSkip> skip(request.skip.begin(), request.skip.end());
  for (const int shard : request.shards) {
    for (const auto& [ready, number] : shards_[static_cast<size_t>(shard)].ready) {
      if (ready > request.horizon) break;
      const Row& row = rows_[static_cast<size_t>(number)];
      if (skip.contains({row.d.channel_id, row.d.kind}) ||
          (!paused_.empty() && paused_.contains({row.d.workspace_id, row.d.channel_id}))) continue;
      if (!BehindOthers(row, request.horizon, true, skip)) due.push_back(number);
    }
  }
  std::sort(due.begin(), due.end(), [this](int a, int b) {
    const pub::Delivery& x = rows_[static_cast<size_t>(a)].d;
    const pub::Delivery& y = rows_[static_cast<size_t>(b)].d;
    return std::tie(x.ready_time, x.id) < std::tie(y.ready_time, y.id);
  });
  if (static_cast<int>(due.size()) > request.limit) due.resize(static_cast<size_t>(request.limit));
  std::vector<pub::Delivery> claimed;
  claimed.reserve(due.size());
  for (const int number : due) {
    Row& row = rows_[static_cast<size_t>(number)];
    Unindex(number);
    row.d.state = State::kClaimed;
    row.d.fence += 1;
    row.d.check_time = request.lease_until;
    Index(number);
    Note(row, request.now, State::kScheduled, "", request.actor);
    claimed.push_back(row.d);
  }
  return claimed;
}

bool SimLedger::Guarded(const pub::Change& change, const Row* row) const {
  return row && row->d.fence == change.fence && row->touched != transaction_ &&
         std::find(change.from.begin(), change.from.end(), row->d.state) != change.from.end();
}

StatusOr<std::vector<std::optional<pub::Delivery>>> SimLedger::Apply(const std::vector<pub::Change>& changes,
                                                                     absl::Time now) {
  ++transaction_;
  std::vector<std::optional<pub::Delivery>> result(changes.size());
  std::vector<Row*> found(changes.size());
  std::vector<bool> behind(changes.size());  // as it was before the transaction
  std::vector<pub::Delivery> parts;          // of threads, that follow
  for (size_t i = 0; i < changes.size(); ++i) {
    found[i] = FindOf(changes[i].after.workspace_id, changes[i].after.id);
    behind[i] = changes[i].in_lane_order && found[i] && BehindOthers(*found[i], now, false);
  }
  for (size_t i = 0; i < changes.size(); ++i) {
    if (behind[i] || !Guarded(changes[i], found[i])) continue;
    Row& row = *found[i];
    const int number = row.number;
    Unindex(number);
    const pub::Delivery before = std::move(row.d);
    row.d = changes[i].after;
    const bool visible = pub::IsVisible(row.d.state) && (row.d.state != before.state || row.d.needs_human);
    row.d.sequence = before.sequence + (visible ? 1 : 0);
    row.touched = transaction_;
    Index(number);
    Note(row, now, before.state, changes[i].detail, changes[i].actor);
    result[i] = row.d;
    if (row.d.state == State::kDelivered) {
      if (auto next = pub::NextOfThread(row.d, now)) parts.push_back(std::move(*next));
    }
    if (!watcher_) continue;
    watcher_->OnChanged(before, row.d);
    if (visible) watcher_->OnEvent(row.d, now);
  }
  if (!parts.empty()) Insert(parts, now, changes.front().actor);
  return result;
}

StatusOr<std::vector<pub::Delivery>> SimLedger::FindUnsettled(const std::vector<int>& shards, absl::Time now,
                                                              bool every_claim, int limit) {
  std::set<std::pair<absl::Time, int>> found;
  for (const int number : shards) {
    const Shard& shard = shards_[static_cast<size_t>(number)];
    for (auto at = shard.checks.begin(); at != shard.checks.end() && at->first <= now; ++at) found.insert(*at);
    if (!every_claim) continue;
    for (const int row : shard.claimed) found.emplace(rows_[static_cast<size_t>(row)].d.check_time, row);
  }
  std::vector<pub::Delivery> list;
  for (const auto& [time, row] : found) {
    if (static_cast<int>(list.size()) == limit) break;
    list.push_back(rows_[static_cast<size_t>(row)].d);
  }
  return list;
}

StatusOr<std::vector<pub::Delivery>> SimLedger::FindExpired(const std::vector<int>& shards, absl::Time now, int limit) {
  std::set<std::pair<absl::Time, int>> found;
  for (const int number : shards) {
    const Shard& shard = shards_[static_cast<size_t>(number)];
    for (auto at = shard.expiring.begin(); at != shard.expiring.end() && at->first < now; ++at) found.insert(*at);
  }
  std::vector<pub::Delivery> list;
  for (const auto& [time, row] : found) {
    if (static_cast<int>(list.size()) == limit) break;
    list.push_back(rows_[static_cast<size_t>(row)].d);
  }
  return list;
}

StatusOr<std::set<std::string>> SimLedger::TakenRemoteIds(const std::string& workspace_id,
                                                          const std::string& channel_id,
                                                          const std::vector<std::string>& remote_ids) {
  std::set<std::string> taken;
  for (const std::string& id : remote_ids) {
    if (remotes_.contains(RemoteKey(workspace_id, channel_id, id))) taken.insert(id);
  }
  return taken;
}

}  // namespace parvis::sim
