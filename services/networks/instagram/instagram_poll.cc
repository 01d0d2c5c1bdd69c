// Polling (facts 2.3). A round reads the media in which we are tagged, then the comments of our newest posts, each with its
// replies: comments are listed by top-level comment and take no `since`, so that all of them are looked at and the new ones
// are given.
#include <algorithm>

#include "networks/instagram/instagram.h"
#include "networks/text/unicode.h"

namespace parvis::networks {
namespace {

constexpr int kPageMax = 50;               // comments a request
constexpr int kRepliesInPage = 25;         // that come with a comment
constexpr size_t kPostsPerRoundMax = 50;   // newest posts whose comments a round reads
constexpr int kListPagesMax = 5, kTagPagesMax = 10, kCommentPagesMax = 20;
constexpr size_t kOpenRepliesMax = 1000;
constexpr absl::Duration kOverlap = absl::Minutes(1);
constexpr size_t kTextMax = 64 << 10;
const char kReplyFields[] = "id,text,timestamp,username,from,user,parent_id,hidden";

// Empty when the part has no id or time.
std::optional<Happening> CommentOf(const Json& json, const Account& account, const std::string& post,
                                   const std::string& below) {
  Happening h;
  h.kind = Happening::Kind::kComment;
  h.revision = kInstagramOnlyRevision;
  h.account_remote_id = account.remote_id;
  h.remote_id = Text(json, "id");
  const auto time = ParseIsoTime(Text(json, "timestamp"));
  if (h.remote_id.empty() || !time) return std::nullopt;
  std::string parent = Text(json, "parent_id");
  if (parent.empty()) parent = below;
  h.thread = h.conversation = parent.empty() ? h.remote_id : parent;
  h.parent_remote_id = parent.empty() ? post : parent;
  h.post_remote_id = post;
  h.author_remote_id = Text(Member(json, "from"), "id");
  std::string name = Text(Member(json, "from"), "username");
  if (name.empty()) name = Text(json, "username");
  h.author_name = h.author_handle = text::ToUtf8(name);
  h.text = text::CutBytes(text::ToUtf8(Text(json, "text")), kTextMax);
  h.occurred_at = std::max(*time, absl::UnixEpoch());
  const std::string user = Text(Member(json, "user"), "id");
  h.by_us = !account.remote_id.empty() && (h.author_remote_id == account.remote_id || user == account.remote_id);
  if (h.by_us) h.author_remote_id = account.remote_id;
  return h;
}

std::optional<Happening> MentionOf(const Json& json, const Account& account) {
  Happening h;
  h.kind = Happening::Kind::kMention;
  h.revision = kInstagramOnlyRevision;
  h.account_remote_id = account.remote_id;
  h.remote_id = Text(json, "id");
  const auto time = ParseIsoTime(Text(json, "timestamp"));
  if (h.remote_id.empty() || !time) return std::nullopt;
  h.thread = h.conversation = h.post_remote_id = h.remote_id;
  h.author_name = h.author_handle = text::ToUtf8(Text(json, "username"));
  h.text = text::CutBytes(text::ToUtf8(Text(json, "caption")), kTextMax);
  h.occurred_at = std::max(*time, absl::UnixEpoch());
  h.permalink = Text(json, "permalink");
  return h;
}

void Take(std::optional<Happening> happening, const Json& json, int64_t since, PollPage* page) {
  if (!happening) {
    page->unparsed.push_back({Dump(json), "MISSING_FIELD", "an item without id or time"});
  } else if (absl::ToUnixSeconds(happening->occurred_at) >= since) {
    page->happenings.push_back(*std::move(happening));
  }
}

std::vector<std::string> TextsOf(const Json& json, size_t max) {
  std::vector<std::string> out;
  if (!json.is_array()) return out;
  for (const Json& one : json) {
    if (one.is_string() && out.size() < max) out.push_back(one.get<std::string>());
  }
  return out;
}

int64_t NumberOr(const Json& value, int64_t otherwise) {
  return value.is_number_integer() ? value.get<int64_t>() : otherwise;
}

}  // namespace

// Where a round stands.
struct InstagramConnector::Round {
  int64_t since = 0;       // Unix seconds
  int64_t next_since = 0;  // of the next round
  bool listed = false;     // the posts of this round are known
  bool tags = true;        // still to read
  std::vector<std::string> posts;     // still to read; the first one is at hand
  std::vector<std::string> replies;   // comments of the first post that have more of them than came along
  std::string after;       // page inside the list at hand: tags, replies, comments, in this order
  std::string comments_after;         // where the comments go on after `replies`
  int pages = 0;           // of the list at hand

