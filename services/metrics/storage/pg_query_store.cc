#include "metrics/storage/pg_query_store.h"

#include "metrics/storage/pg_fact_store.h"

namespace parvis::metrics {
namespace {

// Each step has its own sums: a day is one row per channel.
constexpr char kSumChannels[] =
    "SELECT start_time, sum(value) FROM channel_rollups WHERE workspace_id = $1 AND metric = $2 AND step_minutes = $3 "
    "AND start_time >= $4 AND start_time < $5 AND ($6::text = '' OR channel_id = nullif($6, '')::uuid) GROUP BY 1 "
    "ORDER BY 1";

// A campaign's deliveries carry its id; there are few.
constexpr char kSumDeliveries[] =
    "SELECT date_trunc($7, event_time, 'UTC'), count(*) FROM delivery_facts WHERE workspace_id = $1 AND campaign_id = "
    "$3 "
    "AND campaign_id <> '' AND delivery_metric(kind, state, thread_part) = $2 AND event_time >= $4 AND event_time < $5 "
    "AND ($6::text = '' OR channel_id = nullif($6, '')::uuid) GROUP BY 1 ORDER BY 1";

// The rest of a campaign is what hangs below its delivered posts. Which posts these are is asked now, because a comment
// may be folded before the delivery of its post.
#define PARVIS_METRICS_POSTS                                                                                          \
  "WITH posts AS (SELECT DISTINCT channel_id, remote_id FROM delivery_facts WHERE workspace_id = $1 AND campaign_id " \
  "= $3 "                                                                                                             \
  "AND campaign_id <> '' AND kind = 'post' AND state = 'delivered' AND remote_id <> '' "                              \
  "AND ($6::text = '' OR channel_id = nullif($6, '')::uuid)) "
constexpr char kSumPosts[] = PARVIS_METRICS_POSTS
    "SELECT date_trunc($7, r.hour, 'UTC'), sum(r.value) FROM posts p JOIN post_rollups r ON r.workspace_id = $1 "
    "AND r.channel_id = p.channel_id AND r.post_remote_id = p.remote_id WHERE r.metric = $2 AND r.hour >= $4 AND "
    "r.hour < $5 "
    "GROUP BY 1 ORDER BY 1";
constexpr char kCountActivities[] = PARVIS_METRICS_POSTS
    "SELECT date_trunc($7, a.occurred_time, 'UTC'), count(*) FROM posts p JOIN activity_facts a ON a.workspace_id = $1 "
    "AND a.channel_id = p.channel_id AND a.post_remote_id = p.remote_id WHERE a.occurred_time >= $4 AND "
    "a.occurred_time < $5 "
    "AND $2 = ANY (activity_metrics(a.kind, a.action, a.intent, a.by_us)) GROUP BY 1 ORDER BY 1";
constexpr char kCountConversations[] = PARVIS_METRICS_POSTS
    "SELECT date_trunc($7, c.event_time, 'UTC'), count(*) FROM posts p JOIN conversation_facts c ON c.workspace_id = "
    "$1 "
    "AND c.channel_id = p.channel_id AND c.post_remote_id = p.remote_id WHERE c.event_time >= $4 AND c.event_time < $5 "
    "AND conversation_metric(c.type) = $2 GROUP BY 1 ORDER BY 1";

// A thread counts by its first part; `broken` are those of which a later one did not make it.
constexpr char kPosts[] =
    "WITH latest AS (SELECT DISTINCT ON (delivery_id) post_id, channel_id, thread_part, network, state, due_time, "
    "delivered_time FROM delivery_facts "
    "WHERE workspace_id = $1 AND campaign_id = $2 AND campaign_id <> '' AND kind = 'post' ORDER BY delivery_id, "
    "sequence DESC), "
    "broken AS (SELECT DISTINCT post_id, channel_id, true AS broken FROM latest WHERE thread_part > 0 AND state IN "
    "('failed', 'expired')) "
    "SELECT coalesce(network, ''), count(*) FILTER (WHERE state <> 'cancelled'), count(*) FILTER (WHERE state = "
    "'delivered'), "
    "count(*) FILTER (WHERE state IN ('failed', 'expired')), count(*) FILTER (WHERE state = 'unknown'), "
    "count(*) FILTER (WHERE state IN ('scheduled', 'claimed', 'sent')), count(*) FILTER (WHERE state = 'cancelled'), "
    "percentile_disc(0.5) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM delivered_time - due_time))) FILTER "
    "(WHERE state = 'delivered'), "
    "percentile_disc(0.99) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM delivered_time - due_time))) FILTER "
    "(WHERE state = 'delivered'), count(*) FILTER (WHERE state = 'delivered' AND broken) "
    "FROM latest LEFT JOIN broken USING (post_id, channel_id) WHERE thread_part = 0 GROUP BY GROUPING SETS ((network), "
    "())";

// `theirs`: what people wrote or changed below the campaign's posts.
#define PARVIS_METRICS_THEIRS                                                                                         \
  "WITH posts AS (SELECT DISTINCT channel_id, remote_id FROM delivery_facts WHERE workspace_id = $1 AND campaign_id " \
  "= $2 "                                                                                                             \
  "AND campaign_id <> '' AND kind = 'post' AND state = 'delivered' AND remote_id <> ''), "                            \
  "theirs AS (SELECT a.* FROM posts p JOIN activity_facts a ON a.workspace_id = $1 AND a.channel_id = p.channel_id "  \
  "AND a.post_remote_id = p.remote_id WHERE NOT a.by_us AND a.kind IN ('comment', 'edit')) "

// One row per comment first: an edit adds what moderation did then.
constexpr char kComments[] = PARVIS_METRICS_THEIRS
    ", each AS (SELECT network, channel_id, remote_id, bool_or(action = 'hold') AS held, bool_or(action = 'hide') AS "
    "hidden, "
    "bool_or(action = 'delete') AS deleted, bool_or(action = 'escalate') AS escalated FROM theirs "
    "GROUP BY network, channel_id, remote_id HAVING bool_or(kind = 'comment')) "
    "SELECT coalesce(network, ''), count(*), count(*) FILTER (WHERE held), count(*) FILTER (WHERE hidden), "
    "count(*) FILTER (WHERE deleted), count(*) FILTER (WHERE escalated), count(*) FILTER (WHERE EXISTS (SELECT FROM "
    "delivery_facts d "
    "WHERE d.workspace_id = $1 AND d.channel_id = each.channel_id AND d.target_remote_id = each.remote_id AND d.kind = "
    "'reply' "
    "AND d.state = 'delivered')) FROM each GROUP BY GROUPING SETS ((network), ())";

constexpr char kReasons[] = PARVIS_METRICS_THEIRS
    ", each AS (SELECT DISTINCT ON (channel_id, remote_id, action) network, action, rules[1] AS rule FROM theirs "
    "WHERE action IN ('hold', 'hide', 'delete', 'escalate') ORDER BY channel_id, remote_id, action, occurred_time, "
    "fact_id) "
    "SELECT coalesce(network, ''), CASE action WHEN 'hold' THEN 'held' WHEN 'hide' THEN 'hidden' WHEN 'delete' THEN "
    "'deleted' "
    "ELSE 'escalated' END, coalesce(rule, ''), count(*) FROM each GROUP BY GROUPING SETS ((network, action, rule), "
    "(action, rule)) "
    "ORDER BY 4 DESC, 2, 3 LIMIT 10000";

constexpr char kConversations[] =
    "WITH posts AS (SELECT DISTINCT channel_id, remote_id FROM delivery_facts WHERE workspace_id = $1 AND campaign_id "
    "= $2 "
    "AND campaign_id <> '' AND kind = 'post' AND state = 'delivered' AND remote_id <> ''), "
    "latest AS (SELECT DISTINCT ON (c.conversation_id) c.network, c.first_message_time AS asked, c.first_response_time "
    "AS answered "
    "FROM posts p JOIN conversation_facts c ON c.workspace_id = $1 AND c.channel_id = p.channel_id AND "
    "c.post_remote_id = p.remote_id "
    "ORDER BY c.conversation_id, c.sequence DESC) "
    "SELECT coalesce(network, ''), count(*), count(answered), "
    "percentile_disc(0.5) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM answered - asked))) FILTER (WHERE "
    "answered IS NOT NULL), "
    "percentile_disc(0.9) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM answered - asked))) FILTER (WHERE "
    "answered IS NOT NULL) "
    "FROM latest WHERE asked IS NOT NULL GROUP BY GROUPING SETS ((network), ())";

constexpr char kCounters[] =
    "SELECT coalesce(c.network, ''), c.counter, sum(c.value)::bigint FROM (SELECT DISTINCT channel_id, remote_id FROM "
    "delivery_facts WHERE workspace_id = $1 AND campaign_id = $2 AND campaign_id <> '' AND kind = 'post' AND state = "
    "'delivered' AND remote_id <> '') AS p JOIN counters c ON c.workspace_id = $1 AND c.channel_id = p.channel_id "
    "AND c.post_remote_id = p.remote_id GROUP BY GROUPING SETS ((c.network, c.counter), (c.counter)) ORDER BY 1, 2";

constexpr char kFacts[] =
    "SELECT (SELECT count(*) FROM activity_facts WHERE workspace_id = $1) + (SELECT count(*) FROM delivery_facts WHERE "
    "workspace_id = $1) "
    "+ (SELECT count(*) FROM conversation_facts WHERE workspace_id = $1)";
// How the sums of one kind are compared with what they have to be, and replaced. In this order: hours follow from
// minutes that have been put right, days from such hours, so that the facts are read twice and not four times.
struct Stage {
  const char* compare;
  const char* clear;
  const char* fill;
};
#define PARVIS_METRICS_STAGE(table, expected, mine, key, columns, values)                                             \
  Stage {                                                                                                             \
    "SELECT count(e.value), count(*) FILTER (WHERE e.value IS DISTINCT FROM r.value) FROM (" expected                 \
    ") e "                                                                                                            \
    "FULL JOIN (SELECT * FROM " table " WHERE workspace_id = $1 " mine ") r USING (" key ")",                         \
        "DELETE FROM " table " WHERE workspace_id = $1 " mine,                                                        \
        "INSERT INTO " table " (workspace_id, " columns ", value) SELECT $1, " values ", value FROM (" expected ") e" \
  }
#define PARVIS_METRICS_COARSER(unit, finer)                                       \
  "SELECT metric, date_trunc('" unit                                              \
  "', start_time, 'UTC') AS start_time, channel_id, sum(value)::bigint AS value " \
  "FROM channel_rollups WHERE workspace_id = $1 AND step_minutes = " finer " GROUP BY 1, 2, 3"
#define PARVIS_METRICS_CHANNEL_STAGE(step, expected)                                                              \
  PARVIS_METRICS_STAGE("channel_rollups", expected, "AND step_minutes = " step, "metric, start_time, channel_id", \
                       "metric, step_minutes, start_time, channel_id", "metric, " step ", start_time, channel_id")
constexpr Stage kStages[] = {
    PARVIS_METRICS_CHANNEL_STAGE("1", "SELECT * FROM expected_minute_rollups WHERE workspace_id = $1"),
    PARVIS_METRICS_CHANNEL_STAGE("60", PARVIS_METRICS_COARSER("hour", "1")),
    PARVIS_METRICS_CHANNEL_STAGE("1440", PARVIS_METRICS_COARSER("day", "60")),
    PARVIS_METRICS_STAGE("post_rollups", "SELECT * FROM expected_post_rollups WHERE workspace_id = $1", "",
                         "channel_id, post_remote_id, metric, hour", "channel_id, post_remote_id, metric, hour",
                         "channel_id, post_remote_id, metric, hour")};
// A recount sums up a workspace's facts at once: without this it writes and reads them on disk several times over.
constexpr char kRoomToSum[] = "SELECT set_config('work_mem', '64MB', true)";

std::optional<absl::Duration> Seconds(const db::Rows& rows, int row, int column) {
  if (rows.IsNull(row, column)) return std::nullopt;
  return absl::Microseconds(static_cast<int64_t>(rows.Double(row, column) * 1e6 + 0.5));
}

}  // namespace

StatusOr<std::vector<Point>> PgQueryStore::Sum(const Call& call, const TimeseriesQuery& query) {
  const char* step = query.step == Step::kMinute ? "minute" : query.step == Step::kHour ? "hour" : "day";
  const int step_minutes = query.step == Step::kMinute ? 1 : query.step == Step::kHour ? 60 : 1440;
  const MetricSource source = SourceOf(query.metric);
  const bool minutes = query.step == Step::kMinute;
  std::vector<Point> points;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    points.clear();
    const auto read = [&](const char* sql, const std::vector<db::Param>& params) -> Status {
      PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, tx.Query(sql, params));
      for (int i = 0; i < rows.size(); ++i) points.push_back({rows.Time(i, 0), rows.Int(i, 1)});
      return absl::OkStatus();
    };
    if (query.campaign_id.empty()) {
      return read(kSumChannels,
                  {call.workspace_id, query.metric, step_minutes, query.start, query.end, query.channel_id});
    }
    const char* sql = source == MetricSource::kDeliveries   ? kSumDeliveries
                      : !minutes                            ? kSumPosts
                      : source == MetricSource::kActivities ? kCountActivities
                                                            : kCountConversations;
    return read(sql,
                {call.workspace_id, query.metric, query.campaign_id, query.start, query.end, query.channel_id, step});
  }));
  return points;
}

