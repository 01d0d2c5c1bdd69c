#include "publishing/storage/rows.h"

#include <map>
#include <set>

#include "platform/db/stream_tables.h"

namespace parvis::publishing {

const char kDeliveryColumns[] =
    "d.workspace_id, d.id, d.channel_id, d.network, d.kind, d.state, d.campaign_id, d.post_id, d.generation, "
    "d.target_remote_id, d.post_remote_id, d.thread, d.content, d.command_id, d.requested_by, d.lane, "
    "d.due_time, d.ready_time, d.expire_time, d.sent_time, d.first_sent_time, d.delivered_time, d.check_time, "
    "d.fence, d.attempts, d.tries, d.empty_reads, d.resends, d.reconciling, d.needs_human, d.sequence, "
    "d.remote_id, d.permalink, d.error_reason, d.error_message, d.settle_request_id, d.target_author_id";

Delivery ReadDelivery(const db::Rows& rows, int row) {
  Delivery d;
  int c = 0;
  d.workspace_id = rows.Text(row, c++);
  d.id = rows.Text(row, c++);
  d.channel_id = rows.Text(row, c++);
  d.network = rows.Text(row, c++);
  d.kind = static_cast<DeliveryKind>(rows.Int(row, c++));
  d.state = static_cast<DeliveryState>(rows.Int(row, c++));
  d.campaign_id = rows.Text(row, c++);
  d.post_id = rows.Text(row, c++);
  d.generation = static_cast<int>(rows.Int(row, c++));
  d.target_remote_id = rows.Text(row, c++);
  d.post_remote_id = rows.Text(row, c++);
  d.thread = rows.Text(row, c++);
  d.content = DecodeContent(rows.View(row, c++));
  d.command_id = rows.Text(row, c++);
  d.requested_by = rows.Text(row, c++);
  d.lane = rows.Text(row, c++);
  d.due_time = rows.Time(row, c++);
  d.ready_time = rows.Time(row, c++);
  d.expire_time = rows.Time(row, c++);
  d.sent_time = rows.Time(row, c++);
  d.first_sent_time = rows.Time(row, c++);
  d.delivered_time = rows.Time(row, c++);
  d.check_time = rows.Time(row, c++);
  d.fence = rows.Int(row, c++);
  d.attempts = static_cast<int>(rows.Int(row, c++));
  d.tries = static_cast<int>(rows.Int(row, c++));
  d.empty_reads = static_cast<int>(rows.Int(row, c++));
  d.resends = static_cast<int>(rows.Int(row, c++));
  d.reconciling = rows.Bool(row, c++);
  d.needs_human = rows.Bool(row, c++);
  d.sequence = rows.Int(row, c++);
  d.remote_id = rows.Text(row, c++);
  d.permalink = rows.Text(row, c++);
  d.error_reason = rows.Text(row, c++);
  d.error_message = rows.Text(row, c++);
  d.settle_request_id = rows.Text(row, c++);
  d.target_author_id = rows.Text(row, c++);
  return d;
}

Status InsertSteps(db::Tx& tx, const std::vector<Step>& steps) {
  if (steps.empty()) return absl::OkStatus();
  std::vector<std::string> workspaces, ids, details, actors;
  std::vector<int64_t> numbers, froms, tos, attempts;
  std::vector<absl::Time> times;
  for (const Step& step : steps) {
    workspaces.push_back(step.workspace_id);
    ids.push_back(step.delivery_id);
    numbers.push_back(step.transition.number);
    times.push_back(step.transition.time);
    froms.push_back(static_cast<int64_t>(step.transition.from));
    tos.push_back(static_cast<int64_t>(step.transition.to));
    attempts.push_back(step.transition.attempt);
    details.push_back(step.transition.detail);
    actors.push_back(step.transition.actor);
  }
  return tx.Exec("INSERT INTO delivery_transitions SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], "
                 "$4::timestamptz[], $5::smallint[], $6::smallint[], $7::integer[], $8::text[], $9::text[])",
                 {db::Array(workspaces), db::Array(ids), db::Array(numbers), db::Array(times), db::Array(froms),
                  db::Array(tos), db::Array(attempts), db::Array(details), db::Array(actors)})
      .status();
}

StatusOr<int> InsertDeliveries(db::Tx& tx, const std::vector<Delivery>& deliveries, absl::Time now,
                               const std::string& actor, const EncodeDelivery& encode) {
  if (deliveries.empty()) return 0;
  std::vector<std::string> ws, ids, channels, networks, campaigns, posts, targets, post_remotes, threads, contents, commands,
      requesters, lanes, reasons, messages, authors;
  std::vector<int64_t> shards, kinds, states, generations;
  std::vector<absl::Time> dues, readies, expires;
  for (const Delivery& d : deliveries) {
    ws.push_back(d.workspace_id), ids.push_back(d.id), channels.push_back(d.channel_id), networks.push_back(d.network);
    campaigns.push_back(d.campaign_id), posts.push_back(d.post_id), targets.push_back(d.target_remote_id);
    post_remotes.push_back(d.post_remote_id), threads.push_back(d.thread), contents.push_back(EncodeContent(d.content));
    commands.push_back(d.command_id), requesters.push_back(d.requested_by), lanes.push_back(d.lane);
    reasons.push_back(d.error_reason), messages.push_back(d.error_message), authors.push_back(d.target_author_id);
    shards.push_back(ShardOf(d.channel_id)), kinds.push_back(static_cast<int64_t>(d.kind));
    states.push_back(static_cast<int64_t>(d.state)), generations.push_back(d.generation);
    dues.push_back(d.due_time), readies.push_back(d.ready_time), expires.push_back(d.expire_time);
  }
  PARVIS_ASSIGN_OR_RETURN(
      const db::Rows rows,
      tx.Query("INSERT INTO deliveries AS d SELECT v.ws, v.id, v.channel, v.shard, v.network, v.kind, v.state, "
               "nullif(v.campaign, '')::uuid, nullif(v.post, '')::uuid, v.generation, v.target, v.post_remote, v.thread, "
               "v.content::jsonb, v.command, v.requester, v.lane, v.due, v.ready, v.expire, '-infinity', '-infinity', "
               "'-infinity', 'infinity', 0, 0, 0, 0, 0, false, false, 1, 1, '', '', v.reason, v.message, '', v.author "
               "FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[], $5::text[], $6::smallint[], $7::smallint[], "
               "$8::text[], $9::text[], $10::integer[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], "
               "$16::text[], $17::text[], $18::timestamptz[], $19::timestamptz[], $20::timestamptz[], $21::text[], "
               "$22::text[], $23::text[]) AS v (ws, id, channel, shard, network, kind, state, campaign, post, generation, target, "
               "post_remote, thread, content, command, requester, lane, due, ready, expire, reason, message, author) "
               "ON CONFLICT DO NOTHING RETURNING d.id",
               {db::Array(ws), db::Array(ids), db::Array(channels), db::Array(shards), db::Array(networks),
                db::Array(kinds), db::Array(states), db::Array(campaigns), db::Array(posts), db::Array(generations),
                db::Array(targets), db::Array(post_remotes), db::Array(threads), db::Array(contents), db::Array(commands),
                db::Array(requesters), db::Array(lanes), db::Array(dues), db::Array(readies), db::Array(expires),
                db::Array(reasons), db::Array(messages), db::Array(authors)}));
  std::set<std::string> inserted;
  for (int i = 0; i < rows.size(); ++i) inserted.insert(rows.Text(i, 0));
  std::vector<Step> steps;
  std::vector<StreamRecord> events;
  for (const Delivery& d : deliveries) {
    if (inserted.erase(d.id) == 0) continue;   // erase: a batch may hold the same command twice
    Delivery stored = d;
    stored.sequence = 1;
    events.push_back(encode({stored, now}));
    const std::string detail = d.state == DeliveryState::kScheduled ? "accepted" : d.error_reason + ": " + d.error_message;
    steps.push_back({d.workspace_id, d.id, {1, now, DeliveryState::kNone, d.state, 0, detail, actor}});
  }
  PARVIS_RETURN_IF_ERROR(InsertSteps(tx, steps));
  PARVIS_RETURN_IF_ERROR(events.empty() ? absl::OkStatus() : db::OutboxTable::Append(tx, events));
  return static_cast<int>(steps.size());
}

}  // namespace parvis::publishing
