// What is read from the Graph API: who we are, our own items, comments.
#include <absl/strings/numbers.h>

#include <algorithm>

#include "networks/facebook/facebook.h"
#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

constexpr int kPageMax = 100;              // items a request (facts 1.3)
constexpr size_t kPostsPerRoundMax = 100;  // newest posts whose comments a round of polling reads
constexpr int kFeedPagesMax = 5;
constexpr absl::Duration kOverlap = absl::Minutes(1);
constexpr size_t kTextMax = 64 << 10;
const char kCommentFields[] = "id,message,from{id,name},created_time,parent{id},is_hidden,permalink_url,attachment";

OwnItem ItemOf(const Json& json) {
  OwnItem item;
  item.remote_id = Text(json, "id");
  item.permalink = Text(json, "permalink_url");
  item.text = Text(json, "message");
  item.parent_remote_id = Text(Member(json, "parent"), "id");
  item.created_at = ParseIsoTime(Text(json, "created_time")).value_or(absl::InfinitePast());
  item.hidden = IsTrue(json, "is_hidden");
  return item;
}

std::optional<Happening> CommentOf(const Json& json, const std::string& page, const std::string& post) {
  Happening h;
  h.kind = Happening::Kind::kComment;
  h.account_remote_id = page;
  h.remote_id = Text(json, "id");
  const auto created = ParseIsoTime(Text(json, "created_time"));
  if (h.remote_id.empty() || !created) return std::nullopt;
  const std::string parent = Text(Member(json, "parent"), "id");
  h.thread = h.conversation = parent.empty() ? h.remote_id : parent;
  h.parent_remote_id = parent.empty() ? post : parent;
  h.post_remote_id = post;
  h.author_remote_id = Text(Member(json, "from"), "id");
  h.author_name = text::ToUtf8(Text(Member(json, "from"), "name"));
  h.text = text::CutBytes(text::ToUtf8(Text(json, "message")), kTextMax);
  h.occurred_at = *created;
  h.revision = absl::ToUnixMicros(*created);
  h.by_us = !page.empty() && h.author_remote_id == page;
  h.permalink = Text(json, "permalink_url");
  const Json& attachment = Member(json, "attachment");
  if (const std::string url = Text(attachment, "url"); !url.empty()) h.attachments.emplace_back(Text(attachment, "type"), url);
  return h;
}

// Where a round of polling stands. One round reads the newest posts, then the comments of each since `since`.
struct Cursor {
  int64_t since = 0;        // Unix seconds
  int64_t next_since = 0;   // of the next round
  bool listed = false;      // the posts of this round are known
  std::vector<std::string> posts;   // still to read; the first one is at hand
  std::string after;        // page inside the first post
};

Cursor CursorOf(const std::string& text, absl::Time since) {
  Cursor cursor;
  cursor.since = std::max<int64_t>(0, absl::ToUnixSeconds(since));
  const Json json = ParseJson(text);
  const Json& s = Member(json, "s");
  if (!s.is_number_integer()) return cursor;
  cursor.since = s.get<int64_t>();
  const Json& n = Member(json, "n");
  if (!n.is_number_integer()) return cursor;
  cursor.next_since = n.get<int64_t>();
  cursor.listed = true;
  const Json& posts = Member(json, "p");
  for (size_t i = 0; posts.is_array() && i < posts.size() && i < kPostsPerRoundMax; ++i) {
    if (posts[i].is_string()) cursor.posts.push_back(posts[i].get<std::string>());
  }
  cursor.after = Text(json, "a");
  return cursor;
}

std::string TextOf(const Cursor& cursor) {
  Json json = {{"s", cursor.since}};
  if (cursor.listed) {
    json["n"] = cursor.next_since;
    json["p"] = cursor.posts;
    if (!cursor.after.empty()) json["a"] = cursor.after;
  }
  return Dump(json);
}

}  // namespace

StatusOr<Identity> FacebookConnector::WhoAmI(const Call& call, const Account& account) {
  const Answer answer = Ask(call, account, "GET", "/me", {{"fields", "id,name,username,link"}});
  if (!answer.ok()) return FailedRead(answer, account);
  Identity identity;
  identity.remote_id = Text(answer.json, "id");
  identity.name = Text(answer.json, "name");
  identity.handle = Text(answer.json, "username");
  identity.url = Text(answer.json, "link");
  if (identity.remote_id.empty()) return UnintelligibleRead();
  return identity;
}

// All of `edge` since `since` that is of the page: the author is the page, or nobody where `unsigned_too`.
StatusOr<std::vector<OwnItem>> FacebookConnector::OwnItems(const Call& call, const Account& account, const std::string& edge,
                                                           Fields fields, absl::Time since, int limit, bool unsigned_too) {
  fields.emplace_back("since", std::to_string(std::max<int64_t>(0, absl::ToUnixSeconds(since))));
  fields.emplace_back("limit", std::to_string(std::clamp(limit, 1, kPageMax)));
  std::vector<OwnItem> out;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string& after) {
        Fields asked = fields;
        if (!after.empty()) asked.emplace_back("after", after);
        return Ask(call, account, "GET", edge, std::move(asked));
      },
      [&](const Answer& answer) -> StatusOr<std::string> {
        const Json& data = Member(answer.json, "data");
        if (!data.is_array()) return UnintelligibleRead();
        for (const Json& one : data) {
          const std::string author = Text(Member(one, "from"), "id");
          if (author == account.remote_id || (unsigned_too && author.empty())) out.push_back(ItemOf(one));
        }
        return meta::NextPage(answer.json);
      }));
  return out;
}

