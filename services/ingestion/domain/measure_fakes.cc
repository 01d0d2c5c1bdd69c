#include "ingestion/domain/measure_fakes.h"

#include <algorithm>
#include <thread>

namespace parvis::ingestion {

using Lock = std::unique_lock<std::mutex>;

absl::Time FakeMeasureStore::Channel::DueTime() const {
  absl::Time due = own.value_or(absl::InfiniteFuture());
  for (const auto& [id, post] : posts) due = std::min(due, post.next.value_or(absl::InfiniteFuture()));
  return due == absl::InfiniteFuture() ? due : std::max(due, paused_until);
}

bool FakeMeasureStore::Channel::IsDue(absl::Time now) const {
  const absl::Time due = DueTime();
  if (!known || !active || due == absl::InfiniteFuture()) return false;
  return (due <= now || due > now + kPlannedMax) && (!lease_until || *lease_until < now);
}

void FakeMeasureStore::SetSource(const Binding& binding, const std::string& network, bool active,
                                 const std::string& host) {
  Lock lock(mutex_);
  Channel& channel = channels_[binding.channel_id];
  channel.binding = binding;
  channel.network = network;
  channel.host = host.empty() ? network : host;
  channel.active = active;
}

Status FakeMeasureStore::Follow(const StreamPositions& positions, const std::vector<PostChange>& changes) {
  Lock lock(mutex_);
  for (const StreamPosition& p : positions) {
    if (p.next <= next_[{p.group, p.topic, p.partition}]) return MakeError(Code::kAborted, "FENCED", "behind");
  }
  for (const StreamPosition& p : positions) next_[{p.group, p.topic, p.partition}] = p.next;
  for (const PostChange& change : changes) {
    if (change.deleted) continue;
    auto [it, is_new] = channels_.try_emplace(change.binding.channel_id);
    if (is_new) it->second.active = false;  // until there is a source
    it->second.binding = change.binding;
    it->second.known = true;
    it->second.posts.try_emplace(change.post_remote_id, Post{change.published, clock_.WallNow() + change.first_in, 0});
  }
  for (const PostChange& change : changes) {
    if (!change.deleted) continue;
    auto channel = channels_.find(change.binding.channel_id);
    if (channel == channels_.end()) continue;
    auto post = channel->second.posts.find(change.post_remote_id);
    if (post != channel->second.posts.end()) post->second.next.reset();
  }
  return absl::OkStatus();
}

Status FakeMeasureStore::AddChannels(const std::vector<std::string>& networks, absl::Duration) {
  Lock lock(mutex_);
  for (auto& [id, channel] : channels_) {
    if (!channel.active || channel.own) continue;
    if (std::find(networks.begin(), networks.end(), channel.network) == networks.end()) continue;
    channel.known = true;
    channel.own = clock_.WallNow();
  }
  return absl::OkStatus();
}

Status FakeMeasureStore::Forget(absl::Time published_before) {
  Lock lock(mutex_);
  for (auto& [id, channel] : channels_) {
    std::erase_if(channel.posts,
                  [&](const auto& one) { return !one.second.next && one.second.published < published_before; });
  }
  return absl::OkStatus();
}

StatusOr<std::vector<MeasureJob>> FakeMeasureStore::Claim(int limit, int batch, absl::Duration early,
                                                          absl::Duration lease,
                                                          const std::vector<std::string>& paused_hosts) {
  Lock lock(mutex_);
  const absl::Time now = clock_.WallNow();
  std::map<std::string, std::multimap<absl::Time, Channel*>> workspaces;
  for (auto& [id, channel] : channels_) {
    const bool paused = std::find(paused_hosts.begin(), paused_hosts.end(), channel.host) != paused_hosts.end();
    if (channel.IsDue(now) && !paused) workspaces[channel.binding.workspace_id].emplace(channel.DueTime(), &channel);
  }
  std::multimap<std::pair<int, absl::Time>, Channel*> ranked;
  for (const auto& [workspace, channels] : workspaces) {
    int place = 0;
    for (const auto& [due, channel] : channels) ranked.emplace(std::pair(place++, due), channel);
  }
  std::vector<MeasureJob> jobs;
  for (const auto& [place, channel] : ranked) {
    if (static_cast<int>(jobs.size()) == limit) break;
    MeasureJob job{.binding = channel->binding,
                   .network = channel->network,
                   .host = channel->host,
                   .credentials_version = 1,
                   .own = false,
                   .posts = {},
                   .failures = channel->failures,
                   .token = ++channel->token,
                   .late = std::max(now - place.second, absl::ZeroDuration())};
    channel->lease_until = now + lease;
    auto is_due = [&](absl::Time at, absl::Duration before) { return at <= now + before || at > now + kPlannedMax; };
    job.own = channel->own && is_due(*channel->own, absl::ZeroDuration());
    std::multimap<absl::Time, MeasuredPost> posts;
    for (const auto& [id, post] : channel->posts) {
      if (post.next && is_due(*post.next, early))
        posts.emplace(*post.next, MeasuredPost{id, post.published, post.misses});
    }
    for (auto& [next, post] : posts) {
      if (static_cast<int>(job.posts.size()) < batch) job.posts.push_back(post);
    }
    jobs.push_back(std::move(job));
  }
  return jobs;
}

Status FakeMeasureStore::Release(const MeasureJob& job, const MeasureEnd& end) {
  Lock lock(mutex_);
  const absl::Time now = clock_.WallNow();
  auto it = channels_.find(job.binding.channel_id);
  if (it == channels_.end() || it->second.token != job.token) return MakeError(Code::kAborted, "FENCED", "lost");
  Channel& channel = it->second;
  for (const MeasureEnd::Post& one : end.posts) {
    auto post = channel.posts.find(one.remote_id);
    if (post == channel.posts.end() || !post->second.next) continue;  // deleted meanwhile
    post->second.misses = one.misses;
    post->second.next.reset();
    if (one.next_in != absl::InfiniteDuration()) post->second.next = now + one.next_in;
  }
  if (end.own_next_in) channel.own = now + *end.own_next_in;
  channel.failures = end.failures;
  channel.paused_until = now + end.pause;
  channel.lease_until.reset();
  return absl::OkStatus();
}

StatusOr<MeasureDue> FakeMeasureStore::Due() {
  Lock lock(mutex_);
  const absl::Time now = clock_.WallNow();
  MeasureDue due;
  for (const auto& [id, channel] : channels_) {
    if (!channel.IsDue(now)) continue;
    ++due.channels;
    due.most_overdue = std::max(due.most_overdue, now - channel.DueTime());
  }
  return due;
}

StatusOr<ChannelMeter::Reading> FakeMeter::Measure(const Call&, const MeasureJob& job,
                                                   const std::vector<std::string>& post_remote_ids) {
  const std::string& channel = job.binding.channel_id;
  Lock lock(mutex_);
  asked_.push_back(post_remote_ids);
  if (!under_way_.insert(channel).second) met_ = true;
  lock.unlock();
  std::this_thread::yield();
  lock.lock();
  under_way_.erase(channel);
  if (!failure_.ok()) return failure_;
  Reading read{{}, rate_};
  const std::vector<std::string> own = {""};
  for (const std::string& id : post_remote_ids.empty() ? own : post_remote_ids) {
    if (auto it = counters_.find(id); it != counters_.end()) read.counted.push_back({id, it->second});
  }
  return read;
}

void FakeMeter::ReportBroken(const Call&, const MeasureJob&, const Status& why) {
  Lock lock(mutex_);
  reported_.push_back(ReasonOf(why));
}

void FakeMeter::Tell(const RateLimit& rate) {
  Lock lock(mutex_);
  rate_ = rate;
}

void FakeMeter::Set(const std::string& post_remote_id, std::map<std::string, int64_t> counters) {
  Lock lock(mutex_);
  counters_[post_remote_id] = std::move(counters);
}

void FakeMeter::Fail(Status status) {
  Lock lock(mutex_);
  failure_ = std::move(status);
}

std::vector<std::vector<std::string>> FakeMeter::asked() {
  Lock lock(mutex_);
  return asked_;
}

std::vector<std::string> FakeMeter::reported() {
  Lock lock(mutex_);
  return reported_;
}

bool FakeMeter::met() {
  Lock lock(mutex_);
  return met_;
}

Status FakeSampleSink::Send(const std::vector<Sample>& samples) {
  Lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  samples_.insert(samples_.end(), samples.begin(), samples.end());
  return absl::OkStatus();
}

void FakeSampleSink::Fail(Status status) {
  Lock lock(mutex_);
  failure_ = std::move(status);
}

std::vector<Sample> FakeSampleSink::samples() {
  Lock lock(mutex_);
  return samples_;
}

}  // namespace parvis::ingestion
