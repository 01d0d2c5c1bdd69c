// Use cases: complaint cases, opened about a conversation, owned, due, escalated and settled.
#pragma once

#include "inbox/domain/store.h"

namespace parvis::inbox {

constexpr int kCaseTitleMax = 200, kCaseTextMax = 1'000;   // characters

struct CaseDraft {
  std::string conversation_id, title, owner /* "" = whoever opens it */, request_id;
  std::optional<absl::Time> due_time;                      // nullopt = `due_default` from now
};
// FAILED_PRECONDITION CASE_OPEN when the conversation has an open one; INVALID_ARGUMENT (title as CheckText, DUE_TIME in
// the past). The same request_id opens one case.
StatusOr<Case> OpenCase(ConversationStore& store, const Call& call, const CaseDraft& draft, absl::Duration due_default);

struct Escalation {
  std::string case_id, reason, owner, request_id;
  std::optional<absl::Time> due_time;
};
// FAILED_PRECONDITION CASE_RESOLVED. The same request_id as the latest escalation's changes nothing.
StatusOr<Case> EscalateCase(ConversationStore& store, const Call& call, const Escalation& escalation);

// Of a settled one: nothing happens.
StatusOr<Case> ResolveCase(ConversationStore& store, const Call& call, const std::string& case_id,
                           const std::string& resolution);

}  // namespace parvis::inbox
