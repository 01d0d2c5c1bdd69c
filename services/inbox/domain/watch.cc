#include "inbox/domain/watch.h"

#include <algorithm>
#include <chrono>

namespace parvis::inbox {
namespace {

Status TooOld(int64_t floor, int64_t last) {
  return ToStatus(
      {.code = Code::kOutOfRange,
       .reason = "RESUME_TOO_OLD",
       .message = "events up to " + std::to_string(floor) +
                  " are not kept any more; list the conversations and watch from there",
       .metadata = {{"oldest_sequence", std::to_string(floor + 1)}, {"latest_sequence", std::to_string(last)}}});
}

Status ShuttingDown() {
  return MakeError(Code::kUnavailable, "SHUTTING_DOWN", "the service is stopping; resume elsewhere");
}

// Whether the event after `after` is in `events`.
template <class Events>
bool Follows(const Events& events, int64_t after) {
  return !events.empty() && events.front()->entry.sequence <= after + 1 && after < events.back()->entry.sequence;
}

}  // namespace

WatchHub::WatchHub(FeedStore& feeds, const WatchOptions& options, const Clock& clock)
    : feeds_(feeds), options_(options), clock_(clock) {}

WatchHub::~WatchHub() { Stop(); }

void WatchHub::Start() {
  thread_ = std::thread([this] { Run(); });
}

void WatchHub::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void WatchHub::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    if (served_ == 0 && arrived_.empty()) return;  // nobody to be told
  }
  wake_.notify_one();
}

int WatchHub::watchers() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(served_ + arrived_.size());
}

Status WatchHub::Subscribe(const Call& call, std::optional<int64_t> after, std::shared_ptr<Watcher> watcher) {
  if (watchers() >= options_.watchers_max) {
    return MakeError(Code::kResourceExhausted, "TOO_MANY_WATCHERS", "too many callers watch already; try again later");
  }
  PARVIS_ASSIGN_OR_RETURN(const std::vector<FeedHead> heads, feeds_.Heads({call.workspace_id}));
  const FeedHead head = heads.empty() ? FeedHead{.workspace_id = call.workspace_id} : heads.front();
  if (after && *after < head.floor) return TooOld(head.floor, head.last);
  if (after && *after > head.last) {
    return ToStatus({.code = Code::kOutOfRange,
                     .reason = "RESUME_IN_FUTURE",
                     .message = "there is no such event yet",
                     .metadata = {{"latest_sequence", std::to_string(head.last)}}});
  }
  const int64_t position = after.value_or(head.last);
  PARVIS_RETURN_IF_ERROR(watcher->OnPosition(position));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return ShuttingDown();
    arrived_.push_back({.workspace_id = call.workspace_id,
                        .latest = head.last,
                        .position = position,
                        .last_sent = clock_.Now(),
                        .watcher = std::move(watcher)});
    woken_ = true;
  }
  wake_.notify_one();
  return absl::OkStatus();
}

void WatchHub::Run() {
  bool behind = false;
  int quiet = 0;
  Instant last_look = clock_.Now();
  while (WaitForWork(behind, quiet, last_look)) {
    TakeArrived();
    last_look = clock_.Now();
    bool news = false;
    behind = false;
    Round(behind, news);
    quiet = news ? 0 : std::min(quiet + 1, 30);
    size_t served = 0;
    for (const auto& [id, feed] : watched_) served += feed.subscriptions.size();
    const std::lock_guard lock(mutex_);
    served_ = served;
  }
  TakeArrived();
  for (const auto& [id, feed] : watched_) {
    for (const Subscription& s : feed.subscriptions) s.watcher->OnEnd(ShuttingDown());
  }
}

bool WatchHub::WaitForWork(bool behind, int quiet, Instant last_look) {
  std::unique_lock lock(mutex_);
  const auto until = [&](absl::Duration after_look) {
    return absl::ToChronoNanoseconds(std::max(absl::ZeroDuration(), after_look - (clock_.Now() - last_look)));
  };
  if (served_ == 0) {
    wake_.wait(lock, [this] { return !arrived_.empty() || stopping_; });
  } else if (!behind) {
    const absl::Duration poll = std::min(options_.poll, options_.pause * (1 << quiet));
    wake_.wait_for(lock, until(poll), [this] { return woken_ || stopping_; });
  }
  // The first commit of a burst is looked at at once, those that follow closely together.
  wake_.wait_for(lock, until(options_.pause), [this] { return stopping_; });
  woken_ = false;
  return !stopping_;
}

void WatchHub::TakeArrived() {
  const std::lock_guard lock(mutex_);
  served_ += arrived_.size();
  for (Subscription& s : arrived_) {
    const auto [it, fresh] = watched_.try_emplace(s.workspace_id);
    if (fresh) {
      it->second.call = BackgroundCall("inbox", s.workspace_id);
      it->second.reached = s.latest;  // an old position is for the catching up
    }
    it->second.subscriptions.push_back(std::move(s));
  }
  arrived_.clear();
}

