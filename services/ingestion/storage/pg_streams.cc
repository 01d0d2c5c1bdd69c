#include "ingestion/storage/pg_streams.h"

#include "ingestion/storage/source_rows.h"

namespace parvis::ingestion {
namespace {

Status Fenced() {
  return MakeError(Code::kAborted, "FENCED", "the lease ran out and somebody else has the stream, or it has gone");
}

Call Background() { return BackgroundCall("ingestion"); }

int64_t Ms(absl::Duration d) { return absl::ToInt64Milliseconds(d); }

// What progress means for the source.
Status TellSource(db::Tx& tx, const Binding& binding, const std::optional<absl::Time>& last_event, bool poll_now) {
  if (last_event) {
    PARVIS_RETURN_IF_ERROR(tx.Exec("UPDATE sources SET last_event = greatest(last_event, $3) "
                                   "WHERE workspace_id = $1 AND channel_id = $2",
                                   {binding.workspace_id, binding.channel_id, *last_event})
                               .status());
  }
  return poll_now ? PollNowIn(tx, {binding}) : absl::OkStatus();
}

}  // namespace

StatusOr<StreamPlan> PgStreamStore::Attend(const std::string& keeper, int places,
                                           const std::vector<std::string>& networks, absl::Duration lease) {
  StreamPlan plan;
  PARVIS_RETURN_IF_ERROR(stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(tx.Exec("INSERT INTO stream_keepers (keeper, places, seen_until) "
                                   "VALUES ($1, $2, now() + $3 * interval '1 ms') ON CONFLICT (keeper) DO UPDATE "
                                   "SET places = excluded.places, seen_until = excluded.seen_until",
                                   {keeper, places, Ms(lease)})
                               .status());
    PARVIS_RETURN_IF_ERROR(tx.Exec("DELETE FROM stream_keepers WHERE seen_until < now() - interval '1 hour'").status());
    PARVIS_RETURN_IF_ERROR(
        tx.Exec("INSERT INTO streams (workspace_id, channel_id) SELECT s.workspace_id, s.channel_id FROM sources s "
                "WHERE s.state = 'active' AND s.network = ANY($1::text[]) AND NOT EXISTS (SELECT FROM streams t "
                "WHERE t.workspace_id = s.workspace_id AND t.channel_id = s.channel_id) ON CONFLICT DO NOTHING",
                {db::Array(networks)})
            .status());
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("SELECT k.keepers, k.places, t.wanted, t.read FROM "
                 "(SELECT count(*) AS keepers, coalesce(sum(places), 0)::bigint AS places FROM stream_keepers "
                 "WHERE seen_until >= now()) AS k, "
                 "(SELECT count(*) AS wanted, count(*) FILTER (WHERE t.lease_until >= now()) AS read FROM streams t "
                 "JOIN sources s USING (workspace_id, channel_id) "
                 "WHERE s.state = 'active' AND s.network = ANY($1::text[])) AS t",
                 {db::Array(networks)}));
    plan = {static_cast<int>(rows.Int(0, 0)), rows.Int(0, 1), rows.Int(0, 2), rows.Int(0, 3)};
    return absl::OkStatus();
  }));
  return plan;
}

Status PgStreamStore::Leave(const std::string& keeper) {
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    return tx.Exec("DELETE FROM stream_keepers WHERE keeper = $1", {keeper}).status();
  });
}

StatusOr<std::vector<ClaimedStream>> PgStreamStore::Claim(const std::vector<std::string>& networks, int limit,
                                                          absl::Duration lease) {
  std::vector<ClaimedStream> claimed;
  PARVIS_RETURN_IF_ERROR(stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    claimed.clear();
    // A workspace's place in the queue counts those that it has read already. What decides is asked of the row that is
    // locked, so that it holds when another replica was quicker.
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("UPDATE streams t SET lease_until = now() + $3 * interval '1 ms', lease_token = t.lease_token + 1, "
                 "connected_since = NULL, credentials_version = s.credentials_version FROM sources s, "
                 "(SELECT q.workspace_id, q.channel_id FROM streams q JOIN ("
                 "SELECT i.workspace_id, i.channel_id, i.credentials_version, row_number() OVER (PARTITION BY "
                 "i.workspace_id ORDER BY coalesce(r.lease_until >= now(), false) DESC, r.next_try) AS place "
                 "FROM streams r JOIN sources i USING (workspace_id, channel_id) "
                 "WHERE i.state = 'active' AND i.network = ANY($1::text[])) AS line USING (workspace_id, channel_id) "
                 "WHERE (q.lease_until IS NULL OR q.lease_until < now()) "
                 "AND (q.next_try <= now() OR q.credentials_version <> line.credentials_version) "
                 "ORDER BY line.place, q.next_try LIMIT $2 FOR UPDATE OF q SKIP LOCKED) AS chosen "
                 "WHERE t.workspace_id = chosen.workspace_id AND t.channel_id = chosen.channel_id "
                 "AND s.workspace_id = chosen.workspace_id AND s.channel_id = chosen.channel_id "
                 "RETURNING " PARVIS_SOURCE_COLUMNS ", t.lease_token, t.cursor, t.failures",
                 {db::Array(networks), limit, Ms(lease)}));
    for (int i = 0; i < rows.size(); ++i) {
      claimed.push_back({ToSource(rows, i), rows.Int(i, kSourceColumns), rows.Text(i, kSourceColumns + 1),
                         static_cast<int>(rows.Int(i, kSourceColumns + 2))});
    }
    return absl::OkStatus();
  }));
  return claimed;
}

