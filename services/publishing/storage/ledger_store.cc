#include "publishing/storage/ledger_store.h"

#include "platform/db/stream_tables.h"

namespace parvis::publishing {
namespace {

db::Param Shards(const std::vector<int>& shards) { return db::Array(std::vector<int64_t>(shards.begin(), shards.end())); }

constexpr char kNilUuid[] = "00000000-0000-0000-0000-000000000000";

Call StreamCall() { return BackgroundCall("publishing"); }

// Every partition still has the epoch that we claimed it with. Held until the claim commits, so that a new owner's first
// look comes after it. The settings, for this transaction, keep the claim to the indexes that were made for it: it must
// stop after its limit, and a plan that sorts all that is due first looks at every lane of a backlog to take 200 of it.
Status CheckEpochs(db::Tx& tx, const std::vector<StreamPosition>& owned) {
  std::vector<std::string> groups, topics;
  std::vector<int64_t> parts, epochs;
  for (const StreamPosition& position : owned) {
    groups.push_back(position.group);
    topics.push_back(position.topic);
    parts.push_back(position.partition);
    epochs.push_back(position.epoch);
  }
  PARVIS_ASSIGN_OR_RETURN(
      const db::Rows rows,
      tx.Query("SELECT set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true), "
               "set_config('enable_bitmapscan', 'off', true), set_config('enable_hashjoin', 'off', true), "
               "set_config('enable_mergejoin', 'off', true) FROM stream_offsets o "
               "JOIN unnest($1::text[], $2::text[], $3::integer[], $4::bigint[]) "
               "AS v (grp, topic, part, epoch) ON o.group_name = v.grp AND o.topic = v.topic AND o.part = v.part "
               "AND o.epoch = v.epoch ORDER BY o.group_name, o.topic, o.part FOR SHARE OF o",
               {db::Array(groups), db::Array(topics), db::Array(parts), db::Array(epochs)}));
  if (rows.size() == static_cast<int>(owned.size())) return absl::OkStatus();
  return MakeError(Code::kAborted, "FENCED", "another replica owns a partition by now");
}

}  // namespace

LedgerStore::LedgerStore(db::Pool& stream, EncodeDelivery encode, std::function<void()> committed)
    : stream_(stream), encode_(std::move(encode)), committed_(std::move(committed)) {}

StatusOr<int> LedgerStore::Accept(const StreamPositions& positions, const std::vector<Delivery>& deliveries,
                                  absl::Time now, const std::string& actor) {
  int added = 0;
  PARVIS_RETURN_IF_ERROR(stream_.Run(StreamCall(), [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(db::OffsetTable::Advance(tx, positions));
    PARVIS_ASSIGN_OR_RETURN(added, InsertDeliveries(tx, deliveries, now, actor, encode_));
    return absl::OkStatus();
  }));
  if (added > 0 && committed_) committed_();
  return added;
}

StatusOr<std::vector<Delivery>> LedgerStore::Claim(const ClaimRequest& request) {
  // OFFSET 0 keeps the look at the lane a lookup per candidate: as a join it could read all that is scheduled for later.
  static const std::string sql =
      std::string(
          "WITH due AS MATERIALIZED (SELECT d.workspace_id, d.id FROM deliveries d "
          "WHERE d.state = 1 AND d.ready_time <= $1 AND d.shard = ANY($2::smallint[]) "
          "AND (d.channel_id, d.kind) NOT IN (SELECT * FROM unnest($3::uuid[], $4::smallint[])) "
          "AND NOT EXISTS (SELECT 1 FROM channel_pauses p WHERE p.workspace_id = d.workspace_id "
          "  AND p.channel_id = d.channel_id) "
          "AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.workspace_id = d.workspace_id AND e.lane = d.lane "
          "  AND e.state IN (1, 2, 3, 6) AND NOT e.needs_human AND (e.due_time, e.id) < (d.due_time, d.id) "
          "  AND (e.state IN (3, 6) OR e.state = 1 AND (e.ready_time > $1 OR (e.channel_id, e.kind) IN "
          "    (SELECT * FROM unnest($3::uuid[], $4::smallint[])))) OFFSET 0) "
          "ORDER BY d.ready_time, d.id LIMIT $5 FOR UPDATE OF d SKIP LOCKED), "
          "claimed AS (UPDATE deliveries d SET state = 2, fence = d.fence + 1, steps = d.steps + 1, check_time = $6 "
          "FROM due WHERE d.workspace_id = due.workspace_id AND d.id = due.id RETURNING d.*), "
          "history AS (INSERT INTO delivery_transitions "
          "  SELECT workspace_id, id, steps, $7::timestamptz, 1, 2, attempts, '', $8::text FROM claimed) "
          "SELECT ") + kDeliveryColumns + " FROM claimed d";
  std::vector<std::string> skip_channels;
  std::vector<int64_t> skip_kinds;
  for (const ClaimSkip& skip : request.skip) {
    skip_channels.push_back(skip.channel_id);
    skip_kinds.push_back(static_cast<int64_t>(skip.kind));
  }
  std::vector<Delivery> claimed;
  PARVIS_RETURN_IF_ERROR(stream_.Run(StreamCall(), [&](db::Tx& tx) -> Status {
    claimed.clear();
    PARVIS_RETURN_IF_ERROR(CheckEpochs(tx, request.owned));
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows,
                            tx.Query(sql.c_str(), {request.horizon, Shards(request.shards), db::Array(skip_channels),
                                                   db::Array(skip_kinds), request.limit, request.lease_until,
                                                   request.now, request.actor}));
    for (int i = 0; i < rows.size(); ++i) claimed.push_back(ReadDelivery(rows, i));
    return absl::OkStatus();
  }));
  std::sort(claimed.begin(), claimed.end(), [](const Delivery& a, const Delivery& b) {
    return std::tie(a.ready_time, a.id) < std::tie(b.ready_time, b.id);
  });
  return claimed;
}

