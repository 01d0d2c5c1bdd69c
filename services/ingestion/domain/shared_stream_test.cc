// One life of a shared stream, and replicas that share it, on fakes.
#include "ingestion/domain/shared_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "ingestion/domain/shared_stream_contract.h"
#include "ingestion/domain/shared_stream_fakes.h"
#include "ingestion/domain/shared_stream_keeper.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

struct FakeBackend {
  FakeClock clock;
  FakeSourceStore fake_sources{clock};
  FakeSharedStreamStore fake{fake_sources, clock};
  SourceStore& sources() { return fake_sources; }
  SharedStreamStore& shared() { return fake; }
  void Pass(absl::Duration d) { clock.Advance(d); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Fake, SharedStreamContract, FakeBackend);

const Status kLost = MakeError(Code::kUnavailable, "STREAM_LOST", "reset");

// The keeper's rounds are the test's; what is read is read on the keeper's own thread.
class SharedStreamTest : public ::testing::Test {
 protected:
  SharedStreamTest() {
    options_.shared.stream.save_every = absl::ZeroDuration();
    options_.lease = absl::Hours(100);
  }
  // Channels c0, c1, ... of workspaces w0 and w1 in turn.
  void Connect(int channels) {
    for (int i = static_cast<int>(channels_.size()); i < channels; ++i) {
      channels_.push_back({{"w" + std::to_string(i % 2), "c" + std::to_string(i)}, "x", std::to_string(i), 1, true, {}});
    }
    ASSERT_TRUE(sources_.Sync(channels_, clock_.WallNow()).ok());
  }
  std::unique_ptr<SharedStreamKeeper> AKeeper() {
    SharedWatchers watchers;
    watchers.ended = [this](const std::string&, const StreamLife& life) {
      std::lock_guard lock(mutex_);
      life_ = life;
    };
    watchers.counted = [this](const std::string&, int heard, int64_t, int64_t left_out) {
      counted_ = heard;
      left_out_ = left_out;
    };
    watchers.not_joined = [this](const std::string&, const Status&) { ++not_joined_; };
    return std::make_unique<SharedStreamKeeper>(store_, network_, sink_, clock_, options_, std::vector<std::string>{"x"},
                                                [] { return 1.0; }, watchers);
  }
  // A keeper that reads, of `channels`.
  std::unique_ptr<SharedStreamKeeper> Reading(int channels) {
    Connect(channels);
    auto keeper = AKeeper();
    EXPECT_TRUE(keeper->Round().ok());
    EXPECT_TRUE(HeardAre(channels));
    EXPECT_TRUE(testing::WaitFor([&] { return !store_.CursorOf("x").empty(); }));
    PollAll();
    return keeper;
  }
  bool HeardAre(int channels) {
    return testing::WaitFor([&] { return static_cast<int>(store_.Heard().size()) == channels; });
  }
  bool Handed(size_t activities) {
    return testing::WaitFor([&] { return sink_.activities().size() >= activities; });
  }
  bool Ended(SharedStreamKeeper& keeper) { return testing::WaitFor([&] { return keeper.held() == 0; }); }
  StreamLife Life() {
    std::lock_guard lock(mutex_);
    return life_;
  }
  // Lets the reader look for channels.
  void Look() { clock_.Advance(options_.shared.turnout_every); }
  // "c0 1": channel and remote id of what was handed over.
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    for (const Activity& activity : sink_.activities()) told.push_back(activity.channel_id + " " + activity.what.remote_id);
    return told;
  }
  void PollAll() {
    auto due = sources_.ListDue(1000, {});
    std::vector<Binding> wanted;
    for (const DueSource& one : due->sources) wanted.push_back(one.binding);
    auto claimed = sources_.Claim(wanted, absl::Minutes(1));
    PollEnd end;
    end.interval = end.next_in = absl::Hours(100);
    end.polled = true;
    for (const Claimed& one : *claimed) EXPECT_TRUE(sources_.Release(one, end).ok());
  }
  int64_t Due() { return sources_.ListDue(1000, {})->due; }
  Source Get(int channel) {
    const Binding& binding = channels_[static_cast<size_t>(channel)].binding;
    return *sources_.GetSource(BackgroundCall("test", binding.workspace_id), binding.channel_id);
  }

  FakeClock clock_;
  FakeSourceStore sources_{clock_};
  FakeSharedStreamStore store_{sources_, clock_};
  FakeNetworkStreams network_;
  FakeSink sink_;
  SharedStreamKeeper::Options options_;
  std::vector<KnownChannel> channels_;
  std::mutex mutex_;
  StreamLife life_;
  std::atomic<int64_t> counted_ = 0, left_out_ = 0, not_joined_ = 0;
};

