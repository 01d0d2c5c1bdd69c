// An executor that many tenants share: a fixed number of threads and a bounded queue, as parvis::Executor, but every
// tenant has a lane of its own. The threads take from the lanes in turn, so one who sends a hundred times as much waits
// behind himself and nobody else does; nobody holds all threads; and a lane may wait only as long as the room that is
// left is longer (the dynamic threshold of Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998), so that there is always some
// for who comes next.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace parvis::rpc {

class FairExecutor {
 public:
  struct Options {
    int threads = 8;
    int queue_max = 256;         // tasks waiting, not counting those running
    int tenant_threads_max = 6;  // tasks of one tenant that run at the same time
    int tenant_queue_max = 128;  // tasks of one tenant that wait
  };
  enum class Taken { kYes, kFull, kTenantFull };

  explicit FairExecutor(const Options& options);
  ~FairExecutor();  // Stop()
  FairExecutor(const FairExecutor&) = delete;

  // Queues `task` in the lane of `tenant`. kFull also after Stop. Thread-safe. A task must not throw.
  [[nodiscard]] Taken TrySubmit(uint64_t tenant, std::function<void()> task);
  // Takes no new tasks, runs what is queued, joins the threads. Idempotent; not from one of its own threads.
  void Stop();
  int queued() const { return queued_; }  // takes no lock

 private:
  struct Lane {
    std::deque<std::function<void()>> waiting;
    int running = 0;
    bool in_turn = false;
  };
  void Run();
  // Whether a sleeping thread is to be woken: there is work, somebody sleeps, and nobody is on his way already. Who
  // takes a task asks again for what is left, so a task never waits behind a running one while a thread sleeps, and a
  // burst of short tasks wakes one thread and not one each. mutex_ held; the caller notifies, without the lock, when it
  // is true.
  bool MustWake();
  void PutInTurn(uint64_t tenant, Lane& lane);  // unless it is, has nothing, or holds its threads; mutex_ held

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::unordered_map<uint64_t, Lane> lanes_;  // those with something, and a few (kEmptyLanesMax) to be used again
  std::deque<uint64_t> turn_;                 // lanes that a thread may take from, in order
  std::atomic<int> queued_{0};                // written with mutex_ held
  int asleep_ = 0;                            // threads that wait for work
  bool waking_ = false;                       // one of them has been called and has not come yet
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace parvis::rpc
