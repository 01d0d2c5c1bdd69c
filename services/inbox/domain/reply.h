// Use case: answer a person.
#pragma once

#include "inbox/domain/store.h"

namespace parvis::inbox {

struct ReplyDraft {
  std::string conversation_id, text, target_message_id /* "" = the person's latest */, request_id;
  int64_t claim_token = 0;
};
struct ReplyRules {
  int text_max = 10'000;                        // characters; the network's own limit is publishing's business
  absl::Duration expire = absl::Hours(24);      // not sent later than this
};

// Stores the answer (sending) and hands it to publishing, in the transaction in which the claim is checked. The same
// request_id gives the same message and sends nothing again. Errors: INVALID_ARGUMENT (TEXT_EMPTY, TEXT_TOO_LONG,
// REQUEST_ID, TARGET_REMOVED, TARGET_IS_OURS, REQUEST_ID_REUSED); NOT_FOUND (the conversation or the target);
// FAILED_PRECONDITION NOTHING_TO_ANSWER; ABORTED CLAIM_LOST.
StatusOr<Message> Reply(ConversationStore& store, const Call& call, const ReplyDraft& draft, const ReplyRules& rules);

// INVALID_ARGUMENT TEXT_EMPTY (nothing but white space), TEXT_TOO_LONG, TEXT_HAS_NUL about `field`.
Status CheckText(std::string_view field, std::string_view text, int characters_max);

}  // namespace parvis::inbox
