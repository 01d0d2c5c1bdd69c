// A BlobStore that tells how it is: passes everything on to another one, and keeps the degraded mode media_store_away. The mode
// lasts while pings fail, which a thread of its own makes, and a while after each call that the store itself has failed. The
// process stays ready: most of what it does needs no media. While the last ping says BLOB_STORE_AWAY nothing else is asked of
// the store: a server that swallows everything must not hold the threads of those who have other things to do.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "platform/base/clock.h"
#include "platform/blob/blob_store.h"
#include "platform/obs/degraded.h"

namespace parvis::blob {

struct WatchOptions {
  absl::Duration every = absl::Seconds(5);  // between two pings
  absl::Duration again = absl::Seconds(1);  // after one that failed, and at least; a call that fails asks for one
  absl::Duration ping_max = absl::Seconds(5);
};

// Thread-safe, as the store is.
class WatchedStore : public BlobStore {
 public:
  // Everything given outlives it.
  WatchedStore(BlobStore& store, obs::Degraded& degraded, const Clock& clock, WatchOptions options = {});
  ~WatchedStore() override;  // Stop()
  void Start();
  void Stop();  // cancels the ping that is under way
  Status Put(const Call& call, const std::string& key, std::string_view bytes) override;
  StatusOr<std::string> Read(const Call& call, const std::string& key, int64_t offset, int64_t length) override;
  Status Delete(const Call& call, const std::string& key) override;
  Status Ping(const Call& call) override;

 private:
  Status Open();  // OK, or what the last ping said
  void Tell(const Call& call, const Status& status);
  void Run();
  BlobStore& store_;
  obs::Degraded& degraded_;
  const Clock& clock_;
  const WatchOptions options_;
  const std::shared_ptr<Cancellation> pings_ = std::make_shared<Cancellation>();
  std::mutex mutex_;
  std::condition_variable wake_;
  Status away_;  // under mutex_, as what follows
  bool doubtful_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace parvis::blob
