// The deliverer between a ledger and a network in memory, stepped by the test; replicas that crash included.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "publishing/domain/deliverer.h"
#include "publishing/domain/testing/builders.h"
#include "publishing/domain/testing/fake_network.h"
#include "publishing/domain/testing/fake_store.h"

namespace parvis::publishing {

// A deliverer on the stores and the network in memory. Time passes only when the test says so.
class DelivererTest : public ::testing::Test {
 protected:
  using State = DeliveryState;
  DelivererTest() : network_(clock_) { Start(); }
  // A replica of its own, on the same ledger and network; the one before is dead from here on.
  void Start() {
    DelivererOptions options;
    options.partitions = 1;
    DelivererObserver observer;
    observer.fenced = [this] { ++fenced_; };
    options.rules.actor = "publishing/test";
    options.calls_per_channel_max = calls_per_channel_;
    options.calls_max = calls_;
    options.video_calls_max = video_calls_;
    queue_.clear();
    deliverer_ = std::make_unique<Deliverer>(
        store_, network_, clock_,
        [this](std::function<void()> task) {
          if (hold_calls_) queue_.push_back(std::move(task)); else task();
          return true;
        },
        options, observer);
    store_.SetEpoch(0, ++epoch_);
    deliverer_->SetOwned({Position()});
  }
  // As kill -9: no destructor's work. The object is kept until the end of the test, so that late calls can come back.
  void Crash() {
    dead_.push_back(std::move(deliverer_));
    Start();
  }
  StreamPosition Position() { return {"publishing.accept", "t", 0, epoch_, 0}; }
  void Accept(const Delivery& d) { ASSERT_EQ(*store_.Accept(Position(), {d}, clock_.WallNow(), "test"), 1); }
  void Steps(int n = 6) {
    for (int i = 0; i < n; ++i) deliverer_->Step();
  }
  void PassTime(absl::Duration d) {
    for (absl::Duration passed; passed < d; passed += absl::Milliseconds(500)) {
      clock_.Advance(absl::Milliseconds(500));
      Steps(3);
    }
  }
  Delivery Get(const Delivery& d) { return *store_.GetDelivery(CallOf("m"), d.id); }
  Delivery Reply(const std::string& text, const std::string& thread = "t1", const std::string& channel = kChannel) {
    return MakeReply(text, clock_.WallNow(), thread, channel);
  }
  void Next(std::initializer_list<Behaviour> behaviours) { network_.next.assign(behaviours); }

  FakeClock clock_;
  FakeStore store_;
  FakeNetwork network_;
  bool hold_calls_ = false;
  int calls_per_channel_ = 4;
  int calls_ = 32, video_calls_ = 8;
  int fenced_ = 0;
  std::deque<std::function<void()>> queue_;
  std::vector<std::unique_ptr<Deliverer>> dead_;
  std::unique_ptr<Deliverer> deliverer_;
  int64_t epoch_ = 0;
};

}  // namespace parvis::publishing
