// gRPC's deadlines as durations, by its own monotonic clock: a wall clock that is wrong or steps moves no deadline,
// also where ours is not the machine's. For rpc and the gateway, which calls without rpc::Client.
#pragma once

#include <grpc/support/time.h>

#include <absl/time/time.h>

namespace parvis::rpc {

inline gpr_timespec DeadlineIn(absl::Duration left) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(absl::ToInt64Nanoseconds(left), GPR_TIMESPAN));
}

// Negative when it has passed.
inline absl::Duration LeftUntil(gpr_timespec deadline) {
  const gpr_timespec left =
      gpr_time_sub(gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC), gpr_now(GPR_CLOCK_MONOTONIC));
  return absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
}

}  // namespace parvis::rpc
