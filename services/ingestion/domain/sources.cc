#include "ingestion/domain/sources.h"

#include <algorithm>

namespace parvis::ingestion {
namespace {

// Scheme, host and path: a name with a password, or a query, may open the hub to whoever sees it.
std::string WithoutSecrets(const std::string& url) {
  const size_t host = url.find("://");
  if (host == std::string::npos) return "";
  const size_t begin = host + 3, path = std::min(url.find_first_of("/?#", begin), url.size());
  const size_t name = url.rfind('@', path);
  const size_t from = name != std::string::npos && name >= begin ? name + 1 : begin;
  return url.substr(0, begin) + url.substr(from, url.find_first_of("?#", from) - from);
}

HubState HubStateOf(const HubRow& row, const std::string& reason) {
  if (row.lease_end) return HubState::kSubscribed;
  if (row.waiting && reason.empty()) return HubState::kAsked;
  if (reason.empty() || reason == "HUB_NONE") return HubState::kNone;
  return reason == "HUB_DENIED" || reason == "HUB_REFUSED" ? HubState::kRefused : HubState::kFailing;
}

}  // namespace

HeardByHub AsHeard(const HubRow& row) {
  HeardByHub heard;
  if (!row.waiting || row.reason != "HUB_SILENT") heard.reason = row.reason;  // silent is who has let its time pass
  heard.state = HubStateOf(row, heard.reason);
  if (heard.state != HubState::kNone) heard.url = WithoutSecrets(row.url);
  heard.lease_end = row.lease_end;
  heard.tells_all = row.lease_end && row.tells_all;
  return heard;
}

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
