// Use case: measuring. What the networks count of our posts and channels (likes, views, followers, ...), read ever more
// rarely as a post grows old, told to whoever listens, and forgotten here: only the next time of each is kept.
//
// A channel is measured as a whole: one call at a time, at most `batch` of its posts in one, so that its budget is
// asked by one of us only. What its network refuses for the rate waits as long as the network says, and so does a channel
// whose budget is used up by what was measured.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "ingestion/domain/activity.h"
#include "ingestion/domain/poll_schedule.h"
#include "ingestion/domain/sources.h"
#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/stream.h"

namespace parvis::ingestion {

struct MeasureOptions {
  absl::Duration interval_min = absl::Minutes(5);  // of a new post
  absl::Duration interval_max = absl::Hours(12);   // of an old one
  absl::Duration follow_for = absl::Hours(24 * 30);
  absl::Duration channel_every = absl::Hours(6);  // a channel's own counters
  absl::Duration failure_max = absl::Hours(1);    // longest wait after failures
  absl::Duration wait_max = absl::Hours(24);      // longest wait that a network may ask for
  absl::Duration call_max = absl::Seconds(20);    // one call
  absl::Duration lease = absl::Minutes(1);        // longer than the two calls that a channel takes
  int batch = 50;                                 // posts in one call, at most kMeasureBatchMax
};

// As many as a connector takes at once.
inline constexpr int kMeasureBatchMax = 50;
// A post that the network left out so many times in a row is gone.
inline constexpr int kMissesMax = 6;

// Until a post of this age is measured again; infinite: never. A tenth of the age, within the bounds, so that what
// grows fast is seen growing; doubled for every time in a row that the network did not know the post; ±10 % by
// `uniform`, a random number in [0, 1). No wait is longer than kPlannedMax / 2.
absl::Duration NextMeasure(absl::Duration age, int misses, const MeasureOptions& options, double uniform);

// A post appeared, or is gone.
struct PostChange {
  Binding binding;
  std::string network, post_remote_id;
  absl::Time published;
  bool deleted = false;     // by us: it is measured no more; only binding and post_remote_id are set then
  absl::Duration first_in;  // set by FollowPosts: until its first time
};

struct MeasuredPost {
  std::string remote_id;
  absl::Time published;
  int misses = 0;
};

// A channel that this process may measure until the lease ends, and what of it is due.
struct MeasureJob {
  Binding binding;
  std::string network, host;
  int64_t credentials_version = 0;
  bool own = false;  // the channel's own counters are due
  std::vector<MeasuredPost> posts;
  int failures = 0;
  int64_t token = 0;    // fencing, as of Claimed
  absl::Duration late;  // after its time
};

struct MeasureEnd {
  struct Post {
    std::string remote_id;
    absl::Duration next_in;  // infinite: no more
    int misses = 0;
  };
  std::vector<Post> posts;                    // those that were measured; the others stay due
  std::optional<absl::Duration> own_next_in;  // set when the channel's own counters were measured
  int failures = 0;
  absl::Duration pause;  // before the channel is asked anything again
};

struct MeasureDue {
  int64_t channels = 0;         // with something due
  absl::Duration most_overdue;  // zero when nothing is
};

// Port. Thread-safe; blocks. Leases and times are measured with the store's clock, as in SourceStore.
class MeasureStore {
 public:
  virtual ~MeasureStore() = default;
  // Follows posts, and measures deleted ones no more, together with the consumer's position. A post that is known
  // already stays as it is: also one that is followed no more. ABORTED FENCED as every consumer's store.
  virtual Status Follow(const StreamPositions& positions, const std::vector<PostChange>& changes) = 0;
  // Lets the own counters of every active source of these networks be measured, each first within `spread`.
  virtual Status AddChannels(const std::vector<std::string>& networks, absl::Duration spread) = 0;
  // Forgets posts that were published before and are followed no more.
  virtual Status Forget(absl::Time published_before) = 0;
  // At most `limit` channels with something due, fairly among workspaces, each for `lease` and with at most `batch`
  // posts: those due, and those that will be within `early`. Left out: sources that are broken or detached, and hosts
  // that may not be asked.
  virtual StatusOr<std::vector<MeasureJob>> Claim(int limit, int batch, absl::Duration early, absl::Duration lease,
                                                  const std::vector<std::string>& paused_hosts) = 0;
  // Ends the claim. ABORTED FENCED when it was lost.
  virtual Status Release(const MeasureJob& job, const MeasureEnd& end) = 0;
  virtual StatusOr<MeasureDue> Due() = 0;
};

// Counters of a post, or of a channel (post_remote_id "").
struct Sample {
  std::string id;
  Binding binding;
  std::string network, post_remote_id;
  absl::Time measured;
  std::map<std::string, int64_t> counters;
};

// With the id of the natural key (channel, post, time); at most 64 counters of at most 64 bytes.
Sample MakeSample(const MeasureJob& job, std::string post_remote_id, absl::Time measured,
                  std::map<std::string, int64_t> counters);

// Port: where samples go. Blocks until all of them are safe, or with the first error (then: all again). Thread-safe.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  virtual Status Send(const std::vector<Sample>& samples) = 0;
};

