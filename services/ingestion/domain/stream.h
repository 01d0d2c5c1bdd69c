// Use case: hearing a channel by its network's stream. One life of a stream is: open it from the cursor, take what
// comes, hand it over, save the cursor after the acknowledgement; how it ended says when to try again. What it may have
// missed is read back by a poll.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingestion/domain/activity.h"
#include "ingestion/domain/sink.h"
#include "ingestion/domain/sources.h"
#include "ingestion/domain/stream_store.h"
#include "platform/base/call.h"
#include "platform/base/clock.h"

namespace parvis::ingestion {

// What a stream brought since the last look.
struct StreamPage {
  std::vector<Happening> happenings;
  std::vector<RawPart> unparsed;
  std::string cursor;  // where to go on after a loss; "" = as before, or the network keeps no place
  bool gap = false;    // something was, or may have been, missed
};

// Port: an open stream. One thread at a time; closed by its end of life.
class ChannelStream {
 public:
  virtual ~ChannelStream() = default;
  // Blocks until something came or the call's deadline (then an empty page with the cursor as it is). Errors end the
  // stream.
  virtual StatusOr<StreamPage> Next(const Call& call) = 0;
};

// Port: opens streams. Thread-safe; blocks until the call's deadline at most.
class ChannelStreams {
 public:
  virtual ~ChannelStreams() = default;
  // `cursor` "": from now on. UNAUTHENTICATED: the credentials are refused; PERMISSION_DENIED, FAILED_PRECONDITION:
  // this channel has no stream, though it may be read otherwise; RESOURCE_EXHAUSTED with retry_after: too often; others
  // are transient.
  virtual StatusOr<std::unique_ptr<ChannelStream>> Open(const Call& call, const Source& source,
                                                        const std::string& cursor) = 0;
  // Tells accounts that the credentials are no good. Best effort.
  virtual void ReportBroken(const Call& call, const Source& source, const Status& why) = 0;
};

// Whether a reader may go on: told by the keeper, asked by the reader. Thread-safe.
class StreamLease {
 public:
  explicit StreamLease(Instant until) : until_(until.nanos) {}
  void Renew(Instant until) { until_ = until.nanos; }
  void Lose() { until_ = INT64_MIN; }     // somebody else may have the stream
  void AskBack() { asked_back_ = true; }  // end soon, in good order
  bool AskedBack() const { return asked_back_; }
  // A lease that could not be renewed is lost when its time is over, whoever is or is not told of it.
  bool Lost(Instant now) const { return now.nanos >= until_; }

 private:
  std::atomic<int64_t> until_;
  std::atomic<bool> asked_back_{false};
};

struct StreamOptions {
  absl::Duration open_max = absl::Seconds(10);
  absl::Duration look_every = absl::Seconds(1);  // longest wait for the next thing, between looks at the lease
  absl::Duration save_every = absl::Seconds(5);  // the cursor, while something comes
  absl::Duration steady = absl::Minutes(1);      // one that has lived for so long has not failed in a row
  absl::Duration failure_first = absl::Seconds(1);
  absl::Duration failure_max = absl::Minutes(5);  // longest wait after failures
  absl::Duration refused_wait = absl::Hours(1);   // where there is no stream for this channel, or not for us
  absl::Duration wait_max = absl::Hours(24);      // longest wait that a network may ask for
};

enum class StreamEnding { kGivenBack, kFenced, kLost, kNotOpened, kRefused, kLimited, kBusAway };
inline constexpr StreamEnding kStreamEndings[] = {
    StreamEnding::kGivenBack, StreamEnding::kFenced,  StreamEnding::kLost,   StreamEnding::kNotOpened,
    StreamEnding::kRefused,   StreamEnding::kLimited, StreamEnding::kBusAway};
const char* StreamEndingName(StreamEnding ending);  // "given_back"

// ABORTED FENCED: what a reader ends with whose claim is lost, or over.
Status StreamFenced();
bool IsStreamFenced(const Status& status);
// What the end of a life counts as. Pure.
StreamEnding EndingOf(const Status& why, bool opened, bool bus_away);

// How one life of a stream ended, for logs and counters.
struct StreamLife {
  StreamEnding ending = StreamEnding::kGivenBack;
  Status why;  // OK when it was given back
  bool opened = false;
  absl::Duration lived;
  StreamEnd end;
};

// When to try again. Pure but for `uniform`, a random number in [0, 1).
// The wait doubles with every failure in a row and is scattered between its half and all of it, for when a network goes
// down all its streams are lost at once; it is never shorter than what the error's retry_after asks (within wait_max).
// Refused credentials: broken, as polling does it; a refusal of the stream alone waits for refused_wait. The first
// failures to open it make the channel due for a poll, which is the only way again until the stream is back.
StreamEnd AfterStream(const ClaimedStream& claimed, const Status& why, bool opened, absl::Duration lived,
                      const StreamOptions& options, double uniform);

struct StreamWatchers {  // may be empty; for logs and counters; called from the readers' threads
  std::function<void(const Source&)> opened;
  std::function<void(const Source&, int activities, bool gap)> brought;
  std::function<void(const Source&, const StreamLife&)> ended;  // once a life
  std::function<void(const Status&)> store_failed;
  std::function<void(const StreamPlan&, int held)> planned;
};

class StreamReader {
 public:
  StreamReader(StreamStore& store, ChannelStreams& streams, ActivitySink& sink, const Clock& clock,
               const StreamOptions& options, std::function<double()> uniform, const StreamWatchers& watchers)
      : store_(store),
        streams_(streams),
        sink_(sink),
        clock_(clock),
        options_(options),
        uniform_(std::move(uniform)),
        watchers_(watchers) {}

  // Reads until the stream ends, the lease is lost or asked back, and releases the claim. Blocks. Thread-safe: any
  // number of streams at once.
  StreamLife Read(const ClaimedStream& claimed, const StreamLease& lease);

 private:
  struct Reading;
  Status Follow(Reading& reading);
  Status HandOver(Reading& reading, StreamPage page);
  Status Save(Reading& reading);
  void Finish(const Reading& reading, StreamLife& life);

  StreamStore& store_;
  ChannelStreams& streams_;
  ActivitySink& sink_;
  const Clock& clock_;
  const StreamOptions options_;
  const std::function<double()> uniform_;
  const StreamWatchers& watchers_;
};

}  // namespace parvis::ingestion
