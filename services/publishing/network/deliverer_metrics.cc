#include "publishing/network/deliverer_metrics.h"

#include "platform/obs/log.h"

namespace parvis::publishing {

DelivererObserver MakeDelivererObserver(obs::Metrics& metrics) {
  DelivererObserver observer;
  observer.settled = [&metrics](const Delivery& after) {
    metrics
        .counter("parvis_publishing_deliveries_total", "Deliveries that ended, or whose outcome is unknown, by state.",
                 {{"network", after.network}, {"kind", KindName(after.kind)}, {"state", StateName(after.state)}})
        .Add();
    if (after.needs_human) {
      metrics.counter("parvis_publishing_needs_human_total", "Unknown deliveries that only a person can settle.",
                      {{"network", after.network}})
          .Add();
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
    metrics.counter("parvis_publishing_ledger_errors_total", "Ledger operations that failed and are tried again.",
                    {{"reason", ReasonOf(status)}})
        .Add();
  };
  return observer;
}

}  // namespace parvis::publishing
