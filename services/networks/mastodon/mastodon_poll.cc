// Polling: two lists, each read forward by min_id. The notifications of mentions, quotes and edits; and our own
// statuses, for what was answered elsewhere than in Parvis. A list's first round looks for where `since` lies in it,
// newest first.
//
// Ids are given out before their rows are seen by others: a row may appear behind one with a later id. So a list is
// read again from a place half a minute before the newest that was seen; what came out since then is remembered.
#include <algorithm>
#include <set>

#include "networks/mastodon/mastodon.h"
#include "networks/mastodon/mastodon_roots.h"
#include "networks/mastodon/mastodon_status.h"

namespace parvis::networks {
namespace {

constexpr int kNotificationsMax = 80, kOwnMax = 40;  // items of one request
constexpr int kStartPagesMax = 5;                    // of one Poll, looking for the start
constexpr size_t kDoneMax = 400, kShortPage = 20;
constexpr absl::Duration kOverlap = absl::Seconds(30);

std::optional<absl::Time> CreatedAt(const Json& item) { return ParseIsoTime(Text(item, "created_at")); }

}  // namespace

// How far one list is read.
struct MastodonConnector::Place {
  bool begun = false;             // `from` is known
  std::string back;               // looking for the start: older than this
  std::string from;               // where every round begins
  std::string at;                 // where this round goes on; "" = at `from`
  std::vector<std::string> done;  // newer than `from`, and out already

  static Place Decode(const Json& json) {
    Place place;
    place.from = Text(json, "f");
    place.begun = !place.from.empty();
    place.back = Text(json, "b");
    place.at = Text(json, "a");
    const Json& done = Member(json, "d");
    for (size_t i = 0; done.is_array() && i < done.size() && i < kDoneMax; ++i) {
      if (done[i].is_string()) place.done.push_back(done[i].get<std::string>());
    }
    return place;
  }
  Json Encode() const { return Json{{"f", from}, {"b", back}, {"a", at}, {"d", done}}; }

