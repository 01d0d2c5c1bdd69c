#include "ingestion/domain/sources.h"

namespace parvis::ingestion {

StatusOr<Source> Sources::GetSource(const Call& call, const std::string& channel_id) {
  return store_.GetSource(call, channel_id);
}

StatusOr<std::vector<Source>> Sources::ListSources(const Call& call, const std::string& after, int limit) {
  return store_.ListSources(call, after, limit);
}

StatusOr<Source> Sources::Backfill(const Call& call, const std::string& channel_id, absl::Time from) {
  const absl::Time now = clock_.WallNow();
  if (from >= now || from < now - absl::Hours(24 * 366)) {
    return InvalidField("from_time", "TIME_RANGE", "must lie in the past, at most 366 days ago");
  }
  PARVIS_ASSIGN_OR_RETURN(Source source, store_.GetSource(call, channel_id));
  if (!source.pollable) {
    return MakeError(Code::kFailedPrecondition, "NOT_POLLABLE", "this network cannot be read back");
  }
  if (source.state == SourceState::kBroken) {
    return MakeError(Code::kFailedPrecondition, "SOURCE_BROKEN",
                     "the network refuses the channel's credentials; give it new ones first");
  }
  if (source.state == SourceState::kDetached) {
    return MakeError(Code::kFailedPrecondition, "SOURCE_DETACHED", "the channel is disconnected");
  }
  return store_.StartBackfill(call, channel_id, from);
}

std::optional<absl::Duration> GapOf(const Source& source, absl::Time now) {
  if (!source.pollable || source.state == SourceState::kDetached) return std::nullopt;
  const absl::Duration gap = now - source.verified_complete.value_or(source.complete_from);
  if (gap <= 3 * source.interval) return std::nullopt;
  return gap;
}

}  // namespace parvis::ingestion
