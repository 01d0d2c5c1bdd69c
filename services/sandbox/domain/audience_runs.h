// Audiences that run: one thread each, paced, held back while webhooks pile up.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "platform/base/clock.h"
#include "sandbox/domain/audience.h"

namespace parvis::sandbox {

struct AudienceRequest {
  AudiencePlan plan;
  double rate = 0;  // comments a second; 0: as fast as possible
  // Whom it follows: these posts, or (if empty) all published posts of these accounts, also those that come later.
  std::vector<std::pair<Network, std::string>> posts;
  std::vector<std::pair<Network, std::string>> accounts;
};

struct AudienceStatus {
  int64_t id = 0;
  std::string state;  // waiting (no post yet), running, done, stopped, failed
  std::string error;
  int64_t count = 0;
  Audience::Progress progress;
  absl::Duration elapsed;
};

class AudienceRuns {
 public:
  // `may_write` is asked between steps; while it says no, the audiences wait (bounded queues behind them).
  AudienceRuns(int runs_max, World& world, const Clock& clock, std::function<bool()> may_write);
  ~AudienceRuns();  // stops all
  // INVALID_ARGUMENT, NOT_FOUND (an account or post), RESOURCE_EXHAUSTED TOO_MANY_AUDIENCES.
  StatusOr<int64_t> Start(const AudienceRequest& request);
  StatusOr<AudienceStatus> Get(int64_t id) const;
  std::vector<AudienceStatus> List() const;
  bool Stop(int64_t id);
  void StopAll();  // and forgets them

 private:
  struct Run {
    explicit Run(const AudienceRequest& r, World& world) : request(r), audience(r.plan, world) {}
    const AudienceRequest request;
    Audience audience;  // by the run's thread only
    Instant started;
    std::thread thread;
    mutable std::mutex mutex;
    std::condition_variable wake;
    bool stop = false;
    AudienceStatus status;  // guarded by mutex
  };
  void Work(Run& run);
  bool Wait(Run& run, absl::Duration d);  // false: stop
  std::vector<Audience::Post> Posts(const AudienceRequest& request) const;
  void Note(Run& run, std::string state, std::string error = "");

  const int runs_max_;
  World& world_;
  const Clock& clock_;
  const std::function<bool()> may_write_;
  mutable std::mutex mutex_;
  int64_t next_id_ = 1;
  std::map<int64_t, std::unique_ptr<Run>> runs_;
};

}  // namespace parvis::sandbox
