#include "tests/sim/scheduler.h"

#include <algorithm>

namespace parvis::sim {

void Scheduler::At(int64_t time, Process* owner, std::function<void()> run) {
  Push({std::max(time, now_), 0, owner, owner ? owner->incarnation_ : 0, std::move(run)});
}

void Scheduler::Push(Event event) {
  event.number = next_number_++;
  heap_.push_back(std::move(event));
  std::push_heap(heap_.begin(), heap_.end(), Later);
}

void Scheduler::RunUntil(int64_t time) {
  while (!stop_ && !heap_.empty() && heap_.front().time <= time) {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    Event event = std::move(heap_.back());
    heap_.pop_back();
    now_ = std::max(now_, event.time);
    Dispatch(std::move(event));
  }
  now_ = std::max(now_, time);
}

void Scheduler::Dispatch(Event event) {
  Process* owner = event.owner;
  if (!owner) {
    ++events_;
    event.run();
    return;
  }
  if (event.incarnation != owner->incarnation_ || owner->dying_) return;
  if (owner->held_ > 0) {
    owner->deferred_.push_back(std::move(event));
    return;
  }
  ++events_;
  owner->running_ = true;
  event.run();
  owner->running_ = false;
  if (owner->dying_) owner->Reap();
}

void Scheduler::Stall(Process& process, absl::Duration wait) {
  process.Hold();
  RunUntil(now_ + absl::ToInt64Nanoseconds(wait));
  process.Unhold();
}

void Process::Boot() {
  if (up_) return;
  up_ = true;
  OnBoot();
}

void Process::Crash() {
  if (!up_) return;
  dying_ = true;
  if (!running_) Reap();
}

void Process::Reap() {
  up_ = false;
  OnDeath();
  ++incarnation_;
  dying_ = false;
  if (paused_) Resume();
  deferred_.clear();
}

void Process::Pause() {
  if (paused_ || !up_) return;
  paused_ = true;
  Hold();
}

void Process::Resume() {
  if (!paused_) return;
  paused_ = false;
  Unhold();
}

void Process::Unhold() {
  if (--held_ > 0) return;
  std::vector<Scheduler::Event> deferred = std::move(deferred_);
  deferred_.clear();
  for (Scheduler::Event& event : deferred) {
    event.time = std::max(event.time, scheduler_.now_);
    scheduler_.Push(std::move(event));
  }
}

}  // namespace parvis::sim
