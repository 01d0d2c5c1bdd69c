// Comments by polling (facts 4.3), within the quota: a round costs one unit a request.
//
// A round: the threads of the channel, newest first, back to what the last round saw (at least one page, for replies
// below threads that are known); the replies of threads whose number of replies changed and that are more than the
// sample which threads carry; then what is held for review and what is likely spam, which comes as a comment that is
// hidden.
//
// Cursor: s newest comment of complete rounds, n of this one (microseconds); m the stage; t the page; c replies seen by
// thread; q threads whose replies are to be read, with their video; k how many pages of this stage were read.
#include <algorithm>

#include "networks/text/unicode.h"
#include "networks/youtube/youtube.h"

namespace parvis::networks {
namespace {

constexpr size_t kTextMax = 64 << 10;
constexpr size_t kThreadsRemembered = 200;
constexpr int kPagesMax = 50;  // of one stage: YouTube shows at most 500 replies, and a first round may be long
// What appears late (YouTube's own check may hold a comment for a while) is still seen; natural keys make the rest
// harmless.
constexpr absl::Duration kOverlap = absl::Hours(1);
constexpr const char* kStages[] = {"published", "replies", "heldForReview", "likelySpam"};

struct State {
  int64_t seen = 0, newest = 0;
  size_t stage = 0;
  int pages = 0;
  std::string token;
  Json replies = Json::object();  // thread -> number
  Json queue = Json::array();     // [thread, video]
};

State ReadState(const std::string& cursor) {
  const Json json = ParseJson(cursor);
  State state;
  state.seen = NumberOf(json, "s");
  state.newest = NumberOf(json, "n");
  state.stage = static_cast<size_t>(std::clamp<int64_t>(NumberOf(json, "m"), 0, std::size(kStages) - 1));
  state.pages = static_cast<int>(std::clamp<int64_t>(NumberOf(json, "k"), 0, kPagesMax));
  state.token = Text(json, "t");
  if (Member(json, "c").is_object()) state.replies = Member(json, "c");
  if (Member(json, "q").is_array()) state.queue = Member(json, "q");
  return state;
}

std::string WriteState(const State& state) {
  Json json = {{"s", state.seen}};
  if (state.newest != 0) json["n"] = state.newest;
  if (state.stage != 0) json["m"] = state.stage;
  if (state.pages != 0) json["k"] = state.pages;
  if (!state.token.empty()) json["t"] = state.token;
  if (!state.replies.empty()) json["c"] = state.replies;
  if (!state.queue.empty()) json["q"] = state.queue;
  return Dump(json);
}

// What a page is turned into.
struct Reader {
  const Account& account;
  absl::Time floor;  // older is known
  bool hidden;
  PollPage* page;

