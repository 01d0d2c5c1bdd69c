#include "inbox/domain/reply.h"

#include "inbox/domain/claim.h"
#include "inbox/domain/workset.h"
#include "platform/base/ids.h"

namespace parvis::inbox {
namespace {

Status CheckTarget(const ReplyDraft& draft, const Edit& edit) {
  if (!edit.target) {
    return draft.target_message_id.empty()
               ? MakeError(Code::kFailedPrecondition, "NOTHING_TO_ANSWER", "the conversation has no message of a person")
               : NotFound("messages/" + draft.target_message_id);
  }
  if (edit.target->by_us) return InvalidField("target_message", "TARGET_IS_OURS", "must be a message of a person");
  if (edit.target->removed) {
    return InvalidField("target_message", "TARGET_REMOVED", "must be a message that is still on the network");
  }
  return absl::OkStatus();
}

Message NewReply(const ReplyDraft& draft, const std::string& id, const std::string& actor, const Edit& edit) {
  Message m;
  m.id = id;
  m.workspace_id = edit.conversation.workspace_id;
  m.channel_id = edit.conversation.channel_id;
  m.remote_key = UnsentKey(id);
  m.order_key = OrderKey(m.remote_key);
  m.conversation_id = edit.conversation.id;
  m.present = true;
  m.written_here = true;
  m.kind = edit.target->kind;
  m.parent_remote_id = edit.target->RemoteId();
  m.by_us = true;
  m.member_id = actor;
  m.occurred_at = edit.now;
  m.create_time = edit.now;
  m.content.text = draft.text;
  m.delivery.state = SendState::kSending;
  return m;
}

DeliveryRequest RequestFor(const Message& m, const Edit& edit, absl::Duration expire) {
  return {.message_id = m.id, .workspace_id = m.workspace_id, .channel_id = m.channel_id,
          .target_remote_id = m.parent_remote_id, .post_remote_id = edit.conversation.post_remote_id,
          .thread = edit.conversation.thread, .text = m.content.text, .member_id = m.member_id,
          .requested_time = edit.now, .expire_time = edit.now + expire};
}

}  // namespace

Status CheckText(std::string_view field, std::string_view text, int characters_max) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return InvalidField(field, "TEXT_EMPTY", "must hold something to read");
  }
  if (text.find('\0') != std::string_view::npos) return InvalidField(field, "TEXT_HAS_NUL", "must not contain U+0000");
  const int length = CountCharacters(text);
  if (length <= characters_max) return absl::OkStatus();
  return InvalidField(field, "TEXT_TOO_LONG", "has " + std::to_string(length) + " characters, at most " +
                      std::to_string(characters_max) + " are allowed");
}

StatusOr<Message> Reply(ConversationStore& store, const Call& call, const ReplyDraft& draft, const ReplyRules& rules) {
  PARVIS_RETURN_IF_ERROR(CheckText("text", draft.text, rules.text_max));
  if (!IsUuid(draft.request_id)) return InvalidField("request_id", "REQUEST_ID", "must be a UUID");
  PARVIS_ASSIGN_OR_RETURN(const std::string actor, ActorOf(call));
  const std::string id = IdOfRequest("reply", draft.conversation_id, draft.request_id);
  EditScope scope{.conversation_id = draft.conversation_id, .target_id = draft.target_message_id, .created_id = id};
  scope.target = draft.target_message_id.empty() ? EditScope::Target::kLatestOfPerson : EditScope::Target::kById;
  Message result;
  const auto changed = store.Change(call, scope, [&](Edit& edit) -> Status {
    if (edit.old_message) {
      result = *edit.old_message;
      // The network may have changed the text since, so it is no part of the comparison.
      if (result.member_id == actor) return absl::OkStatus();
      return InvalidField("request_id", "REQUEST_ID_REUSED", "was used for another answer; make a new one");
    }
    PARVIS_RETURN_IF_ERROR(CheckClaim(edit.conversation, actor, draft.claim_token, edit.now));
    PARVIS_RETURN_IF_ERROR(CheckTarget(draft, edit));
    result = NewReply(draft, id, actor, edit);
    Conversation& c = edit.conversation;
    ++c.message_count;
    if (edit.now >= c.last_message_time.value_or(absl::InfinitePast())) {
      c.last_message_time = result.occurred_at;
      c.last_key = result.order_key;
      c.preview = Shorten(draft.text, kPreviewCharacters);
    }
    edit.new_message = result;
    edit.delivery = RequestFor(result, edit, rules.expire);
    edit.events.emplace_back(EventType::kReplied, result);
    return absl::OkStatus();
  });
  if (!changed.ok()) return changed.status();
  return result;
}

}  // namespace parvis::inbox
