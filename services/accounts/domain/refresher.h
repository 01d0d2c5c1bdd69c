// The thread that refreshes credentials: a round per interval, the next one at once while a round was full.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "accounts/domain/refresh.h"

namespace parvis::accounts {

class Refresher {
 public:
  // `told` is called once per channel of a round, on the thread; it must not throw or block.
  Refresher(RefreshStore& store, SignInGate& gate, const RefreshOptions& options, const Clock& clock,
            Refreshes::Told told);
  ~Refresher();
  void Start();
  // Waits for the channel that is being refreshed: what a refresh brings is stored.
  void Stop();

 private:
  void Run();
  bool Wait(absl::Duration pause);

  const RefreshOptions options_;
  Refreshes refreshes_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace parvis::accounts