TEST_F(SharedStreamTest, OneConnectionHearsAllAndTellsEachItsOwn) {
  auto keeper = Reading(3);
  EXPECT_EQ(Get(0).stream.state, StreamState::kLive);
  network_.Publish("c0");
  network_.Publish("c1", 2);
  network_.Publish("nobody's");
  network_.PublishJunk();
  ASSERT_TRUE(Handed(3));
  ASSERT_TRUE(testing::WaitFor([&] { return store_.CursorOf("x") == "5"; }));
  keeper->Stop();
  EXPECT_EQ(Told(), (std::vector<std::string>{"c0 1", "c1 2", "c1 3"}));
  EXPECT_EQ(sink_.activities()[0].workspace_id, "w0");
  EXPECT_EQ(sink_.activities()[1].workspace_id, "w1");
  EXPECT_EQ(sink_.activities()[1].origin, Origin::kStream);
  EXPECT_EQ(sink_.parts().size(), 1u);
  EXPECT_EQ(Get(1).last_event, absl::FromUnixSeconds(1'790'000'002));
  EXPECT_FALSE(Get(2).last_event.has_value());
  EXPECT_EQ(network_.opened(), 1);
  EXPECT_EQ(network_.open(), 0);
  EXPECT_EQ(Life().ending, StreamEnding::kGivenBack);
  EXPECT_EQ(Get(0).stream.state, StreamState::kNone);
}

TEST_F(SharedStreamTest, WhoeverOpensItAgainHearsTheSameFromTheCursor) {
  auto before = Reading(2);
  network_.Publish("c0");
  ASSERT_TRUE(Handed(1));
  before->Stop();
  network_.Publish("c1");
  auto after = AKeeper();
  ASSERT_TRUE(after->Round().ok());
  ASSERT_TRUE(Handed(2));
  EXPECT_EQ(network_.cursors(), (std::vector<std::string>{"", "1"}));
  EXPECT_EQ(Due(), 0) << "what was in between was replayed";
  after->Stop();
}

TEST_F(SharedStreamTest, WhoComesIsHeardAndPolledOnce) {
  auto keeper = Reading(1);
  Connect(3);
  PollAll();
  network_.Publish("c1");
  network_.Publish("c0");
  ASSERT_TRUE(Handed(1));
  Look();
  ASSERT_TRUE(HeardAre(3));
  EXPECT_EQ(Due(), 2) << "after the stream has included them";
  PollAll();
  network_.Publish("c1");
  ASSERT_TRUE(Handed(2));
  EXPECT_EQ(Told(), (std::vector<std::string>{"c0 2", "c1 3"})) << "what was before is the poll's";
  EXPECT_EQ(network_.opened(), 1);
  EXPECT_EQ(Due(), 0);
  // And who goes is not heard: the others are.
  ASSERT_TRUE(sources_.Detach("", "c0", {}).ok());
  Look();
  ASSERT_TRUE(testing::WaitFor([&] { return !network_.heard().contains("c0"); }));
  network_.Publish("c0");
  network_.Publish("c2");
  ASSERT_TRUE(Handed(3));
  EXPECT_EQ(Told().back(), "c2 5");
  keeper->Stop();
}

TEST_F(SharedStreamTest, AChannelThatBreaksEndsNothingForTheOthers) {
  auto keeper = Reading(3);
  network_.Refuse("c0", MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "expired"));
  network_.Refuse("c1", MakeError(Code::kUnavailable, "TRANSIENT", "its server is down"));
  for (const char* channel : {"c0", "c1", "c2"}) network_.Publish(channel);
  ASSERT_TRUE(Handed(1));
  ASSERT_TRUE(HeardAre(1));
  EXPECT_EQ(Told(), (std::vector<std::string>{"c2 3"}));
  EXPECT_EQ(Get(0).state, SourceState::kBroken);
  EXPECT_EQ(network_.reported(), (std::vector<std::string>{"c0 TOKEN_EXPIRED"}));
  EXPECT_EQ(Get(1).state, SourceState::kActive);
  EXPECT_EQ(Get(1).stream.state, StreamState::kConnecting);
  EXPECT_EQ(Get(2).stream.state, StreamState::kLive);
  EXPECT_EQ(Due(), 1) << "what was for c1 is read back";
  PollAll();
  // Still down: later every time. Then it is heard again.
  clock_.Advance(absl::Seconds(2));
  ASSERT_TRUE(testing::WaitFor([&] { return counted_ == 1; }));
  network_.Refuse("c1", absl::OkStatus());
  ASSERT_TRUE(testing::WaitFor([&] {
    Look();
    return store_.Heard().contains("c1");
  }));
  EXPECT_EQ(Due(), 1);
  channels_[0].credentials_version = 2;
  network_.Refuse("c0", absl::OkStatus());
  Connect(3);
  Look();
  ASSERT_TRUE(HeardAre(3));
  EXPECT_EQ(network_.opened(), 1);
  keeper->Stop();
}

// What is refused is refused of the credentials that the channel has by now.
TEST_F(SharedStreamTest, NewCredentialsThatAreRefusedBreakTheChannel) {
  auto keeper = Reading(2);
  channels_[0].credentials_version = 2;
  Connect(2);
  Look();
  ASSERT_TRUE(testing::WaitFor([&] { return store_.VersionOf("c0") == 2; }));
  network_.Refuse("c0", MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "expired"));
  network_.Publish("c0");
  ASSERT_TRUE(HeardAre(1));
  EXPECT_EQ(Get(0).state, SourceState::kBroken);
  EXPECT_EQ(network_.opened(), 1);
  keeper->Stop();
}

