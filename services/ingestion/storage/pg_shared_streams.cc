#include "ingestion/storage/pg_shared_streams.h"

#include "ingestion/storage/source_rows.h"

namespace parvis::ingestion {
namespace {

constexpr int kChangedMax = 1000;  // at one look; the others at the next

// Of `sources s` and `streams t`, in the order of MemberOf.
#define PARVIS_MEMBER_COLUMNS "s.workspace_id, s.channel_id, s.remote_id, s.credentials_version, t.failures"

Status Fenced() {
  return MakeError(Code::kAborted, "FENCED", "the lease ran out and somebody else has the stream");
}

Call Background() { return BackgroundCall("ingestion"); }

int64_t Ms(absl::Duration d) { return absl::ToInt64Milliseconds(d); }

SharedMember MemberOf(const db::Rows& rows, int row) {
  return {{rows.Text(row, 0), rows.Text(row, 1)}, rows.Text(row, 2), rows.Int(row, 3), static_cast<int>(rows.Int(row, 4))};
}

StatusOr<std::vector<SharedMember>> Members(db::Tx& tx, const char* sql, const std::vector<db::Param>& params) {
  PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query(sql, params));
  std::vector<SharedMember> members;
  members.reserve(static_cast<size_t>(rows.size()));
  for (int i = 0; i < rows.size(); ++i) members.push_back(MemberOf(rows, i));
  return members;
}

// Columns of what is written for several channels at once.
struct Batch {
  std::vector<std::string> workspaces, channels;
  std::vector<Binding> bindings;
  void Add(const Binding& binding) {
    workspaces.push_back(binding.workspace_id);
    channels.push_back(binding.channel_id);
    bindings.push_back(binding);
  }
};

Status WriteNews(db::Tx& tx, const std::map<std::string, MemberNews>& news) {
  if (news.empty()) return absl::OkStatus();
  Batch batch;
  std::vector<absl::Time> times;
  for (const auto& [channel, one] : news) {
    batch.Add(one.binding);
    times.push_back(one.last_event);
  }
  return tx
      .Exec("UPDATE sources s SET last_event = greatest(s.last_event, n.last_event) "
            "FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS n(workspace_id, channel_id, last_event) "
            "WHERE s.workspace_id = n.workspace_id AND s.channel_id = n.channel_id",
            {db::Array(batch.workspaces), db::Array(batch.channels), db::Array(times)})
      .status();
}

Status WriteJoined(db::Tx& tx, const std::map<std::string, SharedMember>& joined) {
  if (joined.empty()) return absl::OkStatus();
  Batch batch;
  std::vector<int64_t> versions;
  for (const auto& [channel, member] : joined) {
    batch.Add(member.binding);
    versions.push_back(member.credentials_version);
  }
  PARVIS_RETURN_IF_ERROR(
      tx.Exec("UPDATE streams t SET heard_since = now(), credentials_version = j.version, reason = '', message = '' "
              "FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS j(workspace_id, channel_id, version) "
              "WHERE t.workspace_id = j.workspace_id AND t.channel_id = j.channel_id",
              {db::Array(batch.workspaces), db::Array(batch.channels), db::Array(versions)})
          .status());
  return PollNowIn(tx, batch.bindings);
}

Status WriteLeft(db::Tx& tx, const std::map<std::string, MemberEnd>& left) {
  if (left.empty()) return absl::OkStatus();
  Batch batch, missed;
  std::vector<int64_t> versions, failures, waits;
  std::vector<std::string> reasons, messages;
  for (const auto& [channel, one] : left) {
    batch.Add(one.member.binding);
    versions.push_back(one.member.credentials_version);
    failures.push_back(one.end.failures);
    waits.push_back(Ms(one.end.next_in));
    reasons.push_back(one.end.reason);
    messages.push_back(one.end.message);
    if (one.end.poll_now) missed.Add(one.member.binding);
    if (!one.end.broken) continue;
    // Unless accounts has brought new credentials, or taken the channel away, meanwhile.
    PARVIS_RETURN_IF_ERROR(tx.Exec("UPDATE sources SET state = 'broken', state_reason = $4, state_message = $5, "
                                   "next_poll = NULL WHERE workspace_id = $1 AND channel_id = $2 "
                                   "AND credentials_version = $3 AND state = 'active'",
                                   {one.member.binding.workspace_id, one.member.binding.channel_id,
                                    one.member.credentials_version, one.end.reason, one.end.message})
                               .status());
  }
  PARVIS_RETURN_IF_ERROR(
      tx.Exec("UPDATE streams t SET heard_since = NULL, credentials_version = l.version, failures = l.failures, "
              "next_try = now() + l.wait * interval '1 ms', reason = l.reason, message = l.message "
              "FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[]) "
              "AS l(workspace_id, channel_id, version, failures, wait, reason, message) "
              "WHERE t.workspace_id = l.workspace_id AND t.channel_id = l.channel_id",
              {db::Array(batch.workspaces), db::Array(batch.channels), db::Array(versions), db::Array(failures),
               db::Array(waits), db::Array(reasons), db::Array(messages)})
          .status());
  return PollNowIn(tx, missed.bindings);
}

// What holds for everybody who is heard, after who joined and who left.
Status WriteAll(db::Tx& tx, const std::string& network, bool gap, bool poll_all) {
  if (gap) {
    PARVIS_RETURN_IF_ERROR(tx.Exec("UPDATE streams t SET last_gap = now() FROM sources s WHERE s.network = $1 "
                                   "AND s.state = 'active' AND t.workspace_id = s.workspace_id "
                                   "AND t.channel_id = s.channel_id AND t.heard_since IS NOT NULL",
                                   {network})
                               .status());
  }
  if (!poll_all) return absl::OkStatus();
  PARVIS_ASSIGN_OR_RETURN(std::vector<SharedMember> heard,
                          Members(tx,
                                  "SELECT " PARVIS_MEMBER_COLUMNS
                                  " FROM streams t JOIN sources s USING (workspace_id, channel_id) WHERE s.network = $1 "
                                  "AND s.state = 'active' AND t.heard_since IS NOT NULL",
                                  {network}));
  Batch batch;
  for (const SharedMember& member : heard) batch.Add(member.binding);
  return PollNowIn(tx, batch.bindings);
}

// In the transaction that has written to the stream's row by the claim's token.
Status WriteChannels(db::Tx& tx, const std::string& network, const SharedProgress& progress, bool poll_all) {
  PARVIS_RETURN_IF_ERROR(WriteNews(tx, progress.news));
  PARVIS_RETURN_IF_ERROR(WriteJoined(tx, progress.joined));
  PARVIS_RETURN_IF_ERROR(WriteLeft(tx, progress.left));
  return WriteAll(tx, network, progress.gap, poll_all);
}

}  // namespace

