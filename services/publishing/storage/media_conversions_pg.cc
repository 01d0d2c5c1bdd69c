#include "publishing/storage/media_conversions_pg.h"

#include "publishing/storage/media_store_pg.h"

namespace parvis::publishing {
namespace {

Status Changed() {
  return MakeError(Code::kAborted, "MEDIA_CHANGED", "somebody else converts it meanwhile, or it was deleted");
}

// Locks the medium and its conversion, if it is still ours.
Status Own(db::Tx& tx, const Conversion& c) {
  PARVIS_ASSIGN_OR_RETURN(const db::Rows medium,
                          tx.Query("SELECT 1 FROM media WHERE workspace_id = $1 AND id = $2 AND state = 5 FOR UPDATE",
                                   {c.item.workspace_id, c.item.id}));
  if (medium.empty()) return Changed();
  PARVIS_ASSIGN_OR_RETURN(
      const db::Rows ours,
      tx.Query("SELECT 1 FROM media_conversions WHERE workspace_id = $1 AND media_id = $2 AND fence = $3 FOR UPDATE",
               {c.item.workspace_id, c.item.id, c.fence}));
  return ours.empty() ? Changed() : absl::OkStatus();
}

// Columns in the order of V004__media_conversions.sql.
Conversion ReadConversion(const db::Rows& rows) {
  Conversion c;
  c.item.workspace_id = rows.Text(0, 0);
  c.item.id = rows.Text(0, 1);
  c.target.copy_video = rows.Bool(0, 2);
  c.target.copy_audio = rows.Bool(0, 3);
  c.target.width = static_cast<int>(rows.Int(0, 4));
  c.target.height = static_cast<int>(rows.Int(0, 5));
  c.target.video_kbps = static_cast<int>(rows.Int(0, 6));
  c.target.audio_kbps = static_cast<int>(rows.Int(0, 7));
  c.target.bytes_max = rows.Int(0, 8);
  c.fence = rows.Int(0, 9);
  c.tries = static_cast<int>(rows.Int(0, 10));
  return c;
}

}  // namespace

StatusOr<std::optional<Conversion>> PgMediaConversions::ClaimConversion(absl::Time now, absl::Time until) {
  std::optional<Conversion> claimed;
  PARVIS_RETURN_IF_ERROR(stream_.Run(BackgroundCall("publishing"), [&](db::Tx& tx) -> Status {
    claimed.reset();
    PARVIS_ASSIGN_OR_RETURN(
        const db::Rows rows,
        tx.Query("UPDATE media_conversions c SET ready_time = $2, fence = c.fence + 1, tries = c.tries + 1 FROM "
                 "(SELECT workspace_id, media_id FROM media_conversions WHERE ready_time <= $1 "
                 "ORDER BY ready_time LIMIT 1 FOR UPDATE SKIP LOCKED) n "
                 "WHERE c.workspace_id = n.workspace_id AND c.media_id = n.media_id RETURNING c.*",
                 {now, until}));
    if (rows.empty()) return absl::OkStatus();
    Conversion c = ReadConversion(rows);
    PARVIS_ASSIGN_OR_RETURN(const db::Rows medium, tx.Query("SELECT * FROM media WHERE workspace_id = $1 AND id = $2",
                                                            {c.item.workspace_id, c.item.id}));
    if (medium.empty()) return absl::OkStatus();  // being deleted, and its conversion with it
    PARVIS_ASSIGN_OR_RETURN(
        const db::Rows chunks,
        tx.Query("SELECT digest FROM media_chunks WHERE workspace_id = $1 AND media_id = $2 ORDER BY number",
                 {c.item.workspace_id, c.item.id}));
    c.item = ReadMedia(medium, 0);
    for (int i = 0; i < chunks.size(); ++i) c.chunks.push_back(chunks.Text(i, 0));
    claimed = std::move(c);
    return absl::OkStatus();
  }));
  return claimed;
}

Status PgMediaConversions::HoldConversion(const Conversion& c, absl::Time until) {
  return stream_.Run(BackgroundCall("publishing"), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        const int64_t held,
        tx.Exec("UPDATE media_conversions SET ready_time = $4 WHERE workspace_id = $1 AND media_id = $2 AND fence = $3",
                {c.item.workspace_id, c.item.id, c.fence, until}));
    return held == 0 ? Changed() : absl::OkStatus();
  });
}

Status PgMediaConversions::GiveBackConversion(const Conversion& c, absl::Time from) {
  return stream_.Run(BackgroundCall("publishing"), [&](db::Tx& tx) -> Status {
    PARVIS_ASSIGN_OR_RETURN(
        const int64_t given,
        tx.Exec("UPDATE media_conversions SET ready_time = $4, tries = tries - 1, fence = fence + 1 WHERE "
                "workspace_id = $1 AND media_id = $2 AND fence = $3",
                {c.item.workspace_id, c.item.id, c.fence, from}));
    return given == 0 ? Changed() : absl::OkStatus();
  });
}

Status PgMediaConversions::DropConvertedChunks(const Conversion& c) {
  return stream_.Run(BackgroundCall("publishing"), [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(Own(tx, c));
    PARVIS_RETURN_IF_ERROR(
        tx.Exec("DELETE FROM media_chunks WHERE workspace_id = $1 AND media_id = $2", {c.item.workspace_id, c.item.id})
            .status());
    return tx
        .Exec("UPDATE media SET received_bytes = 0 WHERE workspace_id = $1 AND id = $2",
              {c.item.workspace_id, c.item.id})
        .status();
  });
}

Status PgMediaConversions::AddConvertedChunk(const Conversion& c, int number, const std::string& digest,
                                             int64_t bytes) {
  return stream_.Run(BackgroundCall("publishing"), [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(Own(tx, c));
    PARVIS_RETURN_IF_ERROR(
        tx.Exec("INSERT INTO media_chunks VALUES ($1, $2, $3, $4)", {c.item.workspace_id, c.item.id, number, digest})
            .status());
    return tx
        .Exec("UPDATE media SET received_bytes = received_bytes + $3 WHERE workspace_id = $1 AND id = $2",
              {c.item.workspace_id, c.item.id, bytes})
        .status();
  });
}

Status PgMediaConversions::EndConversion(const Conversion& c, const MediaItem& m) {
  return stream_.Run(BackgroundCall("publishing"), [&](db::Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(Own(tx, c));
    PARVIS_RETURN_IF_ERROR(
        tx.Exec("UPDATE media SET size_bytes = $3, received_bytes = $4, sha256 = $5 WHERE workspace_id = $1 AND id = $2",
                {c.item.workspace_id, c.item.id, m.size_bytes, m.received_bytes, m.sha256})
            .status());
    PARVIS_RETURN_IF_ERROR(WriteMedia(tx, c.item.workspace_id, m, MediaState::kConverting).status());
    return tx
        .Exec("DELETE FROM media_conversions WHERE workspace_id = $1 AND media_id = $2",
              {c.item.workspace_id, c.item.id})
        .status();
  });
}

}  // namespace parvis::publishing
