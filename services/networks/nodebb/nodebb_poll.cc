// Polling a NodeBB forum: the newest posts by page (twenty each, whatever is asked for), and what waits for approval
// where the account may see it. New posts push the others to later pages while we read, so a page is read before the
// older one behind it: what lies between them is seen twice at worst. Pages are read back to what was seen last; what
// is new then comes out from the oldest on.
#include <algorithm>
#include <set>

#include "networks/nodebb/nodebb.h"
#include "networks/text/html.h"
#include "networks/text/unicode.h"
#include "networks/wire/request.h"
#include "networks/wire/webhook_json.h"

namespace parvis::networks {
namespace {

constexpr int kPagesPerPoll = 10;
constexpr int kEmptyMax = 3;  // pages without a post that we may read, one after the other
constexpr size_t kRecentMax = 1000, kQueueMax = 200;
constexpr int64_t kOverlapMillis = 30'000;  // a post may be stored after one with a later time
constexpr int64_t kMillisMax = 253'402'300'799'000;
constexpr std::string_view kQueue = "queue/";

bool IsDeleted(const Json& post) {
  const Json& deleted = Member(post, "deleted");
  return deleted.is_boolean() ? deleted.get<bool>() : NumberOf(post, "deleted") != 0;
}

std::string Titled(const std::string& title, const std::string& text) {
  return text::CutBytes(text::ToUtf8(title.empty()  ? text
                                     : text.empty() ? title
                                                    : title + "\n\n" + text),
                        kHappeningTextMax);
}

void TakeAuthor(const Json& user, const std::string& uid, const std::string& me, Happening* h) {
  h->author_remote_id = uid;
  h->author_handle = CleanText(user, "userslug", 1024);
  h->author_name = text::ToUtf8(text::HtmlToText(CleanText(user, "displayname", 1024), false));
  if (h->author_name.empty()) h->author_name = CleanText(user, "username", 1024);
  h->by_us = !me.empty() && uid == me;
}

std::optional<Happening> HappeningOf(const Json& post, const Account& account, const std::string& me) {
  Happening h;
  h.account_remote_id = account.remote_id;
  h.remote_id = CleanText(post, "pid");
  const std::string tid = CleanText(post, "tid");
  const int64_t millis = NumberOf(post, "timestamp");
  if (h.remote_id.empty() || tid.empty() || millis <= 0 || millis > kMillisMax) return std::nullopt;
  h.thread = h.conversation = "topic/" + tid;
  const Json& topic = Member(post, "topic");
  const std::string main = CleanText(topic, "mainPid");
  const bool first = h.remote_id == main;
  if (!first) h.post_remote_id = main;
  const std::string answered = CleanText(post, "toPid");
  h.parent_remote_id = answered.empty() || answered == "0" ? h.post_remote_id : answered;
  TakeAuthor(Member(post, "user"), CleanText(post, "uid"), me, &h);
  const std::string title = CleanText(topic, "titleRaw", 1024);
  h.text = Titled(!first          ? ""
                  : title.empty() ? text::HtmlToText(CleanText(topic, "title", 1024), false)
                                  : title,
                  text::HtmlToText(Text(post, "content"), false));
  h.occurred_at = absl::FromUnixMillis(millis);
  h.revision = RevisionOf(h.occurred_at);
  h.permalink = BaseOf(account) + "/post/" + net::UrlEncode(h.remote_id);
  return h;
}

}  // namespace

struct NodeBbConnector::Round {
  int64_t time = 0;                 // of the newest post that is done, or the beginning; milliseconds
  bool began = false;               // `time` is of a post
  int page = 1;                     // where the round goes on
  int done_from = 0;                // on the way forth: what is done begins there or further back; 0 = on the way back
  std::string me;                   // our number
  std::vector<std::string> recent;  // posts of the last seconds that are done
  bool queue = true;                // we may see what waits for approval
  std::vector<std::string> queued;  // as it was seen last

