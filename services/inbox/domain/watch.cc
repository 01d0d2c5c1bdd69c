#include "inbox/domain/watch.h"

#include <chrono>

namespace parvis::inbox {
namespace {

Status TooOld(const FeedHead& head) {
  return ToStatus({.code = Code::kOutOfRange, .reason = "RESUME_TOO_OLD",
                   .message = "events up to " + std::to_string(head.floor) +
                              " are not kept any more; list the conversations and watch from there",
                   .metadata = {{"oldest_sequence", std::to_string(head.floor + 1)},
                                {"latest_sequence", std::to_string(head.last)}}});
}

Call ReadCall(const Call& call) {
  Call read = BackgroundCall("inbox", call.workspace_id, call.trace);
  read.principal = call.principal;
  return read;
}

}  // namespace

WatchHub::WatchHub(FeedStore& feeds, const WatchOptions& options, const Clock& clock)
    : feeds_(feeds), options_(options), clock_(clock) {}

WatchHub::~WatchHub() { Stop(); }

void WatchHub::Start() { thread_ = std::thread([this] { Run(); }); }

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
  if (after && *after < head.floor) return TooOld(head);
  if (after && *after > head.last) {
    return ToStatus({.code = Code::kOutOfRange, .reason = "RESUME_IN_FUTURE", .message = "there is no such event yet",
                     .metadata = {{"latest_sequence", std::to_string(head.last)}}});
  }
  const int64_t position = after.value_or(head.last);
  PARVIS_RETURN_IF_ERROR(watcher->OnPosition(position));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return MakeError(Code::kUnavailable, "SHUTTING_DOWN", "the service is stopping");
    arrived_.push_back({.call = ReadCall(call), .position = position, .last_sent = clock_.Now(),
                        .watcher = std::move(watcher)});
    woken_ = true;
  }
  wake_.notify_one();
  return absl::OkStatus();
}

void WatchHub::Run() {
  std::vector<Subscription> subscriptions;
  bool behind = false;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      served_ = subscriptions.size();
      const auto due = [this] { return woken_ || stopping_; };
      if (subscriptions.empty() && arrived_.empty()) {
        wake_.wait(lock, [this] { return !arrived_.empty() || stopping_; });
      } else if (!behind) {
        wake_.wait_for(lock, absl::ToChronoMilliseconds(options_.poll), due);
      }
      woken_ = false;
      // Commits that come in a burst are looked at together.
      wake_.wait_for(lock, absl::ToChronoMilliseconds(options_.pause), [this] { return stopping_; });
      for (Subscription& s : arrived_) subscriptions.push_back(std::move(s));
      arrived_.clear();
      served_ = subscriptions.size();
      if (stopping_) break;
    }
    behind = Round(subscriptions);
  }
  for (const Subscription& s : subscriptions) {
    s.watcher->OnEnd(MakeError(Code::kUnavailable, "SHUTTING_DOWN", "the service is stopping; resume elsewhere"));
  }
}

bool WatchHub::Round(std::vector<Subscription>& subscriptions) {
  std::erase_if(subscriptions, [](const Subscription& s) { return s.watcher->Cancelled(); });
  std::set<std::string> workspaces;
  for (const Subscription& s : subscriptions) workspaces.insert(s.call.workspace_id);
  if (workspaces.empty()) return false;
  const auto heads = feeds_.Heads({workspaces.begin(), workspaces.end()});
  if (!heads.ok()) return false;   // the database is away; the next look is one poll later
  std::map<std::string, FeedHead> by_workspace;
  for (const FeedHead& head : *heads) by_workspace[head.workspace_id] = head;
  bool behind = false;
  std::erase_if(subscriptions, [&](Subscription& s) { return !Serve(s, by_workspace[s.call.workspace_id], behind); });
  return behind;
}

bool WatchHub::Serve(Subscription& s, const FeedHead& head, bool& behind) {
  const Instant now = clock_.Now();
  if (s.position < head.floor) {
    s.watcher->OnEnd(TooOld(head));
    return false;
  }
  if (head.last <= s.position) {
    if (now - s.last_sent < options_.sign_of_life) return true;
    s.last_sent = now;
    return s.watcher->OnPosition(s.position).ok();
  }
  const auto entries = feeds_.Read(s.call, s.position, options_.page);
  if (!entries.ok()) return true;   // tried again in the next round
  for (const FeedEntry& entry : *entries) {
    if (entry.sequence != s.position + 1) {   // trimmed between the two reads
      s.watcher->OnEnd(TooOld({.workspace_id = head.workspace_id, .floor = entry.sequence - 1, .last = head.last}));
      return false;
    }
    if (!s.watcher->OnEvent(entry).ok()) return false;
    s.position = entry.sequence;
  }
  s.last_sent = now;
  behind = behind || s.position < head.last;
  return true;
}

}  // namespace parvis::inbox