StatusOr<ReportStore::Figures> PgQueryStore::CampaignFigures(const Call& call, const std::string& campaign_id) {
  Figures figures;
  PARVIS_RETURN_IF_ERROR(api_.RunSnapshot(call, [&](db::Tx& tx) -> Status {
    figures = {};
    PARVIS_ASSIGN_OR_RETURN(const db::Rows posts, tx.Query(kPosts, {call.workspace_id, campaign_id}));
    for (int i = 0; i < posts.size(); ++i) {
      figures.posts.push_back({posts.Text(i, 0), posts.Int(i, 1), posts.Int(i, 2), posts.Int(i, 3), posts.Int(i, 4),
                               posts.Int(i, 5), posts.Int(i, 6), Seconds(posts, i, 7), Seconds(posts, i, 8),
                               posts.Int(i, 9)});
    }
    PARVIS_ASSIGN_OR_RETURN(const db::Rows comments, tx.Query(kComments, {call.workspace_id, campaign_id}));
    for (int i = 0; i < comments.size(); ++i) {
      figures.comments.push_back({comments.Text(i, 0), comments.Int(i, 1), comments.Int(i, 2), comments.Int(i, 3),
                                  comments.Int(i, 4), comments.Int(i, 5), comments.Int(i, 6)});
    }
    PARVIS_ASSIGN_OR_RETURN(const db::Rows reasons, tx.Query(kReasons, {call.workspace_id, campaign_id}));
    for (int i = 0; i < reasons.size(); ++i) {
      figures.reasons.push_back({reasons.Text(i, 0), reasons.Text(i, 1), reasons.Text(i, 2), reasons.Int(i, 3)});
    }
    PARVIS_ASSIGN_OR_RETURN(const db::Rows conversations, tx.Query(kConversations, {call.workspace_id, campaign_id}));
    for (int i = 0; i < conversations.size(); ++i) {
      figures.conversations.push_back({conversations.Text(i, 0), conversations.Int(i, 1), conversations.Int(i, 2),
                                       Seconds(conversations, i, 3), Seconds(conversations, i, 4)});
    }
    PARVIS_ASSIGN_OR_RETURN(const db::Rows counters, tx.Query(kCounters, {call.workspace_id, campaign_id}));
    for (int i = 0; i < counters.size(); ++i) {
      figures.counters.push_back({counters.Text(i, 0), counters.Text(i, 1), counters.Int(i, 2)});
    }
    return absl::OkStatus();
  }));
  return figures;
}

StatusOr<Recount> PgQueryStore::RecountRollups(const Call& call) {
  Recount recount;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(tx.Query(kOwnRollups).status());
    PARVIS_RETURN_IF_ERROR(tx.Query(kRoomToSum).status());
    PARVIS_ASSIGN_OR_RETURN(const db::Rows facts, tx.Query(kFacts, {call.workspace_id}));
    recount = {.facts = facts.Int(0, 0)};
    for (const Stage& stage : kStages) {
      PARVIS_ASSIGN_OR_RETURN(const db::Rows compared, tx.Query(stage.compare, {call.workspace_id}));
      recount.rollups += compared.Int(0, 0);
      recount.changed += compared.Int(0, 1);
      if (compared.Int(0, 1) == 0) continue;
      PARVIS_RETURN_IF_ERROR(tx.Query(stage.clear, {call.workspace_id}).status());
      PARVIS_RETURN_IF_ERROR(tx.Query(stage.fill, {call.workspace_id}).status());
    }
    return absl::OkStatus();
  }));
  return recount;
}

}  // namespace parvis::metrics
