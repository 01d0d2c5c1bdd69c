// Use case: watching a workspace's conversations. Every event has a number; they follow one another without gaps.
//
// One thread serves all watchers of the process: woken by commits of this process, it also looks at the feeds' heads at
// an interval, because other replicas commit too. Without watchers it sleeps.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "inbox/domain/store.h"
#include "platform/base/clock.h"

namespace parvis::inbox {

// Who watches. Called from the hub's thread (OnStart: from Subscribe's); must not block.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // A sign of life and the first word: `sequence` is the number of the latest event that was sent.
  virtual Status OnPosition(int64_t sequence) = 0;
  // The next event. An error ends the watching.
  virtual Status OnEvent(const FeedEntry& entry) = 0;
  // The hub ends it: OUT_OF_RANGE RESUME_TOO_OLD when events after its position are not kept any more, UNAVAILABLE
  // when the service stops.
  virtual void OnEnd(const Status& status) = 0;
  virtual bool Cancelled() const = 0;
};

struct WatchOptions {
  absl::Duration poll = absl::Milliseconds(200);        // between looks at the heads, while somebody watches
  absl::Duration pause = absl::Milliseconds(5);         // least time between two looks
  absl::Duration sign_of_life = absl::Seconds(15);
  int page = 200;                                       // events given to one watcher in one round
  int watchers_max = 1000;
};

class WatchHub {
 public:
  WatchHub(FeedStore& feeds, const WatchOptions& options, const Clock& clock);
  ~WatchHub();
  void Start();
  // Ends all watchers with UNAVAILABLE SHUTTING_DOWN and the thread. Idempotent.
  void Stop();
  // After a commit; cheap, thread-safe.
  void Wake();

  // Begins after event `after`, or now when nullopt. OUT_OF_RANGE RESUME_TOO_OLD, or RESUME_IN_FUTURE when there was no
  // such event yet; RESOURCE_EXHAUSTED TOO_MANY_WATCHERS.
  Status Subscribe(const Call& call, std::optional<int64_t> after, std::shared_ptr<Watcher> watcher);
  int watchers() const;

 private:
  struct Subscription {
    Call call;
    int64_t position = 0;
    Instant last_sent;
    std::shared_ptr<Watcher> watcher;
  };
  void Run();
  // One look at the feeds; true when somebody is still behind.
  bool Round(std::vector<Subscription>& subscriptions);
  // False when the subscription has ended.
  bool Serve(Subscription& subscription, const FeedHead& head, bool& behind);

  FeedStore& feeds_;
  const WatchOptions options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false, stopping_ = false;
  std::vector<Subscription> arrived_;   // guarded by mutex_; the thread takes them over
  size_t served_ = 0;                   // how many the thread has
  std::thread thread_;
};

}  // namespace parvis::inbox
