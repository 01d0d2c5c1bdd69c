#include "ingestion/domain/runner.h"

#include <algorithm>

#include "platform/base/backoff.h"

namespace parvis::ingestion {
namespace {

PollSchedule::Options WithWaitMax(PollSchedule::Options options, absl::Duration wait_max) {
  options.wait_max = wait_max;  // one bound for a channel and for its host
  return options;
}

}  // namespace

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
               const Options& options, Networks networks, Watchers watchers)
    : store_(store),
      desk_(desk),
      poller_(poller),
      heard_(heard),
      clock_(clock),
      options_(options),
      networks_(std::move(networks)),
      watchers_(std::move(watchers)),
      schedule_(WithWaitMax(options.polls, poller.options().wait_max)),
      executor_({.name = "poll", .threads = options.polls.at_once, .queue_max = options.polls.at_once}) {}

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
                       networks_.pollable(channel.network), poller_.IntervalMin(channel.network)});
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

Status Runner::ListDue() {
  std::vector<std::string> paused;
  {
    std::lock_guard lock(mutex_);
    const Instant now = clock_.Now();
    if (now < list_at_ && !(more_due_ && schedule_.waiting() == 0)) return absl::OkStatus();
    paused = schedule_.PausedHosts(now);
  }
  PARVIS_ASSIGN_OR_RETURN(DueList due, store_.ListDue(options_.polls.window, paused));
  int running = 0;
  {
    std::lock_guard lock(mutex_);
    const Instant now = clock_.Now();
    list_at_ = now + options_.tick;
    more_due_ = due.cut;
    schedule_.Offer(due.sources, now);
    running = schedule_.running();
  }
  due.sources.clear();
  if (watchers_.listed) watchers_.listed(due, running);
  return absl::OkStatus();
}

std::vector<DueSource> Runner::Choose() {
  std::lock_guard lock(mutex_);
  room_again_ = false;
  std::vector<DueSource> chosen;
  while (std::optional<DueSource> next = schedule_.Next(clock_.Now())) chosen.push_back(*std::move(next));
  return chosen;
}

void Runner::NotTaken(const DueSource& chosen) {
  std::lock_guard lock(mutex_);
  schedule_.NotTaken(chosen);
}

int Runner::ClaimAndPoll() {
  Status listed = ListDue();
  if (!listed.ok()) {
    if (watchers_.claim_failed) watchers_.claim_failed(listed);
    return -1;
  }
  const std::vector<DueSource> chosen = Choose();
  if (chosen.empty()) return 0;
  std::vector<Binding> wanted;
  for (const DueSource& one : chosen) wanted.push_back(one.binding);
  StatusOr<std::vector<Claimed>> claimed = store_.Claim(wanted, poller_.options().lease);
  std::map<std::string, Claimed> ours;
  if (claimed.ok()) {
    for (Claimed& one : *claimed) ours.emplace(one.source.binding.channel_id, std::move(one));
  }
  for (const DueSource& one : chosen) {
    auto it = ours.find(one.binding.channel_id);
    it == ours.end() ? NotTaken(one) : Begin(one, std::move(it->second));
  }
  if (claimed.ok()) return static_cast<int>(ours.size());
  if (watchers_.claim_failed) watchers_.claim_failed(claimed.status());
  return -1;
}

void Runner::Begin(const DueSource& chosen, Claimed claimed) {
  const bool taken = executor_.TrySubmit([this, chosen, claimed = std::move(claimed)] {
    StatusOr<PollResult> result = poller_.Poll(claimed);
    if (watchers_.polled) watchers_.polled(claimed.source, result);
    End(chosen, claimed.source, result);
  });
  if (!taken) NotTaken(chosen);  // stopping; the lease runs out by itself
}

void Runner::End(const DueSource& chosen, const Source& source, const StatusOr<PollResult>& result) {
  BudgetSignal signal{.host = "", .shared = networks_.shares_budget(source.network), .limited = false, .rate = {}};
  if (result.ok()) {
    signal.host = result->host;
    signal.rate = result->rate;
  } else if (RefusedForRate(result.status())) {
    signal.limited = true;
    signal.rate.retry_after = ToError(result.status()).retry_after;
  }
  std::lock_guard lock(mutex_);
  schedule_.Ended(chosen, signal, clock_.Now());
  room_again_ = true;
  changed_.notify_all();
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
    // When more is due than is being polled, choose again as soon as a poll has ended.
    const bool more = started >= 0 && (schedule_.waiting() > 0 || more_due_);
    changed_.wait_for(lock, absl::ToChronoMilliseconds(wait), [&] { return stopping_ || (more && room_again_); });
    if (stopping_) return;
  }
}

}  // namespace parvis::ingestion
