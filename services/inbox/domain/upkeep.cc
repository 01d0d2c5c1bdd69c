#include "inbox/domain/upkeep.h"

namespace parvis::inbox {

Status UpkeepRound(UpkeepStore& store, const UpkeepOptions& options, const std::function<void()>& changed) {
  Status first;
  const auto note = [&first](const StatusOr<int>& result) {
    if (!result.ok() && first.ok()) first = result.status();
    return result.ok() ? *result : 0;
  };
  if (note(store.ReleaseExpiredClaims(options.batch)) > 0) changed();
  note(store.TrimFeeds(options.feed_keep, options.batch));
  note(store.ForgetAbsentMessages(options.absent_keep, options.batch));
  return first;
}

Upkeep::Upkeep(UpkeepStore& store, const UpkeepOptions& options, std::function<void()> changed)
    : store_(store), options_(options), changed_(std::move(changed)) {}

Upkeep::~Upkeep() { Stop(); }

void Upkeep::Start() { thread_ = std::thread([this] { Run(); }); }

void Upkeep::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Upkeep::Run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, absl::ToChronoMilliseconds(options_.interval), [this] { return stopping_; })) {
    lock.unlock();
    // An error here is the database being away: the next round comes anyway, and readiness tells of it.
    (void)UpkeepRound(store_, options_, changed_);
    lock.lock();
  }
}

}  // namespace parvis::inbox
