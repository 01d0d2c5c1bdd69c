// Polling with the connectors, put together.
#pragma once

#include <functional>
#include <string>

#include "ingestion/domain/runner.h"
#include "ingestion/network/adapters.h"
#include "ingestion/network/metrics.h"

namespace parvis::ingestion {

// All that main.cc needs of polling.
class PollListener {
 public:
  // `by_webhook`: whether webhooks of a network are taken, so that polling it is only the second way where they bring
  // comments. All but the options outlive it.
  PollListener(const Connectors& connectors, ChannelDesk& desk, SourceStore& store, ActivitySink& sink,
               HeardBook& heard, std::function<bool(const std::string& network)> by_webhook, const Clock& clock,
               const PollOptions& one, const Runner::Options& options, absl::Duration late_max, obs::Metrics& metrics,
               std::function<double()> uniform)
      : reader_(connectors, desk),
        poller_(store, reader_, sink, clock, one,
                [this, by_webhook = std::move(by_webhook)](const std::string& network) {
                  return by_webhook(network) && reader_.HearsByWebhook(network);
                },
                std::move(uniform)),
        metrics_(connectors, metrics, late_max),
        runner_(store, desk, poller_, heard, clock, options,
                {[this](const std::string& network) { return reader_.CanRead(network); },
                 [this](const std::string& network) { return reader_.SharesBudget(network); }},
                metrics_.Watchers()) {}
  Status Start() { return runner_.Start(); }
  void Stop() { runner_.Stop(); }

 private:
  ConnectorReader reader_;
  Poller poller_;
  PollMetrics metrics_;
  Runner runner_;
};

}  // namespace parvis::ingestion