  // `items`: of one page, oldest first, all of them out now.
  void Did(const std::vector<Json>& items) {
    absl::Time newest = absl::InfinitePast();
    for (const Json& item : items) newest = std::max(newest, CreatedAt(item).value_or(newest));
    std::set<std::string> all(done.begin(), done.end());
    for (const Json& item : items) all.insert(Text(item, "id"));
    for (const Json& item : items) {
      if (CreatedAt(item).value_or(absl::InfinitePast()) > newest - kOverlap) break;
      from = Text(item, "id");
    }
    done.clear();
    for (const std::string& id : all) {
      if (IsOlderId(from, id)) done.push_back(id);
    }
    std::sort(done.begin(), done.end(), IsOlderId);
    if (done.size() > kDoneMax) done.erase(done.begin(), done.end() - static_cast<std::ptrdiff_t>(kDoneMax));
  }
};

StatusOr<bool> MastodonConnector::FindStart(const Call& call, const Account& account, const std::string& path,
                                            absl::Time since, Place* place, PollPage* page) {
  for (int pages = 0; pages < kStartPagesMax; ++pages) {
    const Answer answer =
        Ask(call, account, "GET", place->back.empty() ? path : path + "&max_id=" + net::UrlEncode(place->back));
    page->rate = answer.rate;
    if (!answer.ok()) return FailedRead(answer, account);
    if (!answer.json.is_array() || answer.json.size() > kPageItemsMax) return UnintelligibleRead();
    std::string oldest = answer.json.empty() ? LinkParameter(answer.http.headers, "next", "max_id") : "";
    for (const Json& item : answer.json) {
      const std::string id = Text(item, "id");
      if (id.empty()) continue;
      if (CreatedAt(item).value_or(absl::InfiniteFuture()) < since &&
          (place->from.empty() || IsOlderId(place->from, id))) {
        place->from = id;  // the newest of those before `since`
      }
      if (oldest.empty() || IsOlderId(id, oldest)) oldest = id;
    }
    if (place->from.empty() && oldest.empty()) place->from = "0";  // the list's end
    if (!place->from.empty()) {
      place->begun = true;
      place->back.clear();
      return true;
    }
    if (!place->back.empty() && !IsOlderId(oldest, place->back))
      return UnintelligibleRead();  // the page leads to itself
    place->back = oldest;
  }
  return false;
}

StatusOr<std::vector<Json>> MastodonConnector::ReadForward(const Call& call, const Account& account,
                                                           const std::string& path, int limit, Place* place,
                                                           PollPage* page) {
  const std::string after = place->at.empty() ? place->from : place->at;
  const Answer answer = Ask(call, account, "GET", path + "&min_id=" + net::UrlEncode(after));
  page->rate = answer.rate;
  if (!answer.ok()) return FailedRead(answer, account);
  if (!answer.json.is_array() || answer.json.size() > kPageItemsMax) return UnintelligibleRead();
  std::vector<Json> items;
  for (const Json& item : answer.json) {
    if (Text(item, "id").empty()) {
      page->unparsed.push_back(UnreadMastodon(item, "an item without id"));
    } else if (IsOlderId(after, Text(item, "id"))) {
      items.push_back(item);
    }
  }
  if (items.empty()) {
    if (!answer.json.empty() && page->unparsed.empty()) return UnintelligibleRead();  // the page leads to itself
    // A server may take things out of a page after it was made: what the header names lies behind them.
    const std::string next = LinkParameter(answer.http.headers, "prev", "min_id");
    place->at = IsOlderId(after, next) ? next : "";
    page->more = page->more || !place->at.empty();
    return items;
  }
  std::sort(items.begin(), items.end(),
            [](const Json& a, const Json& b) { return IsOlderId(Text(a, "id"), Text(b, "id")); });
  const bool full = answer.json.size() >= std::min(static_cast<size_t>(limit), kShortPage);
  place->at = full ? Text(items.back(), "id") : "";
  page->more = page->more || full;
  std::vector<Json> fresh;
  for (const Json& item : items) {
    const std::string id = Text(item, "id");
    if (std::find(place->done.begin(), place->done.end(), id) == place->done.end()) fresh.push_back(item);
  }
  place->Did(items);
  return fresh;
}

StatusOr<PollPage> MastodonConnector::Poll(const Call& call, const Account& account, const std::string& cursor,
                                           absl::Time since, int limit) {
  PollPage page;
  const Json json = ParseJson(cursor);
  Place mentions = Place::Decode(Member(json, "m")), own = Place::Decode(Member(json, "o"));
  const int half = std::max(1, limit / 2);
  const int notified_limit = std::min(half, kNotificationsMax), own_limit = std::min(half, kOwnMax);
  const std::string notified_path = "/api/v1/notifications?types[]=mention&types[]=quote&types[]=update&limit=";
  const std::string own_path =
      "/api/v1/accounts/" + net::UrlEncode(account.remote_id) + "/statuses?exclude_reblogs=true&limit=";
  std::vector<Json> notified, written;
  const auto read = [&](const std::string& path, int want, int most, Place* place, std::vector<Json>* out) -> Status {
    if (!place->begun) {
      PARVIS_ASSIGN_OR_RETURN(const bool found,
                              FindStart(call, account, path + std::to_string(most), since, place, &page));
      page.more = page.more || !found;
      if (!found) return absl::OkStatus();
    }
    PARVIS_ASSIGN_OR_RETURN(*out, ReadForward(call, account, path + std::to_string(want), want, place, &page));
    return absl::OkStatus();
  };
  PARVIS_RETURN_IF_ERROR(read(notified_path, notified_limit, kNotificationsMax, &mentions, &notified));
  if (limit > 1 || notified.empty()) {
    PARVIS_RETURN_IF_ERROR(read(own_path, own_limit, kOwnMax, &own, &written));
  } else {
    page.more = true;  // our own have to wait for a page with room
  }

  std::vector<MastodonTaken> taken;
  for (const Json& notification : notified) TakeMastodonNotification(notification, account, &taken, &page.unparsed);
  for (const Json& status : written) TakeMastodonOwn(status, &taken);
  PARVIS_RETURN_IF_ERROR(AddHappenings(call, account, taken, &page));
  std::stable_sort(page.happenings.begin(), page.happenings.end(),
                   [](const Happening& a, const Happening& b) { return a.occurred_at < b.occurred_at; });
  page.cursor = Dump(Json{{"m", mentions.Encode()}, {"o", own.Encode()}});
  return page;
}

}  // namespace parvis::networks
