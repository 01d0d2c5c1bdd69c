#include "tests/sim/publishing_replica.h"

namespace parvis::sim {

StatusOr<StreamPosition> LedgerPort::Claim(const std::string& group, const std::string& topic, int32_t partition) {
  const Fate fate = world_.database.Pass(process_, "claim partition", 20);
  if (fate == Fate::kLostBefore) return Database::Lost();
  auto claimed = world_.ledger.Claim(group, topic, partition);
  return fate == Fate::kDone ? claimed : Database::Lost();
}

StatusOr<int> LedgerPort::AcceptNow(StreamPosition position, const std::vector<pub::Delivery>& deliveries,
                                    absl::Time now, const std::string& actor) {
  if (world_.sim.bug == Bug::kFencing) {
    // Whoever comes is let in, and the offset goes where it says.
    const StreamPosition stored = world_.ledger.PositionOf(position.group, position.topic, position.partition);
    if (stored.epoch != position.epoch || stored.next >= position.next) {
      world_.oracle.OnApplied(position, batch_begin);
      return world_.ledger.Insert(deliveries, now, actor);
    }
  }
  auto accepted = world_.ledger.Accept(position, deliveries, now, actor);
  if (accepted.ok()) world_.oracle.OnApplied(position, batch_begin);
  return accepted;
}

StatusOr<int> LedgerPort::Accept(const StreamPositions& positions, const std::vector<pub::Delivery>& deliveries,
                                 absl::Time now, const std::string& actor) {
  const StreamPosition& position = *positions.begin();  // the simulated consumer hands over one partition at a time
  const int64_t begin = batch_begin;
  Fate fate = world_.database.Pass(process_, "accept");
  if (fate == Fate::kLostBefore) return Database::Lost();
  batch_begin = begin;
  if (world_.sim.bug == Bug::kOffset) {
    // First the effects, then, in a transaction of its own, the offset.
    world_.oracle.OnApplied(position, begin);
    const int added = world_.ledger.Insert(deliveries, now, actor);
    if (fate != Fate::kDone || world_.database.Pass(process_, "offset") == Fate::kLostBefore) return Database::Lost();
    PARVIS_RETURN_IF_ERROR(world_.ledger.Accept(position, {}, now, actor).status());
    return added;
  }
  auto accepted = AcceptNow(position, deliveries, now, actor);
  return fate == Fate::kDone ? accepted : Database::Lost();
}

StatusOr<std::vector<pub::Delivery>> LedgerPort::Claim(const pub::ClaimRequest& request) {
  const Fate fate = world_.database.Pass(process_, "claim");
  if (fate == Fate::kLostBefore) return Database::Lost();
  pub::ClaimRequest unfenced;
  if (world_.sim.bug == Bug::kFencing) {
    unfenced = request;
    unfenced.owned.clear();
  }
  auto claimed = world_.ledger.Claim(world_.sim.bug == Bug::kFencing ? unfenced : request);
  return fate == Fate::kDone ? claimed : Database::Lost();
}

StatusOr<std::vector<std::optional<pub::Delivery>>> LedgerPort::Apply(const std::vector<pub::Change>& changes,
                                                                      absl::Time now) {
  const Fate fate = world_.database.Pass(process_, "apply");
  if (fate == Fate::kLostBefore) return Database::Lost();
  std::vector<pub::Change> unfenced;
  if (world_.sim.bug == Bug::kAttempt) {
    unfenced = changes;
    for (pub::Change& change : unfenced) {
      const SimLedger::Row* row = world_.ledger.Find(change.after.id);
      change.fence = row->d.fence;
      change.after.fence = std::max(change.after.fence, row->d.fence);
    }
  }
  auto applied = world_.ledger.Apply(unfenced.empty() ? changes : unfenced, now);
  if (fate != Fate::kDone) return Database::Lost();
  for (const std::optional<pub::Delivery>& after : *applied) {
    if (after && after->state == pub::DeliveryState::kSent) about_to_call.push_back(*after);
  }
  return applied;
}

StatusOr<std::vector<pub::Delivery>> LedgerPort::FindUnsettled(const std::vector<int>& shards, absl::Time now,
                                                               bool every_claim, int limit) {
  if (world_.database.Pass(process_, "find unsettled") != Fate::kDone) return Database::Lost();
  return world_.ledger.FindUnsettled(shards, now, every_claim, limit);
}

StatusOr<std::vector<pub::Delivery>> LedgerPort::FindExpired(const std::vector<int>& shards, absl::Time now,
                                                             int limit) {
  if (world_.database.Pass(process_, "find expired") != Fate::kDone) return Database::Lost();
  return world_.ledger.FindExpired(shards, now, limit);
}

StatusOr<std::set<std::string>> LedgerPort::TakenRemoteIds(const std::string& workspace_id,
                                                           const std::string& channel_id,
                                                           const std::vector<std::string>& remote_ids) {
  if (world_.database.Pass(process_, "taken ids") != Fate::kDone) return Database::Lost();
  return world_.ledger.TakenRemoteIds(workspace_id, channel_id, remote_ids);
}

Status LedgerPort::Pause(const pub::PausedChannel& channel) {
  const Fate fate = world_.database.Pass(process_, "pause channel");
  if (fate != Fate::kLostBefore) PARVIS_RETURN_IF_ERROR(world_.ledger.Pause(channel));
  return fate == Fate::kDone ? absl::OkStatus() : Database::Lost();
}

Status LedgerPort::Resume(const std::string& workspace_id, const std::string& channel_id) {
  const Fate fate = world_.database.Pass(process_, "resume channel");
  if (fate != Fate::kLostBefore) PARVIS_RETURN_IF_ERROR(world_.ledger.Resume(workspace_id, channel_id));
  return fate == Fate::kDone ? absl::OkStatus() : Database::Lost();
}

StatusOr<std::vector<pub::PausedChannel>> LedgerPort::ListPaused(const std::vector<int>& shards,
                                                              const std::optional<pub::PausedChannel>& after,
                                                              int limit) {
  if (world_.database.Pass(process_, "list paused") != Fate::kDone) return Database::Lost();
  return world_.ledger.ListPaused(shards, after, limit);
}

}  // namespace parvis::sim
