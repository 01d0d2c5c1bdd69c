// Sums, reports and recounts from PostgreSQL, by the api role.
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
