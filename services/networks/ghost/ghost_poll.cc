// Polling a Ghost site for comments. The cursor carries where reading goes on and the latest comments as they were seen
// last (at most kWatchMax): hiding and deleting have no time of their own that the site would tell, so those are looked
// at again.
#include <algorithm>
#include <deque>
#include <map>

#include "networks/ghost/ghost_parts.h"
#include "networks/text/html.h"
#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

constexpr int kPerPageMax = 100;  // the site gives no more
constexpr size_t kWatchMax = 100;
constexpr absl::Duration kOverlap = absl::Seconds(5);  // a comment may be committed after one that is dated later
constexpr size_t kTextMax = 64 << 10;

uint32_t HashOf(std::string_view text) {  // FNV-1a: to notice an edit, nothing more
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

std::string Query(const std::string& filter, int limit, int64_t page) {
  return "include_nested=true&filter=" + net::UrlEncode(filter) + "&order=" + net::UrlEncode("created_at asc, id asc") +
         "&limit=" + std::to_string(limit) + "&page=" + std::to_string(page);
}

}  // namespace

// A comment as it was seen last.
struct GhostConnector::Watched {
  std::string id, parent, post;
  bool hidden = false;
  uint32_t hash = 0;
};

struct GhostConnector::Round {
  int64_t after = 0;            // Unix seconds, exclusive
  int64_t page = 1;             // of the comments after that
  std::deque<Watched> watched;  // oldest first

  Watched* Find(const std::string& id) {
    for (Watched& one : watched) {
      if (one.id == id) return &one;
    }
    return nullptr;
  }
  void Watch(Watched one) {
    watched.push_back(std::move(one));
    while (watched.size() > kWatchMax) watched.pop_front();
  }

  static Round Decode(const std::string& cursor, absl::Time since) {
    Round round;
    round.after = std::max<int64_t>(0, absl::ToUnixSeconds(since) - 1);
    const Json json = ParseJson(cursor);
    const Json& after = Member(json, "a");
    if (!after.is_number_integer()) return round;
    round.after = std::max<int64_t>(0, after.get<int64_t>());
    if (const Json& page = Member(json, "g"); page.is_number_integer())
      round.page = std::clamp<int64_t>(page.get<int64_t>(), 1, 1000000);
    const Json& list = Member(json, "w");
    for (size_t i = 0; list.is_array() && i < list.size() && i < kWatchMax; ++i) {
      const Json& one = list[i];
      const bool whole = one.is_array() && one.size() == 5 && one[0].is_string() && one[1].is_string() &&
                         one[2].is_string() && one[3].is_boolean() && one[4].is_number_unsigned();
      if (!whole || !IsGhostId(one[0].get<std::string>())) continue;
      round.watched.push_back({one[0].get<std::string>(), one[1].get<std::string>(), one[2].get<std::string>(),
                               one[3].get<bool>(), one[4].get<uint32_t>()});
    }
    return round;
  }

  std::string Encode() const {
    Json list = Json::array();
    for (const Watched& one : watched)
      list.push_back(Json::array({one.id, one.parent, one.post, one.hidden, one.hash}));
    return Dump(Json{{"a", after}, {"g", page}, {"w", list}});
  }
};

Happening GhostConnector::HappeningOf(const Json& comment, const Account& account) const {
  Happening h;
  h.account_remote_id = account.remote_id;
  h.remote_id = Text(comment, "id");
  const std::string root = Text(comment, "parent_id"), answers = Text(comment, "in_reply_to_id");
  h.thread = h.conversation = root.empty() ? h.remote_id : root;
  const Json& post = Member(comment, "post");
  h.post_remote_id = Text(post, "id");
  h.parent_remote_id = !answers.empty() ? answers : !root.empty() ? root : h.post_remote_id;
  const Json& member = Member(comment, "member");  // null when they have left; their address is not kept
  h.author_remote_id = Text(member, "id");
  h.author_name = text::CutBytes(text::ToUtf8(Text(member, "name")), 200);
  h.by_us = !h.author_remote_id.empty() && account.credentials.Get("member_id").Equals(h.author_remote_id);
  h.text = text::CutBytes(text::ToUtf8(text::HtmlToText(Text(comment, "html"), false)), kTextMax);
  h.occurred_at = ParseIsoTime(Text(comment, "created_at")).value_or(absl::UnixEpoch());
  h.revision = absl::ToUnixMicros(h.occurred_at);
  if (const std::string url = Text(post, "url"); !url.empty()) h.permalink = url + "#ghost-comments-" + h.remote_id;
  return h;
}

