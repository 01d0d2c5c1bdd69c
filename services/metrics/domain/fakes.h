// In-memory stores for tests: the same promises as the real ones, written independently of them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "metrics/domain/counters.h"
#include "metrics/domain/facts.h"
#include "metrics/domain/recount.h"
#include "metrics/domain/timeseries.h"

namespace parvis::metrics {

// Keeps all facts and counts when asked. Not thread-safe.
class FakeStore : public FactStore, public RollupStore, public CounterStore {
 public:
  Status FoldActivities(const StreamPositions& positions, const std::vector<ActivityFact>& facts) override;
  Status FoldDeliveries(const StreamPositions& positions, const std::vector<DeliveryFact>& facts) override;
  Status FoldConversations(const StreamPositions& positions, const std::vector<ConversationFact>& facts) override;
  Status FoldSamples(const StreamPositions& positions, const std::vector<SampleFact>& samples) override;
  StatusOr<std::vector<CounterSeries>> Counters(const Call& call, const CounterQuery& query) override;
  StatusOr<std::vector<Point>> Sum(const Call& call, const TimeseriesQuery& query) override;

 private:
  struct Count {
    std::string metric, channel_id, campaign_id, post_remote_id;
    absl::Time time;
  };
  Status Advance(const StreamPositions& positions);
  bool Matches(const Call& call, const CounterQuery& query, const SampleFact& sample) const;
  std::vector<Count> Counts(const std::string& workspace_id) const;
  std::map<std::pair<std::string, std::string>, ActivityFact> activities_;
  std::map<std::tuple<std::string, std::string, int64_t>, DeliveryFact> deliveries_;
  std::map<std::pair<std::string, std::string>, ConversationFact> conversations_;
  // By workspace, channel, post and time: all that ever came.
  std::map<std::tuple<std::string, std::string, std::string, absl::Time>, SampleFact> samples_;
  std::map<std::tuple<std::string, std::string, int32_t>, int64_t> next_;
};

}  // namespace parvis::metrics
