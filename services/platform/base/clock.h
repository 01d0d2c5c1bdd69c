// Clock: the wall clock (what people mean by "at 9:00") and the monotonic clock (what leases and timeouts are
// measured with, because the wall clock may step). Only platform/base reads the machine's clocks.
#pragma once

#include <atomic>
#include <cstdint>

#include <absl/time/time.h>

namespace parvis {

// A point on the monotonic clock of this process. Not comparable between processes or restarts.
struct Instant {
  int64_t nanos = 0;
  static constexpr Instant Max() { return {INT64_MAX}; }
  auto operator<=>(const Instant&) const = default;
};
Instant operator+(Instant at, absl::Duration d);      // saturates at Max()
absl::Duration operator-(Instant later, Instant earlier);  // InfiniteDuration() if `later` is Max()

class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time WallNow() const = 0;
  virtual Instant Now() const = 0;
};

// The machine's clocks. Thread-safe.
class RealClock : public Clock {
 public:
  absl::Time WallNow() const override;
  Instant Now() const override;
};

// A clock that stands until told to move; for tests and the simulation. Thread-safe.
class FakeClock : public Clock {
 public:
  explicit FakeClock(absl::Time wall = absl::FromUnixSeconds(1'800'000'000));
  absl::Time WallNow() const override;
  Instant Now() const override;
  void Advance(absl::Duration d);       // both clocks
  void StepWall(absl::Duration d);      // only the wall clock, as NTP or DST would

 private:
  std::atomic<int64_t> wall_nanos_;
  std::atomic<int64_t> mono_nanos_{1'000'000'000};
};

}  // namespace parvis
