#include "tests/sim/sim_bus.h"

#include <algorithm>

namespace parvis::sim {

const char* TopicName(Topic topic) {
  switch (topic) {
    case Topic::kCommands:
      return "parvis.publishing.command.v1";
    case Topic::kAssessments:
      return "parvis.moderation.assessment.v1";
    case Topic::kDeliveries:
      return "parvis.publishing.delivery.v1";
  }
  return "";
}

void SimBus::Append(Topic topic, int partition, Record record) {
  logs_[Index(topic, partition)].push_back(std::move(record));
  if (appended) appended(topic);
}

// ---- the coordinator ------------------------------------------------------------------------------------------------

SimGroup::SimGroup(Sim& sim, std::string name, std::vector<Topic> topics, int slots)
    : sim_(sim), name_(std::move(name)), slots_(static_cast<size_t>(slots)) {
  for (const Topic topic : topics) {
    for (int partition = 0; partition < kPartitions; ++partition) {
      parts_.emplace_back(topic, partition);
      owners_[{topic, partition}] = {};
    }
  }
}

void SimGroup::Join(int slot, SimConsumer* consumer) {
  slots_[static_cast<size_t>(slot)] = {consumer, true, true};
  Rebalance(false);
  // What it owned before it died, if its session has not ended meanwhile.
  for (const Part& part : parts_) {
    if (Owns(slot, part)) Tell(slot, part);
  }
}

void SimGroup::Died(int slot) {
  slots_[static_cast<size_t>(slot)].consumer = nullptr;
  sim_.scheduler.After(sim_.random.Between(absl::Seconds(1), absl::Seconds(4)), nullptr, [this, slot] {
    Slot& dead = slots_[static_cast<size_t>(slot)];
    if (dead.consumer || !dead.member) return;
    dead.member = false;
    Rebalance(false);
  });
}

void SimGroup::SetReachable(int slot, bool reachable) {
  Slot& member = slots_[static_cast<size_t>(slot)];
  if (member.reachable == reachable) return;
  member.reachable = reachable;
  Rebalance(false);
  for (const Part& part : parts_) Tell(slot, part);
}

bool SimGroup::Owns(int slot, Part part) const { return owners_.at(part).slot == slot; }

void SimGroup::Rebalance(bool shuffle) {
  std::vector<int> live;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].member && slots_[i].reachable) live.push_back(static_cast<int>(i));
  }
  if (shuffle) ++rotation_;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const int owner = live.empty() ? -1 : live[(i + static_cast<size_t>(rotation_)) % live.size()];
    Owner& current = owners_[parts_[i]];
    if (current.slot == owner) continue;
    const int before = current.slot;
    current = {owner, current.generation + 1};
    Tell(before, parts_[i]);  // in whichever order: for a while both or nobody may feel responsible
    Tell(owner, parts_[i]);
  }
}

void SimGroup::Tell(int slot, Part part) {
  if (slot < 0 || !slots_[static_cast<size_t>(slot)].consumer) return;
  SimConsumer* consumer = slots_[static_cast<size_t>(slot)].consumer;
  const absl::Duration wait = sim_.quiet ? absl::Milliseconds(10) : sim_.random.Around(absl::Milliseconds(300));
  consumer->process().After(wait, [consumer, part] { consumer->Sync(part); });
}

void SimGroup::Wake(Topic topic) {
  if (parts_.front().first != topic && parts_.back().first != topic) return;
  for (Slot& slot : slots_) {
    if (slot.consumer) slot.consumer->Wake(absl::Milliseconds(15));
  }
}

// ---- consumers ------------------------------------------------------------------------------------------------------

SimConsumer::SimConsumer(Sim& sim, SimBus& bus, SimGroup& group, Process& process, int slot, OffsetStore& offsets,
                         Handler handler, Assigned assigned)
    : sim_(sim),
      bus_(bus),
      group_(group),
      process_(process),
      slot_(slot),
      offsets_(offsets),
      handler_(std::move(handler)),
      assigned_(std::move(assigned)) {}

