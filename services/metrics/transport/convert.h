// Between messages and domain values.
#pragma once

#include "metrics/domain/campaign_report.h"
#include "metrics/domain/counters.h"
#include "metrics/domain/timeseries.h"
#include "parvis/metrics/v1/metrics_service.pb.h"

namespace parvis::metrics {

// INVALID_ARGUMENT with every field that is wrong (INVALID_NAME of another workspace's channel is refused by rpc).
StatusOr<TimeseriesQuery> FromProto(const v1::QueryTimeseriesRequest& request);
StatusOr<CounterQuery> FromProto(const v1::QueryCountersRequest& request);
void ToProto(const CounterSeries& series, v1::CounterSeries& out);
void ToProto(const Point& point, v1::TimeseriesPoint& out);
void ToProto(const std::string& name, const CampaignReport& report, v1::CampaignReport& out);

}  // namespace parvis::metrics
