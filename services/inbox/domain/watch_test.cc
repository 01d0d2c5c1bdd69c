#include "inbox/domain/watch.h"

#include <gtest/gtest.h>

#include <set>

#include "inbox/domain/resolve.h"
#include "inbox/domain/testing/memory_store.h"
#include "inbox/domain/testing/scenario.h"
#include "platform/testing/wait.h"

namespace parvis::inbox {
namespace {

using parvis::testing::WaitFor;
using testing::CallOf;
using testing::IdOf;
using testing::MemoryStore;

class Recorder : public Watcher {
 public:
  Status OnPosition(int64_t sequence) override {
    const std::lock_guard lock(mutex_);
    positions_.push_back(sequence);
    return absl::OkStatus();
  }
  Status OnEvent(WatchedEvent& event) override {
    const std::lock_guard lock(mutex_);
    if (static_cast<int>(events_.size()) == full_after)
      return MakeError(Code::kResourceExhausted, "STREAM_SLOW", "slow");
    EXPECT_GT(room, 0);
    --room;
    if (!event.encoded) event.encoded = std::make_shared<std::string>(event.entry.payload);
    events_.push_back(event.entry.sequence);
    payloads_.insert(event.entry.payload);
    encodings_.push_back(event.encoded);
    return absl::OkStatus();
  }
  void OnEnd(const Status& status) override {
    const std::lock_guard lock(mutex_);
    end_ = ReasonOf(status);
  }
  bool Cancelled() const override { return cancelled; }
  int Room() const override { return room; }
  std::vector<int64_t> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  std::vector<int64_t> positions() const {
    const std::lock_guard lock(mutex_);
    return positions_;
  }
  std::string end() const {
    const std::lock_guard lock(mutex_);
    return end_;
  }
  std::set<std::string> payloads() const {
    const std::lock_guard lock(mutex_);
    return payloads_;
  }
  std::vector<std::shared_ptr<const void>> encodings() const {
    const std::lock_guard lock(mutex_);
    return encodings_;
  }
  std::atomic<bool> cancelled = false;
  std::atomic<int> room = 1'000'000;
  int full_after = -1;

 private:
  mutable std::mutex mutex_;
  std::vector<int64_t> events_, positions_;
  std::set<std::string> payloads_;
  std::vector<std::shared_ptr<const void>> encodings_;
  std::string end_;
};

// Counts what is asked of the feeds, writes the workspace into the events, and can be away.
class CountedFeeds : public FeedStore {
 public:
  explicit CountedFeeds(FeedStore& feeds) : feeds_(feeds) {}
  StatusOr<std::vector<FeedHead>> Heads(const std::vector<std::string>& workspace_ids) override {
    ++heads;
    if (away) return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "away");
    return feeds_.Heads(workspace_ids);
  }
  StatusOr<std::vector<FeedEntry>> Read(const Call& call, int64_t after, int limit) override {
    ++reads;
    if (away) return MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "away");
    PARVIS_ASSIGN_OR_RETURN(std::vector<FeedEntry> entries, feeds_.Read(call, after, limit));
    for (FeedEntry& entry : entries) entry.payload = call.workspace_id;
    return entries;
  }
  std::atomic<int> heads = 0, reads = 0;
  std::atomic<bool> away = false;

 private:
  FeedStore& feeds_;
};

class WatchTest : public ::testing::Test {
 protected:
  void SetUp() override { hub_.Start(); }
  // Events 1 to `count`, or so many more.
  void Happen(int count, const std::string& workspace = testing::kWorkspace) {
    for (int i = 0; i < count; ++i) {
      StreamPosition position = *store_.Claim("g", "t", 0);
      ++position.next;
      ++made_;
      Assessed comment = testing::Comment("t", "m" + std::to_string(made_), made_);
      comment.workspace_id = workspace;
      ASSERT_TRUE(FoldBatch(store_, position, {comment}).ok());
    }
    hub_.Wake();
  }
  static std::vector<int64_t> Range(int64_t from, int64_t to) {
    std::vector<int64_t> out;
    for (; from <= to; ++from) out.push_back(from);
    return out;
  }
  FakeClock clock_;
  RealClock real_;
  MemoryStore store_{clock_};
  CountedFeeds feeds_{store_};
  WatchHub hub_{feeds_,
                {.poll = absl::Milliseconds(20),
                 .pause = absl::Milliseconds(1),
                 .sign_of_life = absl::Milliseconds(50),
                 .slow_max = absl::Minutes(10),
                 .page = 7,
                 .catch_up_reads = 2,
                 .ring = 10},
                real_};
  int made_ = 0;
};

