// The workset: everything one batch of the fold may touch, loaded at once, changed in memory, written at once.
// Owned by the store for the length of one transaction; used by one thread.
#pragma once

#include <compare>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "inbox/domain/activity.h"
#include "inbox/domain/conversation.h"

namespace parvis::inbox {

// Keys are ordered by what differs first: most of a batch is of few workspaces and channels. Any one order will do, since
// it is the order of locks.
struct MessageKey {
  std::string workspace_id, channel_id, remote_key;
  bool operator==(const MessageKey&) const = default;
  std::strong_ordering operator<=>(const MessageKey& o) const {
    return std::tie(remote_key, channel_id, workspace_id) <=> std::tie(o.remote_key, o.channel_id, o.workspace_id);
  }
};
struct ConversationKey {
  std::string workspace_id, id;
  bool operator==(const ConversationKey&) const = default;
  std::strong_ordering operator<=>(const ConversationKey& o) const {
    return std::tie(id, workspace_id) <=> std::tie(o.id, o.workspace_id);
  }
};
struct ReactionKey {
  std::string workspace_id, channel_id, activity_id;
  bool operator==(const ReactionKey&) const = default;
  std::strong_ordering operator<=>(const ReactionKey& o) const {
    return std::tie(activity_id, channel_id, workspace_id) <=> std::tie(o.activity_id, o.channel_id, o.workspace_id);
  }
};

// What a batch is about, before anything is loaded. The conversations of the messages that are found belong to it too.
struct FoldKeys {
  std::set<MessageKey> messages;
  std::set<ConversationKey> conversations;
  std::set<ReactionKey> reactions;
};
FoldKeys KeysOf(const std::vector<FoldInput>& inputs);

template <class T>
struct Entry {
  T value;
  bool stored = false;   // was loaded: an UPDATE, not an INSERT
  bool dirty = false;
};

class Workset {
 public:
  // ---- loading (by the store) ----
  void Load(Conversation conversation);
  void Load(Message message);
  void LoadReaction(ReactionKey key) { known_reactions_.insert(std::move(key)); }
  // The database's time, for what is created in this batch.
  void set_now(absl::Time now) { now_ = now; }

  // ---- folding (by the domain) ----
  absl::Time now() const { return now_; }
  // nullptr when there is none. Whoever changes what is returned calls Touch.
  Message* FindMessage(const MessageKey& key);
  Conversation* FindConversation(const ConversationKey& key);
  Message& AddMessage(const MessageKey& key, Message message);
  Conversation& AddConversation(Conversation conversation);
  void Touch(const Message& message);
  void Touch(const Conversation& conversation);
  // Gives `message` its network's id. The new key must be free.
  Message& Rekey(const MessageKey& from, const std::string& remote_id);
  void Erase(const MessageKey& key);
  // True when it is new (and notes it for storing).
  bool AddReaction(const ReactionKey& key, const std::string& conversation_id);
  // The summary of this conversation must be read from its stored messages: see ApplySummary.
  void Recheck(const ConversationKey& key) { rechecks_.insert(key); }
  void AddEvent(EventType type, const Conversation& conversation, const Message* message,
                const std::string& merged_into = "");

  // ---- writing (by the store) ----
  std::map<MessageKey, Entry<Message>>& messages() { return messages_; }
  std::map<ConversationKey, Entry<Conversation>>& conversations() { return conversations_; }
  const std::vector<MessageKey>& erased() const { return erased_; }     // stored keys that are to be deleted first
  const std::vector<std::pair<ReactionKey, std::string>>& new_reactions() const { return new_reactions_; }
  const std::set<ConversationKey>& rechecks() const { return rechecks_; }
  // Events without sequence, with the conversations as they are at the end of the batch. Call once, after the
  // summaries were applied.
  std::vector<Event> TakeEvents();

 private:
  struct PendingEvent {
    EventType type;
    ConversationKey conversation;
    std::optional<Message> message;
    std::string merged_into;
  };
  absl::Time now_ = absl::InfinitePast();
  std::map<MessageKey, Entry<Message>> messages_;
  std::map<ConversationKey, Entry<Conversation>> conversations_;
  std::set<ReactionKey> known_reactions_;
  std::vector<std::pair<ReactionKey, std::string>> new_reactions_;
  std::vector<MessageKey> erased_;
  std::set<ConversationKey> rechecks_;
  std::vector<PendingEvent> events_;
};

MessageKey KeyOf(const Message& message);
ConversationKey KeyOf(const Conversation& conversation);

// What the messages of a conversation say about it, read by the store with one indexed look-up each.
struct Summary {
  bool any = false;                                    // a present message exists
  std::optional<absl::Time> first_message_time;        // least (occurred_at, order_key) of present messages by people
  std::string first_key;
  Person person;                                       // its author
  std::optional<absl::Time> last_message_time;         // greatest (occurred_at, order_key) of present messages
  std::string last_key, last_text;                     // last_text "" when removed
  std::optional<absl::Time> last_ours_time;            // greatest occurred_at of settled messages by us
  std::optional<absl::Time> first_response_time;       // least of those, not before first_message_time
  std::optional<absl::Time> waiting_since_time;        // least of present messages by people after last_ours_time
};
void ApplySummary(const Summary& summary, Conversation& conversation);

constexpr int kPreviewCharacters = 200;

}  // namespace parvis::inbox
