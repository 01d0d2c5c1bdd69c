// Port: where streams stand, and which replica reads which.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ingestion/domain/sources.h"

namespace parvis::ingestion {

// A stream that this process may read until the lease ends.
struct ClaimedStream {
  Source source;
  int64_t token = 0;  // fencing: whoever claims it later has a higher one, and our writes then change nothing
  std::string cursor;
  int failures = 0;  // in a row
};

// What a stream has brought since it was last saved. Written with the claim's token, after everything was acknowledged.
struct StreamProgress {
  std::string cursor;
  std::optional<absl::Time> last_event;  // only ever moves forward
  int failures = 0;
  bool gap = false;       // something was missed: remembered with the store's time
  bool poll_now = false;  // the channel is due for a poll at once: SourceStore::PollNow
};

// How a stream ended, for the next try.
struct StreamEnd {
  absl::Duration next_in;
  int failures = 0;
  bool poll_now = false;
  bool broken = false;          // the credentials are refused: breaks the source, unless it has new ones meanwhile
  std::string reason, message;  // why
};

// Who reads the streams of some networks.
struct StreamPlan {
  int keepers = 0;     // replicas at present
  int64_t places = 0;  // that they have together
  int64_t wanted = 0;  // channels that could be heard by stream
  int64_t read = 0;    // of those, how many have a reader
};

// What has become of claims that were to be renewed: of what is in neither, the claim was lost, or released meanwhile.
struct RenewedStreams {
  std::set<std::string> kept;     // by channel
  std::set<std::string> changed;  // ours, but the channel has other credentials now, or is broken or disconnected
};

// Thread-safe; blocks. Leases and times are measured with the store's clock: replicas' clocks differ. A stream belongs
// to a source and is there as soon as a keeper attends to its network.
class StreamStore {
 public:
  virtual ~StreamStore() = default;
  // `keeper` has `places` for streams of `networks`, and will be there for `lease`.
  virtual StatusOr<StreamPlan> Attend(const std::string& keeper, int places, const std::vector<std::string>& networks,
                                      absl::Duration lease) = 0;
  virtual Status Leave(const std::string& keeper) = 0;
  // At most `limit` streams of active sources that nobody reads and whose time has come (at once, if the source has new
  // credentials). Those of workspaces that have the fewest readers first.
  virtual StatusOr<std::vector<ClaimedStream>> Claim(const std::vector<std::string>& networks, int limit,
                                                     absl::Duration lease) = 0;
  // A claim whose reader has released it is not brought back: nobody would read it until the lease is over.
  virtual StatusOr<RenewedStreams> Renew(const std::vector<ClaimedStream>& claimed, absl::Duration lease) = 0;
  // Writes progress; the stream counts as connected from the first time on. ABORTED FENCED when the claim was lost.
  virtual Status Save(const ClaimedStream& claimed, const StreamProgress& progress) = 0;
  // Writes progress and ends the claim. ABORTED FENCED when it was lost.
  virtual Status Release(const ClaimedStream& claimed, const StreamProgress& progress, const StreamEnd& end) = 0;
};

}  // namespace parvis::ingestion
