// Makes the videos that were asked for: claims one conversion after the other, has it made, and stores what comes of
// it. Several replicas may run it at once. One that dies loses its claim after `lease`, and another begins anew; what
// kills `tries_max` of them is refused.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "publishing/domain/media.h"
#include "publishing/domain/media_conversions.h"

namespace parvis::publishing {

struct ConverterOptions {
  int workers = 1;                                // videos at once; 0 = this replica makes none
  absl::Duration every = absl::Seconds(2);        // between two looks for what waits
  absl::Duration lease = absl::Minutes(1);        // of a claim; held for longer at half of it
  absl::Duration retry_wait = absl::Seconds(30);  // after what may pass by itself (a store is away)
  absl::Duration give_up = absl::Hours(6);        // after it was asked for
  int tries_max = 3;
};

// What the converter stands on; everything outlives it.
struct ConverterContext {
  MediaConversions& conversions;
  MediaSource& source;
  blob::BlobStore& objects;
  MediaInspector& inspector;
  const Clock& clock;
  MediaLimits limits;
  ConverterOptions options;
  MediaObserver observer;
};

// One conversion, if one waits: false when none does. Its medium is ready or refused afterwards, or waits again. Errors
// are those of the store: then it waits until its lease has ended. `stopping` true ends it early, and gives it back.
StatusOr<bool> ConvertNext(const ConverterContext& context, const std::function<bool()>& stopping);

class MediaConverter {
 public:
  explicit MediaConverter(ConverterContext context);
  ~MediaConverter();  // Stop()
  void Start();
  void Stop();  // what is under way is given back

 private:
  void Run();
  const ConverterContext context_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace parvis::publishing
