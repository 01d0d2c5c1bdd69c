#include "ingestion/domain/hub_keeper.h"

#include <algorithm>

#include "ingestion/domain/waits.h"

namespace parvis::ingestion {

absl::Duration RenewIn(absl::Duration lease, double uniform) { return lease * (0.6 + 0.2 * uniform); }

Status HubKeeper::Start() {
  for (int i = 0; !networks_.empty() && i < options_.threads; ++i) threads_.emplace_back([this] { Keep(); });
  return absl::OkStatus();
}

void HubKeeper::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void HubKeeper::Keep() {
  while (true) {
    StatusOr<int> claimed = Round();
    if (!claimed.ok() && watchers_.store_failed) watchers_.store_failed(claimed.status());
    const bool more = claimed.ok() && *claimed == options_.batch;
    const absl::Duration wait = more ? absl::ZeroDuration() : options_.round * (0.5 + uniform_());
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, absl::ToChronoMilliseconds(wait), [this] { return stopping_; })) return;
  }
}

StatusOr<int> HubKeeper::Round() {
  PARVIS_ASSIGN_OR_RETURN(std::vector<ClaimedSubscription> claimed,
                          store_.Claim(networks_, options_.batch, options_.claim_lease));
  for (const ClaimedSubscription& one : claimed) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) break;  // the claims run out by themselves
    }
    Status asked = Handle(one);
    if (watchers_.asked) watchers_.asked(one.source, !one.leaving, asked);
    if (ReasonOf(asked) == "FENCED") continue;
    Status released = store_.Release(one, After(one, asked));
    if (!released.ok() && ReasonOf(released) != "FENCED") return released;
  }
  return static_cast<int>(claimed.size());
}

Call HubKeeper::NewCall(const Source& source) const {
  Call call = BackgroundCall("ingestion", source.binding.workspace_id);
  call.deadline = clock_.Now() + options_.call_max;
  return call;
}

// The store knows before the hub does: a hub may ask back before it has answered.
Status HubKeeper::Handle(const ClaimedSubscription& claimed) {
  HubChoice hub = claimed.hub;
  if (!claimed.leaving) {
    PARVIS_ASSIGN_OR_RETURN(hub, desk_.Find(NewCall(claimed.source), claimed.source));
  }
  PARVIS_RETURN_IF_ERROR(store_.Ask(claimed, hub, options_.answer_in));
  return desk_.Ask(NewCall(claimed.source), claimed.source, hub, !claimed.leaving, options_.ask_for);
}

SubscriptionEnd HubKeeper::After(const ClaimedSubscription& claimed, const Status& why) {
  SubscriptionEnd end;
  if (ReasonOf(why) == "HUB_NONE") {
    end.next_in = Scattered(options_.none_wait, uniform_());
    end.reason = "HUB_NONE";
    return end;
  }
  // Also when the hub took it: one that has not asked back by then is asked again, later every time.
  end.failures = claimed.failures + 1;
  end.next_in = Scattered(Doubled(options_.failure_first, end.failures, options_.failure_max), uniform_());
  if (why.ok()) {
    end.next_in = std::max(end.next_in, options_.answer_in);
    end.reason = "HUB_SILENT";
    return end;
  }
  const Error error = ToError(why);
  end.reason = error.reason;
  end.message = Shortened(error.message, 500);
  if (error.retry_after) end.next_in = std::max(end.next_in, AskedWait(*error.retry_after, kPlannedMax, uniform_()));
  return end;
}

}  // namespace parvis::ingestion