  static Round Decode(const std::string& cursor, absl::Time since) {
    Round round;
    round.time = std::max<int64_t>(0, absl::ToUnixMillis(since));
    const Json json = ParseJson(cursor);
    if (!Member(json, "t").is_number_integer()) return round;
    round.time = NumberOf(json, "t");
    round.began = NumberOf(json, "b") == 1;
    round.page = static_cast<int>(std::clamp<int64_t>(NumberOf(json, "g"), 1, 1'000'000));
    round.done_from = static_cast<int>(std::clamp<int64_t>(NumberOf(json, "d"), 0, 1'000'000));
    round.me = Text(json, "m");
    round.queue = NumberOf(json, "u") == 1;
    const auto list = [&](const char* key, size_t max, std::vector<std::string>* to) {
      const Json& from = Member(json, key);
      for (size_t i = 0; from.is_array() && i < from.size() && i < max; ++i) {
        if (from[i].is_string()) to->push_back(from[i].get<std::string>());
      }
    };
    list("r", kRecentMax, &round.recent);
    list("q", kQueueMax, &round.queued);
    return round;
  }
  std::string Encode() const {
    return Dump(Json{{"t", time}, {"b", began ? 1 : 0}, {"g", page}, {"d", done_from}, {"m", me}, {"r", recent},
                     {"q", queued}, {"u", queue ? 1 : 0}});
  }
  bool IsOlder(const Json& post) const {
    const int64_t written = NumberOf(post, "timestamp");
    return written > 0 && written < time - (began ? kOverlapMillis : 0);
  }
  bool IsDone(const Json& post) const {
    return IsOlder(post) || std::find(recent.begin(), recent.end(), Text(post, "pid")) != recent.end();
  }
  // Whether all behind this post on page `at` is done. More may have been written within the overlap than one poll reads: then
  // none of it is older.
  bool EndsWith(const Json& post, int at) const {
    return IsOlder(post) || (done_from > 0 && at >= done_from && IsDone(post));
  }
  // A topic that is scheduled is dated ahead: nothing of the time until then is done with it.
  void Did(const Json& post, absl::Time now) {
    time = std::max(time, std::min(NumberOf(post, "timestamp"), absl::ToUnixMillis(now)));
    began = true;
    recent.push_back(Text(post, "pid"));
    if (recent.size() > kRecentMax) recent.erase(recent.begin());
  }
};

Status NodeBbConnector::ReadQueue(const Call& call, const Account& account, Round* round, PollPage* page) {
  if (!round->queue) return absl::OkStatus();
  const Answer answer = Ask(call, account, "GET", "/api/post-queue");
  const bool not_ours = answer.answered() && (answer.refusal.error == ErrorClass::kPermission ||
                                              answer.refusal.error == ErrorClass::kNotFound);
  round->queue = !not_ours;
  if (not_ours) return absl::OkStatus();
  if (!answer.ok()) return FailedRead(answer, account);
  const Json& posts = Member(answer.json, "posts");
  if (!posts.is_array() || posts.size() > kPageItemsMax) return UnintelligibleRead();
  std::vector<std::string> now;
  for (const Json& post : posts) {
    const std::string id = CleanText(post, "id", 200);
    const Json& data = Member(post, "data");
    const int64_t millis = NumberOf(data, "timestamp");
    if (id.empty() || now.size() >= kQueueMax) continue;
    now.push_back(id);
    if (std::find(round->queued.begin(), round->queued.end(), id) != round->queued.end()) continue;
    Happening h;
    h.account_remote_id = account.remote_id;
    h.remote_id = std::string(kQueue) + id;
    const std::string tid = CleanText(data, "tid"), answered = CleanText(data, "toPid");
    h.thread = h.conversation = tid.empty() ? h.remote_id : "topic/" + tid;
    h.parent_remote_id = answered == "0" ? "" : answered;
    TakeAuthor(Member(post, "user"), CleanText(post, "uid"), round->me, &h);
    h.text =
        Titled(text::HtmlToText(CleanText(data, "title", 1024), false), text::HtmlToText(Text(data, "rawContent"), true));
    h.occurred_at = millis > 0 && millis <= kMillisMax ? absl::FromUnixMillis(millis) : clock_.WallNow();
    h.revision = RevisionOf(h.occurred_at);
    page->happenings.push_back(h);
    h.kind = Happening::Kind::kHide;  // nobody sees it until it is approved
    page->happenings.push_back(std::move(h));
  }
  for (const std::string& id : round->queued) {
    if (std::find(now.begin(), now.end(), id) != now.end()) continue;
    Happening gone;  // decided; what was approved is a post of its own now. Nobody tells when: dated by our clock
    gone.kind = Happening::Kind::kRemoval;
    gone.account_remote_id = account.remote_id;
    gone.remote_id = gone.thread = gone.conversation = std::string(kQueue) + id;
    gone.occurred_at = clock_.WallNow();
    gone.revision = RevisionOf(gone.occurred_at);
    page->happenings.push_back(std::move(gone));
  }
  round->queued = std::move(now);
  return absl::OkStatus();
}

StatusOr<PollPage> NodeBbConnector::Poll(const Call& call, const Account& account, const std::string& cursor,
                                         absl::Time since, int limit) {
  Round round = Round::Decode(cursor, since);
  PollPage page;
  if (round.me.empty()) {
    const Answer self = Ask(call, account, "GET", "/api/self");
    if (!self.ok()) return FailedRead(self, account);
    round.me = Text(self.json, "uid");
    if (round.me.empty() || round.me == "0")
      return MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "the forum takes us for a guest");
  }
  const int from = round.page;
  std::vector<Json> fresh;
  std::set<std::string> seen, before;
  bool reached = false;
  int at = from;
  // Two ends are looked for a little further: that of the list, and on the way forth that of what was not pushed on meanwhile.
  const int until = from + kPagesPerPoll + (round.done_from > 0 ? kEmptyMax : 0);
  for (int empty = 0; !reached && (at < until || empty > 0); ++at) {
    const Answer answer = Ask(call, account, "GET", "/api/recent/posts?page=" + std::to_string(at));
    page.rate = answer.rate;
    if (!answer.ok()) return FailedRead(answer, account);
    if (!answer.json.is_array() || answer.json.size() > kPageItemsMax) return UnintelligibleRead();
    std::set<std::string> here;
    for (const Json& post : answer.json) {
      const std::string pid = Text(post, "pid");
      here.insert(pid);
      reached = reached || round.EndsWith(post, at);
      if (pid.empty()) {
        page.unparsed.push_back({Dump(post), "MISSING_FIELD", "a post without pid"});
      } else if (!round.IsDone(post) && seen.insert(pid).second) {
        fresh.push_back(post);
      }
    }
    if (!here.empty() && here == before) return UnintelligibleRead();  // the page leads to itself
    before = std::move(here);
    empty = answer.json.empty() ? empty + 1 : 0;
    reached = reached || empty >= kEmptyMax;
  }
  if (!reached) {  // further back still: nothing comes out before its time
    round.page = at - 1;
    page.more = true;
    page.unparsed.clear();
    page.cursor = round.Encode();
    return page;
  }
  std::stable_sort(fresh.begin(), fresh.end(), [](const Json& a, const Json& b) {
    return std::pair(NumberOf(a, "timestamp"), NumberOf(a, "pid")) <
           std::pair(NumberOf(b, "timestamp"), NumberOf(b, "pid"));
  });
  const size_t taken = std::min(fresh.size(), static_cast<size_t>(std::max(limit, 1)));
  for (size_t i = 0; i < taken; ++i) {
    round.Did(fresh[i], clock_.WallNow());
    if (IsDeleted(fresh[i])) continue;  // it went before we came
    if (auto happening = HappeningOf(fresh[i], account, round.me)) {
      page.happenings.push_back(*std::move(happening));
    } else {
      page.unparsed.push_back({Dump(fresh[i]), "MISSING_FIELD",
                               "a post without tid or timestamp"});
    }
  }
  page.more = taken < fresh.size() || from > 1;
  if (taken == fresh.size()) {
    round.page = std::max(1, from - (kPagesPerPoll - 1));
    round.done_from = page.more ? from : 0;
  }
  if (!page.more) PARVIS_RETURN_IF_ERROR(ReadQueue(call, account, &round, &page));
  page.cursor = round.Encode();
  return page;
}

}  // namespace parvis::networks
