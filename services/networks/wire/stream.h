// What the connectors with streams share.
#pragma once

#include "networks/connector.h"

namespace parvis::networks {

// How much longer than its call a Next may take to ask for what belongs to something that came (the root of a thread, an
// author's name): what came must not be lost because little time was left.
inline constexpr absl::Duration kStreamLookupMax = absl::Seconds(10);
inline Call LookupCall(const Call& call, const Clock& clock, absl::Duration max = kStreamLookupMax) {
  Call out = call;
  out.deadline = std::max(call.deadline, clock.Now() + max);
  return out;
}
inline bool HasNews(const StreamBatch& batch) {
  return batch.gap || !batch.happenings.empty() || !batch.unparsed.empty();
}
inline bool HasNews(const SharedBatch& batch) {
  return batch.gap || !batch.happenings.empty() || !batch.unparsed.empty() || !batch.lost.empty();
}

}  // namespace parvis::networks
