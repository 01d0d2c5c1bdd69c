#include "ingestion/storage/source_rows.h"

namespace parvis::ingestion {

Source ToSource(const db::Rows& rows, int row) {
  Source source;
  source.binding = {rows.Text(row, 0), rows.Text(row, 1)};
  source.network = rows.Text(row, 2);
  source.remote_id = rows.Text(row, 3);
  source.credentials_version = rows.Int(row, 4);
  source.state = rows.View(row, 5) == "active"     ? SourceState::kActive
                 : rows.View(row, 5) == "detached" ? SourceState::kDetached
                                                   : SourceState::kBroken;
  source.state_reason = rows.Text(row, 6);
  source.state_message = rows.Text(row, 7);
  source.pollable = rows.Bool(row, 8);
  source.cursor = rows.Text(row, 9);
  source.complete_from = rows.Time(row, 10);
  source.verified_complete = rows.MaybeTime(row, 11);
  source.interval = absl::Milliseconds(rows.Int(row, 12));
  source.failures = static_cast<int>(rows.Int(row, 13));
  source.last_event = rows.MaybeTime(row, 14);
  source.last_webhook = rows.MaybeTime(row, 15);
  source.last_poll = rows.MaybeTime(row, 16);
  source.next_poll = rows.MaybeTime(row, 17);
  source.backfill = rows.View(row, 18) == "running" ? BackfillState::kRunning
                    : rows.View(row, 18) == "done"  ? BackfillState::kDone
                                                    : BackfillState::kNone;
  if (!rows.IsNull(row, 19)) source.backfill_from = rows.Time(row, 19);
  source.backfill_cursor = rows.Text(row, 20);
  source.host = rows.Text(row, 21);
  const int64_t heard = source.state == SourceState::kActive ? rows.Int(row, 22) : 0;
  source.stream.state = heard == 2 ? StreamState::kLive : heard == 1 ? StreamState::kConnecting : StreamState::kNone;
  if (heard == 2) source.stream.connected_since = rows.MaybeTime(row, 23);
  source.stream.last_gap = rows.MaybeTime(row, 24);
  HubRow hub;
  if (!rows.IsNull(row, 25)) hub.url = rows.Text(row, 25), hub.reason = rows.Text(row, 26);
  hub.lease_end = rows.MaybeTime(row, 27);
  hub.waiting = rows.Bool(row, 28);
  hub.tells_all = rows.Bool(row, 29);
  source.hub = AsHeard(hub);
  return source;
}

Status PollNowIn(db::Tx& tx, const std::vector<Binding>& bindings) {
  if (bindings.empty()) return absl::OkStatus();
  std::vector<std::string> workspaces, channels;
  for (const Binding& binding : bindings) {
    workspaces.push_back(binding.workspace_id);
    channels.push_back(binding.channel_id);
  }
  return tx
      .Exec(
          "UPDATE sources s SET poll_asked = coalesce(s.lease_until >= now(), false), "
          "next_poll = CASE WHEN s.failures = 0 THEN least(s.next_poll, now()) ELSE s.next_poll END "
          "FROM unnest($1::uuid[], $2::uuid[]) AS b(workspace_id, channel_id) "
          "WHERE s.workspace_id = b.workspace_id AND s.channel_id = b.channel_id AND s.state = 'active' AND s.pollable",
          {db::Array(workspaces), db::Array(channels)})
      .status();
}

}  // namespace parvis::ingestion
