// The connectors as measuring sees them, with its counters and log lines.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ingestion/domain/measure_runner.h"
#include "ingestion/network/adapters.h"
#include "platform/obs/metrics.h"

namespace parvis::ingestion {

// Measures with a connector, with credentials from accounts that are opened for the call and forgotten.
class ConnectorMeter : public ChannelMeter {
 public:
  ConnectorMeter(const Connectors& connectors, ChannelDesk& desk) : connectors_(connectors), desk_(desk) {}
  bool CountsPosts(const std::string& network) const;
  // Networks that count channels, and whether all channels of one host draw on one budget.
  MeasureRunner::Networks Networks() const;
  StatusOr<Reading> Measure(const Call& call, const MeasureJob& job,
                            const std::vector<std::string>& post_remote_ids) override;
  void ReportBroken(const Call& call, const MeasureJob& job, const Status& why) override;

 private:
  const Connectors& connectors_;
  ChannelDesk& desk_;
};

class MeasureMetrics {
 public:
  MeasureMetrics(const Connectors& connectors, obs::Metrics& metrics);
  // For the runner; valid as long as this lives.
  MeasureRunner::Watchers Watchers();

 private:
  struct Series {
    obs::Counter *ok, *failed, *limited, *refused, *fenced, *samples, *missing;
  };
  void Measured(const MeasureJob& job, const StatusOr<MeasureResult>& result);
  std::map<std::string, Series> series_;
  obs::Counter& store_failures_;
  obs::Gauge &due_, &late_;
};

}  // namespace parvis::ingestion
