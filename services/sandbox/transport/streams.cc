#include "sandbox/transport/streams.h"

#include <algorithm>

namespace parvis::sandbox {
namespace {

// Half an event is on its way before the connection is cut.
constexpr absl::Duration kCutAfter = absl::Milliseconds(100);
constexpr size_t kReplayMax = 512 << 10;  // below what the server lets wait for a slow reader

}  // namespace

Streams::Streams(Faults& faults, const Clock& clock, int open_max, size_t waiting_max)
    : faults_(faults), clock_(clock), open_max_(open_max), waiting_max_(waiting_max), thread_([this] { Work(); }) {}

Streams::~Streams() { Stop(); }

void Streams::Open(std::shared_ptr<const StreamOpening> opening, net::Responder responder) {
  std::lock_guard lock(mutex_);
  if (stopping_) return responder.Abort();
  waiting_.emplace_back(Asked{std::move(opening), std::move(responder)});
  wake_.notify_all();
}

void Streams::Notify(const Notice& notice) {
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  if (waiting_.size() >= waiting_max_) {
    overrun_ = true;  // nobody may believe to have heard everything
    return;
  }
  waiting_.emplace_back(notice);
  wake_.notify_all();
}

void Streams::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Streams::Work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::deque<std::variant<Asked, Notice>> taken = std::exchange(waiting_, {});
    const bool overrun = std::exchange(overrun_, false);
    lock.unlock();
    for (const auto& one : taken) {
      if (const Asked* asked = std::get_if<Asked>(&one)) {
        Begin(*asked);
      } else {
        for (Live& live : live_) Tell(live, std::get<Notice>(one));
      }
    }
    if (overrun) {
      for (Live& live : live_) live.cut_at = Instant{};
    }
    const Instant next = Tick();
    lock.lock();
    if (stopping_ || !waiting_.empty()) continue;
    const absl::Duration left = std::min(next - clock_.Now(), absl::Seconds(1));
    if (left > absl::ZeroDuration()) wake_.wait_for(lock, absl::ToChronoMicroseconds(left) + std::chrono::microseconds(1));
  }
  lock.unlock();
  for (Live& live : live_) live.responder.Abort();
  for (const auto& one : std::exchange(waiting_, {})) {
    if (const Asked* asked = std::get_if<Asked>(&one)) asked->responder.Abort();
  }
  live_.clear();
}

void Streams::Begin(const Asked& asked) {
  live_.remove_if([](const Live& live) { return live.over || live.responder.Gone(); });
  if (static_cast<int>(live_.size()) >= open_max_) {
    return asked.responder.Send({429, {{"Content-Type", "text/plain"}}, "too many streams are open\n"});
  }
  const StreamOpening& opening = *asked.opening;
  // Listens before it is answered: whatever happens after the answer is told.
  live_.push_back({asked.opening, asked.responder, clock_.Now() + opening.heartbeat_every});
  asked.responder.BeginStream(opening.head);
  if (!opening.first.empty()) asked.responder.Write(opening.first);
  if (!opening.replay) return;
  bool all = true;
  asked.responder.Write(opening.replay(kReplayMax, &all));
  if (all) return;
  live_.back().over = true;  // whoever listens comes again from where it stopped
  asked.responder.End();
}

void Streams::Tell(Live& live, const Notice& notice) {
  const StreamOpening& opening = *live.opening;
  if (live.over || live.silent || notice.item->network != opening.network || live.responder.Gone()) return;
  std::string told = opening.tell(notice);
  if (told.empty()) return;
  const FaultPlan plan = faults_.Decide(opening.network, opening.account, "event");
  if (plan.before == FaultKind::kResetBeforeAccept) {
    live.over = true;
    return live.responder.Abort();
  }
  if (plan.before) {
    if (plan.before != FaultKind::kServerError && !opening.goodbye.empty()) live.responder.Write(opening.goodbye);
    live.over = true;
    return live.responder.End();
  }
  switch (plan.answer) {
    case Answer::kReset:
      live.cut_at = clock_.Now() + kCutAfter;
      live.silent = true;
      told.resize(told.size() / 2);
      break;
    case Answer::kGatewayTimeout:
      live.silent = true;
      return;
    case Answer::kGarbage:
      told = opening.garbage + told;
      break;
    default:
      break;
  }
  live.responder.Write(std::move(told));
}

Instant Streams::Tick() {
  const Instant now = clock_.Now();
  Instant next = Instant::Max();
  for (Live& live : live_) {
    if (live.over) continue;
    if (now >= live.cut_at) {
      live.over = true;
      live.responder.Abort();
      continue;
    }
    next = std::min(next, live.cut_at);
    if (live.silent || live.opening->heartbeat.empty()) continue;
    if (now >= live.next_heartbeat) {
      live.responder.Write(live.opening->heartbeat);
      live.next_heartbeat = now + live.opening->heartbeat_every;
    }
    next = std::min(next, live.next_heartbeat);
  }
  live_.remove_if([](const Live& live) { return live.over || live.responder.Gone(); });
  return next;
}

}  // namespace parvis::sandbox
