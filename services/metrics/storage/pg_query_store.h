// Sums, reports and recounts from PostgreSQL, by the api role.
//
// What answers a time series:
//   no campaign                           channel_rollups of just that step
//   campaign, deliveries                  the delivery facts that carry its id
//   campaign, other metrics, hour or day  post_rollups of its delivered posts
//   campaign, other metrics, minute       the facts of those minutes below its delivered posts, by index
// What networks count (pg_counters.cc): the latest values from counters; over time, counter_steps of just that step.
#pragma once

#include "metrics/domain/campaign_report.h"
#include "metrics/domain/counters.h"
#include "metrics/domain/recount.h"
#include "metrics/domain/timeseries.h"
#include "platform/db/pool.h"

namespace parvis::metrics {

// Thread-safe.
class PgQueryStore : public RollupStore, public ReportStore, public RecountStore, public CounterStore {
 public:
  explicit PgQueryStore(db::Pool& api) : api_(api) {}
  StatusOr<std::vector<Point>> Sum(const Call& call, const TimeseriesQuery& query) override;
  StatusOr<Figures> CampaignFigures(const Call& call, const std::string& campaign_id) override;
  StatusOr<Recount> RecountRollups(const Call& call) override;
  StatusOr<std::vector<CounterSeries>> Counters(const Call& call, const CounterQuery& query) override;

 private:
  db::Pool& api_;
};

}  // namespace parvis::metrics
