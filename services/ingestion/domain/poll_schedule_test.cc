// The schedule of polls, and what it promises: each test tries to break one of its rules.
#include "ingestion/domain/poll_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace parvis::ingestion {
namespace {

class PollScheduleTest : public ::testing::Test {
 protected:
  static DueSource Of(const std::string& workspace, const std::string& channel, const std::string& host = "h") {
    return {{workspace, workspace + "/" + channel}, host};
  }
  static std::vector<DueSource> Many(const std::string& workspace, int channels, const std::string& host = "h") {
    std::vector<DueSource> due;
    for (int i = 0; i < channels; ++i) due.push_back(Of(workspace, std::to_string(i), host));
    return due;
  }
  static void Append(std::vector<DueSource>& to, const std::vector<DueSource>& more) {
    to.insert(to.end(), more.begin(), more.end());
  }
  static PollSchedule::Options Of(int at_once, int per_host, int window = 100'000) {
    PollSchedule::Options options;
    options.at_once = at_once;
    options.per_host = per_host;
    options.window = window;
    return options;
  }
  std::vector<DueSource> All(PollSchedule& schedule) const {
    std::vector<DueSource> all;
    while (auto next = schedule.Next(now_)) all.push_back(*next);
    return all;
  }
  static BudgetSignal Limited(std::optional<absl::Duration> retry_after, bool shared = true) {
    return {.host = "", .shared = shared, .limited = true, .rate = {std::nullopt, std::nullopt, retry_after}};
  }

