#include "inbox/domain/workset.h"

namespace parvis::inbox {

MessageKey KeyOf(const Message& m) { return {m.workspace_id, m.channel_id, m.remote_key}; }
ConversationKey KeyOf(const Conversation& c) { return {c.workspace_id, c.id}; }

FoldKeys KeysOf(const std::vector<FoldInput>& inputs) {
  FoldKeys keys;
  for (const FoldInput& input : inputs) {
    if (const auto* a = std::get_if<Assessed>(&input)) {
      if (a->kind == ActivityKind::kReaction) {
        keys.reactions.insert({a->workspace_id, a->channel_id, a->activity_id});
      } else {
        keys.messages.insert({a->workspace_id, a->channel_id, a->remote_id});
      }
      if (!a->conversation.empty()) {
        keys.conversations.insert({a->workspace_id, ConversationId(a->workspace_id, a->channel_id, a->conversation)});
      }
      continue;
    }
    const auto& d = std::get<DeliveryUpdate>(input);
    if (d.kind == DeliveryKind::kReply) {
      keys.messages.insert({d.workspace_id, d.channel_id, UnsentKey(MessageIdOfCommand(d.command_id))});
      if (!d.remote_id.empty()) keys.messages.insert({d.workspace_id, d.channel_id, d.remote_id});
    } else {
      keys.messages.insert({d.workspace_id, d.channel_id, d.target_remote_id});
    }
  }
  return keys;
}

void Workset::Load(Conversation conversation) {
  ConversationKey key = KeyOf(conversation);
  conversations_[std::move(key)] = {.value = std::move(conversation), .stored = true, .dirty = false};
}

void Workset::Load(Message message) {
  MessageKey key = KeyOf(message);
  messages_[std::move(key)] = {.value = std::move(message), .stored = true, .dirty = false};
}

Message* Workset::FindMessage(const MessageKey& key) {
  const auto found = messages_.find(key);
  return found == messages_.end() ? nullptr : &found->second.value;
}

Conversation* Workset::FindConversation(const ConversationKey& key) {
  const auto found = conversations_.find(key);
  return found == conversations_.end() ? nullptr : &found->second.value;
}

Message& Workset::AddMessage(const MessageKey& key, Message message) {
  return messages_.insert_or_assign(key, Entry<Message>{.value = std::move(message), .stored = false, .dirty = true})
      .first->second.value;
}

Conversation& Workset::AddConversation(Conversation conversation) {
  Entry<Conversation>& entry = conversations_[KeyOf(conversation)];
  entry = {.value = std::move(conversation), .stored = false, .dirty = true};
  return entry.value;
}

void Workset::Touch(const Message& message) { messages_.at(KeyOf(message)).dirty = true; }
void Workset::Touch(const Conversation& conversation) { conversations_.at(KeyOf(conversation)).dirty = true; }

Message& Workset::Rekey(const MessageKey& from, const std::string& remote_id) {
  Message message = std::move(messages_.at(from).value);
  Erase(from);
  message.remote_key = remote_id;
  message.order_key = OrderKey(remote_id);
  const MessageKey to = KeyOf(message);
  return AddMessage(to, std::move(message));
}

void Workset::Erase(const MessageKey& key) {
  const auto found = messages_.find(key);
  if (found == messages_.end()) return;
  if (found->second.stored) erased_.push_back(key);
  messages_.erase(found);
}

bool Workset::AddReaction(const ReactionKey& key, const std::string& conversation_id) {
  if (!known_reactions_.insert(key).second) return false;
  new_reactions_.emplace_back(key, conversation_id);
  return true;
}

void Workset::AddEvent(EventType type, const Conversation& conversation, const Message* message,
                       const std::string& merged_into) {
  PendingEvent event{.type = type, .conversation = KeyOf(conversation), .message = {}, .merged_into = merged_into};
  if (message) event.message = *message;
  events_.push_back(std::move(event));
}

std::vector<Event> Workset::TakeEvents() {
  std::vector<Event> events;
  events.reserve(events_.size());
  for (PendingEvent& pending : events_) {
    Event event;
    event.type = pending.type;
    event.time = now_;
    event.conversation = conversations_.at(pending.conversation).value;
    event.message = std::move(pending.message);
    event.merged_into = std::move(pending.merged_into);
    events.push_back(std::move(event));
  }
  events_.clear();
  return events;
}

void ApplySummary(const Summary& s, Conversation& c) {
  if (!s.any) {
    // Its only message turned out to belong to another conversation: a shell again, seen by nobody.
    c.state = State::kShell;
  }
  c.first_message_time = s.first_message_time;
  c.first_key = s.first_key;
  c.person = s.person;
  c.last_message_time = s.last_message_time;
  c.last_key = s.last_key;
  c.preview = Shorten(s.last_text, kPreviewCharacters);
  c.last_ours_time = s.last_ours_time;
  c.first_response_time = s.first_response_time;
  c.waiting_since_time = s.waiting_since_time;
}

}  // namespace parvis::inbox
