// Polling a feed. The cursor carries the feed's present address, what a conditional request needs, and of the items
// seen so far (those in the document, and the last kGoneMax that dropped out of it) what they looked like: feeds
// reorder, drop and silently edit. While items are still to come out, or the document may change without its validators
// showing it, none is sent, so that the document comes again.
#include <algorithm>
#include <map>
#include <set>

#include "networks/feed/feed.h"
#include "networks/text/unicode.h"
#include "networks/wire/signature.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {
namespace {

constexpr size_t kGoneMax = 300, kKnownMax = kFeedItemsMax + kGoneMax;
constexpr size_t kValidatorMax = 512, kIdMax = 500;
constexpr int64_t kMicrosMax = 7258118400'000'000;  // 2200

std::string Digest(std::string_view text) { return ToHex(HmacSha256("parvis-feed", text)); }

std::string TextOf(const FeedItem& item) {
  const bool doubled = item.text.rfind(item.title, 0) == 0;  // also without a title
  const std::string whole = doubled ? item.text : item.text.empty() ? item.title : item.title + "\n\n" + item.text;
  return text::CutBytes(text::ToUtf8(whole), kHappeningTextMax);
}

std::optional<absl::Time> TimeOf(const FeedItem& item) { return item.published ? item.published : item.updated; }

// A date that says when this content was made; 0 without.
int64_t DatedRevision(const FeedItem& item) {
  const auto time = item.updated ? item.updated : item.published;
  return time ? RevisionOf(*time) : 0;
}

// Without a date of its own, a revision is made from the content: the same page read again gives the same one.
int64_t MadeRevision(const std::string& look) {
  return 1 + static_cast<int64_t>(std::stoul(look.substr(8, 6), nullptr, 16) % 1'000'000);
}

void TakeRest(const FeedItem& item, Happening* h) {
  h->author_name = text::CutBytes(text::ToUtf8(item.author), 200);
  h->permalink = item.link;
  h->attachments = item.enclosures;
  for (auto& attachment : h->attachments) attachment.first = text::CutBytes(text::ToUtf8(attachment.first), 200);
}

std::string Validator(const net::Headers& headers, std::string_view name) {
  std::string value = net::HeaderOf(headers, name);
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  return plain && value.size() <= kValidatorMax ? value : "";
}

// Not while the second lasts in which the document changed (RFC 9110 §8.8.2.2): what follows in it has the same date, and
// the same ETag where that is made of the date, as WordPress does.
bool ShowsEveryChange(const net::Headers& headers, absl::Time now) {
  const auto modified = ParseFeedTime(net::HeaderOf(headers, "Last-Modified"));
  const absl::Time sent = ParseFeedTime(net::HeaderOf(headers, "Date")).value_or(now);
  return !modified || sent - *modified >= absl::Seconds(1);
}

}  // namespace

std::string FeedItemId(const FeedItem& item) {
  std::string id = text::ToUtf8(item.id);
  if (id.empty()) id = item.link;
  if (id.empty()) {
    const bool nothing = item.title.empty() && item.dated.empty();
    return "digest:" +
           Digest(item.title + "\n" + item.link + "\n" + item.dated + (nothing ? item.text : "")).substr(0, 40);
  }
  return id.size() <= kIdMax ? id : "digest:" + Digest(id).substr(0, 40);
}

struct FeedConnector::Place {
  struct Seen {
    std::string look;      // of its content
    int64_t revision = 0;  // that it came out with
  };
  std::string base, url, etag, modified;
  bool early = false;  // the validators are of a document that could still change under them: they are not sent
  bool began = false;
  bool broken = false;                              // and that was told
  std::vector<std::pair<std::string, Seen>> known;  // by the digest of their ids

  static Place Decode(const std::string& cursor, const Account& account) {
    Place place;
    place.base = place.url = account.base_url;
    const Json json = ParseJson(cursor);
    const Json& known = Member(json, "k");
    if (!known.is_array()) return place;
    place.began = true;
    for (size_t i = 0; i < known.size() && i < kKnownMax; ++i) {
      const Json& one = known[i];
      if (!one.is_array() || one.size() != 3 || !one[0].is_string() || !one[1].is_string() ||
          !one[2].is_number_integer())
        continue;
      place.known.push_back(
          {one[0].get<std::string>(),
           {one[1].get<std::string>(), std::clamp<int64_t>(one[2].get<int64_t>(), 0, 2 * kMicrosMax)}});
    }
    if (Text(json, "b") != account.base_url) return place;  // another address was entered meanwhile
    if (const std::string url = ResolveUrl(account.base_url, Text(json, "u")); !url.empty()) place.url = url;
    place.etag = Text(json, "e");
    place.modified = Text(json, "l");
    place.early = Text(json, "s") == "1";
    place.broken = Text(json, "x") == "1";
    return place;
  }
  // The document's items that came out, and the last of those that dropped out of it.
  void Keep(const std::vector<std::string>& order, const std::map<std::string, Seen>& here) {
    std::vector<std::pair<std::string, Seen>> now;
    for (const std::string& key : order) {
      if (const auto it = here.find(key); it != here.end()) now.push_back(*it);
    }
    const std::set<std::string> met(order.begin(), order.end());
    size_t gone = 0;
    for (const auto& one : known) {
      if (met.count(one.first) == 0 && gone++ < kGoneMax) now.push_back(one);
    }
    known = std::move(now);
    began = true;
  }
  std::string Encode() const {
    Json list = Json::array();
    for (const auto& [id, seen] : known) list.push_back(Json::array({id, seen.look, seen.revision}));
    return Dump(Json{{"b", base},
                     {"u", url},
                     {"e", etag},
                     {"l", modified},
                     {"s", early ? "1" : ""},
                     {"x", broken ? "1" : ""},
                     {"k", list}});
  }
};

