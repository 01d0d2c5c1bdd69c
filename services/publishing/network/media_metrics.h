// What happens to media, as metrics.
#pragma once

#include "platform/obs/metrics.h"
#include "publishing/domain/media.h"

namespace parvis::publishing {

// `metrics` outlives the observer.
MediaObserver MakeMediaObserver(obs::Metrics& metrics);

}  // namespace parvis::publishing
