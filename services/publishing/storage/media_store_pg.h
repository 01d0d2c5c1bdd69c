// Media on PostgreSQL. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "platform/db/pool.h"
#include "publishing/domain/media_store.h"

namespace parvis::publishing {

// A row of `media`, all its columns from the first on.
MediaItem ReadMedia(const db::Rows& rows, int row);
// Stores state, facts, refusal and times if the state is still `from`; the row then, none otherwise.
StatusOr<db::Rows> WriteMedia(db::Tx& tx, const std::string& workspace_id, const MediaItem& item, MediaState from);

// With the api role: one workspace per transaction, row-level security.
class PgMediaStore : public MediaStore {
 public:
  explicit PgMediaStore(db::Pool& api) : api_(api) {}
  StatusOr<MediaItem> InsertMedia(const Call& call, const MediaItem& item, const MediaQuota& quota) override;
  StatusOr<MediaItem> InsertConversion(const Call& call, const MediaItem& item, const VideoTarget& target,
                                       const MediaQuota& quota) override;
  StatusOr<MediaItem> GetMedia(const Call& call, const std::string& id) override;
  StatusOr<std::vector<MediaItem>> ListMedia(const Call& call, const Page& page) override;
  StatusOr<MediaItem> AddChunk(const Call& call, const std::string& id, const MediaChunk& chunk) override;
  StatusOr<std::vector<std::string>> ListChunks(const Call& call, const std::string& id) override;
  StatusOr<MediaItem> SaveMedia(const Call& call, const MediaItem& item, MediaState from) override;
  StatusOr<MediaItem> UpdateMedia(const Call& call, const std::string& id, const MediaLabels& labels, absl::Time now) override;
  Status DeleteMedia(const Call& call, const std::string& id, absl::Time now) override;

 private:
  StatusOr<MediaItem> Insert(const Call& call, const MediaItem& item, const VideoTarget* target, const MediaQuota& quota);
  db::Pool& api_;
};

// With the stream role: all workspaces.
class PgMediaTrash : public MediaTrash {
 public:
  explicit PgMediaTrash(db::Pool& stream) : stream_(stream) {}
  StatusOr<int> TrashExpired(absl::Time now, absl::Time in_use_until, int limit) override;
  StatusOr<std::vector<TrashedMedia>> ListTrash(int limit) override;
  Status Forget(const TrashedMedia& media) override;

 private:
  db::Pool& stream_;
};

}  // namespace parvis::publishing