void WatchHub::Round(bool& behind, bool& news) {
  std::vector<std::string> workspaces;
  for (auto it = watched_.begin(); it != watched_.end();) {
    std::erase_if(it->second.subscriptions, [](const Subscription& s) { return s.watcher->Cancelled(); });
    if (it->second.subscriptions.empty()) {
      it = watched_.erase(it);
    } else {
      workspaces.push_back(it++->first);
    }
  }
  if (workspaces.empty()) return;
  const auto heads = feeds_.Heads(workspaces);
  if (!heads.ok()) return;  // the database is away; the next look is one poll later
  for (const FeedHead& head : *heads) {
    const auto it = watched_.find(head.workspace_id);
    if (it == watched_.end()) continue;
    Feed& feed = it->second;
    feed.head = head;
    Advance(feed, news);
    CatchUp catch_up{.now = clock_.Now(), .page = {}, .reads = options_.catch_up_reads};
    std::erase_if(feed.subscriptions, [&](Subscription& s) { return !Serve(feed, s, catch_up, behind); });
    TrimRing(feed);
    behind = behind || (news && feed.reached < feed.head.last);
  }
}

void WatchHub::Advance(Feed& feed, bool& news) {
  if (feed.head.last <= feed.reached) return;
  auto read = ReadAfter(feed, feed.reached);
  if (!read.ok()) return;  // tried again in the next round
  if (read->empty() ? feed.reached < feed.head.floor : read->front()->entry.sequence != feed.reached + 1) {
    feed.ring.clear();  // what lay between was trimmed
    feed.ring_bytes = 0;
    feed.reached = feed.head.floor;
  }
  for (Event& event : *read) {
    feed.ring_bytes += event->entry.payload.size();
    feed.reached = event->entry.sequence;
    feed.ring.push_back(std::move(event));
    news = true;
  }
}

void WatchHub::TrimRing(Feed& feed) {
  while (static_cast<int>(feed.ring.size()) > options_.ring ||
         (!feed.ring.empty() && feed.ring_bytes > static_cast<size_t>(options_.ring_bytes))) {
    feed.ring_bytes -= feed.ring.front()->entry.payload.size();
    feed.ring.pop_front();
  }
}

StatusOr<WatchHub::Events> WatchHub::ReadAfter(const Feed& feed, int64_t after) {
  PARVIS_ASSIGN_OR_RETURN(std::vector<FeedEntry> entries, feeds_.Read(feed.call, after, options_.page));
  Events events;
  for (FeedEntry& entry : entries) {
    // A hole within a page cannot be: what is before it counts as trimmed, so that nobody is led over it.
    if (!events.empty() && entry.sequence != events.back()->entry.sequence + 1) events.clear();
    events.push_back(std::make_shared<WatchedEvent>(WatchedEvent{.entry = std::move(entry), .encoded = nullptr}));
  }
  return events;
}

const WatchHub::Events* WatchHub::After(Feed& feed, int64_t after, CatchUp& catch_up) {
  if (Follows(feed.ring, after)) return &feed.ring;
  if (Follows(catch_up.page, after)) return &catch_up.page;
  if (catch_up.reads-- <= 0) return nullptr;
  auto read = ReadAfter(feed, after);
  if (!read.ok() || read->empty()) return nullptr;
  catch_up.page = *std::move(read);
  return &catch_up.page;
}

bool WatchHub::Serve(Feed& feed, Subscription& s, CatchUp& catch_up, bool& behind) {
  const absl::Duration silent = catch_up.now - s.last_sent;
  const bool told = s.position >= feed.reached;
  if (told && silent < options_.sign_of_life) return true;
  int room = s.watcher->Room();
  if (room == 0) {
    if (silent < options_.slow_max || s.watcher->Cancelled()) return true;
    s.watcher->OnEnd(MakeError(Code::kResourceExhausted, "STREAM_SLOW",
                               "the client reads too slowly; resume from the last sequence"));
    return false;
  }
  if (told) {
    s.last_sent = catch_up.now;
    return s.watcher->OnPosition(s.position).ok();
  }
  const Events* const events = After(feed, s.position, catch_up);
  const int64_t first = events ? events->front()->entry.sequence : feed.head.floor + 1;
  if (first > s.position + 1) {
    s.watcher->OnEnd(TooOld(first - 1, feed.head.last));
    return false;
  }
  if (!events) {
    behind = behind || catch_up.reads < 0;  // else the database is away: not at once
    return true;
  }
  for (size_t i = static_cast<size_t>(s.position + 1 - first); i < events->size() && room > 0; ++i, --room) {
    WatchedEvent& event = *(*events)[i];
    if (!s.watcher->OnEvent(event).ok()) return false;
    s.position = event.entry.sequence;
  }
  s.last_sent = catch_up.now;
  behind = behind || (s.position < feed.reached && room > 0);
  return true;
}

}  // namespace parvis::inbox
