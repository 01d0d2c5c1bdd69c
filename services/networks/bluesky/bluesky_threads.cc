#include "networks/bluesky/bluesky_threads.h"

#include <algorithm>

#include "networks/bluesky/bluesky.h"
#include "networks/bluesky/bluesky_post.h"

namespace parvis::networks {
namespace {

constexpr size_t kThreadsMax = 10, kUriMax = 500;
constexpr absl::Duration kBetween = absl::Seconds(30), kKept = absl::Hours(24);

int64_t TimeOf(const Json& json, const char* key) { return std::max<int64_t>(0, NumberOf(json, key)); }

// More than one answer can show: a body that is too large, or JSON beyond what ParseJson takes. A gateway's page is neither.
bool IsTooMuch(const Answer& answer) {
  if (!answer.answered()) return ReasonOf(answer.http.status) == "RESPONSE_TOO_LARGE";
  return answer.ok() && answer.json.is_discarded() && answer.http.body.starts_with('{');
}

// Those whom we muted are not notified of either.
bool IsMuted(const Json& post) { return IsTrue(Member(Member(post, "author"), "viewer"), "muted"); }

// Every node, the first one too. No recursion: how deep it is, is the network's choice.
template <typename Visit>
void Walk(const Json& view, Visit visit) {
  std::vector<const Json*> left = {&view};
  while (!left.empty()) {
    const Json& node = *left.back();
    left.pop_back();
    visit(node);
    const Json& replies = Member(node, "replies");
    if (!replies.is_array()) continue;
    for (const Json& reply : replies) left.push_back(&reply);
  }
}

}  // namespace

BlueskyThreads BlueskyThreads::Decode(const Json& json, const Account& account) {
  BlueskyThreads out;
  const Json& list = Member(json, "l");
  for (size_t i = 0; list.is_array() && i < list.size() && i < kThreadsMax; ++i) {
    BlueskyThread thread{Text(list[i], "u"), TimeOf(list[i], "a"), TimeOf(list[i], "f")};
    thread.depth = std::clamp<int64_t>(NumberOf(list[i], "d"), 0, kBlueskyThreadDepth);
    if (thread.root.size() <= kUriMax && IsOurBlueskyPost(thread.root, account)) out.threads_.push_back(std::move(thread));
  }
  out.began_ = TimeOf(json, "b");
  out.next_ = std::min(static_cast<size_t>(TimeOf(json, "i")), out.threads_.size());
  return out;
}

Json BlueskyThreads::Encode() const {
  if (threads_.empty()) return nullptr;
  Json list = Json::array();
  for (const BlueskyThread& thread : threads_) {
    list.push_back({{"u", thread.root}, {"a", thread.active}, {"f", thread.from}, {"d", thread.depth}});
  }
  return {{"b", began_}, {"i", next_}, {"l", std::move(list)}};
}

void BlueskyThreads::Note(const std::string& root, int64_t seen, int64_t from) {
  if (root.size() > kUriMax) return;
  auto it = std::find_if(threads_.begin(), threads_.end(), [&](const BlueskyThread& thread) { return thread.root == root; });
  if (it == threads_.end()) it = threads_.insert(it, {root, seen, from});
  it->active = std::max(it->active, seen);
  std::stable_sort(threads_.begin(), threads_.end(),
                   [](const BlueskyThread& a, const BlueskyThread& b) { return a.active > b.active; });
  if (threads_.size() > kThreadsMax) threads_.pop_back();
}

void BlueskyThreads::Begin(absl::Time now) {
  const int64_t micros = absl::ToUnixMicros(now);
  // Begun in the future: the clock was set back.
  const bool due = began_ > micros || micros - began_ >= absl::ToInt64Microseconds(kBetween);
  if (due) began_ = micros;
  next_ = due ? 0 : threads_.size();
}

bool BlueskyThreads::AnyLeft() {
  while (next_ < threads_.size() && threads_[next_].depth == 0) ++next_;
  return next_ < threads_.size();
}

void BlueskyThreads::Forget(absl::Time now) {
  const int64_t old = absl::ToUnixMicros(now - kKept);
  std::erase_if(threads_, [&](const BlueskyThread& thread) {
    return thread.active < old && (thread.from > thread.active || thread.depth == 0);
  });
}

void TakeThread(const Json& view, const Account& account, absl::Time began, BlueskyThread* thread, PollPage* page) {
  std::vector<std::pair<int64_t, Happening>> found;
  Walk(view, [&](const Json& node) {
    const Json& post = Member(node, "post");
    if (!post.is_object() && (IsTrue(node, "notFound") || IsTrue(node, "blocked"))) return;
    const auto seen = ParseIsoTime(Text(post, "indexedAt"));
    if (seen && *seen < absl::FromUnixMicros(thread->from)) return;
    if (DidOf(Text(post, "uri")) == account.remote_id || IsMuted(post)) return;
    if (auto h = BlueskyHappening(post, account, "")) {
      found.emplace_back(absl::ToUnixMicros(*seen), *std::move(h));
    } else if (page->unparsed.size() < kPageItemsMax) {
      page->unparsed.push_back(UnreadBlueskyPost(post.is_object() ? post : node));
    }
  });
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  int64_t from = absl::ToUnixMicros(began - kBlueskyOverlap);
  if (found.size() > kPageItemsMax) {
    found.resize(kPageItemsMax);
    from = found.back().first;
  }
  thread->from = std::max(thread->from, from);
  for (auto& [seen, h] : found) {
    thread->active = std::max(thread->active, std::min(seen, absl::ToUnixMicros(began)));
    page->happenings.push_back(std::move(h));
  }
}

Status BlueskyConnector::ReadThread(const Call& call, const Account& account, BlueskyThreads* threads, PollPage* page) {
  BlueskyThread& thread = threads->next();
  const absl::Time began = clock_.WallNow();
  const Answer answer = Ask(call, account,
                            "app.bsky.feed.getPostThread?uri=" + net::UrlEncode(thread.root) +
                                "&depth=" + std::to_string(thread.depth) + "&parentHeight=0");
  page->rate = answer.rate;
  if (IsTooMuch(answer)) {  // anybody can make a thread of ours so: the rest of the poll must not suffer
    thread.depth /= 2;
    threads->Done();
    return absl::OkStatus();
  }
  const Json& view = Member(answer.json, "thread");
  const bool gone = Text(answer.json, "error") == "NotFound" || IsTrue(view, "notFound") || IsTrue(view, "blocked");
  if (answer.answered() && gone) {
    threads->Drop();
    return absl::OkStatus();
  }
  if (!answer.ok()) return FailedRead(answer, account);
  if (!Member(view, "post").is_object()) return UnintelligibleRead();
  TakeThread(view, account, began, &thread, page);
  thread.depth = std::min(kBlueskyThreadDepth, 2 * thread.depth);  // it may have been an answer that was cut off
  threads->Done();
  return absl::OkStatus();
}

}  // namespace parvis::networks
