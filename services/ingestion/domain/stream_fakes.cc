#include "ingestion/domain/stream_fakes.h"

#include <algorithm>

namespace parvis::ingestion {
namespace {

using Lock = std::unique_lock<std::mutex>;

Status Fenced() { return MakeError(Code::kAborted, "FENCED", "lost"); }

bool Has(const std::vector<std::string>& list, const std::string& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

}  // namespace

FakeStreamStore::FakeStreamStore(FakeSourceStore& sources, const Clock& clock) : sources_(sources), clock_(clock) {
  sources_.stream_of = [this](const std::string& channel_id) { return Heard(channel_id); };
}

HeardByStream FakeStreamStore::Heard(const std::string& channel_id) const {
  Lock lock(mutex_);
  auto it = rows_.find(channel_id);
  if (it == rows_.end()) return {};
  const Row& row = it->second;
  HeardByStream heard;
  heard.last_gap = row.last_gap;
  if (Read(row) && row.connected_since) {
    heard.state = StreamState::kLive;
    heard.connected_since = row.connected_since;
  } else if (Read(row) || row.failures > 0) {
    heard.state = StreamState::kConnecting;
  }
  return heard;
}

StatusOr<StreamPlan> FakeStreamStore::Attend(const std::string& keeper, int places,
                                             const std::vector<std::string>& networks, absl::Duration lease) {
  const std::vector<Source> sources = sources_.All();
  Lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  const absl::Time now = clock_.WallNow();
  keepers_[keeper] = {places, now + lease};
  StreamPlan plan;
  for (const auto& [name, one] : keepers_) {
    if (one.until < now) continue;
    ++plan.keepers;
    plan.places += one.places;
  }
  for (const Source& source : sources) {
    if (source.state != SourceState::kActive || !Has(networks, source.network)) continue;
    Row& row = rows_[source.binding.channel_id];
    row.workspace_id = source.binding.workspace_id;
    ++plan.wanted;
    plan.read += Read(row);
  }
  return plan;
}

Status FakeStreamStore::Leave(const std::string& keeper) {
  Lock lock(mutex_);
  keepers_.erase(keeper);
  return failure_;
}

StatusOr<std::vector<ClaimedStream>> FakeStreamStore::Claim(const std::vector<std::string>& networks, int limit,
                                                            absl::Duration lease) {
  const std::vector<Source> sources = sources_.All();
  Lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  const absl::Time now = clock_.WallNow();
  std::map<std::string, int> readers;  // of a workspace
  for (const auto& [id, row] : rows_) readers[row.workspace_id] += Read(row);
  std::vector<ClaimedStream> claimed;
  while (static_cast<int>(claimed.size()) < limit) {
    const Source* best = nullptr;
    for (const Source& source : sources) {
      auto it = rows_.find(source.binding.channel_id);
      if (it == rows_.end() || source.state != SourceState::kActive || !Has(networks, source.network)) continue;
      const Row& row = it->second;
      if (Read(row) || (row.next_try > now && row.credentials_version == source.credentials_version)) continue;
      if (best == nullptr || readers[row.workspace_id] < readers[best->binding.workspace_id]) best = &source;
    }
    if (best == nullptr) break;
    Row& row = rows_.at(best->binding.channel_id);
    row.lease_until = now + lease;
    row.connected_since.reset();
    row.credentials_version = best->credentials_version;
    ++readers[row.workspace_id];
    claimed.push_back({*best, ++row.token, row.cursor, row.failures});
  }
  return claimed;
}

FakeStreamStore::Row* FakeStreamStore::Owned(const ClaimedStream& claimed) {
  auto it = rows_.find(claimed.source.binding.channel_id);
  return it == rows_.end() || it->second.token != claimed.token ? nullptr : &it->second;
}

StatusOr<RenewedStreams> FakeStreamStore::Renew(const std::vector<ClaimedStream>& claimed, absl::Duration lease) {
  const std::vector<Source> sources = sources_.All();
  Lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  RenewedStreams renewed;
  for (const ClaimedStream& one : claimed) {
    Row* row = Owned(one);
    if (row == nullptr || !row->lease_until) continue;
    row->lease_until = clock_.WallNow() + lease;
    for (const Source& source : sources) {
      if (source.binding != one.source.binding) continue;
      const bool same =
          source.state == SourceState::kActive && source.credentials_version == one.source.credentials_version;
      (same ? renewed.kept : renewed.changed).insert(source.binding.channel_id);
    }
  }
  return renewed;
}

void FakeStreamStore::Write(Row& row, const ClaimedStream& claimed, const StreamProgress& progress) {
  row.cursor = progress.cursor;
  row.failures = progress.failures;
  if (progress.gap) row.last_gap = clock_.WallNow();
  if (progress.last_event) sources_.NoteEvent(claimed.source.binding, *progress.last_event);
  if (progress.poll_now) (void)sources_.PollNow({claimed.source.binding});
}

Status FakeStreamStore::Save(const ClaimedStream& claimed, const StreamProgress& progress) {
  Lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  Row* row = Owned(claimed);
  if (row == nullptr) return Fenced();
  Write(*row, claimed, progress);
  if (!row->connected_since) row->connected_since = clock_.WallNow();
  return absl::OkStatus();
}

Status FakeStreamStore::Release(const ClaimedStream& claimed, const StreamProgress& progress, const StreamEnd& end) {
  Lock lock(mutex_);
  if (!failure_.ok()) return failure_;
  Row* row = Owned(claimed);
  if (row == nullptr) return Fenced();
  Write(*row, claimed, progress);
  row->failures = end.failures;
  row->lease_until.reset();
  row->connected_since.reset();
  row->next_try = clock_.WallNow() + end.next_in;
  if (end.broken) sources_.Break(claimed, end);
  if (end.poll_now) (void)sources_.PollNow({claimed.source.binding});
  return absl::OkStatus();
}

void FakeStreamStore::Fail(Status status) {
  Lock lock(mutex_);
  failure_ = std::move(status);
}

std::string FakeStreamStore::CursorOf(const std::string& channel_id) const {
  Lock lock(mutex_);
  auto it = rows_.find(channel_id);
  return it == rows_.end() ? "" : it->second.cursor;
}

class FakeStreams::Listener : public ChannelStream {
 public:
  Listener(FakeStreams& network, std::string channel_id, size_t next, bool gap)
      : network_(network), channel_id_(std::move(channel_id)), next_(next), gap_(gap), breaks_(network.breaks_) {}
  ~Listener() override {
    Lock lock(network_.mutex_);
    --network_.open_;
    --network_.channels_[channel_id_].listeners;
  }
  // Returns, empty, after some milliseconds: the clock of the deadline may stand still.
  StatusOr<StreamPage> Next(const Call&) override {
    Lock lock(network_.mutex_);
    Channel& channel = network_.channels_[channel_id_];
    network_.changed_.wait_for(lock, std::chrono::milliseconds(5),
                               [&] { return gap_ || breaks_ != network_.breaks_ || next_ < channel.events.size(); });
    if (breaks_ != network_.breaks_) return network_.broken_;
    StreamPage page;
    page.gap = std::exchange(gap_, false);
    for (; next_ < channel.events.size(); ++next_) {
      const std::string id = std::to_string(next_ + 1);
      if (!channel.events[next_]) {
        page.unparsed.push_back({"junk " + id, "UNKNOWN_SHAPE", ""});
        continue;
      }
      Happening& happening = page.happenings.emplace_back();
      happening.remote_id = id;
      happening.occurred_at = absl::FromUnixSeconds(1'790'000'000) + absl::Seconds(next_);
    }
    if (network_.places_ && (!page.happenings.empty() || !page.unparsed.empty() || page.gap)) {
      page.cursor = std::to_string(next_);
    }
    return page;
  }

 private:
  FakeStreams& network_;
  const std::string channel_id_;
  size_t next_;
  bool gap_;
  const int64_t breaks_;
};

StatusOr<std::unique_ptr<ChannelStream>> FakeStreams::Open(const Call&, const Source& source,
                                                           const std::string& cursor) {
  Lock lock(mutex_);
  cursors_.push_back(cursor);
  if (!refusal_.ok()) return refusal_;
  Channel& channel = channels_[source.binding.channel_id];
  met_ += channel.listeners > 0;
  ++channel.listeners;
  ++open_;
  const size_t all = channel.events.size();
  const size_t oldest = all - std::min(all, keep_);
  const size_t asked = cursor.empty() ? all : std::stoul(cursor);
  return std::make_unique<Listener>(*this, source.binding.channel_id, std::max(asked, oldest), asked < oldest);
}

void FakeStreams::ReportBroken(const Call&, const Source&, const Status& why) {
  Lock lock(mutex_);
  reported_.push_back(ReasonOf(why));
}

void FakeStreams::Publish(const std::string& channel_id, int count) {
  Lock lock(mutex_);
  std::vector<bool>& events = channels_[channel_id].events;
  events.insert(events.end(), static_cast<size_t>(count), true);
  changed_.notify_all();
}

void FakeStreams::PublishJunk(const std::string& channel_id) {
  Lock lock(mutex_);
  channels_[channel_id].events.push_back(false);
  changed_.notify_all();
}

void FakeStreams::KeepLast(int events) {
  Lock lock(mutex_);
  keep_ = static_cast<size_t>(events);
}

void FakeStreams::KeepNoPlace() {
  Lock lock(mutex_);
  places_ = false;
}

void FakeStreams::RefuseToOpen(Status why) {
  Lock lock(mutex_);
  refusal_ = std::move(why);
}

void FakeStreams::Break(Status why) {
  Lock lock(mutex_);
  broken_ = std::move(why);
  ++breaks_;
  changed_.notify_all();
}

int FakeStreams::opened() const {
  Lock lock(mutex_);
  return static_cast<int>(cursors_.size());
}

int FakeStreams::open() const {
  Lock lock(mutex_);
  return open_;
}

int FakeStreams::met() const {
  Lock lock(mutex_);
  return met_;
}

std::vector<std::string> FakeStreams::cursors() const {
  Lock lock(mutex_);
  return cursors_;
}

std::vector<std::string> FakeStreams::reported() const {
  Lock lock(mutex_);
  return reported_;
}

}  // namespace parvis::ingestion
