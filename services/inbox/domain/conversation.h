// The nouns of the inbox: conversations, messages, notes, cases, and the events that tell of their changes.
// Plain values: no locks, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/time/time.h>

namespace parvis::inbox {

// kShell: known by a reaction or an early edit only; has no message yet and is shown to nobody.
enum class State { kShell = 0, kOpen = 1, kResolved = 2 };
// By severity: the higher wins.
enum class Kind { kUnspecified = 0, kOther = 1, kThanks = 2, kQuestion = 3, kComplaint = 4 };
enum class MessageKind { kUnspecified = 0, kComment = 1, kMention = 2, kPrivate = 3 };
enum class Action { kUnspecified = 0, kAllowed = 1, kHeld = 2, kHidden = 3, kDeleted = 4, kEscalated = 5 };
enum class SendState { kNone = 0, kSending = 1, kSent = 2, kFailed = 3, kUnknown = 4 };
enum class CaseState { kUnspecified = 0, kOpen = 1, kResolved = 2 };

struct Person {
  std::string remote_id, name, handle;
  bool operator==(const Person&) const = default;
};

// Nobody holds it when member_id is empty or expire_time has come. The token only ever grows.
struct Claim {
  std::string member_id;
  int64_t token = 0;
  absl::Time expire_time = absl::InfinitePast();
  bool HeldAt(absl::Time now) const { return !member_id.empty() && now < expire_time; }
  bool operator==(const Claim&) const = default;
};

// Times that may be missing are optional; all times of messages are the network's.
struct Conversation {
  std::string id, workspace_id, channel_id, network;
  std::string remote_conversation, thread, post_remote_id;
  State state = State::kShell;
  Kind kind = Kind::kUnspecified;
  std::string language = "und";
  absl::Time language_time = absl::InfinitePast();   // of the message that `language` is taken from
  std::string language_key;                          // its order key
  bool escalated = false;
  Person person;
  std::string assignee;
  Claim claim;
  std::string case_id;              // the open case, "" if none
  int64_t message_count = 0;        // both sides, without removed ones
  int64_t person_count = 0;         // messages of people that can be answered: see Answerable()
  int64_t reaction_count = 0;
  std::string preview;
  std::string first_key, last_key;  // order keys of the person's first message and of the latest of either side
  std::optional<absl::Time> first_message_time, last_message_time, last_ours_time, first_response_time;
  std::optional<absl::Time> waiting_since_time;   // as if all could be answered; see WaitingSince()
  absl::Time create_time = absl::InfinitePast();
  std::optional<absl::Time> resolve_time;
  std::string resolved_by;
  int64_t reopen_count = 0;
  int64_t version = 0;              // raised by every write; the etag
  bool operator==(const Conversation&) const = default;

  // Since when a person waits for an answer; nullopt when there is nothing left to answer.
  std::optional<absl::Time> WaitingSince() const {
    return person_count > 0 ? waiting_since_time : std::nullopt;
  }
};

struct Reason {
  std::string rule, explanation;
  bool operator==(const Reason&) const = default;
};

// The text of a message and what moderation thinks of it: replaced as a whole, the highest Rank() wins.
struct Content {
  int64_t revision = -1;
  bool is_edit = false;
  int64_t policy_version = 0;
  Action action = Action::kUnspecified;
  std::string text;
  std::vector<std::pair<std::string, std::string>> attachments;   // (type, url)
  std::vector<Reason> reasons;
  bool operator==(const Content&) const = default;
};
// Whether `candidate` replaces `current`. A total order up to equal content, so that the order of arrival is no matter.
bool Wins(const Content& candidate, const Content& current);

struct Delivery {
  SendState state = SendState::kNone;   // kNone: not written here
  int64_t sequence = 0;                 // of the delivery event it is taken from
  std::string reason, detail;
  std::optional<absl::Time> delivered_time;
  bool operator==(const Delivery&) const = default;
};

// A message, or (present == false) what is already known of one whose creation has not arrived.
struct Message {
  std::string id, workspace_id, channel_id;
  std::string remote_key;        // the network's id; "parvis:<id>" until an answer of ours has one
  std::string conversation_id;   // "" while not present
  bool present = false;
  bool written_here = false;     // an answer sent by a member through Parvis
  MessageKind kind = MessageKind::kUnspecified;
  std::string parent_remote_id;
  Person author;
  bool by_us = false;
  std::string member_id;
  absl::Time occurred_at = absl::InfiniteFuture();
  std::string order_key;         // OrderKey(remote_key)
  int64_t facts_revision = INT64_MAX;   // of the activity that the facts above are taken from: the lowest wins
  Content content;
  std::string language = "und";
  int64_t language_revision = -1;
  Kind severity = Kind::kUnspecified;   // the most severe intent ever seen
  bool escalated = false;
  bool removed = false;          // for ever
  bool hidden = false;
  int64_t hidden_revision = -1;
  Delivery delivery;
  std::string permalink;
  absl::Time create_time = absl::InfinitePast();
  bool operator==(const Message&) const = default;