  Instant now_{1'000'000'000};
};

TEST_F(PollScheduleTest, ALargeWorkspaceDoesNotStarveASmallOne) {
  PollSchedule schedule(Of(1, 1));
  std::vector<DueSource> due = Many("large", 9000);
  Append(due, Many("small", 10));  // the least overdue of all
  schedule.Offer(due, now_);
  std::map<std::string, int> polls;
  for (int i = 0; i < 20; ++i) {
    auto next = schedule.Next(now_);
    ASSERT_TRUE(next);
    ++polls[next->binding.workspace_id];
    schedule.Ended(*next, {}, now_);
  }
  EXPECT_EQ(polls["small"], 10);
  EXPECT_EQ(polls["large"], 10);
}

TEST_F(PollScheduleTest, ThoseWhoComeAndGoStarveNobody) {
  // A hundred small workspaces that come anew with every offer, always more than there is time for; one that stays.
  PollSchedule schedule(Of(1, 1));
  int stayer = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<DueSource> due;
    for (int i = 0; i < 100; ++i) due.push_back(Of("guest" + std::to_string(round * 100 + i), "c"));
    Append(due, Many("stayer", 100));
    schedule.Offer(due, now_);
    for (int i = 0; i < 10; ++i) {
      auto next = schedule.Next(now_);
      ASSERT_TRUE(next);
      stayer += next->binding.workspace_id == "stayer";
      schedule.Ended(*next, {}, now_);
    }
  }
  EXPECT_GE(stayer, 2000 / 102) << "one of 101 at least";
}

TEST_F(PollScheduleTest, SlowPollsOfAWorkspaceTakeNoMoreThanItsPartOfTheWorkers) {
  PollSchedule schedule(Of(9, 100));
  std::vector<DueSource> due = Many("slow", 100);
  schedule.Offer(due, now_);
  EXPECT_EQ(All(schedule).size(), 9u) << "alone it may have them all";
  Append(due, Many("a", 100));
  Append(due, Many("b", 100));
  schedule.Offer(due, now_);
  EXPECT_EQ(schedule.waiting(), 291) << "those under way are not offered again";
  EXPECT_FALSE(schedule.Next(now_));
  for (int i = 0; i < 6; ++i) schedule.Ended(Of("slow", std::to_string(i)), {}, now_);
  std::map<std::string, int> polls;
  for (const DueSource& one : All(schedule)) ++polls[one.binding.workspace_id];
  EXPECT_EQ(polls["a"], 3);
  EXPECT_EQ(polls["b"], 3);
  EXPECT_EQ(polls["slow"], 0) << "it still has three";
}

TEST_F(PollScheduleTest, AHostIsAskedOnlySoOftenAtOnce) {
  // After a restart ten thousand channels are due in the same moment, most of them at one host.
  PollSchedule schedule(Of(32, 4));
  std::vector<DueSource> due = Many("w1", 9000, "crowded");
  Append(due, Many("w2", 990, "crowded"));
  Append(due, Many("w3", 10, "other"));
  schedule.Offer(due, now_);
  std::map<std::string, int> hosts;
  std::vector<DueSource> first = All(schedule);
  for (const DueSource& one : first) ++hosts[one.host];
  EXPECT_EQ(hosts["crowded"], 4);
  EXPECT_EQ(hosts["other"], 4);
  int most = 0, done = 0;
  std::deque<DueSource> running(first.begin(), first.end());
  while (!running.empty()) {
    schedule.Ended(running.front(), {}, now_);
    running.pop_front();
    ++done;
    for (DueSource& one : All(schedule)) running.push_back(std::move(one));
    most = std::max(most, static_cast<int>(std::count_if(running.begin(), running.end(),
                                                         [](const DueSource& one) { return one.host == "crowded"; })));
  }
  EXPECT_EQ(most, 4);
  EXPECT_EQ(done, 10'000) << "and each was polled";
}

TEST_F(PollScheduleTest, ABlockedHostDoesNotBlockItsWorkspace) {
  PollSchedule schedule(Of(32, 2));
  std::vector<DueSource> due = Many("w", 50, "slow");
  due.push_back(Of("w", "last", "quick"));
  schedule.Offer(due, now_);
  std::vector<DueSource> chosen = All(schedule);
  ASSERT_EQ(chosen.size(), 3u);
  EXPECT_EQ(chosen.back().host, "quick");
}

TEST_F(PollScheduleTest, NeverTwoPollsOfOneChannel) {
  std::mt19937 random(7);
  PollSchedule schedule(Of(8, 5, 40));
  std::vector<DueSource> running;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 4) {
      case 0: {
        std::vector<DueSource> due;  // also those under way, and one twice
        for (int i = 0; i < 60; ++i) {
          due.push_back(Of("w" + std::to_string(random() % 5), std::to_string(random() % 10),
                           "h" + std::to_string(random() % 3)));
        }
        schedule.Offer(due, now_);
        break;
      }
      case 1:
      case 2:
        if (auto next = schedule.Next(now_)) running.push_back(*next);
        break;
      default: {
        if (running.empty()) break;
        const size_t which = random() % running.size();
        if (random() % 3 == 0) {
          schedule.NotTaken(running[which]);
        } else {
          schedule.Ended(running[which], random() % 50 == 0 ? Limited(absl::Seconds(1)) : BudgetSignal{}, now_);
        }
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(which));
        now_ = now_ + absl::Milliseconds(random() % 100);
      }
    }
    std::set<std::string> channels;
    std::map<std::string, int> hosts;
    for (const DueSource& one : running) {
      channels.insert(one.binding.channel_id);
      EXPECT_LE(++hosts[one.host], 5);
    }
    ASSERT_EQ(channels.size(), running.size());
    ASSERT_EQ(schedule.running(), static_cast<int>(running.size()));
    ASSERT_LE(running.size(), 8u);
    ASSERT_LE(schedule.waiting(), 40);
  }
}

TEST_F(PollScheduleTest, OneChannelsRefusalPausesNobodyElse) {
  PollSchedule schedule(Of(1, 1));
  schedule.Offer(Many("w", 3), now_);
  schedule.Ended(*schedule.Next(now_), Limited(absl::Hours(1), /*shared=*/false), now_);
  EXPECT_TRUE(schedule.PausedHosts(now_).empty());
  EXPECT_TRUE(schedule.Next(now_)) << "its own wait is in the store";
}

TEST_F(PollScheduleTest, ASharedBudgetPausesItsHostAndNoOther) {
  PollSchedule schedule(Of(2, 2));
  std::vector<DueSource> due = Many("w", 3, "app");
  Append(due, Many("v", 3, "other"));
  schedule.Offer(due, now_);
  auto app = schedule.Next(now_), other = schedule.Next(now_);
  schedule.Ended(*app, Limited(absl::Minutes(10)), now_);
  schedule.Ended(*other, {.host = "", .shared = true, .limited = false, .rate = {}}, now_);
  EXPECT_EQ(schedule.PausedHosts(now_), std::vector<std::string>{"app"});
  schedule.Offer(due, now_);
  for (const DueSource& one : All(schedule)) {
    EXPECT_EQ(one.host, "other");
    schedule.Ended(one, {}, now_);
  }
  now_ = now_ + absl::Minutes(10);
  EXPECT_TRUE(schedule.PausedHosts(now_).empty());
  EXPECT_EQ(schedule.Next(now_)->host, "app");
}

