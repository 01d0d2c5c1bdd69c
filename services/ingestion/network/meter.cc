#include "ingestion/network/meter.h"

#include "platform/obs/log.h"

namespace parvis::ingestion {

using networks::Feature;

bool ConnectorMeter::CountsPosts(const std::string& network) const {
  auto it = connectors_.find(network);
  return it != connectors_.end() && it->second->capabilities().Can(Feature::kPostCounts);
}

MeasureRunner::Networks ConnectorMeter::Networks() const {
  MeasureRunner::Networks networks;
  for (const auto& [network, connector] : connectors_) {
    if (connector->capabilities().Can(Feature::kChannelCounts)) networks.channels.push_back(network);
  }
  networks.shares_budget = [this](const std::string& network) {
    auto it = connectors_.find(network);
    return it != connectors_.end() && it->second->capabilities().reads_share_budget;
  };
  return networks;
}

StatusOr<ChannelMeter::Reading> ConnectorMeter::Measure(const Call& call, const MeasureJob& job,
                                                        const std::vector<std::string>& post_remote_ids) {
  auto it = connectors_.find(job.network);
  if (it == connectors_.end()) {
    return MakeError(Code::kFailedPrecondition, "NETWORK_UNKNOWN", "this build does not have the network");
  }
  PARVIS_ASSIGN_OR_RETURN(OpenedChannel opened, desk_.Open(call, job.binding));
  const networks::Account account{.channel_id = job.binding.channel_id,
                                  .remote_id = opened.remote_id,
                                  .base_url = opened.base_url,
                                  .credentials = networks::Credentials{std::move(opened.credentials)}};
  PARVIS_ASSIGN_OR_RETURN(networks::Measurement measured, it->second->Measure(call, account, post_remote_ids));
  Reading read{{}, {measured.rate.remaining, measured.rate.reset_in, measured.rate.retry_after}};
  read.counted.reserve(measured.counts.size());
  for (networks::Counts& one : measured.counts) read.counted.push_back({std::move(one.remote_id), std::move(one.values)});
  return read;
}

void ConnectorMeter::ReportBroken(const Call& call, const MeasureJob& job, const Status& why) {
  const Error error = ToError(why);
  Status reported = desk_.ReportBroken(call, job.binding, job.credentials_version, error.reason, error.message);
  if (!reported.ok())
    obs::Log(obs::Level::kWarning, call, "could not tell accounts of refused credentials", {{"error", reported}});
}

MeasureMetrics::MeasureMetrics(const Connectors& connectors, obs::Metrics& metrics)
    : store_failures_(metrics.counter("parvis_ingestion_measure_store_failures_total",
                                      "Rounds in which what is to be measured could not be read from the database.")),
      due_(metrics.gauge("parvis_ingestion_measures_due", "Channels, of all replicas, with counters due to be read.")),
      late_(metrics.gauge("parvis_ingestion_measure_late_seconds", "How late the most overdue of them is.")) {
  for (const auto& [network, connector] : connectors) {
    const networks::Capabilities& can = connector->capabilities();
    if (!can.Can(Feature::kPostCounts) && !can.Can(Feature::kChannelCounts)) continue;
    auto measures = [&](const char* outcome) {
      return &metrics.counter("parvis_ingestion_measures_total", "Channels measured, by how it ended.",
                              {{"network", network}, {"outcome", outcome}});
    };
    series_[network] = {
        measures("ok"),
        measures("failed"),
        measures("limited"),
        measures("refused"),
        measures("fenced"),
        &metrics.counter("parvis_ingestion_samples_total", "Samples of counters that were read and are safe.",
                         {{"network", network}}),
        &metrics.counter("parvis_ingestion_measures_missing_total",
                         "Posts that the network did not know when they were to be measured.", {{"network", network}})};
  }
}

void MeasureMetrics::Measured(const MeasureJob& job, const StatusOr<MeasureResult>& result) {
  auto it = series_.find(job.network);
  if (it == series_.end()) return;
  const Series& series = it->second;
  if (result.ok()) {
    series.ok->Add();
    series.samples->Add(result->samples);
    series.missing->Add(result->missing);
    return;
  }
  const Status& why = result.status();
  const bool refused = why.code() == Code::kUnauthenticated || why.code() == Code::kPermissionDenied;
  obs::Counter* outcome = ReasonOf(why) == "RATE_LIMITED" ? series.limited
                          : ReasonOf(why) == "FENCED"     ? series.fenced
                          : refused                       ? series.refused
                                                          : series.failed;
  outcome->Add();
  obs::Log(
      obs::Level::kWarning, BackgroundCall("ingestion", job.binding.workspace_id), "a channel was not measured",
      {{"network", job.network}, {"channel", job.binding.channel_id}, {"failures", job.failures + 1}, {"error", why}});
}

MeasureRunner::Watchers MeasureMetrics::Watchers() {
  return {[this](const MeasureJob& job, const StatusOr<MeasureResult>& result) { Measured(job, result); },
          [this](const Status& status) {
            store_failures_.Add();
            obs::Warn("what is to be measured could not be read", {{"error", status}});
          },
          [this](const MeasureDue& due) {
            due_.Set(static_cast<double>(due.channels));
            late_.Set(absl::ToDoubleSeconds(due.most_overdue));
          }};
}

}  // namespace parvis::ingestion
