// What is read from a NodeBB forum to settle an unclear write, and counters.
#include <algorithm>

#include "networks/nodebb/nodebb.h"
#include "networks/text/html.h"

namespace parvis::networks {
namespace {

constexpr std::string_view kQueue = "queue/";

// The forum writes the same flag as true, 1 or "1".
bool IsSet(const Json& object, const char* key) {
  const Json& value = Member(object, key);
  return value.is_boolean() ? value.get<bool>() : NumberOf(object, key) != 0 || Text(object, key) == "1";
}

absl::Time TimeOf(const Json& object, const char* key) {
  const int64_t millis = NumberOf(object, key);
  return millis > 0 ? absl::FromUnixMillis(millis) : absl::InfinitePast();
}

OwnItem ItemOf(const Json& post) {
  OwnItem item;
  item.remote_id = Text(post, "pid");
  item.permalink = Text(post, "url");
  item.parent_remote_id = Text(post, "toPid");
  item.created_at = TimeOf(post, "timestamp");
  item.hidden = IsSet(post, "deleted");
  return item;
}

}  // namespace

// Our own among the newest posts, newest first, with their text as it was written: what the list shows went through
// Markdown.
StatusOr<std::vector<OwnItem>> NodeBbConnector::OwnPosts(const Call& call, const Account& account, absl::Time since) {
  const Answer self = Ask(call, account, "GET", "/api/self");
  const std::string me = Text(self.json, "uid");
  if (!self.ok()) return FailedRead(self, account);
  if (me.empty() || me == "0")
    return MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "the forum takes us for a guest");
  std::vector<OwnItem> out;
  int page = 1, empty = 0;
  std::string last;  // the first post of the page before
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string&) { return Ask(call, account, "GET", "/api/recent/posts?page=" + std::to_string(page)); },
      [&](const Answer& answer) -> StatusOr<std::string> {
        if (!answer.json.is_array() || answer.json.size() > kPageItemsMax) return UnintelligibleRead();
        bool older = false;
        for (const Json& post : answer.json) {
          OwnItem item = ItemOf(post);
          older = older || item.created_at < since;
          if (Text(post, "uid") == me && item.created_at >= since && !item.remote_id.empty())
            out.push_back(std::move(item));
        }
        const std::string first = answer.json.empty() ? "" : Text(answer.json[0], "pid");
        if (!first.empty() && first == last) return UnfinishedRead();  // the page leads to itself
        last = first;
        // Posts that we may not read are taken out of a page: it may be empty and have a next one.
        empty = answer.json.empty() ? empty + 1 : 0;
        return older || empty >= 3 ? "" : std::to_string(++page);
      }));
  std::stable_sort(out.begin(), out.end(),
                   [](const OwnItem& a, const OwnItem& b) { return a.created_at > b.created_at; });
  out.erase(std::unique(out.begin(), out.end(),
                        [](const OwnItem& a, const OwnItem& b) { return a.remote_id == b.remote_id; }),
            out.end());
  for (OwnItem& item : out) {
    const Answer raw = Ask(call, account, "GET", "/api/v3/posts/" + net::UrlEncode(item.remote_id) + "/raw");
    if (!raw.ok()) return FailedRead(raw, account);
    item.text = Text(Member(raw.json, "response"), "content");
  }
  return out;
}

// What waits for approval: without it, a post that is held would be taken for not written.
StatusOr<std::vector<OwnItem>> NodeBbConnector::Queued(const Call& call, const Account& account) {
  const Answer answer = Ask(call, account, "GET", "/api/post-queue");
  std::vector<OwnItem> out;
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return out;  // the queue is switched off
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& posts = Member(answer.json, "posts");
  if (!posts.is_array() || posts.size() > kPageItemsMax) return UnintelligibleRead();
  for (const Json& post : posts) {
    const Json& data = Member(post, "data");
    OwnItem item;
    item.remote_id = std::string(kQueue) + Text(post, "id");
    item.parent_remote_id = Text(data, "toPid");
    item.text = text::HtmlToText(Text(data, "rawContent"), true);  // escaped for a page
    item.created_at = TimeOf(data, "timestamp");
    item.hidden = true;
    out.push_back(std::move(item));
  }
  return out;
}

