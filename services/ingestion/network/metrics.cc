#include "ingestion/network/metrics.h"

#include "platform/obs/log.h"

namespace parvis::ingestion {

PollMetrics::PollMetrics(const Connectors& connectors, obs::Metrics& metrics)
    : sync_failures_(metrics.counter("parvis_ingestion_sync_failures_total",
                                     "Rounds in which accounts or the database could not be reached by the pollers.")) {
  for (const auto& [network, connector] : connectors) {
    auto polls = [&](const char* outcome) {
      return &metrics.counter("parvis_ingestion_polls_total", "Polls by how they ended.",
                              {{"network", network}, {"outcome", outcome}});
    };
    series_[network] = {
        polls("ok"), polls("failed"), polls("refused"), polls("fenced"),
        &metrics.counter("parvis_ingestion_polled_activities_total",
                         "Activities that polls have brought, repetitions included.", {{"network", network}})};
  }
}

void PollMetrics::Polled(const Source& source, const StatusOr<PollResult>& result) {
  auto it = series_.find(source.network);
  if (it == series_.end()) return;
  if (result.ok()) {
    it->second.ok->Add();
    it->second.activities->Add(result->activities);
    return;
  }
  const Code code = result.status().code();
  const bool refused = code == Code::kUnauthenticated || code == Code::kPermissionDenied;
  const bool fenced = ReasonOf(result.status()) == "FENCED";
  (refused ? it->second.refused : fenced ? it->second.fenced : it->second.failed)->Add();
  obs::Log(obs::Level::kWarning, BackgroundCall("ingestion", source.binding.workspace_id), "a poll failed",
           {{"network", source.network},
            {"channel", source.binding.channel_id},
            {"failures", source.failures + 1},
            {"error", result.status()}});
}

Runner::Watchers PollMetrics::Watchers() {
  auto failure = [this](const char* what) {
    return [this, what](const Status& status) {
      if (status.ok()) return;
      sync_failures_.Add();
      obs::Warn(what, {{"error", status}});
    };
  };
  return {[this](const Source& source, const StatusOr<PollResult>& result) { Polled(source, result); },
          failure("the channels could not be brought up to date"), failure("due sources could not be claimed")};
}

}  // namespace parvis::ingestion