  static Round Of(const std::string& text, absl::Time since) {
    Round round;
    round.since = std::max<int64_t>(0, absl::ToUnixSeconds(since));
    const Json json = ParseJson(text);
    round.since = NumberOr(Member(json, "s"), round.since);
    if (!Member(json, "n").is_number_integer()) return round;
    round.listed = true;
    round.next_since = Member(json, "n").get<int64_t>();
    round.tags = NumberOr(Member(json, "t"), 0) != 0;
    round.posts = TextsOf(Member(json, "p"), kPostsPerRoundMax);
    round.replies = TextsOf(Member(json, "r"), kOpenRepliesMax);
    round.after = networks::Text(json, "a");
    round.comments_after = networks::Text(json, "c");
    round.pages = static_cast<int>(std::clamp<int64_t>(NumberOr(Member(json, "g"), 0), 0, kCommentPagesMax));
    return round;
  }
  std::string Text() const {
    Json json = {{"s", since}};
    if (listed) {
      json["n"] = next_since;
      json["t"] = tags ? 1 : 0;
      json["p"] = posts;
      if (!replies.empty()) json["r"] = replies;
      if (!after.empty()) json["a"] = after;
      if (!comments_after.empty()) json["c"] = comments_after;
      if (pages > 0) json["g"] = pages;
    }
    return Dump(json);
  }
  // Goes to `next` inside the list at hand; false when the list is at its end, or would go on for ever.
  bool GoOn(const std::string& next, int pages_max) {
    const bool more = !next.empty() && next != after && ++pages < pages_max;
    after = more ? next : "";
    if (!more) pages = 0;
    return more;
  }
  bool Done() const { return !tags && posts.empty(); }
};

// The newest posts that have comments at all.
Status InstagramConnector::ListMedia(const Call& call, const Account& account, Round* round, RateState* rate) {
  std::string after;
  size_t seen = 0;
  for (int pages = 0; pages < kListPagesMax && seen < kPostsPerRoundMax; ++pages) {
    Fields fields = {{"fields", "id,comments_count"}, {"limit", std::to_string(kPageMax)}};
    if (!after.empty()) fields.emplace_back("after", after);
    const Answer answer = Ask(call, account, "GET", meta::Path(account.remote_id, "/media"), std::move(fields));
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& data = Member(answer.json, "data");
    if (!data.is_array()) return UnintelligibleRead();
    *rate = answer.rate;
    for (const Json& media : data) {
      const std::string id = Text(media, "id");
      if (id.empty() || ++seen > kPostsPerRoundMax) continue;
      if (NumberOr(Member(media, "comments_count"), 1) != 0) round->posts.push_back(id);
    }
    const std::string next = meta::NextPage(answer.json);
    if (next.empty() || next == after) break;
    after = next;
  }
  return absl::OkStatus();
}

// Newest first: a page that reaches behind `since` is the last.
Status InstagramConnector::ReadTags(const Call& call, const Account& account, int limit, Round* round, PollPage* page) {
  Fields fields = {{"fields", "id,caption,timestamp,username,permalink"}, {"limit", std::to_string(limit)}};
  if (!round->after.empty()) fields.emplace_back("after", round->after);
  const Answer answer = Ask(call, account, "GET", meta::Path(account.remote_id, "/tags"), std::move(fields));
  page->rate = answer.rate;
  // An account that may not read these still has its comments.
  const ErrorClass error = answer.refusal.error;
  if (answer.answered() && (error == ErrorClass::kPermission || error == ErrorClass::kNotFound || error == ErrorClass::kInvalid)) {
    round->tags = round->GoOn("", kTagPagesMax);
    return absl::OkStatus();
  }
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& data = Member(answer.json, "data");
  if (!data.is_array() || data.size() > kPageItemsMax) return UnintelligibleRead();
  bool behind = false;
  for (const Json& media : data) {
    auto mention = MentionOf(media, account);
    behind = behind || (mention && absl::ToUnixSeconds(mention->occurred_at) < round->since);
    Take(std::move(mention), media, round->since, page);
  }
  round->tags = round->GoOn(behind ? "" : meta::NextPage(answer.json), kTagPagesMax);
  return absl::OkStatus();
}

// The replies of one comment that did not all come along with it.
Status InstagramConnector::ReadReplies(const Call& call, const Account& account, int limit, Round* round, PollPage* page) {
  const std::string comment = round->replies.front();
  Fields fields = {{"fields", kReplyFields}, {"limit", std::to_string(limit)}};
  if (!round->after.empty()) fields.emplace_back("after", round->after);
  const Answer answer = Ask(call, account, "GET", meta::Path(comment, "/replies"), std::move(fields));
  page->rate = answer.rate;
  const bool gone = answer.answered() && answer.refusal.error == ErrorClass::kNotFound;
  if (!answer.ok() && !gone) return FailedRead(answer, account);
  const Json& data = Member(answer.json, "data");
  if (!gone && (!data.is_array() || data.size() > kPageItemsMax)) return UnintelligibleRead();
  for (size_t i = 0; !gone && i < data.size(); ++i) {
    Take(CommentOf(data[i], account, round->posts.front(), comment), data[i], round->since, page);
  }
  if (!round->GoOn(gone ? "" : meta::NextPage(answer.json), kCommentPagesMax)) round->replies.erase(round->replies.begin());
  return absl::OkStatus();
}

Status InstagramConnector::ReadComments(const Call& call, const Account& account, int limit, Round* round, PollPage* page) {
  const std::string post = round->posts.front();
  Fields fields = {{"fields", std::string(kReplyFields) + ",replies.limit(" + std::to_string(kRepliesInPage) + "){" + kReplyFields + "}"},
                   {"limit", std::to_string(limit)}};
  if (!round->comments_after.empty()) fields.emplace_back("after", round->comments_after);
  const Answer answer = Ask(call, account, "GET", meta::Path(post, "/comments"), std::move(fields));
  page->rate = answer.rate;
  const bool gone = answer.answered() && answer.refusal.error == ErrorClass::kNotFound;
  if (!answer.ok() && !gone) return FailedRead(answer, account);
  const Json& data = Member(answer.json, "data");
  if (!gone && (!data.is_array() || data.size() > kPageItemsMax)) return UnintelligibleRead();
  for (size_t i = 0; !gone && i < data.size(); ++i) {
    const Json& comment = data[i];
    Take(CommentOf(comment, account, post, ""), comment, round->since, page);
    const Json& replies = Member(comment, "replies");
    const Json& items = Member(replies, "data");
    if (!items.is_array()) continue;
    if (items.size() > kPageItemsMax) return UnintelligibleRead();
    const std::string id = Text(comment, "id");
    for (const Json& reply : items) Take(CommentOf(reply, account, post, id), reply, round->since, page);
    if (!meta::NextPage(replies).empty() && !id.empty() && round->replies.size() < kOpenRepliesMax) round->replies.push_back(id);
  }
  const std::string next = gone ? "" : meta::NextPage(answer.json);
  round->comments_after = next == round->comments_after ? "" : next;   // a page that leads to itself would never end
  return absl::OkStatus();
}

StatusOr<PollPage> InstagramConnector::Poll(const Call& call, const Account& account, const std::string& cursor,
                                            absl::Time since, int limit) {
  Round round = Round::Of(cursor, since);
  PollPage page;
  limit = std::clamp(limit, 1, kPageMax);
  if (!round.listed) {
    // What is written while a round runs may lie behind it: the next one begins before this one began.
    round.next_since = absl::ToUnixSeconds(clock_.WallNow() - kOverlap);
    PARVIS_RETURN_IF_ERROR(ListMedia(call, account, &round, &page.rate));
    round.listed = true;
  }
  if (round.tags) {
    PARVIS_RETURN_IF_ERROR(ReadTags(call, account, limit, &round, &page));
  } else if (!round.posts.empty()) {
    if (!round.replies.empty()) {
      PARVIS_RETURN_IF_ERROR(ReadReplies(call, account, limit, &round, &page));
    } else {
      PARVIS_RETURN_IF_ERROR(ReadComments(call, account, limit, &round, &page));
    }
    if (round.replies.empty() && round.comments_after.empty()) round.posts.erase(round.posts.begin());
  }
  std::stable_sort(page.happenings.begin(), page.happenings.end(),
                   [](const Happening& a, const Happening& b) { return a.occurred_at < b.occurred_at; });
  page.more = !round.Done();
  if (!page.more) {
    Round fresh;
    fresh.since = std::max(round.since, round.next_since);
    round = fresh;
  }
  page.cursor = round.Text();
  return page;
}

}  // namespace parvis::networks
