#include "ingestion/storage/pg_sources.h"

#include "ingestion/storage/source_rows.h"

namespace parvis::ingestion {
namespace {

constexpr const char* kNil = "00000000-0000-0000-0000-000000000000";
constexpr const char* kLast = "ffffffff-ffff-ffff-ffff-ffffffffffff";

// $1: kPlannedMax in milliseconds.
#define IS_DUE                                                                                          \
  "state = 'active' AND pollable AND (next_poll <= now() OR next_poll > now() + $1 * interval '1 ms') " \
  "AND (lease_until IS NULL OR lease_until < now())"
#define HOST "coalesce(nullif(host, ''), network)"
#define LATE_MS "greatest(0, extract(epoch FROM now() - next_poll) * 1000)::bigint"

const char* StateName(SourceState state) {
  switch (state) {
    case SourceState::kActive:
      return "active";
    case SourceState::kBroken:
      return "broken";
    case SourceState::kDetached:
      return "detached";
  }
  return "broken";
}

const char* BackfillName(BackfillState state) {
  switch (state) {
    case BackfillState::kNone:
      return "none";
    case BackfillState::kRunning:
      return "running";
    case BackfillState::kDone:
      return "done";
  }
  return "none";
}

Status Missing(const Call& call, const std::string& channel_id) {
  return NotFound("workspaces/" + call.workspace_id + "/sources/" + channel_id);
}

Status Fenced() {
  return MakeError(Code::kAborted, "FENCED", "the lease ran out and somebody else has the source, or it has gone");
}

int64_t PlannedMaxMs() { return absl::ToInt64Milliseconds(kPlannedMax); }

Call Background() { return BackgroundCall("ingestion"); }

}  // namespace

StatusOr<Source> PgSourceStore::GetSource(const Call& call, const std::string& channel_id) {
  Source found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query("SELECT " PARVIS_SOURCE_COLUMNS
                                                    " FROM sources s WHERE s.workspace_id = $1 AND s.channel_id = $2",
                                                    {call.workspace_id, channel_id}));
    if (rows.empty()) return Missing(call, channel_id);
    found = ToSource(rows, 0);
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<std::vector<Source>> PgSourceStore::ListSources(const Call& call, const std::string& after, int limit) {
  std::vector<Source> found;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows,
                            tx.Query("SELECT " PARVIS_SOURCE_COLUMNS " FROM sources s WHERE s.workspace_id = $1 "
                                     "AND s.channel_id > $2 ORDER BY s.channel_id LIMIT $3",
                                     {call.workspace_id, after.empty() ? kNil : after, limit}));
    found.clear();
    for (int i = 0; i < rows.size(); ++i) found.push_back(ToSource(rows, i));
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<Source> PgSourceStore::StartBackfill(const Call& call, const std::string& channel_id, absl::Time from) {
  Source after;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    // The lease is taken away too: a poll under way would write its older view of the backfill.
    PARVIS_RETURN_IF_ERROR(tx.Exec("UPDATE sources SET backfill = 'running', backfill_from = $3, backfill_cursor = '', "
                                   "next_poll = now(), lease_until = NULL, lease_token = lease_token + 1 "
                                   "WHERE workspace_id = $1 AND channel_id = $2 "
                                   "AND NOT (backfill = 'running' AND backfill_from <= $3)",
                                   {call.workspace_id, channel_id, from})
                               .status());
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query("SELECT " PARVIS_SOURCE_COLUMNS
                                                    " FROM sources s WHERE s.workspace_id = $1 AND s.channel_id = $2",
                                                    {call.workspace_id, channel_id}));
    if (rows.empty()) return Missing(call, channel_id);
    after = ToSource(rows, 0);
    return absl::OkStatus();
  }));
  return after;
}

