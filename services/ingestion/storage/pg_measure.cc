#include "ingestion/storage/pg_measure.h"

#include "platform/db/stream_tables.h"

namespace parvis::ingestion {
namespace {

#define HOST "coalesce(nullif(s.host, ''), s.network)"
// $1: kPlannedMax in milliseconds. A time beyond it was written before the clock was set back.
#define DUE_TIME "greatest(m.due_time, m.paused_until)"
#define DUE_CHANNELS                                                                              \
  "measured_channels m JOIN sources s USING (workspace_id, channel_id) WHERE s.state = 'active' " \
  "AND m.due_time IS NOT NULL AND (" DUE_TIME " <= now() OR " DUE_TIME                            \
  " > now() + $1 * interval '1 ms') "                                                             \
  "AND (m.lease_until IS NULL OR m.lease_until < now())"
#define LATE_MS "greatest(0, extract(epoch FROM now() - " DUE_TIME ") * 1000)::bigint"

constexpr char kFollow[] =
    "INSERT INTO measured_posts (workspace_id, channel_id, post_remote_id, published_time, next_measure) "
    "SELECT DISTINCT ON (w, c, p) w, c, p, t, now() + ms * interval '1 ms' "
    "FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::bigint[]) AS x (w, c, p, t, ms) "
    "ORDER BY w, c, p ON CONFLICT DO NOTHING";
constexpr char kFollowChannels[] =
    "INSERT INTO measured_channels AS m (workspace_id, channel_id, due_time) "
    "SELECT w, c, now() + min(ms) * interval '1 ms' FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS x (w, c, ms) "
    "GROUP BY w, c ORDER BY w, c "
    "ON CONFLICT (workspace_id, channel_id) DO UPDATE SET due_time = least(m.due_time, excluded.due_time)";
constexpr char kUnfollow[] =
    "UPDATE measured_posts p SET next_measure = NULL FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS x (w, c, r) "
    "WHERE p.workspace_id = x.w AND p.channel_id = x.c AND p.post_remote_id = x.r";

constexpr char kAddChannels[] =
    "INSERT INTO measured_channels AS m (workspace_id, channel_id, own_time, due_time) "
    "SELECT workspace_id, channel_id, at, at FROM (SELECT s.workspace_id, s.channel_id, "
    "now() + random() * $2 * interval '1 ms' AS at FROM sources s WHERE s.state = 'active' AND s.network = ANY($1) "
    "AND NOT EXISTS (SELECT FROM measured_channels k WHERE k.workspace_id = s.workspace_id "
    "AND k.channel_id = s.channel_id AND k.own_time IS NOT NULL) ORDER BY 1, 2) AS fresh "
    "ON CONFLICT (workspace_id, channel_id) DO UPDATE SET own_time = excluded.own_time, "
    "due_time = least(m.due_time, excluded.due_time) WHERE m.own_time IS NULL";

// Fairly: the first of every workspace, then the second of each.
constexpr char kClaim[] =
    "WITH due AS (SELECT m.workspace_id, m.channel_id, " DUE_TIME
    " AS due_at, row_number() OVER "
    "(PARTITION BY m.workspace_id ORDER BY " DUE_TIME ") AS place FROM " DUE_CHANNELS " AND NOT " HOST
    " = ANY($2)), "
    "chosen AS (SELECT workspace_id, channel_id FROM due ORDER BY place, due_at LIMIT $3), "
    "taken AS (SELECT m.workspace_id, m.channel_id, s.network, " HOST " AS host, s.credentials_version, " LATE_MS
    " AS late_ms FROM " DUE_CHANNELS
    " AND (m.workspace_id, m.channel_id) IN (SELECT * FROM chosen) "
    "FOR UPDATE OF m SKIP LOCKED) "
    "UPDATE measured_channels m SET lease_until = now() + $4 * interval '1 ms', lease_token = m.lease_token + 1 "
    "FROM taken t WHERE m.workspace_id = t.workspace_id AND m.channel_id = t.channel_id "
    "RETURNING m.workspace_id, m.channel_id, t.network, t.host, t.credentials_version, "
    "coalesce(m.own_time <= now() OR m.own_time > now() + $1 * interval '1 ms', false), m.failures, m.lease_token, "
    "t.late_ms";
constexpr char kDuePosts[] =
    "SELECT c.place, p.post_remote_id, p.published_time, p.misses "
    "FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS c (w, c, place) CROSS JOIN LATERAL ("
    "SELECT * FROM measured_posts d WHERE d.workspace_id = c.w AND d.channel_id = c.c AND d.next_measure IS NOT NULL "
    "AND (d.next_measure <= now() + $3 * interval '1 ms' OR d.next_measure > now() + $4 * interval '1 ms') "
    "ORDER BY d.next_measure LIMIT $5) AS p ORDER BY c.place, p.next_measure";

// The row first, in a statement of its own: a post that is followed meanwhile either waits for us or is seen by the
// next.
constexpr char kOwn[] =
    "SELECT 1 FROM measured_channels WHERE workspace_id = $1 AND channel_id = $2 AND lease_token = $3 FOR UPDATE";
constexpr char kMovePosts[] =
    "UPDATE measured_posts p SET next_measure = now() + x.ms * interval '1 ms', misses = x.misses "
    "FROM unnest($3::text[], $4::bigint[], $5::bigint[]) AS x (r, ms, misses) "
    "WHERE p.workspace_id = $1 AND p.channel_id = $2 AND p.post_remote_id = x.r AND p.next_measure IS NOT NULL";
constexpr char kRelease[] =
    "UPDATE measured_channels m SET own_time = coalesce(now() + $3 * interval '1 ms', m.own_time), failures = $4, "
    "paused_until = now() + $5 * interval '1 ms', lease_until = NULL, "
    "due_time = least(coalesce(now() + $3 * interval '1 ms', m.own_time), (SELECT min(p.next_measure) "
    "FROM measured_posts p WHERE p.workspace_id = $1 AND p.channel_id = $2 AND p.next_measure IS NOT NULL)) "
    "WHERE m.workspace_id = $1 AND m.channel_id = $2";

int64_t Ms(absl::Duration duration) { return absl::ToInt64Milliseconds(duration); }
Call Background() { return BackgroundCall("ingestion"); }

// What a batch changes, in columns.
struct Columns {
  std::vector<std::string> workspaces, channels, posts;
  std::vector<absl::Time> published;
  std::vector<int64_t> first_ms;
  void Add(const PostChange& change) {
    workspaces.push_back(change.binding.workspace_id);
    channels.push_back(change.binding.channel_id);
    posts.push_back(change.post_remote_id);
    published.push_back(change.published);
    first_ms.push_back(change.deleted ? 0 : Ms(change.first_in));
  }
};

}  // namespace

Status PgMeasureStore::Follow(const StreamPositions& positions, const std::vector<PostChange>& changes) {
  Columns followed, ended;
  for (const PostChange& change : changes) (change.deleted ? ended : followed).Add(change);
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(db::OffsetTable::Advance(tx, positions));
    if (!followed.posts.empty()) {
      PARVIS_RETURN_IF_ERROR(
          tx.Exec(kFollow, {db::Array(followed.workspaces), db::Array(followed.channels), db::Array(followed.posts),
                            db::Array(followed.published), db::Array(followed.first_ms)})
              .status());
      PARVIS_RETURN_IF_ERROR(tx.Exec(kFollowChannels, {db::Array(followed.workspaces), db::Array(followed.channels),
                                                       db::Array(followed.first_ms)})
                                 .status());
    }
    if (ended.posts.empty()) return absl::OkStatus();
    return tx.Exec(kUnfollow, {db::Array(ended.workspaces), db::Array(ended.channels), db::Array(ended.posts)})
        .status();
  });
}

