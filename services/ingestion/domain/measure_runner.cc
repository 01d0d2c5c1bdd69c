#include "ingestion/domain/measure_runner.h"

#include <algorithm>

#include "ingestion/domain/waits.h"
#include "platform/base/backoff.h"

namespace parvis::ingestion {

MeasureRunner::MeasureRunner(MeasureStore& store, Measurer& measurer, const Clock& clock, const Options& options,
                             Networks networks, Watchers watchers)
    : store_(store),
      measurer_(measurer),
      clock_(clock),
      options_(options),
      networks_(std::move(networks)),
      watchers_(std::move(watchers)),
      executor_({.name = "measure", .threads = options.at_once, .queue_max = options.at_once}) {}

MeasureRunner::~MeasureRunner() { Stop(); }

void MeasureRunner::Start() {
  thread_ = std::thread([this] { Run(); });
}

void MeasureRunner::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  measurer_.StopSoon();
  if (thread_.joinable()) thread_.join();
  executor_.Stop();
}

Status MeasureRunner::Sync() {
  const MeasureOptions& options = measurer_.options();
  PARVIS_RETURN_IF_ERROR(store_.AddChannels(networks_.channels, options.interval_min));
  // Twice as long as they are followed: a post that is told of again meanwhile is still known as one that has ended.
  PARVIS_RETURN_IF_ERROR(store_.Forget(clock_.WallNow() - 2 * options.follow_for));
  PARVIS_ASSIGN_OR_RETURN(const MeasureDue due, store_.Due());
  if (watchers_.listed) watchers_.listed(due);
  return absl::OkStatus();
}

std::vector<std::string> MeasureRunner::PausedHosts() {
  const Instant now = clock_.Now();
  std::vector<std::string> hosts;
  std::erase_if(paused_, [&](const auto& one) { return one.second <= now; });
  for (const auto& [host, until] : paused_) hosts.push_back(host);
  return hosts;
}

int MeasureRunner::ClaimAndMeasure() {
  int room = 0;
  std::vector<std::string> paused;
  {
    std::lock_guard lock(mutex_);
    room = options_.at_once - running_;
    room_again_ = false;
    paused = PausedHosts();
  }
  if (room <= 0) return 0;
  const MeasureOptions& options = measurer_.options();
  StatusOr<std::vector<MeasureJob>> jobs =
      store_.Claim(room, options.batch, options.interval_min / 2, options.lease, paused);
  if (!jobs.ok()) {
    if (watchers_.store_failed) watchers_.store_failed(jobs.status());
    return -1;
  }
  for (MeasureJob& job : *jobs) {
    {
      std::lock_guard lock(mutex_);
      ++running_;
    }
    const bool taken = executor_.TrySubmit([this, job = std::move(job)] { End(job, measurer_.Measure(job)); });
    if (taken) continue;
    std::lock_guard lock(mutex_);  // stopping; the lease runs out by itself
    --running_;
  }
  return static_cast<int>(jobs->size());
}

absl::Duration MeasureRunner::SharedWait(const StatusOr<MeasureResult>& result) const {
  const absl::Duration wait_max = measurer_.options().wait_max;
  if (result.ok()) return BudgetWait(result->rate, wait_max, 0);
  if (result.status().code() != Code::kResourceExhausted) return absl::ZeroDuration();
  return AskedWait(ToError(result.status()).retry_after.value_or(absl::Minutes(1)), wait_max, 0);
}

void MeasureRunner::End(const MeasureJob& job, const StatusOr<MeasureResult>& result) {
  if (watchers_.measured) watchers_.measured(job, result);
  std::lock_guard lock(mutex_);
  --running_;
  room_again_ = true;
  const absl::Duration wait = SharedWait(result);
  if (wait > absl::ZeroDuration() && networks_.shares_budget(job.network) && paused_.size() < kPausesMax) {
    paused_[job.host] = std::max(paused_[job.host], clock_.Now() + wait);
  }
  changed_.notify_all();
}

void MeasureRunner::Run() {
  Backoff backoff({.initial = options_.tick, .max = absl::Seconds(30), .floor = options_.tick});
  Instant sync_at = clock_.Now();
  while (true) {
    if (clock_.Now() >= sync_at) {
      Status synced = Sync();
      if (!synced.ok() && watchers_.store_failed) watchers_.store_failed(synced);
      sync_at = clock_.Now() + options_.sync_every;
    }
    const int begun = ClaimAndMeasure();
    if (begun >= 0) backoff.Reset();
    const absl::Duration wait = begun < 0 ? backoff.Next() : options_.tick;
    std::unique_lock lock(mutex_);
    // All places were taken: there may be more, so go on as soon as one is free.
    changed_.wait_for(lock, absl::ToChronoMilliseconds(wait), [&] { return stopping_ || (begun > 0 && room_again_); });
    if (stopping_) return;
  }
}

}  // namespace parvis::ingestion