void SimConsumer::Wake(absl::Duration wait) {
  const int64_t at = sim_.scheduler.now() + absl::ToInt64Nanoseconds(wait);
  if (tick_at_ >= 0 && tick_at_ <= at) return;
  tick_at_ = at;
  sim_.scheduler.At(at, &process_, [this, at] {
    if (tick_at_ == at) Tick();
  });
}

void SimConsumer::Sync(SimGroup::Part part) {
  const bool ours = group_.Owns(slot_, part);
  const auto held = owned_.find(part);
  if (held == owned_.end() ? !ours : ours && held->second.generation == group_.GenerationOf(part)) return;
  sim_.Note(process_.name(), ours ? "assigned" : "revoked", static_cast<int>(part.first), part.second);
  owned_.erase(part);
  if (ours) {
    Owned& owned = owned_[part];
    owned.position = {group_.name(), TopicName(part.first), part.second, 0, 0};
    owned.generation = group_.GenerationOf(part);
  }
  TellAssignment();
  Wake(absl::ZeroDuration());
}

void SimConsumer::TellAssignment() {
  if (!assigned_) return;
  std::vector<StreamPosition> claimed;
  for (const auto& [part, owned] : owned_) {
    if (owned.claimed) claimed.push_back(owned.position);
  }
  assigned_(claimed);
}

bool SimConsumer::Claim(SimGroup::Part part, Owned& owned) {
  const auto claimed = offsets_.Claim(group_.name(), TopicName(part.first), part.second);
  if (!claimed.ok()) {
    Later(owned);
    return false;
  }
  sim_.Note(process_.name(), "claimed partition", static_cast<int>(part.first) * 100 + part.second, claimed->epoch);
  owned.position = *claimed;
  owned.claimed = true;
  TellAssignment();
  return true;
}

void SimConsumer::Later(Owned& owned) {
  const absl::Duration wait = sim_.random.Between(absl::Milliseconds(20), absl::Seconds(1));
  owned.retry_at = sim_.scheduler.now() + absl::ToInt64Nanoseconds(wait);
  Wake(wait);
}

void SimConsumer::Tick() {
  tick_at_ = -1;
  for (auto& [part, owned] : owned_) {
    if (fenced_ || process_.dying()) break;
    if (owned.retry_at > sim_.scheduler.now()) {
      Wake(absl::Nanoseconds(owned.retry_at - sim_.scheduler.now()));
      continue;
    }
    if (!owned.claimed && !Claim(part, owned)) continue;
    if (owned.position.next < bus_.End(part.first, part.second)) Handle(part, owned);
  }
  if (fenced_) StartOver();
}

void SimConsumer::Handle(SimGroup::Part part, Owned& owned) {
  const std::vector<Record>& log = bus_.log(part.first, part.second);
  const int64_t begin = owned.position.next;
  int64_t end = std::min<int64_t>(static_cast<int64_t>(log.size()), begin + sim_.random.Between(1, 200));
  if (owned.batch_end > begin) end = owned.batch_end;
  owned.batch_end = -1;
  const std::vector<Record> batch(log.begin() + begin, log.begin() + end);
  StreamPosition position = owned.position;
  position.next = end;
  const Status status = handler_(position, begin, batch);
  if (status.ok()) {
    sim_.Note(process_.name(), "applied", static_cast<int>(part.first) * 100 + part.second, end);
    owned.position.next = end;
    if (end < bus_.End(part.first, part.second)) Wake(absl::Milliseconds(1));
  } else if (ReasonOf(status) == "FENCED") {
    sim_.Note(process_.name(), "fenced", static_cast<int>(part.first) * 100 + part.second, begin);
    fenced_ = true;
  } else if (status.code() == Code::kUnavailable) {
    owned.batch_end = end;
    Later(owned);
  } else {
    sim_.Violate("a record cannot be applied: " + status.ToString());
  }
}

void SimConsumer::StartOver() {
  fenced_ = false;
  owned_.clear();
  TellAssignment();
  const absl::Duration wait = sim_.random.Between(absl::Milliseconds(50), absl::Seconds(2));
  process_.After(wait, [this] {
    for (const SimGroup::Part& part : group_.parts()) Sync(part);
  });
}

}  // namespace parvis::sim
