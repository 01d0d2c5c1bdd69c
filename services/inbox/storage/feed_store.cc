#include "inbox/storage/feed_store.h"

#include "inbox/storage/rows.h"

namespace parvis::inbox::storage {
namespace {

using db::Rows;
using db::Tx;

const std::string kExpiredClaims = std::string("SELECT ") + kConversationColumns + ", clock_timestamp() "
    "FROM conversations c WHERE (c.workspace_id, c.id) IN (SELECT workspace_id, id FROM conversations "
    "  WHERE claim_member <> '' AND claim_expire_time < now() ORDER BY claim_expire_time LIMIT $1) "
    "AND c.claim_member <> '' AND c.claim_expire_time < now() "
    "ORDER BY c.workspace_id, c.id FOR UPDATE SKIP LOCKED";
// Up to the newest of the old ones of each workspace, so that no hole is left before a floor. Nothing goes that Kafka has
// not been told.
constexpr char kTrim[] =
    "WITH old AS (SELECT workspace_id, sequence FROM feed_events WHERE create_time < now() - make_interval(secs => $1) "
    "             ORDER BY create_time LIMIT $2), "
    "untold AS (SELECT workspace_id, min(first_sequence) AS first FROM feed_outbox GROUP BY workspace_id), "
    "cut AS (SELECT workspace_id, max(sequence) AS last FROM old LEFT JOIN untold USING (workspace_id) "
    "        WHERE sequence < coalesce(untold.first, 9223372036854775807) GROUP BY workspace_id), "
    "gone AS (DELETE FROM feed_events f USING cut WHERE f.workspace_id = cut.workspace_id AND f.sequence <= cut.last "
    "         RETURNING 1), "
    "raised AS (UPDATE feeds SET floor_sequence = greatest(floor_sequence, cut.last) FROM cut "
    "           WHERE feeds.workspace_id = cut.workspace_id RETURNING 1) "
    "SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM raised)";
constexpr char kForget[] =
    "DELETE FROM messages WHERE (workspace_id, channel_id, remote_key) IN (SELECT workspace_id, channel_id, remote_key "
    "FROM messages WHERE NOT present AND create_time < now() - make_interval(secs => $1) ORDER BY create_time LIMIT $2) "
    "AND NOT present";

}  // namespace

StatusOr<std::vector<FeedHead>> PgFeedStore::Heads(const std::vector<std::string>& workspace_ids) {
  std::vector<FeedHead> heads;
  PARVIS_RETURN_IF_ERROR(stream_.Run(BackgroundCall("inbox"), [&](Tx& tx) -> Status {
    heads.clear();
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(
        "SELECT k.w, f.floor_sequence, f.last_sequence FROM unnest($1::uuid[]) k(w) "
        "LEFT JOIN feeds f ON f.workspace_id = k.w", {db::Array(workspace_ids)}));
    for (int i = 0; i < rows.size(); ++i) {
      heads.push_back({.workspace_id = rows.Text(i, 0), .floor = rows.Int(i, 1), .last = rows.Int(i, 2)});
    }
    return absl::OkStatus();
  }));
  return heads;
}

StatusOr<std::vector<FeedEntry>> PgFeedStore::Read(const Call& call, int64_t after, int limit) {
  std::vector<FeedEntry> entries;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](Tx& tx) -> Status {
    entries.clear();
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(
        "SELECT sequence, payload FROM feed_events WHERE workspace_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
        {call.workspace_id, after, limit}));
    for (int i = 0; i < rows.size(); ++i) entries.push_back({.sequence = rows.Int(i, 0), .payload = rows.Bytes(i, 1)});
    return absl::OkStatus();
  }));
  return entries;
}

StatusOr<int> PgUpkeepStore::ReleaseExpiredClaims(int limit) {
  int released = 0;
  PARVIS_RETURN_IF_ERROR(stream_.Run(BackgroundCall("inbox"), [&](Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kExpiredClaims.c_str(), {limit}));
    released = rows.size();
    if (rows.empty()) return absl::OkStatus();
    std::vector<Conversation> conversations;
    std::vector<const Conversation*> changed;
    std::vector<Event> events;
    conversations.reserve(rows.size());
    for (int i = 0; i < rows.size(); ++i) {
      Conversation& c = conversations.emplace_back(ReadConversation(rows, i));
      c.claim = {.member_id = "", .token = c.claim.token, .expire_time = absl::InfinitePast()};
      ++c.version;
      changed.push_back(&c);
      Event event;
      event.type = EventType::kReleased;
      event.time = rows.Time(i, kConversationWidth);
      event.conversation = c;
      events.push_back(std::move(event));
    }
    PARVIS_RETURN_IF_ERROR(UpdateConversations(tx, changed));
    return WriteEvents(tx, Way::kCopy, encoders_, std::move(events), {});
  }));
  return released;
}

StatusOr<int> PgUpkeepStore::TrimFeeds(absl::Duration keep, int limit) {
  int gone = 0;
  PARVIS_RETURN_IF_ERROR(stream_.Run(BackgroundCall("inbox"), [&](Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kTrim, {absl::ToDoubleSeconds(keep), limit}));
    gone = static_cast<int>(rows.Int(0, 0));
    return absl::OkStatus();
  }));
  return gone;
}

StatusOr<int> PgUpkeepStore::ForgetAbsentMessages(absl::Duration keep, int limit) {
  int gone = 0;
  PARVIS_RETURN_IF_ERROR(stream_.Run(BackgroundCall("inbox"), [&](Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query(kForget, {absl::ToDoubleSeconds(keep), limit}));
    gone = static_cast<int>(rows.affected());
    return absl::OkStatus();
  }));
  return gone;
}

}  // namespace parvis::inbox::storage
