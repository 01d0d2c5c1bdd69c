// Counters and log lines of polling.
#pragma once

#include "ingestion/domain/runner.h"
#include "ingestion/network/adapters.h"
#include "platform/obs/degraded.h"
#include "platform/obs/metrics.h"

namespace parvis::ingestion {

class PollMetrics {
 public:
  // Beyond `late_max` the degraded mode polls_late is on.
  PollMetrics(const Connectors& connectors, obs::Metrics& metrics, absl::Duration late_max);
  // For the runner; valid as long as this lives.
  Runner::Watchers Watchers();

 private:
  struct Series {
    obs::Counter *ok, *failed, *limited, *refused, *fenced, *activities;
  };
  void Polled(const Source& source, const StatusOr<PollResult>& result);
  void Listed(const DueList& due, int running);
  static obs::Counter* Series::*OutcomeOf(const Status& status);
  std::map<std::string, Series> series_;
  obs::Counter& sync_failures_;
  obs::Gauge &due_, &paused_, &running_, &late_;
  obs::Degraded& degraded_;
  const absl::Duration late_max_;
};

}  // namespace parvis::ingestion
