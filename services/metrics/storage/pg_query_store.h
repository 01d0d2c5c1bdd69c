// Sums, reports and recounts from PostgreSQL, by the api role.
//
// What answers a time series:
//   no campaign                           channel_rollups of just that step
//   campaign, deliveries                  the delivery facts that carry its id
//   campaign, other metrics, hour or day  post_rollups of its delivered posts
//   campaign, other metrics, minute       the facts of those minutes below its delivered posts, by index
#pragma once

#include "metrics/domain/campaign_report.h"
#include "metrics/domain/recount.h"
#include "metrics/domain/timeseries.h"
#include "platform/db/pool.h"

namespace parvis::metrics {

// Thread-safe.
class PgQueryStore : public RollupStore, public ReportStore, public RecountStore {
 public:
  explicit PgQueryStore(db::Pool& api) : api_(api) {}
  StatusOr<std::vector<Point>> Sum(const Call& call, const TimeseriesQuery& query) override;
  StatusOr<Figures> CampaignFigures(const Call& call, const std::string& campaign_id) override;
  StatusOr<Recount> RecountRollups(const Call& call) override;

 private:
  db::Pool& api_;
};

}  // namespace parvis::metrics
