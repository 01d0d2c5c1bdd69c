// Polling a Ghost site for comments. The cursor is SeenComments: hiding and deleting have no time of their own that the site
// would tell.
#include <algorithm>
#include <map>

#include "networks/ghost/ghost_parts.h"
#include "networks/text/html.h"
#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

constexpr int kPerPageMax = 100;  // the site gives no more
constexpr size_t kTextMax = 64 << 10;

std::string Query(const std::string& filter, int limit, int64_t page) {
  return "include_nested=true&filter=" + net::UrlEncode(filter) + "&order=" + net::UrlEncode("created_at asc, id asc") +
         "&limit=" + std::to_string(limit) + "&page=" + std::to_string(page);
}

}  // namespace

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

Status GhostConnector::ReadNewComments(const Call& call, const Account& account, int limit, SeenComments* round,
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
    newest = std::max(newest, absl::ToUnixSeconds(*time - SeenComments::kOverlap));
    if (round->Find(id) != nullptr || status == "deleted") continue;
    Happening h = HappeningOf(comment, account);
    round->Watch({id, h.thread, h.post_remote_id, status == "hidden", LookOf(h.text)});
    page->happenings.push_back(h);
    if (status == "hidden") {
      h.kind = Happening::Kind::kHide;
      page->happenings.push_back(std::move(h));
    }
  }
  const int64_t next = GhostNextPage(answer.json);
  if (next != 0 && next <= round->page) return UnintelligibleRead();  // a page that leads to itself is no end
  page->more = next != 0;
  round->MoveOn(newest, next);
  return absl::OkStatus();
}

Status GhostConnector::ReadWatched(const Call& call, const Account& account, SeenComments* round,
                                   PollPage* page) {
  if (round->watched.empty()) return absl::OkStatus();
  std::string ids;
  for (const SeenComment& one : round->watched) ids += (ids.empty() ? "" : ",") + GhostLiteral(one.id);
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
  std::deque<SeenComment> kept;
  for (SeenComment& one : round->watched) {
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
      h.thread = h.conversation = one.root;
      h.post_remote_id = one.post;
      h.parent_remote_id = one.root == one.id ? one.post : one.root;
      tell(Happening::Kind::kRemoval, seen);
      continue;
    }
    if (const uint32_t look = LookOf(h.text); look != one.look) {
      one.look = look;
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
  SeenComments round(ParseJson(cursor), since);
  std::erase_if(round.watched, [](const SeenComment& one) { return !IsGhostId(one.id); });
  PollPage page;
  PARVIS_RETURN_IF_ERROR(ReadNewComments(call, account, limit, &round, &page));
  // Before the comments of this page are looked at again, they have had time to change: only when nothing more is new.
  if (!page.more) PARVIS_RETURN_IF_ERROR(ReadWatched(call, account, &round, &page));
  page.cursor = Dump(round.Encode());
  return page;
}

}  // namespace parvis::networks
