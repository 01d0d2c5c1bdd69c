// Polling a forum. Its list of newest posts goes backwards only ("before" a number). A round first walks back to what
// the last round saw, remembering where each page began, and then reads those pages again from the oldest to the
// newest, so that what comes out is in the order of time. Deletions and edits of older posts come by webhook only.
#include <algorithm>

#include "networks/discourse/discourse.h"
#include "networks/discourse/discourse_parse.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {
namespace {

constexpr int64_t kPageIds = 50;
constexpr int kPagesPerPoll = 10;  // walked back in one call
constexpr size_t kMarksMax = 200;  // pages a round goes back; beyond, the newest wait for the next round
constexpr absl::Duration kOverlap = absl::Seconds(30);  // a post may be committed after one with a higher number

struct Round {
  int64_t seen = 0;             // posts up to this number are done, but for what comes late
  int64_t time = 0;             // of the newest of them, or of the beginning; Unix seconds
  bool walking = false;         // on the way back: `marks` is not complete
  std::vector<int64_t> marks;   // "before" of each page, the newest first; 0 = no "before", the head
  std::vector<int64_t> recent;  // numbers of the last seconds that are done

  static Round Decode(const std::string& cursor, absl::Time since) {
    Round round;
    round.time = std::max<int64_t>(0, absl::ToUnixSeconds(since));
    const Json json = ParseJson(cursor);
    if (!Member(json, "t").is_number_integer()) return round;
    round.seen = NumberOf(json, "s");
    round.time = NumberOf(json, "t");
    round.walking = NumberOf(json, "w") == 1;
    const auto list = [&](const char* key, std::vector<int64_t>* to) {
      const Json& from = Member(json, key);
      for (size_t i = 0; from.is_array() && i < from.size() && i < kMarksMax; ++i) {
        if (from[i].is_number_integer()) to->push_back(from[i].get<int64_t>());
      }
    };
    list("k", &round.marks);
    list("r", &round.recent);
    return round;
  }
  std::string Encode() const {
    return Json{{"s", seen}, {"t", time}, {"w", walking ? 1 : 0}, {"k", marks}, {"r", recent}}.dump();
  }
  void Did(const Json& post) {
    const int64_t id = NumberOf(post, "id");
    seen = std::max(seen, id);
    if (const auto created = ParseIsoTime(Text(post, "created_at")))
      time = std::max(time, absl::ToUnixSeconds(*created));
    recent.push_back(id);
    if (recent.size() > kMarksMax) recent.erase(recent.begin());
  }
  // Whether a post is what an earlier page or round has seen, or older than the beginning.
  bool IsDone(const Json& post) const {
    const int64_t id = NumberOf(post, "id");
    const auto created = ParseIsoTime(Text(post, "created_at"));
    if (seen == 0) return created && *created < absl::FromUnixSeconds(time);
    if (id > seen) return false;
    return !created || *created < absl::FromUnixSeconds(time) - kOverlap ||
           std::find(recent.begin(), recent.end(), id) != recent.end();
  }
};

constexpr int64_t kNowhere = -1;

// Where the page before this one begins; 0 = there is none that matters; kNowhere = the page does not lie before
// `mark`.
int64_t Before(const Json& posts, int64_t mark, const Round& round) {
  int64_t lowest = 0;
  bool older = false, only_mark = !posts.empty();
  for (const Json& post : posts) {
    const int64_t id = NumberOf(post, "id");
    if (mark > 0 && id > mark) return kNowhere;
    const auto created = ParseIsoTime(Text(post, "created_at"));
    // By number and time: forums take posts that are dated back, or ahead, by whoever brings them in.
    const bool before_all = created && *created < absl::FromUnixSeconds(round.time) - kOverlap;
    older = older || (before_all && (round.seen == 0 || id <= round.seen));
    only_mark = only_mark && id == mark;
    if (id > 0 && (mark == 0 || id < mark)) lowest = lowest == 0 ? id : std::min(lowest, id);
  }
  if (older) return 0;
  // Forums before 2025 show the fifty numbers up to `mark`, itself included: the others may be of private posts.
  if (only_mark && mark > kPageIds) return mark - kPageIds;
  return lowest;
}

const Json* PostsOf(const Answer& answer) {
  const Json& posts = Member(answer.json, "latest_posts");
  return posts.is_array() && posts.size() <= kPageItemsMax ? &posts : nullptr;
}

std::string PathOf(int64_t before) { return "/posts.json" + (before > 0 ? "?before=" + std::to_string(before) : ""); }

// The posts of the page that are new, the oldest first, at most `limit`; what is left of them says whether the page is
// done.
bool TakePage(const Json& posts, int limit, const DiscourseReader& reader, Round* round, PollPage* page) {
  const int64_t mark = round->marks.back();
  std::vector<const Json*> fresh;
  for (const Json& post : posts) {
    if (NumberOf(post, "id") <= 0) {
      page->unparsed.push_back(
          {Dump(post), "MISSING_FIELD", "a post without id"});
    } else if (!round->IsDone(post) && (mark == 0 || NumberOf(post, "id") < mark)) {
      fresh.push_back(&post);
    }
  }
  std::sort(fresh.begin(), fresh.end(),
            [](const Json* a, const Json* b) { return NumberOf(*a, "id") < NumberOf(*b, "id"); });
  const size_t taken = std::min(fresh.size(), static_cast<size_t>(std::max(limit, 1)));
  for (size_t i = 0; i < taken; ++i) {
    std::string missing;
    std::vector<Happening> found = DiscoursePost(*fresh[i], reader, &missing);
    if (!missing.empty()) {
      page->unparsed.push_back(
          {Dump(*fresh[i]), "MISSING_FIELD", missing});
    }
    page->happenings.insert(page->happenings.end(), found.begin(), found.end());
    round->Did(*fresh[i]);
  }
  return taken == fresh.size();
}

}  // namespace

