// The database's clock, for services whose replicas must agree on what time it is: a replica whose own wall clock is
// wrong, or steps, would publish early or late. Kept as an offset to the monotonic clock, so that a step of the
// machine's clock between two measurements changes nothing.
#pragma once

#include <atomic>
#include <mutex>

#include "platform/base/clock.h"
#include "platform/db/pool.h"
#include "platform/obs/metrics.h"

namespace parvis::db {

// Thread-safe.
class ServerClock : public Clock {
 public:
  // `machine` must be the clock that `pool` was made with.
  ServerClock(const Clock& machine, Pool& pool, obs::Metrics& metrics);
  // The database's time; the machine's until the first Measure that succeeded.
  absl::Time WallNow() const override;
  Instant Now() const override { return machine_.Now(); }
  // Asks the database for its time; call it before the first use and then every second or so (a readiness check does).
  // Right within half of the question's round trip; a slow answer is dropped while there is a better one of the last
  // minute. Errors: those of Pool::Run; the clock then goes on with what it has.
  Status Measure();

 private:
  const Clock& machine_;
  Pool& pool_;
  obs::Gauge& skew_;
  std::atomic<int64_t> offset_{0};  // wall minus monotonic, in nanoseconds; 0: not measured
  std::mutex mutex_;
  Instant measured_{0};  // when the offset was taken; under mutex_, as what follows
  bool wrong_ = false;   // the machine's clock, as last logged
};

}  // namespace parvis::db