Status GhostConnector::ReadNewComments(const Call& call, const Account& account, int limit, Round* round,
                                       PollPage* page) {
  const std::string filter = "created_at:>" + GhostTime(absl::FromUnixSeconds(round->after));
  const std::string query = Query(filter, std::clamp(limit, 1, kPerPageMax), round->page);
  Answer answer = Ask(call, account, "GET", "/comments/", query);
  // Pages are counted, so what an empty one should have shown is on no other: it is asked for once more.
  const auto hollow = [&] {
    return answer.ok() && Member(answer.json, "comments") == Json::array() && GhostNextPage(answer.json) != 0;
  };
  if (hollow()) answer = Ask(call, account, "GET", "/comments/", query);
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& list = Member(answer.json, "comments");
  if (!list.is_array() || list.size() > kPageItemsMax || hollow()) return UnintelligibleRead();
  page->rate = answer.rate;
  int64_t newest = round->after;
  for (const Json& comment : list) {
    const std::string id = Text(comment, "id"), status = Text(comment, "status");
    const auto time = ParseIsoTime(Text(comment, "created_at"));
    if (!IsGhostId(id) || !time) {
      page->unparsed.push_back({Dump(comment), "MISSING_FIELD",
                                "a comment without id or created_at"});
      continue;
    }
    newest = std::max(newest, absl::ToUnixSeconds(*time - kOverlap));
    if (round->Find(id) != nullptr || status == "deleted") continue;
    Happening h = HappeningOf(comment, account);
    round->Watch({id, Text(comment, "parent_id"), h.post_remote_id, status == "hidden", HashOf(h.text)});
    page->happenings.push_back(h);
    if (status == "hidden") {
      h.kind = Happening::Kind::kHide;
      page->happenings.push_back(std::move(h));
    }
  }
  const int64_t next = GhostNextPage(answer.json);
  if (next != 0 && next <= round->page) return UnintelligibleRead();  // a page that leads to itself is no end
  page->more = next != 0;
  if (newest > round->after) {
    round->after = newest;
    round->page = 1;
  } else {
    round->page = page->more ? next : 1;  // many comments of the same seconds
  }
  return absl::OkStatus();
}

Status GhostConnector::ReadWatched(const Call& call, const Account& account, Round* round, PollPage* page) {
  if (round->watched.empty()) return absl::OkStatus();
  std::string ids;
  for (const Watched& one : round->watched) ids += (ids.empty() ? "" : ",") + GhostLiteral(one.id);
  const Answer answer = Ask(call, account, "GET", "/comments/", Query("id:[" + ids + "]", kPerPageMax, 1));
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& list = Member(answer.json, "comments");
  if (!list.is_array() || list.size() > kPageItemsMax) return UnintelligibleRead();
  // What is not shown is taken for deleted: so a list that is not whole says nothing about what is missing in it.
  const bool whole = GhostNextPage(answer.json) == 0 &&
                     Text(Member(Member(answer.json, "meta"), "pagination"), "total") == std::to_string(list.size());
  std::map<std::string, const Json*> now;
  for (const Json& comment : list) now.emplace(Text(comment, "id"), &comment);
  const absl::Time seen = clock_.WallNow();
  std::deque<Watched> kept;
  for (Watched& one : round->watched) {
    const auto found = now.find(one.id);
    const bool gone = found == now.end() || Text(*found->second, "status") == "deleted";
    if (found == now.end() && !whole) {
      kept.push_back(one);
      continue;
    }
    Happening h = gone ? Happening() : HappeningOf(*found->second, account);
    const absl::Time edited_at = gone ? seen : ParseIsoTime(Text(*found->second, "edited_at")).value_or(seen);
    h.account_remote_id = account.remote_id;
    h.by_us = false;  // who changed it, nobody tells
    const auto tell = [&](Happening::Kind kind, absl::Time time) {
      h.kind = kind;
      h.occurred_at = time;
      h.revision = absl::ToUnixMicros(time);
      page->happenings.push_back(h);
    };
    if (gone) {
      h.remote_id = one.id;
      h.thread = h.conversation = one.parent.empty() ? one.id : one.parent;
      h.post_remote_id = one.post;
      h.parent_remote_id = one.parent.empty() ? one.post : one.parent;
      tell(Happening::Kind::kRemoval, seen);
      continue;
    }
    if (const uint32_t hash = HashOf(h.text); hash != one.hash) {
      one.hash = hash;
      tell(Happening::Kind::kEdit, edited_at);
    }
    if (const bool hidden = Text(*found->second, "status") == "hidden"; hidden != one.hidden) {
      one.hidden = hidden;
      tell(hidden ? Happening::Kind::kHide : Happening::Kind::kUnhide, seen);
    }
    kept.push_back(one);
  }
  round->watched = std::move(kept);
  return absl::OkStatus();
}

StatusOr<PollPage> GhostConnector::Poll(const Call& call, const Account& account, const std::string& cursor,
                                        absl::Time since, int limit) {
  Round round = Round::Decode(cursor, since);
  PollPage page;
  PARVIS_RETURN_IF_ERROR(ReadNewComments(call, account, limit, &round, &page));
  // Before the comments of this page are looked at again, they have had time to change: only when nothing more is new.
  if (!page.more) PARVIS_RETURN_IF_ERROR(ReadWatched(call, account, &round, &page));
  page.cursor = round.Encode();
  return page;
}

}  // namespace parvis::networks