Status PgMeasureStore::AddChannels(const std::vector<std::string>& networks, absl::Duration spread) {
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    return tx.Exec(kAddChannels, {db::Array(networks), Ms(spread)}).status();
  });
}

Status PgMeasureStore::Forget(absl::Time published_before) {
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    return tx.Exec("DELETE FROM measured_posts WHERE next_measure IS NULL AND published_time < $1", {published_before})
        .status();
  });
}

StatusOr<std::vector<MeasureJob>> PgMeasureStore::Claim(int limit, int batch, absl::Duration early,
                                                        absl::Duration lease,
                                                        const std::vector<std::string>& paused_hosts) {
  std::vector<MeasureJob> jobs;
  PARVIS_RETURN_IF_ERROR(stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    jobs.clear();
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows,
                            tx.Query(kClaim, {Ms(kPlannedMax), db::Array(paused_hosts), limit, Ms(lease)}));
    std::vector<std::string> workspaces, channels;
    for (int i = 0; i < rows.size(); ++i) {
      jobs.push_back({.binding = {rows.Text(i, 0), rows.Text(i, 1)},
                      .network = rows.Text(i, 2),
                      .host = rows.Text(i, 3),
                      .credentials_version = rows.Int(i, 4),
                      .own = rows.Bool(i, 5),
                      .posts = {},
                      .failures = static_cast<int>(rows.Int(i, 6)),
                      .token = rows.Int(i, 7),
                      .late = absl::Milliseconds(rows.Int(i, 8))});
      workspaces.push_back(rows.Text(i, 0));
      channels.push_back(rows.Text(i, 1));
    }
    if (jobs.empty()) return absl::OkStatus();
    PARVIS_ASSIGN_OR_RETURN(db::Rows posts, tx.Query(kDuePosts, {db::Array(workspaces), db::Array(channels), Ms(early),
                                                                 Ms(kPlannedMax), batch}));
    for (int i = 0; i < posts.size(); ++i) {
      jobs[static_cast<size_t>(posts.Int(i, 0)) - 1].posts.push_back(
          {posts.Text(i, 1), posts.Time(i, 2), static_cast<int>(posts.Int(i, 3))});
    }
    return absl::OkStatus();
  }));
  return jobs;
}

