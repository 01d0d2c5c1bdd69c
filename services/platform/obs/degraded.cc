#include "platform/obs/degraded.h"

#include <algorithm>

#include "platform/obs/log.h"
#include "platform/obs/metrics.h"

namespace parvis::obs {
namespace {

constexpr ModeInfo kModes[] = {
    {Mode::kDatabaseAway, "database_away",
     "PostgreSQL does not answer this service: calls that need it fail, consumers wait, webhooks go on (they need none).",
     "Look whether PostgreSQL runs, takes connections and has disk left. Nothing is lost; consumers go on by themselves."},
    {Mode::kBusAway, "bus_away",
     "Kafka does not take records: webhooks are answered 503, events wait in the outbox.",
     "Look at the brokers, their disks and in-sync replicas. Networks send again what was refused; the outbox drains itself."},
    {Mode::kStreamStandsStill, "stream_stands_still",
     "Records of a topic are not processed (the handler fails, or Kafka lacks the stored offset): what comes later waits.",
     "Read the reason in /readyz and the log. OFFSET_* needs a decision (docs/operations.md); else mend what the handler "
     "needs, it goes on by itself."},
    {Mode::kAccountsAway, "accounts_away",
     "Keys cannot be checked: those seen in the last 30 s go on, others are answered 503.",
     "Look at the accounts service and its database."},
    {Mode::kBackendAway, "backend_away",
     "The gateway does not reach a service: its methods are answered 503, the others work.",
     "Look at the service named in the reason; check the gateway's setting backends if it was moved."},
    {Mode::kCallsShed, "calls_shed",
     "More calls than there is room for: those beyond a key's, a workspace's or the whole bound are answered 429 or 503.",
     "See which layer in parvis_gateway_rate_limited_total and the reasons. One tenant: talk to it or raise its bounds. All: "
     "add replicas."},
    {Mode::kWebhooksShed, "webhooks_shed",
     "Webhook calls are refused with 429 or 503; the networks send them again for hours, polling catches up.",
     "If accounts or Kafka is away, mend that first. Else add ingestion replicas or raise webhook_inflight_max_bytes."},
    {Mode::kDeadLetters, "dead_letters",
     "Records that cannot be processed were put aside into a dead-letter topic; everything else goes on.",
     "Read the topic named in the reason (the headers say why); mend the cause and replay them."},
    {Mode::kMediaStoreAway, "media_store_away",
     "The store of media fails, refuses or is full: uploads are answered 503; deliveries that need a medium which cannot be "
     "read wait, all others go out.",
     "Look at the S3 server, or the folder's volume: does it run, has it space, do the rights and credentials hold? What "
     "waits goes out by itself."},
    {Mode::kRateBudgetUsedUp, "rate_budget_used_up",
     "A network takes no more of a channel for now: its deliveries wait for the network's next window, others go on.",
     "Usually nothing: they go out by themselves. If it lasts, plan fewer posts or ask the network for a higher limit."},
    {Mode::kPollsLate, "polls_late",
     "Channels are read back later than their interval: what no webhook tells of comes late; nothing is lost.",
     "If a network or the database is slow, that first. Else raise polls_at_once or polls_per_host_max, add ingestion "
     "replicas, or lengthen the intervals."},
    {Mode::kNeedsHuman, "needs_human",
     "It could not be found out whether a delivery reached its network; it is not tried again, so that nothing appears twice.",
     "List the deliveries with needs_human, look at the network, and settle each."},
};
static_assert(std::size(kModes) == kModeCount);

}  // namespace

std::span<const ModeInfo> Modes() { return kModes; }
const ModeInfo& InfoOf(Mode mode) { return kModes[static_cast<size_t>(mode)]; }

Degraded::Degraded(Metrics& metrics, const Clock& clock) : metrics_(metrics), clock_(clock) {}

void Degraded::Declare(Mode mode) {
  std::lock_guard lock(mutex_);
  if (At(mode).declared) return;
  At(mode).declared = true;
  Update(mode);
}

void Degraded::Set(Mode mode, std::string_view observer, const Status& status) {
  std::lock_guard lock(mutex_);
  State& state = At(mode);
  const auto it = state.failing.find(observer);
  if (status.ok() && state.declared && it == state.failing.end()) return;
  state.declared = true;
  if (status.ok()) {
    if (it != state.failing.end()) state.failing.erase(it);
  } else {
    state.failing[std::string(observer)] = ReasonOf(status) + ": " + ToError(status).message;
  }
  Update(mode);
}

void Degraded::Note(Mode mode, std::string_view why, absl::Duration lasts) {
  std::lock_guard lock(mutex_);
  State& state = At(mode);
  state.declared = true;
  state.until = std::max(state.until, clock_.Now() + lasts);
  if (state.on && state.why == why) return;
  state.why = why;
  Update(mode);
}

void Degraded::Tick() {
  std::lock_guard lock(mutex_);
  for (const ModeInfo& info : kModes) {
    if (At(info.mode).on) Update(info.mode);
  }
}

void Degraded::Update(Mode mode) {
  State& state = At(mode);
  const ModeInfo& info = InfoOf(mode);
  const Instant now = clock_.Now();
  if (!state.why.empty() && now >= state.until) state.why.clear();
  const bool on = !state.failing.empty() || !state.why.empty();
  metrics_.gauge("parvis_degraded", "1 while the process is in this degraded mode (docs/operations.md).",
                 {{"mode", std::string(info.name)}})
      .Set(on ? 1 : 0);
  if (on == state.on) return;
  state.on = on;
  if (on) {
    state.since = now;
    Warn("degraded", {{"mode", info.name},
                      {"why", state.failing.empty() ? state.why : state.failing.begin()->second},
                      {"means", info.means},
                      {"do", info.to_do}});
  } else {
    Info("no longer degraded", {{"mode", info.name}, {"seconds", absl::ToDoubleSeconds(now - state.since)}});
  }
}

bool Degraded::Is(Mode mode) const {
  std::lock_guard lock(mutex_);
  return states_[static_cast<size_t>(mode)].on;
}

std::string Degraded::Text() const {
  std::lock_guard lock(mutex_);
  std::string text;
  for (const ModeInfo& info : kModes) {
    const State& state = states_[static_cast<size_t>(info.mode)];
    if (!state.on) continue;
    text += "degraded: " + std::string(info.name) + ": ";
    text += state.failing.empty() ? state.why : state.failing.begin()->first + ": " + state.failing.begin()->second;
    text += "; do: " + std::string(info.to_do) + "\n";
  }
  return text;
}

}  // namespace parvis::obs