StatusOr<std::vector<ClaimedShared>> PgSharedStreamStore::Claim(const std::vector<std::string>& networks,
                                                                absl::Duration lease) {
  std::vector<ClaimedShared> claimed;
  PARVIS_RETURN_IF_ERROR(stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    claimed.clear();
    PARVIS_RETURN_IF_ERROR(tx.Exec("INSERT INTO shared_streams (network) SELECT n FROM unnest($1::text[]) AS n "
                                   "WHERE NOT EXISTS (SELECT FROM shared_streams g WHERE g.network = n) "
                                   "ON CONFLICT DO NOTHING",
                                   {db::Array(networks)})
                               .status());
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("UPDATE shared_streams g SET lease_until = now() + $2 * interval '1 ms', "
                 "lease_token = g.lease_token + 1, connected_since = NULL FROM (SELECT q.network FROM shared_streams q "
                 "WHERE q.network = ANY($1::text[]) AND (q.lease_until IS NULL OR q.lease_until < now()) "
                 "AND q.next_try <= now() AND EXISTS (SELECT FROM sources s LEFT JOIN streams t USING (workspace_id, "
                 "channel_id) WHERE s.network = q.network AND s.state = 'active' AND (t.channel_id IS NULL "
                 "OR t.heard_since IS NOT NULL OR t.next_try <= now() "
                 "OR t.credentials_version <> s.credentials_version)) FOR UPDATE OF q SKIP LOCKED) AS chosen "
                 "WHERE g.network = chosen.network RETURNING g.network, g.lease_token, g.cursor, g.failures",
                 {db::Array(networks), Ms(lease)}));
    for (int i = 0; i < rows.size(); ++i) {
      ClaimedShared& one = claimed.emplace_back();
      one.network = rows.Text(i, 0);
      one.token = rows.Int(i, 1);
      one.cursor = rows.Text(i, 2);
      one.failures = static_cast<int>(rows.Int(i, 3));
      PARVIS_ASSIGN_OR_RETURN(one.heard,
                              Members(tx,
                                      "SELECT " PARVIS_MEMBER_COLUMNS
                                      " FROM streams t JOIN sources s USING (workspace_id, channel_id) "
                                      "WHERE s.network = $1 AND s.state = 'active' AND t.heard_since IS NOT NULL "
                                      "ORDER BY t.heard_since",
                                      {one.network}));
    }
    return absl::OkStatus();
  }));
  return claimed;
}

StatusOr<std::set<std::string>> PgSharedStreamStore::Renew(const std::vector<ClaimedShared>& claimed,
                                                           absl::Duration lease) {
  std::vector<std::string> networks;
  std::vector<int64_t> tokens;
  for (const ClaimedShared& one : claimed) {
    networks.push_back(one.network);
    tokens.push_back(one.token);
  }
  std::set<std::string> kept;
  PARVIS_RETURN_IF_ERROR(stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    kept.clear();
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("UPDATE shared_streams g SET lease_until = now() + $3 * interval '1 ms' "
                 "FROM unnest($1::text[], $2::bigint[]) AS h(network, token) WHERE g.network = h.network "
                 "AND g.lease_token = h.token AND g.lease_until IS NOT NULL RETURNING g.network",
                 {db::Array(networks), db::Array(tokens), Ms(lease)}));
    for (int i = 0; i < rows.size(); ++i) kept.insert(rows.Text(i, 0));
    return absl::OkStatus();
  }));
  return kept;
}