  // The time of the comment; nullopt when it is none.
  std::optional<absl::Time> Take(const Json& comment, std::string video) const {
    const Json& snippet = Member(comment, "snippet");
    Happening h;
    h.remote_id = text::ToUtf8(Text(comment, "id"));
    const auto published = ParseIsoTime(Text(snippet, "publishedAt"));
    if (h.remote_id.empty() || !published || *published < absl::UnixEpoch()) {
      page->unparsed.push_back({Dump(comment), "MISSING_FIELD",
                                "a comment without id or publishedAt"});
      return std::nullopt;
    }
    const auto updated = ParseIsoTime(Text(snippet, "updatedAt")).value_or(*published);
    h.account_remote_id = account.remote_id;
    h.parent_remote_id = Text(snippet, "parentId");
    if (h.parent_remote_id.empty() && TopLevelComment(h.remote_id) != h.remote_id) {
      h.parent_remote_id = TopLevelComment(h.remote_id);
    }
    h.thread = h.conversation = h.parent_remote_id.empty() ? h.remote_id : h.parent_remote_id;
    if (video.empty()) video = Text(snippet, "videoId");
    h.post_remote_id = video;
    h.author_remote_id = Text(Member(snippet, "authorChannelId"), "value");
    h.author_name = text::ToUtf8(Text(snippet, "authorDisplayName"));
    if (!h.author_name.empty() && h.author_name[0] == '@') h.author_handle = h.author_name.substr(1);
    h.by_us = h.author_remote_id == account.remote_id;
    std::string words = Text(snippet, "textOriginal");
    if (words.empty()) words = Text(snippet, "textDisplay");
    h.text = text::CutBytes(text::ToUtf8(words), kTextMax);
    if (!video.empty())
      h.permalink = "https://www.youtube.com/watch?v=" + net::UrlEncode(video) + "&lc=" + net::UrlEncode(h.remote_id);
    h.occurred_at = *published;
    h.revision = absl::ToUnixMicros(*published);
    if (*published >= floor) {
      page->happenings.push_back(h);
      // A thread is in these lists when any of its comments waits: each says for itself whether it does.
      const std::string status = Text(snippet, "moderationStatus");
      if (hidden && status != "published") {
        Happening held = h;
        held.kind = Happening::Kind::kHide;
        held.text.clear();
        page->happenings.push_back(std::move(held));
      }
    }
    if (updated > *published && updated >= floor) {
      h.kind = Happening::Kind::kEdit;
      h.occurred_at = updated;
      h.revision = absl::ToUnixMicros(updated);
      page->happenings.push_back(std::move(h));
    }
    return *published;
  }
};

std::string PostOf(const Json& thread) {
  const Json& snippet = Member(thread, "snippet");
  const std::string video = Text(snippet, "videoId");
  return video.empty() ? Text(snippet, "postId") : video;  // comments can hang on a community post
}

// Threads of one page; true when all of its comments are new, so that older ones may be new as well.
bool TakeThreads(const Json& items, const Reader& reader, absl::Time now, State* state) {
  bool all_new = true;
  for (size_t i = items.size(); i > 0; --i) {  // oldest first
    const Json& thread = items[i - 1];
    const Json& snippet = Member(thread, "snippet");
    const Json& top = Member(snippet, "topLevelComment");
    const std::string id = Text(top, "id");
    const auto time = reader.Take(top, PostOf(thread));
    if (!time) continue;
    if (*time < reader.floor) all_new = false;
    if (!reader.hidden) state->newest = std::max(state->newest, absl::ToUnixMicros(std::min(*time, now)));
    const Json& sample = Member(Member(thread, "replies"), "comments");
    size_t shown = 0;
    for (; sample.is_array() && shown < sample.size() && shown < kPageItemsMax; ++shown) {
      reader.Take(sample[shown], PostOf(thread));
    }
    const int64_t count = NumberOf(snippet, "totalReplyCount");
    if (reader.hidden || count == 0) continue;
    const bool known = state->replies.contains(id) && NumberOf(state->replies, id.c_str()) == count;
    if (known) continue;
    if (count > static_cast<int64_t>(shown)) {
      if (state->queue.size() >= kThreadsRemembered) continue;  // not remembered either: the next round reads them
      state->queue.push_back({id, PostOf(thread)});
    }
    if (state->replies.size() < kThreadsRemembered || state->replies.contains(id)) state->replies[id] = count;
  }
  return all_new;
}

// To the next stage that has something to ask, or to the end of the round.
bool NextStage(State* state) {
  state->token.clear();
  state->pages = 0;
  ++state->stage;
  if (kStages[std::min(state->stage, std::size(kStages) - 1)] == std::string_view("replies") && state->queue.empty())
    ++state->stage;
  if (state->stage < std::size(kStages)) return true;
  state->stage = 0;
  state->seen = std::max(state->seen, state->newest);
  state->newest = 0;
  return false;
}

}  // namespace

StatusOr<PollPage> YouTubeConnector::Poll(const Call& call, const Account& account, const std::string& cursor,
                                          absl::Time since, int limit) {
  State state = ReadState(cursor);
  if (state.stage == 1 && (state.queue.empty() || !state.queue[0].is_array() || state.queue[0].size() != 2))
    state = ReadState("");
  const bool replies = state.stage == 1;
  PollPage page;
  const absl::Time floor = state.seen == 0 ? since : std::max(since, absl::FromUnixMicros(state.seen) - kOverlap);
  const Reader reader{account, floor, state.stage > 1, &page};
  if (state.stage == 0 && state.token.empty() && state.replies.size() >= kThreadsRemembered)
    state.replies = Json::object();
  Query query = {{"part", replies ? "snippet" : "snippet,replies"},
                 {"maxResults", std::to_string(std::clamp(limit, 1, 100))},
                 {"textFormat", "plainText"}};
  if (replies) {
    query.emplace_back("parentId", state.queue[0][0].is_string() ? state.queue[0][0].get<std::string>() : "");
  } else {
    query.emplace_back("allThreadsRelatedToChannelId", account.remote_id);
    query.emplace_back("order", "time");
    query.emplace_back("moderationStatus", kStages[state.stage]);
  }
  if (!state.token.empty()) query.emplace_back("pageToken", state.token);
  const Answer answer =
      Ask(call, account, "GET", replies ? "/youtube/v3/comments" : "/youtube/v3/commentThreads", query);
  const bool gone =
      replies && answer.answered() && answer.refusal.error == ErrorClass::kNotFound;  // the thread was deleted
  if (!answer.ok() && !gone) return FailedRead(answer, account);
  const Json& items = Member(answer.json, "items");
  if (!gone && (!items.is_array() || items.size() > kPageItemsMax)) return UnintelligibleRead();
  page.rate = answer.rate;
  bool on = true;  // whether the next page of this stage may hold something new
  if (!gone && replies) {
    const Json& video = state.queue[0][1];
    for (const Json& one : items) reader.Take(one, video.is_string() ? video.get<std::string>() : "");
  } else if (!gone) {
    on = TakeThreads(items, reader, clock_.WallNow(), &state);
  }
  const std::string next = gone ? "" : Text(answer.json, "nextPageToken");
  if (!next.empty() && next == state.token) return UnintelligibleRead();
  if (on && !next.empty() && ++state.pages < kPagesMax) {
    state.token = next;
    page.more = true;
  } else if (replies && state.queue.size() > 1) {
    state.queue.erase(state.queue.begin());
    state.token.clear();
    state.pages = 0;
    page.more = true;
  } else {
    if (replies) state.queue = Json::array();
    page.more = NextStage(&state);
  }
  page.cursor = WriteState(state);
  return page;
}

}  // namespace parvis::networks