// The loss and the cursor behind it are written together: a replica that dies in between has lost neither.
TEST_F(SharedStreamTest, TheCursorDoesNotPassWhatALostChannelMissed) {
  auto keeper = Reading(2);
  store_.Fail(MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "away"));
  network_.Refuse("c0", MakeError(Code::kUnavailable, "TRANSIENT", "down"));
  network_.Publish("c0");
  network_.Publish("c1");
  ASSERT_TRUE(Handed(1));
  EXPECT_EQ(store_.CursorOf("x"), "0");
  EXPECT_TRUE(store_.Heard().contains("c0"));
  store_.Fail(absl::OkStatus());
  ASSERT_TRUE(testing::WaitFor([&] { return store_.CursorOf("x") == "2"; }));
  EXPECT_FALSE(store_.Heard().contains("c0"));
  EXPECT_EQ(Due(), 1);
  keeper->Stop();
}

TEST_F(SharedStreamTest, WhatTheNetworkDoesNotTakeInIsTriedAgainLater) {
  auto keeper = Reading(1);
  network_.RefuseToAdd(MakeError(Code::kResourceExhausted, "RATE_LIMITED", "slow down"));
  Connect(2);
  Look();
  ASSERT_TRUE(testing::WaitFor([&] { return not_joined_ == 1; }));
  network_.Publish("c0");
  ASSERT_TRUE(Handed(1));
  network_.RefuseToAdd(absl::OkStatus());
  Look();
  ASSERT_TRUE(HeardAre(2));
  EXPECT_EQ(network_.opened(), 1);
  keeper->Stop();
}

TEST_F(SharedStreamTest, BeyondTheBoundChannelsArePolled) {
  network_.AllowChannels(2);
  Connect(5);
  auto keeper = AKeeper();
  ASSERT_TRUE(keeper->Round().ok());
  ASSERT_TRUE(HeardAre(2));
  ASSERT_TRUE(testing::WaitFor([&] { return left_out_ == 3; }));
  network_.AllowChannels(100);
  Look();
  ASSERT_TRUE(HeardAre(5));
  keeper->Stop();
  // Fewer than are heard: some leave, and are read back.
  PollAll();
  network_.AllowChannels(3);
  auto smaller = AKeeper();
  ASSERT_TRUE(smaller->Round().ok());
  ASSERT_TRUE(HeardAre(3));
  EXPECT_EQ(Due(), 2);
  smaller->Stop();
}

TEST_F(SharedStreamTest, AnOutageMakesAllPolledOnceAndTriedAgainInItsTime) {
  auto keeper = Reading(3);
  network_.RefuseToOpen(MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "the app's own"));
  network_.Break(kLost);
  ASSERT_TRUE(Ended(*keeper));
  EXPECT_EQ(Life().ending, StreamEnding::kLost);
  EXPECT_EQ(Due(), 0) << "it is opened again from the cursor";
  EXPECT_EQ(Get(0).stream.state, StreamState::kConnecting);
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(keeper->Round().ok());
  ASSERT_TRUE(testing::WaitFor([&] { return network_.opened() == 2; }));
  ASSERT_TRUE(Ended(*keeper));
  EXPECT_EQ(Life().ending, StreamEnding::kRefused);
  EXPECT_FALSE(Life().end.broken) << "it says nothing of the channels";
  EXPECT_EQ(Get(0).state, SourceState::kActive);
  EXPECT_EQ(Due(), 3);
  EXPECT_NE(Get(0).stream.state, StreamState::kLive) << "so the next polls come at the first way's intervals";
  PollAll();
  ASSERT_TRUE(keeper->Round().ok());
  EXPECT_EQ(network_.opened(), 2) << "not before refused_wait";
  network_.RefuseToOpen(absl::OkStatus());
  network_.Publish("c2");
  clock_.Advance(absl::Hours(1));
  ASSERT_TRUE(keeper->Round().ok());
  ASSERT_TRUE(Handed(1));
  EXPECT_EQ(Due(), 0) << "replayed";
  keeper->Stop();
}

