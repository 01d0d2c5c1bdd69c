#include "ingestion/domain/waits.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "ingestion/domain/sources.h"

namespace parvis::ingestion {

bool RefusedForRate(const Status& why) { return ReasonOf(why) == "RATE_LIMITED"; }

Status SendAndWait(ActivitySink& sink, std::vector<Activity> activities, std::vector<RawPart> parts,
                   const std::string& source) {
  struct Wait {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Status> status;
  };
  auto wait = std::make_shared<Wait>();
  sink.Send(Trace::New(), std::move(activities), std::move(parts), source, [wait](Status status) {
    std::lock_guard lock(wait->mutex);
    wait->status = std::move(status);
    wait->changed.notify_all();
  });
  std::unique_lock lock(wait->mutex);
  wait->changed.wait(lock, [&] { return wait->status.has_value(); });
  return *wait->status;
}

std::string Shortened(std::string text, size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0) == 0x80) --max;
  text.resize(max);
  return text;
}

absl::Duration Jittered(absl::Duration wait, double uniform) { return wait * (0.9 + 0.2 * uniform); }

absl::Duration Scattered(absl::Duration wait, double uniform) { return wait * (0.5 + 0.5 * uniform); }

absl::Duration AskedWait(absl::Duration wait, absl::Duration wait_max, double uniform) {
  return std::clamp(wait, absl::ZeroDuration(), std::min(wait_max, kPlannedMax / 2)) * (1 + 0.1 * uniform);
}

absl::Duration BudgetWait(const RateLimit& rate, absl::Duration wait_max, double uniform) {
  absl::Duration wait = absl::ZeroDuration();
  if (rate.remaining && *rate.remaining <= 0 && rate.reset_in) wait = AskedWait(*rate.reset_in, wait_max, uniform);
  if (rate.retry_after) wait = std::max(wait, AskedWait(*rate.retry_after, wait_max, uniform));
  return wait;
}

absl::Duration Doubled(absl::Duration first, int failures, absl::Duration max) {
  return std::min(max, first * (int64_t{1} << std::clamp(failures - 1, 0, 16)));
}

}  // namespace parvis::ingestion
