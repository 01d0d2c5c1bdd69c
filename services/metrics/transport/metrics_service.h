// parvis.metrics.v1.MetricsService: converts and calls the use cases.
#pragma once

#include <memory>

#include "metrics/domain/campaign_report.h"
#include "metrics/domain/counters.h"
#include "metrics/domain/recount.h"
#include "metrics/domain/timeseries.h"
#include "platform/base/clock.h"
#include "platform/rpc/server.h"

namespace grpc {
class Service;
}

namespace parvis::metrics {

struct UseCases {
  RollupStore& rollups;
  ReportStore& reports;
  RecountStore& recounts;
  CounterStore& counters;
  const Clock& clock;
  int64_t steps_max = 10'000;
};
// Everything given outlives the service.
std::unique_ptr<grpc::Service> MakeMetricsService(rpc::Runtime& runtime, const UseCases& use_cases);

}  // namespace parvis::metrics
