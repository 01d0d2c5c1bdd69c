#include "platform/base/clock.h"

#include <chrono>

namespace parvis {

Instant operator+(Instant at, absl::Duration d) {
  if (at == Instant::Max() || d == absl::InfiniteDuration()) return Instant::Max();
  const absl::Duration sum = absl::Nanoseconds(at.nanos) + d;
  return sum >= absl::Nanoseconds(INT64_MAX) ? Instant::Max() : Instant{absl::ToInt64Nanoseconds(sum)};
}

absl::Duration operator-(Instant later, Instant earlier) {
  if (later == Instant::Max()) return absl::InfiniteDuration();
  return absl::Nanoseconds(later.nanos) - absl::Nanoseconds(earlier.nanos);
}

absl::Time RealClock::WallNow() const { return absl::Now(); }

Instant RealClock::Now() const {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
}

FakeClock::FakeClock(absl::Time wall) : wall_nanos_(absl::ToUnixNanos(wall)) {}
absl::Time FakeClock::WallNow() const { return absl::FromUnixNanos(wall_nanos_.load()); }
Instant FakeClock::Now() const { return {mono_nanos_.load()}; }
void FakeClock::Advance(absl::Duration d) {
  wall_nanos_ += absl::ToInt64Nanoseconds(d);
  mono_nanos_ += absl::ToInt64Nanoseconds(d);
}
void FakeClock::StepWall(absl::Duration d) { wall_nanos_ += absl::ToInt64Nanoseconds(d); }

}  // namespace parvis
