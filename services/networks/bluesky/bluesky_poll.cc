// What is new on Bluesky: notifications (mentions, replies, quotes), then replies that we wrote elsewhere (facts 6.3), then what
// notifications leave out of the threads of our own posts.
#include <algorithm>
#include <set>

#include "networks/bluesky/bluesky.h"
#include "networks/bluesky/bluesky_post.h"
#include "networks/bluesky/bluesky_threads.h"

namespace parvis::networks {
namespace {

constexpr int kPageMax = 100;

// Two lists, each from its newest back to where the last round began; then threads, one a page.
struct Round {
  enum class Part : int64_t { kNotifications, kOwn, kThreads };
  int64_t since = 0;       // microseconds; older than this is done
  int64_t next_since = 0;  // of the next round; 0 = this one has not begun
  Part part = Part::kNotifications;
  std::string place;       // the network's cursor in the list
  BlueskyThreads threads;

  static Round Decode(const std::string& cursor, const Account& account, absl::Time since) {
    Round round;
    round.since = std::max<int64_t>(0, absl::ToUnixMicros(since));
    const Json json = ParseJson(cursor);
    if (!Member(json, "s").is_number_integer()) return round;
    round.since = NumberOf(json, "s");
    round.next_since = NumberOf(json, "n");
    const int64_t part = NumberOf(json, "o");
    if (part == 1 || part == 2) round.part = static_cast<Part>(part);
    round.place = Text(json, "c");
    round.threads = BlueskyThreads::Decode(Member(json, "t"), account);
    return round;
  }
  std::string Encode() const {
    Json json = {{"s", since}};
    if (next_since > 0) json.update({{"n", next_since}, {"o", static_cast<int64_t>(part)}, {"c", place}});
    if (Json known = threads.Encode(); !known.is_null()) json["t"] = std::move(known);
    return Dump(json);
  }
  // `next`: where the list goes on; "" at its end.
  void Advance(std::string next, absl::Time now) {
    place = std::move(next);
    if (!place.empty()) return;
    part = part == Part::kNotifications ? Part::kOwn : Part::kThreads;
    if (part == Part::kThreads) threads.Begin(now);
  }
  // False when all is read: what is left is the beginning of the next round.
  bool GoesOn(absl::Time now) {
    if (part != Part::kThreads || threads.AnyLeft()) return true;
    threads.Forget(now);
    since = std::max(since, std::exchange(next_since, 0));
    part = Part::kNotifications;
    return false;
  }
};

// True when the list, which is in the order of indexedAt, goes on below this page.
bool TakeNotifications(const Json& list, const Account& account, Round& round, PollPage* page) {
  std::set<std::string> taken;  // one post may be a reply and a mention
  bool older = false;
  for (const Json& item : list) {
    const auto seen = ParseIsoTime(Text(item, "indexedAt"));
    if (seen && *seen < absl::FromUnixMicros(round.since)) {
      older = true;
      continue;
    }
    const std::string reason = Text(item, "reason");
    if (reason != "mention" && reason != "reply" && reason != "quote") continue;
    const auto h = BlueskyHappening(item, account, "");
    if (!h) {
      page->unparsed.push_back(UnreadBlueskyPost(item));
    } else if (taken.insert(h->remote_id).second) {
      if (IsOurBlueskyPost(h->post_remote_id, account)) {
        round.threads.Note(h->post_remote_id, absl::ToUnixMicros(*seen), round.since);
      }
      page->happenings.push_back(*h);
    }
  }
  return !older;
}

// The order of a feed: what is dated back lies where it says.
bool IsOlder(const Json& post, const Round& round) {
  const auto seen = ParseIsoTime(Text(post, "indexedAt"));
  if (!seen) return false;
  const absl::Time created = ParseIsoTime(Text(Member(post, "record"), "createdAt")).value_or(*seen);
  return std::min(*seen, created) < absl::FromUnixMicros(round.since);
}

// Our replies to others, wherever they were written; what continues a post of our own is a thread, not a reply.
bool TakeOwn(const Json& list, const Account& account, const Round& round, PollPage* page) {
  bool older = false;
  for (const Json& item : list) {
    const Json& post = Member(item, "post");
    if (Member(item, "reason").is_object() || DidOf(Text(post, "uri")) != account.remote_id)
      continue;  // shared, pinned
    if (IsOlder(post, round)) {
      older = true;
      continue;
    }
    std::string partner = DidOf(Text(Member(Member(Member(post, "record"), "reply"), "parent"), "uri"));
    if (partner == account.remote_id) partner = Text(Member(Member(item, "reply"), "grandparentAuthor"), "did");
    if (partner.empty() || partner == account.remote_id) continue;
    const auto h = BlueskyHappening(post, account, partner);
    h ? page->happenings.push_back(*h) : page->unparsed.push_back(UnreadBlueskyPost(item));
  }
  return !older;
}

std::string MethodOf(const Round& round, const Account& account, int limit) {
  std::string method =
      round.part == Round::Part::kOwn
          ? "app.bsky.feed.getAuthorFeed?actor=" + net::UrlEncode(account.remote_id) + "&filter=posts_with_replies"
          : "app.bsky.notification.listNotifications?reasons=mention&reasons=reply&reasons=quote";
  method += "&limit=" + std::to_string(std::clamp(limit, 1, kPageMax));
  if (!round.place.empty()) method += "&cursor=" + net::UrlEncode(round.place);
  return method;
}

}  // namespace

StatusOr<PollPage> BlueskyConnector::Poll(const Call& call, const Account& account, const std::string& cursor,
                                          absl::Time since, int limit) {
  Round round = Round::Decode(cursor, account, since);
  const absl::Time now = clock_.WallNow();
  // What is written while a round runs may lie behind it: the next one begins before this one began.
  if (round.next_since == 0) round.next_since = absl::ToUnixMicros(now - kBlueskyOverlap);
  PollPage page;
  if (round.part == Round::Part::kThreads) {
    if (round.threads.AnyLeft()) PARVIS_RETURN_IF_ERROR(ReadThread(call, account, &round.threads, &page));
  } else {
    const bool own = round.part == Round::Part::kOwn;
    const Answer answer = Ask(call, account, MethodOf(round, account, limit));
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& list = Member(answer.json, own ? "feed" : "notifications");
    if (!list.is_array() || list.size() > kPageItemsMax) return UnintelligibleRead();
    page.rate = answer.rate;
    const bool deeper = own ? TakeOwn(list, account, round, &page) : TakeNotifications(list, account, round, &page);
    std::string next = Text(answer.json, "cursor");
    if (!next.empty() && next == round.place) return UnintelligibleRead();  // it would never end
    round.Advance(deeper ? std::move(next) : "", now);  // an empty page with a cursor goes on, too
  }
  std::stable_sort(page.happenings.begin(), page.happenings.end(),
                   [](const Happening& a, const Happening& b) { return a.occurred_at < b.occurred_at; });
  page.more = round.GoesOn(now);
  page.cursor = round.Encode();
  return page;
}

}  // namespace parvis::networks
