// Rows of `sources` as the domain has them; for the stores that read them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ingestion/domain/sources.h"
#include "platform/db/pool.h"

namespace parvis::ingestion {

// Of `sources s`, in the order of ToSource; the last tell of its stream, its own or the shared one, and its hub. A literal,
// because statements are prepared by their text.
#define PARVIS_STREAM_OF_SOURCE                                                 \
  "FROM streams f LEFT JOIN shared_streams g ON g.network = s.network "          \
  "WHERE f.workspace_id = s.workspace_id AND f.channel_id = s.channel_id)"
#define PARVIS_HUB_OF_SOURCE \
  "FROM hub_subscriptions h WHERE h.workspace_id = s.workspace_id AND h.channel_id = s.channel_id)"
#define PARVIS_SOURCE_COLUMNS                                                                                \
  "s.workspace_id, s.channel_id, s.network, s.remote_id, s.credentials_version, s.state, s.state_reason, "   \
  "s.state_message, s.pollable, s.cursor, s.complete_from, s.verified_complete, s.interval_ms, s.failures, " \
  "s.last_event, s.last_webhook, s.last_poll, s.next_poll, s.backfill, s.backfill_from, s.backfill_cursor, " \
  "coalesce(nullif(s.host, ''), s.network), "                                                                \
  "(SELECT CASE WHEN f.lease_until >= now() THEN 1 + (f.connected_since IS NOT NULL)::int "                  \
  "WHEN f.heard_since IS NOT NULL AND g.lease_until >= now() THEN 1 + (g.connected_since IS NOT NULL)::int " \
  "WHEN f.failures > 0 OR (f.heard_since IS NOT NULL AND g.failures > 0) THEN 1 "                            \
  "ELSE 0 END " PARVIS_STREAM_OF_SOURCE                                                                      \
  ", (SELECT CASE WHEN f.lease_until >= now() THEN f.connected_since "                                       \
  "ELSE greatest(f.heard_since, g.connected_since) END " PARVIS_STREAM_OF_SOURCE                             \
  ", (SELECT f.last_gap " PARVIS_STREAM_OF_SOURCE                                                            \
  ", (SELECT h.hub " PARVIS_HUB_OF_SOURCE ", (SELECT h.reason " PARVIS_HUB_OF_SOURCE                         \
  ", (SELECT CASE WHEN h.lease_end > now() THEN h.lease_end END " PARVIS_HUB_OF_SOURCE                       \
  ", coalesce((SELECT h.asked = 'subscribe' AND h.answer_until >= now() " PARVIS_HUB_OF_SOURCE               \
  ", false), coalesce((SELECT h.tells_all " PARVIS_HUB_OF_SOURCE ", false)"
inline constexpr int kSourceColumns = 30;

Source ToSource(const db::Rows& rows, int row);

// SourceStore::PollNow, in the transaction of what makes it due.
Status PollNowIn(db::Tx& tx, const std::vector<Binding>& bindings);

}  // namespace parvis::ingestion