StatusOr<std::vector<std::optional<Delivery>>> LedgerStore::Apply(const std::vector<Change>& changes, absl::Time now) {
  std::vector<std::optional<Delivery>> result;
  PARVIS_RETURN_IF_ERROR(stream_.Run(StreamCall(), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(result, ApplyChanges(tx, changes, now, encode_));
    return absl::OkStatus();
  }));
  if (committed_) committed_();
  return result;
}

StatusOr<std::vector<Delivery>> LedgerStore::Find(const char* sql, const std::vector<db::Param>& params) {
  std::vector<Delivery> found;
  PARVIS_RETURN_IF_ERROR(stream_.Run(StreamCall(), [&](db::Tx& tx) -> Status {
    found.clear();
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, tx.Query(sql, params));
    for (int i = 0; i < rows.size(); ++i) found.push_back(ReadDelivery(rows, i));
    return absl::OkStatus();
  }));
  return found;
}

StatusOr<std::vector<Delivery>> LedgerStore::FindUnsettled(const std::vector<int>& shards, absl::Time now,
                                                           bool every_claim, int limit) {
  static const std::string ended =
      std::string("SELECT ") + kDeliveryColumns + " FROM deliveries d WHERE d.state IN (2, 3, 6) AND NOT d.needs_human "
      "AND d.check_time <= $1 AND d.shard = ANY($2::smallint[]) ORDER BY d.check_time LIMIT $3";
  static const std::string with_claims =
      std::string("SELECT ") + kDeliveryColumns + " FROM deliveries d WHERE d.state IN (2, 3, 6) AND NOT d.needs_human "
      "AND (d.check_time <= $1 OR d.state = 2) AND d.shard = ANY($2::smallint[]) ORDER BY d.check_time LIMIT $3";
  return Find((every_claim ? with_claims : ended).c_str(), {now, Shards(shards), limit});
}

StatusOr<std::vector<Delivery>> LedgerStore::FindExpired(const std::vector<int>& shards, absl::Time now, int limit) {
  static const std::string sql = std::string("SELECT ") + kDeliveryColumns +
                                 " FROM deliveries d WHERE d.state = 1 AND d.expire_time < $1 "
                                 "AND d.shard = ANY($2::smallint[]) ORDER BY d.expire_time LIMIT $3";
  return Find(sql.c_str(), {now, Shards(shards), limit});
}

StatusOr<std::set<std::string>> LedgerStore::TakenRemoteIds(const std::string& workspace_id,
                                                            const std::string& channel_id,
                                                            const std::vector<std::string>& remote_ids) {
  std::set<std::string> taken;
  PARVIS_RETURN_IF_ERROR(stream_.Run(StreamCall(), [&](db::Tx& tx) -> Status {
    taken.clear();
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows,
                            tx.Query("SELECT remote_id FROM deliveries WHERE workspace_id = $1 AND channel_id = $2 "
                                     "AND remote_id <> '' AND remote_id = ANY($3::text[])",
                                     {workspace_id, channel_id, db::Array(remote_ids)}));
    for (int i = 0; i < rows.size(); ++i) taken.insert(rows.Text(i, 0));
    return absl::OkStatus();
  }));
  return taken;
}

Status LedgerStore::Pause(const PausedChannel& channel) {
  return stream_.Run(StreamCall(), [&](db::Tx& tx) {
    return tx.Exec("INSERT INTO channel_pauses VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                   {channel.workspace_id, channel.channel_id, ShardOf(channel.channel_id), channel.reason,
                    channel.credentials_version, channel.since})
        .status();
  });
}

Status LedgerStore::Resume(const std::string& workspace_id, const std::string& channel_id) {
  return stream_.Run(StreamCall(), [&](db::Tx& tx) {
    return tx.Exec("DELETE FROM channel_pauses WHERE workspace_id = $1 AND channel_id = $2", {workspace_id, channel_id})
        .status();
  });
}

StatusOr<std::vector<PausedChannel>> LedgerStore::ListPaused(const std::vector<int>& shards,
                                                             const std::optional<PausedChannel>& after, int limit) {
  const PausedChannel from = after.value_or(PausedChannel{kNilUuid, kNilUuid, "", "", absl::InfinitePast()});
  std::vector<PausedChannel> paused;
  PARVIS_RETURN_IF_ERROR(stream_.Run(StreamCall(), [&](db::Tx& tx) -> Status {
    paused.clear();
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows,
                            tx.Query("SELECT workspace_id, channel_id, reason, credentials_version, since "
                                     "FROM channel_pauses WHERE shard = ANY($1::smallint[]) "
                                     "AND (since, workspace_id, channel_id) > ($2, $3, $4) "
                                     "ORDER BY since, workspace_id, channel_id LIMIT $5",
                                     {Shards(shards), from.since, from.workspace_id, from.channel_id, limit}));
    for (int i = 0; i < rows.size(); ++i) {
      paused.push_back({rows.Text(i, 0), rows.Text(i, 1), rows.Text(i, 2), rows.Text(i, 3), rows.Time(i, 4)});
    }
    return absl::OkStatus();
  }));
  return paused;
}

}  // namespace parvis::publishing
