// What media stand on, in memory, for tests: the store (the same contract as PostgreSQL's), the objects, and an inspector that
// reads a picture's facts from its first line.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "platform/blob/blob_store.h"
#include "publishing/domain/media.h"

namespace parvis::publishing {

class FakeMediaStore : public MediaStore, public MediaTrash, public MediaConversions {
 public:
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
  StatusOr<int> TrashExpired(absl::Time now, absl::Time in_use_until, int limit) override;
  StatusOr<std::vector<TrashedMedia>> ListTrash(int limit) override;
  Status Forget(const TrashedMedia& media) override;
  StatusOr<std::optional<Conversion>> ClaimConversion(absl::Time now, absl::Time until) override;
  Status HoldConversion(const Conversion& conversion, absl::Time until) override;
  Status GiveBackConversion(const Conversion& conversion, absl::Time from) override;
  Status DropConvertedChunks(const Conversion& conversion) override;
  Status AddConvertedChunk(const Conversion& conversion, int number, const std::string& digest, int64_t bytes) override;
  Status EndConversion(const Conversion& conversion, const MediaItem& item) override;

  // For tests. Whether a post that is not published names it.
  std::function<bool(const std::string& workspace_id, const std::string& id)> in_use = [](auto&, auto&) { return false; };
  std::function<void()> before_add_chunk;   // once, without the lock: somebody else is faster

 private:
  using Key = std::pair<std::string, std::string>;
  struct Waiting {
    VideoTarget target;
    int64_t fence = 0;
    int tries = 0;
    absl::Time ready_time;
  };
  void Trash(const Key& key);
  StatusOr<MediaItem> Insert(const Call& call, const MediaItem& item, const MediaQuota& quota);   // with the lock
  Waiting* Ours(const Conversion& conversion);   // with the lock; null: it is not any more
  std::mutex mutex_;
  std::map<Key, MediaItem> media_;
  std::map<Key, std::vector<std::string>> chunks_;
  std::map<Key, Waiting> conversions_;
  std::vector<TrashedMedia> trash_;
};

class FakeBlobs : public blob::BlobStore {
 public:
  Status Put(const Call& call, const std::string& key, std::string_view bytes) override;
  StatusOr<std::string> Read(const Call& call, const std::string& key, int64_t offset, int64_t length) override;
  Status Delete(const Call& call, const std::string& key) override;
  Status Ping(const Call&) override { return down; }

  std::mutex mutex_;
  std::map<std::string, std::string> objects;
  Status down;   // what every call fails with
};

// Content is "<type> <width>x<height>\n..."; "hostile..." ends the process that looks at it.
class FakeInspector : public MediaInspector {
 public:
  StatusOr<MediaFacts> Inspect(const Call& call, const MediaBytes& content) override;
  // "<target type> <side_max>x<side_max>\n", or what is there but for that.
  StatusOr<std::string> Convert(const Call& call, const MediaBytes& content, const PictureTarget& target) override;

  // "video/mp4 <width>x<height>\n" with 300 bytes behind it. Asks `go_on` before and after `while_converting`.
  Status ConvertVideo(const Call& call, const MediaBytes& content, const VideoTarget& target, const VideoWork& work) override;

  Status next;   // the next call fails with it
  int inspected = 0;
  std::function<void()> while_converting;   // once
};

// "short" takes PNG of at most 100 pixels a side, and MP4 of at most 100, and offers them; nothing helps with another video that is
// longer than it likes (a width of 1000); "blog" takes everything.
class FakeMediaRules : public MediaRules {
 public:
  MediaFit Fit(const std::string& network, const MediaItem& item) const override;
};

}  // namespace parvis::publishing
