// What the inbox does on its own: claims that have run out are taken away, old events and rows of messages that never
// came are forgotten. One thread, one round per interval, each round bounded.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "inbox/domain/store.h"

namespace parvis::inbox {

struct UpkeepOptions {
  absl::Duration interval = absl::Seconds(5);
  absl::Duration feed_keep = absl::Hours(24);
  absl::Duration absent_keep = absl::Hours(24 * 30);
  int batch = 1000;
};

// One round. `changed` is called when events were written. The first error, if any; the rest is done nevertheless.
Status UpkeepRound(UpkeepStore& store, const UpkeepOptions& options, const std::function<void()>& changed);

class Upkeep {
 public:
  Upkeep(UpkeepStore& store, const UpkeepOptions& options, std::function<void()> changed);
  ~Upkeep();
  void Start();
  void Stop();

 private:
  void Run();
  UpkeepStore& store_;
  const UpkeepOptions options_;
  const std::function<void()> changed_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace parvis::inbox
