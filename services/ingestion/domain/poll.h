// Use case: reading a channel back. One poll is: claim, read pages, hand over, save the cursor, release.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ingestion/domain/activity.h"
#include "ingestion/domain/poll_schedule.h"
#include "ingestion/domain/sink.h"
#include "ingestion/domain/sources.h"
#include "ingestion/domain/waits.h"
#include "platform/base/backoff.h"
#include "platform/base/clock.h"

namespace parvis::ingestion {

struct ReadPage {
  std::vector<Happening> happenings;
  std::vector<RawPart> unparsed;
  std::string cursor;
  bool more = false;
  RateLimit rate;
  std::string host;  // where it was read: "blog.example"
};

// Port: reads a page of what happened at a channel. Blocks until the call's deadline at most; thread-safe.
class ChannelReader {
 public:
  virtual ~ChannelReader() = default;
  // `cursor` "": from `since`. UNAUTHENTICATED or PERMISSION_DENIED: the credentials are refused; RESOURCE_EXHAUSTED
  // with retry_after: too fast; FAILED_PRECONDITION CHANNEL_DISCONNECTED; others are transient.
  virtual StatusOr<ReadPage> Read(const Call& call, const Source& source, const std::string& cursor, absl::Time since,
                                  int limit) = 0;
  // Tells accounts that the credentials are no good. Best effort.
  virtual void ReportBroken(const Call& call, const Source& source, const Status& why) = 0;
};

struct PollOptions {
  absl::Duration interval_min = absl::Seconds(5);  // not heard by webhook
  absl::Duration interval_max = absl::Minutes(1);
  absl::Duration second_way_min = absl::Minutes(2);  // heard by webhook or stream: only to be sure
  absl::Duration second_way_max = absl::Minutes(15);
  absl::Duration failure_max = absl::Minutes(15);  // longest wait after failures
  absl::Duration wait_max = absl::Hours(24);       // longest wait that a network may ask for
  absl::Duration lease = absl::Minutes(2);
  absl::Duration call_max = absl::Seconds(20);  // one page
  int page_size = 100;
  int pages_max = 20;  // in one claim; then it is another source's turn
};

// How a poll ended well, for PollEnd.
struct PollResult {
  int activities = 0;
  bool reached_end = false;
  RateLimit rate;
  std::string host;
};

// When to poll again. Pure but for `uniform`, a random number in [0, 1).
// The interval is halved by a poll that brought something, and doubled by one that did not, within the bounds. The wait
// is that interval ±10 %, so that sources do not march in step. One that came in a crowd (the first poll, or `late` by
// more than a tenth of its interval, as all are after an outage) waits anything from half the interval to all of it,
// which scatters the crowd at once. A budget that is used up waits for its reset and up to a tenth of that longer,
// retry_after likewise: what was refused together does not come back together. Neither beyond options.wait_max.
PollEnd AfterSuccess(const Claimed& claimed, const PollResult& result, absl::Duration min, absl::Duration max,
                     absl::Duration wait_max, double uniform);
// Refused credentials: broken, no further poll. Otherwise a wait that doubles with every failure in a row, jittered,
// never shorter than what the error's retry_after asks (within wait_max). Refused for the rate: also no shorter than
// the interval, which doubles up to `max`.
PollEnd AfterFailure(const Source& source, const Status& why, const PollOptions& options, absl::Duration max,
                     double uniform);

class Poller {
 public:
  // `second_way`: whether a network's webhooks bring comments, so that polling is only the second way; it is for a
  // channel whose stream is being read, or of which a hub tells, too.
  Poller(SourceStore& store, ChannelReader& reader, ActivitySink& sink, const Clock& clock, const PollOptions& options,
         std::function<bool(const std::string& network)> second_way, std::function<double()> uniform)
      : store_(store),
        reader_(reader),
        sink_(sink),
        clock_(clock),
        options_(options),
        second_way_(std::move(second_way)),
        uniform_(std::move(uniform)) {}

  // Polls one claimed source and releases it. Blocks. The error is the poll's, for logs and counters.
  StatusOr<PollResult> Poll(const Claimed& claimed);
  // Polls under way end after the page at hand; whoever claims the source next goes on there. Thread-safe.
  void StopSoon() { stopping_ = true; }
  // Of a new channel.
  absl::Duration IntervalMin(const std::string& network) const {
    return second_way_(network) ? options_.second_way_min : options_.interval_min;
  }
  const PollOptions& options() const { return options_; }

 private:
  Status ReadPages(const Claimed& claimed, Progress& progress, PollResult& result);
  Status Backfill(const Claimed& claimed, Progress& progress, PollResult& result);
  Status HandOver(const Claimed& claimed, Origin origin, ReadPage page, Progress& progress, PollResult& result);

  SourceStore& store_;
  ChannelReader& reader_;
  ActivitySink& sink_;
  const Clock& clock_;
  const PollOptions options_;
  const std::function<bool(const std::string&)> second_way_;
  const std::function<double()> uniform_;
  std::atomic<bool> stopping_{false};
};

}  // namespace parvis::ingestion
