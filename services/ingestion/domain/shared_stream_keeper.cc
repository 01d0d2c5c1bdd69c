#include "ingestion/domain/shared_stream_keeper.h"

namespace parvis::ingestion {

SharedStreamKeeper::SharedStreamKeeper(SharedStreamStore& store, NetworkStreams& streams, ActivitySink& sink,
                                       const Clock& clock, const Options& options, std::vector<std::string> networks,
                                       std::function<double()> uniform, SharedWatchers watchers)
    : store_(store),
      clock_(clock),
      options_(options),
      networks_(std::move(networks)),
      uniform_(std::move(uniform)),
      watchers_(std::move(watchers)),
      reader_(store, streams, sink, clock, options.shared, uniform_, watchers_) {
  if (networks_.empty()) return;
  const int threads = static_cast<int>(networks_.size());
  executor_ =
      std::make_unique<Executor>(Executor::Options{.name = "shared", .threads = threads, .queue_max = threads});
}

SharedStreamKeeper::~SharedStreamKeeper() { Stop(); }

Status SharedStreamKeeper::Start() {
  if (!networks_.empty()) thread_ = std::thread([this] { Keep(); });
  return absl::OkStatus();
}

void SharedStreamKeeper::Stop() {
  if (networks_.empty()) return;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    for (const auto& [network, held] : held_) held->lease.AskBack();
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  executor_->Stop();
}

int SharedStreamKeeper::held() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(held_.size());
}

Status SharedStreamKeeper::Round() {
  if (networks_.empty()) return absl::OkStatus();
  PARVIS_RETURN_IF_ERROR(Renew());  // what we have comes first
  return Take();
}

Status SharedStreamKeeper::Renew() {
  std::vector<std::shared_ptr<Held>> ours;
  std::vector<ClaimedShared> claimed;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [network, held] : held_) {
      ours.push_back(held);
      claimed.push_back({.network = network, .token = held->claimed.token, .cursor = "", .heard = {}});
    }
  }
  if (claimed.empty()) return absl::OkStatus();
  const Instant until = clock_.Now() + options_.lease;  // before the store's, which begins later
  PARVIS_ASSIGN_OR_RETURN(std::set<std::string> kept, store_.Renew(claimed, options_.lease));
  for (const std::shared_ptr<Held>& held : ours) {
    if (kept.contains(held->claimed.network)) {
      held->lease.Renew(until);
    } else {
      held->lease.Lose();
    }
  }
  return absl::OkStatus();
}

Status SharedStreamKeeper::Take() {
  std::vector<std::string> free;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return absl::OkStatus();
    for (const std::string& network : networks_) {
      if (!held_.contains(network)) free.push_back(network);
    }
  }
  if (free.empty()) return absl::OkStatus();
  const Instant until = clock_.Now() + options_.lease;
  PARVIS_ASSIGN_OR_RETURN(std::vector<ClaimedShared> claimed, store_.Claim(free, options_.lease));
  for (ClaimedShared& one : claimed) Begin(std::move(one), until);
  return absl::OkStatus();
}

void SharedStreamKeeper::Begin(ClaimedShared claimed, Instant until) {
  auto held = std::make_shared<Held>(std::move(claimed), until);
  const std::string network = held->claimed.network;
  if (Hold(held)) {
    const bool begun = executor_->TrySubmit([this, network, held] {
      (void)reader_.Read(held->claimed, held->lease);  // the watchers have been told
      Drop(network);
    });
    if (begun) return;
    Drop(network);
  }
  // Stopping.
  const ClaimedShared& ours = held->claimed;
  Status released = store_.Release(ours, {.cursor = ours.cursor, .failures = ours.failures},
                                   {.failures = ours.failures, .reason = "", .message = ""});
  if (!released.ok() && watchers_.store_failed) watchers_.store_failed(released);
}

bool SharedStreamKeeper::Hold(const std::shared_ptr<Held>& held) {
  std::lock_guard lock(mutex_);
  return !stopping_ && held_.emplace(held->claimed.network, held).second;
}

void SharedStreamKeeper::Drop(const std::string& network) {
  std::lock_guard lock(mutex_);
  held_.erase(network);
}

void SharedStreamKeeper::Keep() {
  while (true) {
    Status done = Round();
    if (!done.ok() && watchers_.store_failed) watchers_.store_failed(done);
    const absl::Duration wait = options_.round * (0.5 + uniform_());
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, absl::ToChronoMilliseconds(wait), [this] { return stopping_; })) return;
  }
}

}  // namespace parvis::ingestion
