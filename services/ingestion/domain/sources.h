// Sources: one per channel, how well we hear it. Use cases for people, and the port that keeps them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "ingestion/domain/activity.h"
#include "platform/base/call.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"

namespace parvis::ingestion {

enum class SourceState { kActive, kBroken, kDetached };
enum class BackfillState { kNone, kRunning, kDone };
enum class StreamState { kNone, kConnecting, kLive };
enum class HubState { kNone, kAsked, kSubscribed, kRefused, kFailing };

// How a channel is heard by its stream, at the moment it was asked for.
struct HeardByStream {
  StreamState state = StreamState::kNone;
  std::optional<absl::Time> connected_since;  // while it is live
  std::optional<absl::Time> last_gap;         // when something was, or may have been, missed last
};

// How a channel is told of by a WebSub hub, at the moment it was asked for.
struct HeardByHub {
  HubState state = HubState::kNone;
  std::string url;                      // of the hub, without what may be secret in it; "" = none is known
  std::optional<absl::Time> lease_end;  // while it tells
  std::string reason;                   // why it was not to be had the last time, UPPER_SNAKE; "" = nothing is wrong
  bool tells_all = false;               // it tells, at present, of all that polling would find
};

struct Source {
  Binding binding;
  std::string network, remote_id;
  std::string host;  // where it is read; until a poll has learned that, the network's name
  int64_t credentials_version = 1;
  SourceState state = SourceState::kActive;
  std::string state_reason, state_message;      // why broken, or why the last poll failed
  bool pollable = true;                         // the network can be read back
  std::string cursor;                           // where the next poll goes on
  absl::Time complete_from;                     // nothing before was read
  std::optional<absl::Time> verified_complete;  // all between was read
  absl::Duration interval;                      // between polls, at present
  int failures = 0;                             // polls that failed in a row
  std::optional<absl::Time> last_event, last_webhook, last_poll, next_poll;
  BackfillState backfill = BackfillState::kNone;
  absl::Time backfill_from;
  std::string backfill_cursor;
  HeardByStream stream;
  HeardByHub hub;
};

// A source whose time has come, as a poll is chosen by.
struct DueSource {
  Binding binding;
  std::string host;
};

struct DueList {
  std::vector<DueSource> sources;
  bool cut = false;             // more are due than were asked for
  int64_t due = 0;              // all that are due and free and may be polled now
  int64_t paused = 0;           // due too, at a host that may not be asked
  absl::Duration most_overdue;  // of those that may be polled; zero when none is due
};

// A source that this process may poll until the lease ends.
struct Claimed {
  Source source;
  int64_t token = 0;    // fencing: whoever claims it later has a higher one, and our writes then change nothing
  absl::Duration late;  // after its time
};

// What a poll, or a page of one, has brought. Written with the claim's token, after everything was acknowledged.
struct Progress {
  std::string cursor;
  std::optional<absl::Time> last_event;         // only ever moves forward
  std::optional<absl::Time> verified_complete;  // set when the end was reached
  std::optional<absl::Time> complete_from;      // set when a backfill reached its end
  BackfillState backfill = BackfillState::kNone;
  std::string backfill_cursor;
};

// How a poll ended, for the next one.
struct PollEnd {
  SourceState state = SourceState::kActive;
  std::string state_reason, state_message;
  absl::Duration interval;
  int failures = 0;
  absl::Duration next_in;  // until the next poll; at most kPlannedMax, or infinite: none
  bool polled = false;     // ended well: counts as last_poll
  std::string host;        // where it was read; "" = not learned
};

// No poll is planned further ahead. A time beyond it was written before the store's clock was set back: due at once.
inline constexpr absl::Duration kPlannedMax = absl::Hours(24 * 7);

inline constexpr int kHostBlock = 16;  // see SourceStore::ListDue

// A channel as accounts knows it.
struct KnownChannel {
  Binding binding;
  std::string network, remote_id;
  int64_t credentials_version = 1;
  bool pollable = true;
  absl::Duration first_interval;
};

// What webhooks have brought for one channel since it was last written down.
struct Heard {
  Binding binding;
  absl::Time last_webhook, last_event;
};

// Port. Thread-safe; blocks. Leases and due times are measured with the store's clock: replicas' clocks differ.
class SourceStore {
 public:
  virtual ~SourceStore() = default;
  // For people: in `call.workspace_id`. NOT_FOUND.
  virtual StatusOr<Source> GetSource(const Call& call, const std::string& channel_id) = 0;
  virtual StatusOr<std::vector<Source>> ListSources(const Call& call, const std::string& after, int limit) = 0;
  // Starts a backfill, or lets a running one begin anew if `from` is earlier; due at once. NOT_FOUND.
  virtual StatusOr<Source> StartBackfill(const Call& call, const std::string& channel_id, absl::Time from) = 0;

