// What is new on Bluesky: notifications (mentions, replies, quotes), then replies that we wrote elsewhere (facts 6.3).
#include <algorithm>
#include <set>

#include "networks/bluesky/bluesky.h"
#include "networks/bluesky/bluesky_post.h"

namespace parvis::networks {
namespace {

constexpr int kPageMax = 100;
// The list is sorted by the time a post claims, never later than the network saw it: what arrives late lies lower.
constexpr absl::Duration kOverlap = absl::Minutes(10);

// Two lists, each from its newest back to where the last round began.
struct Round {
  int64_t since = 0;       // microseconds; older than this is done
  int64_t next_since = 0;  // of the next round; 0 = this one has not begun
  bool own = false;        // the second list
  std::string place;       // the network's cursor in the list

  static Round Decode(const std::string& cursor, absl::Time since) {
    Round round;
    round.since = std::max<int64_t>(0, absl::ToUnixMicros(since));
    const Json json = ParseJson(cursor);
    if (!Member(json, "s").is_number_integer()) return round;
    round.since = NumberOf(json, "s");
    round.next_since = NumberOf(json, "n");
    round.own = NumberOf(json, "o") == 1;
    round.place = Text(json, "c");
    return round;
  }
  std::string Encode() const {
    Json json = {{"s", since}};
    if (next_since > 0) json.update({{"n", next_since}, {"o", own ? 1 : 0}, {"c", place}});
    return Dump(json);
  }
};

void AddUnread(const Json& item, PollPage* page) {
  page->unparsed.push_back({Dump(item), "MISSING_FIELD",
                            "a post without uri, record or indexedAt"});
}

// True when the list, which is in the order of indexedAt, goes on below this page.
bool TakeNotifications(const Json& list, const Account& account, const Round& round, PollPage* page) {
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
      AddUnread(item, page);
    } else if (taken.insert(h->remote_id).second) {
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
    h ? page->happenings.push_back(*h) : AddUnread(item, page);
  }
  return !older;
}

}  // namespace

StatusOr<PollPage> BlueskyConnector::Poll(const Call& call, const Account& account, const std::string& cursor,
                                          absl::Time since, int limit) {
  Round round = Round::Decode(cursor, since);
  // What is written while a round runs may lie behind it: the next one begins before this one began.
  if (round.next_since == 0) round.next_since = absl::ToUnixMicros(clock_.WallNow() - kOverlap);
  std::string method =
      round.own
          ? "app.bsky.feed.getAuthorFeed?actor=" + net::UrlEncode(account.remote_id) + "&filter=posts_with_replies"
          : "app.bsky.notification.listNotifications?reasons=mention&reasons=reply&reasons=quote";
  method += "&limit=" + std::to_string(std::clamp(limit, 1, kPageMax));
  if (!round.place.empty()) method += "&cursor=" + net::UrlEncode(round.place);
  const Answer answer = Ask(call, account, method);
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& list = Member(answer.json, round.own ? "feed" : "notifications");
  if (!list.is_array() || list.size() > kPageItemsMax) return UnintelligibleRead();
  PollPage page;
  page.rate = answer.rate;
  const bool deeper = round.own ? TakeOwn(list, account, round, &page) : TakeNotifications(list, account, round, &page);
  std::string next = Text(answer.json, "cursor");
  if (!next.empty() && next == round.place) return UnintelligibleRead();  // it would never end
  std::stable_sort(page.happenings.begin(), page.happenings.end(),
                   [](const Happening& a, const Happening& b) { return a.occurred_at < b.occurred_at; });
  page.more = true;
  if (deeper && !next.empty()) {  // an empty page with a cursor goes on, too
    round.place = std::move(next);
  } else if (!round.own) {
    round.own = true;
    round.place.clear();
  } else {
    const int64_t began = std::max(round.since, round.next_since);
    round = Round();
    round.since = began;
    page.more = false;
  }
  page.cursor = round.Encode();
  return page;
}

}  // namespace parvis::networks
