#include "ingestion/measuring.h"

#include "ingestion/bus/follow_posts.h"
#include "ingestion/bus/sample_sink.h"
#include "ingestion/network/meter.h"
#include "ingestion/storage/pg_measure.h"
#include "platform/db/stream_tables.h"

namespace parvis::ingestion {

struct Measuring::Parts {
  Parts(const IngestionConfig& config, const Connectors& connectors, ChannelDesk& desk, db::Pool& stream,
        bus::Producer& producer, const Clock& clock, obs::Metrics& obs_metrics, double (*uniform)())
      : store(stream),
        offsets(stream, "ingestion"),
        sink(producer),
        meter(connectors, desk),
        metrics(connectors, obs_metrics),
        measurer(store, meter, sink, clock, config.measure, uniform),
        runner(store, measurer, clock, config.measure_runner, meter.Networks(), metrics.Watchers()),
        follower(config.bus, FollowOptions(), &offsets, producer, clock, obs_metrics,
                 MakeFollowHandler(
                     store, [this](const std::string& network) { return meter.CountsPosts(network); }, config.measure,
                     clock, uniform)) {}
  PgMeasureStore store;
  db::OffsetTable offsets;
  KafkaSampleSink sink;
  ConnectorMeter meter;
  MeasureMetrics metrics;
  Measurer measurer;
  MeasureRunner runner;
  bus::Consumer follower;
};

Measuring::Measuring(const IngestionConfig& config, const Connectors& connectors, ChannelDesk& desk, db::Pool& stream,
                     bus::Producer& producer, const Clock& clock, obs::Metrics& metrics, double (*uniform)())
    : parts_(new Parts(config, connectors, desk, stream, producer, clock, metrics, uniform)) {}

Measuring::~Measuring() = default;

Status Measuring::Ready() { return parts_->follower.Ready(); }

Status Measuring::Start() {
  PARVIS_RETURN_IF_ERROR(parts_->follower.Start());
  parts_->runner.Start();
  return absl::OkStatus();
}

void Measuring::Stop(absl::Duration limit) {
  parts_->runner.Stop();
  parts_->follower.Stop(limit);
}

}  // namespace parvis::ingestion
