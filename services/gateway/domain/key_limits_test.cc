#include "gateway/domain/key_limits.h"

#include <gtest/gtest.h>

namespace parvis::gateway {
namespace {

TEST(KeyLimitsTest, ABurstThenTheRate) {
  KeyLimits limits({.per_second = 2, .burst = 3});
  Instant now{1'000'000'000};
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limits.Take(1, now));
  const auto wait = limits.Take(1, now);
  ASSERT_TRUE(wait);
  EXPECT_EQ(*wait, absl::Milliseconds(500));
  EXPECT_FALSE(limits.Take(2, now));  // another key
  EXPECT_FALSE(limits.Take(1, now + absl::Milliseconds(500)));
  EXPECT_TRUE(limits.Take(1, now + absl::Milliseconds(500)));
}

TEST(KeyLimitsTest, ABucketHoldsNoMoreThanTheBurst) {
  KeyLimits limits({.per_second = 100, .burst = 2});
  const Instant later = Instant{1} + absl::Hours(1);
  EXPECT_FALSE(limits.Take(1, Instant{1}));
  EXPECT_FALSE(limits.Take(1, later));
  EXPECT_FALSE(limits.Take(1, later));
  EXPECT_TRUE(limits.Take(1, later));
}

TEST(KeyLimitsTest, RemembersABoundedNumberOfKeys) {
  KeyLimits limits({.per_second = 1, .burst = 1, .keys_max = 10});
  const Instant now{1};
  EXPECT_FALSE(limits.Take(1, now));
  for (uint64_t key = 2; key < 1000; ++key) {
    EXPECT_FALSE(limits.Take(key, now));
    EXPECT_TRUE(limits.Take(1, now));  // in use, so never the one that is forgotten
  }
  EXPECT_EQ(limits.keys(), 10);
}

}  // namespace
}  // namespace parvis::gateway