TEST_F(PollScheduleTest, AWindowIsNotOverdrawn) {
  PollSchedule schedule(Of(100, 100));
  schedule.Offer(Many("w", 50), now_);
  auto first = schedule.Next(now_);
  schedule.Ended(*first, {.host = "", .shared = true, .limited = false, .rate = {5, absl::Minutes(15), std::nullopt}},
                 now_);
  std::vector<DueSource> begun = All(schedule);
  ASSERT_EQ(begun.size(), 5u) << "though none of them has answered yet";
  // Answers that overtook each other: the lowest count is the latest.
  schedule.Ended(begun[0], {.host = "", .shared = true, .limited = false, .rate = {0, absl::Minutes(15), std::nullopt}},
                 now_);
  schedule.Ended(begun[1], {.host = "", .shared = true, .limited = false, .rate = {4, absl::Minutes(15), std::nullopt}},
                 now_);
  EXPECT_FALSE(schedule.Next(now_));
  schedule.NotTaken(begun[2]);
  EXPECT_EQ(All(schedule).size(), 1u) << "what was not begun is there again";
  now_ = now_ + absl::Minutes(15);
  EXPECT_EQ(All(schedule).size(), 43u) << "all but the first, the five and the one: the window is over";
}

TEST_F(PollScheduleTest, ARefusalCountsForTheHostThatWasLearned) {
  PollSchedule schedule(Of(2, 2));
  schedule.Offer({Of("w", "1", "feed")}, now_);
  BudgetSignal limited = Limited(std::nullopt);
  limited.host = "blog.example";
  schedule.Ended(*schedule.Next(now_), limited, now_);
  EXPECT_EQ(schedule.PausedHosts(now_), std::vector<std::string>{"blog.example"});
  EXPECT_EQ(schedule.PausedHosts(now_ + absl::Seconds(59)).size(), 1u) << "a minute, when it does not say";
  EXPECT_TRUE(schedule.PausedHosts(now_ + absl::Seconds(60)).empty());
}

TEST_F(PollScheduleTest, AHugeRetryAfterIsCutAndANegativeOneIsNone) {
  PollSchedule schedule(Of(3, 3));
  schedule.Offer({Of("w", "1", "a"), Of("w", "2", "b"), Of("w", "3", "c")}, now_);
  std::vector<DueSource> begun = All(schedule);
  schedule.Ended(begun[0], Limited(absl::InfiniteDuration()), now_);
  schedule.Ended(begun[1], Limited(absl::Hours(24 * 36500)), now_);
  schedule.Ended(begun[2], Limited(-absl::Hours(1)), now_);
  EXPECT_EQ(schedule.PausedHosts(now_).size(), 2u);
  EXPECT_TRUE(schedule.PausedHosts(now_ + absl::Hours(24)).empty());
}

TEST_F(PollScheduleTest, PausesInMemoryAreBounded) {
  PollSchedule schedule(Of(1, 1));
  for (int i = 0; i < 3000; ++i) {
    schedule.Offer({Of("w", "c", "h" + std::to_string(i))}, now_);
    auto next = schedule.Next(now_);
    ASSERT_TRUE(next);
    schedule.Ended(*next, Limited(absl::Hours(1)), now_);
  }
  schedule.Offer({}, now_);
  EXPECT_EQ(schedule.PausedHosts(now_).size(), PollSchedule::kPausesMax);
}

TEST_F(PollScheduleTest, WhatIsNotOfferedAnyMoreIsForgotten) {
  PollSchedule schedule(Of(2, 2, 5));
  schedule.Offer(Many("w", 50), now_);
  EXPECT_EQ(schedule.waiting(), 5) << "the window";
  auto next = schedule.Next(now_);
  schedule.Offer({}, now_);  // all were disconnected, this one too
  EXPECT_FALSE(schedule.Next(now_));
  EXPECT_EQ(schedule.running(), 1);
  schedule.Ended(*next, {}, now_);
  EXPECT_EQ(schedule.running(), 0);
}

}  // namespace
}  // namespace parvis::ingestion
