// Fakes of the ports of streams, for tests.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ingestion/domain/fakes.h"
#include "ingestion/domain/stream.h"

namespace parvis::ingestion {

// Keeps the same promises as PgStreamStore (stream_contract.h proves it), beside the sources of `sources`.
class FakeStreamStore : public StreamStore {
 public:
  FakeStreamStore(FakeSourceStore& sources, const Clock& clock);
  StatusOr<StreamPlan> Attend(const std::string& keeper, int places, const std::vector<std::string>& networks,
                              absl::Duration lease) override;
  Status Leave(const std::string& keeper) override;
  StatusOr<std::vector<ClaimedStream>> Claim(const std::vector<std::string>& networks, int limit,
                                             absl::Duration lease) override;
  StatusOr<RenewedStreams> Renew(const std::vector<ClaimedStream>& claimed, absl::Duration lease) override;
  Status Save(const ClaimedStream& claimed, const StreamProgress& progress) override;
  Status Release(const ClaimedStream& claimed, const StreamProgress& progress, const StreamEnd& end) override;

  void Fail(Status status);  // everything ends so from now on; OK ends that
  std::string CursorOf(const std::string& channel_id) const;

 private:
  struct Row {
    std::string workspace_id, cursor;
    std::optional<absl::Time> lease_until, connected_since, last_gap;
    absl::Time next_try = absl::InfinitePast();
    int64_t token = 0, credentials_version = 0;
    int failures = 0;
  };
  struct Keeper {
    int places = 0;
    absl::Time until;
  };
  bool Read(const Row& row) const { return row.lease_until && *row.lease_until >= clock_.WallNow(); }
  Row* Owned(const ClaimedStream& claimed);
  void Write(Row& row, const ClaimedStream& claimed, const StreamProgress& progress);
  HeardByStream Heard(const std::string& channel_id) const;

  FakeSourceStore& sources_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  Status failure_;
  std::map<std::string, Row> rows_;  // by channel
  std::map<std::string, Keeper> keepers_;
};

// A network that streams: what is published goes to everyone who listens, and is replayed to who comes with a cursor
// ("3": after the third), as far back as it is kept.
class FakeStreams : public ChannelStreams {
 public:
  StatusOr<std::unique_ptr<ChannelStream>> Open(const Call& call, const Source& source,
                                                const std::string& cursor) override;
  void ReportBroken(const Call& call, const Source& source, const Status& why) override;

  void Publish(const std::string& channel_id, int count = 1);  // remote ids "1", "2", ...
  void PublishJunk(const std::string& channel_id);             // cannot be parsed
  void KeepLast(int events);                                   // older ones are not replayed: a gap
  void KeepNoPlace();                                          // no cursors at all
  void RefuseToOpen(Status why);                               // OK ends that
  void Break(Status why);                                      // every open stream ends so

  int opened() const;                         // so far
  int open() const;                           // now
  int met() const;                            // how often a channel was opened that somebody listened to already
  std::vector<std::string> cursors() const;   // opened from
  std::vector<std::string> reported() const;  // reasons

 private:
  class Listener;
  struct Channel {
    std::vector<bool> events;  // true: can be parsed
    int listeners = 0;
  };
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Channel> channels_;
  std::vector<std::string> cursors_, reported_;
  Status refusal_, broken_;
  int64_t breaks_ = 0;
  size_t keep_ = SIZE_MAX;
  bool places_ = true;
  int open_ = 0, met_ = 0;
};

}  // namespace parvis::ingestion
