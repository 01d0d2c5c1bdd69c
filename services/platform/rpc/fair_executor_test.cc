#include "platform/rpc/fair_executor.h"

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "platform/rpc/testdata/echo.h"
#include "platform/testing/wait.h"

namespace parvis::rpc {
namespace {

using testing::Gate;
using Taken = FairExecutor::Taken;
constexpr uint64_t kFlooder = 1, kQuiet = 2;

// One thread that is held, so that what waits can be arranged.
struct Held {
  explicit Held(FairExecutor::Options options) : executor(options) {
    EXPECT_EQ(executor.TrySubmit(99,
                                 [this] {
                                   running.Open();
                                   release.Wait();
                                 }),
              Taken::kYes);
    EXPECT_TRUE(running.Wait());
  }
  Taken Submit(uint64_t tenant) {
    return executor.TrySubmit(tenant, [this, tenant] {
      std::lock_guard lock(mutex);
      order.push_back(tenant);
    });
  }
  Gate running, release;
  std::mutex mutex;
  std::vector<uint64_t> order;
  FairExecutor executor;
};

TEST(FairExecutorTest, TakesFromTheLanesInTurn) {
  Held held({.threads = 1, .queue_max = 100, .tenant_threads_max = 1, .tenant_queue_max = 50});
  for (int i = 0; i < 50; ++i) EXPECT_EQ(held.Submit(kFlooder), Taken::kYes);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(held.Submit(kQuiet), Taken::kYes);
  held.release.Open();
  held.executor.Stop();
  ASSERT_EQ(held.order.size(), 53u);
  EXPECT_EQ(std::vector<uint64_t>(held.order.begin(), held.order.begin() + 6),
            (std::vector<uint64_t>{kFlooder, kQuiet, kFlooder, kQuiet, kFlooder, kQuiet}));
}

TEST(FairExecutorTest, NobodyTakesAllTheRoom) {
  Held held({.threads = 1, .queue_max = 100, .tenant_threads_max = 1, .tenant_queue_max = 80});
  int taken = 0;
  while (held.Submit(kFlooder) == Taken::kYes) ++taken;
  EXPECT_EQ(taken, 50);  // as many wait as there is room left
  EXPECT_EQ(held.Submit(kFlooder), Taken::kTenantFull);
  EXPECT_EQ(held.Submit(kQuiet), Taken::kYes);
  // Many together can fill it, and then it is full for all.
  uint64_t tenant = 100;
  while (held.Submit(++tenant) == Taken::kYes) {
  }
  EXPECT_EQ(held.executor.queued(), 100);
  EXPECT_EQ(held.Submit(kQuiet), Taken::kFull);
  held.release.Open();
}

TEST(FairExecutorTest, ATenantsQueueIsBounded) {
  Held held({.threads = 1, .queue_max = 100, .tenant_threads_max = 1, .tenant_queue_max = 5});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(held.Submit(kFlooder), Taken::kYes);
  EXPECT_EQ(held.Submit(kFlooder), Taken::kTenantFull);
  held.release.Open();
}

TEST(FairExecutorTest, NobodyHoldsAllThreads) {
  FairExecutor executor({.threads = 3, .queue_max = 100, .tenant_threads_max = 2, .tenant_queue_max = 100});
  Gate release, other;
  std::atomic<int> running{0}, most{0}, done{0};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(executor.TrySubmit(kFlooder,
                                 [&] {
                                   most = std::max<int>(most, ++running);
                                   release.Wait();
                                   --running;
                                   ++done;
                                 }),
              Taken::kYes);
  }
  ASSERT_TRUE(parvis::testing::WaitFor([&] { return running == 2; }, absl::Seconds(10)));
  EXPECT_EQ(executor.TrySubmit(kQuiet, [&] { other.Open(); }), Taken::kYes);
  EXPECT_TRUE(other.Wait());  // while the flooder's two are held
  EXPECT_EQ(done, 0);
  release.Open();
  executor.Stop();
  EXPECT_EQ(done, 20);
  EXPECT_EQ(most, 2);
  EXPECT_EQ(executor.TrySubmit(kQuiet, [] {}), Taken::kFull);  // stopped
}

// One sleeper at a time is woken, and each wakes the next before it goes to work.
TEST(FairExecutorTest, WhatIsLongHoldsUpNobodyWhileAThreadSleeps) {
  for (int round = 0; round < 20; ++round) {
    FairExecutor executor({.threads = 4, .queue_max = 100, .tenant_threads_max = 4, .tenant_queue_max = 100});
    Gate release;
    std::atomic<int> running{0};
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(executor.TrySubmit(static_cast<uint64_t>(1 + i % 2),
                                   [&] {
                                     ++running;
                                     release.Wait();
                                   }),
                Taken::kYes);
    }
    EXPECT_TRUE(parvis::testing::WaitFor([&] { return running == 4; }, absl::Seconds(10)));
    release.Open();
    executor.Stop();
  }
}

TEST(FairExecutorTest, ManyTenantsOneAfterTheOther) {
  FairExecutor executor({.threads = 2, .queue_max = 10, .tenant_threads_max = 1, .tenant_queue_max = 10});
  for (int i = 1; i <= 1000; ++i) {
    const auto ran = std::make_shared<Gate>();
    ASSERT_EQ(executor.TrySubmit(static_cast<uint64_t>(i), [ran] { ran->Open(); }), Taken::kYes);
    ASSERT_TRUE(ran->Wait());
  }
}

TEST(FairExecutorTest, ManyThreadsManyTenants) {
  FairExecutor executor({.threads = 4, .queue_max = 1000, .tenant_threads_max = 2, .tenant_queue_max = 1000});
  std::atomic<int> ran{0}, taken{0};
  std::vector<std::thread> submitters;
  for (int s = 0; s < 4; ++s) {
    submitters.emplace_back([&, s] {
      for (int i = 0; i < 5000; ++i) {
        if (executor.TrySubmit(static_cast<uint64_t>(s * 7 + i % 5), [&] { ++ran; }) == Taken::kYes) ++taken;
      }
    });
  }
  for (std::thread& submitter : submitters) submitter.join();
  executor.Stop();
  EXPECT_EQ(ran, taken);
  EXPECT_GT(ran, 0);
  EXPECT_EQ(executor.queued(), 0);
}

}  // namespace
}  // namespace parvis::rpc