// The target of what is no post of ours, as one item: `hidden` tells the state that was to be reached (see Matches).
StatusOr<std::vector<OwnItem>> NodeBbConnector::ReadTarget(const Call& call, const Account& account,
                                                           const Write& write) {
  if (write.target_remote_id.compare(0, kQueue.size(), kQueue) == 0) {
    PARVIS_ASSIGN_OR_RETURN(const std::vector<OwnItem> queued, Queued(call, account));
    for (const OwnItem& item : queued) {
      if (item.remote_id == write.target_remote_id) return std::vector<OwnItem>{item};
    }
    return std::vector<OwnItem>();  // decided: approved or deleted
  }
  const Feature feature = FeatureOf(write.kind);
  const bool of_author = feature == Feature::kBan || feature == Feature::kMute;
  std::string user = write.target_author_id;
  OwnItem item;
  if (!of_author || user.empty()) {
    const Answer answer = AskPost(call, account, write.target_remote_id);
    if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& post = Member(answer.json, "response");
    item = ItemOf(post);
    if (item.remote_id.empty()) return UnintelligibleRead();
    if (write.kind == WriteKind::kDelete && item.hidden) return std::vector<OwnItem>();
    user = Text(post, "uid");
    if (feature == Feature::kLock) {
      const Answer topic = Ask(call, account, "GET", "/api/v3/topics/" + net::UrlEncode(Text(post, "tid")));
      if (!topic.ok()) return FailedRead(topic, account);
      item.hidden = IsSet(Member(topic.json, "response"), "locked");
    }
  }
  if (of_author) {
    const Answer answer = Ask(call, account, "GET", "/api/v3/users/" + net::UrlEncode(user));
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& profile = Member(answer.json, "response");
    item.remote_id = write.target_remote_id.empty() ? user : write.target_remote_id;
    const bool muted = IsSet(profile, "muted") || TimeOf(profile, "mutedUntil") > clock_.WallNow();
    item.hidden = feature == Feature::kBan ? IsSet(profile, "banned") : muted;
  }
  return std::vector<OwnItem>{item};
}

StatusOr<std::vector<OwnItem>> NodeBbConnector::ReadBack(const Call& call, const Account& account, const Write& write,
                                                         absl::Time since, int) {
  if (write.kind == WriteKind::kPrivateReply) {
    return MakeError(Code::kFailedPrecondition, "NOT_POSSIBLE", "chats are not read back");
  }
  if (write.kind != WriteKind::kPost && write.kind != WriteKind::kReply) return ReadTarget(call, account, write);
  PARVIS_ASSIGN_OR_RETURN(std::vector<OwnItem> out, OwnPosts(call, account, since));
  for (const OwnItem& item : out) {
    if (Matches(write, item)) return out;
  }
  PARVIS_ASSIGN_OR_RETURN(const std::vector<OwnItem> queued, Queued(call, account));
  for (const OwnItem& item : queued) {
    if (item.created_at >= since) out.push_back(item);
  }
  return out;
}

StatusOr<Measurement> NodeBbConnector::Measure(const Call& call, const Account& account,
                                               const std::vector<std::string>& post_remote_ids) {
  Measurement out;
  if (post_remote_ids.empty()) {
    const Answer answer = Ask(call, account, "GET", "/api/categories");
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& categories = Member(answer.json, "categories");
    if (!categories.is_array() || categories.size() > kPageItemsMax) return UnintelligibleRead();
    TakeRate(answer, &out.rate);
    Counts counts;
    counts.remote_id = account.remote_id;
    counts.values = {{"posts", 0}, {"topics", 0}};
    for (const Json& category : categories) {  // those at the top; what lies below is in their totals
      counts.values["posts"] += std::max<int64_t>(0, NumberOf(category, "totalPostCount"));
      counts.values["topics"] += std::max<int64_t>(0, NumberOf(category, "totalTopicCount"));
    }
    out.counts.push_back(std::move(counts));
    return out;
  }
  for (size_t i = 0; i < post_remote_ids.size() && i < 50; ++i) {
    const std::string& id = post_remote_ids[i];
    if (id.compare(0, kQueue.size(), kQueue) == 0) continue;  // what is held has no readers
    const Answer answer = AskPost(call, account, id);
    if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) continue;
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& post = Member(answer.json, "response");
    Counts counts;
    counts.remote_id = id;
    counts.values = {{"likes", NumberOf(post, "upvotes")}, {"dislikes", NumberOf(post, "downvotes")}};
    const Json& replies = Member(post, "replies");
    counts.values["comments"] = replies.is_object() ? NumberOf(replies, "count") : NumberOf(post, "replies");
    const Answer topic = Ask(call, account, "GET", "/api/v3/topics/" + net::UrlEncode(Text(post, "tid")));
    if (!topic.ok()) return FailedRead(topic, account);
    TakeRate(topic, &out.rate);
    const Json& of = Member(topic.json, "response");
    if (Text(of, "mainPid") == id) {  // the topic's own counters stand for its first post
      counts.values["views"] = NumberOf(of, "viewcount");
      counts.values["comments"] = std::max<int64_t>(0, NumberOf(of, "postcount") - 1);
    }
    out.counts.push_back(std::move(counts));
  }
  return out;
}

}  // namespace parvis::networks
