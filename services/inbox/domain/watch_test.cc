#include "inbox/domain/watch.h"

#include <gtest/gtest.h>

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
  Status OnEvent(const FeedEntry& entry) override {
    const std::lock_guard lock(mutex_);
    if (static_cast<int>(events_.size()) == full_after) return MakeError(Code::kResourceExhausted, "STREAM_SLOW", "slow");
    events_.push_back(entry.sequence);
    return absl::OkStatus();
  }
  void OnEnd(const Status& status) override {
    const std::lock_guard lock(mutex_);
    end_ = ReasonOf(status);
  }
  bool Cancelled() const override { return cancelled; }
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
  std::atomic<bool> cancelled = false;
  int full_after = -1;

 private:
  mutable std::mutex mutex_;
  std::vector<int64_t> events_, positions_;
  std::string end_;
};

class WatchTest : public ::testing::Test {
 protected:
  void SetUp() override { hub_.Start(); }
  // Events 1 to `count`, or so many more.
  void Happen(int count) {
    for (int i = 0; i < count; ++i) {
      StreamPosition position = *store_.Claim("g", "t", 0);
      ++position.next;
      ++made_;
      ASSERT_TRUE(FoldBatch(store_, position, {testing::Comment("t", "m" + std::to_string(made_), made_)}).ok());
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
  WatchHub hub_{store_, {.poll = absl::Milliseconds(20), .pause = absl::Milliseconds(1),
                         .sign_of_life = absl::Milliseconds(50), .page = 7}, real_};
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
  EXPECT_TRUE(WaitFor([&] { return now->positions().back() == 40; }));   // the sign of life
}

TEST_F(WatchTest, OtherReplicasEventsCome) {
  auto watcher = std::make_shared<Recorder>();
  ASSERT_TRUE(hub_.Subscribe(CallOf(), 0, watcher).ok());
  StreamPosition position = *store_.Claim("g", "t", 0);
  ++position.next;
  ASSERT_TRUE(FoldBatch(store_, position, {testing::Comment("t", "m", 1)}).ok());   // nobody wakes the hub
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
