#include <algorithm>

#include "tests/sim/sim_bus.h"

namespace parvis::sim {

void SimOutbox::Append(Topic topic, int partition, const std::string& key, Record record) {
  rows.push_back({next_id++, topic, partition, std::move(record)});
  watch->OnAppended(rows.back().id, key);
  for (SimRelay* relay : relays) relay->Wake(absl::Milliseconds(8));
}

SimRelay::SimRelay(Sim& sim, SimBus& bus, SimOutbox& outbox, Database& database, Process& process)
    : sim_(sim), bus_(bus), outbox_(outbox), database_(database), process_(process) {
  outbox_.relays.push_back(this);
  Wake(absl::Milliseconds(10));  // what others have left behind
}

SimRelay::~SimRelay() {
  std::erase(outbox_.relays, this);
  if (outbox_.lock == this) outbox_.lock = nullptr;  // the session ends with the process
}

void SimRelay::Wake(absl::Duration wait) {
  if (pending_) return;
  pending_ = true;
  process_.After(wait, [this] {
    pending_ = false;
    Tick();
  });
}

void SimRelay::Tick() {
  if (outbox_.rows.empty()) return;
  if (outbox_.lock) return outbox_.lock == this ? void() : Wake(absl::Milliseconds(100));
  if (database_.Pass(process_, "outbox read") != Fate::kDone || outbox_.lock ||
      outbox_.rows.empty()) {  // time may have passed
    return Wake(absl::Milliseconds(100));
  }
  const size_t size = std::min<size_t>(outbox_.rows.size(), 500);
  const auto rows = std::make_shared<const std::vector<SimOutbox::Row>>(
      outbox_.rows.begin(), outbox_.rows.begin() + static_cast<std::ptrdiff_t>(size));
  outbox_.lock = this;
  if (sim_.bug == Bug::kRelay) Delete(*rows);
  const bool published = Publish(*rows);
  // The acknowledgement comes later; until then the process may die or be held up.
  process_.After(sim_.random.Around(absl::Milliseconds(5)), [this, rows, published] {
    if (published) Commit(*rows);
    if (outbox_.lock == this) outbox_.lock = nullptr;
    Wake(published ? absl::Milliseconds(8) : absl::Milliseconds(200));
  });
}

// False: not all were acknowledged, though they may have arrived.
bool SimRelay::Publish(const std::vector<SimOutbox::Row>& rows) {
  if (process_.dying()) return false;
  const int times =
      sim_.Fault(sim_.faults.produce_twice) ? 2 : 1;  // a rebuilt producer sends again what may have arrived
  const bool fails = sim_.Fault(sim_.faults.produce_failed);
  const size_t arrive = fails ? static_cast<size_t>(sim_.random.Below(static_cast<int>(rows.size()))) : rows.size();
  for (int time = 0; time < times; ++time) {
    for (size_t i = 0; i < arrive; ++i) {
      outbox_.watch->OnPublished(rows[i].id);
      bus_.Append(rows[i].topic, rows[i].partition, rows[i].record);
    }
  }
  sim_.Note(process_.name(), "published", rows.front().id, static_cast<int64_t>(arrive));
  return !fails;
}

void SimRelay::Commit(const std::vector<SimOutbox::Row>& rows) {
  if (database_.Pass(process_, "outbox delete") == Fate::kLostBefore) return;
  Delete(rows);
}

void SimRelay::Delete(const std::vector<SimOutbox::Row>& rows) {
  // The lock makes sure that these are still the first ones.
  size_t at = 0;
  while (at < rows.size() && !outbox_.rows.empty() && outbox_.rows.front().id <= rows.back().id) {
    outbox_.rows.pop_front();
    ++at;
  }
}

}  // namespace parvis::sim
