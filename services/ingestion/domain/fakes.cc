#include "ingestion/domain/fakes.h"

#include <algorithm>

namespace parvis::ingestion {

using Lock = std::unique_lock<std::mutex>;

void FakeSink::Send(const Trace&, std::vector<Activity> activities, std::vector<RawPart> parts, const std::string&,
                    Done done) {
  Status status;
  {
    Lock lock(mutex_);
    status = failure_;
    if (status.ok()) {
      for (Activity& activity : activities) activities_.push_back(std::move(activity));
      for (RawPart& part : parts) parts_.push_back(std::move(part));
      if (holding_) {
        held_.push_back(std::move(done));
        return;
      }
    }
  }
  done(status);
}

std::vector<Activity> FakeSink::activities() const {
  Lock lock(mutex_);
  return activities_;
}

std::vector<RawPart> FakeSink::parts() const {
  Lock lock(mutex_);
  return parts_;
}

void FakeSink::Fail(Status status) {
  Lock lock(mutex_);
  failure_ = std::move(status);
}

void FakeSink::Hold() {
  Lock lock(mutex_);
  holding_ = true;
}

void FakeSink::Release() {
  std::vector<Done> held;
  {
    Lock lock(mutex_);
    holding_ = false;
    held.swap(held_);
  }
  for (Done& done : held) done(absl::OkStatus());
}

int FakeSink::waiting() const {
  Lock lock(mutex_);
  return static_cast<int>(held_.size());
}

StatusOr<std::multimap<std::string, Binding>> FakeFinder::FindChannels(const std::string& network,
                                                                       const std::vector<std::string>& accounts) {
  Lock lock(mutex_);
  asked_ += static_cast<int>(accounts.size());
  changed_.wait(lock, [this] { return !blocked_; });
  if (!failure_.ok()) return failure_;
  std::multimap<std::string, Binding> found;
  for (const std::string& account : accounts) {
    for (auto [it, end] = bound_.equal_range({network, account}); it != end; ++it) found.emplace(account, it->second);
  }
  return found;
}

void FakeFinder::Bind(const std::string& network, const std::string& account, const Binding& binding) {
  Lock lock(mutex_);
  bound_.emplace(std::pair(network, account), binding);
}

void FakeFinder::Fail(Status status) {
  Lock lock(mutex_);
  failure_ = std::move(status);
}

void FakeFinder::Block() {
  Lock lock(mutex_);
  blocked_ = true;
}

void FakeFinder::Unblock() {
  Lock lock(mutex_);
  blocked_ = false;
  changed_.notify_all();
}

int FakeFinder::asked() const {
  Lock lock(mutex_);
  return asked_;
}

StatusOr<Source> FakeSourceStore::GetSource(const Call& call, const std::string& channel_id) {
  Lock lock(mutex_);
  auto it = rows_.find(channel_id);
  if (it == rows_.end() || it->second.source.binding.workspace_id != call.workspace_id) {
    return NotFound("workspaces/" + call.workspace_id + "/sources/" + channel_id);
  }
  Source found = it->second.source;
  lock.unlock();
  return Shown(std::move(found));
}

Source FakeSourceStore::Shown(Source source) const {
  if (hub_of) source.hub = hub_of(source.binding.channel_id);
  if (stream_of && source.state == SourceState::kActive) source.stream = stream_of(source.binding.channel_id);
  return source;
}

std::vector<Source> FakeSourceStore::All() {
  Lock lock(mutex_);
  std::vector<Source> all;
  for (const auto& [id, row] : rows_) all.push_back(row.source);
  return all;
}

void FakeSourceStore::Break(const ClaimedStream& claimed, const StreamEnd& why) {
  Lock lock(mutex_);
  Source& source = rows_.at(claimed.source.binding.channel_id).source;
  if (source.credentials_version != claimed.source.credentials_version || source.state != SourceState::kActive) return;
  source.state = SourceState::kBroken;
  source.state_reason = why.reason;
  source.state_message = why.message;
  source.next_poll.reset();
}

void FakeSourceStore::NoteEvent(const Binding& binding, absl::Time at) {
  Lock lock(mutex_);
  Source& source = rows_.at(binding.channel_id).source;
  source.last_event = std::max(source.last_event.value_or(absl::InfinitePast()), at);
}

Status FakeSourceStore::PollNow(const std::vector<Binding>& bindings) {
  Lock lock(mutex_);
  const absl::Time now = clock_.WallNow();
  for (const Binding& binding : bindings) {
    auto it = rows_.find(binding.channel_id);
    if (it == rows_.end() || it->second.source.binding != binding) continue;
    Source& source = it->second.source;
    if (source.state != SourceState::kActive || !source.pollable) continue;
    it->second.poll_asked = it->second.lease_until && *it->second.lease_until >= now;
    if (source.failures == 0 && source.next_poll) source.next_poll = std::min(*source.next_poll, now);
  }
  return absl::OkStatus();
}

StatusOr<std::vector<Source>> FakeSourceStore::ListSources(const Call& call, const std::string& after, int limit) {
  Lock lock(mutex_);
  std::vector<Source> found;
  for (auto it = rows_.upper_bound(after); it != rows_.end() && static_cast<int>(found.size()) < limit; ++it) {
    if (it->second.source.binding.workspace_id == call.workspace_id) found.push_back(it->second.source);
  }
  lock.unlock();
  for (Source& source : found) source = Shown(std::move(source));
  return found;
}

StatusOr<Source> FakeSourceStore::StartBackfill(const Call& call, const std::string& channel_id, absl::Time from) {
  PARVIS_RETURN_IF_ERROR(GetSource(call, channel_id).status());
  Lock lock(mutex_);
  Row& row = rows_[channel_id];
  Source& source = row.source;
  if (source.backfill != BackfillState::kRunning || from < source.backfill_from) {
    source.backfill = BackfillState::kRunning;
    source.backfill_from = from;
    source.backfill_cursor = "";
    source.next_poll = clock_.WallNow();
    row.lease_until.reset();
    ++row.token;
  }
  return source;
}

Status FakeSourceStore::Sync(const std::vector<KnownChannel>& channels, absl::Time from) {
  Lock lock(mutex_);
  for (const KnownChannel& channel : channels) {
    auto [it, is_new] = rows_.try_emplace(channel.binding.channel_id);
    Source& source = it->second.source;
    if (is_new) {
      source.binding = channel.binding;
      source.network = channel.network;
      source.remote_id = channel.remote_id;
      source.host = channel.network;
      source.complete_from = from;
      source.interval = channel.first_interval;
    } else if (source.credentials_version >= channel.credentials_version && source.state != SourceState::kDetached &&
               source.pollable == channel.pollable) {
      continue;
    }
    source.credentials_version = channel.credentials_version;
    source.pollable = channel.pollable;
    source.state = SourceState::kActive;
    source.state_reason = source.state_message = "";
    source.failures = 0;
    source.next_poll = channel.pollable ? std::optional(clock_.WallNow()) : std::nullopt;
  }
  return absl::OkStatus();
}

Status FakeSourceStore::Detach(const std::string& after, const std::string& last,
                               const std::vector<std::string>& channel_ids) {
  Lock lock(mutex_);
  for (auto& [id, row] : rows_) {
    if (id <= after || (!last.empty() && id > last)) continue;
    if (std::find(channel_ids.begin(), channel_ids.end(), id) != channel_ids.end()) continue;
    row.source.state = SourceState::kDetached;
    row.source.next_poll.reset();
  }
  return absl::OkStatus();
}

std::optional<absl::Duration> FakeSourceStore::LateBy(const Row& row, absl::Time now) {
  const Source& source = row.source;
  if (source.state != SourceState::kActive || !source.pollable || !source.next_poll) return std::nullopt;
  if (row.lease_until && *row.lease_until >= now) return std::nullopt;
  if (*source.next_poll > now + kPlannedMax) return absl::ZeroDuration();
  if (*source.next_poll > now) return std::nullopt;
  return now - *source.next_poll;
}

StatusOr<DueList> FakeSourceStore::ListDue(int limit, const std::vector<std::string>& paused_hosts) {
  Lock lock(mutex_);
  const absl::Time now = clock_.WallNow();
  std::map<std::pair<std::string, std::string>, std::multimap<absl::Duration, const Source*, std::greater<>>> queues;
  DueList due;
  for (const auto& [id, row] : rows_) {
    const std::optional<absl::Duration> late = LateBy(row, now);
    if (!late) continue;
    if (std::find(paused_hosts.begin(), paused_hosts.end(), row.source.host) != paused_hosts.end()) {
      ++due.paused;
      continue;
    }
    ++due.due;
    due.most_overdue = std::max(due.most_overdue, *late);
    queues[{row.source.binding.workspace_id, row.source.host}].emplace(*late, &row.source);
  }
  using Ranked = std::multimap<std::pair<int, absl::Duration>, const Source*>;  // by a place, then the most overdue
  std::map<std::string, Ranked> workspaces;
  for (const auto& [of, queue] : queues) {
    int place = 0;
    for (const auto& [late, source] : queue) {
      workspaces[of.first].emplace(std::pair(place++ / kHostBlock, -late), source);
    }
  }
  Ranked ranked;
  for (const auto& [workspace, sources] : workspaces) {
    int place = 0;
    for (const auto& [block, source] : sources) ranked.emplace(std::pair(place++, block.second), source);
  }
  due.cut = static_cast<int>(ranked.size()) > limit;
  for (const auto& [place, source] : ranked) {
    if (static_cast<int>(due.sources.size()) == limit) break;
    due.sources.push_back({source->binding, source->host});
  }
  return due;
}

StatusOr<std::vector<Claimed>> FakeSourceStore::Claim(const std::vector<Binding>& wanted, absl::Duration lease) {
  Lock lock(mutex_);
  const absl::Time now = clock_.WallNow();
  std::vector<Claimed> claimed;
  for (const Binding& binding : wanted) {
    auto it = rows_.find(binding.channel_id);
    if (it == rows_.end() || it->second.source.binding != binding) continue;
    Row& row = it->second;
    const std::optional<absl::Duration> late = LateBy(row, now);
    if (!late) continue;
    row.lease_until = now + lease;
    row.poll_asked = false;
    claimed.push_back({row.source, ++row.token, *late});
  }
  lock.unlock();
  for (Claimed& one : claimed) one.source = Shown(std::move(one.source));
  return claimed;
}

FakeSourceStore::Row* FakeSourceStore::Owned(const Claimed& claimed) {
  auto it = rows_.find(claimed.source.binding.channel_id);
  return it == rows_.end() || it->second.token != claimed.token ? nullptr : &it->second;
}

Status FakeSourceStore::Save(const Claimed& claimed, const Progress& progress, absl::Duration lease) {
  Lock lock(mutex_);
  Row* row = Owned(claimed);
  if (row == nullptr) return MakeError(Code::kAborted, "FENCED", "lost");
  Source& source = row->source;
  source.cursor = progress.cursor;
  if (progress.last_event && (!source.last_event || *progress.last_event > *source.last_event)) {
    source.last_event = progress.last_event;
  }
  if (progress.verified_complete) source.verified_complete = progress.verified_complete;
  if (progress.complete_from) source.complete_from = std::min(source.complete_from, *progress.complete_from);
  source.backfill = progress.backfill;
  source.backfill_cursor = progress.backfill_cursor;
  row->lease_until = clock_.WallNow() + lease;
  return absl::OkStatus();
}

Status FakeSourceStore::Release(const Claimed& claimed, const PollEnd& end) {
  Lock lock(mutex_);
  Row* row = Owned(claimed);
  if (row == nullptr) return MakeError(Code::kAborted, "FENCED", "lost");
  Source& source = row->source;
  row->lease_until.reset();
  source.interval = end.interval;
  source.failures = end.failures;
  if (!end.host.empty()) source.host = end.host;
  if (end.polled) source.last_poll = clock_.WallNow();
  if (source.credentials_version != claimed.source.credentials_version || source.state != SourceState::kActive) {
    return absl::OkStatus();
  }
  source.state = end.state;
  source.state_reason = end.state_reason;
  source.state_message = end.state_message;
  source.next_poll =
      end.next_in == absl::InfiniteDuration() ? std::nullopt : std::optional(clock_.WallNow() + end.next_in);
  if (row->poll_asked && end.failures == 0 && source.next_poll) source.next_poll = clock_.WallNow();
  return absl::OkStatus();
}

Status FakeSourceStore::NoteHeard(const std::vector<Heard>& heard) {
  Lock lock(mutex_);
  for (const Heard& one : heard) {
    auto it = rows_.find(one.binding.channel_id);
    if (it == rows_.end() || it->second.source.binding != one.binding) continue;
    Source& source = it->second.source;
    source.last_webhook = std::max(source.last_webhook.value_or(absl::InfinitePast()), one.last_webhook);
    source.last_event = std::max(source.last_event.value_or(absl::InfinitePast()), one.last_event);
  }
  return absl::OkStatus();
}

StatusOr<ReadPage> FakeReader::Read(const Call&, const Source&, const std::string& cursor, absl::Time, int) {
  read.push_back(cursor);
  if (on_read) on_read(cursor);
  auto it = pages.find(cursor);
  if (it != pages.end()) return it->second;
  ReadPage empty;
  empty.cursor = cursor;
  return empty;
}

void FakeReader::ReportBroken(const Call&, const Source&, const Status& why) { reported.push_back(ReasonOf(why)); }

StatusOr<OpenedChannel> FakeDesk::Open(const Call&, const Binding& binding) {
  for (const BoundChannel& channel : channels) {
    if (channel.binding == binding)
      return OpenedChannel{channel.network, channel.remote_id, "https://x.example", {}, 1};
  }
  return NotFound("channel");
}

Status FakeDesk::ReportBroken(const Call&, const Binding&, int64_t, const std::string&, const std::string&) {
  return absl::OkStatus();
}

StatusOr<std::vector<BoundChannel>> FakeDesk::List(const Call&, std::string& page_token) {
  if (!failure.ok()) return failure;
  std::vector<BoundChannel> page;
  for (const BoundChannel& channel : channels) {
    if (channel.binding.channel_id > page_token && static_cast<int>(page.size()) <= page_size) page.push_back(channel);
  }
  page_token.clear();
  if (static_cast<int>(page.size()) > page_size) {
    page.pop_back();
    page_token = page.back().binding.channel_id;
  }
  return page;
}

}  // namespace parvis::ingestion
