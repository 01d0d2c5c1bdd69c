// Replicas that share streams, on one fake store and one fake network.
#include "ingestion/domain/stream_keeper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "ingestion/domain/stream_fakes.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

class StreamKeeperTest : public ::testing::Test {
 protected:
  StreamKeeperTest() {
    options_.places = 10;
    options_.change_max = 2;
    options_.stream.save_every = absl::ZeroDuration();
  }
  void Connect(int channels) {
    for (int i = static_cast<int>(channels_.size()); i < channels; ++i) {
      channels_.push_back({{"w" + std::to_string(i % 2), "c" + std::to_string(i)}, "mastodon", "r", 1, true, {}});
    }
    ASSERT_TRUE(sources_.Sync(channels_, clock_.WallNow()).ok());
  }
  std::unique_ptr<StreamKeeper> AKeeper(const std::string& name) {
    StreamWatchers watchers;
    watchers.planned = [this](const StreamPlan& plan, int) { plan_ = plan; };
    return std::make_unique<StreamKeeper>(
        store_, network_, sink_, clock_, options_, std::vector<std::string>{"mastodon"}, name, [] { return 0.5; },
        watchers);
  }
  static void Rounds(std::vector<StreamKeeper*> keepers, int count) {
    for (int i = 0; i < count; ++i) {
      for (StreamKeeper* keeper : keepers) EXPECT_TRUE(keeper->Round().ok());
    }
  }
  void PublishToAll(int count = 1) {
    for (const KnownChannel& channel : channels_) network_.Publish(channel.binding.channel_id, count);
  }
  // Activities by their natural key.
  size_t Distinct() {
    std::set<std::string> ids;
    for (const Activity& activity : sink_.activities()) ids.insert(activity.id);
    return ids.size();
  }

  FakeClock clock_;
  FakeSourceStore sources_{clock_};
  FakeStreamStore store_{sources_, clock_};
  FakeStreams network_;
  FakeSink sink_;
  StreamKeeper::Options options_;
  std::vector<KnownChannel> channels_;
  StreamPlan plan_;
};

TEST_F(StreamKeeperTest, EveryStreamHasOneReaderAndReplicasHaveEqualParts) {
  Connect(6);
  auto one = AKeeper("one"), two = AKeeper("two");
  Rounds({one.get(), two.get()}, 1);
  EXPECT_EQ(one->held(), 2) << "not all at once";
  Rounds({one.get(), two.get()}, 3);
  EXPECT_EQ(one->held(), 3);
  EXPECT_EQ(two->held(), 3);
  ASSERT_TRUE(testing::WaitFor([&] { return network_.open() == 6; }));
  PublishToAll();
  ASSERT_TRUE(testing::WaitFor([&] { return sink_.activities().size() == 6; }));
  one->Stop();
  two->Stop();
  EXPECT_EQ(network_.met(), 0);
  EXPECT_EQ(network_.opened(), 6);
  EXPECT_EQ(Distinct(), 6u);
  EXPECT_EQ(sink_.activities().size(), 6u);
  EXPECT_EQ(network_.open(), 0);
}

TEST_F(StreamKeeperTest, ANewcomerIsGivenItsPart) {
  Connect(6);
  auto one = AKeeper("one");
  Rounds({one.get()}, 3);
  EXPECT_EQ(one->held(), 6);
  ASSERT_TRUE(testing::WaitFor([&] { return network_.open() == 6; }));  // what is not open yet is given back unopened
  auto two = AKeeper("two");
  EXPECT_TRUE(testing::WaitFor([&] {
    Rounds({one.get(), two.get()}, 1);
    return one->held() == 3 && two->held() == 3;
  }));
  Rounds({one.get(), two.get()}, 3);
  EXPECT_EQ(one->held(), 3) << "and then there is peace";
  ASSERT_TRUE(testing::WaitFor([&] { return network_.open() == 6; }));
  EXPECT_EQ(network_.opened(), 9);
  EXPECT_EQ(network_.met(), 0);
}

// The first hands over without ever saving, and is heard of no more.
TEST_F(StreamKeeperTest, WhenOneDiesAnotherGoesOnFromTheSavedPlace) {
  Connect(2);
  auto before = AKeeper("before");
  Rounds({before.get()}, 1);
  ASSERT_TRUE(testing::WaitFor([&] { return network_.open() == 2; }));
  PublishToAll(2);
  ASSERT_TRUE(testing::WaitFor([&] { return Distinct() == 4; }));
  before->Stop();
  options_.stream.save_every = absl::Hours(1);
  auto dying = AKeeper("dying");
  Rounds({dying.get()}, 1);
  PublishToAll(2);
  ASSERT_TRUE(testing::WaitFor([&] { return Distinct() == 8; }));
  auto other = AKeeper("other");
  Rounds({other.get()}, 2);
  EXPECT_EQ(other->held(), 0) << "they are read";
  clock_.Advance(options_.lease + absl::Seconds(1));
  PublishToAll(1);
  ASSERT_TRUE(testing::WaitFor([&] { return dying->held() == 0; })) << "it knows that its time is over";
  EXPECT_EQ(Distinct(), 8u) << "and hands nothing over";
  Rounds({other.get()}, 1);
  ASSERT_TRUE(testing::WaitFor([&] { return Distinct() == 10; }));
  EXPECT_EQ(network_.cursors(), (std::vector<std::string>{"", "", "2", "2", "2", "2"}));
  EXPECT_EQ(sink_.activities().size(), 14u) << "what was not saved comes twice, and is one";
  other->Stop();
  EXPECT_EQ(store_.CursorOf("c0"), "5");
}

