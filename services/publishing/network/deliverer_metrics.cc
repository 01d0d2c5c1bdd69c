#include "publishing/network/deliverer_metrics.h"

#include <algorithm>

#include "platform/obs/degraded.h"
#include "platform/obs/log.h"

namespace parvis::publishing {

DelivererObserver MakeDelivererObserver(obs::Metrics& metrics) {
  DelivererObserver observer;
  metrics.degraded().Declare(obs::Mode::kRateBudgetUsedUp);
  metrics.degraded().Declare(obs::Mode::kNeedsHuman);
  observer.settled = [&metrics](const Delivery& after) {
    metrics
        .counter("parvis_publishing_deliveries_total", "Deliveries that ended, or whose outcome is unknown, by state.",
                 {{"network", after.network}, {"kind", KindName(after.kind)}, {"state", StateName(after.state)}})
        .Add();
    if (after.needs_human) {
      metrics
          .counter("parvis_publishing_needs_human_total", "Unknown deliveries that only a person can settle.",
                   {{"network", after.network}})
          .Add();
      metrics.degraded().Note(obs::Mode::kNeedsHuman, "on " + after.network, absl::Minutes(10));
    }
    if (after.state != DeliveryState::kDelivered) {
      Call call = BackgroundCall("publishing", after.workspace_id);
      call.workspace_id = after.workspace_id;
      obs::Log(obs::Level::kWarning, call, "delivery not delivered",
               {{"delivery", after.id}, {"state", StateName(after.state)}, {"reason", after.error_reason}});
    }
  };
  observer.lateness = [&metrics](const std::string& network, absl::Duration late) {
    metrics
        .histogram("parvis_publishing_lateness_seconds", "First call's start after the time that was asked for.",
                   {{"network", network}})
        .Observe(absl::ToDoubleSeconds(late));
  };
  observer.ledger_failed = [&metrics](const Status& status) {
    metrics
        .counter("parvis_publishing_ledger_errors_total", "Ledger operations that failed and are tried again.",
                 {{"reason", ReasonOf(status)}})
        .Add();
  };
  observer.budget_used_up = [&metrics](const std::string& network, absl::Duration wait) {
    metrics.degraded().Note(obs::Mode::kRateBudgetUsedUp, network, std::max(wait, obs::Degraded::kHold));
  };
  return observer;
}

}  // namespace parvis::publishing
