// Threads of our own posts in which something was lately written. They are read because notifications leave out what lies deeper
// than four levels, and what lies below a reply that we hid. Pure.
#pragma once

#include <vector>

#include "networks/connector.h"
#include "networks/wire/json.h"

namespace parvis::networks {

// Lists are sorted by the time a post claims, never later than the network saw it: what arrives late lies lower.
inline constexpr absl::Duration kBlueskyOverlap = absl::Minutes(10);
// Levels below the post. The network would show a thousand; an answer deeper than ParseJson takes is none, a level is two of its,
// and a post has a dozen of its own.
inline constexpr int64_t kBlueskyThreadDepth = 40;

struct BlueskyThread {
  std::string root;     // a post of ours
  int64_t active = 0;   // microseconds: when the newest in it was seen
  int64_t from = 0;     // microseconds: what was seen before it is taken already
  int64_t depth = kBlueskyThreadDepth;  // levels that are asked for; 0: not even one could be read
};

// At most ten of them; those in which nothing was written for a day are forgotten once they were read.
class BlueskyThreads {
 public:
  static BlueskyThreads Decode(const Json& json, const Account& account);
  Json Encode() const;  // null when there are none

  // Something was written at `seen` below `root`. A thread that was not known is read from `from` on.
  void Note(const std::string& root, int64_t seen, int64_t from);
  // All are to be read now; none when they were begun less than 30 seconds ago.
  void Begin(absl::Time now);
  bool AnyLeft();
  BlueskyThread& next() { return threads_[next_]; }  // while AnyLeft()
  void Done() { ++next_; }
  void Drop() { threads_.erase(threads_.begin() + static_cast<std::ptrdiff_t>(next_)); }
  void Forget(absl::Time now);

 private:
  std::vector<BlueskyThread> threads_;
  int64_t began_ = 0;  // microseconds: of the last reading
  size_t next_ = 0;
};

// What others wrote in the thread since `thread.from`, at most kPageItemsMax, the oldest: what is left over comes with the next
// reading. `began`: when the thread was asked for.
void TakeThread(const Json& view, const Account& account, absl::Time began, BlueskyThread* thread, PollPage* page);

}  // namespace parvis::networks
