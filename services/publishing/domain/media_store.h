// Ports: where it is kept what is known of media, as requests see it (one workspace: call.workspace_id) and as the sweeper
// does. The content itself is in a blob::BlobStore. Contract suite: media_store_contract.h. Unless said otherwise: NOT_FOUND
// when there is no such medium in the workspace.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platform/base/call.h"
#include "platform/base/error.h"
#include "publishing/domain/media_conversions.h"
#include "publishing/domain/media_item.h"
#include "publishing/domain/post_store.h"

namespace parvis::publishing {

// What one workspace may have.
struct MediaQuota {
  int uploads_max = 20;                              // under way
  int conversions_max = 3;                           // of videos, waiting or under way
  int64_t bytes_max = int64_t{20} << 30;             // in all, by the sizes that were announced
};

// The next chunk of an upload: the content is in the blob store already.
struct MediaChunk {
  int64_t offset = 0, bytes = 0;
  std::string digest;       // SHA-256, lower-case hex
  std::string hash_state;   // of the content up to its end; see MediaItem
  std::string sha256;       // of the whole content, with the last chunk; else ""
  absl::Time time, expire_time;
};

// What colleagues say of a medium. nullopt: stays as it is.
struct MediaLabels {
  std::optional<std::string> display_name, alt_text;
};

class MediaStore {
 public:
  virtual ~MediaStore() = default;
  // Returns what is there already when the id is taken. RESOURCE_EXHAUSTED MEDIA_UPLOADS, MEDIA_SPACE beyond the quota.
  virtual StatusOr<MediaItem> InsertMedia(const Call& call, const MediaItem& item, const MediaQuota& quota) = 0;
  // The same for a medium in kConverting, together with the conversion that makes it, which anyone may claim at once.
  // RESOURCE_EXHAUSTED MEDIA_CONVERSIONS, MEDIA_SPACE.
  virtual StatusOr<MediaItem> InsertConversion(const Call& call, const MediaItem& item, const VideoTarget& target,
                                               const MediaQuota& quota) = 0;
  virtual StatusOr<MediaItem> GetMedia(const Call& call, const std::string& id) = 0;
  // By (create_time, id), descending.
  virtual StatusOr<std::vector<MediaItem>> ListMedia(const Call& call, const Page& page) = 0;
  // If it is uploading and `received_bytes` is the chunk's offset; ABORTED MEDIA_CHANGED otherwise.
  virtual StatusOr<MediaItem> AddChunk(const Call& call, const std::string& id, const MediaChunk& chunk) = 0;
  // Digests of the chunks, in order; empty when there is no such medium.
  virtual StatusOr<std::vector<std::string>> ListChunks(const Call& call, const std::string& id) = 0;
  // Stores state, facts, refusal and times, and not the labels, if the state is still `from`; ABORTED MEDIA_CHANGED otherwise.
  virtual StatusOr<MediaItem> SaveMedia(const Call& call, const MediaItem& item, MediaState from) = 0;
  // Changes what is given, in whatever state it is; what else changes of it meanwhile stays changed.
  virtual StatusOr<MediaItem> UpdateMedia(const Call& call, const std::string& id, const MediaLabels& labels, absl::Time now) = 0;
  // What it was goes into the trash, from which the sweeper takes it. FAILED_PRECONDITION MEDIA_IN_USE while a post that is
  // not published yet names it.
  virtual Status DeleteMedia(const Call& call, const std::string& id, absl::Time now) = 0;
};

// A medium that is gone and whose content is not, yet.
struct TrashedMedia {
  std::string workspace_id, id;
  std::vector<std::string> chunks;   // digests, in order
};

// For the sweeper, which sees all workspaces. Several replicas may do it at once.
class MediaTrash {
 public:
  virtual ~MediaTrash() = default;
  // Of at most `limit` media whose time has come: those that a post needs stay until `in_use_until`, the others go into the
  // trash. Returns how many it looked at.
  virtual StatusOr<int> TrashExpired(absl::Time now, absl::Time in_use_until, int limit) = 0;
  // Oldest first.
  virtual StatusOr<std::vector<TrashedMedia>> ListTrash(int limit) = 0;
  // Its content is deleted.
  virtual Status Forget(const TrashedMedia& media) = 0;
};

}  // namespace parvis::publishing