StatusOr<PollPage> DiscourseConnector::Poll(const Call& call, const Account& account, const std::string& cursor,
                                            absl::Time since, int limit) {
  Round round = Round::Decode(cursor, since);
  PollPage page;
  if (round.marks.empty()) {
    round.marks = {0};
    round.walking = true;
  }
  const bool had_to_walk = round.walking;
  Answer answer;
  const Json* posts = nullptr;
  const auto read = [&]() -> Status {
    answer = Ask(call, account, "GET", PathOf(round.marks.back()));
    page.rate = answer.rate;
    if (!answer.ok()) return FailedRead(answer, account);
    posts = PostsOf(answer);
    return posts == nullptr ? UnintelligibleRead() : absl::OkStatus();
  };
  for (int pages = 0; round.walking && pages < kPagesPerPoll; ++pages) {
    const int64_t mark = round.marks.back();
    PARVIS_RETURN_IF_ERROR(read());
    const int64_t next = Before(*posts, mark, round);
    if (next == kNowhere) return UnintelligibleRead();  // it would never end
    // The head grows while the round runs: from here on it ends after the post that is the newest now.
    for (const Json& post : *posts) {
      if (mark == 0) round.marks.back() = std::max(round.marks.back(), NumberOf(post, "id") + 1);
    }
    round.walking = next != 0;
    if (next == 0) break;
    round.marks.push_back(next);
    if (round.marks.size() > kMarksMax) round.marks.erase(round.marks.begin());
  }
  page.more = true;
  if (!round.walking) {
    if (!had_to_walk)
      PARVIS_RETURN_IF_ERROR(read());  // otherwise the last page of the way back is the first of the way forth
    const DiscourseReader reader = {account.remote_id, std::string(account.credentials.Get("api_username").Reveal())};
    if (TakePage(*posts, limit, reader, &round, &page)) round.marks.pop_back();
    page.more = !round.marks.empty();
  }
  page.cursor = round.Encode();
  return page;
}

// ---- counters ------------------------------------------------------------------------------------------------------

namespace {

// The first of these that is a number.
void Count(const Json& json, std::initializer_list<const char*> keys, const char* name, Counts* counts) {
  for (const char* key : keys) {
    if (Member(json, key).is_number_integer()) {
      counts->values[name] = std::max<int64_t>(0, NumberOf(json, key));
      return;
    }
  }
}

}  // namespace

Status DiscourseConnector::MeasurePost(const Call& call, const Account& account, const std::string& id,
                                       Measurement* out) {
  const Answer answer = AskPost(call, account, id);
  if (answer.answered() && answer.refusal.error == ErrorClass::kNotFound) return absl::OkStatus();
  if (!answer.ok()) return FailedRead(answer, account);
  TakeRate(answer, &out->rate);
  Counts counts;
  counts.remote_id = id;
  Count(answer.json, {"reply_count"}, "comments", &counts);
  Count(answer.json, {"reads"}, "reads", &counts);
  counts.values["likes"] = 0;  // the forum leaves out what has no count
  const Json& actions = Member(answer.json, "actions_summary");
  for (size_t i = 0; actions.is_array() && i < actions.size(); ++i) {
    if (NumberOf(actions[i], "id") == 2) Count(actions[i], {"count"}, "likes", &counts);
  }
  if (NumberOf(answer.json, "post_number") == 1) {  // the topic's own counters stand for its first post
    const Answer topic = Ask(call, account, "GET", "/t/" + net::UrlEncode(Text(answer.json, "topic_id")) + ".json");
    if (!topic.ok()) return FailedRead(topic, account);
    TakeRate(topic, &out->rate);
    Count(topic.json, {"views"}, "views", &counts);
    if (const int64_t posts = NumberOf(topic.json, "posts_count"); posts > 0) counts.values["comments"] = posts - 1;
  }
  out->counts.push_back(std::move(counts));
  return absl::OkStatus();
}

StatusOr<Measurement> DiscourseConnector::Measure(const Call& call, const Account& account,
                                                  const std::vector<std::string>& post_remote_ids) {
  Measurement out;
  if (post_remote_ids.empty()) {
    const Answer answer = Ask(call, account, "GET", "/about.json");
    if (!answer.ok()) return FailedRead(answer, account);
    const Json& stats = Member(Member(answer.json, "about"), "stats");
    if (!stats.is_object()) return UnintelligibleRead();
    TakeRate(answer, &out.rate);
    Counts counts;
    counts.remote_id = account.remote_id;
    Count(stats, {"users_count", "user_count"}, "members", &counts);  // plural since 2023
    Count(stats, {"posts_count", "post_count"}, "posts", &counts);
    Count(stats, {"topics_count", "topic_count"}, "topics", &counts);
    Count(stats, {"likes_count", "like_count"}, "likes", &counts);
    out.counts.push_back(std::move(counts));
    return out;
  }
  for (size_t i = 0; i < post_remote_ids.size() && i < 50; ++i) {
    if (!ReviewableOf(post_remote_ids[i]).empty()) continue;  // what is held has no readers
    PARVIS_RETURN_IF_ERROR(MeasurePost(call, account, post_remote_ids[i], &out));
  }
  return out;
}

}  // namespace parvis::networks
