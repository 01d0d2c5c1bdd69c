#include "inbox/domain/claim.h"

namespace parvis::inbox {
namespace {

Status ClaimLost(const Claim& claim, absl::Time now) {
  Error error{.code = Code::kAborted, .reason = "CLAIM_LOST"};
  if (claim.HeldAt(now)) {
    error.message = "the conversation is claimed by " + claim.member_id;
    error.metadata = {{"holder", claim.member_id},
                      {"expire_time", absl::FormatTime(absl::RFC3339_full, claim.expire_time, absl::UTCTimeZone())}};
  } else {
    error.message = "the claim has run out or was given back; claim the conversation again";
    error.metadata = {{"holder", ""}};
  }
  return ToStatus(error);
}

}  // namespace

StatusOr<std::string> ActorOf(const Call& call) {
  if (!call.principal.member_id.empty()) return call.principal.member_id;
  if (!call.principal.key_id.empty()) return call.principal.key_id;
  if (!call.principal.service.empty()) return "services/" + call.principal.service;
  return MakeError(Code::kFailedPrecondition, "NO_MEMBER", "the key belongs to nobody who could act in the inbox");
}

Status CheckClaim(const Conversation& c, const std::string& actor, int64_t token, absl::Time now) {
  if (c.claim.HeldAt(now) && c.claim.member_id == actor && c.claim.token == token) return absl::OkStatus();
  return ClaimLost(c.claim, now);
}

Status CheckNotOthers(const Conversation& c, const std::string& actor, absl::Time now) {
  return c.claim.HeldAt(now) && c.claim.member_id != actor ? ClaimLost(c.claim, now) : absl::OkStatus();
}

StatusOr<Conversation> ClaimConversation(ConversationStore& store, const Call& call, const std::string& id,
                                         absl::Duration lease) {
  PARVIS_ASSIGN_OR_RETURN(const std::string actor, ActorOf(call));
  return store.Change(call, {.conversation_id = id}, [&](Edit& edit) -> Status {
    Claim& claim = edit.conversation.claim;
    PARVIS_RETURN_IF_ERROR(CheckNotOthers(edit.conversation, actor, edit.now));
    if (!claim.HeldAt(edit.now)) {
      claim.member_id = actor;
      ++claim.token;
    }
    claim.expire_time = edit.now + lease;
    edit.events.emplace_back(EventType::kClaimed, std::nullopt);
    return absl::OkStatus();
  });
}

StatusOr<Conversation> ReleaseConversation(ConversationStore& store, const Call& call, const std::string& id,
                                           int64_t token) {
  PARVIS_ASSIGN_OR_RETURN(const std::string actor, ActorOf(call));
  return store.Change(call, {.conversation_id = id}, [&](Edit& edit) -> Status {
    PARVIS_RETURN_IF_ERROR(CheckClaim(edit.conversation, actor, token, edit.now));
    edit.conversation.claim = {.member_id = "", .token = token, .expire_time = absl::InfinitePast()};
    edit.events.emplace_back(EventType::kReleased, std::nullopt);
    return absl::OkStatus();
  });
}

}  // namespace parvis::inbox
