// Use case: watching a workspace's conversations. Every event has a number; they follow one another without gaps.
//
// One thread serves all watchers of the process: woken by commits of this process, it also looks at the feeds' heads at
// an interval, because other replicas commit too. What is new in a watched workspace is read once, kept for a while in
// a ring, and given to all who watch it. Who is further behind than the ring reaches (it resumes, or reads slowly) is
// served from the feed by its own position until it has caught up. Without watchers the thread sleeps.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "inbox/domain/store.h"
#include "platform/base/clock.h"

namespace parvis::inbox {

// An event on its way to the watchers, all of which are given the same one.
struct WatchedEvent {
  FeedEntry entry;
  // What the first watcher made of the entry, for the others to use. All watchers of a hub are of one kind, so they
  // know what it is; the hub's thread alone touches it.
  std::shared_ptr<const void> encoded;
};

// Who watches. Called from the hub's thread (OnStart: from Subscribe's); must not block.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // A sign of life and the first word: `sequence` is the number of the latest event that was sent.
  virtual Status OnPosition(int64_t sequence) = 0;
  // The next event; the numbers grow by 1. An error ends the watching.
  virtual Status OnEvent(WatchedEvent& event) = 0;
  // The hub ends it: OUT_OF_RANGE RESUME_TOO_OLD when events after its position are not kept any more,
  // RESOURCE_EXHAUSTED STREAM_SLOW when it took nothing for too long, UNAVAILABLE when the service stops.
  virtual void OnEnd(const Status& status) = 0;
  virtual bool Cancelled() const = 0;
  // How many calls of OnPosition and OnEvent it takes now. The hub makes no more of them; the rest waits in the feed.
  virtual int Room() const = 0;
};

struct WatchOptions {
  absl::Duration poll = absl::Milliseconds(10);  // longest time between looks at the heads, while somebody watches
  absl::Duration pause = absl::Milliseconds(2);  // least time between looks; soon after an event they are this close
  absl::Duration sign_of_life = absl::Seconds(15);
  absl::Duration slow_max = absl::Seconds(30);  // a watcher without room for so long is ended
  int page = 200;                               // events read at once
  int catch_up_reads = 16;                      // of a workspace for those who are behind, in one round
  int ring = 256;                               // events kept of each watched workspace ...
  int ring_bytes = 1 << 20;                     // ... and their size
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
    std::string workspace_id;
    int64_t latest = 0;    // the workspace's last event when it came
    int64_t position = 0;  // the last event that it was given
    Instant last_sent;     // when it was given something
    std::shared_ptr<Watcher> watcher;
  };
  using Event = std::shared_ptr<WatchedEvent>;
  using Events = std::deque<Event>;
  // A watched workspace. `ring` ends with event `reached`; its numbers grow by 1. The thread's alone.
  struct Feed {
    Call call;
    FeedHead head;
    int64_t reached = 0;
    Events ring;
    size_t ring_bytes = 0;
    std::vector<Subscription> subscriptions;
  };

  void Run();
  // Waits until there is something to do; false when the hub is stopping. `quiet`: nothing new in so many looks.
  bool WaitForWork(bool behind, int quiet, Instant last_look);
  void TakeArrived();
  // One look at the feeds. `behind`: somebody can be given more at once; `news`: there were new events.
  void Round(bool& behind, bool& news);
  // Reads what is new of a feed into its ring.
  void Advance(Feed& feed, bool& news);
  // What those who are further behind than the ring were given last in this round, and how many more such reads are
  // left in it: who is behind does not keep those waiting who are not.
  struct CatchUp {
    Instant now;
    Events page;
    int reads = 0;
  };
  // Events of which one follows `after`, from the ring or read, or the first ones behind a hole there; nullptr: not
  // now.
  const Events* After(Feed& feed, int64_t after, CatchUp& catch_up);
  StatusOr<Events> ReadAfter(const Feed& feed, int64_t after);
  // False when the subscription has ended.
  bool Serve(Feed& feed, Subscription& subscription, CatchUp& catch_up, bool& behind);
  void TrimRing(Feed& feed);

  FeedStore& feeds_;
  const WatchOptions options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false, stopping_ = false;
  std::vector<Subscription> arrived_;    // guarded by mutex_; the thread takes them over
  size_t served_ = 0;                    // how many the thread has; guarded by mutex_
  std::map<std::string, Feed> watched_;  // by workspace; the thread's alone
  std::thread thread_;
};

}  // namespace parvis::inbox
