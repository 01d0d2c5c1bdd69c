// Port: where the streams stand by which one reader hears many channels, who reads them, and which channels those are.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ingestion/domain/stream_store.h"

namespace parvis::ingestion {

// A channel of a shared stream.
struct SharedMember {
  Binding binding;
  std::string remote_id;
  int64_t credentials_version = 1;
  int failures = 0;  // to hear it, in a row; one that is heard has not lived them down yet
};

// The stream of a network that this process may read until the lease ends.
struct ClaimedShared {
  std::string network;
  int64_t token = 0;  // fencing, as ClaimedStream::token; it holds for what is written of the channels, too
  std::string cursor;
  int failures = 0;                 // in a row
  std::vector<SharedMember> heard;  // at the cursor: whoever read it last heard these, and they are active still
};

// Who is to be heard by the stream besides, and who is not any more.
struct SharedTurnout {
  std::vector<SharedMember> joining, leaving;
  std::vector<SharedMember> renewed;  // heard, and with other credentials than when they joined
  int64_t wanted = 0;                 // all channels that could be heard by it
};

// Why a channel is not heard any more, or could not be, and when to try again.
struct MemberEnd {
  SharedMember member;
  StreamEnd end;
};

// When something happened last at a channel.
struct MemberNews {
  Binding binding;
  absl::Time last_event;
};

// What a shared stream has brought, and what became of its channels, since it was last saved. Written as one, with the
// claim's token, after everything was acknowledged: so a channel that went missing is known to before the cursor has
// passed what was for it.
struct SharedProgress {
  std::string cursor;
  int failures = 0;
  bool gap = false;       // something was missed by all that are heard: remembered with the store's time
  bool poll_all = false;  // all that are heard are due for a poll at once
  std::map<std::string, MemberNews> news;      // by channel, as the two that follow
  std::map<std::string, SharedMember> joined;  // heard from now on: due for a poll at once, which reads what was before
  std::map<std::string, MemberEnd> left;
};

// Thread-safe; blocks. Leases and times are measured with the store's clock.
class SharedStreamStore {
 public:
  virtual ~SharedStreamStore() = default;
  // Those of `networks` whose stream nobody reads, whose time has come, and that have a channel to hear.
  virtual StatusOr<std::vector<ClaimedShared>> Claim(const std::vector<std::string>& networks,
                                                     absl::Duration lease) = 0;
  // The networks whose claims are ours still: not those that were lost, or released meanwhile.
  virtual StatusOr<std::set<std::string>> Renew(const std::vector<ClaimedShared>& claimed, absl::Duration lease) = 0;
  // Active channels that are not heard and whose time has come (at once, if they have new credentials), at most `room`:
  // those of workspaces with the fewest that are heard first. And channels that count as heard and are not active, or
  // have new credentials: these are to join again, so that what is refused later is refused of the new ones.
  // ABORTED FENCED when the claim was lost, as the two that follow.
  virtual StatusOr<SharedTurnout> Turnout(const ClaimedShared& claimed, int room) = 0;
  // Writes progress; the stream counts as connected from the first time on.
  virtual Status Save(const ClaimedShared& claimed, const SharedProgress& progress) = 0;
  // Writes progress and ends the claim. `end.broken` means nothing here; `end.poll_now` is for all that are heard.
  virtual Status Release(const ClaimedShared& claimed, const SharedProgress& progress, const StreamEnd& end) = 0;
};

}  // namespace parvis::ingestion