StatusOr<std::vector<OwnItem>> FacebookConnector::OwnComments(const Call& call, const Account& account, const std::string& below,
                                                              absl::Time since, int limit) {
  return OwnItems(call, account, "/" + net::UrlEncode(below) + "/comments",
                  {{"filter", "stream"}, {"order", "reverse_chronological"}, {"fields", kCommentFields}}, since, limit, false);
}

// Reels are listed apart from the feed, by their video.
StatusOr<std::vector<OwnItem>> FacebookConnector::OwnReels(const Call& call, const Account& account, absl::Time since, int limit) {
  std::vector<OwnItem> out;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string& after) {
        Fields fields = {{"fields", "id,description,created_time,permalink_url"}, {"limit", std::to_string(std::clamp(limit, 1, kPageMax))}};
        if (!after.empty()) fields.emplace_back("after", after);
        return Ask(call, account, "GET", meta::Path(account.remote_id, "/video_reels"), std::move(fields));
      },
      [&](const Answer& answer) -> StatusOr<std::string> {
        const Json& data = Member(answer.json, "data");
        if (!data.is_array() || data.size() > kPageItemsMax) return UnintelligibleRead();
        for (const Json& one : data) {
          OwnItem item = ItemOf(one);
          item.text = Text(one, "description");
          if (item.created_at >= since - absl::Seconds(1)) out.push_back(std::move(item));
        }
        return meta::NextPage(answer.json);
      }));
  return out;
}

StatusOr<std::vector<OwnItem>> FacebookConnector::OwnStories(const Call& call, const Account& account, absl::Time since, int limit) {
  std::vector<OwnItem> out;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string& after) {
        Fields fields = {{"fields", "post_id,creation_time,url"}, {"limit", std::to_string(std::clamp(limit, 1, kPageMax))}};
        if (!after.empty()) fields.emplace_back("after", after);
        return Ask(call, account, "GET", meta::Path(account.remote_id, "/stories"), std::move(fields));
      },
      [&](const Answer& answer) -> StatusOr<std::string> {
        const Json& data = Member(answer.json, "data");
        if (!data.is_array() || data.size() > kPageItemsMax) return UnintelligibleRead();
        for (const Json& one : data) {
          OwnItem item;
          item.remote_id = Text(one, "post_id");
          item.permalink = Text(one, "url");
          const std::string time = Text(one, "creation_time");   // Unix seconds
          int64_t seconds = 0;
          if (item.remote_id.empty() || !absl::SimpleAtoi(time, &seconds)) return UnintelligibleRead();
          item.created_at = absl::FromUnixSeconds(seconds);
          if (item.created_at >= since - absl::Seconds(1)) out.push_back(std::move(item));
        }
        return meta::NextPage(answer.json);
      }));
  return out;
}

// What concerns the author of the target: what was written to them, or whether they are blocked (`hidden`).
StatusOr<std::vector<OwnItem>> FacebookConnector::Person(const Call& call, const Account& account, const Write& write, absl::Time since) {
  std::string person = write.target_author_id;
  if (person.empty()) {
    const Answer answer = AskAuthor(call, account, write.target_remote_id);
    if (!answer.ok()) return FailedRead(answer, account);
    person = Text(Member(answer.json, "from"), "id");
    if (person.empty()) return CannotReadBack(write.kind, capabilities_);
  }
  if (write.kind == WriteKind::kPrivateReply) return meta::MessagesTo(http_, call, account, "messenger", person, since);
  OwnItem item;
  item.remote_id = person;
  PARVIS_RETURN_IF_ERROR(ReadPages(
      account,
      [&](const std::string& after) {
        Fields fields = {{"user", person}};
        if (!after.empty()) fields.emplace_back("after", after);
        return Ask(call, account, "GET", meta::Path(account.remote_id, "/blocked"), std::move(fields));
      },
      [&](const Answer& answer) -> StatusOr<std::string> {
        const Json& data = Member(answer.json, "data");
        if (!data.is_array() || data.size() > kPageItemsMax) return UnintelligibleRead();
        for (const Json& one : data) item.hidden = item.hidden || Text(one, "id") == person;
        return item.hidden ? "" : meta::NextPage(answer.json);
      }));
  return std::vector<OwnItem>{std::move(item)};
}

