// Simulated time: a queue of events by (time, number), one after the other in one thread; and the processes they belong
// to.
//
// A process stands for an operating system process: it crashes (its events vanish), is paused (its events wait) and may
// be held up in the middle of a call to a store (Stall): then the events of all others go on inside that call.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "platform/base/clock.h"

namespace parvis::sim {

class Process;

class Scheduler {
 public:
  static constexpr int64_t kStart = 1'000'000'000;
  int64_t now() const { return now_; }  // nanoseconds
  // `owner` null: the world's own event, which nothing holds up. Past times mean now.
  void At(int64_t time, Process* owner, std::function<void()> run);
  void After(absl::Duration wait, Process* owner, std::function<void()> run) {
    At(now_ + absl::ToInt64Nanoseconds(wait), owner, std::move(run));
  }
  // Runs what is due until `time`, and moves the clock there; may be called from an event (see Stall). Ends early when
  // `stop` is set.
  void RunUntil(int64_t time);
  void set_stop() { stop_ = true; }
  bool stopped() const { return stop_; }
  // Others go on for `wait`; the process, whose event is running, does not.
  void Stall(Process& process, absl::Duration wait);
  int64_t events() const { return events_; }

 private:
  friend class Process;
  struct Event {
    int64_t time = 0;
    uint64_t number = 0;
    Process* owner = nullptr;
    uint32_t incarnation = 0;
    std::function<void()> run;
  };
  static bool Later(const Event& a, const Event& b) { return a.time != b.time ? a.time > b.time : a.number > b.number; }
  void Push(Event event);
  void Dispatch(Event event);

  std::vector<Event> heap_;
  int64_t now_ = kStart;
  uint64_t next_number_ = 0;
  int64_t events_ = 0;
  bool stop_ = false;
};

// The clocks of one process: the wall clock may be wrong and may step, the monotonic one starts anywhere.
class SimClock : public Clock {
 public:
  explicit SimClock(const Scheduler& scheduler) : scheduler_(scheduler) {}
  absl::Time WallNow() const override {
    return absl::FromUnixSeconds(1'800'000'000) + absl::Nanoseconds(scheduler_.now()) + offset;
  }
  Instant Now() const override { return {scheduler_.now() + boot}; }
  absl::Duration offset;
  int64_t boot = 0;

 private:
  const Scheduler& scheduler_;
};

class Process {
 public:
  Process(Scheduler& scheduler, std::string name) : scheduler_(scheduler), clock_(scheduler), name_(std::move(name)) {}
  virtual ~Process() = default;
  Process(const Process&) = delete;

  void Boot();
  // As kill -9. In the middle of its own event: nothing it does from here on has an effect, it ends with the event.
  void Crash();
  void Pause();
  void Resume();
  bool up() const { return up_; }  // booted and not crashed
  bool dying() const { return dying_; }
  bool held() const { return held_ > 0; }
  SimClock& clock() { return clock_; }
  const std::string& name() const { return name_; }
  uint32_t incarnation() const { return incarnation_; }
  void After(absl::Duration wait, std::function<void()> run) { scheduler_.After(wait, this, std::move(run)); }

 protected:
  virtual void OnBoot() = 0;
  virtual void OnDeath() = 0;  // drops all that was in memory
  Scheduler& scheduler_;

 private:
  friend class Scheduler;
  void Hold() { ++held_; }
  void Unhold();
  void Reap();
  SimClock clock_;
  const std::string name_;
  uint32_t incarnation_ = 0;
  bool up_ = false, dying_ = false, running_ = false, paused_ = false;
  int held_ = 0;
  std::vector<Scheduler::Event> deferred_;
};

}  // namespace parvis::sim
