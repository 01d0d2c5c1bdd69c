#include "ingestion/domain/shared_stream.h"

#include <algorithm>

#include "ingestion/domain/waits.h"

namespace parvis::ingestion {
namespace {

// What refuses the stream refuses the app: it says nothing of a channel's credentials.
Status OfTheApp(const Status& why) {
  if (why.code() != Code::kUnauthenticated) return why;
  Error error = ToError(why);
  error.code = Code::kFailedPrecondition;
  return ToStatus(error);
}

}  // namespace

struct SharedReader::Reading {
  struct Listening {
    SharedMember member;
    Instant since;
  };
  const ClaimedShared& claimed;
  const StreamLease& lease;
  std::unique_ptr<NetworkStream> stream;
  std::map<std::string, Listening> heard;  // by channel
  SharedProgress progress;
  int64_t wanted = 0;
  bool opened = false;
  bool bus_away = false;
  bool unsaved = false;
  int join_failures = 0;
  Instant opened_at, save_at, look_at, join_at;
};

int SharedReader::ChannelsMax(const std::string& network) const {
  return std::min(options_.channels_max, streams_.ChannelsMax(network));
}

Call SharedReader::CallFor(const std::string& workspace_id, absl::Duration limit) const {
  Call call = BackgroundCall("ingestion", workspace_id);
  call.deadline = clock_.Now() + limit;
  return call;
}

StreamLife SharedReader::Read(const ClaimedShared& claimed, const StreamLease& lease) {
  Reading reading{.claimed = claimed,
                  .lease = lease,
                  .progress = {.cursor = claimed.cursor, .failures = claimed.failures},
                  .opened_at = {},
                  .save_at = {},
                  .look_at = {},
                  .join_at = {}};
  StreamLife life;
  life.why = OfTheApp(Follow(reading));
  life.opened = reading.opened;
  life.lived = reading.opened ? clock_.Now() - reading.opened_at : absl::ZeroDuration();
  reading.stream.reset();
  Finish(reading, life);
  if (watchers_.ended) watchers_.ended(claimed.network, life);
  return life;
}

// What the end means, and the claim's release; of a claim that was lost nothing is written.
void SharedReader::Finish(const Reading& reading, StreamLife& life) {
  const ClaimedStream as_own{.failures = reading.claimed.failures};
  life.end = AfterStream(as_own, life.why, life.opened, life.lived, options_.stream, uniform_());
  life.ending = EndingOf(life.why, life.opened, reading.bus_away);
  if (life.ending == StreamEnding::kFenced) return;
  SharedProgress last = reading.progress;
  last.failures = life.end.failures;
  Status released = store_.Release(reading.claimed, last, life.end);
  if (released.ok()) return;
  if (IsStreamFenced(released)) {
    life.ending = StreamEnding::kFenced;
  } else if (watchers_.store_failed) {
    watchers_.store_failed(released);  // the lease runs out by itself
  }
}

Status SharedReader::Follow(Reading& reading) {
  if (reading.lease.AskedBack()) return absl::OkStatus();
  PARVIS_RETURN_IF_ERROR(Open(reading));
  while (!reading.lease.AskedBack() && !reading.heard.empty()) {
    if (reading.lease.Lost(clock_.Now())) return StreamFenced();
    if (clock_.Now() >= reading.look_at) PARVIS_RETURN_IF_ERROR(LookForChannels(reading));
    PARVIS_ASSIGN_OR_RETURN(SharedPage page, reading.stream->Next(CallFor("", options_.stream.look_every)));
    PARVIS_RETURN_IF_ERROR(HandOver(reading, std::move(page)));
    const Instant now = clock_.Now();
    if (reading.progress.failures > 0 && now - reading.opened_at >= options_.stream.steady) {
      reading.progress.failures = 0;
      reading.unsaved = true;
    }
    if (reading.unsaved && now >= reading.save_at) PARVIS_RETURN_IF_ERROR(Save(reading));
  }
  return absl::OkStatus();
}

// With those who were heard at the cursor, and with whoever has come since.
Status SharedReader::Open(Reading& reading) {
  const std::string& network = reading.claimed.network;
  const size_t max = static_cast<size_t>(std::max(0, ChannelsMax(network)));
  std::vector<SharedMember> members = reading.claimed.heard;
  const int room = static_cast<int>(std::min(max - std::min(max, members.size()), size_t(options_.join_max)));
  PARVIS_ASSIGN_OR_RETURN(SharedTurnout turnout, store_.Turnout(reading.claimed, room));
  reading.wanted = turnout.wanted;
  for (const SharedMember& member : turnout.renewed) reading.progress.joined[member.binding.channel_id] = member;
  for (const SharedMember& member : turnout.leaving) Left(reading, member, absl::OkStatus(), false);
  for (; members.size() > max; members.pop_back()) Left(reading, members.back(), absl::OkStatus(), true);
  const size_t before = members.size();
  members.insert(members.end(), turnout.joining.begin(), turnout.joining.end());
  if (members.empty()) return absl::OkStatus();
  PARVIS_ASSIGN_OR_RETURN(NetworkOpening opening, streams_.Open(CallFor("", options_.stream.open_max), network, members,
                                                                reading.progress.cursor));
  reading.stream = std::move(opening.stream);
  reading.opened = true;
  reading.opened_at = clock_.Now();
  reading.look_at = reading.opened_at + options_.turnout_every;
  if (watchers_.opened) watchers_.opened(network);
  for (size_t i = 0; i < members.size(); ++i) {
    const SharedMember& member = members[i];
    if (auto refused = opening.refused.find(member.binding.channel_id); refused != opening.refused.end()) {
      Left(reading, member, refused->second, i < before);
    } else if (i < before) {
      reading.heard[member.binding.channel_id] = {member, reading.opened_at};
    } else {
      Joined(reading, member);
    }
  }
  // From now on only: what happened before is left to a poll.
  reading.progress.poll_all = reading.progress.cursor.empty();
  PARVIS_RETURN_IF_ERROR(Save(reading));
  Count(reading);
  return absl::OkStatus();
}

// A store that is away, or a network that takes nobody in, leaves the stream to those who have it.
Status SharedReader::LookForChannels(Reading& reading) {
  const Instant now = clock_.Now();
  reading.look_at = now + options_.turnout_every;
  const int room = std::max(0, ChannelsMax(reading.claimed.network) - static_cast<int>(reading.heard.size()));
  StatusOr<SharedTurnout> turnout =
      store_.Turnout(reading.claimed, now < reading.join_at ? 0 : std::min(room, options_.join_max));
  if (IsStreamFenced(turnout.status())) return turnout.status();
  if (!turnout.ok()) {
    if (watchers_.store_failed) watchers_.store_failed(turnout.status());
    return absl::OkStatus();
  }
  reading.wanted = turnout->wanted;
  std::vector<std::string> gone;
  for (const SharedMember& member : turnout->leaving) {
    if (reading.heard.contains(member.binding.channel_id)) gone.push_back(member.binding.channel_id);
    Left(reading, member, absl::OkStatus(), false);
  }
  for (const SharedMember& member : turnout->renewed) {
    auto it = reading.heard.find(member.binding.channel_id);
    const bool new_to_us = it != reading.heard.end() && it->second.member.credentials_version != member.credentials_version;
    if (new_to_us) Joined(reading, member);
  }
  // Whose claim is over changes nothing at the network either: somebody else's stream is there.
  if (reading.lease.Lost(clock_.Now())) return StreamFenced();
  if (!gone.empty()) reading.stream->Remove(CallFor("", options_.stream.open_max), gone);
  std::vector<SharedMember> joining;
  for (const SharedMember& member : turnout->joining) {
    // One that has joined, or left, and is not saved yet is here already.
    const std::string& channel = member.binding.channel_id;
    if (!reading.heard.contains(channel) && !reading.progress.left.contains(channel)) joining.push_back(member);
  }
  if (!joining.empty()) TakeIn(reading, joining);
  Count(reading);
  return absl::OkStatus();
}

void SharedReader::TakeIn(Reading& reading, const std::vector<SharedMember>& joining) {
  auto refused = reading.stream->Add(CallFor("", options_.stream.open_max), joining);
  if (!refused.ok()) {
    absl::Duration wait =
        Scattered(Doubled(options_.stream.failure_first, ++reading.join_failures, options_.stream.failure_max), uniform_());
    const Error error = ToError(refused.status());
    if (error.retry_after) wait = std::max(wait, AskedWait(*error.retry_after, options_.stream.wait_max, uniform_()));
    reading.join_at = clock_.Now() + wait;
    if (watchers_.not_joined) watchers_.not_joined(reading.claimed.network, refused.status());
    return;
  }
  reading.join_failures = 0;
  for (const SharedMember& member : joining) {
    if (auto it = refused->find(member.binding.channel_id); it != refused->end()) {
      Left(reading, member, it->second, false);
    } else {
      Joined(reading, member);
    }
  }
}

void SharedReader::Joined(Reading& reading, const SharedMember& member) {
  const std::string& channel = member.binding.channel_id;
  reading.heard[channel] = {member, clock_.Now()};
  reading.progress.left.erase(channel);
  reading.progress.joined[channel] = member;
  reading.unsaved = true;
  reading.save_at = clock_.Now();
}

// `why` OK: it is not to be heard any more. `missed`: something that was for it may not have been told.
void SharedReader::Left(Reading& reading, const SharedMember& member, const Status& why, bool missed) {
  const std::string& channel = member.binding.channel_id;
  absl::Duration lived;
  if (auto it = reading.heard.find(channel); it != reading.heard.end()) {
    lived = clock_.Now() - it->second.since;
    reading.heard.erase(it);
  }
  const ClaimedStream as_own{.failures = member.failures};
  MemberEnd end{member, AfterStream(as_own, why, true, lived, options_.stream, uniform_())};
  end.end.poll_now = missed && !end.end.broken;
  if (end.end.broken) {
    streams_.ReportBroken(CallFor(member.binding.workspace_id, options_.stream.open_max), reading.claimed.network, member,
                          why);
  }
  reading.progress.joined.erase(channel);
  reading.progress.left[channel] = std::move(end);
  reading.unsaved = true;
  reading.save_at = clock_.Now();
  if (!why.ok() && watchers_.lost) watchers_.lost(reading.claimed.network, member.binding, why);
}

Status SharedReader::HandOver(Reading& reading, SharedPage page) {
  // Between the look at the lease and now a whole wait has passed.
  if (reading.lease.Lost(clock_.Now())) return StreamFenced();
  const std::string& network = reading.claimed.network;
  SharedProgress& progress = reading.progress;
  std::map<std::string, MemberNews> news;
  const absl::Time now = clock_.WallNow();
  std::vector<Activity> activities;
  activities.reserve(page.told.size());
  for (SharedPage::Told& told : page.told) {
    auto it = reading.heard.find(told.channel_id);
    if (it == reading.heard.end()) continue;
    const Binding& binding = it->second.member.binding;
    MemberNews& last = news.try_emplace(told.channel_id, MemberNews{binding, absl::InfinitePast()}).first->second;
    last.last_event = std::max(last.last_event, TimeOf(told.what));
    activities.push_back(MakeActivity(std::move(told.what), binding, network, Origin::kStream, now));
  }
  const int count = static_cast<int>(activities.size());
  if (count > 0 || !page.unparsed.empty()) {
    Status sent = SendAndWait(sink_, std::move(activities), std::move(page.unparsed), network);
    reading.bus_away = !sent.ok();
    PARVIS_RETURN_IF_ERROR(sent);  // the cursor stays: the stream is opened again from there
  }
  if (page.gap) {
    progress.gap = progress.poll_all = reading.unsaved = true;
    reading.save_at = clock_.Now();
  }
  for (const auto& [channel, one] : news) {
    MemberNews& last = progress.news.try_emplace(channel, one).first->second;
    last.last_event = std::max(last.last_event, one.last_event);
  }
  for (const auto& [channel, why] : page.lost) {
    if (auto it = reading.heard.find(channel); it != reading.heard.end()) {
      const SharedMember member = it->second.member;
      Left(reading, member, why, true);
    }
  }
  const bool moved = !page.cursor.empty() && page.cursor != progress.cursor;
  reading.unsaved = reading.unsaved || count > 0 || moved;
  if (moved) progress.cursor = std::move(page.cursor);
  if (watchers_.brought && (count > 0 || page.gap)) watchers_.brought(network, count, page.gap);
  return absl::OkStatus();
}

// A store that is away does not stop the reading: the lease does when it is over. What was not saved goes with the next
// time, the cursor and the channels together.
Status SharedReader::Save(Reading& reading) {
  reading.save_at = clock_.Now() + options_.stream.save_every;
  SharedProgress& progress = reading.progress;
  Status saved = store_.Save(reading.claimed, progress);
  if (IsStreamFenced(saved)) return saved;
  reading.unsaved = !saved.ok();
  if (saved.ok()) {
    progress.gap = progress.poll_all = false;
    progress.news.clear();
    progress.joined.clear();
    progress.left.clear();
    return saved;
  }
  if (watchers_.store_failed) watchers_.store_failed(saved);
  return absl::OkStatus();
}

void SharedReader::Count(const Reading& reading) const {
  if (!watchers_.counted) return;
  const int64_t left_out = std::max<int64_t>(0, reading.wanted - ChannelsMax(reading.claimed.network));
  watchers_.counted(reading.claimed.network, static_cast<int>(reading.heard.size()), reading.wanted, left_out);
}

}  // namespace parvis::ingestion
