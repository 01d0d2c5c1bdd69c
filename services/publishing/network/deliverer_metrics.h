// What the deliverer does, as metrics and log lines.
#pragma once

#include <string>

#include "platform/obs/metrics.h"
#include "publishing/domain/deliverer.h"

namespace parvis::publishing {

// `metrics` outlives the observer.
DelivererObserver MakeDelivererObserver(obs::Metrics& metrics);

}  // namespace parvis::publishing
