#include "inbox/domain/cases.h"

#include "inbox/domain/claim.h"
#include "inbox/domain/reply.h"

namespace parvis::inbox {
namespace {

Status CheckDue(const std::optional<absl::Time>& due, absl::Time now) {
  if (!due || *due > now) return absl::OkStatus();
  return InvalidField("due_time", "DUE_TIME", "must lie in the future");
}

}  // namespace

StatusOr<Case> OpenCase(ConversationStore& store, const Call& call, const CaseDraft& draft, absl::Duration due_default) {
  PARVIS_RETURN_IF_ERROR(CheckText("case.title", draft.title, kCaseTitleMax));
  PARVIS_ASSIGN_OR_RETURN(const std::string actor, ActorOf(call));
  const std::string id = IdOfRequest("case", draft.conversation_id, draft.request_id);
  Case result;
  const auto changed = store.Change(call, {.conversation_id = draft.conversation_id, .created_id = id}, [&](Edit& edit) -> Status {
        if (edit.old_case) {
          result = *edit.old_case;
          if (result.title == draft.title) return absl::OkStatus();
          return InvalidField("request_id", "REQUEST_ID_REUSED", "was used for another case; make a new one");
        }
        if (!edit.conversation.case_id.empty()) {
          return ToStatus({.code = Code::kFailedPrecondition, .reason = "CASE_OPEN",
                           .message = "the conversation has an open case", .metadata = {{"case", edit.conversation.case_id}}});
        }
        PARVIS_RETURN_IF_ERROR(CheckDue(draft.due_time, edit.now));
        result = {.id = id, .workspace_id = call.workspace_id, .conversation_id = draft.conversation_id,
                  .title = draft.title, .owner = draft.owner.empty() ? actor : draft.owner, .state = CaseState::kOpen,
                  .due_time = draft.due_time.value_or(edit.now + due_default), .create_time = edit.now};
        edit.conversation.case_id = id;
        edit.the_case = result;
        edit.events.emplace_back(EventType::kCaseOpened, std::nullopt);
        return absl::OkStatus();
      });
  if (!changed.ok()) return changed.status();
  return result;
}

StatusOr<Case> EscalateCase(ConversationStore& store, const Call& call, const Escalation& e) {
  PARVIS_RETURN_IF_ERROR(CheckText("reason", e.reason, kCaseTextMax));
  Case result;
  const auto changed = store.Change(call, {.case_id = e.case_id}, [&](Edit& edit) -> Status {
    Case& c = *edit.the_case;
    if (!e.request_id.empty() && c.escalation_request == e.request_id) {
      result = c;
      return absl::OkStatus();
    }
    if (c.state != CaseState::kOpen) {
      return MakeError(Code::kFailedPrecondition, "CASE_RESOLVED", "the case is settled");
    }
    PARVIS_RETURN_IF_ERROR(CheckDue(e.due_time, edit.now));
    ++c.escalation_count;
    c.escalation_reason = e.reason;
    c.escalation_request = e.request_id;
    if (!e.owner.empty()) c.owner = e.owner;
    if (e.due_time) c.due_time = *e.due_time;
    edit.conversation.escalated = true;
    edit.events.emplace_back(EventType::kCaseEscalated, std::nullopt);
    result = c;
    return absl::OkStatus();
  });
  if (!changed.ok()) return changed.status();
  return result;
}

StatusOr<Case> ResolveCase(ConversationStore& store, const Call& call, const std::string& case_id,
                           const std::string& resolution) {
  PARVIS_RETURN_IF_ERROR(CheckText("resolution", resolution, kCaseTextMax));
  Case result;
  const auto changed = store.Change(call, {.case_id = case_id}, [&](Edit& edit) -> Status {
    Case& c = *edit.the_case;
    if (c.state == CaseState::kOpen) {
      c.state = CaseState::kResolved;
      c.resolution = resolution;
      c.resolve_time = edit.now;
      edit.conversation.case_id.clear();
      edit.events.emplace_back(EventType::kCaseResolved, std::nullopt);
    }
    result = c;
    return absl::OkStatus();
  });
  if (!changed.ok()) return changed.status();
  return result;
}

}  // namespace parvis::inbox