// Port: asks the network. Blocks until the call's deadline at most; thread-safe.
class ChannelMeter {
 public:
  struct Counted {
    std::string remote_id;
    std::map<std::string, int64_t> counters;
  };
  struct Reading {
    std::vector<Counted> counted;
    RateLimit rate;  // of the budget that was drawn on
  };
  virtual ~ChannelMeter() = default;
  // Of these posts, without those that the network does not know; of the channel itself when the list is empty. Errors
  // as of ChannelReader::Read.
  virtual StatusOr<Reading> Measure(const Call& call, const MeasureJob& job,
                                    const std::vector<std::string>& post_remote_ids) = 0;
  // Tells accounts that the credentials are no good. Best effort.
  virtual void ReportBroken(const Call& call, const MeasureJob& job, const Status& why) = 0;
};

// Follows the posts of a batch. Left out: networks that `counts_posts` says no to, and posts older than follow_for.
Status FollowPosts(const StreamPositions& positions, std::vector<PostChange> changes,
                   const std::function<bool(const std::string& network)>& counts_posts, const MeasureOptions& options,
                   const Clock& clock, const std::function<double()>& uniform, MeasureStore& store);

// What one job brought.
struct MeasureResult {
  int samples = 0;
  int missing = 0;  // posts that the network did not know
  RateLimit rate;   // what the last call told of the budget
};

// How a job ends that was refused: a wait that doubles with every failure in a row, jittered, up to failure_max, and
// never shorter than what the error's retry_after asks (within wait_max). Refused credentials wait failure_max at once.
MeasureEnd AfterRefusal(const MeasureJob& job, const Status& why, const MeasureOptions& options, double uniform);

class Measurer {
 public:
  Measurer(MeasureStore& store, ChannelMeter& meter, SampleSink& sink, const Clock& clock,
           const MeasureOptions& options, std::function<double()> uniform)
      : store_(store), meter_(meter), sink_(sink), clock_(clock), options_(options), uniform_(std::move(uniform)) {}

  // Measures one claimed channel and releases it: the posts first, then its own counters, which stay due when the posts
  // have used up the budget. What was measured before
  // something failed counts; nothing is moved on before its samples are safe. After failures only a part of the posts
  // is asked for, half as many with each: behind one call of ours some networks are asked post by post, which may take
  // too long for all. The error is the job's, for logs and counters.
  StatusOr<MeasureResult> Measure(const MeasureJob& job);
  // Jobs under way end after the call at hand. Thread-safe.
  void StopSoon() { stopping_ = true; }
  const MeasureOptions& options() const { return options_; }

 private:
  Call CallFor(const MeasureJob& job) const;
  Status MeasurePosts(const MeasureJob& job, MeasureEnd& end, MeasureResult& result);
  Status MeasureOwn(const MeasureJob& job, MeasureEnd& end, MeasureResult& result);

  MeasureStore& store_;
  ChannelMeter& meter_;
  SampleSink& sink_;
  const Clock& clock_;
  const MeasureOptions options_;
  const std::function<double()> uniform_;
  std::atomic<bool> stopping_{false};
};

}  // namespace parvis::ingestion
