// A pause within a call, for networks that say when to ask again (an upload that is being processed).
#pragma once

#include "networks/connector.h"

namespace parvis::networks {

// Blocks for `pause`. False, at once, when the call's deadline lies before its end: then nothing should follow it.
bool Pause(const Call& call, const Clock& clock, absl::Duration pause);

}  // namespace parvis::networks
