#include "metrics/storage/pg_fact_store.h"

#include "platform/db/stream_tables.h"

namespace parvis::metrics {
namespace {

// Facts that are there already change nothing; the sums grow by those that are new. The sums are locked in the order of
// their key, so that two folds do not wait for each other in a circle.
constexpr char kInsertActivities[] =
    "INSERT INTO activity_facts (workspace_id, fact_id, channel_id, network, kind, remote_id, post_remote_id, "
    "occurred_time, by_us, action, rules, language, intent) "
    "SELECT w, f, c, n, k, r, p, t, u, a, string_to_array(l, E'\\n'), g, i FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], "
    "$4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::boolean[], $10::text[], $11::text[], "
    "$12::text[], $13::text[]) AS x (w, f, c, n, k, r, p, t, u, a, l, g, i) "
    "ON CONFLICT DO NOTHING RETURNING workspace_id, fact_id";
constexpr char kSumActivities[] =
    "INSERT INTO minute_rollups (workspace_id, metric, minute, channel_id, campaign_id, post_remote_id, value) "
    "SELECT c.workspace_id, c.metric, c.minute, c.channel_id, c.campaign_id, c.post_remote_id, count(*) "
    "FROM activity_counts c JOIN unnest($1::uuid[], $2::uuid[]) AS fresh (w, f) ON c.workspace_id = fresh.w AND c.fact_id = fresh.f "
    "GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6 "
    "ON CONFLICT (workspace_id, metric, minute, channel_id, campaign_id, post_remote_id) "
    "DO UPDATE SET value = minute_rollups.value + EXCLUDED.value";

constexpr char kInsertDeliveries[] =
    "INSERT INTO delivery_facts (workspace_id, delivery_id, sequence, channel_id, network, kind, state, campaign_id, post_id, "
    "target_remote_id, remote_id, due_time, delivered_time, event_time) "
    "SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], "
    "$9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[]) "
    "ON CONFLICT DO NOTHING RETURNING workspace_id, delivery_id, sequence";
constexpr char kSumDeliveries[] =
    "INSERT INTO minute_rollups (workspace_id, metric, minute, channel_id, campaign_id, post_remote_id, value) "
    "SELECT c.workspace_id, c.metric, c.minute, c.channel_id, c.campaign_id, c.post_remote_id, count(*) "
    "FROM delivery_counts c JOIN unnest($1::uuid[], $2::text[], $3::bigint[]) AS fresh (w, d, s) "
    "ON c.workspace_id = fresh.w AND c.delivery_id = fresh.d AND c.sequence = fresh.s "
    "GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6 "
    "ON CONFLICT (workspace_id, metric, minute, channel_id, campaign_id, post_remote_id) "
    "DO UPDATE SET value = minute_rollups.value + EXCLUDED.value";

constexpr char kInsertConversations[] =
    "INSERT INTO conversation_facts (workspace_id, event_id, sequence, type, event_time, conversation_id, channel_id, network, "
    "post_remote_id, member_id, first_message_time, first_response_time) "
    "SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::uuid[], $7::uuid[], "
    "$8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[]) "
    "ON CONFLICT DO NOTHING RETURNING workspace_id, event_id";
constexpr char kSumConversations[] =
    "INSERT INTO minute_rollups (workspace_id, metric, minute, channel_id, campaign_id, post_remote_id, value) "
    "SELECT c.workspace_id, c.metric, c.minute, c.channel_id, c.campaign_id, c.post_remote_id, count(*) "
    "FROM conversation_counts c JOIN unnest($1::uuid[], $2::text[]) AS fresh (w, e) ON c.workspace_id = fresh.w AND c.event_id = fresh.e "
    "GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6 "
    "ON CONFLICT (workspace_id, metric, minute, channel_id, campaign_id, post_remote_id) "
    "DO UPDATE SET value = minute_rollups.value + EXCLUDED.value";

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

std::vector<std::string> TextColumn(const db::Rows& rows, int column) {
  std::vector<std::string> values;
  values.reserve(rows.size());
  for (int i = 0; i < rows.size(); ++i) values.push_back(rows.Text(i, column));
  return values;
}

}  // namespace

Status PgFactStore::FoldActivities(const StreamPositions& positions, const std::vector<ActivityFact>& facts) {
  using F = ActivityFact;
  return stream_.Run(BackgroundCall("metrics"), [&](db::Tx& tx) -> Status {
    if (!facts.empty()) {
      PARVIS_RETURN_IF_ERROR(tx.Query(kShareRollups).status());
      PARVIS_ASSIGN_OR_RETURN(const db::Rows fresh, tx.Query(kInsertActivities, {
          Column(facts, [](const F& f) { return f.workspace_id; }), Column(facts, [](const F& f) { return f.fact_id; }),
          Column(facts, [](const F& f) { return f.channel_id; }), Column(facts, [](const F& f) { return f.network; }),
          Column(facts, [](const F& f) { return f.kind; }), Column(facts, [](const F& f) { return f.remote_id; }),
          Column(facts, [](const F& f) { return f.post_remote_id; }), Column(facts, [](const F& f) { return f.occurred_time; }),
          Column(facts, [](const F& f) { return f.by_us; }), Column(facts, [](const F& f) { return f.action; }),
          Column(facts, [](const F& f) { return Joined(f.rules); }), Column(facts, [](const F& f) { return f.language; }),
          Column(facts, [](const F& f) { return f.intent; })}));
      if (!fresh.empty()) {
        PARVIS_RETURN_IF_ERROR(tx.Query(kSumActivities, {db::Array(TextColumn(fresh, 0)), db::Array(TextColumn(fresh, 1))}).status());
      }
    }
    return db::OffsetTable::Advance(tx, positions);
  });
}

Status PgFactStore::FoldDeliveries(const StreamPositions& positions, const std::vector<DeliveryFact>& facts) {
  using F = DeliveryFact;
  return stream_.Run(BackgroundCall("metrics"), [&](db::Tx& tx) -> Status {
    if (!facts.empty()) {
      PARVIS_RETURN_IF_ERROR(tx.Query(kShareRollups).status());
      PARVIS_ASSIGN_OR_RETURN(const db::Rows fresh, tx.Query(kInsertDeliveries, {
          Column(facts, [](const F& f) { return f.workspace_id; }), Column(facts, [](const F& f) { return f.delivery_id; }),
          Column(facts, [](const F& f) { return f.sequence; }), Column(facts, [](const F& f) { return f.channel_id; }),
          Column(facts, [](const F& f) { return f.network; }), Column(facts, [](const F& f) { return f.kind; }),
          Column(facts, [](const F& f) { return f.state; }), Column(facts, [](const F& f) { return f.campaign_id; }),
          Column(facts, [](const F& f) { return f.post_id; }), Column(facts, [](const F& f) { return f.target_remote_id; }),
          Column(facts, [](const F& f) { return f.remote_id; }), Times(facts, &F::due_time), Times(facts, &F::delivered_time),
          Column(facts, [](const F& f) { return f.event_time; })}));
      if (!fresh.empty()) {
        std::vector<int64_t> sequences;
        for (int i = 0; i < fresh.size(); ++i) sequences.push_back(fresh.Int(i, 2));
        PARVIS_RETURN_IF_ERROR(tx.Query(kSumDeliveries, {db::Array(TextColumn(fresh, 0)), db::Array(TextColumn(fresh, 1)),
                                                         db::Array(sequences)}).status());
      }
    }
    return db::OffsetTable::Advance(tx, positions);
  });
}

Status PgFactStore::FoldConversations(const StreamPositions& positions, const std::vector<ConversationFact>& facts) {
  using F = ConversationFact;
  return stream_.Run(BackgroundCall("metrics"), [&](db::Tx& tx) -> Status {
    if (!facts.empty()) {
      PARVIS_RETURN_IF_ERROR(tx.Query(kShareRollups).status());
      PARVIS_ASSIGN_OR_RETURN(const db::Rows fresh, tx.Query(kInsertConversations, {
          Column(facts, [](const F& f) { return f.workspace_id; }), Column(facts, [](const F& f) { return f.event_id; }),
          Column(facts, [](const F& f) { return f.sequence; }), Column(facts, [](const F& f) { return f.type; }),
          Column(facts, [](const F& f) { return f.event_time; }), Column(facts, [](const F& f) { return f.conversation_id; }),
          Column(facts, [](const F& f) { return f.channel_id; }), Column(facts, [](const F& f) { return f.network; }),
          Column(facts, [](const F& f) { return f.post_remote_id; }), Column(facts, [](const F& f) { return f.member_id; }),
          Times(facts, &F::first_message_time), Times(facts, &F::first_response_time)}));
      if (!fresh.empty()) {
        PARVIS_RETURN_IF_ERROR(tx.Query(kSumConversations, {db::Array(TextColumn(fresh, 0)), db::Array(TextColumn(fresh, 1))}).status());
      }
    }
    return db::OffsetTable::Advance(tx, positions);
  });
}

}  // namespace parvis::metrics
