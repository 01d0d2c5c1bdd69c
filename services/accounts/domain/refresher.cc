#include "accounts/domain/refresher.h"

#include "platform/base/ids.h"

namespace parvis::accounts {

Refresher::Refresher(RefreshStore& store, SignInGate& gate, const RefreshOptions& options, const Clock& clock,
                     Refreshes::Told told)
    : options_(options),
      refreshes_(
          store, gate, options, RandomHex(32), clock, [this](absl::Duration pause) { return Wait(pause); },
          std::move(told)) {}

Refresher::~Refresher() { Stop(); }

void Refresher::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Refresher::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Refresher::Wait(absl::Duration pause) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, absl::ToChronoMilliseconds(pause), [this] { return stopping_; });
}

void Refresher::Run() {
  absl::Duration pause = absl::ZeroDuration();
  while (Wait(pause)) {
    // An error here is the database being away: the next round comes anyway, and readiness tells of it.
    const StatusOr<int> claimed = refreshes_.Round();
    pause = claimed.ok() && *claimed >= options_.batch ? absl::ZeroDuration() : options_.interval;
  }
}

}  // namespace parvis::accounts
