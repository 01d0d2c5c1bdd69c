// What networks count, from PostgreSQL.
#include <map>

#include "metrics/storage/pg_query_store.h"

namespace parvis::metrics {
namespace {

// Whose counters, with the same parameters: $1 workspace, $2 of posts or of channels, $3 channel, $4 post, $5 campaign.
#define PARVIS_METRICS_CHOSEN                                                                 \
  "(c.post_remote_id <> '') = $2 AND ($3::text = '' OR c.channel_id = nullif($3, '')::uuid) " \
  "AND ($4::text = '' OR c.post_remote_id = $4) "
#define PARVIS_METRICS_SUBJECTS                                                               \
  "WITH subjects AS (SELECT c.* FROM counters c WHERE c.workspace_id = $1 AND $5::text = '' " \
  "AND " PARVIS_METRICS_CHOSEN ") "
#define PARVIS_METRICS_CAMPAIGN_SUBJECTS                                                                              \
  "WITH posts AS (SELECT DISTINCT channel_id, remote_id FROM delivery_facts WHERE workspace_id = $1 AND campaign_id " \
  "= $5 AND campaign_id <> '' AND kind = 'post' AND state = 'delivered' AND remote_id <> ''), "                       \
  "subjects AS (SELECT c.* FROM posts p JOIN counters c ON c.workspace_id = $1 AND c.channel_id = p.channel_id "      \
  "AND c.post_remote_id = p.remote_id WHERE " PARVIS_METRICS_CHOSEN ") "

#define PARVIS_METRICS_LATEST                                                                                          \
  "SELECT network, counter, sum(value)::bigint, count(*), max(measured_time) FROM subjects GROUP BY 1, 2 ORDER BY 1, " \
  "2"

// What each stood at before the range began, and at each step of it; then by how much that differs from the one before,
// added up. $6 step in minutes, $7 start, $8 end.
#define PARVIS_METRICS_OF_SUBJECT                                                                              \
  "t.workspace_id = $1 AND t.channel_id = u.channel_id AND t.post_remote_id = u.post_remote_id AND t.counter " \
  "= u.counter AND t.step_minutes = $6 "
#define PARVIS_METRICS_CHANGES                                                                                     \
  ", levels AS (SELECT u.*, b.value AS level, '-infinity'::timestamptz AS at FROM subjects u CROSS JOIN LATERAL (" \
  "SELECT t.value FROM counter_steps t WHERE " PARVIS_METRICS_OF_SUBJECT                                           \
  "AND t.start_time < $7 ORDER BY t.start_time DESC LIMIT 1) AS b "                                                \
  "UNION ALL SELECT u.*, t.value, t.start_time FROM subjects u JOIN counter_steps t ON " PARVIS_METRICS_OF_SUBJECT \
  "AND t.start_time >= $7 AND t.start_time < $8), "                                                                \
  "changes AS (SELECT network, counter, at, level - lag(level, 1, 0::bigint) OVER (PARTITION BY channel_id, "      \
  "post_remote_id, counter ORDER BY at) AS change FROM levels) "                                                   \
  "SELECT network, counter, at, sum(change)::bigint FROM changes GROUP BY 1, 2, 3 HAVING sum(change) <> 0 "        \
  "ORDER BY 1, 2, 3"

}  // namespace

StatusOr<std::vector<CounterSeries>> PgQueryStore::Counters(const Call& call, const CounterQuery& query) {
  const bool campaign = !query.campaign_id.empty();
  const std::vector<db::Param> subjects = {call.workspace_id, query.subject == CounterSubject::kPosts, query.channel_id,
                                           query.post_remote_id, query.campaign_id};
  std::vector<CounterSeries> series;
  PARVIS_RETURN_IF_ERROR(api_.RunSnapshot(call, [&](db::Tx& tx) -> Status {
    series.clear();
    PARVIS_ASSIGN_OR_RETURN(const db::Rows latest,
                            tx.Query(campaign ? PARVIS_METRICS_CAMPAIGN_SUBJECTS PARVIS_METRICS_LATEST
                                              : PARVIS_METRICS_SUBJECTS PARVIS_METRICS_LATEST,
                                     subjects));
    std::map<std::pair<std::string, std::string>, size_t> places;
    for (int i = 0; i < latest.size(); ++i) {
      places[{latest.Text(i, 0), latest.Text(i, 1)}] = series.size();
      series.push_back({.network = latest.Text(i, 0),
                        .counter = latest.Text(i, 1),
                        .value = latest.Int(i, 2),
                        .subjects = latest.Int(i, 3),
                        .measured = latest.Time(i, 4),
                        .points = {}});
    }
    if (!query.range || series.empty()) return absl::OkStatus();
    std::vector<db::Param> in_range = subjects;
    in_range.insert(in_range.end(),
                    {query.range->step == Step::kHour ? 60 : 1440, query.range->start, query.range->end});
    PARVIS_ASSIGN_OR_RETURN(const db::Rows changes,
                            tx.Query(campaign ? PARVIS_METRICS_CAMPAIGN_SUBJECTS PARVIS_METRICS_CHANGES
                                              : PARVIS_METRICS_SUBJECTS PARVIS_METRICS_CHANGES,
                                     in_range));
    for (int i = 0; i < changes.size(); ++i) {
      const auto place = places.find({changes.Text(i, 0), changes.Text(i, 1)});
      if (place != places.end()) series[place->second].points.push_back({changes.Time(i, 2), changes.Int(i, 3)});
    }
    return absl::OkStatus();
  }));
  return series;
}

}  // namespace parvis::metrics
