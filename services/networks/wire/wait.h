// Waiting for a network that works on something (a video is converted) before it can be used.
#pragma once

#include <absl/time/time.h>

#include "platform/base/call.h"

namespace parvis::networks {

// Blocks for `pause` on the real clock. False, at once and without waiting, when the call's deadline would come within
// `pause` and `reserve` (what is still to be done after it); false, too, as soon as the call is cancelled.
bool WaitWithin(const Call& call, const Clock& clock, absl::Duration pause, absl::Duration reserve);

}  // namespace parvis::networks
