// Deliveries with videos and documents, whose calls last for minutes.
#include <condition_variable>
#include <mutex>
#include <thread>

#include "publishing/domain/testing/deliverer_fixture.h"

namespace parvis::publishing {
namespace {

class DelivererVideoTest : public DelivererTest {
 protected:
  Delivery Video(const std::string& name, const std::string& channel = kChannel, const std::string& type = "video/mp4") {
    Delivery d = Reply(name, "t-" + name, channel);
    d.content.media = {Media{"v.mp4", type}};
    return d;
  }
  static std::string ChannelNumber(int n) { return "0190a0b1-0000-7000-8000-" + std::to_string(100000000000 + n); }
  // Runs one call that is held back.
  void RunOne() {
    auto task = std::move(queue_.front());
    queue_.pop_front();
    task();
  }
  std::vector<absl::Duration> limits_;   // that each call was given
  void RememberLimits() {
    network_.on_write = [this](const Call& call) { limits_.push_back(call.Remaining(clock_)); };
  }
};

TEST_F(DelivererVideoTest, WhatIsNoPictureHasMinutes) {
  RememberLimits();
  for (const char* type : {"video/mp4", "application/pdf", "image/png", ""}) {
    Accept(Video(std::string("of ") + type, ChannelNumber(static_cast<int>(limits_.size())), type));
    PassTime(absl::Milliseconds(500));   // until it looks for more
  }
  EXPECT_EQ(limits_, (std::vector<absl::Duration>{absl::Minutes(5), absl::Minutes(5), absl::Seconds(20), absl::Seconds(20)}));
}

TEST_F(DelivererVideoTest, ACallThatBeginsLateEndsBeforeItsLease) {
  RememberLimits();
  hold_calls_ = true;
  const Delivery d = Video("v");
  Accept(d);
  Steps();
  clock_.Advance(absl::Minutes(2));   // the pool was busy
  RunOne();
  EXPECT_EQ(limits_.front(), absl::Minutes(3));
  EXPECT_GT(Get(d).check_time, clock_.WallNow() + limits_.front());
}

TEST_F(DelivererVideoTest, NobodyElseSendsOrReadsWhileTheCallMayBeUnderWay) {
  hold_calls_ = true;
  const Delivery d = Video("v");
  Accept(d);
  Steps();
  ASSERT_EQ(queue_.size(), 1u);
  auto call = std::move(queue_.front());
  Deliverer* former = deliverer_.get();
  hold_calls_ = false;
  Crash();   // the partition goes to another replica; the former one's call goes on
  PassTime(absl::Minutes(4));
  EXPECT_EQ(Get(d).state, State::kSent);
  EXPECT_EQ(network_.reads, 0);
  EXPECT_EQ(network_.calls, 0);
  call();
  former->Step();
  EXPECT_EQ(Get(d).state, State::kDelivered) << "its answer still counts";
  EXPECT_EQ(network_.CountOf(d.id), 1);
}

TEST_F(DelivererVideoTest, KilledInTheMiddleIsUnknownAfterItsLeaseThenFound) {
  hold_calls_ = true;
  const Delivery d = Video("v");
  Accept(d);
  Steps();
  RunOne();   // the network has it; the outcome dies with us
  hold_calls_ = false;
  Crash();
  PassTime(absl::Minutes(5) - absl::Seconds(1));
  EXPECT_EQ(Get(d).state, State::kSent);
  PassTime(absl::Seconds(30));
  EXPECT_EQ(Get(d).state, State::kDelivered);
  EXPECT_EQ(Get(d).remote_id, "r1");
  EXPECT_GE(network_.reads, 1);
  EXPECT_EQ(network_.CountOf(d.id), 1);
}

TEST_F(DelivererVideoTest, OthersDoNotWaitForTheVideoOfTheirChannel) {
  calls_per_channel_ = 1;
  Crash();
  hold_calls_ = true;
  const Delivery video = Video("v"), second = Video("w"), reply = Reply("x");
  Accept(video);
  Accept(second);
  Steps();
  ASSERT_EQ(queue_.size(), 1u) << "one video of a channel at a time";
  Accept(reply);
  PassTime(absl::Milliseconds(500));
  ASSERT_EQ(queue_.size(), 2u);
  std::swap(queue_.front(), queue_.back());
  RunOne();
  Steps();
  EXPECT_EQ(Get(reply).state, State::kDelivered);
  EXPECT_EQ(Get(video).state, State::kSent);
  RunOne();
  Steps();
  ASSERT_EQ(queue_.size(), 1u) << "now the second";
  RunOne();
  Steps();
  EXPECT_EQ(Get(second).state, State::kDelivered);
}

TEST_F(DelivererVideoTest, VideosLeaveRoomForEverythingElse) {
  calls_ = 4;
  video_calls_ = 100;   // taken for three: always less than all
  Crash();
  hold_calls_ = true;
  std::vector<Delivery> videos;
  for (int i = 0; i < 20; ++i) videos.push_back(Video("v" + std::to_string(i), ChannelNumber(i)));
  for (const Delivery& video : videos) Accept(video);
  Steps();
  EXPECT_EQ(queue_.size(), 3u);
  EXPECT_EQ(deliverer_->in_flight(), 3);
  const Delivery reply = Reply("x", "t1", ChannelNumber(3));
  Accept(reply);
  PassTime(absl::Milliseconds(500));
  ASSERT_EQ(queue_.size(), 4u);
  int given_back = 0;
  for (const Delivery& video : videos) given_back += Get(video).error_reason == "OVERLOADED";
  EXPECT_EQ(given_back, 14) << "three under way, three at hand for the next free place";
  hold_calls_ = false;
  while (!queue_.empty()) RunOne();
  PassTime(absl::Minutes(3));
  for (const Delivery& video : videos) EXPECT_EQ(Get(video).state, State::kDelivered);
  EXPECT_EQ(network_.calls, 21);
}

TEST_F(DelivererVideoTest, StoppingCancelsWhatWouldLastLonger) {
  hold_calls_ = true;
  bool cancelled = false;
  network_.on_write = [&](const Call& call) { cancelled = call.cancellation->Wait(absl::Minutes(1)); };
  Next({Behaviour::kNotSent});   // as a connector answers that was still uploading
  const Delivery d = Video("v");
  Accept(d);
  Steps();
  ASSERT_EQ(queue_.size(), 1u);
  std::thread pool([this] { RunOne(); });
  deliverer_->Stop(absl::Seconds(2));
  pool.join();
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(Get(d).state, State::kScheduled) << "recorded, and free for the next owner";
}

}  // namespace
}  // namespace parvis::publishing
