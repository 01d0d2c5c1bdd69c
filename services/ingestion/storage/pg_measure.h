// What is measured, in PostgreSQL, by the stream role. Leases and times are measured with the database's clock. Whoever
// changes a channel's posts holds its row, so that its due_time is never later than the first of them.
#pragma once

#include "ingestion/domain/measure.h"
#include "platform/db/pool.h"

namespace parvis::ingestion {

class PgMeasureStore : public MeasureStore {
 public:
  explicit PgMeasureStore(db::Pool& stream) : stream_(stream) {}
  Status Follow(const StreamPositions& positions, const std::vector<PostChange>& changes) override;
  Status AddChannels(const std::vector<std::string>& networks, absl::Duration spread) override;
  Status Forget(absl::Time published_before) override;
  StatusOr<std::vector<MeasureJob>> Claim(int limit, int batch, absl::Duration early, absl::Duration lease,
                                          const std::vector<std::string>& paused_hosts) override;
  Status Release(const MeasureJob& job, const MeasureEnd& end) override;
  StatusOr<MeasureDue> Due() override;

 private:
  db::Pool& stream_;
};

}  // namespace parvis::ingestion
