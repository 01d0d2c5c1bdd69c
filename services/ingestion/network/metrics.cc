#include "ingestion/network/metrics.h"

#include "platform/obs/log.h"

namespace parvis::ingestion {

PollMetrics::PollMetrics(const Connectors& connectors, obs::Metrics& metrics, absl::Duration late_max)
    : sync_failures_(metrics.counter("parvis_ingestion_sync_failures_total",
                                     "Rounds in which accounts or the database could not be reached by the pollers.")),
      due_(metrics.gauge("parvis_ingestion_polls_due", "Channels, of all replicas, whose poll is due and not begun.")),
      paused_(metrics.gauge("parvis_ingestion_polls_paused",
                            "Channels that are due at a host whose shared budget is used up, as this replica knows.")),
      running_(metrics.gauge("parvis_ingestion_polls_running", "Polls under way in this replica.")),
      late_(metrics.gauge("parvis_ingestion_poll_late_seconds",
                          "How late the most overdue channel is; those of paused hosts do not count.")),
      degraded_(metrics.degraded()),
      late_max_(late_max) {
  degraded_.Declare(obs::Mode::kPollsLate);
  for (const auto& [network, connector] : connectors) {
    auto polls = [&](const char* outcome) {
      return &metrics.counter("parvis_ingestion_polls_total", "Polls by how they ended.",
                              {{"network", network}, {"outcome", outcome}});
    };
    series_[network] = {
        polls("ok"),
        polls("failed"),
        polls("limited"),
        polls("refused"),
        polls("fenced"),
        &metrics.counter("parvis_ingestion_polled_activities_total",
                         "Activities that polls have brought, repetitions included.", {{"network", network}})};
  }
}

obs::Counter* PollMetrics::Series::*PollMetrics::OutcomeOf(const Status& status) {
  if (RefusedForRate(status)) return &Series::limited;
  if (ReasonOf(status) == "FENCED") return &Series::fenced;
  const bool refused = status.code() == Code::kUnauthenticated || status.code() == Code::kPermissionDenied;
  return refused ? &Series::refused : &Series::failed;
}

void PollMetrics::Listed(const DueList& due, int running) {
  due_.Set(static_cast<double>(due.due));
  paused_.Set(static_cast<double>(due.paused));
  running_.Set(running);
  late_.Set(absl::ToDoubleSeconds(due.most_overdue));
  Status in_time;
  if (due.most_overdue > late_max_) {
    in_time = MakeError(Code::kUnavailable, "POLLS_LATE",
                        std::to_string(due.due) + " channels are due, the most overdue since " +
                            absl::FormatDuration(absl::Trunc(due.most_overdue, absl::Seconds(1))));
  }
  degraded_.Set(obs::Mode::kPollsLate, "polls", in_time);
}

void PollMetrics::Polled(const Source& source, const StatusOr<PollResult>& result) {
  auto it = series_.find(source.network);
  if (it == series_.end()) return;
  if (result.ok()) {
    it->second.ok->Add();
    it->second.activities->Add(result->activities);
    return;
  }
  (it->second.*OutcomeOf(result.status()))->Add();
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
          failure("the channels could not be brought up to date"), failure("due sources could not be claimed"),
          [this](const DueList& due, int running) { Listed(due, running); }};
}

}  // namespace parvis::ingestion
