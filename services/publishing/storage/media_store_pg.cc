#include "publishing/storage/media_store_pg.h"

namespace parvis::publishing {

// Columns in the order of V003__media.sql.
MediaItem ReadMedia(const db::Rows& rows, int row) {
  MediaItem item;
  int c = 0;
  item.workspace_id = rows.Text(row, c++);
  item.id = rows.Text(row, c++);
  item.display_name = rows.Text(row, c++);
  item.alt_text = rows.Text(row, c++);
  item.author = rows.Text(row, c++);
  item.state = static_cast<MediaState>(rows.Int(row, c++));
  item.size_bytes = rows.Int(row, c++);
  item.received_bytes = rows.Int(row, c++);
  item.chunk_bytes = static_cast<int>(rows.Int(row, c++));
  item.hash_state = rows.Text(row, c++);
  item.sha256 = rows.Text(row, c++);
  item.facts.type = rows.Text(row, c++);
  item.facts.width = static_cast<int>(rows.Int(row, c++));
  item.facts.height = static_cast<int>(rows.Int(row, c++));
  item.facts.frames = static_cast<int>(rows.Int(row, c++));
  item.facts.duration = absl::Microseconds(rows.Int(row, c++));
  item.facts.video_codec = rows.Text(row, c++);
  item.facts.audio_codec = rows.Text(row, c++);
  item.facts.frame_rate = rows.Double(row, c++);
  item.refusal_reason = rows.Text(row, c++);
  item.refusal = rows.Text(row, c++);
  item.source_id = rows.Text(row, c++);
  item.create_time = rows.Time(row, c++);
  item.update_time = rows.Time(row, c++);
  item.expire_time = rows.Time(row, c++);
  return item;
}

StatusOr<db::Rows> WriteMedia(db::Tx& tx, const std::string& workspace_id, const MediaItem& m, MediaState from) {
  return tx.Query("UPDATE media SET state = $4, type = $5, width = $6, height = $7, frames = $8, duration_us = $9, "
                  "video_codec = $10, audio_codec = $11, frame_rate = $12, refusal_reason = $13, refusal = $14, "
                  "update_time = $15, expire_time = $16 WHERE workspace_id = $1 AND id = $2 AND state = $3 RETURNING *",
                  {workspace_id, m.id, static_cast<int>(from), static_cast<int>(m.state), m.facts.type, m.facts.width,
                   m.facts.height, m.facts.frames, absl::ToInt64Microseconds(m.facts.duration), m.facts.video_codec,
                   m.facts.audio_codec, m.facts.frame_rate, m.refusal_reason, m.refusal, m.update_time, m.expire_time});
}

namespace {

Status NoMedia(const Call& call, const std::string& id) { return NotFound(MediaName(call.workspace_id, id)); }

Status Changed() { return MakeError(Code::kAborted, "MEDIA_CHANGED", "the medium has changed meanwhile; read it again"); }

StatusOr<MediaItem> Find(db::Tx& tx, const Call& call, const std::string& id) {
  PARVIS_ASSIGN_OR_RETURN(const db::Rows rows,
                          tx.Query("SELECT * FROM media WHERE workspace_id = $1 AND id = $2", {call.workspace_id, id}));
  if (rows.empty()) return NoMedia(call, id);
  return ReadMedia(rows, 0);
}

// Of one workspace one after the other: what two creations find together is more than each finds alone.
Status CheckQuota(db::Tx& tx, const Call& call, const MediaItem& item, const MediaQuota& quota) {
  PARVIS_RETURN_IF_ERROR(
      tx.Query("SELECT pg_advisory_xact_lock(hashtextextended('publishing.media/' || $1, 0))", {call.workspace_id}).status());
  PARVIS_ASSIGN_OR_RETURN(const db::Rows rows,
                          tx.Query("SELECT count(*) FILTER (WHERE state = 1), coalesce(sum(size_bytes), 0)::bigint, "
                                   "count(*) FILTER (WHERE state = 5) FROM media WHERE workspace_id = $1 AND id <> $2",
                                   {call.workspace_id, item.id}));
  const bool converting = item.state == MediaState::kConverting;
  if (converting && rows.Int(0, 2) >= quota.conversions_max) {
    return MakeError(Code::kResourceExhausted, "MEDIA_CONVERSIONS",
                     std::to_string(quota.conversions_max) + " videos are being converted; wait for one of them");
  }
  if (!converting && rows.Int(0, 0) >= quota.uploads_max) {
    return MakeError(Code::kResourceExhausted, "MEDIA_UPLOADS",
                     std::to_string(quota.uploads_max) + " uploads are under way; finish or delete some");
  }
  if (rows.Int(0, 1) + item.size_bytes > quota.bytes_max) {
    return MakeError(Code::kResourceExhausted, "MEDIA_SPACE",
                     "the workspace keeps " + std::to_string(rows.Int(0, 1)) + " bytes of media and may keep " +
                         std::to_string(quota.bytes_max) + "; delete some");
  }
  return absl::OkStatus();
}

Status InsertTarget(db::Tx& tx, const Call& call, const MediaItem& m, const VideoTarget& t) {
  return tx
      .Exec("INSERT INTO media_conversions VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10) ON CONFLICT DO NOTHING",
            {call.workspace_id, m.id, t.copy_video, t.copy_audio, t.width, t.height, t.video_kbps, t.audio_kbps, t.bytes_max,
             m.create_time})
      .status();
}

Status InsertRow(db::Tx& tx, const Call& call, const MediaItem& m) {
  return tx
      .Exec("INSERT INTO media VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, "
            "$21, $22, $23, $24, $25) ON CONFLICT DO NOTHING",
            {call.workspace_id, m.id, m.display_name, m.alt_text, m.author, static_cast<int>(m.state), m.size_bytes, m.received_bytes,
             m.chunk_bytes, m.hash_state, m.sha256, m.facts.type, m.facts.width, m.facts.height, m.facts.frames,
             absl::ToInt64Microseconds(m.facts.duration), m.facts.video_codec, m.facts.audio_codec, m.facts.frame_rate,
             m.refusal_reason, m.refusal, m.source_id, m.create_time, m.update_time, m.expire_time})
      .status();
}

}  // namespace

StatusOr<MediaItem> PgMediaStore::InsertMedia(const Call& call, const MediaItem& item, const MediaQuota& quota) {
  return Insert(call, item, nullptr, quota);
}

StatusOr<MediaItem> PgMediaStore::InsertConversion(const Call& call, const MediaItem& item, const VideoTarget& target,
                                                   const MediaQuota& quota) {
  return Insert(call, item, &target, quota);
}

StatusOr<MediaItem> PgMediaStore::Insert(const Call& call, const MediaItem& item, const VideoTarget* target, const MediaQuota& quota) {
  StatusOr<MediaItem> stored = NoMedia(call, item.id);
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    stored = Find(tx, call, item.id);
    if (stored.status().code() != Code::kNotFound) return stored.status();
    PARVIS_RETURN_IF_ERROR(CheckQuota(tx, call, item, quota));
    PARVIS_RETURN_IF_ERROR(InsertRow(tx, call, item));
    if (target != nullptr) {
      PARVIS_RETURN_IF_ERROR(InsertTarget(tx, call, item, *target));
    }
    stored = Find(tx, call, item.id);
    return stored.status();
  }));
  return stored;
}

