#include "ingestion/domain/poll_schedule.h"

#include <algorithm>
#include <string_view>

namespace parvis::ingestion {

Instant PollSchedule::Host::FreeAt(Instant now) const {
  const bool used_up = remaining && *remaining <= 0 && now < window_end;
  return std::max(blocked_until, used_up ? window_end : Instant{0});
}

template <class Change>
void PollSchedule::Replace(std::pair<const std::string, Workspace>& of, Change change) {
  Workspace& workspace = of.second;
  round_.erase({workspace.running, workspace.served, &of});
  change();
  if (!workspace.lanes.empty()) round_.insert({workspace.running, workspace.served, &of});
}

void PollSchedule::Offer(const std::vector<DueSource>& due, Instant now) {
  round_.clear();
  waiting_ = 0;
  for (auto& [id, workspace] : workspaces_) workspace.lanes.clear();
  std::unordered_set<std::string_view> offered;
  std::map<std::pair<Workspace*, std::string>, Lane*> lanes;
  for (const DueSource& one : due) {
    if (waiting_ >= options_.window) break;
    if (running_.contains(one.binding.channel_id) || !offered.insert(one.binding.channel_id).second) continue;
    auto [it, is_new] = workspaces_.try_emplace(one.binding.workspace_id);
    if (is_new) it->second.served = ++served_;
    Lane*& lane = lanes[{&it->second, one.host}];
    if (lane == nullptr) {
      lane = &it->second.lanes[waiting_];
      lane->host = one.host;
    }
    lane->channels.push_back({waiting_++, one.binding.channel_id});
  }
  for (auto it = workspaces_.begin(); it != workspaces_.end();) {
    const Workspace& workspace = it->second;
    if (!workspace.lanes.empty()) round_.insert({workspace.running, workspace.served, &*it});
    it = workspace.lanes.empty() && workspace.running == 0 ? workspaces_.erase(it) : std::next(it);
  }
  Forget(now);
}

bool PollSchedule::MayAsk(const std::string& host, Instant now) const {
  const auto it = hosts_.find(host);
  return it == hosts_.end() || (it->second.running < options_.per_host && it->second.FreeAt(now) <= now);
}

std::optional<DueSource> PollSchedule::Next(Instant now) {
  if (running() >= options_.at_once) return std::nullopt;
  for (const Place& place : round_) {
    auto& of = *std::get<2>(place);
    std::map<int, Lane>& lanes = of.second.lanes;
    const auto lane =
        std::find_if(lanes.begin(), lanes.end(), [&](const auto& one) { return MayAsk(one.second.host, now); });
    if (lane == lanes.end()) continue;
    DueSource picked = Take(of, lane);  // changes the round
    Host& host = hosts_[picked.host];
    ++host.running;
    if (host.remaining && now < host.window_end) --*host.remaining;
    return picked;
  }
  return std::nullopt;
}

DueSource PollSchedule::Take(std::pair<const std::string, Workspace>& of, std::map<int, Lane>::iterator lane) {
  Workspace& workspace = of.second;
  DueSource picked;
  Replace(of, [&] {
    auto node = workspace.lanes.extract(lane);
    std::deque<Waiting>& channels = node.mapped().channels;
    picked = {{of.first, std::move(channels.front().channel_id)}, node.mapped().host};
    channels.pop_front();
    if (!channels.empty()) {
      node.key() = channels.front().place;
      workspace.lanes.insert(std::move(node));
    }
    ++workspace.running;
    workspace.served = ++served_;
  });
  --waiting_;
  running_.insert(picked.binding.channel_id);
  return picked;
}

void PollSchedule::Drop(const DueSource& picked) {
  running_.erase(picked.binding.channel_id);
  const auto it = workspaces_.find(picked.binding.workspace_id);
  Replace(*it, [&] { --it->second.running; });
  if (it->second.lanes.empty() && it->second.running == 0) workspaces_.erase(it);
}

void PollSchedule::Observe(Host& host, const BudgetSignal& signal, Instant now) const {
  const RateLimit& rate = signal.rate;
  auto capped = [&](absl::Duration wait) { return std::clamp(wait, absl::ZeroDuration(), options_.wait_max); };
  if (rate.remaining && rate.reset_in) {
    const Instant end = now + capped(*rate.reset_in);
    // Answers overtake each other: inside one window the lowest count is the latest.
    const bool same_window = host.remaining && now < host.window_end && end - host.window_end < absl::Seconds(2);
    host.remaining = same_window ? std::min(*host.remaining, *rate.remaining) : *rate.remaining;
    host.window_end = end;
  }
  if (rate.retry_after || signal.limited) {
    const absl::Duration wait = rate.retry_after.value_or(rate.reset_in.value_or(options_.limited_wait));
    host.blocked_until = std::max(host.blocked_until, now + capped(wait));
  }
}

void PollSchedule::Ended(const DueSource& polled, const BudgetSignal& signal, Instant now) {
  Drop(polled);
  Host& host = hosts_[polled.host];
  --host.running;
  if (!signal.shared) return;
  const std::string& asked = signal.host.empty() ? polled.host : signal.host;
  Observe(hosts_[asked], signal, now);
}

void PollSchedule::NotTaken(const DueSource& picked) {
  Drop(picked);
  Host& host = hosts_[picked.host];
  --host.running;
  if (host.remaining) ++*host.remaining;
}

// Hosts with nothing under way and nothing to remember; beyond the bound also what is remembered: the channel that was
// refused waits by itself then, and the others find out for themselves.
void PollSchedule::Forget(Instant now) {
  size_t remembered = 0;
  for (auto it = hosts_.begin(); it != hosts_.end();) {
    const Host& host = it->second;
    const bool keep = host.running > 0 || (host.Remembered(now) && ++remembered <= kPausesMax);
    it = keep ? std::next(it) : hosts_.erase(it);
  }
}

std::vector<std::string> PollSchedule::PausedHosts(Instant now) const {
  std::vector<std::string> paused;
  for (const auto& [name, host] : hosts_) {
    if (host.FreeAt(now) > now && paused.size() < kPausesMax) paused.push_back(name);
  }
  return paused;
}

}  // namespace parvis::ingestion