Status PgSourceStore::Sync(const std::vector<KnownChannel>& channels, absl::Time from) {
  if (channels.empty()) return absl::OkStatus();
  std::vector<std::string> workspaces, ids, networks, remote_ids;
  std::vector<int64_t> versions, intervals;
  std::vector<bool> pollable;
  for (const KnownChannel& channel : channels) {
    workspaces.push_back(channel.binding.workspace_id);
    ids.push_back(channel.binding.channel_id);
    networks.push_back(channel.network);
    remote_ids.push_back(channel.remote_id);
    versions.push_back(channel.credentials_version);
    intervals.push_back(absl::ToInt64Milliseconds(channel.first_interval));
    pollable.push_back(channel.pollable);
  }
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    return tx
        .Exec(
            "INSERT INTO sources AS s (workspace_id, channel_id, network, remote_id, credentials_version, interval_ms, "
            "pollable, complete_from, next_poll) "
            "SELECT c.*, $8::timestamptz, CASE WHEN c.pollable THEN now() END "
            "FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[]) "
            "AS c(workspace_id, channel_id, network, remote_id, credentials_version, interval_ms, pollable) "
            "ON CONFLICT (workspace_id, channel_id) DO UPDATE SET credentials_version = excluded.credentials_version, "
            "pollable = excluded.pollable, state = 'active', state_reason = '', state_message = '', failures = 0, "
            "next_poll = excluded.next_poll "
            "WHERE s.credentials_version < excluded.credentials_version OR s.state = 'detached' "
            "OR s.pollable <> excluded.pollable",
            {db::Array(workspaces), db::Array(ids), db::Array(networks), db::Array(remote_ids), db::Array(versions),
             db::Array(intervals), db::Array(pollable), from})
        .status();
  });
}

Status PgSourceStore::Detach(const std::string& after, const std::string& last,
                             const std::vector<std::string>& channel_ids) {
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    return tx
        .Exec(
            "UPDATE sources SET state = 'detached', state_reason = '', state_message = '', next_poll = NULL "
            "WHERE channel_id > $1 AND channel_id <= $2 AND channel_id <> ALL($3::uuid[]) AND state <> 'detached'",
            {after.empty() ? kNil : after, last.empty() ? kLast : last, db::Array(channel_ids)})
        .status();
  });
}

StatusOr<DueList> PgSourceStore::ListDue(int limit, const std::vector<std::string>& paused_hosts) {
  DueList due;
  PARVIS_RETURN_IF_ERROR(stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    due = {};
    PARVIS_ASSIGN_OR_RETURN(db::Rows counts,
                            tx.Query("SELECT count(*) FILTER (WHERE NOT paused), count(*) FILTER (WHERE paused), "
                                     "coalesce(max(late_ms) FILTER (WHERE NOT paused), 0) "
                                     "FROM (SELECT " HOST " = ANY($2) AS paused, " LATE_MS
                                     " AS late_ms FROM sources WHERE " IS_DUE ") AS due",
                                     {PlannedMaxMs(), db::Array(paused_hosts)}));
    due.due = counts.Int(0, 0);
    due.paused = counts.Int(0, 1);
    due.most_overdue = absl::Milliseconds(counts.Int(0, 2));
    if (due.due == 0) return absl::OkStatus();
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows, tx.Query("SELECT workspace_id, channel_id, host FROM (SELECT *, row_number() OVER "
                                "(PARTITION BY workspace_id ORDER BY block, next_poll) AS place FROM ("
                                "SELECT workspace_id, channel_id, " HOST " AS host, next_poll, (row_number() OVER "
                                "(PARTITION BY workspace_id, " HOST " ORDER BY next_poll) - 1) / $4 AS block "
                                "FROM sources WHERE " IS_DUE " AND NOT " HOST " = ANY($2)) AS by_host) AS by_workspace "
                                "ORDER BY place, next_poll LIMIT $3",
                                {PlannedMaxMs(), db::Array(paused_hosts), limit, kHostBlock}));
    due.sources.reserve(static_cast<size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) {
      due.sources.push_back({{rows.Text(i, 0), rows.Text(i, 1)}, rows.Text(i, 2)});
    }
    due.cut = due.due > rows.size();
    return absl::OkStatus();
  }));
  return due;
}

StatusOr<std::vector<Claimed>> PgSourceStore::Claim(const std::vector<Binding>& wanted, absl::Duration lease) {
  std::vector<std::string> workspaces, channels;
  for (const Binding& binding : wanted) {
    workspaces.push_back(binding.workspace_id);
    channels.push_back(binding.channel_id);
  }
  std::vector<Claimed> claimed;
  PARVIS_RETURN_IF_ERROR(stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    claimed.clear();
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("UPDATE sources s SET lease_until = now() + $2 * interval '1 ms', lease_token = s.lease_token + 1, "
                 "poll_asked = false FROM (SELECT workspace_id, channel_id, " LATE_MS
                 " AS late_ms FROM sources WHERE " IS_DUE
                 " AND (workspace_id, channel_id) IN (SELECT * FROM unnest($3::uuid[], $4::uuid[])) "
                 "FOR UPDATE SKIP LOCKED) AS due "
                 "WHERE s.workspace_id = due.workspace_id AND s.channel_id = due.channel_id "
                 "RETURNING " PARVIS_SOURCE_COLUMNS ", s.lease_token, due.late_ms",
                 {PlannedMaxMs(), absl::ToInt64Milliseconds(lease), db::Array(workspaces), db::Array(channels)}));
    for (int i = 0; i < rows.size(); ++i) {
      claimed.push_back(
          {ToSource(rows, i), rows.Int(i, kSourceColumns), absl::Milliseconds(rows.Int(i, kSourceColumns + 1))});
    }
    return absl::OkStatus();
  }));
  return claimed;
}