TEST_F(StreamKeeperTest, WhatIsBeyondThePlacesIsLeftToPolls) {
  options_.places = 2;
  Connect(5);
  auto one = AKeeper("one");
  Rounds({one.get()}, 3);
  EXPECT_EQ(one->held(), 2);
  EXPECT_EQ(plan_.wanted, 5);
  EXPECT_EQ(plan_.places, 2);
  auto two = AKeeper("two");
  Rounds({one.get(), two.get()}, 3);
  EXPECT_EQ(two->held(), 2);
  ASSERT_TRUE(testing::WaitFor([&] { return network_.open() == 4; }));
}

TEST_F(StreamKeeperTest, NewCredentialsOpenTheStreamAgain) {
  Connect(1);
  auto keeper = AKeeper("one");
  Rounds({keeper.get()}, 1);
  ASSERT_TRUE(testing::WaitFor([&] { return network_.open() == 1; }));
  channels_[0].credentials_version = 2;
  Connect(1);
  EXPECT_TRUE(testing::WaitFor([&] {
    Rounds({keeper.get()}, 1);
    return network_.opened() == 2;
  }));
  ASSERT_TRUE(sources_.Detach("", "", {}).ok());
  EXPECT_TRUE(testing::WaitFor([&] {
    Rounds({keeper.get()}, 1);
    return keeper->held() == 0;
  })) << "disconnected";
}

TEST_F(StreamKeeperTest, ALossIsTriedAgainOnlyAfterItsWait) {
  Connect(1);
  auto keeper = AKeeper("one");
  Rounds({keeper.get()}, 1);
  ASSERT_TRUE(testing::WaitFor([&] { return network_.open() == 1; }));
  network_.Break(MakeError(Code::kUnavailable, "STREAM_SILENT", "nothing for a minute"));
  ASSERT_TRUE(testing::WaitFor([&] { return keeper->held() == 0; }));
  Rounds({keeper.get()}, 2);
  EXPECT_EQ(network_.opened(), 1);
  clock_.Advance(absl::Seconds(1));
  Rounds({keeper.get()}, 1);
  EXPECT_TRUE(testing::WaitFor([&] { return network_.opened() == 2; }));
}

TEST_F(StreamKeeperTest, RunsByItselfAndGivesEverythingBackAtTheEnd) {
  RealClock clock;
  FakeSourceStore sources(clock);
  FakeStreamStore store(sources, clock);
  options_.round = absl::Milliseconds(10);
  std::atomic<int> opened = 0, ended = 0;
  StreamWatchers watchers;
  watchers.opened = [&](const Source&) { ++opened; };
  watchers.ended = [&](const Source&, const StreamLife& life) { ended += life.ending == StreamEnding::kGivenBack; };
  StreamKeeper keeper(store, network_, sink_, clock, options_, {"mastodon"}, "one", [] { return 0.5; }, watchers);
  ASSERT_TRUE(keeper.Start().ok());
  ASSERT_TRUE(sources.Sync({{{"w1", "c1"}, "mastodon", "r", 1, true, {}}}, clock.WallNow()).ok());
  ASSERT_TRUE(testing::WaitFor([&] { return opened == 1; }));
  network_.Publish("c1");
  ASSERT_TRUE(testing::WaitFor([&] { return sink_.activities().size() == 1; }));
  keeper.Stop();
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(store.CursorOf("c1"), "1");
  EXPECT_EQ(store.Claim({"mastodon"}, 1, absl::Seconds(1))->size(), 1u) << "free at once";
  EXPECT_EQ(store.Attend("two", 5, {"mastodon"}, absl::Seconds(1))->places, 5) << "it has left";
}

TEST(StreamShares, AreReckonedByPlacesAndRoundedUp) {
  EXPECT_EQ(ShareOfStreams({.keepers = 2, .places = 128, .wanted = 5}, 64), 3);
  EXPECT_EQ(ShareOfStreams({.keepers = 2, .places = 128, .wanted = 500}, 64), 64);
  EXPECT_EQ(ShareOfStreams({.keepers = 2, .places = 100, .wanted = 10}, 20), 2) << "a small one takes less";
  EXPECT_EQ(ShareOfStreams({.keepers = 1, .places = 64, .wanted = 0}, 64), 0);
  EXPECT_EQ(ShareOfStreams({}, 64), 0);
}

}  // namespace
}  // namespace parvis::ingestion