StatusOr<SharedTurnout> PgSharedStreamStore::Turnout(const ClaimedShared& claimed, int room) {
  SharedTurnout turnout;
  PARVIS_RETURN_IF_ERROR(stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    turnout = {};
    PARVIS_ASSIGN_OR_RETURN(db::Rows ours,
                            tx.Query("SELECT 1 FROM shared_streams WHERE network = $1 AND lease_token = $2",
                                     {claimed.network, claimed.token}));
    if (ours.size() != 1) return Fenced();
    PARVIS_RETURN_IF_ERROR(
        tx.Exec("INSERT INTO streams (workspace_id, channel_id) SELECT s.workspace_id, s.channel_id FROM sources s "
                "WHERE s.state = 'active' AND s.network = $1 AND NOT EXISTS (SELECT FROM streams t "
                "WHERE t.workspace_id = s.workspace_id AND t.channel_id = s.channel_id) ON CONFLICT DO NOTHING",
                {claimed.network})
            .status());
    PARVIS_ASSIGN_OR_RETURN(db::Rows wanted,
                            tx.Query("SELECT count(*) FROM sources WHERE network = $1 AND state = 'active'",
                                     {claimed.network}));
    turnout.wanted = wanted.Int(0, 0);
    PARVIS_ASSIGN_OR_RETURN(
        turnout.leaving,
        Members(tx,
                "SELECT " PARVIS_MEMBER_COLUMNS
                " FROM streams t JOIN sources s USING (workspace_id, channel_id) WHERE s.network = $1 "
                "AND s.state <> 'active' AND t.heard_since IS NOT NULL LIMIT $2",
                {claimed.network, kChangedMax}));
    PARVIS_ASSIGN_OR_RETURN(
        turnout.renewed,
        Members(tx,
                "SELECT " PARVIS_MEMBER_COLUMNS
                " FROM streams t JOIN sources s USING (workspace_id, channel_id) WHERE s.network = $1 "
                "AND s.state = 'active' AND t.heard_since IS NOT NULL "
                "AND t.credentials_version <> s.credentials_version LIMIT $2",
                {claimed.network, kChangedMax}));
    if (room <= 0) return absl::OkStatus();
    // A workspace's place in the queue counts those of it that are heard already.
    PARVIS_ASSIGN_OR_RETURN(
        turnout.joining,
        Members(tx,
                "SELECT " PARVIS_MEMBER_COLUMNS
                " FROM streams t JOIN sources s USING (workspace_id, channel_id) JOIN ("
                "SELECT i.workspace_id, i.channel_id, row_number() OVER (PARTITION BY i.workspace_id "
                "ORDER BY r.heard_since NULLS LAST, r.next_try) AS place FROM streams r JOIN sources i "
                "USING (workspace_id, channel_id) WHERE i.state = 'active' AND i.network = $1) AS line "
                "USING (workspace_id, channel_id) WHERE t.heard_since IS NULL "
                "AND (t.next_try <= now() OR t.credentials_version <> s.credentials_version) "
                "ORDER BY line.place, t.next_try LIMIT $2",
                {claimed.network, room}));
    return absl::OkStatus();
  }));
  return turnout;
}

Status PgSharedStreamStore::Save(const ClaimedShared& claimed, const SharedProgress& progress) {
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(int64_t changed,
                            tx.Exec("UPDATE shared_streams SET cursor = $3, failures = $4, "
                                    "connected_since = coalesce(connected_since, now()), reason = '', message = '' "
                                    "WHERE network = $1 AND lease_token = $2",
                                    {claimed.network, claimed.token, progress.cursor, progress.failures}));
    if (changed != 1) return Fenced();
    return WriteChannels(tx, claimed.network, progress, progress.poll_all);
  });
}

Status PgSharedStreamStore::Release(const ClaimedShared& claimed, const SharedProgress& progress, const StreamEnd& end) {
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        int64_t changed,
        tx.Exec("UPDATE shared_streams SET cursor = $3, failures = $4, connected_since = NULL, lease_until = NULL, "
                "next_try = now() + $5 * interval '1 ms', reason = $6, message = $7 "
                "WHERE network = $1 AND lease_token = $2",
                {claimed.network, claimed.token, progress.cursor, end.failures, Ms(end.next_in), end.reason,
                 end.message}));
    if (changed != 1) return Fenced();
    return WriteChannels(tx, claimed.network, progress, progress.poll_all || end.poll_now);
  });
}

}  // namespace parvis::ingestion
