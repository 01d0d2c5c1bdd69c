#include "inbox/domain/fold_delivery.h"

#include "inbox/domain/fold_parts.h"

namespace parvis::inbox {
namespace {

// `seen` is what the network showed of `answer`: all it says is more certain than what we assumed.
void Absorb(const Message& seen, Message& answer) {
  if (seen.present) {
    answer.kind = seen.kind;
    answer.parent_remote_id = seen.parent_remote_id;
    answer.author = seen.author;
    answer.occurred_at = seen.occurred_at;
    answer.facts_revision = seen.facts_revision;
    if (!seen.permalink.empty()) answer.permalink = seen.permalink;
  }
  if (Wins(seen.content, answer.content)) answer.content = seen.content;
  if (seen.language_revision > answer.language_revision) {
    answer.language = seen.language;
    answer.language_revision = seen.language_revision;
  }
  answer.severity = std::max(answer.severity, seen.severity);
  answer.escalated = answer.escalated || seen.escalated;
  answer.removed = answer.removed || seen.removed;
  TakeHidden(seen.hidden, seen.hidden_revision, answer);
}

// Takes the network's sight of the answer out of the inbox, so that the answer can have its key.
void Merge(const Message& seen_in_place, Message& answer, Workset& work) {
  const Message seen = seen_in_place;
  Absorb(seen, answer);
  if (seen.present) {
    if (Conversation* c = work.FindConversation({seen.workspace_id, seen.conversation_id})) {
      Count(seen, -1, *c);
      work.Touch(*c);
      work.Recheck(KeyOf(*c));
      work.AddEvent(EventType::kMessageChanged, *c, &seen, answer.id);
    }
  }
  work.Erase(KeyOf(seen));
}

void FoldReply(const DeliveryUpdate& d, Workset& work) {
  const std::string id = MessageIdOfCommand(d.command_id);
  const MessageKey unsent{d.workspace_id, d.channel_id, UnsentKey(id)};
  const MessageKey sent{d.workspace_id, d.channel_id, d.remote_id};
  Message* found = work.FindMessage(unsent);
  if (!found && !d.remote_id.empty()) found = work.FindMessage(sent);
  if (!found || found->id != id) return;   // an older event of an answer that has its network's id by now
  const Message before = *found;
  if (d.sequence > found->delivery.sequence) {
    found->delivery = {.state = d.state, .sequence = d.sequence, .reason = d.reason, .detail = d.detail,
                       .delivered_time = {}};
    if (d.state == SendState::kSent) found->delivery.delivered_time = d.time;
  }
  if (d.state == SendState::kSent && !d.remote_id.empty() && found->remote_key != d.remote_id) {
    if (!d.permalink.empty()) found->permalink = d.permalink;
    if (found->facts_revision == INT64_MAX) found->occurred_at = d.time;
    if (const Message* seen = work.FindMessage(sent)) Merge(*seen, *found, work);
    found = &work.Rekey(unsent, d.remote_id);
  }
  Settle(before, *found, work);
}

}  // namespace

void FoldDelivery(const DeliveryUpdate& d, Workset& work) {
  if (d.kind == DeliveryKind::kReply) return FoldReply(d, work);
  if (d.state != SendState::kSent) return;
  Message& m = GetOrAddMessage({d.workspace_id, d.channel_id, d.target_remote_id}, work);
  const Message before = m;
  if (d.kind == DeliveryKind::kDelete) {
    m.removed = true;
  } else {
    TakeHidden(d.kind == DeliveryKind::kHide, absl::ToUnixMicros(d.time), m);
  }
  Settle(before, m, work);
}

}  // namespace parvis::inbox
