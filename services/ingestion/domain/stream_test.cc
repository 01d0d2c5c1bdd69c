// One life of a stream, on fakes.
#include "ingestion/domain/stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "ingestion/domain/poll.h"
#include "ingestion/domain/stream_contract.h"
#include "ingestion/domain/stream_fakes.h"
#include "platform/testing/wait.h"

namespace parvis::ingestion {
namespace {

struct FakeBackend {
  FakeClock clock;
  FakeSourceStore fake_sources{clock};
  FakeStreamStore fake{fake_sources, clock};
  SourceStore& sources() { return fake_sources; }
  StreamStore& store() { return fake; }
  void Pass(absl::Duration d) { clock.Advance(d); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Fake, StreamContract, FakeBackend);

class StreamTest : public ::testing::Test {
 protected:
  StreamTest() {
    EXPECT_TRUE(sources_.Sync({channel_}, clock_.WallNow() - absl::Hours(1)).ok());
    EXPECT_TRUE(store_.Attend("k1", 1, {"mastodon"}, absl::Hours(100)).ok());
    PollAll();
    watchers_.store_failed = [this](const Status&) { ++store_failures_; };
  }
  ~StreamTest() override {
    if (reading_.joinable()) EndReading();
  }
  // Reads the stream on a thread of its own until EndReading.
  void BeginReading(Instant until = Instant::Max()) {
    auto claimed = store_.Claim({"mastodon"}, 1, absl::Hours(100));
    ASSERT_EQ(claimed->size(), 1u);
    lease_ = std::make_unique<StreamLease>(until);
    const int before = network_.opened();
    reading_ = std::thread([this, one = claimed->front()] {
      life_ = StreamReader(store_, network_, sink_, clock_, options_, [] { return 1.0; }, watchers_).Read(one, *lease_);
    });
    ASSERT_TRUE(testing::WaitFor([&] { return network_.opened() > before; }));
  }
  StreamLife EndReading(bool ask = true) {
    if (ask) lease_->AskBack();
    reading_.join();
    return life_;
  }
  bool Heard(size_t activities) {
    return testing::WaitFor([&] { return sink_.activities().size() >= activities; });
  }
  // The next poll lies ahead after this.
  void PollAll() {
    PollEnd end;
    end.interval = end.next_in = absl::Hours(100);
    end.polled = true;
    auto claimed = sources_.Claim({channel_.binding}, absl::Minutes(1));
    for (const Claimed& one : *claimed) EXPECT_TRUE(sources_.Release(one, end).ok());
  }
  bool Due() { return sources_.ListDue(10, {})->due > 0; }
  Source Get() { return *sources_.GetSource(BackgroundCall("test", "w1"), "c1"); }
  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    for (const Activity& activity : sink_.activities()) ids.push_back(activity.what.remote_id);
    return ids;
  }

