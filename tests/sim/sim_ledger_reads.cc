// What requests read and settle, and the pauses.
#include <algorithm>

#include "tests/sim/sim_ledger.h"

namespace parvis::sim {

const SimLedger::Row* SimLedger::Find(const std::string& id) const {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : &rows_[static_cast<size_t>(at->second)];
}

SimLedger::Row* SimLedger::FindOf(const std::string& workspace_id, const std::string& id) {
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return nullptr;
  Row& row = rows_[static_cast<size_t>(at->second)];
  return row.d.workspace_id == workspace_id ? &row : nullptr;
}

Status SimLedger::Pause(const pub::PausedChannel& channel) {
  paused_.try_emplace({channel.workspace_id, channel.channel_id}, channel);
  return absl::OkStatus();
}

Status SimLedger::Resume(const std::string& workspace_id, const std::string& channel_id) {
  paused_.erase({workspace_id, channel_id});
  return absl::OkStatus();
}

StatusOr<std::vector<pub::PausedChannel>> SimLedger::ListPaused(const std::vector<int>& shards,
                                                             const std::optional<pub::PausedChannel>& after,
                                                             int limit) {
  const auto place = [](const pub::PausedChannel& p) { return std::tie(p.since, p.workspace_id, p.channel_id); };
  std::vector<pub::PausedChannel> list;
  for (const auto& [key, channel] : paused_) {
    const bool ours = std::find(shards.begin(), shards.end(), pub::ShardOf(channel.channel_id)) != shards.end();
    if (ours && (!after || place(channel) > place(*after))) list.push_back(channel);
  }
  std::sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  if (static_cast<int>(list.size()) > limit) list.resize(static_cast<size_t>(limit));
  return list;
}

StatusOr<pub::Delivery> SimLedger::GetDelivery(const Call& call, const std::string& id) {
  const Row* row = FindOf(call.workspace_id, id);
  if (!row) return NotFound("workspaces/" + call.workspace_id + "/deliveries/" + id);
  pub::Delivery delivery = row->d;
  const auto pause = paused_.find({delivery.workspace_id, delivery.channel_id});
  if (pause != paused_.end() && delivery.state == pub::DeliveryState::kScheduled) {
    delivery.error_reason = pause->second.reason;
  }
  return delivery;
}

StatusOr<std::vector<pub::Delivery>> SimLedger::ListDeliveries(const Call& call, const pub::DeliveryFilter& f,
                                                               const pub::Page& page) {
  std::vector<pub::Delivery> list;
  for (const Row& row : rows_) {
    const pub::Delivery& d = row.d;
    if (d.workspace_id != call.workspace_id || (f.state && d.state != *f.state) || (f.kind && d.kind != *f.kind))
      continue;
    if (!f.channel_id.empty() && d.channel_id != f.channel_id) continue;
    if (!f.campaign_id.empty() && d.campaign_id != f.campaign_id) continue;
    if (!f.post_id.empty() && d.post_id != f.post_id) continue;
    if (f.needs_human && !d.needs_human) continue;
    if (page.after && std::tie(d.due_time, d.id) >= std::tie(page.after->first, page.after->second)) continue;
    list.push_back(d);
  }
  std::sort(list.begin(), list.end(), [](const pub::Delivery& a, const pub::Delivery& b) {
    return std::tie(a.due_time, a.id) > std::tie(b.due_time, b.id);
  });
  if (static_cast<int>(list.size()) > page.size) list.resize(static_cast<size_t>(page.size));
  return list;
}

StatusOr<std::vector<pub::Transition>> SimLedger::ListTransitions(const Call& call, const std::string& id,
                                                                  int64_t after_number, int limit) {
  const Row* row = FindOf(call.workspace_id, id);
  if (!row) return NotFound("workspaces/" + call.workspace_id + "/deliveries/" + id);
  std::vector<pub::Transition> list;
  for (const pub::Transition& step : row->history) {
    if (step.number > after_number && static_cast<int>(list.size()) < limit) list.push_back(step);
  }
  return list;
}

StatusOr<pub::Delivery> SimLedger::InsertDelivery(const Call& call, const pub::Delivery& delivery, absl::Time now,
                                                  const std::string& actor) {
  Insert({delivery}, now, actor);
  return GetDelivery(call, delivery.id);
}

StatusOr<pub::Delivery> SimLedger::SettleByPerson(const Call& call, const pub::Change& change, absl::Time now) {
  if (!FindOf(call.workspace_id, change.after.id)) return NotFound("deliveries/" + change.after.id);
  PARVIS_ASSIGN_OR_RETURN(const auto applied, Apply({change}, now));
  if (!applied.front()) return MakeError(Code::kAborted, "DELIVERY_CHANGED", "it was settled meanwhile");
  return *applied.front();
}

}  // namespace parvis::sim
