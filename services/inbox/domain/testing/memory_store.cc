#include "inbox/domain/testing/memory_store.h"

#include <algorithm>
#include <utility>

#include "inbox/domain/claim.h"

namespace parvis::inbox::testing {
namespace {

// As PostgreSQL keeps times.
absl::Time Micros(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

template <class T>
void Cut(std::vector<T>& items, int limit) {
  if (static_cast<int>(items.size()) > limit) items.resize(limit);
}

}  // namespace

StatusOr<StreamPosition> MemoryStore::Claim(const std::string& group, const std::string& topic, int32_t partition) {
  const std::lock_guard lock(mutex_);
  StreamPosition& position = offsets_[{group, topic, partition}];
  position.group = group;
  position.topic = topic;
  position.partition = partition;
  ++position.epoch;
  return position;
}

void MemoryStore::AddEvents(std::vector<Event> events) {
  for (Event& event : events) {
    const std::string& workspace = event.conversation.workspace_id;
    FeedHead& head = heads_[workspace];
    head.workspace_id = workspace;
    event.sequence = ++head.last;
    event.id = EventId(workspace, event.sequence);
    feed_[{workspace, event.sequence}] = event.time;
    events_.push_back(std::move(event));
  }
}

void MemoryStore::Unindex(const Message& m) {
  if (!m.conversation_id.empty()) std::erase(by_conversation_[{m.workspace_id, m.conversation_id}], &m);
  if (m.written_here) written_here_.erase({m.workspace_id, m.id});
}

void MemoryStore::Put(const MessageKey& key, const Message& message) {
  Message& stored = messages_[key];
  Unindex(stored);
  stored = message;
  if (!stored.conversation_id.empty()) by_conversation_[{stored.workspace_id, stored.conversation_id}].push_back(&stored);
  if (stored.written_here) written_here_[{stored.workspace_id, stored.id}] = &stored;
}

void MemoryStore::Remove(const MessageKey& key) {
  const auto found = messages_.find(key);
  if (found == messages_.end()) return;
  Unindex(found->second);
  messages_.erase(found);
}

const std::vector<const Message*>& MemoryStore::MessagesOf(const std::string& workspace_id,
                                                           const std::string& conversation_id) const {
  static const std::vector<const Message*> kNone;
  const auto found = by_conversation_.find({workspace_id, conversation_id});
  return found == by_conversation_.end() ? kNone : found->second;
}

Summary MemoryStore::SummaryOf(const Conversation& c) const {
  std::vector<const Message*> present;
  for (const Message* m : MessagesOf(c.workspace_id, c.id)) {
    if (m->present) present.push_back(m);
  }
  std::sort(present.begin(), present.end(), [](const Message* a, const Message* b) {
    return std::tie(a->occurred_at, a->order_key) < std::tie(b->occurred_at, b->order_key);
  });
  Summary s;
  s.any = !present.empty();
  for (const Message* m : present) {
    s.last_message_time = m->occurred_at;
    s.last_key = m->order_key;
    s.last_text = m->content.text;
    if (m->Settled()) s.last_ours_time = m->occurred_at;
    if (!m->by_us && !s.first_message_time) {
      s.first_message_time = m->occurred_at;
      s.first_key = m->order_key;
      s.person = m->author;
    }
  }
  for (const Message* m : present) {
    if (m->Settled() && s.first_message_time && m->occurred_at >= *s.first_message_time && !s.first_response_time) {
      s.first_response_time = m->occurred_at;
    }
    if (!m->by_us && m->occurred_at > s.last_ours_time.value_or(absl::InfinitePast()) && !s.waiting_since_time) {
      s.waiting_since_time = m->occurred_at;
    }
  }
  return s;
}

Status MemoryStore::Apply(const StreamPositions& positions, const FoldKeys& keys,
                          const std::function<void(Workset&)>& fold) {
  const std::lock_guard lock(mutex_);
  for (const StreamPosition& position : positions) {
    const StreamPosition& stored = offsets_[{position.group, position.topic, position.partition}];
    if (stored.epoch != position.epoch || stored.next >= position.next) return MakeError(Code::kAborted, "FENCED", "a newer owner");
  }
  for (const StreamPosition& position : positions) offsets_[{position.group, position.topic, position.partition}].next = position.next;
  Workset work;
  work.set_now(Micros(clock_.WallNow()));
  std::set<ConversationKey> wanted = keys.conversations;
  for (const MessageKey& key : keys.messages) {
    const auto found = messages_.find(key);
    if (found == messages_.end()) continue;
    if (!found->second.conversation_id.empty()) wanted.insert({key.workspace_id, found->second.conversation_id});
    work.Load(found->second);
  }
  for (const ConversationKey& key : wanted) {
    if (const auto found = conversations_.find(key); found != conversations_.end()) work.Load(found->second);
  }
  for (const ReactionKey& key : keys.reactions) {
    if (reactions_.contains(key)) work.LoadReaction(key);
  }
  fold(work);
  for (const MessageKey& key : work.erased()) Remove(key);
  for (const auto& [key, entry] : work.messages()) {
    if (entry.dirty) Put(key, entry.value);
  }
  for (const auto& [key, conversation_id] : work.new_reactions()) reactions_.insert(key);
  for (const ConversationKey& key : work.rechecks()) {
    Conversation& c = work.conversations().at(key).value;
    ApplySummary(SummaryOf(c), c);
  }
  for (auto& [key, entry] : work.conversations()) {
    if (!entry.dirty) continue;
    ++entry.value.version;
    conversations_[key] = entry.value;
  }
  AddEvents(work.TakeEvents());
  return absl::OkStatus();
}

const Message* MemoryStore::TargetOf(const EditScope& scope, const Conversation& c) const {
  const Message* best = nullptr;
  for (const Message* m : MessagesOf(c.workspace_id, c.id)) {
    if (!m->present) continue;
    if (scope.target == EditScope::Target::kById) {
      if (m->id == scope.target_id) return m;
    } else if (!m->by_us && !m->removed &&
               (!best || std::tie(m->occurred_at, m->order_key) > std::tie(best->occurred_at, best->order_key))) {
      best = m;
    }
  }
  return best;
}

StatusOr<Edit> MemoryStore::Load(const Call& call, const EditScope& scope) {
  const std::string& workspace = call.workspace_id;
  Edit edit;
  edit.now = Micros(clock_.WallNow());
  std::string id = scope.conversation_id;
  if (!scope.case_id.empty()) {
    const auto found = cases_.find({workspace, scope.case_id});
    if (found == cases_.end()) return NotFound("workspaces/" + workspace + "/cases/" + scope.case_id);
    edit.the_case = found->second;
    id = found->second.conversation_id;
  }
  const auto found = conversations_.find({workspace, id});
  if (found == conversations_.end() || found->second.state == State::kShell) {
    return NotFound("workspaces/" + workspace + "/conversations/" + id);
  }
  edit.conversation = found->second;
  if (scope.target != EditScope::Target::kNone) {
    if (const Message* target = TargetOf(scope, edit.conversation)) edit.target = *target;
  }
  if (const auto old = written_here_.find({workspace, scope.created_id}); old != written_here_.end()) {
    edit.old_message = *old->second;
  }
  if (const auto note = notes_.find({workspace, scope.created_id}); note != notes_.end()) edit.old_note = note->second;
  if (const auto old = cases_.find({workspace, scope.created_id}); old != cases_.end()) edit.old_case = old->second;
  return edit;
}

StatusOr<Conversation> MemoryStore::Change(const Call& call, const EditScope& scope,
                                           const std::function<Status(Edit&)>& edit_fn) {
  const std::lock_guard lock(mutex_);
  PARVIS_ASSIGN_OR_RETURN(Edit edit, Load(call, scope));
  PARVIS_RETURN_IF_ERROR(edit_fn(edit));
  if (edit.events.empty()) return edit.conversation;
  PARVIS_ASSIGN_OR_RETURN(const std::string actor, ActorOf(call));
  ++edit.conversation.version;
  conversations_[KeyOf(edit.conversation)] = edit.conversation;
  if (edit.new_message) Put(KeyOf(*edit.new_message), *edit.new_message);
  if (edit.the_case) cases_[{call.workspace_id, edit.the_case->id}] = *edit.the_case;
  if (edit.new_note) notes_[{call.workspace_id, edit.new_note->id}] = *edit.new_note;
  if (edit.delivery) deliveries_.push_back(*edit.delivery);
  std::vector<Event> events;
  for (const auto& [type, message] : edit.events) {
    Event event;
    event.type = type;
    event.time = edit.now;
    event.member_id = actor;
    event.conversation = edit.conversation;
    event.message = message;
    events.push_back(std::move(event));
  }
  AddEvents(std::move(events));
  return edit.conversation;
}

StatusOr<ConversationPage> MemoryStore::ListConversations(const Call& call, const ConversationFilter& f,
                                                          const std::optional<ConversationPosition>& after, int limit) {
  const std::lock_guard lock(mutex_);
  ConversationPage page;
  page.sequence = heads_[call.workspace_id].last;
  for (const auto& [key, c] : conversations_) {
    if (c.workspace_id != call.workspace_id || c.state == State::kShell) continue;
    if (f.state && c.state != *f.state) continue;
    if (f.assignee && c.assignee != *f.assignee) continue;
    if (!f.channel_id.empty() && c.channel_id != f.channel_id) continue;
    if (!f.language.empty() && c.language != f.language) continue;
    if (f.kind && c.kind != *f.kind) continue;
    if (after && std::tie(*c.last_message_time, c.id) >= std::tie(after->last_message_time, after->id)) continue;
    page.conversations.push_back(c);
  }
  std::sort(page.conversations.begin(), page.conversations.end(), [](const Conversation& a, const Conversation& b) {
    return std::tie(*a.last_message_time, a.id) > std::tie(*b.last_message_time, b.id);
  });
  Cut(page.conversations, limit);
  return page;
}

StatusOr<Conversation> MemoryStore::GetConversation(const Call& call, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = conversations_.find({call.workspace_id, id});
  if (found == conversations_.end() || found->second.state == State::kShell) {
    return NotFound("workspaces/" + call.workspace_id + "/conversations/" + id);
  }
  return found->second;
}

StatusOr<std::vector<Message>> MemoryStore::ListMessages(const Call& call, const std::string& conversation_id,
                                                         const std::optional<MessagePosition>& after, int limit) {
  PARVIS_RETURN_IF_ERROR(GetConversation(call, conversation_id).status());
  const std::lock_guard lock(mutex_);
  std::vector<Message> out;
  for (const Message* m : MessagesOf(call.workspace_id, conversation_id)) {
    if (!m->present) continue;
    if (after && std::tie(m->occurred_at, m->order_key) <= std::tie(after->occurred_at, after->order_key)) continue;
    out.push_back(*m);
  }
  std::sort(out.begin(), out.end(), [](const Message& a, const Message& b) {
    return std::tie(a.occurred_at, a.order_key) < std::tie(b.occurred_at, b.order_key);
  });
  Cut(out, limit);
  return out;
}

StatusOr<std::vector<Note>> MemoryStore::ListNotes(const Call& call, const std::string& conversation_id,
                                                   const std::optional<TimePosition>& after, int limit) {
  PARVIS_RETURN_IF_ERROR(GetConversation(call, conversation_id).status());
  const std::lock_guard lock(mutex_);
  std::vector<Note> out;
  for (const auto& [key, n] : notes_) {
    if (n.workspace_id != call.workspace_id || n.conversation_id != conversation_id) continue;
    if (!after || std::tie(n.create_time, n.id) > std::tie(after->time, after->id)) out.push_back(n);
  }
  std::sort(out.begin(), out.end(), [](const Note& a, const Note& b) {
    return std::tie(a.create_time, a.id) < std::tie(b.create_time, b.id);
  });
  Cut(out, limit);
  return out;
}

StatusOr<Case> MemoryStore::GetCase(const Call& call, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = cases_.find({call.workspace_id, id});
  if (found == cases_.end()) return NotFound("workspaces/" + call.workspace_id + "/cases/" + id);
  return found->second;
}

StatusOr<std::vector<Case>> MemoryStore::ListCases(const Call& call, const CaseFilter& filter,
                                                   const std::optional<TimePosition>& after, int limit) {
  const std::lock_guard lock(mutex_);
  std::vector<Case> out;
  for (const auto& [key, k] : cases_) {
    if (k.workspace_id != call.workspace_id || (filter.state && k.state != *filter.state)) continue;
    if (!filter.owner.empty() && k.owner != filter.owner) continue;
    if (!after || std::tie(k.due_time, k.id) > std::tie(after->time, after->id)) out.push_back(k);
  }
  std::sort(out.begin(), out.end(),
            [](const Case& a, const Case& b) { return std::tie(a.due_time, a.id) < std::tie(b.due_time, b.id); });
  Cut(out, limit);
  return out;
}

StatusOr<std::vector<FeedHead>> MemoryStore::Heads(const std::vector<std::string>& workspace_ids) {
  const std::lock_guard lock(mutex_);
  std::vector<FeedHead> heads;
  for (const std::string& id : workspace_ids) {
    const auto found = heads_.find(id);
    heads.push_back(found == heads_.end() ? FeedHead{.workspace_id = id} : found->second);
  }
  return heads;
}

StatusOr<std::vector<FeedEntry>> MemoryStore::Read(const Call& call, int64_t after, int limit) {
  const std::lock_guard lock(mutex_);
  std::vector<FeedEntry> entries;
  for (auto it = feed_.upper_bound({call.workspace_id, after}); it != feed_.end(); ++it) {
    if (it->first.first != call.workspace_id || static_cast<int>(entries.size()) == limit) break;
    entries.push_back({.sequence = it->first.second, .payload = ""});   // encoding is not its business
  }
  return entries;
}

StatusOr<int> MemoryStore::ReleaseExpiredClaims(int limit) {
  const std::lock_guard lock(mutex_);
  const absl::Time now = Micros(clock_.WallNow());
  std::vector<Event> events;
  for (auto& [key, c] : conversations_) {
    if (c.claim.member_id.empty() || c.claim.expire_time >= now || static_cast<int>(events.size()) == limit) continue;
    c.claim = {.member_id = "", .token = c.claim.token, .expire_time = absl::InfinitePast()};
    ++c.version;
    Event event;
    event.type = EventType::kReleased;
    event.time = now;
    event.conversation = c;
    events.push_back(std::move(event));
  }
  const int released = static_cast<int>(events.size());
  AddEvents(std::move(events));
  return released;
}

StatusOr<int> MemoryStore::TrimFeeds(absl::Duration keep, int limit) {
  const std::lock_guard lock(mutex_);
  int gone = 0;
  for (auto it = feed_.begin(); it != feed_.end() && gone < limit;) {
    if (it->second >= clock_.WallNow() - keep) {
      ++it;
      continue;
    }
    heads_[it->first.first].floor = it->first.second;
    it = feed_.erase(it);
    ++gone;
  }
  return gone;
}

StatusOr<int> MemoryStore::ForgetAbsentMessages(absl::Duration keep, int limit) {
  const std::lock_guard lock(mutex_);
  int gone = 0;
  for (auto it = messages_.begin(); it != messages_.end() && gone < limit;) {
    const bool old = !it->second.present && it->second.create_time < clock_.WallNow() - keep;
    gone += old;
    if (old) Unindex(it->second);
    it = old ? messages_.erase(it) : std::next(it);
  }
  return gone;
}

std::vector<Event> MemoryStore::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

std::vector<DeliveryRequest> MemoryStore::deliveries() const {
  const std::lock_guard lock(mutex_);
  return deliveries_;
}

std::vector<DeliveryRequest> MemoryStore::TakeDeliveries() {
  const std::lock_guard lock(mutex_);
  return std::exchange(deliveries_, {});
}

int MemoryStore::absent_messages() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(messages_.begin(), messages_.end(),
                                        [](const auto& entry) { return !entry.second.present; }));
}

}  // namespace parvis::inbox::testing
