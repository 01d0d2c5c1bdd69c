#include "inbox/domain/resolve.h"

#include "inbox/domain/claim.h"
#include "inbox/domain/reply.h"

namespace parvis::inbox {
namespace {

constexpr size_t kMemberIdMax = 100;

StatusOr<Conversation> ChangeOne(ConversationStore& store, const Call& call, const std::string& id,
                                 const std::string& etag, const std::function<Status(Edit&)>& change) {
  return store.Change(call, {.conversation_id = id}, [&](Edit& edit) -> Status {
    PARVIS_RETURN_IF_ERROR(CheckEtag(edit.conversation, etag));
    return change(edit);
  });
}

}  // namespace

std::string EtagOf(const Conversation& c) { return "\"" + std::to_string(c.version) + "\""; }

Status CheckEtag(const Conversation& c, const std::string& etag) {
  if (etag.empty() || etag == EtagOf(c)) return absl::OkStatus();
  return MakeError(Code::kAborted, "ETAG_MISMATCH", "the conversation has changed since it was read; read it again");
}

StatusOr<Conversation> AssignConversation(ConversationStore& store, const Call& call, const std::string& id,
                                          const std::string& assignee, const std::string& etag) {
  if (assignee.size() > kMemberIdMax || assignee.find('\0') != std::string::npos) {
    return InvalidField("assignee", "MEMBER_ID", "must be the id of a member, or empty");
  }
  return ChangeOne(store, call, id, etag, [&](Edit& edit) -> Status {
    if (edit.conversation.assignee == assignee) return absl::OkStatus();
    edit.conversation.assignee = assignee;
    edit.events.emplace_back(EventType::kAssigned, std::nullopt);
    return absl::OkStatus();
  });
}

StatusOr<Conversation> ResolveConversation(ConversationStore& store, const Call& call, const std::string& id,
                                           const std::string& etag) {
  PARVIS_ASSIGN_OR_RETURN(const std::string actor, ActorOf(call));
  return ChangeOne(store, call, id, etag, [&](Edit& edit) -> Status {
    Conversation& c = edit.conversation;
    if (c.state == State::kResolved) return absl::OkStatus();
    PARVIS_RETURN_IF_ERROR(CheckNotOthers(c, actor, edit.now));
    c.state = State::kResolved;
    c.resolve_time = edit.now;
    c.resolved_by = actor;
    c.claim.member_id.clear();
    c.claim.expire_time = absl::InfinitePast();
    edit.events.emplace_back(EventType::kResolved, std::nullopt);
    return absl::OkStatus();
  });
}

StatusOr<Conversation> ReopenConversation(ConversationStore& store, const Call& call, const std::string& id,
                                          const std::string& etag) {
  return ChangeOne(store, call, id, etag, [&](Edit& edit) -> Status {
    Conversation& c = edit.conversation;
    if (c.state == State::kOpen) return absl::OkStatus();
    c.state = State::kOpen;
    c.resolve_time.reset();
    c.resolved_by.clear();
    ++c.reopen_count;
    edit.events.emplace_back(EventType::kReopened, std::nullopt);
    return absl::OkStatus();
  });
}

StatusOr<Note> CreateNote(ConversationStore& store, const Call& call, const std::string& conversation_id,
                          const std::string& text, const std::string& request_id) {
  PARVIS_RETURN_IF_ERROR(CheckText("note.text", text, kNoteMax));
  PARVIS_ASSIGN_OR_RETURN(const std::string actor, ActorOf(call));
  const std::string id = IdOfRequest("note", conversation_id, request_id);
  Note result;
  const auto changed = store.Change(call, {.conversation_id = conversation_id, .created_id = id}, [&](Edit& edit) -> Status {
        if (edit.old_note) {
          result = *edit.old_note;
          if (result.text == text) return absl::OkStatus();
          return InvalidField("request_id", "REQUEST_ID_REUSED", "was used for another note; make a new one");
        }
        result = {.id = id, .workspace_id = call.workspace_id, .conversation_id = conversation_id, .member_id = actor,
                  .text = text, .create_time = edit.now};
        edit.new_note = result;
        edit.events.emplace_back(EventType::kNoteAdded, std::nullopt);
        return absl::OkStatus();
      });
  if (!changed.ok()) return changed.status();
  return result;
}

}  // namespace parvis::inbox
