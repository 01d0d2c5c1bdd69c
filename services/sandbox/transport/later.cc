#include "sandbox/transport/later.h"

namespace parvis::sandbox {

Later::Later(const Clock& clock, int waiting_max)
    : clock_(clock), waiting_max_(waiting_max), thread_([this] { Work(); }) {}

Later::~Later() { Stop(); }

void Later::Run(absl::Duration delay, std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (!stopping_ && static_cast<int>(waiting_.size()) < waiting_max_) {
      waiting_.emplace(clock_.Now() + delay, std::move(task));
      wake_.notify_all();
      return;
    }
  }
  task();
}

void Later::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Later::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    const Instant now = clock_.Now();
    if (!waiting_.empty() && (stopping_ || waiting_.begin()->first <= now)) {
      std::function<void()> task = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      lock.unlock();
      task();
      lock.lock();
      continue;
    }
    if (stopping_) return;
    if (waiting_.empty()) {
      wake_.wait(lock);
    } else {
      wake_.wait_for(lock, absl::ToChronoMicroseconds(waiting_.begin()->first - now) + std::chrono::microseconds(1));
    }
  }
}

}  // namespace parvis::sandbox