TEST_F(WatchTest, FromNowOnAndFromANumber) {
  Happen(30);
  auto now = std::make_shared<Recorder>(), resumed = std::make_shared<Recorder>();
  ASSERT_TRUE(hub_.Subscribe(CallOf(), std::nullopt, now).ok());
  ASSERT_TRUE(hub_.Subscribe(CallOf(), 3, resumed).ok());
  EXPECT_EQ(now->positions().front(), 30);
  EXPECT_EQ(resumed->positions().front(), 3);
  Happen(10);
  EXPECT_TRUE(WaitFor([&] { return now->events() == Range(31, 40) && resumed->events() == Range(4, 40); }));
  EXPECT_TRUE(WaitFor([&] { return now->positions().back() == 40; }));  // the sign of life
}

TEST_F(WatchTest, OtherReplicasEventsCome) {
  auto watcher = std::make_shared<Recorder>();
  ASSERT_TRUE(hub_.Subscribe(CallOf(), 0, watcher).ok());
  StreamPosition position = *store_.Claim("g", "t", 0);
  ++position.next;
  ASSERT_TRUE(FoldBatch(store_, position, {testing::Comment("t", "m", 1)}).ok());  // nobody wakes the hub
  EXPECT_TRUE(WaitFor([&] { return watcher->events() == Range(1, 1); }));
}

TEST_F(WatchTest, ANumberThatIsGoneOrNotThereYet) {
  Happen(5);
  clock_.Advance(absl::Hours(2));
  Happen(1);
  ASSERT_EQ(*store_.TrimFeeds(absl::Hours(1), 100), 5);
  const Status old = hub_.Subscribe(CallOf(), 4, std::make_shared<Recorder>());
  EXPECT_EQ(old.code(), Code::kOutOfRange);
  EXPECT_EQ(ReasonOf(old), "RESUME_TOO_OLD");
  EXPECT_EQ(ToError(old).metadata["oldest_sequence"], "6");
  EXPECT_EQ(ReasonOf(hub_.Subscribe(CallOf(), 7, std::make_shared<Recorder>())), "RESUME_IN_FUTURE");
  EXPECT_TRUE(hub_.Subscribe(CallOf(), 5, std::make_shared<Recorder>()).ok());
}

TEST_F(WatchTest, OtherWorkspacesAreNotHeard) {
  auto other = std::make_shared<Recorder>();
  ASSERT_TRUE(hub_.Subscribe(CallOf("eve", testing::kOtherWorkspace), 0, other).ok());
  auto own = std::make_shared<Recorder>();
  ASSERT_TRUE(hub_.Subscribe(CallOf(), 0, own).ok());
  Happen(3);
  EXPECT_TRUE(WaitFor([&] { return own->events() == Range(1, 3); }));
  EXPECT_TRUE(other->events().empty());
  // Both go on, in turns; each hears its own and nothing else.
  for (int i = 0; i < 10; ++i) {
    Happen(2);
    Happen(3, testing::kOtherWorkspace);
  }
  EXPECT_TRUE(WaitFor([&] { return own->events() == Range(1, 23) && other->events() == Range(1, 30); }));
  EXPECT_EQ(own->payloads(), std::set<std::string>{testing::kWorkspace});
  EXPECT_EQ(other->payloads(), std::set<std::string>{testing::kOtherWorkspace});
}

TEST_F(WatchTest, OneReadingAndOneEncodingForAll) {
  Happen(5);
  std::vector<std::shared_ptr<Recorder>> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(std::make_shared<Recorder>());
    ASSERT_TRUE(hub_.Subscribe(CallOf(), std::nullopt, all.back()).ok());
  }
  Happen(6);
  for (const auto& watcher : all) EXPECT_TRUE(WaitFor([&] { return watcher->events() == Range(6, 11); }));
  EXPECT_LE(feeds_.reads, 6);
  for (const auto& watcher : all) EXPECT_EQ(watcher->encodings(), all.front()->encodings());
}

TEST_F(WatchTest, MoreWhoResumeThanARoundReadsFor) {
  Happen(100);  // far beyond the ring
  std::vector<std::shared_ptr<Recorder>> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(std::make_shared<Recorder>());
    ASSERT_TRUE(hub_.Subscribe(CallOf(), 2 * i, all.back()).ok());
  }
  Happen(20);
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(WaitFor([&] { return all[static_cast<size_t>(i)]->events() == Range(2 * i + 1, 120); })) << i;
  }
}

TEST_F(WatchTest, WhoReadsSlowlyIsServedFromTheFeed) {
  auto slow = std::make_shared<Recorder>(), quick = std::make_shared<Recorder>();
  slow->room = 3;
  ASSERT_TRUE(hub_.Subscribe(CallOf(), std::nullopt, slow).ok());
  ASSERT_TRUE(hub_.Subscribe(CallOf(), std::nullopt, quick).ok());
  Happen(50);
  EXPECT_TRUE(WaitFor([&] { return quick->events() == Range(1, 50); }));
  EXPECT_EQ(slow->events(), Range(1, 3));
  for (int given = 3; given < 50; ++given) {
    slow->room = 1;  // no more than it takes, whatever waits
    EXPECT_TRUE(WaitFor([&] { return slow->room == 0; }));
  }
  EXPECT_EQ(slow->events(), Range(1, 50));
  EXPECT_EQ(slow->end(), "");
}