  std::string RemoteId() const;  // "" while it has none
  bool Live() const { return present && !removed; }
  // A person's message that somebody could answer.
  bool Answerable() const {
    return Live() && !by_us && !hidden && content.action != Action::kHidden && content.action != Action::kDeleted;
  }
  // A message of ours that counts as an answer: all but those not (known to be) delivered.
  bool Settled() const {
    return present && by_us && (delivery.state == SendState::kNone || delivery.state == SendState::kSent);
  }
};

struct Note {
  std::string id, workspace_id, conversation_id, member_id, text;
  absl::Time create_time = absl::InfinitePast();
  bool operator==(const Note&) const = default;
};

struct Case {
  std::string id, workspace_id, conversation_id, title, owner;
  CaseState state = CaseState::kUnspecified;
  absl::Time due_time = absl::InfinitePast();
  int64_t escalation_count = 0;
  std::string escalation_reason, escalation_request;   // the request_id of the latest escalation
  std::string resolution;
  absl::Time create_time = absl::InfinitePast();
  std::optional<absl::Time> resolve_time;
  bool operator==(const Case&) const = default;
  bool OverdueAt(absl::Time now) const { return resolve_time.value_or(now) > due_time; }
};

// Mirrors parvis.inbox.v1.ConversationEvent.Type.
enum class EventType {
  kCreated = 1, kMessageReceived, kMessageChanged, kClaimed, kReleased, kAssigned, kReplied, kReplyUpdated, kNoteAdded,
  kResolved, kReopened, kCaseOpened, kCaseResolved, kCaseEscalated
};

struct Event {
  std::string id;             // EventId(workspace_id, sequence)
  int64_t sequence = 0;       // given by the store in the transaction of the change
  EventType type = EventType::kCreated;
  absl::Time time;
  std::string member_id;
  Conversation conversation;  // after the change
  std::optional<Message> message;
  std::string merged_into;    // id of the message that `message` turned out to be, "" otherwise
};

// A reply on its way to publishing.
struct DeliveryRequest {
  std::string message_id, workspace_id, channel_id, target_remote_id, post_remote_id, thread, text, member_id;
  absl::Time requested_time, expire_time;
};

// ---- natural keys --------------------------------------------------------------------------------------------------

std::string ConversationId(std::string_view workspace_id, std::string_view channel_id, std::string_view conversation);
std::string MessageId(std::string_view workspace_id, std::string_view channel_id, std::string_view remote_id);
std::string EventId(std::string_view workspace_id, int64_t sequence);
// The id of what `request_id` creates for a conversation: the same request creates the same thing.
std::string IdOfRequest(std::string_view what, std::string_view conversation_id, std::string_view request_id);
// "parvis:<message id>": the natural key of an answer that the network has not named yet.
std::string UnsentKey(std::string_view message_id);
// "inbox/reply/<message id>" and back ("" when it is not one).
std::string ReplyCommandId(std::string_view message_id);
std::string MessageIdOfCommand(std::string_view command_id);
// A text whose byte order is the order of network ids: numbers in them count as numbers ("9" before "10").
std::string OrderKey(std::string_view remote_key);
// The first `characters` code points of UTF-8 text.
std::string Shorten(std::string_view text, int characters);
int CountCharacters(std::string_view utf8);

}  // namespace parvis::inbox
