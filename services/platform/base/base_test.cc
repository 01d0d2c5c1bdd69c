#include <atomic>
#include <set>
#include <thread>
#include <type_traits>

#include <absl/synchronization/notification.h>
#include <gtest/gtest.h>

#include "platform/base/backoff.h"
#include "platform/base/call.h"
#include "platform/base/cancellation.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"
#include "platform/base/ids.h"
#include "platform/base/secret.h"

namespace parvis {
namespace {

TEST(Error, SurvivesTheStatusWithEveryMember) {
  Error error{.code = Code::kInvalidArgument, .reason = "TEXT_TOO_LONG", .message = "too long\tby 1\n"};
  error.violations = {{"post.text", "is 281, at most 280:\n\tshorten it", "TEXT_TOO_LONG"}, {"post.link", "é", ""}};
  error.metadata = {{"limit", "280"}, {"empty", ""}};
  error.retry_after = absl::Milliseconds(1500);
  const Error back = ToError(ToStatus(error));
  EXPECT_EQ(back.code, error.code);
  EXPECT_EQ(back.reason, error.reason);
  EXPECT_EQ(back.message, error.message);
  EXPECT_EQ(back.violations, error.violations);
  EXPECT_EQ(back.metadata, error.metadata);
  EXPECT_EQ(back.retry_after, error.retry_after);
}

TEST(Error, ForeignStatusGetsTheCodeAsReason) {
  EXPECT_EQ(ReasonOf(absl::UnavailableError("gone")), "UNAVAILABLE");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
}

StatusOr<int> Half(int n) {
  if (n % 2) return InvalidField("n", "ODD", "must be even");
  return n / 2;
}
Status Quarter(int n, int& out) {
  PARVIS_ASSIGN_OR_RETURN(const int half, Half(n));
  PARVIS_ASSIGN_OR_RETURN(out, Half(half));
  return absl::OkStatus();
}
TEST(Error, MacrosPassErrorsUp) {
  int out = 0;
  EXPECT_TRUE(Quarter(8, out).ok());
  EXPECT_EQ(out, 2);
  EXPECT_EQ(ReasonOf(Quarter(6, out)), "ODD");
}

TEST(Role, LadderImpliesDownwardsOnly) {
  EXPECT_TRUE(Implies(Role::kOwner, Role::kAnalyst));
  EXPECT_FALSE(Implies(Role::kAnalyst, Role::kModerator));
  EXPECT_FALSE(Implies(Role::kOwner, Role::kApprover));
  EXPECT_FALSE(Implies(Role::kOperator, Role::kAnalyst));
  EXPECT_FALSE(Implies(Role::kService, Role::kOwner));
  EXPECT_FALSE(Implies(Role::kUnspecified, Role::kUnspecified));
}

TEST(Trace, RoundTripsAndRefusesMalformed) {
  const Trace trace = Trace::New();
  const Trace back = Trace::FromTraceparent(trace.ToTraceparent());
  EXPECT_EQ(back.trace_id, trace.trace_id);
  EXPECT_EQ(back.span_id, trace.span_id);
  for (const char* bad : {"", "00-xyz", "00-00000000000000000000000000000000-0000000000000000-01",
                          "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"}) {
    EXPECT_TRUE(Trace::FromTraceparent(bad).trace_id.empty()) << bad;
  }
  EXPECT_EQ(trace.Child().trace_id, trace.trace_id);
  EXPECT_NE(trace.Child().span_id, trace.span_id);
}

TEST(Clock, MonotonicIgnoresWallSteps) {
  FakeClock clock;
  const Instant before = clock.Now();
  clock.StepWall(-absl::Hours(1));
  EXPECT_EQ(clock.Now(), before);
  clock.Advance(absl::Seconds(2));
  EXPECT_EQ(clock.Now() - before, absl::Seconds(2));
  EXPECT_EQ(Instant::Max() - before, absl::InfiniteDuration());
  EXPECT_EQ(before + absl::InfiniteDuration(), Instant::Max());
}

TEST(Ids, AscendAndAreUuid7) {
  FakeClock clock;
  Ids ids(clock);
  std::string last;
  for (int i = 0; i < 10000; ++i) {  // more than one millisecond's counter holds, on a clock that stands
    const std::string id = ids.New();
    ASSERT_TRUE(IsUuid(id)) << id;
    ASSERT_EQ(id[14], '7');
    ASSERT_LT(last, id);
    last = id;
  }
  clock.StepWall(-absl::Hours(1));
  EXPECT_LT(last, ids.New());
}

TEST(Ids, TimeInsideAndSeeds) {
  FakeClock clock(absl::FromUnixMillis(1'700'000'000'123));
  Ids a(clock, 7), b(clock, 7);
  const std::string id = a.New();
  EXPECT_EQ(id, b.New());
  EXPECT_EQ(TimeOfUuid7(id), absl::FromUnixMillis(1'700'000'000'123));
  EXPECT_EQ(NormalizeUuid("0190A0B1C2D37EEE8FFF000011112222"), "0190a0b1-c2d3-7eee-8fff-000011112222");
  EXPECT_EQ(NormalizeUuid("0190a0b1-c2d37eee8fff000011112222"), "");
}

TEST(Ids, NamesGiveStableDistinctIds) {
  std::set<std::string> seen;
  for (int i = 0; i < 100000; ++i) ASSERT_TRUE(seen.insert(UuidOfName("fb/1/" + std::to_string(i))).second);
  EXPECT_EQ(UuidOfName("x"), UuidOfName("x"));
  EXPECT_TRUE(IsUuid(UuidOfName("")));
  EXPECT_EQ(UuidOfName("x")[14], '8');
}

TEST(Cancellation, EndsAWaitAndStays) {
  Cancellation cancellation;
  EXPECT_FALSE(cancellation.Wait(absl::Milliseconds(1)));
  std::thread other([&] { cancellation.Cancel(); });
  EXPECT_TRUE(cancellation.Wait(absl::Hours(1)));
  other.join();
  EXPECT_TRUE(cancellation.Wait(absl::Hours(1)));
  Call call = BackgroundCall("test");
  EXPECT_FALSE(call.Cancelled());
  call.cancellation = std::make_shared<Cancellation>();
  EXPECT_FALSE(call.Cancelled());
}

TEST(Executor, RunsAllRefusesWhenFullAndDrainsOnStop) {
  absl::Notification release;
  std::atomic<int> ran{0};
  Executor executor({.threads = 1, .queue_max = 2});
  absl::Notification started;
  ASSERT_TRUE(executor.TrySubmit([&] { started.Notify(); release.WaitForNotification(); ++ran; }));
  started.WaitForNotification();
  ASSERT_TRUE(executor.TrySubmit([&] { ++ran; }));
  ASSERT_TRUE(executor.TrySubmit([&] { ++ran; }));
  EXPECT_FALSE(executor.TrySubmit([&] { ++ran; }));
  release.Notify();
  executor.Stop();
  EXPECT_EQ(ran, 3);
  EXPECT_FALSE(executor.TrySubmit([] {}));
}

TEST(Backoff, StaysWithinItsCeilingAndEnds) {
  Backoff backoff({.initial = absl::Milliseconds(100), .max = absl::Seconds(1), .attempts_max = 6}, 42);
  absl::Duration ceiling = absl::Milliseconds(100);
  while (!backoff.Exhausted()) {
    EXPECT_LE(backoff.Next(), ceiling);
    ceiling = std::min(ceiling * 2, absl::Seconds(1));
  }
  EXPECT_EQ(backoff.attempts(), 6);
}

TEST(RetryBudget, BoundsRetriesToItsShare) {
  RetryBudget budget(0.1, 10);
  int retries = 0;
  for (int i = 0; i < 1000; ++i) {
    budget.OnFirstTry();
    retries += budget.TakeRetry();
  }
  EXPECT_LE(retries, 110);
  EXPECT_GE(retries, 100);
}

TEST(Secret, ComparesAndCannotBePrinted) {
  const Secret secret("s3cr3t");
  EXPECT_TRUE(secret.Equals("s3cr3t"));
  EXPECT_FALSE(secret.Equals("s3cr3T"));
  EXPECT_FALSE(secret.Equals("s3cr3"));
  static_assert(!std::is_convertible_v<Secret, std::string>);
  static_assert(!std::is_convertible_v<Secret, std::string_view>);
  EXPECT_EQ(ReasonOf(ReadSecretFile("/nonexistent").status()), "SECRET_FILE_UNREADABLE");
}

}  // namespace
}  // namespace parvis
