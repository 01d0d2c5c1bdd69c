// Polling a WordPress site for comments. The cursor is SeenComments, because the site keeps no time of change: holding,
// approving, trashing and editing are found by looking at those again.
#include <algorithm>
#include <map>

#include "networks/text/html.h"
#include "networks/text/unicode.h"
#include "networks/wire/seen_comments.h"
#include "networks/wordpress/wordpress.h"
#include "platform/base/ids.h"

namespace parvis::networks {
namespace {

constexpr int kPerPageMax = 100;
constexpr int kDepthMax = 12;           // levels of nesting that are climbed to find a root
constexpr int kSingleReadsMax = 10;     // comments looked at one by one in one poll
constexpr size_t kTextMax = 64 << 10;
const char kComments[] = "/wp/v2/comments";

bool IsHeld(const std::string& status) { return status == "hold" || status == "0" || status == "unapproved"; }
bool IsShown(const std::string& status) { return status == "approved" || status == "approve" || status == "1"; }

std::string ContentOf(const Json& comment) {
  const Json& content = Member(comment, "content");
  const std::string raw = Text(content, "raw");
  const std::string text = raw.empty() ? text::HtmlToText(Text(content, "rendered"), false) : text::HtmlToText(raw, true);
  return text::CutBytes(text::ToUtf8(text), kTextMax);
}

std::string Joined(const std::vector<std::string>& ids) {
  std::string out;
  for (const std::string& id : ids) out += (out.empty() ? "" : ",") + id;
  return out;
}

}  // namespace

struct WordPressConnector::Round : SeenComments {
  using SeenComments::SeenComments;
  std::string me;                             // our user's number
  std::map<std::string, std::string> roots;   // of this poll: comment -> root
};

Happening WordPressConnector::HappeningOf(const Json& comment, const Account& account, const Round& round) const {
  Happening h;
  h.account_remote_id = account.remote_id;
  h.remote_id = Text(comment, "id");
  const auto root = round.roots.find(h.remote_id);
  h.thread = h.conversation = root == round.roots.end() ? h.remote_id : root->second;
  h.post_remote_id = Text(comment, "post");
  const std::string parent = Text(comment, "parent");
  h.parent_remote_id = parent.empty() || parent == "0" ? h.post_remote_id : parent;
  h.author_name = text::ToUtf8(text::HtmlToText(Text(comment, "author_name"), false));
  const std::string author = Text(comment, "author");
  if (!author.empty() && author != "0") {
    h.author_remote_id = author;
    h.by_us = author == round.me;
  } else if (const std::string email = Text(comment, "author_email"); !email.empty()) {
    h.author_remote_id = "visitor:" + UuidOfName(email);   // the same visitor again, without keeping the address
  }
  h.text = ContentOf(comment);
  h.occurred_at = ParseIsoTime(Text(comment, "date_gmt")).value_or(absl::UnixEpoch());
  h.revision = absl::ToUnixMicros(h.occurred_at);
  h.permalink = Text(comment, "link");
  return h;
}

// Climbs from the comments' parents to their roots, a level a request.
Status WordPressConnector::FindRoots(const Call& call, const Account& account, Round* round, const Json& comments) {
  std::map<std::string, std::string> parents;   // comment -> parent, "" for a root
  const auto learn = [&](const Json& comment) {
    const std::string id = Text(comment, "id"), parent = Text(comment, "parent");
    if (!id.empty()) parents[id] = parent == "0" ? "" : parent;
  };
  for (const Json& comment : comments) learn(comment);
  // The roots of those seen before are known: nothing has to be climbed for them.
  for (const SeenComment& one : round->watched) parents[one.id] = one.root == one.id ? "" : one.root;
  for (int level = 0, single = 0; level < kDepthMax; ++level) {
    std::vector<std::string> unknown;
    for (const auto& [id, parent] : parents) {
      const bool seen = round->Find(id) != nullptr;
      if (!seen && !parent.empty() && parents.count(parent) == 0 && IsNumber(parent) && unknown.size() < kPerPageMax) unknown.push_back(parent);
    }
    std::sort(unknown.begin(), unknown.end());
    unknown.erase(std::unique(unknown.begin(), unknown.end()), unknown.end());
    if (unknown.empty()) break;
    const Answer answer = Ask(call, account, "GET", kComments,
                              "context=edit&status=any&per_page=" + std::to_string(kPerPageMax) + "&include=" + Joined(unknown));
    if (!answer.ok()) return FailedRead(answer, account);
    if (!answer.json.is_array() || answer.json.size() > kPageItemsMax) return UnintelligibleRead();
    for (const Json& comment : answer.json) learn(comment);
    for (const std::string& id : unknown) {
      if (parents.count(id) > 0) continue;
      if (++single <= kSingleReadsMax) {   // a site that does not know `include`
        const Answer one = Ask(call, account, "GET", std::string(kComments) + "/" + id, "context=edit");
        if (one.ok()) learn(one.json);
      }
      parents.try_emplace(id, "");   // gone: what hangs below it is a thread of its own
    }
  }
  for (const Json& comment : comments) {
    const std::string id = Text(comment, "id");
    std::string root = id;
    for (int level = 0; level < kDepthMax; ++level) {
      const auto parent = parents.find(root);
      if (parent == parents.end() || parent->second.empty()) break;
      root = parent->second;
    }
    round->roots[id] = root;
  }
  return absl::OkStatus();
}

Status WordPressConnector::ReadNewComments(const Call& call, const Account& account, int limit, Round* round, PollPage* page) {
  const int per_page = std::clamp(limit, 1, kPerPageMax);
  const Answer answer = Ask(call, account, "GET", kComments,
                            "context=edit&status=all&type=comment&orderby=date_gmt&order=asc&per_page=" + std::to_string(per_page) +
                                "&page=" + std::to_string(round->page) + "&after=" + net::UrlEncode(FormatIsoTime(absl::FromUnixSeconds(round->after))));
  if (!answer.ok()) return FailedRead(answer, account);
  if (!answer.json.is_array() || answer.json.size() > kPageItemsMax) return UnintelligibleRead();
  page->rate = answer.rate;
  PARVIS_RETURN_IF_ERROR(FindRoots(call, account, round, answer.json));
  int64_t newest = round->after;
  for (const Json& comment : answer.json) {
    const std::string id = Text(comment, "id"), status = Text(comment, "status");
    const auto time = ParseIsoTime(Text(comment, "date_gmt"));
    if (id.empty() || !time) {
      page->unparsed.push_back({Dump(comment), "MISSING_FIELD", "a comment without id or date_gmt"});
      continue;
    }
    newest = std::max(newest, absl::ToUnixSeconds(*time - SeenComments::kOverlap));
    if (round->Find(id) != nullptr || (!IsShown(status) && !IsHeld(status))) continue;
    Happening h = HappeningOf(comment, account, *round);
    round->Watch({id, h.thread, h.post_remote_id, IsHeld(status), LookOf(h.text)});
    page->happenings.push_back(h);
    if (IsHeld(status)) {   // nobody sees it until it is approved
      h.kind = Happening::Kind::kHide;
      page->happenings.push_back(std::move(h));
    }
  }
  page->more = static_cast<int>(answer.json.size()) >= per_page;
  round->MoveOn(newest, page->more ? round->page + 1 : 0);
  return absl::OkStatus();
}

Status WordPressConnector::ReadWatched(const Call& call, const Account& account, Round* round, PollPage* page) {
  if (round->watched.empty()) return absl::OkStatus();
  std::vector<std::string> ids;
  for (const SeenComment& one : round->watched) {
    if (IsNumber(one.id)) ids.push_back(one.id);
  }
  const Answer answer = Ask(call, account, "GET", kComments,
                            "context=edit&status=any&orderby=date_gmt&order=desc&per_page=" + std::to_string(kPerPageMax) + "&include=" + Joined(ids));
  if (!answer.ok()) return FailedRead(answer, account);
  if (!answer.json.is_array() || answer.json.size() > kPageItemsMax) return UnintelligibleRead();
  std::map<std::string, Json> now;
  for (const Json& comment : answer.json) now.emplace(Text(comment, "id"), comment);
  const absl::Time seen = clock_.WallNow();
  int single = 0;
  std::deque<SeenComment> kept;
  for (SeenComment& one : round->watched) {
    auto found = now.find(one.id);
    bool gone = false;
    if (found == now.end()) {   // gone, unless the site does not know `include`
      if (++single > kSingleReadsMax) {
        kept.push_back(one);
        continue;
      }
      const Answer single_answer = Ask(call, account, "GET", std::string(kComments) + "/" + one.id, "context=edit");
      gone = single_answer.answered() && single_answer.refusal.error == ErrorClass::kNotFound;
      if (!gone && (!single_answer.ok() || Text(single_answer.json, "id") != one.id)) {
        kept.push_back(one);
        continue;
      }
      const Json last = {{"id", one.id}, {"post", one.post}, {"parent", one.root == one.id ? "" : one.root}};
      found = now.emplace(one.id, gone ? last : single_answer.json).first;
    }
    round->roots[one.id] = one.root;
    Happening h = HappeningOf(found->second, account, *round);
    h.by_us = false;   // who changed it, nobody tells
    h.occurred_at = seen;
    h.revision = absl::ToUnixMicros(seen);
    const std::string status = Text(found->second, "status");
    if (gone || status == "trash" || status == "spam") {
      h.kind = Happening::Kind::kRemoval;
      h.text.clear();
      page->happenings.push_back(std::move(h));
      continue;
    }
    if (const uint32_t look = LookOf(h.text); look != one.look) {
      one.look = look;
      h.kind = Happening::Kind::kEdit;
      page->happenings.push_back(h);
    }
    if (IsHeld(status) != one.hidden && (IsHeld(status) || IsShown(status))) {
      one.hidden = IsHeld(status);
      h.kind = one.hidden ? Happening::Kind::kHide : Happening::Kind::kUnhide;
      page->happenings.push_back(std::move(h));
    }
    kept.push_back(one);
  }
  round->watched = std::move(kept);
  return absl::OkStatus();
}

StatusOr<PollPage> WordPressConnector::Poll(const Call& call, const Account& account, const std::string& cursor, absl::Time since, int limit) {
  const Json place = ParseJson(cursor);
  Round round(place, since);
  round.me = Text(place, "m");
  if (round.me.empty()) {
    const Answer answer = Ask(call, account, "GET", "/wp/v2/users/me", "");
    if (!answer.ok()) return FailedRead(answer, account);
    round.me = Text(answer.json, "id");
  }
  PollPage page;
  PARVIS_RETURN_IF_ERROR(ReadNewComments(call, account, limit, &round, &page));
  // Before the comments of this page are looked at again, they have had time to change: only when nothing more is new.
  if (!page.more) PARVIS_RETURN_IF_ERROR(ReadWatched(call, account, &round, &page));
  Json next = round.Encode();
  next["m"] = round.me;
  page.cursor = Dump(next);
  return page;
}

}  // namespace parvis::networks