Status PgSourceStore::Save(const Claimed& claimed, const Progress& progress, absl::Duration lease) {
  const Binding& binding = claimed.source.binding;
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        int64_t changed,
        tx.Exec("UPDATE sources SET cursor = $4, last_event = greatest(last_event, $5), "
                "verified_complete = coalesce($6, verified_complete), complete_from = least(complete_from, $7), "
                "backfill = $8, backfill_cursor = $9, lease_until = now() + $10 * interval '1 ms' "
                "WHERE workspace_id = $1 AND channel_id = $2 AND lease_token = $3",
                {binding.workspace_id, binding.channel_id, claimed.token, progress.cursor, progress.last_event,
                 progress.verified_complete, progress.complete_from, BackfillName(progress.backfill),
                 progress.backfill_cursor, absl::ToInt64Milliseconds(lease)}));
    return changed == 1 ? absl::OkStatus() : Fenced();
  });
}

Status PgSourceStore::Release(const Claimed& claimed, const PollEnd& end) {
  const Binding& binding = claimed.source.binding;
  std::optional<int64_t> next_ms;
  if (end.next_in != absl::InfiniteDuration()) next_ms = absl::ToInt64Milliseconds(end.next_in);
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    // The state is left alone if accounts has brought new credentials, or taken the channel away, meanwhile.
    PARVIS_ASSIGN_OR_RETURN(
        int64_t changed,
        tx.Exec("UPDATE sources SET lease_until = NULL, interval_ms = $4, failures = $5, "
                "host = coalesce(nullif($12, ''), host), "
                "last_poll = CASE WHEN $6 THEN now() ELSE last_poll END, "
                "state = CASE WHEN fresh THEN $7 ELSE state END, "
                "state_reason = CASE WHEN fresh THEN $8 ELSE state_reason END, "
                "state_message = CASE WHEN fresh THEN $9 ELSE state_message END, "
                "next_poll = CASE WHEN NOT fresh THEN next_poll WHEN poll_asked AND $5 = 0 AND $10::bigint IS NOT NULL "
                "THEN now() ELSE now() + $10 * interval '1 ms' END "
                "FROM (SELECT s.workspace_id AS w, s.channel_id AS c, "
                "s.credentials_version = $11 AND s.state = 'active' AS fresh FROM sources s "
                "WHERE s.workspace_id = $1 AND s.channel_id = $2) AS was "
                "WHERE workspace_id = was.w AND channel_id = was.c AND lease_token = $3",
                {binding.workspace_id, binding.channel_id, claimed.token, absl::ToInt64Milliseconds(end.interval),
                 end.failures, end.polled, StateName(end.state), end.state_reason, end.state_message, next_ms,
                 claimed.source.credentials_version, end.host}));
    return changed == 1 ? absl::OkStatus() : Fenced();
  });
}

Status PgSourceStore::NoteHeard(const std::vector<Heard>& heard) {
  if (heard.empty()) return absl::OkStatus();
  std::vector<std::string> workspaces, channels;
  std::vector<absl::Time> webhooks, events;
  for (const Heard& one : heard) {
    workspaces.push_back(one.binding.workspace_id);
    channels.push_back(one.binding.channel_id);
    webhooks.push_back(one.last_webhook);
    events.push_back(one.last_event);
  }
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    return tx
        .Exec(
            "UPDATE sources s SET last_webhook = greatest(s.last_webhook, h.webhook), "
            "last_event = greatest(s.last_event, h.event) "
            "FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[]) "
            "AS h(workspace_id, channel_id, webhook, event) "
            "WHERE s.workspace_id = h.workspace_id AND s.channel_id = h.channel_id",
            {db::Array(workspaces), db::Array(channels), db::Array(webhooks), db::Array(events)})
        .status();
  });
}

Status PgSourceStore::PollNow(const std::vector<Binding>& bindings) {
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status { return PollNowIn(tx, bindings); });
}

}  // namespace parvis::ingestion
