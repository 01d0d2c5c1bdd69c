// Fakes of the ports of ingestion, for tests.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ingestion/domain/binding_cache.h"
#include "ingestion/domain/channel_desk.h"
#include "ingestion/domain/poll.h"
#include "ingestion/domain/receive.h"
#include "ingestion/domain/sink.h"
#include "ingestion/domain/sources.h"
#include "ingestion/domain/stream_store.h"

namespace parvis::ingestion {

// Keeps what it was given; answers at once, or when told to.
class FakeSink : public ActivitySink {
 public:
  void Send(const Trace& trace, std::vector<Activity> activities, std::vector<RawPart> parts, const std::string& source,
            Done done) override;
  std::vector<Activity> activities() const;
  std::vector<RawPart> parts() const;
  void Fail(Status status);  // every Send ends so from now on, keeping nothing; OK ends that
  void Hold();               // answers wait for Release
  void Release();
  int waiting() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Activity> activities_;
  std::vector<RawPart> parts_;
  Status failure_;
  bool holding_ = false;
  std::vector<Done> held_;
};

class FakeFinder : public ChannelFinder {
 public:
  StatusOr<std::multimap<std::string, Binding>> FindChannels(const std::string& network,
                                                             const std::vector<std::string>& accounts) override;
  void Bind(const std::string& network, const std::string& account, const Binding& binding);
  void Fail(Status status);
  void Block();  // questions wait for Unblock
  void Unblock();
  int asked() const;  // accounts asked for so far

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::pair<std::string, std::string>, Binding> bound_;
  Status failure_;
  bool blocked_ = false;
  int asked_ = 0;
};

// Keeps the same promises as PgSourceStore (source_contract.h proves it), with the given clock.
class FakeSourceStore : public SourceStore {
 public:
  explicit FakeSourceStore(const Clock& clock) : clock_(clock) {}
  StatusOr<Source> GetSource(const Call& call, const std::string& channel_id) override;
  StatusOr<std::vector<Source>> ListSources(const Call& call, const std::string& after, int limit) override;
  StatusOr<Source> StartBackfill(const Call& call, const std::string& channel_id, absl::Time from) override;
  Status Sync(const std::vector<KnownChannel>& channels, absl::Time from) override;
  Status Detach(const std::string& after, const std::string& last,
                const std::vector<std::string>& channel_ids) override;
  StatusOr<DueList> ListDue(int limit, const std::vector<std::string>& paused_hosts) override;
  StatusOr<std::vector<Claimed>> Claim(const std::vector<Binding>& wanted, absl::Duration lease) override;
  Status Save(const Claimed& claimed, const Progress& progress, absl::Duration lease) override;
  Status Release(const Claimed& claimed, const PollEnd& end) override;
  Status NoteHeard(const std::vector<Heard>& heard) override;
  Status PollNow(const std::vector<Binding>& bindings) override;

  // For FakeStreamStore, as one database has both.
  std::vector<Source> All();
  void Break(const ClaimedStream& claimed, const StreamEnd& why);
  void NoteEvent(const Binding& binding, absl::Time at);
  std::function<HeardByStream(const std::string& channel_id)> stream_of;  // set before use; called without the lock
  std::function<HeardByHub(const std::string& channel_id)> hub_of;        // likewise, for FakeHubStore

 private:
  struct Row {
    Source source;
    int64_t token = 0;
    std::optional<absl::Time> lease_until;
    bool poll_asked = false;  // while it was being polled
  };
  Source Shown(Source source) const;   // with its stream; not under the lock
  Row* Owned(const Claimed& claimed);  // null when the claim was lost
  // By how much it is late; nullopt when it is not due or not free.
  static std::optional<absl::Duration> LateBy(const Row& row, absl::Time now);
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Row> rows_;  // by channel
};

// Gives pages from a script, by cursor.
class FakeReader : public ChannelReader {
 public:
  StatusOr<ReadPage> Read(const Call& call, const Source& source, const std::string& cursor, absl::Time since,
                          int limit) override;
  void ReportBroken(const Call& call, const Source& source, const Status& why) override;

  std::map<std::string, StatusOr<ReadPage>> pages;  // a cursor without page: an empty last page, same cursor
  std::vector<std::string> read;                    // cursors asked for
  std::vector<std::string> reported;                // reasons
  std::function<void(const std::string& cursor)> on_read;
};

class FakeDesk : public ChannelDesk {
 public:
  StatusOr<OpenedChannel> Open(const Call& call, const Binding& binding) override;
  Status ReportBroken(const Call& call, const Binding& binding, int64_t credentials_version, const std::string& reason,
                      const std::string& message) override;
  StatusOr<std::vector<BoundChannel>> List(const Call& call, std::string& page_token) override;

  std::vector<BoundChannel> channels;  // ordered by channel id
  int page_size = 2;
  Status failure;
};

}  // namespace parvis::ingestion
