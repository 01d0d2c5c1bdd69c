// What is read from LinkedIn: our own posts and comments, what is new below our posts, and counters.
#include <algorithm>

#include "networks/linkedin/linkedin.h"
#include "networks/linkedin/linkedin_parse.h"
#include "networks/linkedin/linkedin_text.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {
namespace {

constexpr int kPageMax = 100;
constexpr size_t kPostsPerRoundMax = 25;  // the newest; every call counts against a day's budget
constexpr size_t kPlacesMax = 500;        // posts and comments with replies that a round reads
constexpr absl::Duration kOverlap = absl::Minutes(2);

std::string Range(int64_t start, int count) {
  return "start=" + std::to_string(start) + "&count=" + std::to_string(count);
}

std::string AuthorQuery(const Account& account) {
  return "/rest/posts?q=author&author=" + net::UrlEncode(OrganisationUrn(account.remote_id)) + "&sortBy=CREATED&";
}

OwnItem PostItem(const Json& post) {
  OwnItem item;
  item.remote_id = Text(post, "id");
  item.permalink = LinkedInPermalink(item.remote_id);
  item.text = FromLittleText(Text(post, "commentary"));
  const auto published = LinkedInTime(post, "publishedAt");
  item.created_at = published ? *published : LinkedInTime(post, "createdAt").value_or(absl::InfinitePast());
  return item;
}

OwnItem CommentItem(const Happening& h) {
  OwnItem item;
  item.remote_id = h.remote_id;
  item.permalink = h.permalink;
  item.text = h.text;
  item.parent_remote_id = h.parent_remote_id;
  item.created_at = h.occurred_at;
  return item;
}

int64_t Replies(const Json& comment) {
  const Json& summary = Member(comment, "commentsSummary");
  for (const char* key : {"aggregatedTotalComments", "totalFirstLevelComments", "count"}) {
    const Json& number = Member(summary, key);
    if (number.is_number_integer()) return number.get<int64_t>();
  }
  return 0;
}

}  // namespace

Answer LinkedInConnector::AskComments(const Call& call, const Account& account, const std::string& urn, int64_t start,
                                      int count) {
  return Ask(call, account, "GET", "/rest/socialActions/" + net::UrlEncode(urn) + "/comments?" + Range(start, count));
}

Answer LinkedInConnector::AskComment(const Call& call, const Account& account, const std::string& urn) {
  const auto comment = ParseCommentUrn(urn);
  const std::string path = comment
                               ? "/rest/socialActions/" + net::UrlEncode(comment->object) + "/comments/" + comment->id
                               : "/rest/posts/" + net::UrlEncode(urn);
  return Ask(call, account, "GET", path);
}

StatusOr<std::vector<OwnItem>> LinkedInConnector::OwnComments(const Call& call, const Account& account,
                                                              const std::string& below, absl::Time since, int limit) {
  const int count = std::clamp(limit, 1, kPageMax);
  const std::string us = OrganisationUrn(account.remote_id);
  std::vector<OwnItem> out;
  int64_t start = 0;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account, [&](const std::string&) { return AskComments(call, account, below, start, count); },
      [&](const Answer& answer) -> StatusOr<std::string> {
        const Json& elements = Member(answer.json, "elements");
        if (!elements.is_array() || elements.size() > kPageItemsMax) return UnintelligibleRead();
        for (const Json& element : elements) {
          const std::vector<Happening> found = LinkedInComment(element, us, below);
          if (!found.empty() && found[0].by_us && found[0].occurred_at >= since) out.push_back(CommentItem(found[0]));
        }
        const auto next = LinkedInNextStart(answer.json, start, count);
        start = next.value_or(0);
        return next ? std::to_string(*next) : "";
      }));
  std::sort(out.begin(), out.end(), [](const OwnItem& a, const OwnItem& b) { return a.created_at > b.created_at; });
  return out;
}

