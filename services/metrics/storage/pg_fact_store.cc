#include "metrics/storage/pg_fact_store.h"

#include "platform/db/stream_tables.h"

namespace parvis::metrics {
namespace {

// Facts that are there already change nothing; the sums grow by those that are new, in the same statement: nothing is
// read back. One row per sum and batch, in the order of the key, posts before channels, so that two folds do not wait
// for each other in a circle (the main statement runs first, then the modifying WITH that nothing reads).
#define PARVIS_METRICS_ADD_CHANNELS                                                                            \
  "INSERT INTO channel_rollups (workspace_id, metric, step_minutes, start_time, channel_id, value) "           \
  "SELECT c.workspace_id, c.metric, s.step_minutes, s.start_time, c.channel_id, sum(c.number) FROM counted c " \
  "CROSS JOIN LATERAL (VALUES (1, c.minute), (60, date_trunc('hour', c.minute, 'UTC')), "                      \
  "(1440, date_trunc('day', c.minute, 'UTC'))) AS s (step_minutes, start_time) "                               \
  "GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5 "                                                             \
  "ON CONFLICT (workspace_id, metric, step_minutes, start_time, channel_id) "                                  \
  "DO UPDATE SET value = channel_rollups.value + EXCLUDED.value"
#define PARVIS_METRICS_ADD_POSTS                                                                             \
  "INSERT INTO post_rollups (workspace_id, channel_id, post_remote_id, metric, hour, value) "                \
  "SELECT workspace_id, channel_id, post_remote_id, metric, date_trunc('hour', minute, 'UTC'), sum(number) " \
  "FROM counted WHERE post_remote_id <> '' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5 "                   \
  "ON CONFLICT (workspace_id, channel_id, post_remote_id, metric, hour) "                                    \
  "DO UPDATE SET value = post_rollups.value + EXCLUDED.value"

constexpr char kFoldActivities[] =
    "WITH fresh AS (INSERT INTO activity_facts (workspace_id, fact_id, channel_id, network, kind, remote_id, "
    "post_remote_id, "
    "occurred_time, by_us, action, rules, language, intent) "
    "SELECT w, f, c, n, k, r, p, t, u, a, string_to_array(l, E'\\n'), g, i FROM unnest($1::uuid[], $2::uuid[], "
    "$3::uuid[], "
    "$4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::boolean[], $10::text[], $11::text[], "
    "$12::text[], $13::text[]) AS x (w, f, c, n, k, r, p, t, u, a, l, g, i) ON CONFLICT DO NOTHING "
    "RETURNING workspace_id, channel_id, post_remote_id, date_trunc('minute', occurred_time, 'UTC') AS minute, "
    "activity_metrics(kind, action, intent, by_us) AS metrics), "
    "counted AS (SELECT workspace_id, channel_id, post_remote_id, minute, metric, count(*) AS number FROM ("
    "SELECT workspace_id, channel_id, post_remote_id, minute, unnest(metrics) AS metric FROM fresh) AS counts "
    "GROUP BY 1, 2, 3, 4, 5), "
    "channels AS (" PARVIS_METRICS_ADD_CHANNELS ") " PARVIS_METRICS_ADD_POSTS;

constexpr char kFoldDeliveries[] =
    "WITH fresh AS (INSERT INTO delivery_facts (workspace_id, delivery_id, sequence, channel_id, network, kind, state, "
    "campaign_id, post_id, target_remote_id, remote_id, due_time, delivered_time, event_time, thread_part) "
    "SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[], "
    "$8::text[], "
    "$9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::integer[]) "
    "ON CONFLICT DO NOTHING "
    "RETURNING workspace_id, channel_id, date_trunc('minute', event_time, 'UTC') AS minute, delivery_metric(kind, "
    "state, thread_part) AS metric), "
    "counted AS (SELECT workspace_id, channel_id, minute, metric, count(*) AS number FROM fresh WHERE metric IS NOT "
    "NULL "
    "GROUP BY 1, 2, 3, 4) " PARVIS_METRICS_ADD_CHANNELS;

constexpr char kFoldConversations[] =
    "WITH fresh AS (INSERT INTO conversation_facts (workspace_id, event_id, sequence, type, event_time, "
    "conversation_id, "
    "channel_id, network, post_remote_id, member_id, first_message_time, first_response_time) "
    "SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::uuid[], $7::uuid[], "
    "$8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[]) ON CONFLICT DO NOTHING "
    "RETURNING workspace_id, channel_id, post_remote_id, date_trunc('minute', event_time, 'UTC') AS minute, "
    "conversation_metric(type) AS metric), "
    "counted AS (SELECT workspace_id, channel_id, post_remote_id, minute, metric, count(*) AS number FROM fresh "
    "WHERE metric IS NOT NULL GROUP BY 1, 2, 3, 4, 5), "
    "channels AS (" PARVIS_METRICS_ADD_CHANNELS ") " PARVIS_METRICS_ADD_POSTS;

// Of each counter the latest of the batch, if it is later than what is there.
constexpr char kFoldSamples[] =
    "WITH x AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], "
    "$7::timestamptz[]) AS x (w, c, p, k, n, v, t)), "
    "steps AS (INSERT INTO counter_steps AS s (workspace_id, channel_id, post_remote_id, counter, step_minutes, "
    "start_time, network, value, measured_time) "
    "SELECT DISTINCT ON (w, c, p, k, m, b) w, c, p, k, m, b, n, v, t FROM x CROSS JOIN LATERAL (VALUES "
    "(60, date_trunc('hour', t, 'UTC')), (1440, date_trunc('day', t, 'UTC'))) AS step (m, b) "
    "ORDER BY w, c, p, k, m, b, t DESC "
    "ON CONFLICT (workspace_id, channel_id, post_remote_id, counter, step_minutes, start_time) "
    "DO UPDATE SET value = excluded.value, measured_time = excluded.measured_time "
    "WHERE s.measured_time < excluded.measured_time) "
    "INSERT INTO counters AS l (workspace_id, channel_id, post_remote_id, counter, network, value, measured_time) "
    "SELECT DISTINCT ON (w, c, p, k) w, c, p, k, n, v, t FROM x ORDER BY w, c, p, k, t DESC "
    "ON CONFLICT (workspace_id, channel_id, post_remote_id, counter) "
    "DO UPDATE SET value = excluded.value, measured_time = excluded.measured_time "
    "WHERE l.measured_time < excluded.measured_time";

// A column of the facts as an array parameter.
template <class Fact, class Get>
db::Param Column(const std::vector<Fact>& facts, Get get) {
  using Value = std::decay_t<decltype(get(facts[0]))>;
  std::vector<Value> values;
  values.reserve(facts.size());
  for (const Fact& fact : facts) values.push_back(get(fact));
  return db::Array(values);
}

template <class Fact>
db::Param Times(const std::vector<Fact>& facts, std::optional<absl::Time> Fact::*member) {
  return Column(facts, [member](const Fact& f) {
    return (f.*member) ? db::Param(*(f.*member)).value : std::optional<std::string>();
  });
}

std::string Joined(const std::vector<std::string>& rules) {
  std::string out;
  for (const std::string& rule : rules) {
    if (!out.empty()) out += '\n';
    for (const char c : rule) out += c == '\n' ? ' ' : c;
  }
  return out;
}

// The position first: a zombie ends there. The sums last: rows that every fold of a channel changes are locked until
// the end.
Status Fold(db::Pool& stream, const StreamPositions& positions, const char* sql,
            const std::vector<db::Param>& columns) {
  return stream.Run(BackgroundCall("metrics"), [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(db::OffsetTable::Advance(tx, positions));
    if (columns.empty()) return absl::OkStatus();
    PARVIS_RETURN_IF_ERROR(tx.Query(kShareRollups).status());
    return tx.Query(sql, columns).status();
  });
}

}  // namespace

Status PgFactStore::FoldActivities(const StreamPositions& positions, const std::vector<ActivityFact>& facts) {
  using F = ActivityFact;
  if (facts.empty()) return Fold(stream_, positions, kFoldActivities, {});
  return Fold(
      stream_, positions, kFoldActivities,
      {Column(facts, [](const F& f) { return f.workspace_id; }), Column(facts, [](const F& f) { return f.fact_id; }),
       Column(facts, [](const F& f) { return f.channel_id; }), Column(facts, [](const F& f) { return f.network; }),
       Column(facts, [](const F& f) { return f.kind; }), Column(facts, [](const F& f) { return f.remote_id; }),
       Column(facts, [](const F& f) { return f.post_remote_id; }),
       Column(facts, [](const F& f) { return f.occurred_time; }), Column(facts, [](const F& f) { return f.by_us; }),
       Column(facts, [](const F& f) { return f.action; }), Column(facts, [](const F& f) { return Joined(f.rules); }),
       Column(facts, [](const F& f) { return f.language; }), Column(facts, [](const F& f) { return f.intent; })});
}

Status PgFactStore::FoldDeliveries(const StreamPositions& positions, const std::vector<DeliveryFact>& facts) {
  using F = DeliveryFact;
  if (facts.empty()) return Fold(stream_, positions, kFoldDeliveries, {});
  return Fold(
      stream_, positions, kFoldDeliveries,
      {Column(facts, [](const F& f) { return f.workspace_id; }),
       Column(facts, [](const F& f) { return f.delivery_id; }), Column(facts, [](const F& f) { return f.sequence; }),
       Column(facts, [](const F& f) { return f.channel_id; }), Column(facts, [](const F& f) { return f.network; }),
       Column(facts, [](const F& f) { return f.kind; }), Column(facts, [](const F& f) { return f.state; }),
       Column(facts, [](const F& f) { return f.campaign_id; }), Column(facts, [](const F& f) { return f.post_id; }),
       Column(facts, [](const F& f) { return f.target_remote_id; }),
       Column(facts, [](const F& f) { return f.remote_id; }), Times(facts, &F::due_time),
       Times(facts, &F::delivered_time), Column(facts, [](const F& f) { return f.event_time; }),
       Column(facts, [](const F& f) { return int64_t{f.thread_part}; })});
}

Status PgFactStore::FoldConversations(const StreamPositions& positions, const std::vector<ConversationFact>& facts) {
  using F = ConversationFact;
  if (facts.empty()) return Fold(stream_, positions, kFoldConversations, {});
  return Fold(
      stream_, positions, kFoldConversations,
      {Column(facts, [](const F& f) { return f.workspace_id; }), Column(facts, [](const F& f) { return f.event_id; }),
       Column(facts, [](const F& f) { return f.sequence; }), Column(facts, [](const F& f) { return f.type; }),
       Column(facts, [](const F& f) { return f.event_time; }),
       Column(facts, [](const F& f) { return f.conversation_id; }),
       Column(facts, [](const F& f) { return f.channel_id; }), Column(facts, [](const F& f) { return f.network; }),
       Column(facts, [](const F& f) { return f.post_remote_id; }),
       Column(facts, [](const F& f) { return f.member_id; }), Times(facts, &F::first_message_time),
       Times(facts, &F::first_response_time)});
}

Status PgFactStore::FoldSamples(const StreamPositions& positions, const std::vector<SampleFact>& samples) {
  struct Value {
    const SampleFact& of;
    const std::string& counter;
    int64_t value;
  };
  std::vector<Value> values;
  for (const SampleFact& sample : samples) {
    for (const auto& [counter, value] : sample.counters) values.push_back({sample, counter, value});
  }
  if (values.empty()) return Fold(stream_, positions, kFoldSamples, {});
  return Fold(stream_, positions, kFoldSamples,
              {Column(values, [](const Value& v) { return v.of.workspace_id; }),
               Column(values, [](const Value& v) { return v.of.channel_id; }),
               Column(values, [](const Value& v) { return v.of.post_remote_id; }),
               Column(values, [](const Value& v) { return v.counter; }),
               Column(values, [](const Value& v) { return v.of.network; }),
               Column(values, [](const Value& v) { return v.value; }),
               Column(values, [](const Value& v) { return v.of.measured_time; })});
}

}  // namespace parvis::metrics
