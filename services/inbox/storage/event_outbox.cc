#include "inbox/storage/event_outbox.h"

#include <algorithm>

namespace parvis::inbox::storage {
namespace {

using db::Array;
using db::Rows;
using db::Tx;

constexpr char kTryLock[] = "SELECT " PARVIS_TRY_OUTBOX_LOCK ", EXISTS (SELECT 1 FROM outbox)";
// A workspace's ranges have ids in the order of their numbers: both are taken under the row lock of `feeds`.
constexpr char kRanges[] =
    "SELECT id, workspace_id, first_sequence, last_sequence FROM feed_outbox ORDER BY id LIMIT $1";
constexpr char kEvents[] =
    "SELECT k.n, e.sequence, e.conversation_id, e.create_time, e.payload "
    "FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) WITH ORDINALITY k(w, f, l, n) "
    "CROSS JOIN LATERAL (SELECT * FROM feed_events WHERE workspace_id = k.w AND sequence BETWEEN k.f AND k.l "
    "ORDER BY sequence) e";
constexpr char kTold[] = "DELETE FROM feed_outbox WHERE id = ANY($1::bigint[])";
constexpr char kToldInPart[] = "UPDATE feed_outbox SET first_sequence = $2 WHERE id = $1";
constexpr char kOldest[] =
    "SELECT extract(epoch FROM clock_timestamp() - least((SELECT create_time FROM outbox ORDER BY id LIMIT 1), "
    "(SELECT create_time FROM feed_outbox ORDER BY id LIMIT 1)))";

// Whole ranges, and of the last perhaps a part: `limit` events at most.
struct Ranges {
  std::vector<std::string> workspaces;
  std::vector<int64_t> first, last, told;  // `told`: ids of those that are taken whole
  int64_t cut_id = 0, cut_from = 0;        // 0: none
};

Ranges Take(const Rows& rows, int64_t limit) {
  Ranges out;
  for (int i = 0; i < rows.size() && limit > 0; ++i) {
    const int64_t first = rows.Int(i, 2), last = std::min(rows.Int(i, 3), first + limit - 1);
    limit -= last - first + 1;
    out.workspaces.push_back(rows.Text(i, 1));
    out.first.push_back(first);
    out.last.push_back(last);
    if (last == rows.Int(i, 3)) {
      out.told.push_back(rows.Int(i, 0));
    } else {
      out.cut_id = rows.Int(i, 0);
      out.cut_from = last + 1;
    }
  }
  return out;
}

}  // namespace

StatusOr<int> PgEventOutbox::DrainFeed(int limit, bool after_records, const Publish& publish, bool& records) {
  int drained = 0;
  PARVIS_RETURN_IF_ERROR(stream_.Run(BackgroundCall("outbox"), [&](Tx& tx) -> Status {
    drained = 0;
    PARVIS_ASSIGN_OR_RETURN(const Rows lock, tx.Query(kTryLock));
    records = lock.Bool(0, 0) && lock.Bool(0, 1);
    if (!lock.Bool(0, 0) || (records && !after_records)) return absl::OkStatus();
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kRanges, {limit}));
    if (rows.empty()) return absl::OkStatus();
    const Ranges ranges = Take(rows, limit);
    PARVIS_ASSIGN_OR_RETURN(const Rows found,
                            tx.Query(kEvents, {Array(ranges.workspaces), Array(ranges.first), Array(ranges.last)}));
    std::vector<std::pair<std::pair<int64_t, int64_t>, int>> order;  // range, number → row
    for (int i = 0; i < found.size(); ++i) order.push_back({{found.Int(i, 0), found.Int(i, 1)}, i});
    std::sort(order.begin(), order.end());
    std::vector<OutboxRow> batch;
    batch.reserve(order.size());
    for (const auto& [place, row] : order) {
      Event event;
      event.sequence = place.second;
      event.time = found.Time(row, 3);
      event.conversation.workspace_id = ranges.workspaces[place.first - 1];
      event.conversation.id = found.Text(row, 2);
      event.id = EventId(event.conversation.workspace_id, event.sequence);
      batch.push_back({.id = event.sequence, .record = record_(event, found.Bytes(row, 4))});
    }
    PARVIS_RETURN_IF_ERROR(publish(batch));
    PARVIS_RETURN_IF_ERROR(tx.Query(kTold, {Array(ranges.told)}).status());
    if (ranges.cut_id) PARVIS_RETURN_IF_ERROR(tx.Query(kToldInPart, {ranges.cut_id, ranges.cut_from}).status());
    drained = static_cast<int>(batch.size());
    return absl::OkStatus();
  }));
  return drained;
}

StatusOr<int> PgEventOutbox::Drain(int limit, const Publish& publish) {
  bool records = false;
  PARVIS_ASSIGN_OR_RETURN(const int events, DrainFeed(limit, /*after_records=*/false, publish, records));
  if (!records) return events;
  PARVIS_ASSIGN_OR_RETURN(const int drained, outbox_.Drain(limit, publish));
  if (drained == limit) return drained;
  PARVIS_ASSIGN_OR_RETURN(const int more, DrainFeed(limit - drained, /*after_records=*/true, publish, records));
  return drained + more;
}

StatusOr<absl::Duration> PgEventOutbox::OldestAge() {
  absl::Duration age;
  PARVIS_RETURN_IF_ERROR(stream_.Run(BackgroundCall("outbox"), [&](Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kOldest));
    age = rows.IsNull(0, 0) ? absl::ZeroDuration() : absl::Seconds(std::max(0.0, rows.Double(0, 0)));
    return absl::OkStatus();
  }));
  return age;
}

}  // namespace parvis::inbox::storage