StatusOr<std::vector<OwnItem>> LinkedInConnector::ReadBack(const Call& call, const Account& account, const Write& write,
                                                           absl::Time since, int limit) {
  if (write.kind == WriteKind::kReply) {
    const auto target = ParseCommentUrn(write.target_remote_id);
    const std::string below = target ? target->Text() : write.target_remote_id;
    PARVIS_ASSIGN_OR_RETURN(std::vector<OwnItem> out, OwnComments(call, account, below, since, limit));
    // An answer to a reply hangs below the top-level comment.
    if (!target) return out;
    const Answer answer = AskComment(call, account, below);
    const auto parent = ParseCommentUrn(answer.ok() ? Text(answer.json, "parentComment") : "");
    if (!parent) return out;
    PARVIS_ASSIGN_OR_RETURN(std::vector<OwnItem> more, OwnComments(call, account, parent->Text(), since, limit));
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  if (write.kind != WriteKind::kPost) {
    const Answer answer = AskComment(call, account, write.target_remote_id);
    if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
    if (!answer.ok()) return FailedRead(answer, account);
    OwnItem item;
    item.remote_id = Text(answer.json, "id");
    if (item.remote_id.empty()) return UnintelligibleRead();
    item.remote_id = write.target_remote_id;
    return std::vector<OwnItem>{item};
  }
  const int count = std::clamp(limit, 1, kPageMax);
  std::vector<OwnItem> out;
  int64_t start = 0;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string&) { return Ask(call, account, "GET", AuthorQuery(account) + Range(start, count)); },
      [&](const Answer& answer) -> StatusOr<std::string> {
        const Json& elements = Member(answer.json, "elements");
        if (!elements.is_array() || elements.size() > kPageItemsMax) return UnintelligibleRead();
        bool older = false;
        for (const Json& element : elements) {
          OwnItem item = PostItem(element);
          older = older || item.created_at < since;
          if (!item.remote_id.empty() && item.created_at >= since) out.push_back(std::move(item));
        }
        const auto next = older ? std::nullopt : LinkedInNextStart(answer.json, start, count);
        start = next.value_or(0);
        return next ? std::to_string(*next) : "";
      }));
  return out;
}

Status LinkedInConnector::ListPosts(const Call& call, const Account& account, std::vector<std::string>* posts,
                                    RateState* rate) {
  const Answer answer = Ask(call, account, "GET", AuthorQuery(account) + Range(0, kPostsPerRoundMax));
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& elements = Member(answer.json, "elements");
  if (!elements.is_array() || elements.size() > kPageItemsMax) return UnintelligibleRead();
  *rate = answer.rate;
  for (const Json& element : elements) {
    const std::string id = Text(element, "id");
    if (!id.empty() && posts->size() < kPostsPerRoundMax) posts->push_back(id);
  }
  return absl::OkStatus();
}

// ---- polling: post by post, and below each comment that has replies ------------------------------------------------

namespace {

struct Cursor {
  int64_t since = 0, next_since = 0;  // milliseconds
  bool listed = false;
  std::vector<std::pair<std::string, std::string>> places;  // what to read, the post it belongs to
  int64_t start = 0;                                        // in the first place

  static Cursor Decode(const std::string& text, absl::Time since) {
    Cursor cursor;
    cursor.since = std::max<int64_t>(0, absl::ToUnixMillis(since));
    const Json json = ParseJson(text);
    const Json &s = Member(json, "s"), &n = Member(json, "n"), &a = Member(json, "a"), &places = Member(json, "p");
    if (!s.is_number_integer()) return cursor;
    cursor.since = s.get<int64_t>();
    if (!n.is_number_integer()) return cursor;
    cursor.next_since = n.get<int64_t>();
    cursor.listed = true;
    if (a.is_number_integer()) cursor.start = std::max<int64_t>(0, a.get<int64_t>());
    for (size_t i = 0; places.is_array() && i < places.size() && i < kPlacesMax; ++i) {
      const Json& place = places[i];
      if (!place.is_array() || place.size() != 2 || !place[0].is_string() || !place[1].is_string()) continue;
      cursor.places.emplace_back(place[0].get<std::string>(), place[1].get<std::string>());
    }
    return cursor;
  }
  std::string Encode() const {
    Json json = {{"s", since}};
    if (listed) {
      Json list = Json::array();
      for (const auto& [urn, post] : places) list.push_back(Json::array({urn, post}));
      json["n"] = next_since;
      json["p"] = list;
      json["a"] = start;
    }
    return Dump(json);
  }
};

}  // namespace