  // For pollers: all workspaces.
  // Makes sources of new channels (read from `from` on, due at once), revives those whose credentials_version has grown
  // (active, due at once). In one statement, whatever the number.
  virtual Status Sync(const std::vector<KnownChannel>& channels, absl::Time from) = 0;
  // Channels that are sources and not among `channel_ids` (sorted) between `after` and `last` ("" = the end) are
  // detached.
  virtual Status Detach(const std::string& after, const std::string& last,
                        const std::vector<std::string>& channel_ids) = 0;
  // What is due and free, at most `limit`; those at `paused_hosts` are only counted. When there are more, every
  // workspace has an equal part of the list. Within it the most overdue come first, but no more than kHostBlock of one
  // host before all others have had as much: a host that is slow or down does not fill the list.
  virtual StatusOr<DueList> ListDue(int limit, const std::vector<std::string>& paused_hosts) = 0;
  // Those of `wanted` that are still due and free, for `lease`.
  virtual StatusOr<std::vector<Claimed>> Claim(const std::vector<Binding>& wanted, absl::Duration lease) = 0;
  // Writes progress and renews the lease. ABORTED FENCED when the claim was lost.
  virtual Status Save(const Claimed& claimed, const Progress& progress, absl::Duration lease) = 0;
  // Ends the claim. ABORTED FENCED when it was lost.
  virtual Status Release(const Claimed& claimed, const PollEnd& end) = 0;
  // Times only ever move forward. Channels that are no sources yet are skipped.
  virtual Status NoteHeard(const std::vector<Heard>& heard) = 0;
  // Due at once: something was missed, or is there to be read. While one is being polled it is due again after that
  // poll, which may have come too early. One whose last poll failed keeps its time. What is no source is skipped.
  virtual Status PollNow(const std::vector<Binding>& bindings) = 0;
};

class Sources {
 public:
  Sources(SourceStore& store, const Clock& clock) : store_(store), clock_(clock) {}
  StatusOr<Source> GetSource(const Call& call, const std::string& channel_id);
  StatusOr<std::vector<Source>> ListSources(const Call& call, const std::string& after, int limit);
  // `from` in the past, at most 366 days ago. FAILED_PRECONDITION SOURCE_BROKEN, SOURCE_DETACHED, NOT_POLLABLE.
  StatusOr<Source> Backfill(const Call& call, const std::string& channel_id, absl::Time from);

 private:
  SourceStore& store_;
  const Clock& clock_;
};

// A subscription as its row has it, for stores: `lease_end` while that is still to come; `waiting`: the hub was asked to subscribe
// us, and may still ask back.
struct HubRow {
  std::string url, reason;
  std::optional<absl::Time> lease_end;
  bool waiting = false, tells_all = false;
};
HeardByHub AsHeard(const HubRow& row);

// For how long nothing has been verified, if that is longer than three intervals; nullopt otherwise and for sources
// that cannot be polled.
std::optional<absl::Duration> GapOf(const Source& source, absl::Time now);

}  // namespace parvis::ingestion
