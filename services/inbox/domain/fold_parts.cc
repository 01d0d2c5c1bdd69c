#include "inbox/domain/fold_parts.h"

#include <tuple>

namespace parvis::inbox {
namespace {

// A person's message became present: the conversation follows without looking at its other messages, unless one of ours
// is among them and this one came out of order.
void FollowPerson(const Message& m, Conversation& c, Workset& work) {
  const absl::Time first = c.first_message_time.value_or(absl::InfiniteFuture());
  if (std::tie(m.occurred_at, m.order_key) < std::tie(first, c.first_key)) {
    c.first_message_time = m.occurred_at;
    c.first_key = m.order_key;
    c.person = m.author;
    if (c.last_ours_time) work.Recheck(KeyOf(c));   // an earlier message of ours may be the first response now
  }
  if (m.occurred_at > c.last_ours_time.value_or(absl::InfinitePast())) {
    c.waiting_since_time = std::min(m.occurred_at, c.waiting_since_time.value_or(absl::InfiniteFuture()));
  }
}

// The latest message gives the preview.
void FollowLatest(const Message& m, Conversation& c) {
  const absl::Time last = c.last_message_time.value_or(absl::InfinitePast());
  if (std::tie(m.occurred_at, m.order_key) < std::tie(last, c.last_key)) return;
  c.last_message_time = m.occurred_at;
  c.last_key = m.order_key;
  c.preview = Shorten(m.content.text, kPreviewCharacters);
}

void FollowAssessment(const Message& m, Conversation& c) {
  if (m.by_us) return;
  c.kind = std::max(c.kind, m.severity);
  c.escalated = c.escalated || m.escalated;
  if (m.language_revision >= 0 &&
      std::tie(m.occurred_at, m.order_key) >= std::tie(c.language_time, c.language_key)) {
    c.language = m.language;
    c.language_time = m.occurred_at;
    c.language_key = m.order_key;
  }
}

// Opens the conversation for its first message, opens it again for a person's; adds the message's own event.
void Announce(const Message& before, const Message& m, Conversation& c, Workset& work) {
  if (before.present) {
    work.AddEvent(before.delivery != m.delivery ? EventType::kReplyUpdated : EventType::kMessageChanged, c, &m);
    return;
  }
  if (c.state == State::kShell) {
    c.state = State::kOpen;
    work.AddEvent(EventType::kCreated, c, &m);
    return;
  }
  work.AddEvent(EventType::kMessageReceived, c, &m);
  if (c.state == State::kResolved && m.Answerable()) {
    c.state = State::kOpen;
    c.resolve_time.reset();
    c.resolved_by.clear();
    ++c.reopen_count;
    work.AddEvent(EventType::kReopened, c, &m);
  }
}

}  // namespace

Message& GetOrAddMessage(const MessageKey& key, Workset& work) {
  if (Message* found = work.FindMessage(key)) return *found;
  Message m;
  m.id = MessageId(key.workspace_id, key.channel_id, key.remote_key);
  m.workspace_id = key.workspace_id;
  m.channel_id = key.channel_id;
  m.remote_key = key.remote_key;
  m.order_key = OrderKey(key.remote_key);
  m.create_time = work.now();
  return work.AddMessage(key, std::move(m));
}

void TakeHidden(bool hidden, int64_t revision, Message& m) {
  if (std::tie(revision, hidden) <= std::tie(m.hidden_revision, m.hidden)) return;
  m.hidden = hidden;
  m.hidden_revision = revision;
}

void Count(const Message& m, int sign, Conversation& c) {
  if (m.Live()) c.message_count += sign;
  if (m.Answerable()) c.person_count += sign;
}

void Settle(const Message& before, Message& m, Workset& work) {
  if (m.removed) {
    m.content.text.clear();
    m.content.attachments.clear();
  }
  if (before == m) return;
  work.Touch(m);
  if (!m.present) return;
  Conversation& c = *work.FindConversation({m.workspace_id, m.conversation_id});
  work.Touch(c);
  Count(before, -1, c);
  Count(m, 1, c);
  FollowAssessment(m, c);
  const bool facts_changed = before.occurred_at != m.occurred_at || before.by_us != m.by_us ||
                             before.order_key != m.order_key || before.author != m.author;
  if (m.by_us || before.by_us || (before.present && facts_changed)) {
    work.Recheck(KeyOf(c));
  } else if (!before.present) {
    FollowPerson(m, c, work);
  }
  FollowLatest(m, c);
  Announce(before, m, c, work);
}

}  // namespace parvis::inbox