TEST_F(SharedStreamTest, AGapIsReadBackByPollsOfAll) {
  auto keeper = Reading(2);
  network_.KeepLast(1);
  network_.Break(kLost);
  ASSERT_TRUE(Ended(*keeper));
  network_.Publish("c0", 3);
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(keeper->Round().ok());
  ASSERT_TRUE(Handed(1));
  ASSERT_TRUE(testing::WaitFor([&] { return Due() == 2; }));
  EXPECT_TRUE(Get(1).stream.last_gap.has_value());
  keeper->Stop();
}

TEST_F(SharedStreamTest, WhoseLeaseIsOverHandsNothingOverAndChangesNothing) {
  Reading(2)->Stop();
  options_.lease = absl::Seconds(15);
  options_.shared.stream.save_every = absl::Hours(1);
  auto dying = AKeeper();
  ASSERT_TRUE(dying->Round().ok());
  ASSERT_TRUE(testing::WaitFor([&] { return network_.open() == 1; }));
  network_.Publish("c0");
  ASSERT_TRUE(Handed(1));
  auto other = AKeeper();
  ASSERT_TRUE(other->Round().ok());
  EXPECT_EQ(other->held(), 0) << "it is read";
  clock_.Advance(options_.lease + absl::Seconds(1));
  network_.Publish("c1");
  ASSERT_TRUE(Ended(*dying)) << "it knows that its time is over";
  EXPECT_EQ(sink_.activities().size(), 1u);
  EXPECT_EQ(Life().ending, StreamEnding::kFenced);
  ASSERT_TRUE(other->Round().ok());
  ASSERT_TRUE(Handed(3));
  EXPECT_EQ(Told(), (std::vector<std::string>{"c0 1", "c0 1", "c1 2"})) << "what was not saved comes twice, and is one";
  EXPECT_EQ(network_.met(), 0);
  other->Stop();
}

TEST_F(SharedStreamTest, TheCursorWaitsForTheAcknowledgement) {
  auto keeper = Reading(1);
  sink_.Fail(MakeError(Code::kUnavailable, "BUS_UNAVAILABLE", "away"));
  network_.Publish("c0");
  ASSERT_TRUE(Ended(*keeper));
  EXPECT_EQ(Life().ending, StreamEnding::kBusAway);
  EXPECT_EQ(store_.CursorOf("x"), "0");
  sink_.Fail(absl::OkStatus());
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(keeper->Round().ok());
  ASSERT_TRUE(Handed(1));
  keeper->Stop();
}

TEST_F(SharedStreamTest, NobodyOpensItForNobody) {
  auto keeper = AKeeper();
  ASSERT_TRUE(keeper->Round().ok());
  EXPECT_EQ(network_.opened(), 0);
  Connect(1);
  ASSERT_TRUE(keeper->Round().ok());
  ASSERT_TRUE(HeardAre(1));
  ASSERT_TRUE(sources_.Detach("", "", {}).ok());
  Look();
  ASSERT_TRUE(Ended(*keeper));
  EXPECT_EQ(Life().ending, StreamEnding::kGivenBack);
  ASSERT_TRUE(keeper->Round().ok());
  EXPECT_EQ(network_.opened(), 1);
}

TEST_F(SharedStreamTest, RunsByItself) {
  RealClock clock;
  FakeSourceStore sources(clock);
  FakeSharedStreamStore store(sources, clock);
  options_.round = options_.shared.turnout_every = absl::Milliseconds(10);
  SharedStreamKeeper keeper(store, network_, sink_, clock, options_, {"x"}, [] { return 0.5; }, {});
  ASSERT_TRUE(keeper.Start().ok());
  for (const char* channel : {"c1", "c2"}) {
    ASSERT_TRUE(sources.Sync({{{"w1", channel}, "x", "r", 1, true, {}}}, clock.WallNow()).ok());
    ASSERT_TRUE(testing::WaitFor([&] { return store.Heard().contains(channel); }));
  }
  network_.Publish("c2");
  ASSERT_TRUE(Handed(1));
  keeper.Stop();
  EXPECT_EQ(store.CursorOf("x"), "1");
  EXPECT_EQ(store.Claim({"x"}, absl::Seconds(1))->size(), 1u) << "free at once";
}

}  // namespace
}  // namespace parvis::ingestion