StatusOr<MediaItem> PgMediaStore::GetMedia(const Call& call, const std::string& id) {
  StatusOr<MediaItem> found = NoMedia(call, id);
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) { return (found = Find(tx, call, id)).status(); }));
  return found;
}

StatusOr<std::vector<MediaItem>> PgMediaStore::ListMedia(const Call& call, const Page& page) {
  std::vector<MediaItem> list;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    list.clear();
    const absl::Time after = page.after ? page.after->first : absl::InfiniteFuture();
    const std::string after_id = page.after ? page.after->second : "ffffffff-ffff-ffff-ffff-ffffffffffff";
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows,
                            tx.Query("SELECT * FROM media WHERE workspace_id = $1 AND (create_time, id) < ($2, $3) "
                                     "ORDER BY create_time DESC, id DESC LIMIT $4",
                                     {call.workspace_id, after, after_id, page.size}));
    for (int i = 0; i < rows.size(); ++i) list.push_back(ReadMedia(rows, i));
    return absl::OkStatus();
  }));
  return list;
}

StatusOr<MediaItem> PgMediaStore::AddChunk(const Call& call, const std::string& id, const MediaChunk& chunk) {
  StatusOr<MediaItem> stored = NoMedia(call, id);
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        const db::Rows rows,
        tx.Query("UPDATE media SET received_bytes = received_bytes + $4, hash_state = $5, sha256 = $6, update_time = $7, "
                 "expire_time = $8 WHERE workspace_id = $1 AND id = $2 AND received_bytes = $3 AND state = 1 RETURNING *",
                 {call.workspace_id, id, chunk.offset, chunk.bytes, chunk.hash_state, chunk.sha256, chunk.time, chunk.expire_time}));
    if (rows.empty()) {
      PARVIS_RETURN_IF_ERROR(Find(tx, call, id).status());
      return Changed();
    }
    stored = ReadMedia(rows, 0);
    return tx
        .Exec("INSERT INTO media_chunks VALUES ($1, $2, $3, $4)",
              {call.workspace_id, id, chunk.offset / stored->chunk_bytes, chunk.digest})
        .status();
  }));
  return stored;
}