StatusOr<RenewedStreams> PgStreamStore::Renew(const std::vector<ClaimedStream>& claimed, absl::Duration lease) {
  std::vector<std::string> workspaces, channels;
  std::vector<int64_t> tokens, versions;
  for (const ClaimedStream& one : claimed) {
    workspaces.push_back(one.source.binding.workspace_id);
    channels.push_back(one.source.binding.channel_id);
    tokens.push_back(one.token);
    versions.push_back(one.source.credentials_version);
  }
  RenewedStreams renewed;
  PARVIS_RETURN_IF_ERROR(stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    renewed = {};
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("UPDATE streams t SET lease_until = now() + $5 * interval '1 ms' FROM sources s, "
                 "unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS h(workspace_id, channel_id, token, "
                 "version) WHERE t.workspace_id = h.workspace_id AND t.channel_id = h.channel_id "
                 "AND t.lease_token = h.token AND t.lease_until IS NOT NULL AND s.workspace_id = h.workspace_id AND s.channel_id = h.channel_id "
                 "RETURNING t.channel_id, s.state = 'active' AND s.credentials_version = h.version",
                 {db::Array(workspaces), db::Array(channels), db::Array(tokens), db::Array(versions), Ms(lease)}));
    for (int i = 0; i < rows.size(); ++i) {
      (rows.Bool(i, 1) ? renewed.kept : renewed.changed).insert(rows.Text(i, 0));
    }
    return absl::OkStatus();
  }));
  return renewed;
}

Status PgStreamStore::Save(const ClaimedStream& claimed, const StreamProgress& progress) {
  const Binding& binding = claimed.source.binding;
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        int64_t changed,
        tx.Exec("UPDATE streams SET cursor = $4, last_event = greatest(last_event, $5), failures = $6, "
                "last_gap = CASE WHEN $7 THEN now() ELSE last_gap END, "
                "connected_since = coalesce(connected_since, now()), reason = '', message = '' "
                "WHERE workspace_id = $1 AND channel_id = $2 AND lease_token = $3",
                {binding.workspace_id, binding.channel_id, claimed.token, progress.cursor, progress.last_event,
                 progress.failures, progress.gap}));
    if (changed != 1) return Fenced();
    return TellSource(tx, binding, progress.last_event, progress.poll_now);
  });
}

Status PgStreamStore::Release(const ClaimedStream& claimed, const StreamProgress& progress, const StreamEnd& end) {
  const Binding& binding = claimed.source.binding;
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        int64_t changed,
        tx.Exec("UPDATE streams SET cursor = $4, last_event = greatest(last_event, $5), failures = $6, "
                "last_gap = CASE WHEN $7 THEN now() ELSE last_gap END, connected_since = NULL, lease_until = NULL, "
                "next_try = now() + $8 * interval '1 ms', reason = $9, message = $10 "
                "WHERE workspace_id = $1 AND channel_id = $2 AND lease_token = $3",
                {binding.workspace_id, binding.channel_id, claimed.token, progress.cursor, progress.last_event,
                 end.failures, progress.gap, Ms(end.next_in), end.reason, end.message}));
    if (changed != 1) return Fenced();
    if (end.broken) {
      // Unless accounts has brought new credentials, or taken the channel away, meanwhile.
      PARVIS_RETURN_IF_ERROR(tx.Exec("UPDATE sources SET state = 'broken', state_reason = $4, state_message = $5, "
                                     "next_poll = NULL WHERE workspace_id = $1 AND channel_id = $2 "
                                     "AND credentials_version = $3 AND state = 'active'",
                                     {binding.workspace_id, binding.channel_id, claimed.source.credentials_version,
                                      end.reason, end.message})
                                 .status());
    }
    return TellSource(tx, binding, progress.last_event, progress.poll_now || end.poll_now);
  });
}

}  // namespace parvis::ingestion
