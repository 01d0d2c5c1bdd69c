#include "publishing/domain/local_time.h"

#include <gtest/gtest.h>

#include "publishing/domain/rate_budget.h"
#include "publishing/domain/text_rules.h"

namespace parvis::publishing {
namespace {

struct LocalCase {
  const char* zone;
  const char* text;
  LocalTimeChoice choice;
  const char* expected;   // RFC 3339 in UTC, or the reason
};

class LocalTime : public ::testing::TestWithParam<LocalCase> {};

TEST_P(LocalTime, IsOneMomentOrAnError) {
  const LocalCase& c = GetParam();
  const auto time = ResolveLocalTime("local_time", c.text, c.zone, c.choice);
  if (time.ok()) {
    EXPECT_EQ(absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", *time, absl::UTCTimeZone()), c.expected);
  } else {
    const Error error = ToError(time.status());
    EXPECT_EQ(error.violations.empty() ? error.reason : error.violations[0].reason, c.expected) << error.message;
  }
}

constexpr LocalTimeChoice kNone = LocalTimeChoice::kNone;
INSTANTIATE_TEST_SUITE_P(
    All, LocalTime,
    ::testing::Values(
        LocalCase{"Europe/Paris", "2026-01-15T09:00", kNone, "2026-01-15T08:00:00Z"},
        LocalCase{"Europe/Paris", "2026-07-15T09:00:30", kNone, "2026-07-15T07:00:30Z"},
        LocalCase{"UTC", "2028-02-29T23:59", kNone, "2028-02-29T23:59:00Z"},
        // Clocks jump from 02:00 to 03:00 on 29 March 2026.
        LocalCase{"Europe/Paris", "2026-03-29T01:59", kNone, "2026-03-29T00:59:00Z"},
        LocalCase{"Europe/Paris", "2026-03-29T02:00", kNone, "LOCAL_TIME_SKIPPED"},
        LocalCase{"Europe/Paris", "2026-03-29T02:30", LocalTimeChoice::kFirst, "LOCAL_TIME_SKIPPED"},
        LocalCase{"Europe/Paris", "2026-03-29T03:00", kNone, "2026-03-29T01:00:00Z"},
        // Clocks show 02:00 to 03:00 twice on 25 October 2026.
        LocalCase{"Europe/Paris", "2026-10-25T02:30", kNone, "LOCAL_TIME_AMBIGUOUS"},
        LocalCase{"Europe/Paris", "2026-10-25T02:30", LocalTimeChoice::kFirst, "2026-10-25T00:30:00Z"},
        LocalCase{"Europe/Paris", "2026-10-25T02:30", LocalTimeChoice::kSecond, "2026-10-25T01:30:00Z"},
        LocalCase{"Europe/Paris", "2026-10-25T03:00", kNone, "2026-10-25T02:00:00Z"},
        LocalCase{"Australia/Lord_Howe", "2026-10-04T02:15", kNone, "LOCAL_TIME_SKIPPED"},   // half an hour
        LocalCase{"America/New_York", "2026-11-01T01:30", LocalTimeChoice::kSecond, "2026-11-01T06:30:00Z"},
        LocalCase{"Mars/Olympus", "2026-01-15T09:00", kNone, "TIME_ZONE_UNKNOWN"},
        LocalCase{"Europe/Paris", "2026-02-30T09:00", kNone, "LOCAL_TIME_MALFORMED"},
        LocalCase{"Europe/Paris", "2026-01-15T24:00", kNone, "LOCAL_TIME_MALFORMED"},
        LocalCase{"Europe/Paris", "2026-01-15 09:00", kNone, "LOCAL_TIME_MALFORMED"},
        LocalCase{"Europe/Paris", "2026-01-15T09:00Z", kNone, "LOCAL_TIME_MALFORMED"},
        LocalCase{"Europe/Paris", "", kNone, "LOCAL_TIME_MALFORMED"}));

TEST(RateBudget, ObeysTheWindowAndRetryAfter) {
  RateBudget budget;
  const Instant t0{absl::ToInt64Nanoseconds(absl::Hours(1))};
  const absl::Duration wait = absl::Seconds(60), max = absl::Hours(24);
  EXPECT_EQ(budget.WaitNow(t0), absl::ZeroDuration());
  RateSignal signal;
  signal.remaining = 2;
  signal.reset_in = absl::Seconds(100);
  budget.Observe(signal, false, t0, wait, max);
  budget.Take(t0);
  EXPECT_EQ(budget.WaitNow(t0), absl::ZeroDuration());
  budget.Take(t0);
  EXPECT_EQ(budget.WaitNow(t0), absl::Seconds(100));
  EXPECT_EQ(budget.WaitNow(t0 + absl::Seconds(100)), absl::ZeroDuration());
  signal = {};
  signal.retry_after = absl::Seconds(7);
  budget.Observe(signal, true, t0 + absl::Seconds(100), wait, max);
  EXPECT_EQ(budget.WaitNow(t0 + absl::Seconds(100)), absl::Seconds(7));
}

TEST(RateBudget, AnswersThatOvertakeEachOtherDoNotRefillTheWindow) {
  RateBudget budget;
  const Instant t0{absl::ToInt64Nanoseconds(absl::Hours(1))};
  RateSignal late, early;
  late.remaining = 0;
  early.remaining = 1;
  late.reset_in = early.reset_in = absl::Seconds(100);
  budget.Observe(late, false, t0, {}, absl::Hours(1));
  budget.Observe(early, false, t0, {}, absl::Hours(1));
  EXPECT_GT(budget.WaitNow(t0), absl::ZeroDuration());
}

TEST(TextRules, CountsCodePointsOfValidUtf8) {
  EXPECT_EQ(CodePoints("h\xc3\xa9llo"), 5);
  EXPECT_EQ(CodePoints("\xf0\x9f\x98\x80"), 1);
  EXPECT_EQ(CodePoints(std::string_view("a\0b", 3)), -1);
  EXPECT_EQ(CodePoints("\xc0\xaf"), -1);
  EXPECT_EQ(CodePoints("\xed\xa0\x80"), -1) << "a surrogate";
  EXPECT_EQ(CodePoints("\xe2\x82"), -1) << "cut short";
}

}  // namespace
}  // namespace parvis::publishing