StatusOr<std::vector<std::string>> PgMediaStore::ListChunks(const Call& call, const std::string& id) {
  std::vector<std::string> digests;
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    digests.clear();
    // Not those of the trash: what is deleted cannot be read.
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows,
                            tx.Query("SELECT c.digest FROM media_chunks c JOIN media m ON m.workspace_id = c.workspace_id AND "
                                     "m.id = c.media_id WHERE c.workspace_id = $1 AND c.media_id = $2 ORDER BY c.number",
                                     {call.workspace_id, id}));
    for (int i = 0; i < rows.size(); ++i) digests.push_back(rows.Text(i, 0));
    return absl::OkStatus();
  }));
  return digests;
}

StatusOr<MediaItem> PgMediaStore::SaveMedia(const Call& call, const MediaItem& m, MediaState from) {
  StatusOr<MediaItem> stored = NoMedia(call, m.id);
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, WriteMedia(tx, call.workspace_id, m, from));
    if (rows.empty()) {
      PARVIS_RETURN_IF_ERROR(Find(tx, call, m.id).status());
      return Changed();
    }
    stored = ReadMedia(rows, 0);
    return absl::OkStatus();
  }));
  return stored;
}

StatusOr<MediaItem> PgMediaStore::UpdateMedia(const Call& call, const std::string& id, const MediaLabels& labels, absl::Time now) {
  StatusOr<MediaItem> stored = NoMedia(call, id);
  PARVIS_RETURN_IF_ERROR(api_.Run(call, [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        const db::Rows rows,
        tx.Query("UPDATE media SET display_name = coalesce($3::text, display_name), alt_text = coalesce($4::text, alt_text), "
                 "update_time = $5 WHERE workspace_id = $1 AND id = $2 RETURNING *",
                 {call.workspace_id, id, labels.display_name, labels.alt_text, now}));
    if (rows.empty()) return NoMedia(call, id);
    stored = ReadMedia(rows, 0);
    return absl::OkStatus();
  }));
  return stored;
}

Status PgMediaStore::DeleteMedia(const Call& call, const std::string& id, absl::Time now) {
  const Status status = api_.Run(call, [&](db::Tx& tx) -> Status {
    // A published post (6) needs its media no more.
    PARVIS_RETURN_IF_ERROR(tx.Exec("DELETE FROM media_uses u USING posts p WHERE u.workspace_id = $1 AND u.media_id = $2 AND "
                                   "p.workspace_id = $1 AND p.id = u.post_id AND p.state = 6",
                                   {call.workspace_id, id})
                               .status());
    PARVIS_ASSIGN_OR_RETURN(const int64_t gone,
                            tx.Exec("DELETE FROM media WHERE workspace_id = $1 AND id = $2", {call.workspace_id, id}));
    if (gone == 0) return NoMedia(call, id);
    return tx.Exec("INSERT INTO media_trash VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", {call.workspace_id, id, now}).status();
  });
  if (ReasonOf(status) != "FOREIGN_KEY_VIOLATION") return status;
  return MakeError(Code::kFailedPrecondition, "MEDIA_IN_USE", "a post that is not published yet names it");
}

