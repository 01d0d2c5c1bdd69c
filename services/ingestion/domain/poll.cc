#include "ingestion/domain/poll.h"

#include <algorithm>

#include "ingestion/domain/waits.h"

namespace parvis::ingestion {
namespace {

bool Refused(const Status& status) {
  return status.code() == Code::kUnauthenticated || status.code() == Code::kPermissionDenied;
}

}  // namespace

PollEnd AfterSuccess(const Claimed& claimed, const PollResult& result, absl::Duration min, absl::Duration max,
                     absl::Duration wait_max, double uniform) {
  const Source& source = claimed.source;
  PollEnd end;
  end.polled = result.reached_end;
  end.interval = std::clamp(result.activities > 0 ? source.interval / 2 : source.interval * 2, min, max);
  const bool crowd = !source.last_poll || claimed.late > source.interval / 10;
  // More is there already: go on as soon as others have had their turn.
  if (result.reached_end) end.next_in = crowd ? Scattered(end.interval, uniform) : Jittered(end.interval, uniform);
  end.next_in = std::max(end.next_in, BudgetWait(result.rate, wait_max, uniform));
  return end;
}

PollEnd AfterFailure(const Source& source, const Status& why, const PollOptions& options, absl::Duration max,
                     double uniform) {
  const Error error = ToError(why);
  PollEnd end;
  end.state_reason = error.reason;
  end.state_message = Shortened(error.message, 500);
  end.interval = source.interval;
  end.failures = source.failures + 1;
  if (Refused(why)) {
    end.state = SourceState::kBroken;
    end.next_in = absl::InfiniteDuration();
    return end;
  }
  end.next_in = Jittered(Doubled(absl::Seconds(1), end.failures, options.failure_max), uniform);
  if (RefusedForRate(why)) {
    end.interval = std::max(source.interval, std::min(source.interval * 2, max));
    end.next_in = std::max(end.next_in, Jittered(end.interval, uniform));
  }
  if (error.retry_after) end.next_in = std::max(end.next_in, AskedWait(*error.retry_after, options.wait_max, uniform));
  return end;
}

StatusOr<PollResult> Poller::Poll(const Claimed& claimed) {
  const Source& source = claimed.source;
  Progress progress{.cursor = source.cursor,
                    .last_event = std::nullopt,
                    .verified_complete = std::nullopt,
                    .complete_from = std::nullopt,
                    .backfill = source.backfill,
                    .backfill_cursor = source.backfill_cursor};
  PollResult result;
  Status status = ReadPages(claimed, progress, result);
  if (status.ok() && source.backfill == BackfillState::kRunning) status = Backfill(claimed, progress, result);
  if (ReasonOf(status) == "FENCED") return status;  // somebody else has it now
  // A missing permission may be one to read only: the channel can still be written to, so accounts is not told.
  if (status.code() == Code::kUnauthenticated) {
    Call call = BackgroundCall("ingestion", source.binding.workspace_id);
    call.deadline = clock_.Now() + options_.call_max;
    reader_.ReportBroken(call, source, status);
  }
  const bool second_way =
      source.stream.state == StreamState::kLive || source.hub.tells_all || second_way_(source.network);
  const absl::Duration min = second_way ? options_.second_way_min : options_.interval_min;
  const absl::Duration max = second_way ? options_.second_way_max : options_.interval_max;
  PollEnd end = status.ok() ? AfterSuccess(claimed, result, min, max, options_.wait_max, uniform_())
                            : AfterFailure(source, status, options_, max, uniform_());
  end.host = result.host;
  Status released = store_.Release(claimed, end);
  if (!status.ok()) return status;
  PARVIS_RETURN_IF_ERROR(released);
  return result;
}

Status Poller::ReadPages(const Claimed& claimed, Progress& progress, PollResult& result) {
  const Source& source = claimed.source;
  const absl::Time began = clock_.WallNow();
  for (int page_number = 0; page_number < options_.pages_max && !result.reached_end && !stopping_; ++page_number) {
    Call call = BackgroundCall("ingestion", source.binding.workspace_id);
    call.deadline = clock_.Now() + options_.call_max;
    PARVIS_ASSIGN_OR_RETURN(ReadPage page,
                            reader_.Read(call, source, progress.cursor, source.complete_from, options_.page_size));
    progress.cursor = page.cursor;
    result.rate = page.rate;
    result.host = page.host;
    result.reached_end = !page.more;
    if (result.reached_end) progress.verified_complete = began;
    PARVIS_RETURN_IF_ERROR(HandOver(claimed, Origin::kPoll, std::move(page), progress, result));
  }
  return absl::OkStatus();
}

Status Poller::Backfill(const Claimed& claimed, Progress& progress, PollResult& result) {
  const Source& source = claimed.source;
  bool more = true;
  for (int page_number = 0; page_number < options_.pages_max && more && !stopping_; ++page_number) {
    Call call = BackgroundCall("ingestion", source.binding.workspace_id);
    call.deadline = clock_.Now() + options_.call_max;
    PARVIS_ASSIGN_OR_RETURN(
        ReadPage page, reader_.Read(call, source, progress.backfill_cursor, source.backfill_from, options_.page_size));
    progress.backfill_cursor = page.cursor;
    result.rate = page.rate;
    more = page.more;
    if (!more) {
      progress.backfill = BackfillState::kDone;
      progress.complete_from = source.backfill_from;
    }
    PARVIS_RETURN_IF_ERROR(HandOver(claimed, Origin::kBackfill, std::move(page), progress, result));
  }
  if (more) result.reached_end = false;  // due again at once
  return absl::OkStatus();
}

Status Poller::HandOver(const Claimed& claimed, Origin origin, ReadPage page, Progress& progress, PollResult& result) {
  const Source& source = claimed.source;
  const absl::Time now = clock_.WallNow();
  std::vector<Activity> activities;
  activities.reserve(page.happenings.size());
  for (Happening& happening : page.happenings) {
    progress.last_event = std::max(progress.last_event.value_or(absl::InfinitePast()), TimeOf(happening));
    activities.push_back(MakeActivity(std::move(happening), source.binding, source.network, origin, now));
  }
  const int count = static_cast<int>(activities.size());
  if (count > 0 || !page.unparsed.empty()) {
    PARVIS_RETURN_IF_ERROR(SendAndWait(sink_, std::move(activities), std::move(page.unparsed), source.network));
  }
  if (origin == Origin::kPoll) result.activities += count;
  return store_.Save(claimed, progress, options_.lease);  // after the ack: a crash in between reads the page again
}

}  // namespace parvis::ingestion
