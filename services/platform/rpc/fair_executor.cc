#include "platform/rpc/fair_executor.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace parvis::rpc {
namespace {

constexpr size_t kEmptyLanesMax = 64;  // kept, because making one costs as much as a small call

}  // namespace

FairExecutor::FairExecutor(const Options& options) : options_(options) {
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), "rpc");
  }
}

FairExecutor::~FairExecutor() { Stop(); }

FairExecutor::Taken FairExecutor::TrySubmit(uint64_t tenant, std::function<void()> task) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    const int room = options_.queue_max - queued_;
    if (stopping_ || room <= 0) return Taken::kFull;
    Lane& lane = lanes_[tenant];  // has something from here on, or had
    if (static_cast<int>(lane.waiting.size()) >= std::min(options_.tenant_queue_max, room)) return Taken::kTenantFull;
    lane.waiting.push_back(std::move(task));
    ++queued_;
    PutInTurn(tenant, lane);
    wake = MustWake();
  }
  if (wake) wake_.notify_one();
  return Taken::kYes;
}

bool FairExecutor::MustWake() {
  if (turn_.empty() || asleep_ == 0 || waking_) return false;
  waking_ = true;
  return true;
}

void FairExecutor::PutInTurn(uint64_t tenant, Lane& lane) {
  if (lane.in_turn || lane.waiting.empty() || lane.running >= options_.tenant_threads_max) return;
  lane.in_turn = true;
  turn_.push_back(tenant);
}

void FairExecutor::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    while (turn_.empty()) {
      if (stopping_ && queued_ == 0) return;
      ++asleep_;
      wake_.wait(lock);
      --asleep_;
      waking_ = false;  // whoever was called: this one looks now
    }
    const uint64_t tenant = turn_.front();
    turn_.pop_front();
    Lane& lane = lanes_.at(tenant);  // stays where it is: it is not erased while it runs something
    lane.in_turn = false;
    std::function<void()> task = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    ++lane.running;
    --queued_;
    PutInTurn(tenant, lane);
    const bool last = stopping_ && queued_ == 0;
    const bool wake = MustWake();
    lock.unlock();
    if (last) {
      wake_.notify_all();
    } else if (wake) {
      wake_.notify_one();
    }
    task();
    task = nullptr;  // what the task holds is released outside the lock
    lock.lock();
    --lane.running;
    PutInTurn(tenant, lane);
    if (lane.running == 0 && lane.waiting.empty() && lanes_.size() > kEmptyLanesMax) lanes_.erase(tenant);
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

}  // namespace parvis::rpc
