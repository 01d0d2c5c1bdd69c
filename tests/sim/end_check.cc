#include "tests/sim/end_check.h"

#include <algorithm>
#include <map>

#include "platform/base/ids.h"
#include "tests/sim/publishing_replica.h"

namespace parvis::sim {
namespace {

struct Stream {
  const char* group;
  Topic topic;
};
constexpr Stream kStreams[] = {
    {kAcceptGroup, Topic::kCommands}, {kFoldGroup, Topic::kAssessments}, {kFoldGroup, Topic::kDeliveries}};

Call CallOf(const std::string& workspace) {
  Call call;
  call.workspace_id = workspace;
  call.deadline = Instant::Max();
  return call;
}

std::string Name(const Item& item) { return "comment " + item.remote_id + " of thread " + item.thread; }

}  // namespace

bool EndCheck::Applied(const SimBus& bus, const Oracle& oracle) const {
  for (const Stream& stream : kStreams) {
    for (int partition = 0; partition < kPartitions; ++partition) {
      if (oracle.AppliedOf(stream.group, TopicName(stream.topic), partition) != bus.End(stream.topic, partition))
        return false;
    }
  }
  return true;
}

std::string EndCheck::WhatIsLeft(const SimBus& bus, const Oracle& oracle, const SimLedger& ledger) const {
  std::string left;
  for (const Stream& stream : kStreams) {
    for (int partition = 0; partition < kPartitions; ++partition) {
      const int64_t applied = oracle.AppliedOf(stream.group, TopicName(stream.topic), partition);
      const int64_t end = bus.End(stream.topic, partition);
      if (applied == end) continue;
      left += std::string(" ") + TopicName(stream.topic) + "/" + std::to_string(partition) + " " +
              std::to_string(applied) + " of " + std::to_string(end) + ";";
    }
  }
  for (const SimLedger::Row& row : ledger.rows()) {
    if (pub::IsFinal(row.d.state) || row.d.needs_human) continue;
    left += " delivery " + std::to_string(oracle.IndexOf(row.d.id)) + " is " + pub::StateName(row.d.state) + " " +
            row.d.error_reason + ";";
    if (left.size() > 500) break;
  }
  return left;
}

void EndCheck::CheckItem(Sim& sim, const Item& item, const SimChannel&, const std::vector<inbox::Message>& messages,
                         const SimLedger&) const {
  const inbox::Message* found = nullptr;
  for (const inbox::Message& m : messages) {
    if (m.remote_key != item.remote_id) continue;
    if (found) return sim.Violate(Name(item) + " is in the inbox twice");
    found = &m;
  }
  if (!found) return sim.Violate(Name(item) + " is not in the inbox");
  if (found->occurred_at != absl::FromUnixMicros(absl::ToUnixMicros(item.time)) && found->occurred_at != item.time) {
    return sim.Violate(Name(item) + " has the wrong time");
  }
  if (item.seen_deleted && !found->removed) return sim.Violate(Name(item) + " was removed, but is shown");
  if (!item.by_us && !item.deleted && !found->removed && found->content.text != item.text) {
    sim.Violate(Name(item) + " says '" + found->content.text + "' instead of '" + item.text + "'");
  }
}

void EndCheck::CheckConversation(Sim& sim, const inbox::Conversation& c, const std::vector<inbox::Message>& messages,
                                 const SimLedger& ledger) const {
  const auto live = std::count_if(messages.begin(), messages.end(), [](const auto& m) { return m.Live(); });
  if (c.message_count != live) {
    return sim.Violate("conversation " + c.id + " counts " + std::to_string(c.message_count) + " messages, but has " +
                       std::to_string(live));
  }
  int64_t latest = 0;  // numbers of the network's items, which grow with time
  for (const inbox::Message& m : messages) {
    if (m.remote_key.starts_with("c")) {
      const int64_t number = std::stoll(m.remote_key.substr(1));
      if (number < latest) return sim.Violate("conversation " + c.id + ": " + m.remote_key + " is out of order");
      latest = number;
    }
    if (!m.written_here) continue;
    const std::string id = UuidOfName("delivery/" + m.workspace_id + "/" + inbox::ReplyCommandId(m.id));
    const SimLedger::Row* row = ledger.Find(id);
    if (!row) return sim.Violate("answer " + m.id + " never reached the ledger");
    const bool sent = row->d.state == pub::DeliveryState::kDelivered;
    if (sent != (m.delivery.state == inbox::SendState::kSent) || m.delivery.sequence != row->d.sequence ||
        m.RemoteId() != row->d.remote_id) {
      return sim.Violate("answer " + m.id + " (" + m.remote_key + ", event " + std::to_string(m.delivery.sequence) +
                         ") does not show its delivery: " + pub::StateName(row->d.state) + ", " + row->d.remote_id +
                         ", event " + std::to_string(row->d.sequence));
    }
  }
}

void EndCheck::CheckInbox(Sim& sim, const SimNetwork& network, inbox::testing::MemoryStore& store,
                          const SimLedger& ledger) const {
  // By conversation: what is on the network.
  std::map<std::pair<int, std::string>, std::vector<const Item*>> threads;
  for (const Item& item : network.items()) {
    if (!item.thread.empty()) threads[{item.channel, item.thread}].push_back(&item);
  }
  for (const auto& [key, items] : threads) {
    const SimChannel& channel = network.channels()[static_cast<size_t>(key.first)];
    const std::string id = inbox::ConversationId(channel.workspace_id, channel.id, key.second);
    const Call call = CallOf(channel.workspace_id);
    const auto conversation = store.GetConversation(call, id);
    const auto messages = store.ListMessages(call, id, std::nullopt, 1'000'000);
    if (!conversation.ok() || !messages.ok()) return sim.Violate("thread " + key.second + " is not in the inbox");
    for (const Item* item : items) CheckItem(sim, *item, channel, *messages, ledger);
    CheckConversation(sim, *conversation, *messages, ledger);
    if (!sim.violation.empty()) return;
  }
}

}  // namespace parvis::sim
