#include "ingestion/domain/shared_stream_fakes.h"

#include <algorithm>

namespace parvis::ingestion {
namespace {

using Lock = std::unique_lock<std::mutex>;

Status Fenced() { return MakeError(Code::kAborted, "FENCED", "lost"); }

}  // namespace

FakeSharedStreamStore::FakeSharedStreamStore(FakeSourceStore& sources, const Clock& clock)
    : sources_(sources), clock_(clock) {
  sources_.stream_of = [this](const std::string& channel_id) { return Shown(channel_id); };
}

HeardByStream FakeSharedStreamStore::Shown(const std::string& channel_id) const {
  Lock lock(mutex_);
  HeardByStream shown;
  auto it = channels_.find(channel_id);
  if (it == channels_.end()) return shown;
  const Channel& channel = it->second;
  shown.last_gap = channel.last_gap;
  bool connecting = channel.failures > 0;
  for (const auto& [network, stream] : streams_) {  // tests have one
    if (!channel.heard_since) continue;
    if (Read(stream) && stream.connected_since) {
      shown.state = StreamState::kLive;
      shown.connected_since = std::max(*channel.heard_since, *stream.connected_since);
      return shown;
    }
    connecting = connecting || Read(stream) || stream.failures > 0;
  }
  if (connecting) shown.state = StreamState::kConnecting;
  return shown;
}

SharedMember FakeSharedStreamStore::MemberOf(const Source& source) {
  const Channel& channel = channels_[source.binding.channel_id];
  return {source.binding, source.remote_id, source.credentials_version, channel.failures};
}

bool FakeSharedStreamStore::MayJoin(const Source& source) {
  if (source.state != SourceState::kActive) return false;
  const Channel& channel = channels_[source.binding.channel_id];
  return !channel.heard_since &&
         (channel.next_try <= clock_.WallNow() || channel.credentials_version != source.credentials_version);
}

StatusOr<std::vector<ClaimedShared>> FakeSharedStreamStore::Claim(const std::vector<std::string>& networks,
                                                                  absl::Duration lease) {
  const std::vector<Source> sources = sources_.All();
  Lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  const absl::Time now = clock_.WallNow();
  std::vector<ClaimedShared> claimed;
  for (const std::string& network : networks) {
    Stream& stream = streams_[network];
    if (Read(stream) || stream.next_try > now) continue;
    std::vector<SharedMember> heard;
    bool any = false;
    for (const Source& source : sources) {
      if (source.network != network || source.state != SourceState::kActive) continue;
      if (channels_[source.binding.channel_id].heard_since) heard.push_back(MemberOf(source));
      any = any || MayJoin(source);
    }
    if (heard.empty() && !any) continue;
    stream.lease_until = now + lease;
    stream.connected_since.reset();
    claimed.push_back({network, ++stream.token, stream.cursor, stream.failures, std::move(heard)});
  }
  return claimed;
}

StatusOr<std::set<std::string>> FakeSharedStreamStore::Renew(const std::vector<ClaimedShared>& claimed,
                                                             absl::Duration lease) {
  Lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  std::set<std::string> kept;
  for (const ClaimedShared& one : claimed) {
    Stream* stream = Owned(one);
    if (stream == nullptr || !stream->lease_until) continue;
    stream->lease_until = clock_.WallNow() + lease;
    kept.insert(one.network);
  }
  return kept;
}

FakeSharedStreamStore::Stream* FakeSharedStreamStore::Owned(const ClaimedShared& claimed) {
  auto it = streams_.find(claimed.network);
  return it == streams_.end() || it->second.token != claimed.token ? nullptr : &it->second;
}

StatusOr<SharedTurnout> FakeSharedStreamStore::Turnout(const ClaimedShared& claimed, int room) {
  const std::vector<Source> sources = sources_.All();
  Lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  if (Owned(claimed) == nullptr) return Fenced();
  SharedTurnout turnout;
  std::map<std::string, int> heard;  // of a workspace
  std::vector<const Source*> waiting;
  for (const Source& source : sources) {
    if (source.network != claimed.network) continue;
    const Channel& channel = channels_[source.binding.channel_id];
    const bool is_heard = channel.heard_since.has_value(), active = source.state == SourceState::kActive;
    turnout.wanted += active;
    if (is_heard && !active) turnout.leaving.push_back(MemberOf(source));
    if (is_heard && active) {
      ++heard[source.binding.workspace_id];
      if (channel.credentials_version != source.credentials_version) turnout.renewed.push_back(MemberOf(source));
    }
    if (MayJoin(source)) waiting.push_back(&source);
  }
  while (!waiting.empty() && static_cast<int>(turnout.joining.size()) < room) {
    auto best = std::min_element(waiting.begin(), waiting.end(), [&](const Source* a, const Source* b) {
      return heard[a->binding.workspace_id] < heard[b->binding.workspace_id];
    });
    ++heard[(*best)->binding.workspace_id];
    turnout.joining.push_back(MemberOf(**best));
    waiting.erase(best);
  }
  return turnout;
}

void FakeSharedStreamStore::Write(Stream& stream, const ClaimedShared& claimed, const SharedProgress& progress,
                                  bool poll_all) {
  stream.cursor = progress.cursor;
  stream.failures = progress.failures;
  const absl::Time now = clock_.WallNow();
  for (const auto& [id, news] : progress.news) sources_.NoteEvent(news.binding, news.last_event);
  for (const auto& [id, member] : progress.joined) {
    channels_[id].heard_since = now;
    channels_[id].credentials_version = member.credentials_version;
    (void)sources_.PollNow({member.binding});
  }
  for (const auto& [id, left] : progress.left) {
    Channel& channel = channels_[id];
    channel.heard_since.reset();
    channel.credentials_version = left.member.credentials_version;
    channel.failures = left.end.failures;
    channel.next_try = now + left.end.next_in;
    if (left.end.poll_now) (void)sources_.PollNow({left.member.binding});
    if (!left.end.broken) continue;
    ClaimedStream as_own;
    as_own.source.binding = left.member.binding;
    as_own.source.credentials_version = left.member.credentials_version;
    sources_.Break(as_own, left.end);
  }
  for (const Source& source : sources_.All()) {
    if (source.network != claimed.network || source.state != SourceState::kActive) continue;
    Channel& channel = channels_[source.binding.channel_id];
    if (!channel.heard_since) continue;
    if (progress.gap) channel.last_gap = now;
    if (poll_all) (void)sources_.PollNow({source.binding});
  }
}

Status FakeSharedStreamStore::Save(const ClaimedShared& claimed, const SharedProgress& progress) {
  Lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  Stream* stream = Owned(claimed);
  if (stream == nullptr) return Fenced();
  Write(*stream, claimed, progress, progress.poll_all);
  if (!stream->connected_since) stream->connected_since = clock_.WallNow();
  return absl::OkStatus();
}

Status FakeSharedStreamStore::Release(const ClaimedShared& claimed, const SharedProgress& progress,
                                      const StreamEnd& end) {
  Lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  Stream* stream = Owned(claimed);
  if (stream == nullptr) return Fenced();
  Write(*stream, claimed, progress, progress.poll_all || end.poll_now);
  stream->failures = end.failures;
  stream->lease_until.reset();
  stream->connected_since.reset();
  stream->next_try = clock_.WallNow() + end.next_in;
  return absl::OkStatus();
}

void FakeSharedStreamStore::Fail(Status status) {
  Lock lock(mutex_);
  failure_ = std::move(status);
}

std::string FakeSharedStreamStore::CursorOf(const std::string& network) const {
  Lock lock(mutex_);
  auto it = streams_.find(network);
  return it == streams_.end() ? "" : it->second.cursor;
}

std::set<std::string> FakeSharedStreamStore::Heard() const {
  Lock lock(mutex_);
  std::set<std::string> heard;
  for (const auto& [id, channel] : channels_) {
    if (channel.heard_since) heard.insert(id);
  }
  return heard;
}

int64_t FakeSharedStreamStore::VersionOf(const std::string& channel_id) const {
  Lock lock(mutex_);
  auto it = channels_.find(channel_id);
  return it == channels_.end() ? 0 : it->second.credentials_version;
}

class FakeNetworkStreams::Listener : public NetworkStream {
 public:
  Listener(FakeNetworkStreams& network, std::set<std::string> heard, size_t next, bool gap)
      : network_(network), heard_(std::move(heard)), next_(next), gap_(gap), breaks_(network.breaks_) {}
  ~Listener() override {
    Lock lock(network_.mutex_);
    --network_.open_;
  }
  StatusOr<std::map<std::string, Status>> Add(const Call&, const std::vector<SharedMember>& members) override {
    Lock lock(network_.mutex_);
    if (!network_.no_more_.ok()) return network_.no_more_;
    std::map<std::string, Status> refused;
    for (const SharedMember& member : members) {
      const std::string& id = member.binding.channel_id;
      if (auto it = network_.refused_.find(id); it != network_.refused_.end()) {
        refused[id] = it->second;
      } else {
        heard_.insert(id);
      }
    }
    network_.heard_ = heard_;
    return refused;
  }
  void Remove(const Call&, const std::vector<std::string>& channel_ids) override {
    Lock lock(network_.mutex_);
    for (const std::string& id : channel_ids) heard_.erase(id);
    network_.heard_ = heard_;
  }
  // Returns, empty, after some milliseconds: the clock of the deadline may stand still.
  StatusOr<SharedPage> Next(const Call&) override {
    Lock lock(network_.mutex_);
    const std::vector<Event>& events = network_.events_;
    network_.changed_.wait_for(lock, std::chrono::milliseconds(5),
                               [&] { return gap_ || breaks_ != network_.breaks_ || next_ < events.size(); });
    if (breaks_ != network_.breaks_) return network_.broken_;
    SharedPage page;
    page.gap = std::exchange(gap_, false);
    for (; next_ < events.size(); ++next_) {
      const std::string id = std::to_string(next_ + 1), &channel = events[next_].channel;
      if (channel.empty()) page.unparsed.push_back({"junk " + id, "UNKNOWN_SHAPE", ""});
      if (!heard_.contains(channel)) continue;
      if (auto refused = network_.refused_.find(channel); refused != network_.refused_.end()) {
        page.lost[channel] = refused->second;
        heard_.erase(channel);
        network_.heard_ = heard_;
        continue;
      }
      Happening& happening = page.told.emplace_back(SharedPage::Told{channel, {}}).what;
      happening.remote_id = id;
      happening.occurred_at = absl::FromUnixSeconds(1'790'000'000) + absl::Seconds(next_);
    }
    page.cursor = std::to_string(next_);
    return page;
  }

 private:
  FakeNetworkStreams& network_;
  std::set<std::string> heard_;
  size_t next_;
  bool gap_;
  const int64_t breaks_;
};

int FakeNetworkStreams::ChannelsMax(const std::string&) const {
  Lock lock(mutex_);
  return channels_max_;
}

StatusOr<NetworkOpening> FakeNetworkStreams::Open(const Call&, const std::string&,
                                                  const std::vector<SharedMember>& members, const std::string& cursor) {
  Lock lock(mutex_);
  cursors_.push_back(cursor);
  if (!refusal_.ok()) return refusal_;
  met_ += open_ > 0;
  ++open_;
  NetworkOpening opening;
  heard_.clear();
  for (const SharedMember& member : members) {
    const std::string& id = member.binding.channel_id;
    if (auto it = refused_.find(id); it != refused_.end()) {
      opening.refused[id] = it->second;
    } else {
      heard_.insert(id);
    }
  }
  const size_t all = events_.size();
  const size_t oldest = all - std::min(all, keep_);
  const size_t asked = cursor.empty() ? all : std::stoul(cursor);
  opening.stream = std::make_unique<Listener>(*this, heard_, std::max(asked, oldest), asked < oldest);
  return opening;
}

void FakeNetworkStreams::ReportBroken(const Call&, const std::string&, const SharedMember& member, const Status& why) {
  Lock lock(mutex_);
  reported_.push_back(member.binding.channel_id + " " + ReasonOf(why));
}

void FakeNetworkStreams::Publish(const std::string& channel_id, int count) {
  Lock lock(mutex_);
  events_.insert(events_.end(), static_cast<size_t>(count), {channel_id});
  changed_.notify_all();
}

void FakeNetworkStreams::PublishJunk() { Publish(""); }

void FakeNetworkStreams::KeepLast(int events) {
  Lock lock(mutex_);
  keep_ = static_cast<size_t>(events);
}

void FakeNetworkStreams::RefuseToOpen(Status why) {
  Lock lock(mutex_);
  refusal_ = std::move(why);
}

void FakeNetworkStreams::RefuseToAdd(Status why) {
  Lock lock(mutex_);
  no_more_ = std::move(why);
}

void FakeNetworkStreams::Refuse(const std::string& channel_id, Status why) {
  Lock lock(mutex_);
  if (why.ok()) {
    refused_.erase(channel_id);
  } else {
    refused_[channel_id] = std::move(why);
  }
}

void FakeNetworkStreams::Break(Status why) {
  Lock lock(mutex_);
  broken_ = std::move(why);
  ++breaks_;
  changed_.notify_all();
}

void FakeNetworkStreams::AllowChannels(int max) {
  Lock lock(mutex_);
  channels_max_ = max;
}

int FakeNetworkStreams::opened() const {
  Lock lock(mutex_);
  return static_cast<int>(cursors_.size());
}

int FakeNetworkStreams::open() const {
  Lock lock(mutex_);
  return open_;
}

int FakeNetworkStreams::met() const {
  Lock lock(mutex_);
  return met_;
}

std::vector<std::string> FakeNetworkStreams::cursors() const {
  Lock lock(mutex_);
  return cursors_;
}

std::set<std::string> FakeNetworkStreams::heard() const {
  Lock lock(mutex_);
  return heard_;
}

std::vector<std::string> FakeNetworkStreams::reported() const {
  Lock lock(mutex_);
  return reported_;
}

}  // namespace parvis::ingestion
