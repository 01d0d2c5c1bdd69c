#include "platform/blob/watched_store.h"

#include <pthread.h>

namespace parvis::blob {
namespace {

constexpr obs::Mode kMode = obs::Mode::kMediaStoreAway;

}  // namespace

WatchedStore::WatchedStore(BlobStore& store, obs::Degraded& degraded, const Clock& clock, WatchOptions options)
    : store_(store), degraded_(degraded), clock_(clock), options_(options) {
  degraded_.Declare(kMode);
}

WatchedStore::~WatchedStore() { Stop(); }

void WatchedStore::Start() {
  thread_ = std::thread([this] { Run(); });
}

void WatchedStore::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  pings_->Cancel();
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status WatchedStore::Open() {
  const std::lock_guard lock(mutex_);
  return away_;
}

// A call that was given up says nothing of the store; one whose time is over is a reason to look.
void WatchedStore::Tell(const Call& call, const Status& status) {
  const bool late = status.code() == Code::kDeadlineExceeded || (!status.ok() && call.Expired(clock_));
  if (call.Cancelled() || (status.code() != Code::kUnavailable && !late)) return;
  if (!late) degraded_.Note(kMode, ReasonOf(status) + ": " + ToError(status).message);
  const std::lock_guard lock(mutex_);
  doubtful_ = true;
  wake_.notify_all();
}

Status WatchedStore::Put(const Call& call, const std::string& key, std::string_view bytes) {
  PARVIS_RETURN_IF_ERROR(Open());
  Status status = store_.Put(call, key, bytes);
  Tell(call, status);
  return status;
}

StatusOr<std::string> WatchedStore::Read(const Call& call, const std::string& key, int64_t offset, int64_t length) {
  PARVIS_RETURN_IF_ERROR(Open());
  StatusOr<std::string> bytes = store_.Read(call, key, offset, length);
  Tell(call, bytes.status());
  return bytes;
}

Status WatchedStore::Delete(const Call& call, const std::string& key) {
  PARVIS_RETURN_IF_ERROR(Open());
  Status status = store_.Delete(call, key);
  Tell(call, status);
  return status;
}

Status WatchedStore::Ping(const Call& call) { return store_.Ping(call); }

void WatchedStore::Run() {
  pthread_setname_np(pthread_self(), "media-store");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    doubtful_ = false;
    lock.unlock();
    Call call = BackgroundCall("blob");
    call.deadline = clock_.Now() + options_.ping_max;
    call.cancellation = pings_;
    const Status status = store_.Ping(call);
    if (!call.Cancelled()) degraded_.Set(kMode, "ping", status);
    lock.lock();
    away_ = ReasonOf(status) == "BLOB_STORE_AWAY" ? status : absl::OkStatus();
    wake_.wait_for(lock, absl::ToChronoMilliseconds(options_.again), [this] { return stopping_; });
    if (!status.ok()) continue;
    wake_.wait_for(lock, absl::ToChronoMilliseconds(options_.every - options_.again), [this] { return stopping_ || doubtful_; });
  }
}

}  // namespace parvis::blob
