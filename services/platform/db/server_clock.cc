#include "platform/db/server_clock.h"

#include "platform/obs/log.h"

namespace parvis::db {
namespace {

constexpr absl::Duration kSlow = absl::Milliseconds(100);  // a round trip whose half is a bad answer
constexpr absl::Duration kGoodFor = absl::Minutes(1);
constexpr absl::Duration kSkewMax = absl::Seconds(2);  // of the machine's clock, before it is worth a warning

}  // namespace

ServerClock::ServerClock(const Clock& machine, Pool& pool, obs::Metrics& metrics)
    : machine_(machine),
      pool_(pool),
      skew_(metrics.gauge("parvis_clock_skew_seconds", "How far the machine's clock is ahead of the database's.")) {}

absl::Time ServerClock::WallNow() const {
  const int64_t offset = offset_.load();
  return offset == 0 ? machine_.WallNow() : absl::FromUnixNanos(machine_.Now().nanos + offset);
}

Status ServerClock::Measure() {
  Call call = BackgroundCall("clock");
  call.deadline = machine_.Now() + absl::Seconds(2);
  absl::Time theirs;
  Instant before, after;
  PARVIS_RETURN_IF_ERROR(pool_.Run(call, [&](Tx& tx) -> Status {
    PARVIS_RETURN_IF_ERROR(tx.Query("SELECT 1").status());  // BEGIN and a first connection are not measured
    before = machine_.Now();
    PARVIS_ASSIGN_OR_RETURN(const Rows rows, tx.Query("SELECT clock_timestamp()"));
    after = machine_.Now();
    theirs = rows.Time(0, 0);
    return absl::OkStatus();
  }));
  const std::lock_guard lock(mutex_);
  if (offset_.load() != 0 && after - before > kSlow && after - measured_ < kGoodFor) return absl::OkStatus();
  measured_ = after;
  offset_ = absl::ToUnixNanos(theirs) - (before.nanos + after.nanos) / 2;
  const absl::Duration skew = machine_.WallNow() - WallNow();
  skew_.Set(absl::ToDoubleSeconds(skew));
  const bool wrong = absl::AbsDuration(skew) > kSkewMax;
  if (wrong != wrong_) {
    if (wrong) {
      obs::Warn("the clock of this machine is wrong; the database's is used",
                {{"ahead_seconds", absl::ToInt64Seconds(skew)},
                 {"what_to_do", "see that time is synchronised (chrony, systemd-timesyncd)"}});
    } else {
      obs::Info("the clock of this machine is right again");
    }
    wrong_ = wrong;
  }
  return absl::OkStatus();
}

}  // namespace parvis::db
