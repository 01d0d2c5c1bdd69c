#include "ingestion/domain/runner.h"

#include <algorithm>

#include "platform/base/backoff.h"

namespace parvis::ingestion {

void HeardBook::ByWebhook(const Binding& binding, absl::Time received_at, absl::Time event_time) {
  std::lock_guard lock(mutex_);
  auto it = heard_.find(binding.channel_id);
  if (it == heard_.end()) {
    if (static_cast<int>(heard_.size()) >= channels_max_) return;
    heard_.emplace(binding.channel_id, Heard{binding, received_at, event_time});
    return;
  }
  it->second.last_webhook = std::max(it->second.last_webhook, received_at);
  it->second.last_event = std::max(it->second.last_event, event_time);
}

std::vector<Heard> HeardBook::Take() {
  std::map<std::string, Heard> taken;
  {
    std::lock_guard lock(mutex_);
    taken.swap(heard_);
  }
  std::vector<Heard> heard;
  heard.reserve(taken.size());
  for (auto& [channel, one] : taken) heard.push_back(std::move(one));
  return heard;
}

Runner::Runner(SourceStore& store, ChannelDesk& desk, Poller& poller, HeardBook& heard, const Clock& clock,
               const Options& options, std::function<bool(const std::string&)> pollable, Watchers watchers)
    : store_(store),
      desk_(desk),
      poller_(poller),
      heard_(heard),
      clock_(clock),
      options_(options),
      pollable_(std::move(pollable)),
      watchers_(std::move(watchers)),
      executor_({.name = "poll", .threads = options.polls_at_once, .queue_max = options.polls_at_once}) {}

Runner::~Runner() { Stop(); }

Status Runner::Start() {
  housekeeper_ = std::thread([this] { KeepHouse(); });
  claimer_ = std::thread([this] { KeepClaiming(); });
  return absl::OkStatus();
}

void Runner::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  poller_.StopSoon();
  if (claimer_.joinable()) claimer_.join();
  if (housekeeper_.joinable()) housekeeper_.join();
  executor_.Stop();
}

Status Runner::Sync() {
  Call call = BackgroundCall("ingestion");
  call.deadline = clock_.Now() + options_.sync_call_max;
  std::string page_token, after;
  do {
    PARVIS_ASSIGN_OR_RETURN(std::vector<BoundChannel> page, desk_.List(call, page_token));
    std::vector<KnownChannel> known;
    std::vector<std::string> ids;
    for (const BoundChannel& channel : page) {
      known.push_back({channel.binding, channel.network, channel.remote_id, channel.credentials_version,
                       pollable_(channel.network), poller_.IntervalMin(channel.network)});
      ids.push_back(channel.binding.channel_id);
    }
    PARVIS_RETURN_IF_ERROR(store_.Sync(known, clock_.WallNow() - options_.first_lookback));
    const std::string last = page_token.empty() || ids.empty() ? "" : ids.back();
    PARVIS_RETURN_IF_ERROR(store_.Detach(after, last, ids));
    after = last;
  } while (!page_token.empty() && !after.empty());
  return absl::OkStatus();
}

Status Runner::NoteHeard() {
  std::vector<Heard> heard = heard_.Take();
  Status status = store_.NoteHeard(heard);
  if (status.ok()) return status;
  for (const Heard& one : heard) heard_.ByWebhook(one.binding, one.last_webhook, one.last_event);  // next time
  return status;
}

int Runner::ClaimAndPoll() {
  int free = 0;
  {
    std::lock_guard lock(mutex_);
    free = options_.polls_at_once - running_;
  }
  if (free <= 0) return 0;
  StatusOr<std::vector<Claimed>> claimed = store_.Claim(free, poller_.options().lease);
  if (!claimed.ok()) {
    if (watchers_.claim_failed) watchers_.claim_failed(claimed.status());
    return -1;
  }
  for (Claimed& one : *claimed) {
    {
      std::lock_guard lock(mutex_);
      ++running_;
    }
    auto done = [this] {
      std::lock_guard lock(mutex_);
      --running_;
      changed_.notify_all();
    };
    bool taken = executor_.TrySubmit([this, done, one] {
      StatusOr<PollResult> result = poller_.Poll(one);
      if (watchers_.polled) watchers_.polled(one.source, result);
      done();
    });
    if (!taken) done();  // stopping; the lease runs out by itself
  }
  return static_cast<int>(claimed->size());
}

void Runner::KeepHouse() {
  Instant sync_at = clock_.Now();
  while (true) {
    if (clock_.Now() >= sync_at) {
      Status synced = Sync();
      if (watchers_.synced) watchers_.synced(synced);
      sync_at = clock_.Now() + options_.sync_every;
    }
    Status noted = NoteHeard();
    if (!noted.ok() && watchers_.synced) watchers_.synced(noted);
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, absl::ToChronoMilliseconds(options_.note_every), [this] { return stopping_; })) break;
  }
  Status last = NoteHeard();
  if (!last.ok() && watchers_.synced) watchers_.synced(last);
}

void Runner::KeepClaiming() {
  Backoff backoff({.initial = options_.tick, .max = absl::Seconds(10), .floor = options_.tick});
  while (true) {
    const int started = ClaimAndPoll();
    if (started >= 0) backoff.Reset();
    const absl::Duration wait = started < 0 ? backoff.Next() : options_.tick;
    std::unique_lock lock(mutex_);
    // When as many were due as could be taken, look again as soon as one has ended.
    const bool full = started > 0 && running_ >= options_.polls_at_once;
    changed_.wait_for(lock, absl::ToChronoMilliseconds(wait),
                      [&] { return stopping_ || (full && running_ < options_.polls_at_once); });
    if (stopping_) return;
  }
}

}  // namespace parvis::ingestion
