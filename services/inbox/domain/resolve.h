// Use cases: assigning, resolving and opening conversations again, and notes about them.
#pragma once

#include "inbox/domain/store.h"

namespace parvis::inbox {

// `etag` "" matches everything; else ABORTED ETAG_MISMATCH unless it is the conversation's.
Status CheckEtag(const Conversation& conversation, const std::string& etag);
std::string EtagOf(const Conversation& conversation);

// assignee "" takes the assignment away.
StatusOr<Conversation> AssignConversation(ConversationStore& store, const Call& call, const std::string& id,
                                          const std::string& assignee, const std::string& etag);
// Also gives the claim back. ABORTED CLAIM_LOST while somebody else holds it. Of a resolved one: nothing happens.
StatusOr<Conversation> ResolveConversation(ConversationStore& store, const Call& call, const std::string& id,
                                           const std::string& etag);
StatusOr<Conversation> ReopenConversation(ConversationStore& store, const Call& call, const std::string& id,
                                          const std::string& etag);

constexpr int kNoteMax = 10'000;   // characters
// The same request_id writes one note. INVALID_ARGUMENT as CheckText.
StatusOr<Note> CreateNote(ConversationStore& store, const Call& call, const std::string& conversation_id,
                          const std::string& text, const std::string& request_id);

}  // namespace parvis::inbox
