// Ports of the inbox's use cases to its database. Implemented by storage/ (PostgreSQL) and testing/ (memory); one
// contract suite runs on both. All methods are about call.workspace_id and nothing else, and are thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "inbox/domain/conversation.h"
#include "platform/base/call.h"
#include "platform/base/error.h"

namespace parvis::inbox {

// ---- changing one conversation --------------------------------------------------------------------------------------

// What an edit asks to be loaded besides the conversation.
struct EditScope {
  std::string conversation_id;   // or, when empty, the one of `case_id`
  std::string case_id;           // the case to load; "" loads none
  enum class Target { kNone, kById, kLatestOfPerson };
  Target target = Target::kNone;
  std::string target_id;         // kById
  std::string created_id;        // id of the message, note or case that this edit creates: found if it exists already
};

// What an edit sees and may change, under the conversation's row lock. Whatever is changed is written with the events
// and the delivery in one transaction, when the edit returns OK.
struct Edit {
  absl::Time now;                         // the database's: one clock for all replicas
  Conversation conversation;
  std::optional<Message> target;          // never a removed one for kLatestOfPerson
  std::optional<Case> the_case;           // loaded by case_id, or to be stored
  // Exists already: this request was served before.
  std::optional<Message> old_message;
  std::optional<Note> old_note;
  std::optional<Case> old_case;
  // To be stored.
  std::optional<Message> new_message;
  std::optional<Note> new_note;
  std::optional<DeliveryRequest> delivery;
  // Events to be written: type, and the message concerned.
  std::vector<std::pair<EventType, std::optional<Message>>> events;
};

// ---- lists ----------------------------------------------------------------------------------------------------------

struct ConversationFilter {
  std::optional<State> state;
  std::optional<std::string> assignee;   // "" is nobody
  std::string channel_id, language;      // "" is all
  std::optional<Kind> kind;
};
struct ConversationPosition {
  absl::Time last_message_time;
  std::string id;
};
struct ConversationPage {
  std::vector<Conversation> conversations;   // last_message_time descending, then id descending
  int64_t sequence = 0;                      // as of the page or before it: no later event is in it
};
struct MessagePosition {
  absl::Time occurred_at;
  std::string order_key;
};
struct CaseFilter {
  std::optional<CaseState> state;
  std::string owner;
};
struct TimePosition {
  absl::Time time;
  std::string id;
};

class ConversationStore {
 public:
  virtual ~ConversationStore() = default;
  // Returns the conversation after the change. An edit that adds no event writes nothing. NOT_FOUND when the workspace
  // has no such conversation or case. The edit may be called again on fresh data, so it has no effect but on `edit`.
  virtual StatusOr<Conversation> Change(const Call& call, const EditScope& scope, const std::function<Status(Edit&)>& edit) = 0;

  // Lists return at most `limit` after `after`; nullopt begins.
  virtual StatusOr<ConversationPage> ListConversations(const Call& call, const ConversationFilter& filter,
                                                       const std::optional<ConversationPosition>& after, int limit) = 0;
  virtual StatusOr<Conversation> GetConversation(const Call& call, const std::string& id) = 0;
  // By (occurred_at, order_key) ascending. NOT_FOUND when there is no such conversation.
  virtual StatusOr<std::vector<Message>> ListMessages(const Call& call, const std::string& conversation_id,
                                                      const std::optional<MessagePosition>& after, int limit) = 0;
  // By (create_time, id) ascending.
  virtual StatusOr<std::vector<Note>> ListNotes(const Call& call, const std::string& conversation_id,
                                                const std::optional<TimePosition>& after, int limit) = 0;
  virtual StatusOr<Case> GetCase(const Call& call, const std::string& id) = 0;
  // By (due_time, id) ascending.
  virtual StatusOr<std::vector<Case>> ListCases(const Call& call, const CaseFilter& filter,
                                                const std::optional<TimePosition>& after, int limit) = 0;
};

// ---- the feed of events ---------------------------------------------------------------------------------------------

struct FeedEntry {
  int64_t sequence = 0;
  std::string payload;   // the encoded event
};
struct FeedHead {
  std::string workspace_id;
  int64_t floor = 0;     // events up to and including this one are not kept any more
  int64_t last = 0;
};

class FeedStore {
 public:
  virtual ~FeedStore() = default;
  // The heads of these workspaces; a workspace without events has floor = last = 0.
  virtual StatusOr<std::vector<FeedHead>> Heads(const std::vector<std::string>& workspace_ids) = 0;
  // Events after `after` of call.workspace_id, ascending, at most `limit`.
  virtual StatusOr<std::vector<FeedEntry>> Read(const Call& call, int64_t after, int limit) = 0;
};

// ---- what a service does on its own ---------------------------------------------------------------------------------

class UpkeepStore {
 public:
  virtual ~UpkeepStore() = default;
  // Takes away claims that have run out (at most `limit`), with their events; returns how many.
  virtual StatusOr<int> ReleaseExpiredClaims(int limit) = 0;
  // Deletes events that are older than `keep` (at most `limit`) and raises their workspaces' floors.
  virtual StatusOr<int> TrimFeeds(absl::Duration keep, int limit) = 0;
  // Deletes rows of messages that never came (at most `limit`), first heard of before `keep`.
  virtual StatusOr<int> ForgetAbsentMessages(absl::Duration keep, int limit) = 0;
};

}  // namespace parvis::inbox