// What is new or changed, oldest first.
void FeedConnector::TakeItems(const Feed& feed, const Account& account, absl::Time fallback, absl::Time since,
                              size_t limit, Place* place, PollPage* page) const {
  struct Fresh {
    Happening happening;
    std::string key;
    Place::Seen seen;
  };
  const std::map<std::string, Place::Seen> before(place->known.begin(), place->known.end());
  std::map<std::string, Place::Seen> here;  // of the document's items, as they came out
  std::set<std::string> met;
  std::vector<std::string> order;
  std::vector<Fresh> fresh;
  const absl::Time now = clock_.WallNow();
  for (const FeedItem& item : feed.items) {
    Fresh one;
    Happening& h = one.happening;
    h.remote_id = h.thread = h.conversation = FeedItemId(item);
    one.key = Digest(h.remote_id).substr(0, 16);
    if (!met.insert(one.key).second) continue;  // two of one name: the first
    order.push_back(one.key);
    h.text = TextOf(item);
    const std::string look = Digest(h.text);
    one.seen = {look.substr(0, 8), DatedRevision(item)};
    const auto old = before.find(one.key);
    if (old != before.end() && old->second.look == one.seen.look) {
      here[one.key] = old->second;
      continue;
    }
    const int64_t made = MadeRevision(look);
    h.occurred_at = std::min(TimeOf(item).value_or(fallback), now);
    if (old != before.end()) {
      h.kind = Happening::Kind::kEdit;
      here[one.key] = old->second;
      if (one.seen.revision <= old->second.revision) one.seen.revision = old->second.revision + made;
      h.occurred_at = item.updated ? std::min(*item.updated, now) : now;
    } else {
      h.kind = Happening::Kind::kMention;
      if (one.seen.revision == 0) one.seen.revision = made;
      if (!place->began && h.occurred_at < since) {  // from before we listened
        here[one.key] = one.seen;
        continue;
      }
    }
    h.revision = one.seen.revision;
    h.account_remote_id = account.remote_id;
    TakeRest(item, &h);
    fresh.push_back(std::move(one));
  }
  std::reverse(fresh.begin(), fresh.end());  // feeds begin with what is new
  std::stable_sort(fresh.begin(), fresh.end(),
                   [](const Fresh& a, const Fresh& b) { return a.happening.occurred_at < b.happening.occurred_at; });
  page->more = fresh.size() > limit;
  for (size_t i = 0; i < fresh.size() && i < limit; ++i) {
    here[fresh[i].key] = fresh[i].seen;
    page->happenings.push_back(std::move(fresh[i].happening));
  }
  place->Keep(order, here);
}

StatusOr<PollPage> FeedConnector::Poll(const Call& call, const Account& account, const std::string& cursor,
                                       absl::Time since, int limit) {
  Place place = Place::Decode(cursor, account);
  net::Headers validators;
  if (!place.early && !place.etag.empty()) validators["If-None-Match"] = place.etag;
  if (!place.early && !place.modified.empty()) validators["If-Modified-Since"] = place.modified;
  PARVIS_ASSIGN_OR_RETURN(const Fetched got, Fetch(call, account, place.url, validators));
  place.url = got.kept;
  PollPage page;
  page.rate = got.answer.rate;
  const net::ClientResult& http = got.answer.http;
  if (http.http_status == 304) {
    if (validators.empty()) return UnintelligibleRead();  // compared with nothing
    page.cursor = place.Encode();
    return page;
  }
  PARVIS_ASSIGN_OR_RETURN(const Feed feed, ParseFeed(http.body, net::HeaderOf(http.headers, "Content-Type"), got.url));
  const absl::Time fallback =
      feed.updated.value_or(ParseFeedTime(net::HeaderOf(http.headers, "Last-Modified")).value_or(clock_.WallNow()));
  TakeItems(feed, account, fallback, since, static_cast<size_t>(std::clamp(limit, 1, 1000)), &place, &page);
  // A document that breaks is read as far as it goes; told once, and asked for whole the next time.
  if (!feed.broken.empty() && !place.broken) {
    page.unparsed.push_back({text::CutBytes(text::ToUtf8(http.body), kHappeningTextMax), "NOT_XML", feed.broken});
  }
  place.broken = !feed.broken.empty();
  const bool whole = !page.more && feed.broken.empty();
  const std::string etag = whole ? Validator(http.headers, "ETag") : "";
  const std::string modified = whole ? Validator(http.headers, "Last-Modified") : "";
  // Where the document is always of now, the ETag is not made of the date: it stays when the date does not.
  const bool same = place.early && !etag.empty() && etag == place.etag && modified != place.modified;
  place.early = whole && !same && !ShowsEveryChange(http.headers, clock_.WallNow());
  place.etag = etag;
  place.modified = modified;
  page.cursor = place.Encode();
  return page;
}

}  // namespace parvis::networks