TEST_F(WatchTest, WhoTakesNothingIsTold) {
  WatchHub hub(feeds_, {.sign_of_life = absl::Milliseconds(20), .slow_max = absl::Milliseconds(100)}, real_);
  hub.Start();
  auto stuck = std::make_shared<Recorder>(), silent = std::make_shared<Recorder>();
  stuck->room = 2;
  ASSERT_TRUE(hub.Subscribe(CallOf(), std::nullopt, stuck).ok());
  silent->room = 0;  // not even a sign of life
  ASSERT_TRUE(hub.Subscribe(CallOf("eve", testing::kOtherWorkspace), std::nullopt, silent).ok());
  Happen(5);
  EXPECT_TRUE(WaitFor([&] { return stuck->end() == "STREAM_SLOW" && silent->end() == "STREAM_SLOW"; }));
  EXPECT_EQ(stuck->events(), Range(1, 2));
  EXPECT_TRUE(WaitFor([&] { return hub.watchers() == 0; }));
}

TEST_F(WatchTest, WhatIsTrimmedBeforeItWasGivenIsNotSkipped) {
  auto slow = std::make_shared<Recorder>(), quick = std::make_shared<Recorder>();
  slow->room = 0;
  ASSERT_TRUE(hub_.Subscribe(CallOf(), std::nullopt, slow).ok());
  ASSERT_TRUE(hub_.Subscribe(CallOf(), std::nullopt, quick).ok());
  Happen(30);
  EXPECT_TRUE(WaitFor([&] { return quick->events() == Range(1, 30); }));
  clock_.Advance(absl::Hours(2));
  ASSERT_EQ(*store_.TrimFeeds(absl::Hours(1), 100), 30);
  slow->room = 1'000'000;
  EXPECT_TRUE(WaitFor([&] { return slow->end() == "RESUME_TOO_OLD"; }));
  EXPECT_TRUE(slow->events().empty());
  Happen(3);
  EXPECT_TRUE(WaitFor([&] { return quick->events() == Range(1, 33); }));
}

TEST_F(WatchTest, TheDatabaseIsAwayForAWhile) {
  auto watcher = std::make_shared<Recorder>();
  ASSERT_TRUE(hub_.Subscribe(CallOf(), std::nullopt, watcher).ok());
  feeds_.away = true;
  Happen(3);
  const int heads = feeds_.heads;
  EXPECT_TRUE(WaitFor([&] { return feeds_.heads > heads + 2; }));
  feeds_.away = false;
  EXPECT_TRUE(WaitFor([&] { return watcher->events() == Range(1, 3); }));
}

TEST_F(WatchTest, NobodyWatchesSoNothingIsAsked) {
  auto watcher = std::make_shared<Recorder>();
  ASSERT_TRUE(hub_.Subscribe(CallOf(), std::nullopt, watcher).ok());
  EXPECT_TRUE(WaitFor([&] { return feeds_.heads > 3; }));  // it looks at the heads while somebody watches
  watcher->cancelled = true;
  EXPECT_TRUE(WaitFor([&] { return hub_.watchers() == 0; }));
  const int heads = feeds_.heads;
  Happen(20);
  EXPECT_EQ(feeds_.heads, heads);
  auto late = std::make_shared<Recorder>();
  ASSERT_TRUE(hub_.Subscribe(CallOf(), 0, late).ok());
  EXPECT_TRUE(WaitFor([&] { return late->events() == Range(1, 20); }));
}

TEST_F(WatchTest, WhoLeavesOrIsSlowIsForgotten) {
  auto slow = std::make_shared<Recorder>(), gone = std::make_shared<Recorder>();
  slow->full_after = 2;
  ASSERT_TRUE(hub_.Subscribe(CallOf(), 0, slow).ok());
  ASSERT_TRUE(hub_.Subscribe(CallOf(), 0, gone).ok());
  gone->cancelled = true;
  Happen(5);
  EXPECT_TRUE(WaitFor([&] { return hub_.watchers() == 0; }));
  EXPECT_EQ(slow->events(), Range(1, 2));
}

TEST_F(WatchTest, StoppingEndsEverybody) {
  auto watcher = std::make_shared<Recorder>();
  ASSERT_TRUE(hub_.Subscribe(CallOf(), 0, watcher).ok());
  hub_.Stop();
  EXPECT_EQ(watcher->end(), "SHUTTING_DOWN");
  EXPECT_EQ(ReasonOf(hub_.Subscribe(CallOf(), 0, watcher)), "SHUTTING_DOWN");
}

}  // namespace
}  // namespace parvis::inbox
