// Fakes of the ports of measuring, for tests.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ingestion/domain/measure.h"

namespace parvis::ingestion {

// Keeps the same promises as PgMeasureStore (measure_contract.h proves it), with the given clock. Thread-safe.
class FakeMeasureStore : public MeasureStore {
 public:
  explicit FakeMeasureStore(const Clock& clock) : clock_(clock) {}
  // A channel as the sources have it; again, to change its state.
  void SetSource(const Binding& binding, const std::string& network, bool active = true, const std::string& host = "");

  Status Follow(const StreamPositions& positions, const std::vector<PostChange>& changes) override;
  Status AddChannels(const std::vector<std::string>& networks, absl::Duration spread) override;
  Status Forget(absl::Time published_before) override;
  StatusOr<std::vector<MeasureJob>> Claim(int limit, int batch, absl::Duration early, absl::Duration lease,
                                          const std::vector<std::string>& paused_hosts) override;
  Status Release(const MeasureJob& job, const MeasureEnd& end) override;
  StatusOr<MeasureDue> Due() override;

 private:
  struct Post {
    absl::Time published;
    std::optional<absl::Time> next;
    int misses = 0;
  };
  struct Channel {
    Binding binding;
    std::string network, host;
    bool active = true, known = false;  // known: something of it is measured
    std::optional<absl::Time> own, lease_until;
    absl::Time paused_until = absl::InfinitePast();
    int failures = 0;
    int64_t token = 0;
    std::map<std::string, Post> posts;
    absl::Time DueTime() const;  // InfiniteFuture when nothing is left
    bool IsDue(absl::Time now) const;
  };
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Channel> channels_;  // by id
  std::map<std::tuple<std::string, std::string, int32_t>, int64_t> next_;
};

// Gives counters from a table; a post that is not in it is unknown to the network. Thread-safe.
class FakeMeter : public ChannelMeter {
 public:
  StatusOr<Reading> Measure(const Call& call, const MeasureJob& job,
                            const std::vector<std::string>& post_remote_ids) override;
  void ReportBroken(const Call& call, const MeasureJob& job, const Status& why) override;

  void Set(const std::string& post_remote_id, std::map<std::string, int64_t> counters);  // "": of the channel
  void Fail(Status status);  // every call from now on; OK ends that
  void Tell(const RateLimit& rate);  // with every answer from now on
  std::vector<std::vector<std::string>> asked();
  std::vector<std::string> reported();  // reasons
  bool met();                           // two calls of one channel at once

 private:
  std::mutex mutex_;
  std::map<std::string, std::map<std::string, int64_t>> counters_;
  Status failure_;
  RateLimit rate_;
  std::vector<std::vector<std::string>> asked_;
  std::vector<std::string> reported_;
  std::set<std::string> under_way_;
  bool met_ = false;
};

class FakeSampleSink : public SampleSink {
 public:
  Status Send(const std::vector<Sample>& samples) override;
  void Fail(Status status);
  std::vector<Sample> samples();

 private:
  std::mutex mutex_;
  Status failure_;
  std::vector<Sample> samples_;
};

}  // namespace parvis::ingestion