StatusOr<PollPage> LinkedInConnector::Poll(const Call& call, const Account& account, const std::string& cursor_text,
                                           absl::Time since, int limit) {
  Cursor cursor = Cursor::Decode(cursor_text, since);
  PollPage page;
  if (!cursor.listed) {
    // What is written while a round runs may lie behind it: the next one begins before this one began.
    cursor.next_since = absl::ToUnixMillis(clock_.WallNow() - kOverlap);
    std::vector<std::string> posts;
    PARVIS_RETURN_IF_ERROR(ListPosts(call, account, &posts, &page.rate));
    for (const std::string& post : posts) cursor.places.emplace_back(post, post);
    cursor.listed = true;
  }
  if (!cursor.places.empty()) {
    const auto [urn, post] = cursor.places.front();
    const int count = std::clamp(limit, 1, kPageMax);
    const Answer answer = AskComments(call, account, urn, cursor.start, count);
    page.rate = answer.rate;
    const bool gone = answer.answered() && answer.refusal.error == ErrorClass::kNotFound;
    if (!answer.ok() && !gone) return FailedRead(answer, account);
    const Json& elements = Member(answer.json, "elements");
    if (!gone && (!elements.is_array() || elements.size() > kPageItemsMax)) return UnintelligibleRead();
    for (size_t i = 0; !gone && i < elements.size(); ++i) {
      const std::vector<Happening> found = LinkedInComment(elements[i], OrganisationUrn(account.remote_id), post);
      if (found.empty()) {
        page.unparsed.push_back({Dump(elements[i]), "MISSING_FIELD",
                                 "a comment without id or time"});
        continue;
      }
      for (const Happening& h : found) {
        if (absl::ToUnixMillis(h.occurred_at) >= cursor.since) page.happenings.push_back(h);
      }
      // The list is of one level: what answers this comment is a list of its own.
      if (urn == post && Replies(elements[i]) > 0 && cursor.places.size() < kPlacesMax) {
        cursor.places.emplace_back(found[0].remote_id, post);
      }
    }
    const auto next = gone ? std::nullopt : LinkedInNextStart(answer.json, cursor.start, count);
    cursor.start = next.value_or(0);
    if (!next) cursor.places.erase(cursor.places.begin());
    std::stable_sort(page.happenings.begin(), page.happenings.end(),
                     [](const Happening& a, const Happening& b) { return a.occurred_at < b.occurred_at; });
  }
  page.more = !cursor.places.empty();
  if (!page.more) {
    Cursor fresh;
    fresh.since = std::max(cursor.since, cursor.next_since);
    cursor = fresh;
  }
  page.cursor = cursor.Encode();
  return page;
}

// ---- counters ------------------------------------------------------------------------------------------------------

Status LinkedInConnector::Statistics(const Call& call, const Account& account, const std::string& parameter,
                                     const std::vector<std::string>& urns, Measurement* out) {
  if (!parameter.empty() && urns.empty()) return absl::OkStatus();
  std::string path = "/rest/organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity=" +
                     net::UrlEncode(OrganisationUrn(account.remote_id));
  std::string list;
  for (const std::string& urn : urns) list += (list.empty() ? "" : ",") + net::UrlEncode(urn);
  if (!parameter.empty()) path += "&" + parameter + "=List(" + list + ")";
  const Answer answer = Ask(call, account, "GET", path);
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& elements = Member(answer.json, "elements");
  if (!elements.is_array() || elements.size() > kPageItemsMax) return UnintelligibleRead();
  TakeRate(answer, &out->rate);
  constexpr std::pair<const char*, const char*> kNames[] = {
      {"impressionCount", "impressions"}, {"uniqueImpressionsCount", "reach"},
      {"clickCount", "clicks"},           {"likeCount", "likes"},
      {"commentCount", "comments"},       {"shareCount", "shares"}};
  for (const Json& element : elements) {
    Counts counts;
    counts.remote_id =
        parameter.empty() ? account.remote_id : Text(element, parameter == "shares" ? "share" : "ugcPost");
    const Json& total = Member(element, "totalShareStatistics");
    if (counts.remote_id.empty() || !total.is_object()) continue;
    for (const auto& [theirs, ours] : kNames) {
      const Json& value = Member(total, theirs);
      // Deletions may take a counter below nothing.
      if (value.is_number_integer()) counts.values[ours] = std::max<int64_t>(0, value.get<int64_t>());
    }
    out->counts.push_back(std::move(counts));
    if (parameter.empty()) break;
  }
  return absl::OkStatus();
}

StatusOr<Measurement> LinkedInConnector::Measure(const Call& call, const Account& account,
                                                 const std::vector<std::string>& post_remote_ids) {
  Measurement out;
  if (post_remote_ids.empty()) {
    PARVIS_RETURN_IF_ERROR(Statistics(call, account, "", {}, &out));
    const Answer size = Ask(call, account, "GET",
                            "/rest/networkSizes/" + net::UrlEncode(OrganisationUrn(account.remote_id)) +
                                "?edgeType=COMPANY_FOLLOWED_BY_MEMBER");
    const Json& followers = Member(size.json, "firstDegreeSize");
    if (!size.ok()) return FailedRead(size, account);
    TakeRate(size, &out.rate);
    if (out.counts.empty()) out.counts.push_back({account.remote_id, {}});
    if (followers.is_number_integer()) out.counts[0].values["followers"] = followers.get<int64_t>();
    return out;
  }
  std::vector<std::string> shares, posts;
  for (size_t i = 0; i < post_remote_ids.size() && i < 50; ++i) {
    const std::string& urn = post_remote_ids[i];
    if (urn.compare(0, 13, "urn:li:share:") == 0) shares.push_back(urn);
    if (urn.compare(0, 15, "urn:li:ugcPost:") == 0) posts.push_back(urn);
  }
  PARVIS_RETURN_IF_ERROR(Statistics(call, account, "shares", shares, &out));
  PARVIS_RETURN_IF_ERROR(Statistics(call, account, "ugcPosts", posts, &out));
  return out;
}

}  // namespace parvis::networks