Status PgMeasureStore::Release(const MeasureJob& job, const MeasureEnd& end) {
  const auto& [workspace, channel] = job.binding;
  std::vector<std::string> ids;
  std::vector<std::optional<std::string>> next;
  std::vector<int64_t> misses;
  for (const MeasureEnd::Post& post : end.posts) {
    ids.push_back(post.remote_id);
    const bool ended = post.next_in == absl::InfiniteDuration();
    next.push_back(ended ? std::nullopt : std::optional(std::to_string(Ms(post.next_in))));
    misses.push_back(post.misses);
  }
  std::optional<int64_t> own_ms;
  if (end.own_next_in) own_ms = Ms(*end.own_next_in);
  return stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows ours, tx.Query(kOwn, {workspace, channel, job.token}));
    if (ours.empty()) {
      return MakeError(Code::kAborted, "FENCED", "the lease ran out and somebody else measures the channel");
    }
    if (!ids.empty()) {
      PARVIS_RETURN_IF_ERROR(
          tx.Exec(kMovePosts, {workspace, channel, db::Array(ids), db::Array(next), db::Array(misses)}).status());
    }
    return tx.Exec(kRelease, {workspace, channel, own_ms, end.failures, Ms(end.pause)}).status();
  });
}

StatusOr<MeasureDue> PgMeasureStore::Due() {
  MeasureDue due;
  PARVIS_RETURN_IF_ERROR(stream_.Run(Background(), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(db::Rows rows, tx.Query("SELECT count(*), coalesce(max(" LATE_MS "), 0) FROM " DUE_CHANNELS,
                                                    {Ms(kPlannedMax)}));
    due = {rows.Int(0, 0), absl::Milliseconds(rows.Int(0, 1))};
    return absl::OkStatus();
  }));
  return due;
}

}  // namespace parvis::ingestion
