// Fakes of the ports of shared streams, for tests.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ingestion/domain/fakes.h"
#include "ingestion/domain/shared_stream.h"

namespace parvis::ingestion {

// Keeps the same promises as PgSharedStreamStore (shared_stream_contract.h proves it), beside the sources of `sources`.
class FakeSharedStreamStore : public SharedStreamStore {
 public:
  FakeSharedStreamStore(FakeSourceStore& sources, const Clock& clock);
  StatusOr<std::vector<ClaimedShared>> Claim(const std::vector<std::string>& networks, absl::Duration lease) override;
  StatusOr<std::set<std::string>> Renew(const std::vector<ClaimedShared>& claimed, absl::Duration lease) override;
  StatusOr<SharedTurnout> Turnout(const ClaimedShared& claimed, int room) override;
  Status Save(const ClaimedShared& claimed, const SharedProgress& progress) override;
  Status Release(const ClaimedShared& claimed, const SharedProgress& progress, const StreamEnd& end) override;

  void Fail(Status status);  // everything ends so from now on; OK ends that
  std::string CursorOf(const std::string& network) const;
  std::set<std::string> Heard() const;                      // channels
  int64_t VersionOf(const std::string& channel_id) const;  // of the credentials that it joined or left with

 private:
  struct Stream {
    std::string cursor;
    std::optional<absl::Time> lease_until, connected_since;
    absl::Time next_try = absl::InfinitePast();
    int64_t token = 0;
    int failures = 0;
  };
  struct Channel {
    std::optional<absl::Time> heard_since, last_gap;
    absl::Time next_try = absl::InfinitePast();
    int64_t credentials_version = 0;
    int failures = 0;
  };
  bool Read(const Stream& stream) const { return stream.lease_until && *stream.lease_until >= clock_.WallNow(); }
  bool MayJoin(const Source& source);
  Stream* Owned(const ClaimedShared& claimed);
  void Write(Stream& stream, const ClaimedShared& claimed, const SharedProgress& progress, bool poll_all);
  SharedMember MemberOf(const Source& source);
  HeardByStream Shown(const std::string& channel_id) const;

  FakeSourceStore& sources_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  Status failure_;
  std::map<std::string, Stream> streams_;    // by network
  std::map<std::string, Channel> channels_;  // by id
};

// A network that has one connection for all: what is published for a channel goes to whoever hears it, and is replayed to who
// comes with a cursor ("3": after the third thing that happened at all), as far back as it is kept.
class FakeNetworkStreams : public NetworkStreams {
 public:
  int ChannelsMax(const std::string& network) const override;
  StatusOr<NetworkOpening> Open(const Call& call, const std::string& network, const std::vector<SharedMember>& members,
                                const std::string& cursor) override;
  void ReportBroken(const Call& call, const std::string& network, const SharedMember& member, const Status& why) override;

  void Publish(const std::string& channel_id, int count = 1);  // remote ids "1", "2", ... of all that happened
  void PublishJunk();                                          // cannot be parsed
  void KeepLast(int events);                                   // older ones are not replayed: a gap
  void RefuseToOpen(Status why);                               // OK ends that
  void RefuseToAdd(Status why);                                // everybody; OK ends that
  void Refuse(const std::string& channel_id, Status why);      // of openings, of additions, and of what comes; OK ends that
  void Break(Status why);                                      // the open stream ends so
  void AllowChannels(int max);

  int opened() const;                         // so far
  int open() const;                           // now
  int met() const;                            // how often it was opened while it was open
  std::vector<std::string> cursors() const;   // opened from
  std::set<std::string> heard() const;        // channels, by the last that was opened
  std::vector<std::string> reported() const;  // "channel reason"

 private:
  class Listener;
  struct Event {
    std::string channel;  // "": cannot be parsed
  };
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> events_;
  std::vector<std::string> cursors_, reported_;
  std::set<std::string> heard_;
  std::map<std::string, Status> refused_;
  Status refusal_, no_more_, broken_;
  int64_t breaks_ = 0;
  size_t keep_ = SIZE_MAX;
  int open_ = 0, met_ = 0, channels_max_ = 1000;
};

}  // namespace parvis::ingestion
