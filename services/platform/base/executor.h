// Executor: a fixed number of threads and a bounded queue. Nothing in Parvis starts a thread per request.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace parvis {

class Executor {
 public:
  struct Options {
    std::string name = "work";  // threads are named so in ps and gdb (15 characters at most)
    int threads = 8;
    int queue_max = 256;        // tasks waiting, not counting those running
  };
  explicit Executor(const Options& options);
  ~Executor();  // Stop()
  Executor(const Executor&) = delete;

  // Queues `task`; false when the queue is full or the executor has stopped: the caller sheds the load. Thread-safe.
  // A task must not throw.
  [[nodiscard]] bool TrySubmit(std::function<void()> task);
  // Takes no new tasks, runs what is queued, joins the threads. Idempotent; not from one of its own threads.
  void Stop();
  int queued() const;

 private:
  void Run();
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace parvis
