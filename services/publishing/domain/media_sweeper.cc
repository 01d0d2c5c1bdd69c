#include "publishing/domain/media_sweeper.h"

namespace parvis::publishing {

StatusOr<bool> SweepMedia(const Call& call, MediaTrash& trash, blob::BlobStore& objects, absl::Time now, const MediaLimits& limits,
                          const SweeperOptions& options, const MediaObserver& observer) {
  PARVIS_ASSIGN_OR_RETURN(const int expired, trash.TrashExpired(now, now + limits.unused_keep, options.batch));
  PARVIS_ASSIGN_OR_RETURN(const std::vector<TrashedMedia> list, trash.ListTrash(options.batch));
  int deleted = 0;
  for (const TrashedMedia& media : list) {
    for (size_t i = 0; i < media.chunks.size(); ++i, ++deleted) {
      PARVIS_RETURN_IF_ERROR(objects.Delete(call, ChunkKey(media.workspace_id, media.id, i, media.chunks[i])));
    }
    PARVIS_RETURN_IF_ERROR(trash.Forget(media));
  }
  if (observer.swept && !list.empty()) observer.swept(static_cast<int>(list.size()), deleted);
  return expired == options.batch || static_cast<int>(list.size()) == options.batch;
}

MediaSweeper::MediaSweeper(MediaTrash& trash, blob::BlobStore& objects, const Clock& clock, MediaLimits limits, SweeperOptions options,
                           MediaObserver observer)
    : trash_(trash), objects_(objects), clock_(clock), limits_(limits), options_(options), observer_(std::move(observer)) {}

MediaSweeper::~MediaSweeper() { Stop(); }

void MediaSweeper::Start() {
  thread_ = std::thread([this] { Run(); });
}

void MediaSweeper::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// What failed (the database or the store is away) is tried again at the next turn.
void MediaSweeper::Run() {
  std::unique_lock lock(mutex_);
  bool more = false;
  while (!stopping_) {
    wake_.wait_for(lock, absl::ToChronoMilliseconds(more ? absl::ZeroDuration() : options_.every), [&] { return stopping_; });
    if (stopping_) return;
    lock.unlock();
    Call call = BackgroundCall("publishing");
    call.deadline = clock_.Now() + absl::Seconds(30);
    const StatusOr<bool> swept = SweepMedia(call, trash_, objects_, clock_.WallNow(), limits_, options_, observer_);
    more = swept.ok() && *swept;
    lock.lock();
  }
}

}  // namespace parvis::publishing
