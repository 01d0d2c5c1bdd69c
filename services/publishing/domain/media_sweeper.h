// The sweeper: puts media whose time has come into the trash, and empties the trash. Several replicas may run one at once:
// every step may be done twice.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "publishing/domain/media.h"

namespace parvis::publishing {

struct SweeperOptions {
  absl::Duration every = absl::Minutes(1);
  int batch = 50;   // media in one step
};

// One step of at most `batch` media; true when there is more to do at once. What cannot be deleted now stays in the trash.
StatusOr<bool> SweepMedia(const Call& call, MediaTrash& trash, blob::BlobStore& objects, absl::Time now, const MediaLimits& limits,
                          const SweeperOptions& options, const MediaObserver& observer);

class MediaSweeper {
 public:
  // Everything given outlives it.
  MediaSweeper(MediaTrash& trash, blob::BlobStore& objects, const Clock& clock, MediaLimits limits, SweeperOptions options,
               MediaObserver observer);
  ~MediaSweeper();   // Stop()
  void Start();
  void Stop();   // after the step that is under way

 private:
  void Run();
  MediaTrash& trash_;
  blob::BlobStore& objects_;
  const Clock& clock_;
  const MediaLimits limits_;
  const SweeperOptions options_;
  const MediaObserver observer_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace parvis::publishing
