#include "moderation/storage/pg_queue.h"

#include "moderation/storage/reasons_json.h"
#include "moderation/storage/review_rows.h"
#include "platform/db/stream_tables.h"

namespace parvis::moderation {
namespace {

struct KeyColumns {
  std::vector<std::string> workspaces, channels, remote_ids;
  void Add(const CommentKey& key) {
    workspaces.push_back(std::get<0>(key));
    channels.push_back(std::get<1>(key));
    remote_ids.push_back(WithoutNul(std::get<2>(key)));
  }
};

StatusOr<std::map<CommentKey, CommentState>> ReadStates(db::Tx& tx, const std::vector<CommentKey>& keys) {
  std::map<CommentKey, CommentState> out;
  if (keys.empty()) return out;
  KeyColumns columns;
  for (const CommentKey& key : keys) columns.Add(key);
  PARVIS_ASSIGN_OR_RETURN(
      db::Rows rows,
      tx.Query("SELECT c.workspace_id, c.channel_id, c.remote_id, c.revision, c.removed, c.hidden, c.hidden_revision, "
               "c.hide_asked "
               "FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS k(w, ch, r) "
               "JOIN comments c ON c.workspace_id = k.w AND c.channel_id = k.ch AND c.remote_id = k.r",
               {db::Array(columns.workspaces), db::Array(columns.channels), db::Array(columns.remote_ids)}));
  for (int i = 0; i < rows.size(); ++i) {
    out[{rows.Text(i, 0), rows.Text(i, 1), rows.Text(i, 2)}] = {rows.Int(i, 3), rows.Bool(i, 4), rows.Bool(i, 5),
                                                                rows.Int(i, 6), rows.Bool(i, 7)};
  }
  return out;
}

Status WriteStates(db::Tx& tx, const std::map<CommentKey, CommentState>& comments) {
  if (comments.empty()) return absl::OkStatus();
  KeyColumns columns;
  std::vector<int64_t> revisions, hidden_revisions;
  std::vector<bool> removed, hidden, asked;
  for (const auto& [key, state] : comments) {
    columns.Add(key);
    revisions.push_back(state.revision), hidden_revisions.push_back(state.hidden_revision);
    removed.push_back(state.removed), hidden.push_back(state.hidden), asked.push_back(state.hide_asked);
  }
  return tx
      .Query(
          "INSERT INTO comments (workspace_id, channel_id, remote_id, revision, removed, hidden, hidden_revision, "
          "hide_asked) "
          "SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::boolean[], $6::boolean[], "
          "$7::bigint[], "
          "$8::boolean[]) ON CONFLICT (workspace_id, channel_id, remote_id) DO UPDATE SET revision = "
          "excluded.revision, "
          "removed = excluded.removed, hidden = excluded.hidden, hidden_revision = excluded.hidden_revision, "
          "hide_asked = excluded.hide_asked",
          {db::Array(columns.workspaces), db::Array(columns.channels), db::Array(columns.remote_ids),
           db::Array(revisions), db::Array(removed), db::Array(hidden), db::Array(hidden_revisions), db::Array(asked)})
      .status();
}

Status CloseReviews(db::Tx& tx, const std::vector<CommentKey>& keys, absl::Time now) {
  if (keys.empty()) return absl::OkStatus();
  KeyColumns columns;
  for (const CommentKey& key : keys) columns.Add(key);
  return tx
      .Query(
          "UPDATE reviews r SET state = 4, end_time = $4, claim_member_id = '', claim_expire_time = NULL "
          "FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS k(w, ch, i) "
          "WHERE r.workspace_id = k.w AND r.channel_id = k.ch AND r.remote_id = k.i AND r.state = 1",
          {db::Array(columns.workspaces), db::Array(columns.channels), db::Array(columns.remote_ids), now})
      .status();
}

}  // namespace

Status PgQueueStore::Apply(const StreamPositions& positions, const std::vector<CommentKey>& keys, const Planner& plan) {
  return pool_.Run(BackgroundCall("moderation"), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const auto known, ReadStates(tx, keys));
    const QueueEffects effects = plan(known);
    PARVIS_RETURN_IF_ERROR(WriteStates(tx, effects.comments));
    PARVIS_RETURN_IF_ERROR(CloseReviews(tx, effects.close, effects.time));
    PARVIS_RETURN_IF_ERROR(InsertReviews(tx, effects.reviews));
    PARVIS_RETURN_IF_ERROR(InsertDecisions(tx, effects.decisions));
    std::vector<StreamRecord> records;
    for (const Command& command : effects.commands) records.push_back(encode_(command));
    if (!records.empty()) PARVIS_RETURN_IF_ERROR(db::OutboxTable::Append(tx, records));
    return db::OffsetTable::Advance(tx, positions);
  });
}

}  // namespace parvis::moderation
