#include "tests/sim/oracle.h"

#include <algorithm>

namespace parvis::sim {

using State = pub::DeliveryState;

// ---- outboxes ------------------------------------------------------------------------------------------------------

void Oracle::Outbox::OnAppended(int64_t, const std::string& key) {
  const auto at = keys_.emplace(key, static_cast<int>(latest_.size()));
  if (at.second) latest_.push_back(0);
  rows_.push_back({at.first->second, false});
}

void Oracle::Outbox::OnPublished(int64_t id) {
  Row& row = rows_[static_cast<size_t>(id)];
  if (row.published) return;
  row.published = true;
  int64_t& latest = latest_[static_cast<size_t>(row.key)];
  if (id < latest)
    sim_.Violate("outbox of " + name_ + ": row " + std::to_string(id) + " was published after " +
                 std::to_string(latest));
  latest = id;
}

void Oracle::Outbox::AtEnd() {
  for (size_t id = 1; id < rows_.size(); ++id) {
    if (!rows_[id].published)
      sim_.Violate("outbox of " + name_ + ": row " + std::to_string(id) + " was never published");
  }
}

// ---- streams -------------------------------------------------------------------------------------------------------

void Oracle::OnApplied(const StreamPosition& position, int64_t begin) {
  int64_t& applied = applied_[{position.group + " " + position.topic, position.partition}];
  if (begin != applied) {
    sim_.Violate(position.group + ": records " + std::to_string(begin) + " to " + std::to_string(position.next) +
                 " of " + position.topic + "/" + std::to_string(position.partition) + " were applied when " +
                 std::to_string(applied) + " was next");
  }
  applied = position.next;
}

int64_t Oracle::AppliedOf(const std::string& group, const std::string& topic, int partition) const {
  const auto at = applied_.find({group + " " + topic, partition});
  return at == applied_.end() ? 0 : at->second;
}

// ---- the ledger ----------------------------------------------------------------------------------------------------

int Oracle::IndexOf(const std::string& delivery_id) const {
  const auto at = intents_.find(delivery_id);
  return at == intents_.end() ? -1 : at->second.number;
}

std::string Oracle::Show(const pub::Delivery& d) const {
  return std::string(pub::KindName(d.kind)) + " " + std::to_string(IndexOf(d.id)) + " (" + pub::StateName(d.state) +
         ", network " + d.network + ", attempts " + std::to_string(d.attempts) + ", fence " + std::to_string(d.fence) +
         ", " + d.error_reason + ")";
}

void Oracle::OnInserted(const pub::Delivery& d) {
  Intent intent;
  intent.number = static_cast<int>(intents_.size());
  intent.inserted = ++clock_;
  if (!intents_.emplace(d.id, intent).second) sim_.Violate(Show(d) + " was inserted twice");
  if (pub::IsFinal(d.state)) ++settled_;
}

void Oracle::OnChanged(const pub::Delivery& before, const pub::Delivery& after) {
  Intent& intent = intents_.at(after.id);
  sim_.trace.Note(sim_.scheduler.now() - Scheduler::kStart, "ledger", pub::StateName(after.state), intent.number,
                  after.fence);
  if (pub::IsFinal(before.state))
    return sim_.Violate(Show(after) + " changed after it was " + pub::StateName(before.state));
  if (after.fence < before.fence) return sim_.Violate(Show(after) + ": its fence went back");
  intent.ever_human = intent.ever_human || after.needs_human;
  if (after.state == State::kSent) {
    if (intent.sent < 0) intent.sent = ++clock_;
    if (after.sent_time < after.due_time) return sim_.Violate(Show(after) + " was sent before it was due");
    if (after.sent_time > after.expire_time) return sim_.Violate(Show(after) + " was sent after its deadline");
  }
  if (pub::IsFinal(after.state) || (after.needs_human && !before.needs_human)) ++settled_;
  if (after.state != State::kDelivered || pub::IsIdempotent(after.kind)) return;
  const auto owner = owners_.emplace(after.remote_id, intent.number);
  if (!owner.second) {
    sim_.Violate(Show(after) + " and " + std::to_string(owner.first->second) + " both say that they are " +
                 after.remote_id);
  }
}

void Oracle::OnEvent(const pub::Delivery& d) {
  Intent& intent = intents_.at(d.id);
  if (d.sequence != intent.sequence + 1)
    sim_.Violate(Show(d) + ": event " + std::to_string(d.sequence) + " does not follow " +
                 std::to_string(intent.sequence));
  intent.sequence = d.sequence;
}

void Oracle::OnPosted(const pub::Delivery& d, bool keyed, const std::string& remote_id) {
  Intent& intent = intents_.at(d.id);
  ++intent.posted;
  intent.keyed = keyed;
  intent.posted_at = ++clock_;
  intent.remote_id = remote_id;
  if (intent.posted > 1) sim_.Violate(Show(d) + " was accepted " + std::to_string(intent.posted) + " times");
}

// ---- claims --------------------------------------------------------------------------------------------------------

void Oracle::OnClaim(const std::string& conversation, const inbox::Claim& before, const inbox::Claim& after,
                     absl::Time now) {
  if (before == after) return;
  Lease& lease = claims_[conversation];
  if (before.member_id.empty() && before.token == lease.claim.token) lease.claim = before;  // upkeep took it away
  const bool new_holder = !after.member_id.empty() && after.token != lease.claim.token;
  if (new_holder) {
    if (lease.claim.HeldAt(now) && lease.claim.member_id != after.member_id) {
      sim_.Violate("conversation " + conversation + " was claimed by " + after.member_id + " while " +
                   lease.claim.member_id + " held it");
    }
    if (after.token <= lease.highest) sim_.Violate("conversation " + conversation + ": the claim's token did not grow");
  } else if (!after.member_id.empty() && after.member_id != lease.claim.member_id) {
    sim_.Violate("conversation " + conversation + ": one token for two members");
  }
  lease.claim = after;
  lease.highest = std::max(lease.highest, after.token);
}

void Oracle::OnReply(const std::string& conversation, const std::string& member, int64_t token, absl::Time now) {
  const inbox::Claim& claim = claims_[conversation].claim;
  if (claim.HeldAt(now) && claim.member_id == member && claim.token == token) return;
  sim_.Violate("conversation " + conversation + ": " + member + " replied under token " + std::to_string(token) +
               " while " + (claim.HeldAt(now) ? claim.member_id : "nobody") + " held token " +
               std::to_string(claim.token));
}

// ---- the end -------------------------------------------------------------------------------------------------------

void Oracle::CheckIntent(const pub::Delivery& d, const Intent& intent) {
  const bool person = d.state == State::kUnknown && d.needs_human;
  if (!pub::IsFinal(d.state) && !person) return sim_.Violate(Show(d) + " never came to an end");
  if (pub::IsIdempotent(d.kind)) return;
  if (d.state == State::kDelivered) {
    if (intent.posted != 1)
      return sim_.Violate(Show(d) + " is delivered, but was accepted " + std::to_string(intent.posted) + " times");
    if (intent.remote_id != d.remote_id)
      sim_.Violate(Show(d) + " says it is " + d.remote_id + " but is " + intent.remote_id);
  } else if (!person && intent.posted > 0) {
    sim_.Violate(Show(d) + " is on the network, but nobody knows");
  }
}

// What is done to one thread is done in the order in which it was due, if the earlier was there when the later was
// sent.
void Oracle::CheckLanes(const SimLedger& ledger) {
  std::map<std::string, std::vector<const pub::Delivery*>> lanes;
  for (const SimLedger::Row& row : ledger.rows()) {
    if (intents_.at(row.d.id).posted_at >= 0) lanes[row.d.workspace_id + "/" + row.d.lane].push_back(&row.d);
  }
  for (auto& [name, lane] : lanes) {
    std::sort(lane.begin(), lane.end(), [](const pub::Delivery* a, const pub::Delivery* b) {
      return std::tie(a->due_time, a->id) < std::tie(b->due_time, b->id);
    });
    for (size_t i = 0; i + 1 < lane.size(); ++i) {
      const Intent& first = intents_.at(lane[i]->id);
      const Intent& second = intents_.at(lane[i + 1]->id);
      if (first.ever_human || second.ever_human || first.inserted > second.sent) continue;
      if (first.posted_at > second.posted_at)
        sim_.Violate(Show(*lane[i]) + " was overtaken in its lane by " + Show(*lane[i + 1]));
    }
  }
}

void Oracle::AtEnd(const SimLedger& ledger) {
  for (const SimLedger::Row& row : ledger.rows()) CheckIntent(row.d, intents_.at(row.d.id));
  CheckLanes(ledger);
  commands.AtEnd();
  deliveries.AtEnd();
}

}  // namespace parvis::sim
