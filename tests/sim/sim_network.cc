#include "tests/sim/sim_network.h"

#include "platform/base/ids.h"

namespace parvis::sim {
namespace {

using publishing::Delivery;
using publishing::DeliveryKind;
using publishing::Refusal;
using publishing::WriteOutcome;
using publishing::WriteResult;

constexpr int kChannels = 12;
const char* const kNetworks[] = {"keyed", "dedupe", "plain"};

std::string ContentKey(const Delivery& d) { return d.channel_id + "/" + d.target_remote_id + "/" + d.content.text; }

WriteOutcome Refuse(Refusal refusal, const char* reason) {
  return {WriteResult::kRefused, refusal, reason, "", "", "", {}, ""};
}

}  // namespace

SimNetwork::SimNetwork(Sim& sim, Oracle& oracle, std::function<bool(const inbox::Assessed&)> ingest)
    : sim_(sim), oracle_(oracle), ingest_(std::move(ingest)), comments_(kChannels) {
  for (int i = 0; i < kChannels; ++i) {
    SimChannel channel;
    channel.workspace_id = UuidOfName("workspace/" + std::to_string(i % 3));
    channel.id = UuidOfName("channel/" + std::to_string(i));
    channel.network = kNetworks[i % 3];
    channel_numbers_[channel.id] = i;
    channels_.push_back(std::move(channel));
  }
}

publishing::NetworkTraits SimNetwork::TraitsOf(const std::string& network) {
  publishing::NetworkTraits traits;
  traits.idempotency_key = network == "keyed";
  traits.content_dedupe = network == "dedupe";
  return traits;
}

StatusOr<publishing::Channel> SimNetwork::GetChannel(const Call&, const std::string& workspace_id,
                                                     const std::string& channel_id) {
  if (sim_.Fault(sim_.faults.directory_down)) return MakeError(Code::kUnavailable, "UNAVAILABLE", "accounts is away");
  const auto at = channel_numbers_.find(channel_id);
  if (at == channel_numbers_.end()) return NotFound("channels/" + channel_id);
  const SimChannel& channel = channels_[static_cast<size_t>(at->second)];
  if (channel.workspace_id != workspace_id) return NotFound("channels/" + channel_id);
  return publishing::Channel{channel.id, channel.network, channel.network};
}

SimNetwork::Trip SimNetwork::NewTrip() {
  Trip trip;
  trip.there = sim_.random.Around(absl::Milliseconds(20));
  trip.back = sim_.random.Around(absl::Milliseconds(20));
  if (sim_.quiet) return trip;
  if (sim_.Fault(sim_.faults.network_slow)) trip.there = sim_.random.Around(absl::Seconds(4));
  if (sim_.Fault(sim_.faults.network_slow)) trip.back = sim_.random.Around(absl::Seconds(8));
  trip.refused = sim_.Fault(sim_.faults.network_refused);
  trip.request_lost = sim_.Fault(sim_.faults.network_lost);
  trip.answer_lost = sim_.Fault(sim_.faults.network_answer_lost);
  trip.at_once = sim_.random.Chance(0.7);
  return trip;
}

// ---- writing -------------------------------------------------------------------------------------------------------

WriteOutcome SimNetwork::Arrive(const Delivery& d) {
  const int number = channel_numbers_.at(d.channel_id);
  const SimChannel& channel = channels_[static_cast<size_t>(number)];
  WriteOutcome outcome;
  if (channel.token_broken) {
    outcome = Refuse(Refusal::kTokenExpired, "TOKEN_EXPIRED");
  } else if (sim_.Fault(sim_.faults.network_limited)) {
    outcome = Refuse(Refusal::kRateLimited, "RATE_LIMITED");
    outcome.rate.retry_after = sim_.random.Between(absl::Seconds(1), absl::Seconds(10));
  } else if (sim_.Fault(sim_.faults.network_transient)) {
    outcome = Refuse(Refusal::kTransient, "TRANSIENT");
  } else if (sim_.Fault(sim_.faults.network_invalid)) {
    outcome = Refuse(Refusal::kInvalid, "REJECTED");
  } else {
    outcome = publishing::IsIdempotent(d.kind) ? Moderate(number, d) : Post(number, d);
  }
  outcome.credentials_version = std::to_string(channel.version);
  sim_.Note("network", outcome.result == WriteResult::kAccepted ? "accepts" : "refuses", oracle_.IndexOf(d.id),
            static_cast<int>(outcome.refusal));
  return outcome;
}

WriteOutcome SimNetwork::Post(int number, const Delivery& d) {
  const SimChannel& channel = channels_[static_cast<size_t>(number)];
  WriteOutcome outcome;
  outcome.result = WriteResult::kAccepted;
  if (const auto key = keys_.find(d.id); channel.network == "keyed" && key != keys_.end()) {
    outcome.remote_id = items_[static_cast<size_t>(key->second)].remote_id;
    return outcome;
  }
  std::vector<int>& same = contents_[ContentKey(d)];
  if (channel.network == "dedupe" && !same.empty()) return Refuse(Refusal::kDuplicate, "DUPLICATE");
  Item item;
  item.channel = number;
  item.by_us = true;
  item.text = d.content.text;
  item.parent = d.target_remote_id;
  if (d.kind == DeliveryKind::kReply) {
    const auto target = by_remote_.find(d.target_remote_id);
    if (target == by_remote_.end() || items_[static_cast<size_t>(target->second)].deleted) {
      return Refuse(Refusal::kNotFound, "NOT_FOUND");
    }
    item.thread = items_[static_cast<size_t>(target->second)].thread;
  }
  const int at = AddItem(std::move(item));
  same.push_back(at);
  keys_[d.id] = at;
  outcome.remote_id = items_[static_cast<size_t>(at)].remote_id;
  oracle_.OnPosted(d, channel.network == "keyed", outcome.remote_id);
  if (d.kind == DeliveryKind::kReply) Webhook(at, inbox::ActivityKind::kComment, sim_.random.Around(absl::Seconds(1)));
  return outcome;
}

WriteOutcome SimNetwork::Moderate(int, const Delivery& d) {
  const auto target = by_remote_.find(d.target_remote_id);
  if (target == by_remote_.end() || items_[static_cast<size_t>(target->second)].deleted) {
    return Refuse(Refusal::kNotFound, "NOT_FOUND");
  }
  Item& item = items_[static_cast<size_t>(target->second)];
  if (d.kind == DeliveryKind::kDelete) item.deleted = true;
  if (d.kind == DeliveryKind::kHide) item.hidden = true;
  if (d.kind == DeliveryKind::kUnhide) item.hidden = false;
  WriteOutcome outcome;
  outcome.result = WriteResult::kAccepted;
  return outcome;
}

StatusOr<std::vector<publishing::FoundItem>> SimNetwork::Read(const Delivery& d, absl::Time since) {
  if (sim_.Fault(sim_.faults.read_failed)) return MakeError(Code::kUnavailable, "CONNECT_FAILED", "");
  std::vector<publishing::FoundItem> found;
  if (publishing::IsIdempotent(d.kind)) {
    const auto target = by_remote_.find(d.target_remote_id);
    if (target == by_remote_.end() || items_[static_cast<size_t>(target->second)].deleted) return found;
    found.push_back({d.target_remote_id, "", items_[static_cast<size_t>(target->second)].hidden});
    return found;
  }
  const auto same = contents_.find(ContentKey(d));
  if (same == contents_.end()) return found;
  for (const int number : same->second) {
    const Item& item = items_[static_cast<size_t>(number)];
    if (item.time >= since && item.visible <= sim_.scheduler.now() && !item.deleted)
      found.push_back({item.remote_id, "", false});
  }
  return found;
}

// ---- people --------------------------------------------------------------------------------------------------------

int SimNetwork::AddItem(Item item) {
  const int number = static_cast<int>(items_.size());
  item.remote_id = (item.by_us ? "o" : "c") + std::to_string(number + 1);
  item.time = Now();
  // Reads show it within the time that the network promises (NetworkTraits::settle).
  item.visible = sim_.scheduler.now() +
                 absl::ToInt64Nanoseconds(sim_.random.Between(absl::ZeroDuration(), absl::Milliseconds(1500)));
  by_remote_[item.remote_id] = number;
  if (!item.by_us) comments_[static_cast<size_t>(item.channel)].push_back(number);
  items_.push_back(std::move(item));
  return number;
}

std::string SimNetwork::AddComment(int channel, const std::string& thread) {
  Item item;
  item.channel = channel;
  item.thread = thread.empty() ? "t" + std::to_string(items_.size() + 1) : thread;
  item.text = "comment " + std::to_string(items_.size() + 1);
  const int number = AddItem(std::move(item));
  items_[static_cast<size_t>(number)].revision = absl::ToUnixMicros(items_[static_cast<size_t>(number)].time);
  Webhook(number, inbox::ActivityKind::kComment, sim_.random.Around(absl::Milliseconds(300)));
  return items_[static_cast<size_t>(number)].thread;
}

const Item* SimNetwork::SomeComment(int channel) {
  std::vector<int>& all = comments_[static_cast<size_t>(channel)];
  if (all.empty()) return nullptr;
  const Item& item = items_[static_cast<size_t>(sim_.random.Of(all))];
  return item.deleted ? nullptr : &item;
}

void SimNetwork::EditComment() {
  const Item* some = SomeComment(sim_.random.Below(kChannels));
  if (!some) return;
  Item& item = items_[static_cast<size_t>(by_remote_.at(some->remote_id))];
  item.edited = true;
  item.text += "!";
  item.revision = std::max(item.revision + 1, absl::ToUnixMicros(Now()));
  Webhook(by_remote_.at(item.remote_id), inbox::ActivityKind::kEdit, sim_.random.Around(absl::Milliseconds(300)));
}

void SimNetwork::RemoveComment() {
  const Item* some = SomeComment(sim_.random.Below(kChannels));
  if (!some) return;
  Item& item = items_[static_cast<size_t>(by_remote_.at(some->remote_id))];
  item.deleted = true;
  item.seen_deleted = true;
  Webhook(by_remote_.at(item.remote_id), inbox::ActivityKind::kRemoval, sim_.random.Around(absl::Milliseconds(300)));
}

void SimNetwork::BreakToken() {
  const size_t number = static_cast<size_t>(sim_.random.Below(kChannels));
  if (channels_[number].token_broken) return;
  channels_[number].token_broken = true;
  sim_.Note("network", "token expires", static_cast<int64_t>(number));
  sim_.scheduler.After(sim_.random.Around(absl::Seconds(10)), nullptr, [this, number] {
    if (!channels_[number].token_broken) return;
    channels_[number].token_broken = false;
    ++channels_[number].version;
  });
}

void SimNetwork::RenewAll() {
  for (SimChannel& channel : channels_) {
    if (!channel.token_broken) continue;
    channel.token_broken = false;
    ++channel.version;
  }
}

// ---- webhooks ------------------------------------------------------------------------------------------------------

void SimNetwork::Webhook(int number, inbox::ActivityKind kind, absl::Duration delay) {
  const Item& item = items_[static_cast<size_t>(number)];
  const SimChannel& channel = channels_[static_cast<size_t>(item.channel)];
  inbox::Assessed a;
  a.workspace_id = channel.workspace_id;
  a.channel_id = channel.id;
  a.network = channel.network;
  a.activity_id = "a" + std::to_string(next_activity_++);
  a.kind = kind;
  a.remote_id = item.remote_id;
  a.thread = a.conversation = item.thread;
  a.parent_remote_id = item.parent;
  a.post_remote_id = "post";
  if (kind != inbox::ActivityKind::kRemoval) a.text = item.text;
  a.by_us = item.by_us;
  a.author =
      item.by_us ? inbox::Person{"page", "The brand", "brand"} : inbox::Person{"p-" + item.thread, "Person", "p"};
  a.occurred_at = item.time;
  a.revision = kind == inbox::ActivityKind::kComment ? absl::ToUnixMicros(item.time)
                                                     : std::max(item.revision, absl::ToUnixMicros(Now()));
  a.language = "en";
  a.intent = inbox::Kind::kOther;
  a.action = inbox::Action::kAllowed;
  a.policy_version = 1;
  if (sim_.Fault(sim_.faults.webhook_late)) delay += sim_.random.Around(absl::Seconds(10));
  Send(a, delay);
  if (sim_.Fault(sim_.faults.webhook_twice)) Send(a, delay + sim_.random.Around(absl::Seconds(2)));
}

void SimNetwork::Send(const inbox::Assessed& activity, absl::Duration delay) {
  ++webhooks_;
  sim_.scheduler.After(delay, nullptr, [this, activity] {
    --webhooks_;
    if (!ingest_(activity)) Send(activity, sim_.random.Around(absl::Seconds(2)));  // not answered 200: it comes again
  });
}

}  // namespace parvis::sim
