#include "ingestion/domain/hub_fakes.h"

#include <algorithm>

namespace parvis::ingestion {
namespace {

using Lock = std::unique_lock<std::mutex>;

Status Fenced() { return MakeError(Code::kAborted, "FENCED", "lost"); }
Status Unknown() { return MakeError(Code::kNotFound, "SUBSCRIPTION_UNKNOWN", "not asked for"); }

}  // namespace

FakeHubStore::FakeHubStore(FakeSourceStore& sources, const Clock& clock) : sources_(sources), clock_(clock) {
  sources_.hub_of = [this](const std::string& channel_id) {
    Lock lock(mutex_);
    auto it = rows_.find(channel_id);
    if (it == rows_.end()) return HeardByHub();
    const Row& row = it->second;
    const absl::Time now = clock_.WallNow();
    HubRow read{.url = row.hub.url, .reason = row.reason, .lease_end = {}, .tells_all = row.hub.tells_all};
    if (row.lease_end && *row.lease_end > now) read.lease_end = row.lease_end;
    read.waiting = row.asked == true && row.answer_until && *row.answer_until >= now;
    return AsHeard(read);
  };
}

StatusOr<std::vector<ClaimedSubscription>> FakeHubStore::Claim(const std::vector<std::string>& networks, int limit,
                                                               absl::Duration lease) {
  const std::vector<Source> sources = sources_.All();
  Lock lock(mutex_);
  const absl::Time now = clock_.WallNow();
  std::vector<ClaimedSubscription> claimed;
  for (const Source& source : sources) {
    if (static_cast<int>(claimed.size()) == limit) break;
    if (std::find(networks.begin(), networks.end(), source.network) == networks.end()) continue;
    const bool leaving = source.state == SourceState::kDetached;
    auto it = rows_.find(source.binding.channel_id);
    if (leaving && (it == rows_.end() || !it->second.lease_end || *it->second.lease_end < now)) {
      if (it != rows_.end()) rows_.erase(it);
      continue;
    }
    if (!leaving && source.state != SourceState::kActive) continue;
    Row& row = rows_[source.binding.channel_id];
    row.binding = source.binding;
    const bool turned = row.asked && *row.asked == leaving;  // the last word was the contrary
    if ((row.next_try > now && !turned) || (row.claimed_until && *row.claimed_until >= now)) continue;
    row.claimed_until = now + lease;
    claimed.push_back({source, ++row.token, row.hub, leaving, row.failures});
  }
  return claimed;
}

FakeHubStore::Row* FakeHubStore::Of(const Binding& binding) {
  auto it = rows_.find(binding.channel_id);
  return it == rows_.end() || it->second.binding != binding ? nullptr : &it->second;
}

FakeHubStore::Row* FakeHubStore::Owned(const ClaimedSubscription& claimed) {
  Row* row = Of(claimed.source.binding);
  return row == nullptr || row->token != claimed.token ? nullptr : row;
}

Status FakeHubStore::Ask(const ClaimedSubscription& claimed, const HubChoice& hub, absl::Duration answer_in) {
  Lock lock(mutex_);
  Row* row = Owned(claimed);
  if (row == nullptr) return Fenced();
  row->hub = hub;
  row->asked = !claimed.leaving;
  row->answer_until = clock_.WallNow() + answer_in;
  return absl::OkStatus();
}

Status FakeHubStore::Release(const ClaimedSubscription& claimed, const SubscriptionEnd& end) {
  Lock lock(mutex_);
  Row* row = Owned(claimed);
  if (row == nullptr) return Fenced();
  row->claimed_until.reset();
  if (row->answer_until || end.reason != "HUB_SILENT") {
    row->next_try = clock_.WallNow() + end.next_in;
    row->failures = end.failures;
    row->reason = end.reason;
  }
  return absl::OkStatus();
}

Status FakeHubStore::Confirm(const Binding& binding, const HubConfirmation& confirmation) {
  Lock lock(mutex_);
  Row* row = Of(binding);
  const absl::Time now = clock_.WallNow();
  if (row == nullptr || row->hub.topic != confirmation.topic || row->asked != confirmation.subscribe ||
      !row->answer_until || *row->answer_until < now) {
    return Unknown();
  }
  if (!confirmation.subscribe) {
    rows_.erase(binding.channel_id);
    return absl::OkStatus();
  }
  row->answer_until.reset();
  row->lease_end = now + confirmation.lease;
  row->next_try = now + confirmation.renew_in;
  row->failures = 0;
  row->reason.clear();
  return absl::OkStatus();
}

Status FakeHubStore::Deny(const Binding& binding, const std::string& topic, const std::string&,
                          absl::Duration retry_in) {
  Lock lock(mutex_);
  Row* row = Of(binding);
  if (row == nullptr || row->hub.topic != topic || !row->asked) return Unknown();
  row->answer_until.reset();
  row->lease_end.reset();
  row->reason = "HUB_DENIED";
  row->next_try = clock_.WallNow() + retry_in;
  return absl::OkStatus();
}

StatusOr<HubChoice> FakeHubDesk::Find(const Call&, const Source& source) {
  auto it = hubs.find(source.binding.channel_id);
  if (it == hubs.end()) return MakeError(Code::kNotFound, "HUB_NONE", "none");
  return it->second;
}

Status FakeHubDesk::Ask(const Call&, const Source& source, const HubChoice& hub, bool subscribe, absl::Duration) {
  asked.push_back((subscribe ? "subscribe " : "unsubscribe ") + source.binding.channel_id);
  if (!refusal.ok()) return refusal;
  if (on_ask) on_ask(source, hub, subscribe);
  return absl::OkStatus();
}

}  // namespace parvis::ingestion
