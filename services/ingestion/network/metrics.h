// Counters and log lines of polling.
#pragma once

#include "ingestion/domain/runner.h"
#include "ingestion/network/adapters.h"
#include "platform/obs/metrics.h"

namespace parvis::ingestion {

class PollMetrics {
 public:
  PollMetrics(const Connectors& connectors, obs::Metrics& metrics);
  // For the runner; valid as long as this lives.
  Runner::Watchers Watchers();

 private:
  struct Series {
    obs::Counter *ok, *failed, *refused, *fenced, *activities;
  };
  void Polled(const Source& source, const StatusOr<PollResult>& result);
  std::map<std::string, Series> series_;
  obs::Counter& sync_failures_;
};

}  // namespace parvis::ingestion
