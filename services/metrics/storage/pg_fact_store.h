// Facts and the sums that follow from them in PostgreSQL, by the stream role.
//
// What a batch adds is summed up first, so that a fold changes one row per sum: of each channel by the minute, the hour
// and the day (channel_rollups), of each post by the hour (post_rollups). Sums of posts by the minute would be nearly
// as many as the facts; a campaign by the minute is counted from the facts instead (pg_query_store.h).
#pragma once

#include "metrics/domain/facts.h"
#include "platform/db/pool.h"

namespace parvis::metrics {

// Thread-safe.
class PgFactStore : public FactStore {
 public:
  explicit PgFactStore(db::Pool& stream) : stream_(stream) {}
  Status FoldActivities(const StreamPositions& positions, const std::vector<ActivityFact>& facts) override;
  Status FoldDeliveries(const StreamPositions& positions, const std::vector<DeliveryFact>& facts) override;
  Status FoldConversations(const StreamPositions& positions, const std::vector<ConversationFact>& facts) override;
  Status FoldSamples(const StreamPositions& positions, const std::vector<SampleFact>& samples) override;

 private:
  db::Pool& stream_;
};

// Held shared by every fold and exclusively by a recount, so that a recount sees either all or nothing of a fold.
inline constexpr char kShareRollups[] =
    "SELECT pg_advisory_xact_lock_shared(hashtextextended('parvis_metrics_rollups', 0))";
inline constexpr char kOwnRollups[] = "SELECT pg_advisory_xact_lock(hashtextextended('parvis_metrics_rollups', 0))";

}  // namespace parvis::metrics
