// Backoff: how long to wait before trying again, and whether to try at all.
#pragma once

#include <mutex>
#include <random>

#include <absl/time/time.h>

namespace parvis {

// "Full jitter" (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015): a uniform random wait
// between `floor` and min(max, initial * 2^attempt). Not thread-safe: one per retry loop.
class Backoff {
 public:
  struct Options {
    absl::Duration initial = absl::Milliseconds(50);
    absl::Duration max = absl::Seconds(5);
    absl::Duration floor = absl::ZeroDuration();
    int attempts_max = 0;  // 0 = no limit
  };
  Backoff(const Options& options, uint64_t seed);
  explicit Backoff(const Options& options);  // seeded by the operating system
  bool Exhausted() const;        // attempts_max waits have been taken
  absl::Duration Next();         // the wait before the next attempt
  void Reset();                  // after a success
  int attempts() const { return attempts_; }

 private:
  const Options options_;
  std::mt19937_64 random_;
  int attempts_ = 0;
};

// RetryBudget keeps retries a bounded share of the calls, so that an outage is not multiplied by those who suffer from
// it: every first try earns `ratio` tokens (at most `burst`), every retry costs one. Thread-safe.
class RetryBudget {
 public:
  explicit RetryBudget(double ratio = 0.1, double burst = 10) : ratio_(ratio), burst_(burst), tokens_(burst) {}
  void OnFirstTry();
  [[nodiscard]] bool TakeRetry();

 private:
  const double ratio_, burst_;
  std::mutex mutex_;
  double tokens_;
};

}  // namespace parvis
