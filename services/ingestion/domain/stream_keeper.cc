#include "ingestion/domain/stream_keeper.h"

#include <algorithm>

namespace parvis::ingestion {

int ShareOfStreams(const StreamPlan& plan, int places) {
  if (plan.places <= 0) return 0;
  const int64_t share = (plan.wanted * places + plan.places - 1) / plan.places;
  return static_cast<int>(std::min<int64_t>(share, places));
}

StreamKeeper::StreamKeeper(StreamStore& store, ChannelStreams& streams, ActivitySink& sink, const Clock& clock,
                           const Options& options, std::vector<std::string> networks, std::string name,
                           std::function<double()> uniform, StreamWatchers watchers)
    : store_(store),
      clock_(clock),
      options_(options),
      networks_(std::move(networks)),
      name_(std::move(name)),
      uniform_(std::move(uniform)),
      watchers_(std::move(watchers)),
      reader_(store, streams, sink, clock, options.stream, uniform_, watchers_) {
  if (idle()) return;
  executor_ = std::make_unique<Executor>(
      Executor::Options{.name = "stream", .threads = options_.places, .queue_max = options_.places});
}

StreamKeeper::~StreamKeeper() { Stop(); }

Status StreamKeeper::Start() {
  if (!idle()) thread_ = std::thread([this] { Keep(); });
  return absl::OkStatus();
}

void StreamKeeper::Stop() {
  if (idle()) return;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    for (const auto& [channel, held] : held_) held->lease.AskBack();
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  executor_->Stop();
  Status left = store_.Leave(name_);
  if (!left.ok() && watchers_.store_failed) watchers_.store_failed(left);  // its time runs out by itself
}

int StreamKeeper::held() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(held_.size());
}

Status StreamKeeper::Round() {
  if (idle()) return absl::OkStatus();
  PARVIS_RETURN_IF_ERROR(Renew());  // what we have comes first
  PARVIS_ASSIGN_OR_RETURN(StreamPlan plan, store_.Attend(name_, options_.places, networks_, options_.lease));
  int reading = 0, ending = 0;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [channel, held] : held_) ++(held->lease.AskedBack() ? ending : reading);
  }
  if (watchers_.planned) watchers_.planned(plan, reading);
  const int share = ShareOfStreams(plan, options_.places);
  if (reading > share) AskBack(std::min(reading - share, options_.change_max));
  const int free = options_.places - reading - ending;
  if (reading < share) return Take(std::min({share - reading, options_.change_max, free}));
  return absl::OkStatus();
}

Status StreamKeeper::Renew() {
  std::vector<std::shared_ptr<Held>> ours;
  std::vector<ClaimedStream> claimed;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [channel, held] : held_) {
      ours.push_back(held);
      claimed.push_back(held->claimed);
    }
  }
  if (claimed.empty()) return absl::OkStatus();
  const Instant until = clock_.Now() + options_.lease;  // before the store's, which begins later
  PARVIS_ASSIGN_OR_RETURN(RenewedStreams renewed, store_.Renew(claimed, options_.lease));
  for (const std::shared_ptr<Held>& held : ours) {
    const std::string& channel = held->claimed.source.binding.channel_id;
    if (renewed.kept.contains(channel)) {
      held->lease.Renew(until);
    } else if (renewed.changed.contains(channel)) {
      held->lease.Renew(until);
      held->lease.AskBack();
    } else {
      held->lease.Lose();
    }
  }
  return absl::OkStatus();
}

void StreamKeeper::AskBack(int count) {
  std::lock_guard lock(mutex_);
  for (auto it = held_.begin(); it != held_.end() && count > 0; ++it) {
    if (it->second->lease.AskedBack()) continue;
    it->second->lease.AskBack();
    --count;
  }
}

Status StreamKeeper::Take(int count) {
  if (count <= 0) return absl::OkStatus();
  const Instant until = clock_.Now() + options_.lease;
  PARVIS_ASSIGN_OR_RETURN(std::vector<ClaimedStream> claimed, store_.Claim(networks_, count, options_.lease));
  for (ClaimedStream& one : claimed) Begin(std::move(one), until);
  return absl::OkStatus();
}

void StreamKeeper::Begin(ClaimedStream claimed, Instant until) {
  auto held = std::make_shared<Held>(std::move(claimed), until);
  const std::string channel = held->claimed.source.binding.channel_id;
  if (Hold(held)) {
    const bool begun = executor_->TrySubmit([this, channel, held] {
      (void)reader_.Read(held->claimed, held->lease);  // the watchers have been told
      Drop(channel);
    });
    if (begun) return;
    Drop(channel);
  }
  // Stopping; or its last reader, here, is released and about to go, or was lost and has not noticed yet.
  const ClaimedStream& ours = held->claimed;
  Status released = store_.Release(ours, {.cursor = ours.cursor, .last_event = std::nullopt, .failures = ours.failures},
                                   {.failures = ours.failures, .reason = "", .message = ""});
  if (!released.ok() && watchers_.store_failed) watchers_.store_failed(released);
}

bool StreamKeeper::Hold(const std::shared_ptr<Held>& held) {
  std::lock_guard lock(mutex_);
  return !stopping_ && held_.emplace(held->claimed.source.binding.channel_id, held).second;
}

void StreamKeeper::Drop(const std::string& channel) {
  std::lock_guard lock(mutex_);
  held_.erase(channel);
}

void StreamKeeper::Keep() {
  while (true) {
    Status done = Round();
    if (!done.ok() && watchers_.store_failed) watchers_.store_failed(done);
    const absl::Duration wait = options_.round * (0.5 + uniform_());
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, absl::ToChronoMilliseconds(wait), [this] { return stopping_; })) return;
  }
}

}  // namespace parvis::ingestion
