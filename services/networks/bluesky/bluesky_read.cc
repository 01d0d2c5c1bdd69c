// What is read from Bluesky of our own: what a write left behind, and counters.
#include "networks/bluesky/bluesky.h"
#include "networks/text/unicode.h"

namespace parvis::networks {

// The record key follows from the idempotency key: one look tells.
StatusOr<std::vector<OwnItem>> BlueskyConnector::ReadBack(const Call& call, const Account& account, const Write& write,
                                                          absl::Time, int) {
  const bool created = write.kind == WriteKind::kPost || write.kind == WriteKind::kReply;
  if (created && write.idempotency_key.empty()) {
    return MakeError(Code::kFailedPrecondition, "NO_IDEMPOTENCY_KEY", "what was written without a key cannot be found");
  }
  if (!created && write.kind != WriteKind::kDelete) return ReadTarget(call, account, write);
  if (!created && !IsOurBlueskyPost(write.target_remote_id, account)) return std::vector<OwnItem>();
  const std::string rkey = created ? TidOfKey(write.idempotency_key) : RkeyOf(write.target_remote_id);
  const Answer answer = GetRecord(call, account, kBlueskyPosts, rkey);
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& value = Member(answer.json, "value");
  OwnItem item;
  item.remote_id = Text(answer.json, "uri");
  if (item.remote_id.empty()) return UnintelligibleRead();
  item.permalink = BlueskyPermalink(item.remote_id);
  item.text = text::ToUtf8(Text(value, "text"));
  item.parent_remote_id = Text(Member(Member(value, "reply"), "parent"), "uri");
  item.created_at = ParseIsoTime(Text(value, "createdAt")).value_or(absl::InfinitePast());
  return std::vector<OwnItem>{item};
}

bool BlueskyConnector::Matches(const Write& write, const OwnItem& item) const {
  switch (write.kind) {
    case WriteKind::kPost:
    case WriteKind::kReply:
      return item.parent_remote_id == write.target_remote_id && item.text == BlueskyText(write.kind, write.draft);
    case WriteKind::kHide:
    case WriteKind::kLock:
    case WriteKind::kBan:
    case WriteKind::kMute: return item.hidden;
    case WriteKind::kUnhide:
    case WriteKind::kUnlock:
    case WriteKind::kUnban:
    case WriteKind::kUnmute: return !item.hidden;
    default: return false;
  }
}

}  // namespace parvis::networks
