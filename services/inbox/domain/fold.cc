#include "inbox/domain/fold.h"

#include <tuple>

#include "inbox/domain/fold_delivery.h"
#include "inbox/domain/fold_parts.h"

namespace parvis::inbox {
namespace {

bool Creates(ActivityKind kind) {
  return kind == ActivityKind::kComment || kind == ActivityKind::kMention || kind == ActivityKind::kMessage;
}

MessageKind KindOf(ActivityKind kind) {
  switch (kind) {
    case ActivityKind::kMention: return MessageKind::kMention;
    case ActivityKind::kMessage: return MessageKind::kPrivate;
    default: return MessageKind::kComment;
  }
}

Conversation& GetOrAddConversation(const Assessed& a, Workset& work) {
  const ConversationKey key{a.workspace_id, ConversationId(a.workspace_id, a.channel_id, a.conversation)};
  if (Conversation* found = work.FindConversation(key)) {
    // An early shell may have known less than this activity does.
    if (found->post_remote_id < a.post_remote_id || found->thread < a.thread) {
      found->post_remote_id = std::max(found->post_remote_id, a.post_remote_id);
      found->thread = std::max(found->thread, a.thread);
      work.Touch(*found);
    }
    return *found;
  }
  Conversation c;
  c.id = key.id;
  c.workspace_id = a.workspace_id;
  c.channel_id = a.channel_id;
  c.network = a.network;
  c.remote_conversation = a.conversation;
  c.thread = a.thread;
  c.post_remote_id = a.post_remote_id;
  c.create_time = work.now();
  return work.AddConversation(std::move(c));
}

void TakeFacts(const Assessed& a, Message& m) {
  m.kind = KindOf(a.kind);
  m.parent_remote_id = a.parent_remote_id;
  m.author = a.author;
  m.by_us = a.by_us;
  m.occurred_at = a.occurred_at;
  m.facts_revision = a.revision;
  if (!a.permalink.empty()) m.permalink = a.permalink;
}

void TakeContent(const Assessed& a, Message& m) {
  Content candidate{.revision = a.revision, .is_edit = a.kind == ActivityKind::kEdit,
                    .policy_version = a.policy_version, .action = a.action, .text = a.text,
                    .attachments = a.attachments, .reasons = a.reasons};
  if (Wins(candidate, m.content)) m.content = std::move(candidate);
  m.severity = std::max(m.severity, a.intent);
  m.escalated = m.escalated || a.action == Action::kEscalated;
  if (a.language != "und" && !a.language.empty() &&
      std::tie(a.revision, a.language) > std::tie(m.language_revision, m.language)) {
    m.language = a.language;
    m.language_revision = a.revision;
  }
}

void FoldReaction(const Assessed& a, Workset& work) {
  Conversation& c = GetOrAddConversation(a, work);
  if (!work.AddReaction({a.workspace_id, a.channel_id, a.activity_id}, c.id)) return;
  ++c.reaction_count;
  work.Touch(c);
  if (c.state != State::kShell) work.AddEvent(EventType::kMessageChanged, c, nullptr);
}

void FoldAssessed(const Assessed& a, Workset& work) {
  if (a.kind == ActivityKind::kReaction) return FoldReaction(a, work);
  const MessageKey key{a.workspace_id, a.channel_id, a.remote_id};
  Message& m = GetOrAddMessage(key, work);
  const Message before = m;
  if (Creates(a.kind)) {
    if (!m.present) {
      m.conversation_id = GetOrAddConversation(a, work).id;
      m.present = true;
    }
    if (std::tie(a.revision, a.occurred_at) < std::tie(m.facts_revision, m.occurred_at)) TakeFacts(a, m);
  }
  switch (a.kind) {
    case ActivityKind::kRemoval: m.removed = true; break;
    case ActivityKind::kHide: TakeHidden(true, a.revision, m); break;
    case ActivityKind::kUnhide: TakeHidden(false, a.revision, m); break;
    default: TakeContent(a, m);
  }
  Settle(before, m, work);
}

}  // namespace

void Fold(const std::vector<FoldInput>& inputs, Workset& work) {
  for (const FoldInput& input : inputs) {
    if (const auto* assessed = std::get_if<Assessed>(&input)) {
      FoldAssessed(*assessed, work);
    } else {
      FoldDelivery(std::get<DeliveryUpdate>(input), work);
    }
  }
}

Status FoldBatch(FoldStore& store, const StreamPositions& positions, const std::vector<FoldInput>& inputs) {
  return store.Apply(positions, KeysOf(inputs), [&inputs](Workset& work) { Fold(inputs, work); });
}

}  // namespace parvis::inbox
