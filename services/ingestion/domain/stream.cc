#include "ingestion/domain/stream.h"

#include <algorithm>

#include "ingestion/domain/waits.h"

namespace parvis::ingestion {
namespace {

// Nothing that trying again soon would change, and nothing that concerns reading the channel otherwise.
bool NoStreamForUs(const Status& why) {
  return why.code() == Code::kPermissionDenied || why.code() == Code::kFailedPrecondition;
}

}  // namespace

Status StreamFenced() {
  return MakeError(Code::kAborted, "FENCED", "the lease of the stream ran out, or somebody else has it");
}

bool IsStreamFenced(const Status& status) { return ReasonOf(status) == "FENCED"; }

StreamEnding EndingOf(const Status& why, bool opened, bool bus_away) {
  if (why.ok()) return StreamEnding::kGivenBack;
  if (IsStreamFenced(why)) return StreamEnding::kFenced;
  if (bus_away) return StreamEnding::kBusAway;
  if (why.code() == Code::kUnauthenticated || NoStreamForUs(why)) return StreamEnding::kRefused;
  if (RefusedForRate(why)) return StreamEnding::kLimited;
  return opened ? StreamEnding::kLost : StreamEnding::kNotOpened;
}

const char* StreamEndingName(StreamEnding ending) {
  switch (ending) {
    case StreamEnding::kGivenBack:
      return "given_back";
    case StreamEnding::kFenced:
      return "fenced";
    case StreamEnding::kLost:
      return "lost";
    case StreamEnding::kNotOpened:
      return "not_opened";
    case StreamEnding::kRefused:
      return "refused";
    case StreamEnding::kLimited:
      return "limited";
    case StreamEnding::kBusAway:
      return "bus_away";
  }
  return "lost";
}

StreamEnd AfterStream(const ClaimedStream& claimed, const Status& why, bool opened, absl::Duration lived,
                      const StreamOptions& options, double uniform) {
  StreamEnd end;
  end.failures = lived >= options.steady ? 0 : claimed.failures;
  if (why.ok()) return end;  // whoever takes it next may begin at once
  const Error error = ToError(why);
  end.reason = error.reason;
  end.message = Shortened(error.message, 500);
  if (why.code() == Code::kUnauthenticated) {
    end.broken = true;
    return end;
  }
  ++end.failures;
  absl::Duration wait = Doubled(options.failure_first, end.failures, options.failure_max);
  if (NoStreamForUs(why)) wait = std::max(wait, options.refused_wait);
  end.next_in = Scattered(wait, uniform);
  if (error.retry_after) end.next_in = std::max(end.next_in, AskedWait(*error.retry_after, options.wait_max, uniform));
  end.poll_now = !opened && end.failures <= 2;
  return end;
}

struct StreamReader::Reading {
  const ClaimedStream& claimed;
  const StreamLease& lease;
  StreamProgress progress;
  bool opened = false;
  bool bus_away = false;
  bool unsaved = false;
  Instant opened_at, save_at;
};

StreamLife StreamReader::Read(const ClaimedStream& claimed, const StreamLease& lease) {
  Reading reading{.claimed = claimed,
                  .lease = lease,
                  .progress = {.cursor = claimed.cursor, .last_event = std::nullopt, .failures = claimed.failures},
                  .opened_at = {},
                  .save_at = {}};
  StreamLife life;
  life.why = Follow(reading);
  life.opened = reading.opened;
  life.lived = reading.opened ? clock_.Now() - reading.opened_at : absl::ZeroDuration();
  Finish(reading, life);
  if (watchers_.ended) watchers_.ended(claimed.source, life);
  return life;
}

// What the end means, and the claim's release; of a claim that was lost nothing is written.
void StreamReader::Finish(const Reading& reading, StreamLife& life) {
  const Source& source = reading.claimed.source;
  const Status& why = life.why;
  life.end = AfterStream(reading.claimed, why, life.opened, life.lived, options_, uniform_());
  life.ending = EndingOf(why, life.opened, reading.bus_away);
  if (life.ending == StreamEnding::kFenced) return;
  if (life.end.broken) {
    Call call = BackgroundCall("ingestion", source.binding.workspace_id);
    call.deadline = clock_.Now() + options_.open_max;
    streams_.ReportBroken(call, source, why);
  }
  StreamProgress last = reading.progress;
  last.failures = life.end.failures;
  Status released = store_.Release(reading.claimed, last, life.end);
  if (released.ok()) return;
  if (IsStreamFenced(released)) {
    life.ending = StreamEnding::kFenced;
  } else if (watchers_.store_failed) {
    watchers_.store_failed(released);  // the lease runs out by itself
  }
}

Status StreamReader::Follow(Reading& reading) {
  if (reading.lease.AskedBack()) return absl::OkStatus();
  const Source& source = reading.claimed.source;
  Call call = BackgroundCall("ingestion", source.binding.workspace_id);
  call.deadline = clock_.Now() + options_.open_max;
  PARVIS_ASSIGN_OR_RETURN(std::unique_ptr<ChannelStream> stream, streams_.Open(call, source, reading.progress.cursor));
  reading.opened = true;
  reading.opened_at = clock_.Now();
  if (watchers_.opened) watchers_.opened(source);
  // From now on only: what happened before is left to a poll.
  reading.progress.poll_now = reading.progress.cursor.empty();
  PARVIS_RETURN_IF_ERROR(Save(reading));
  while (!reading.lease.AskedBack()) {
    if (reading.lease.Lost(clock_.Now())) return StreamFenced();
    call.deadline = clock_.Now() + options_.look_every;
    PARVIS_ASSIGN_OR_RETURN(StreamPage page, stream->Next(call));
    PARVIS_RETURN_IF_ERROR(HandOver(reading, std::move(page)));
    const Instant now = clock_.Now();
    if (reading.progress.failures > 0 && now - reading.opened_at >= options_.steady) {
      reading.progress.failures = 0;
      reading.unsaved = true;
    }
    if (reading.unsaved && now >= reading.save_at) PARVIS_RETURN_IF_ERROR(Save(reading));
  }
  return absl::OkStatus();
}

Status StreamReader::HandOver(Reading& reading, StreamPage page) {
  const Source& source = reading.claimed.source;
  StreamProgress& progress = reading.progress;
  // Between the look at the lease and now a whole wait has passed.
  if (reading.lease.Lost(clock_.Now())) return StreamFenced();
  if (page.gap) {
    progress.gap = progress.poll_now = reading.unsaved = true;
    reading.save_at = clock_.Now();
  }
  std::optional<absl::Time> last_event = progress.last_event;
  const absl::Time now = clock_.WallNow();
  std::vector<Activity> activities;
  activities.reserve(page.happenings.size());
  for (Happening& happening : page.happenings) {
    last_event = std::max(last_event.value_or(absl::InfinitePast()), TimeOf(happening));
    activities.push_back(MakeActivity(std::move(happening), source.binding, source.network, Origin::kStream, now));
  }
  const int count = static_cast<int>(activities.size());
  if (count > 0 || !page.unparsed.empty()) {
    Status sent = SendAndWait(sink_, std::move(activities), std::move(page.unparsed), source.network);
    reading.bus_away = !sent.ok();
    PARVIS_RETURN_IF_ERROR(sent);  // the cursor stays: the stream is opened again from there
  }
  const bool moved = !page.cursor.empty() && page.cursor != progress.cursor;
  reading.unsaved = reading.unsaved || count > 0 || moved;
  if (moved) progress.cursor = std::move(page.cursor);  // an empty page may come without one
  progress.last_event = last_event;
  if (watchers_.brought && (count > 0 || page.gap)) watchers_.brought(source, count, page.gap);
  return absl::OkStatus();
}

// A store that is away does not stop the reading: the lease does when it is over.
Status StreamReader::Save(Reading& reading) {
  reading.save_at = clock_.Now() + options_.save_every;
  Status saved = store_.Save(reading.claimed, reading.progress);
  if (IsStreamFenced(saved)) return saved;
  if (saved.ok()) {
    reading.unsaved = reading.progress.gap = reading.progress.poll_now = false;
    return saved;
  }
  reading.unsaved = true;
  if (watchers_.store_failed) watchers_.store_failed(saved);
  return absl::OkStatus();
}

}  // namespace parvis::ingestion
