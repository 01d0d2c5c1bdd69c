// An executor that many tenants share: a fixed number of threads and a bounded queue, as parvis::Executor, but every
// tenant has a lane of its own. The threads take from the lanes in turn, so one who sends a hundred times as much waits
// behind himself and nobody else does; nobody holds all threads; and a lane may wait only as long as the room that is
// left is longer (the dynamic threshold of Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998), so that there is always some
// for who comes next.
#pragma once

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
  int queued() const;

 private:
  struct Lane {
    std::deque<std::function<void()>> waiting;
    int running = 0;
    bool in_turn = false;
  };
  void Run();
  void PutInTurn(uint64_t tenant, Lane& lane);  // unless it is, has nothing, or holds its threads; mutex_ held

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::unordered_map<uint64_t, Lane> lanes_;  // only those with something: at most queue_max + threads
  std::deque<uint64_t> turn_;                 // lanes that a thread may take from, in order
  int queued_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace parvis::rpc