StatusOr<int> PgMediaTrash::TrashExpired(absl::Time now, absl::Time in_use_until, int limit) {
  int looked_at = 0;
  PARVIS_RETURN_IF_ERROR(stream_.Run(BackgroundCall("publishing"), [&](db::Tx& tx) -> Status {
    // Locked rows cannot get a new use until the end; another replica looks at others.
    PARVIS_ASSIGN_OR_RETURN(const db::Rows rows, tx.Query("SELECT workspace_id, id FROM media WHERE expire_time <= $1 "
                                                          "ORDER BY expire_time LIMIT $2 FOR UPDATE SKIP LOCKED",
                                                          {now, limit}));
    looked_at = rows.size();
    if (rows.empty()) return absl::OkStatus();
    std::vector<std::string> workspaces, ids;
    for (int i = 0; i < rows.size(); ++i) workspaces.push_back(rows.Text(i, 0)), ids.push_back(rows.Text(i, 1));
    const db::Param ws = db::Array(workspaces), id = db::Array(ids);
    PARVIS_RETURN_IF_ERROR(
        tx.Exec("UPDATE media m SET expire_time = $3 FROM unnest($1::uuid[], $2::uuid[]) AS e (ws, id) WHERE m.workspace_id = e.ws "
                "AND m.id = e.id AND EXISTS (SELECT 1 FROM media_uses u JOIN posts p ON p.workspace_id = u.workspace_id AND "
                "p.id = u.post_id WHERE u.workspace_id = e.ws AND u.media_id = e.id AND p.state <> 6)",
                {ws, id, in_use_until})
            .status());
    PARVIS_RETURN_IF_ERROR(tx.Exec("DELETE FROM media_uses u USING media m, unnest($1::uuid[], $2::uuid[]) AS e (ws, id) WHERE "
                                   "u.workspace_id = e.ws AND u.media_id = e.id AND m.workspace_id = e.ws AND m.id = e.id AND "
                                   "m.expire_time <= $3",
                                   {ws, id, now})
                               .status());
    return tx
        .Exec("WITH gone AS (DELETE FROM media m USING unnest($1::uuid[], $2::uuid[]) AS e (ws, id) WHERE m.workspace_id = e.ws AND "
              "m.id = e.id AND m.expire_time <= $3 RETURNING m.workspace_id, m.id) "
              "INSERT INTO media_trash SELECT workspace_id, id, $3 FROM gone ON CONFLICT DO NOTHING",
              {ws, id, now})
        .status();
  }));
  return looked_at;
}

StatusOr<std::vector<TrashedMedia>> PgMediaTrash::ListTrash(int limit) {
  std::vector<TrashedMedia> list;
  PARVIS_RETURN_IF_ERROR(stream_.Run(BackgroundCall("publishing"), [&](db::Tx& tx) -> Status {
    list.clear();
    PARVIS_ASSIGN_OR_RETURN(
        const db::Rows rows,
        tx.Query("SELECT t.workspace_id, t.media_id, array(SELECT c.digest FROM media_chunks c WHERE c.workspace_id = t.workspace_id "
                 "AND c.media_id = t.media_id ORDER BY c.number) FROM media_trash t ORDER BY t.trash_time LIMIT $1",
                 {limit}));
    for (int i = 0; i < rows.size(); ++i) list.push_back({rows.Text(i, 0), rows.Text(i, 1), rows.TextArray(i, 2)});
    return absl::OkStatus();
  }));
  return list;
}

Status PgMediaTrash::Forget(const TrashedMedia& media) {
  return stream_.Run(BackgroundCall("publishing"), [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(
        tx.Exec("DELETE FROM media_chunks WHERE workspace_id = $1 AND media_id = $2", {media.workspace_id, media.id}).status());
    return tx.Exec("DELETE FROM media_trash WHERE workspace_id = $1 AND media_id = $2", {media.workspace_id, media.id}).status();
  });
}

}  // namespace parvis::publishing
