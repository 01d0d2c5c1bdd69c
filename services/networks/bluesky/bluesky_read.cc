// What is read from Bluesky of our own: what a write left behind, and counters.
#include <algorithm>

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
    case WriteKind::kMute:
      return item.hidden;
    case WriteKind::kUnhide:
    case WriteKind::kUnlock:
    case WriteKind::kUnban:
    case WriteKind::kUnmute:
      return !item.hidden;
    default:
      return false;
  }
}

// ---- counters ------------------------------------------------------------------------------------------------------

namespace {

constexpr size_t kPostsPerCall = 25;  // facts 6.3

void Count(const Json& json, const char* key, const char* name, Counts* counts) {
  const Json& value = Member(json, key);
  if (value.is_number_integer()) counts->values[name] = std::max<int64_t>(0, value.get<int64_t>());
}

}  // namespace

StatusOr<Measurement> BlueskyConnector::Measure(const Call& call, const Account& account,
                                                const std::vector<std::string>& post_remote_ids) {
  Measurement out;
  if (post_remote_ids.empty()) {
    const Answer answer = Ask(call, account, "app.bsky.actor.getProfile?actor=" + net::UrlEncode(account.remote_id));
    if (!answer.ok()) return FailedRead(answer, account);
    if (Text(answer.json, "did").empty()) return UnintelligibleRead();
    TakeRate(answer, &out.rate);
    Counts counts{account.remote_id, {}};
    Count(answer.json, "followersCount", "followers", &counts);
    Count(answer.json, "followsCount", "following", &counts);
    Count(answer.json, "postsCount", "posts", &counts);
    out.counts.push_back(std::move(counts));
    return out;
  }
  std::vector<std::string> uris;
  for (const std::string& uri : post_remote_ids) {
    if (IsBlueskyPost(uri) && uris.size() < 50) uris.push_back(uri);
  }
  for (size_t from = 0; from < uris.size(); from += kPostsPerCall) {
    const size_t to = std::min(uris.size(), from + kPostsPerCall);
    const auto at = [&](size_t i) { return uris.begin() + static_cast<std::ptrdiff_t>(i); };
    const Answer answer = GetPosts(call, account, {at(from), at(to)});
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& posts = Member(answer.json, "posts");
    if (!posts.is_array() || posts.size() > kPageItemsMax) return UnintelligibleRead();
    TakeRate(answer, &out.rate);
    for (const Json& post : posts) {
      Counts counts{Text(post, "uri"), {}};
      if (std::find(uris.begin(), uris.end(), counts.remote_id) == uris.end()) continue;
      Count(post, "likeCount", "likes", &counts);
      Count(post, "replyCount", "comments", &counts);
      Count(post, "repostCount", "shares", &counts);
      Count(post, "quoteCount", "quotes", &counts);
      Count(post, "bookmarkCount", "bookmarks", &counts);
      out.counts.push_back(std::move(counts));
    }
  }
  return out;
}

}  // namespace parvis::networks