  FakeClock clock_;
  const KnownChannel channel_{{"w1", "c1"}, "mastodon", "https://social.example", 1, true, absl::Seconds(10)};
  FakeSourceStore sources_{clock_};
  FakeStreamStore store_{sources_, clock_};
  FakeStreams network_;
  FakeSink sink_;
  StreamOptions options_;
  StreamWatchers watchers_;
  std::atomic<int> store_failures_ = 0;
  std::unique_ptr<StreamLease> lease_;
  std::thread reading_;
  StreamLife life_;
};

TEST_F(StreamTest, WhatComesIsHandedOverAndItsPlaceKept) {
  BeginReading();
  ASSERT_TRUE(testing::WaitFor([&] { return Get().stream.state == StreamState::kLive; }));
  EXPECT_TRUE(Due()) << "what was before it was opened is left to a poll";
  network_.Publish("c1", 2);
  network_.PublishJunk("c1");
  ASSERT_TRUE(Heard(2));
  ASSERT_TRUE(testing::WaitFor([&] { return sink_.parts().size() == 1; }));
  StreamLife life = EndReading();
  EXPECT_TRUE(life.why.ok()) << life.why;
  EXPECT_EQ(life.ending, StreamEnding::kGivenBack);
  EXPECT_EQ(store_.CursorOf("c1"), "3");
  EXPECT_EQ(sink_.activities()[0].origin, Origin::kStream);
  EXPECT_EQ(sink_.activities()[0].workspace_id, "w1");
  EXPECT_EQ(Get().last_event, absl::FromUnixSeconds(1'790'000'001));
  EXPECT_EQ(Get().stream.state, StreamState::kNone);
  EXPECT_EQ(network_.open(), 0);
  PollAll();
  network_.Publish("c1");
  BeginReading();
  ASSERT_TRUE(Heard(3));
  EndReading();
  EXPECT_EQ(network_.cursors(), (std::vector<std::string>{"", "3"}));
  EXPECT_EQ(Ids().back(), "4");
  EXPECT_FALSE(Due()) << "the network replayed what was in between";
}

TEST_F(StreamTest, ThePlaceIsSavedEverySoOften) {
  options_.save_every = absl::Minutes(1);
  BeginReading();
  network_.Publish("c1");
  ASSERT_TRUE(Heard(1));
  EXPECT_EQ(store_.CursorOf("c1"), "");
  clock_.Advance(absl::Seconds(61));
  EXPECT_TRUE(testing::WaitFor([&] { return store_.CursorOf("c1") == "1"; })) << "also when nothing more comes";
  EndReading();
}

TEST_F(StreamTest, ThePlaceIsKeptOnlyAfterTheAcknowledgement) {
  options_.save_every = absl::ZeroDuration();
  sink_.Hold();
  BeginReading();
  network_.Publish("c1");
  ASSERT_TRUE(testing::WaitFor([&] { return sink_.waiting() == 1; }));
  EXPECT_EQ(store_.CursorOf("c1"), "");
  sink_.Release();
  ASSERT_TRUE(testing::WaitFor([&] { return store_.CursorOf("c1") == "1"; }));
  sink_.Fail(MakeError(Code::kUnavailable, "BUS_UNAVAILABLE", "away"));
  network_.Publish("c1");
  StreamLife life = EndReading(false);
  EXPECT_EQ(life.ending, StreamEnding::kBusAway);
  EXPECT_EQ(store_.CursorOf("c1"), "1");
  EXPECT_EQ(life.end.failures, 1);
  EXPECT_TRUE(store_.Claim({"mastodon"}, 1, absl::Minutes(1))->empty()) << "not at once";
  sink_.Fail(absl::OkStatus());
  clock_.Advance(absl::Seconds(2));
  BeginReading();
  ASSERT_TRUE(Heard(2));
  EndReading();
  EXPECT_EQ(Ids(), (std::vector<std::string>{"1", "2"}));
}

TEST_F(StreamTest, WhoseLeaseIsOverHandsNothingOver) {
  options_.save_every = absl::Hours(1);
  BeginReading(clock_.Now() + absl::Seconds(15));
  network_.Publish("c1");
  ASSERT_TRUE(Heard(1));
  clock_.Advance(absl::Seconds(15));
  network_.Publish("c1");
  StreamLife life = EndReading(false);
  EXPECT_EQ(life.ending, StreamEnding::kFenced);
  EXPECT_EQ(sink_.activities().size(), 1u);
  EXPECT_EQ(store_.CursorOf("c1"), "") << "nothing is written either";
}

TEST_F(StreamTest, WhoIsToldThatItIsLostHandsNothingOver) {
  BeginReading();
  ASSERT_TRUE(testing::WaitFor([&] { return network_.open() == 1; }));
  lease_->Lose();
  network_.Publish("c1");
  EXPECT_EQ(EndReading(false).ending, StreamEnding::kFenced);
  EXPECT_TRUE(sink_.activities().empty());
}

TEST_F(StreamTest, AGapIsReadBackByAPoll) {
  network_.KeepLast(2);
  network_.Publish("c1");
  BeginReading();
  network_.Publish("c1");
  ASSERT_TRUE(Heard(1));
  EndReading();
  PollAll();
  network_.Publish("c1", 5);
  int gaps = 0;
  watchers_.brought = [&](const Source&, int, bool gap) { gaps += gap; };
  BeginReading();
  ASSERT_TRUE(Heard(3));
  ASSERT_TRUE(testing::WaitFor([&] { return Get().stream.last_gap.has_value(); }));
  EXPECT_TRUE(Due());
  EndReading();
  EXPECT_EQ(Ids(), (std::vector<std::string>{"2", "6", "7"}));
  EXPECT_EQ(gaps, 1);
}

TEST_F(StreamTest, WhereNoPlaceIsKeptEveryLossIsReadBack) {
  network_.KeepNoPlace();
  BeginReading();
  ASSERT_TRUE(testing::WaitFor([&] { return Due(); }));
  network_.Publish("c1");
  ASSERT_TRUE(Heard(1));
  PollAll();
  network_.Break(MakeError(Code::kUnavailable, "STREAM_LOST", "reset"));
  EXPECT_EQ(EndReading(false).ending, StreamEnding::kLost);
  EXPECT_FALSE(Due()) << "it would come too early";
  clock_.Advance(absl::Seconds(2));
  BeginReading();
  EXPECT_TRUE(testing::WaitFor([&] { return Due(); }));
  EndReading();
}

TEST_F(StreamTest, AStreamThatCannotBeOpenedAgainIsPolled) {
  BeginReading();
  network_.Publish("c1");
  ASSERT_TRUE(Heard(1));
  PollAll();
  network_.RefuseToOpen(MakeError(Code::kUnavailable, "CONNECT_FAILED", "down"));
  network_.Break(MakeError(Code::kUnavailable, "STREAM_LOST", "reset"));
  EXPECT_EQ(EndReading(false).end.failures, 1);
  EXPECT_EQ(Get().stream.state, StreamState::kConnecting);
  for (int failures = 2; failures <= 4; ++failures) {
    clock_.Advance(absl::Minutes(5));
    BeginReading();
    StreamLife life = EndReading(false);
    EXPECT_EQ(life.ending, StreamEnding::kNotOpened);
    EXPECT_EQ(life.end.failures, failures);
    EXPECT_EQ(Due(), failures == 2) << "once; then at the intervals of a channel without a stream";
    PollAll();
  }
}

TEST_F(StreamTest, RefusedCredentialsBreakTheSource) {
  network_.RefuseToOpen(MakeError(Code::kUnauthenticated, "TOKEN_EXPIRED", "expired"));
  BeginReading();
  EXPECT_EQ(EndReading(false).ending, StreamEnding::kRefused);
  EXPECT_EQ(Get().state, SourceState::kBroken);
  EXPECT_EQ(Get().state_reason, "TOKEN_EXPIRED");
  EXPECT_EQ(network_.reported(), (std::vector<std::string>{"TOKEN_EXPIRED"}));
}

TEST_F(StreamTest, AStoreThatIsAwayStopsNothingBeforeTheLeaseDoes) {
  options_.save_every = absl::ZeroDuration();
  BeginReading();
  ASSERT_TRUE(testing::WaitFor([&] { return Get().stream.state == StreamState::kLive; }));
  store_.Fail(MakeError(Code::kUnavailable, "DB_UNAVAILABLE", "away"));
  network_.Publish("c1");
  ASSERT_TRUE(Heard(1));
  ASSERT_TRUE(testing::WaitFor([&] { return store_failures_ > 0; }));
  EXPECT_EQ(store_.CursorOf("c1"), "");
  store_.Fail(absl::OkStatus());
  EXPECT_TRUE(testing::WaitFor([&] { return store_.CursorOf("c1") == "1"; }));
  EndReading();
}

TEST_F(StreamTest, WhileItIsLivePollingIsTheSecondWay) {
  FakeReader reader;
  Poller poller(sources_, reader, sink_, clock_, {}, [](const std::string&) { return false; }, [] { return 0.5; });
  auto poll = [&] {
    ASSERT_TRUE(sources_.PollNow({channel_.binding}).ok());
    auto claimed = sources_.Claim({channel_.binding}, absl::Minutes(1));
    ASSERT_EQ(claimed->size(), 1u);
    ASSERT_TRUE(poller.Poll(claimed->front()).ok());
  };
  poll();
  EXPECT_EQ(Get().interval, absl::Minutes(1));
  BeginReading();
  ASSERT_TRUE(testing::WaitFor([&] { return Get().stream.state == StreamState::kLive; }));
  poll();
  EXPECT_EQ(Get().interval, absl::Minutes(2));
  EndReading();
  poll();
  EXPECT_EQ(Get().interval, absl::Minutes(1));
}

TEST(AfterStream, WaitsLongerAfterEveryFailureAndNeverInStep) {
  const StreamOptions options;
  const Status lost = MakeError(Code::kUnavailable, "STREAM_LOST", "");
  ClaimedStream claimed;
  auto wait = [&](int failures, double uniform) {
    claimed.failures = failures;
    return AfterStream(claimed, lost, true, absl::Seconds(10), options, uniform).next_in;
  };
  EXPECT_EQ(wait(0, 1.0), absl::Seconds(1));
  EXPECT_EQ(wait(0, 0.0), absl::Milliseconds(500));
  EXPECT_EQ(wait(3, 1.0), absl::Seconds(8));
  EXPECT_EQ(wait(1000, 1.0), absl::Minutes(5));
  claimed.failures = 5;
  EXPECT_EQ(AfterStream(claimed, lost, true, absl::Minutes(1), options, 1.0).failures, 1) << "it has lived for a while";
  EXPECT_EQ(AfterStream(claimed, absl::OkStatus(), true, absl::Minutes(1), options, 1.0).failures, 0);
  EXPECT_EQ(AfterStream(claimed, absl::OkStatus(), true, absl::Seconds(1), options, 1.0).next_in, absl::ZeroDuration());
}

TEST(AfterStream, ObeysTheNetwork) {
  const StreamOptions options;
  Error limited{.code = Code::kResourceExhausted, .reason = "RATE_LIMITED", .message = ""};
  limited.retry_after = absl::Minutes(30);
  EXPECT_EQ(AfterStream({}, ToStatus(limited), false, {}, options, 0.0).next_in, absl::Minutes(30));
  limited.retry_after = absl::Hours(24 * 365);
  EXPECT_LE(AfterStream({}, ToStatus(limited), false, {}, options, 1.0).next_in, absl::Hours(27))
      << "it may say anything";
  const Status no_stream = MakeError(Code::kPermissionDenied, "PERMISSION_DENIED", "not in your plan");
  StreamEnd end = AfterStream({}, no_stream, false, {}, options, 1.0);
  EXPECT_EQ(end.next_in, options.refused_wait);
  EXPECT_FALSE(end.broken) << "it may be read otherwise";
  EXPECT_TRUE(end.poll_now);
}

}  // namespace
}  // namespace parvis::ingestion
