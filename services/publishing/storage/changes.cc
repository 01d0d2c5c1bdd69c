// DeliveryLedger::Apply: guarded changes in one transaction, with history, events and the post's end.
#include <map>
#include <set>

#include "platform/db/stream_tables.h"
#include "publishing/domain/thread.h"
#include "publishing/storage/rows.h"

namespace parvis::publishing {
namespace {

struct Current {
  DeliveryState state = DeliveryState::kNone;
  int64_t fence = 0, sequence = 0;
  bool behind = false;      // in its lane, of one that is not settled
  bool continues = false;   // further parts of its thread are to follow; cancelling takes them away
};
using Key = std::pair<std::string, std::string>;   // workspace, id

// Posts before deliveries, both in key order, here and in SavePost: no deadlock between a person and the deliverer.
Status LockPosts(db::Tx& tx, const std::vector<Change>& changes) {
  std::vector<std::string> workspaces, posts;
  for (const Change& change : changes) {
    if (change.after.post_id.empty() || !IsFinal(change.after.state)) continue;
    workspaces.push_back(change.after.workspace_id);
    posts.push_back(change.after.post_id);
  }
  if (posts.empty()) return absl::OkStatus();
  return tx.Query("SELECT 1 FROM posts p WHERE (p.workspace_id, p.id) IN "
                  "(SELECT * FROM unnest($1::uuid[], $2::uuid[])) ORDER BY p.workspace_id, p.id FOR UPDATE",
                  {db::Array(workspaces), db::Array(posts)})
      .status();
}

// Locks the rows and looks, for changes that must keep their lane's order, whether they are behind one that is not settled.
// OFFSET 0: a look-up for each of them; as a join it could read all that was ever delivered.
StatusOr<std::map<Key, Current>> LockRows(db::Tx& tx, const std::vector<Change>& changes) {
  std::vector<std::string> workspaces, ids;
  std::vector<bool> ordered;
  for (const Change& change : changes) {
    workspaces.push_back(change.after.workspace_id);
    ids.push_back(change.after.id);
    ordered.push_back(change.in_lane_order);
  }
  PARVIS_ASSIGN_OR_RETURN(
      const db::Rows rows,
      tx.Query("SELECT d.workspace_id, d.id, d.state, d.fence, d.sequence, "
               "v.ordered AND EXISTS (SELECT 1 FROM deliveries e WHERE e.workspace_id = d.workspace_id AND e.lane = d.lane AND e.state IN (1, 2, 3, 6) "
               "  AND NOT e.needs_human AND (e.due_time, e.id) < (d.due_time, d.id) OFFSET 0), "
               "d.content ? 'thread' "
               "FROM unnest($1::uuid[], $2::uuid[], $3::boolean[]) AS v (ws, id, ordered) "
               "JOIN deliveries d ON d.workspace_id = v.ws AND d.id = v.id "
               "ORDER BY d.workspace_id, d.id FOR UPDATE OF d",
               {db::Array(workspaces), db::Array(ids), db::Array(ordered)}));
  std::map<Key, Current> current;
  for (int i = 0; i < rows.size(); ++i) {
    Current& row = current[{rows.Text(i, 0), rows.Text(i, 1)}];
    row = {static_cast<DeliveryState>(rows.Int(i, 2)), rows.Int(i, 3), rows.Int(i, 4), row.behind || rows.Bool(i, 5),
           rows.Bool(i, 6)};
  }
  return current;
}

// A row that is to be written, and what its history says of it.
struct Write {
  Delivery after;
  DeliveryState from = DeliveryState::kNone;
  std::string detail, actor;
};

// The rows and their history, in one statement.
Status WriteRows(db::Tx& tx, const std::vector<Write>& writes, absl::Time now) {
  std::vector<std::string> ws, ids, remotes, permalinks, reasons, messages, networks, settle_ids, details, actors;
  std::vector<int64_t> froms, states, fences, attempts, tries, empties, resends, sequences;
  std::vector<bool> reconciling, humans;
  std::vector<absl::Time> dues, readies, expires, sents, firsts, delivereds, checks;
  for (const Write& write : writes) {
    const Delivery& d = write.after;
    details.push_back(write.detail), actors.push_back(write.actor), froms.push_back(static_cast<int64_t>(write.from));
    ws.push_back(d.workspace_id), ids.push_back(d.id), remotes.push_back(d.remote_id), permalinks.push_back(d.permalink);
    reasons.push_back(d.error_reason), messages.push_back(d.error_message), networks.push_back(d.network);
    settle_ids.push_back(d.settle_request_id);
    states.push_back(static_cast<int64_t>(d.state)), fences.push_back(d.fence), attempts.push_back(d.attempts);
    tries.push_back(d.tries), empties.push_back(d.empty_reads), resends.push_back(d.resends);
    sequences.push_back(d.sequence), reconciling.push_back(d.reconciling), humans.push_back(d.needs_human);
    dues.push_back(d.due_time), readies.push_back(d.ready_time), expires.push_back(d.expire_time);
    sents.push_back(d.sent_time), firsts.push_back(d.first_sent_time), delivereds.push_back(d.delivered_time);
    checks.push_back(d.check_time);
  }
  return tx.Exec("WITH written AS (UPDATE deliveries d SET state = v.state, fence = v.fence, attempts = v.attempts, "
                 "tries = v.tries, "
                 "empty_reads = v.empties, resends = v.resends, sequence = v.sequence, steps = d.steps + 1, "
                 "reconciling = v.reconciling, needs_human = v.human, due_time = v.due, ready_time = v.ready, "
                 "expire_time = v.expire, sent_time = v.sent, first_sent_time = v.first, delivered_time = v.delivered, "
                 "check_time = v.checked, remote_id = v.remote, permalink = v.permalink, error_reason = v.reason, "
                 "error_message = v.message, network = v.network, settle_request_id = v.settle "
                 "FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::integer[], $6::integer[], "
                 "$7::integer[], $8::integer[], $9::bigint[], $10::boolean[], $11::boolean[], $12::timestamptz[], "
                 "$13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], "
                 "$18::timestamptz[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], "
                 "$25::smallint[], $26::text[], $27::text[]) "
                 "AS v (ws, id, state, fence, attempts, tries, empties, resends, sequence, reconciling, human, due, ready, "
                 "expire, sent, first, delivered, checked, remote, permalink, reason, message, network, settle, "
                 "before, detail, actor) WHERE d.workspace_id = v.ws AND d.id = v.id "
                 "RETURNING d.workspace_id, d.id, d.steps, v.before, d.state, d.attempts, v.detail, v.actor) "
                 "INSERT INTO delivery_transitions "
                 "SELECT workspace_id, id, steps, $28::timestamptz, before, state, attempts, detail, actor FROM written",
                 {db::Array(ws), db::Array(ids), db::Array(states), db::Array(fences), db::Array(attempts),
                  db::Array(tries), db::Array(empties), db::Array(resends), db::Array(sequences), db::Array(reconciling),
                  db::Array(humans), db::Array(dues), db::Array(readies), db::Array(expires), db::Array(sents),
                  db::Array(firsts), db::Array(delivereds), db::Array(checks), db::Array(remotes), db::Array(permalinks),
                  db::Array(reasons), db::Array(messages), db::Array(networks), db::Array(settle_ids),
                  db::Array(froms), db::Array(details), db::Array(actors), now})
      .status();
}

// A post whose last delivery has ended is published (4 among them), in part when a later part of a thread failed, failed (5 or 8)
// or cancelled. StateFromDeliveries in SQL.
Status FinishPosts(db::Tx& tx, const std::vector<Write>& writes, absl::Time now) {
  std::vector<std::string> workspaces, posts;
  std::set<Key> seen;
  for (const Write& write : writes) {
    const Delivery& d = write.after;
    if (d.post_id.empty() || !IsFinal(d.state) || !seen.insert({d.workspace_id, d.post_id}).second) continue;
    workspaces.push_back(d.workspace_id);
    posts.push_back(d.post_id);
  }
  if (posts.empty()) return absl::OkStatus();
  return tx.Exec("UPDATE posts p SET version = p.version + 1, update_time = $3, "
                 "state = CASE WHEN s.broken THEN 9 WHEN s.delivered THEN 6 WHEN s.failed THEN 7 ELSE 8 END "
                 "FROM (SELECT q.workspace_id, q.id, bool_or(d.state = 4) AS delivered, bool_or(d.state IN (5, 8)) AS failed, "
                 "        bool_or(d.state IN (5, 8) AND d.content ? 'part') AS broken, bool_and(d.state IN (4, 5, 7, 8)) AS ended "
                 "      FROM unnest($1::uuid[], $2::uuid[]) AS v (ws, id) "
                 "      JOIN posts q ON q.workspace_id = v.ws AND q.id = v.id "
                 "      JOIN deliveries d ON d.workspace_id = q.workspace_id AND d.post_id = q.id "
                 "        AND d.generation = q.generation GROUP BY q.workspace_id, q.id) s "
                 "WHERE p.workspace_id = s.workspace_id AND p.id = s.id AND p.state = 5 AND s.ended",
                 {db::Array(workspaces), db::Array(posts), now})
      .status();
}

}  // namespace

StatusOr<std::vector<std::optional<Delivery>>> ApplyChanges(db::Tx& tx, const std::vector<Change>& changes, absl::Time now,
                                                            const EncodeDelivery& encode) {
  std::vector<std::optional<Delivery>> result(changes.size());
  if (changes.empty()) return result;
  PARVIS_RETURN_IF_ERROR(LockPosts(tx, changes));
  PARVIS_ASSIGN_OR_RETURN(auto current, LockRows(tx, changes));
  std::vector<Write> writes;
  std::vector<StreamRecord> events;
  std::vector<Delivery> parts;
  for (size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    const Key key{change.after.workspace_id, change.after.id};
    const auto at = current.find(key);
    if (at == current.end() || at->second.fence != change.fence) continue;
    Current& row = at->second;
    if (change.in_lane_order && row.behind) continue;
    if (std::find(change.from.begin(), change.from.end(), row.state) == change.from.end()) continue;
    Delivery after = change.after;
    // Being read back, or asked again, is no news to others.
    const bool visible = IsVisible(after.state) && (after.state != row.state || after.needs_human);
    after.sequence = row.sequence + (visible ? 1 : 0);
    writes.push_back({after, row.state, change.detail, change.actor});
    if (visible) events.push_back(encode({after, now}));
    row.fence = INT64_MIN;   // one change of a row per batch
    if (row.continues && after.state == DeliveryState::kDelivered) {
      if (auto next = NextOfThread(after, now)) parts.push_back(std::move(*next));
    }
    result[i] = std::move(after);
  }
  if (writes.empty()) return result;
  PARVIS_RETURN_IF_ERROR(WriteRows(tx, writes, now));
  if (!events.empty()) PARVIS_RETURN_IF_ERROR(db::OutboxTable::Append(tx, events));
  // Before the posts are looked at: one whose thread goes on has not ended.
  if (!parts.empty()) PARVIS_RETURN_IF_ERROR(InsertDeliveries(tx, parts, now, changes.front().actor, encode).status());
  PARVIS_RETURN_IF_ERROR(FinishPosts(tx, writes, now));
  return result;
}

}  // namespace parvis::publishing
