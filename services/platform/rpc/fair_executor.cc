#include "platform/rpc/fair_executor.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace parvis::rpc {

FairExecutor::FairExecutor(const Options& options) : options_(options) {
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), "rpc");
  }
}

FairExecutor::~FairExecutor() { Stop(); }

FairExecutor::Taken FairExecutor::TrySubmit(uint64_t tenant, std::function<void()> task) {
  bool runnable = false;
  {
    const std::lock_guard lock(mutex_);
    const int room = options_.queue_max - queued_;
    if (stopping_ || room <= 0) return Taken::kFull;
    Lane& lane = lanes_[tenant];  // has something from here on, or had
    if (static_cast<int>(lane.waiting.size()) >= std::min(options_.tenant_queue_max, room)) return Taken::kTenantFull;
    lane.waiting.push_back(std::move(task));
    ++queued_;
    PutInTurn(tenant, lane);
    runnable = lane.in_turn;
  }
  if (runnable) wake_.notify_one();
  return Taken::kYes;
}

void FairExecutor::PutInTurn(uint64_t tenant, Lane& lane) {
  if (lane.in_turn || lane.waiting.empty() || lane.running >= options_.tenant_threads_max) return;
  lane.in_turn = true;
  turn_.push_back(tenant);
}

void FairExecutor::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return !turn_.empty() || (stopping_ && queued_ == 0); });
    if (turn_.empty()) return;
    const uint64_t tenant = turn_.front();
    turn_.pop_front();
    Lane& lane = lanes_.at(tenant);  // stays where it is: it is not erased while it runs something
    lane.in_turn = false;
    std::function<void()> task = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    ++lane.running;
    --queued_;
    PutInTurn(tenant, lane);
    if (stopping_ && queued_ == 0) wake_.notify_all();
    lock.unlock();
    task();
    task = nullptr;  // what the task holds is released outside the lock
    lock.lock();
    --lane.running;
    PutInTurn(tenant, lane);
    if (lane.running == 0 && lane.waiting.empty()) lanes_.erase(tenant);
  }
}

void FairExecutor::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

int FairExecutor::queued() const {
  const std::lock_guard lock(mutex_);
  return queued_;
}

}  // namespace parvis::rpc
