// Use cases: who works on a conversation right now. A claim is a lease with a fencing token that grows with every new
// claim; whatever is done under a claim names its token and is refused when it is not the current one.
#pragma once

#include "inbox/domain/store.h"

namespace parvis::inbox {

// Whoever acts: the member behind the key, or the key itself. FAILED_PRECONDITION NO_MEMBER when there is neither.
StatusOr<std::string> ActorOf(const Call& call);

// Claims for the caller, or renews the caller's own claim (same token). ABORTED CLAIM_LOST, metadata `holder` and
// `expire_time`, while somebody else holds it.
StatusOr<Conversation> ClaimConversation(ConversationStore& store, const Call& call, const std::string& id,
                                         absl::Duration lease);
// ABORTED CLAIM_LOST when `token` is not the caller's current claim.
StatusOr<Conversation> ReleaseConversation(ConversationStore& store, const Call& call, const std::string& id,
                                           int64_t token);

// ABORTED CLAIM_LOST unless `actor` holds the claim `token` now. Names the holder.
Status CheckClaim(const Conversation& conversation, const std::string& actor, int64_t token, absl::Time now);
// ABORTED CLAIM_LOST while somebody other than `actor` holds a claim.
Status CheckNotOthers(const Conversation& conversation, const std::string& actor, absl::Time now);

}  // namespace parvis::inbox