StatusOr<std::vector<OwnItem>> FacebookConnector::ReadBack(const Call& call, const Account& account, const Write& write, absl::Time since,
                                                           int limit) {
  if (write.kind == WriteKind::kPost) {
    if (write.draft.format == PostFormat::kReel) return OwnReels(call, account, since, limit);
    if (write.draft.format == PostFormat::kStory) return OwnStories(call, account, since, limit);
    return OwnItems(call, account, "/" + net::UrlEncode(account.remote_id) + "/feed",
                    {{"fields", "id,message,from{id},created_time,permalink_url,is_hidden"}}, since, limit, true);
  }
  const bool shown = write.kind == WriteKind::kReply || write.kind == WriteKind::kHide || write.kind == WriteKind::kUnhide ||
                     write.kind == WriteKind::kDelete;
  const bool of_person = write.kind == WriteKind::kPrivateReply || write.kind == WriteKind::kBan || write.kind == WriteKind::kUnban;
  if (of_person) return Person(call, account, write, since);
  if (!shown) return CannotReadBack(write.kind, capabilities_);
  const std::string target = "/" + net::UrlEncode(write.target_remote_id);
  if (write.kind == WriteKind::kReply) {
    PARVIS_ASSIGN_OR_RETURN(std::vector<OwnItem> out, OwnComments(call, account, write.target_remote_id, since, limit));
    // A reply to a reply hangs below the top-level comment.
    const Answer answer = Ask(call, account, "GET", target, {{"fields", "id,parent{id}"}});
    const std::string parent = answer.ok() ? Text(Member(answer.json, "parent"), "id") : "";
    if (parent.empty()) return out;
    PARVIS_ASSIGN_OR_RETURN(std::vector<OwnItem> more, OwnComments(call, account, parent, since, limit));
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  const Answer answer = Ask(call, account, "GET", target, {{"fields", "id,message,created_time,is_hidden,permalink_url,parent{id}"}});
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return std::vector<OwnItem>();
  if (!answer.ok()) return FailedRead(answer, account);
  if (Text(answer.json, "id").empty()) return UnintelligibleRead();
  return std::vector<OwnItem>{ItemOf(answer.json)};
}

// The newest posts; pages may be short or empty and still have a next one.
Status FacebookConnector::ListPosts(const Call& call, const Account& account, std::vector<std::string>* posts, RateState* rate) {
  std::string after;
  for (int pages = 0; pages < kFeedPagesMax && posts->size() < kPostsPerRoundMax; ++pages) {
    Fields fields = {{"fields", "id"}, {"limit", std::to_string(kPageMax)}};
    if (!after.empty()) fields.emplace_back("after", after);
    const Answer answer = Ask(call, account, "GET", "/" + net::UrlEncode(account.remote_id) + "/feed", std::move(fields));
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& data = Member(answer.json, "data");
    if (!data.is_array()) return UnintelligibleRead();
    *rate = answer.rate;
    for (const Json& post : data) {
      if (const std::string id = Text(post, "id"); !id.empty() && posts->size() < kPostsPerRoundMax) posts->push_back(id);
    }
    const std::string next = meta::NextPage(answer.json);
    if (next.empty() || next == after) break;
    after = next;
  }
  return absl::OkStatus();
}

StatusOr<PollPage> FacebookConnector::Poll(const Call& call, const Account& account, const std::string& cursor_text, absl::Time since,
                                           int limit) {
  Cursor cursor = CursorOf(cursor_text, since);
  PollPage page;
  if (!cursor.listed) {
    // What is written while a round runs may lie behind it: the next one begins before this one began.
    cursor.next_since = absl::ToUnixSeconds(clock_.WallNow() - kOverlap);
    PARVIS_RETURN_IF_ERROR(ListPosts(call, account, &cursor.posts, &page.rate));
    cursor.listed = true;
  }
  if (!cursor.posts.empty()) {
    const std::string post = cursor.posts.front();
    Fields fields = {{"filter", "stream"}, {"order", "chronological"}, {"since", std::to_string(cursor.since)},
                     {"limit", std::to_string(std::clamp(limit, 1, kPageMax))}, {"fields", kCommentFields}};
    if (!cursor.after.empty()) fields.emplace_back("after", cursor.after);
    const Answer answer = Ask(call, account, "GET", "/" + net::UrlEncode(post) + "/comments", std::move(fields));
    page.rate = answer.rate;
    const bool gone = answer.answered() && answer.refusal.error == ErrorClass::kNotFound;
    if (!answer.ok() && !gone) return FailedRead(answer, account);
    const Json& data = Member(answer.json, "data");
    if (!gone && (!data.is_array() || data.size() > kPageItemsMax)) return UnintelligibleRead();
    for (size_t i = 0; !gone && i < data.size(); ++i) {
      if (auto happening = CommentOf(data[i], account.remote_id, post)) {
        page.happenings.push_back(*std::move(happening));
      } else {
        page.unparsed.push_back({Dump(data[i]), "MISSING_FIELD", "a comment without id or time"});
      }
    }
    const std::string next = gone ? "" : meta::NextPage(answer.json);
    // A page that leads to itself would never end.
    cursor.after = next == cursor.after ? "" : next;
    if (cursor.after.empty()) cursor.posts.erase(cursor.posts.begin());
  }
  page.more = !cursor.posts.empty();
  if (!page.more) {
    Cursor fresh;
    fresh.since = std::max(cursor.since, cursor.next_since);
    cursor = fresh;
  }
  page.cursor = TextOf(cursor);
  return page;
}

}  // namespace parvis::networks
