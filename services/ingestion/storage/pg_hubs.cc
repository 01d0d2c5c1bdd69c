#include "ingestion/storage/pg_hubs.h"

#include "ingestion/storage/source_rows.h"

namespace parvis::ingestion {
namespace {

Status Fenced() {
  return MakeError(Code::kAborted, "FENCED",
                   "the claim ran out and somebody else has the subscription, or it has gone");
}

Status Unknown() {
  return MakeError(Code::kNotFound, "SUBSCRIPTION_UNKNOWN", "we have not asked the hub for this, or not lately");
}

Call Background() { return BackgroundCall("ingestion"); }

int64_t Ms(absl::Duration d) { return absl::ToInt64Milliseconds(d); }

}  // namespace

StatusOr<std::vector<ClaimedSubscription>> PgHubStore::Claim(const std::vector<std::string>& networks, int limit,
                                                             absl::Duration lease) {
  std::vector<ClaimedSubscription> claimed;
  PARVIS_RETURN_IF_ERROR(stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    claimed.clear();
    PARVIS_RETURN_IF_ERROR(
        tx.Exec("INSERT INTO hub_subscriptions (workspace_id, channel_id) SELECT s.workspace_id, s.channel_id "
                "FROM sources s WHERE s.state = 'active' AND s.network = ANY($1::text[]) AND NOT EXISTS (SELECT "
                "FROM hub_subscriptions h WHERE h.workspace_id = s.workspace_id AND h.channel_id = s.channel_id) "
                "ON CONFLICT DO NOTHING",
                {db::Array(networks)})
            .status());
    PARVIS_RETURN_IF_ERROR(tx.Exec("DELETE FROM hub_subscriptions h USING sources s WHERE s.workspace_id = "
                                   "h.workspace_id AND s.channel_id = h.channel_id AND s.state = 'detached' "
                                   "AND (h.lease_end IS NULL OR h.lease_end < now())")
                               .status());
    PARVIS_ASSIGN_OR_RETURN(
        db::Rows rows,
        tx.Query("UPDATE hub_subscriptions h SET claimed_until = now() + $3 * interval '1 ms', "
                 "claim_token = h.claim_token + 1 FROM sources s, (SELECT q.workspace_id, q.channel_id "
                 "FROM hub_subscriptions q JOIN sources i USING (workspace_id, channel_id) "
                 "WHERE i.network = ANY($1::text[]) AND i.state IN ('active', 'detached') "
                 "AND (q.claimed_until IS NULL OR q.claimed_until < now()) AND (q.next_try <= now() "
                 "OR q.asked = CASE i.state WHEN 'active' THEN 'unsubscribe' ELSE 'subscribe' END) "
                 "ORDER BY q.next_try LIMIT $2 FOR UPDATE OF q SKIP LOCKED) AS chosen "
                 "WHERE h.workspace_id = chosen.workspace_id AND h.channel_id = chosen.channel_id "
                 "AND s.workspace_id = chosen.workspace_id AND s.channel_id = chosen.channel_id "
                 "RETURNING " PARVIS_SOURCE_COLUMNS ", h.claim_token, h.hub, h.topic, h.tells_all, h.failures",
                 {db::Array(networks), limit, Ms(lease)}));
    for (int i = 0; i < rows.size(); ++i) {
      ClaimedSubscription one{.source = ToSource(rows, i), .token = rows.Int(i, kSourceColumns), .hub = {}};
      one.hub = {rows.Text(i, kSourceColumns + 1), rows.Text(i, kSourceColumns + 2), rows.Bool(i, kSourceColumns + 3)};
      one.leaving = one.source.state == SourceState::kDetached;
      one.failures = static_cast<int>(rows.Int(i, kSourceColumns + 4));
      claimed.push_back(std::move(one));
    }
    return absl::OkStatus();
  }));
  return claimed;
}

Status PgHubStore::Change(const Status& otherwise, const char* sql, std::vector<db::Param> params) {
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query(sql, params));
    return rows.affected() == 1 ? absl::OkStatus() : otherwise;
  });
}

Status PgHubStore::Ask(const ClaimedSubscription& claimed, const HubChoice& hub, absl::Duration answer_in) {
  const Binding& binding = claimed.source.binding;
  return Change(Fenced(),
                "UPDATE hub_subscriptions SET hub = $4, topic = $5, tells_all = $6, asked = $7, "
                "answer_until = now() + $8 * interval '1 ms' "
                "WHERE workspace_id = $1 AND channel_id = $2 AND claim_token = $3",
                {binding.workspace_id, binding.channel_id, claimed.token, hub.url, hub.topic, hub.tells_all,
                 claimed.leaving ? "unsubscribe" : "subscribe", Ms(answer_in)});
}

Status PgHubStore::Release(const ClaimedSubscription& claimed, const SubscriptionEnd& end) {
  const Binding& binding = claimed.source.binding;
  // A hub that has asked back, or denied, meanwhile has set the time of the next try and the reason.
  return Change(Fenced(),
                "UPDATE hub_subscriptions SET claimed_until = NULL, "
                "next_try = CASE WHEN silent THEN now() + $4 * interval '1 ms' ELSE next_try END, "
                "failures = CASE WHEN silent THEN $5 ELSE failures END, "
                "reason = CASE WHEN silent THEN $6 ELSE reason END, message = CASE WHEN silent THEN $7 ELSE message END "
                "FROM (SELECT workspace_id AS w, channel_id AS c, answer_until IS NOT NULL OR $6 <> 'HUB_SILENT' AS "
                "silent FROM hub_subscriptions WHERE workspace_id = $1 AND channel_id = $2) AS was "
                "WHERE workspace_id = was.w AND channel_id = was.c AND claim_token = $3",
                {binding.workspace_id, binding.channel_id, claimed.token, Ms(end.next_in), end.failures, end.reason,
                 end.message});
}

Status PgHubStore::Confirm(const Binding& binding, const HubConfirmation& confirmation) {
  if (!confirmation.subscribe) {
    return Change(Unknown(),
                  "DELETE FROM hub_subscriptions WHERE workspace_id = $1 AND channel_id = $2 AND topic = $3 "
                  "AND asked = 'unsubscribe' AND answer_until >= now()",
                  {binding.workspace_id, binding.channel_id, confirmation.topic});
  }
  return Change(Unknown(),
                "UPDATE hub_subscriptions SET answer_until = NULL, lease_end = now() + $4 * interval '1 ms', "
                "next_try = now() + $5 * interval '1 ms', failures = 0, reason = '', message = '' "
                "WHERE workspace_id = $1 AND channel_id = $2 AND topic = $3 AND asked = 'subscribe' "
                "AND answer_until >= now()",
                {binding.workspace_id, binding.channel_id, confirmation.topic, Ms(confirmation.lease),
                 Ms(confirmation.renew_in)});
}

Status PgHubStore::Deny(const Binding& binding, const std::string& topic, const std::string& message,
                        absl::Duration retry_in) {
  return Change(Unknown(),
                "UPDATE hub_subscriptions SET answer_until = NULL, lease_end = NULL, reason = 'HUB_DENIED', "
                "message = $4, next_try = now() + $5 * interval '1 ms' "
                "WHERE workspace_id = $1 AND channel_id = $2 AND topic = $3 AND asked <> ''",
                {binding.workspace_id, binding.channel_id, topic, message, Ms(retry_in)});
}

}  // namespace parvis::ingestion
