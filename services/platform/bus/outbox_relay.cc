#include "platform/bus/outbox_relay.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "platform/base/backoff.h"
#include "platform/obs/log.h"

namespace parvis::bus {
namespace {

constexpr int kBatch = 500;
constexpr absl::Duration kPollMin = absl::Milliseconds(2), kPollMax = absl::Milliseconds(250);
constexpr absl::Duration kAgeEvery = absl::Seconds(5);

}  // namespace

struct OutboxRelay::Impl {
  Impl(OutboxStore& s, Producer& p, obs::Metrics& m) : store(s), producer(p),
      published(m.counter("parvis_outbox_published_total", "Outbox rows that Kafka has acknowledged.")),
      failures(m.counter("parvis_outbox_failures_total", "Tries to publish outbox rows that failed.")),
      oldest(m.gauge("parvis_outbox_oldest_seconds", "Age of the oldest row in the outbox.")) {}

  // Waits for `limit`, a wake or the stop.
  void Wait(absl::Duration limit) {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, absl::ToChronoNanoseconds(limit), [this] { return woken || stopping; });
    woken = false;
  }
  bool Stopping() {
    const std::lock_guard lock(mutex);
    return stopping;
  }

  void Run() {
    absl::Duration pause = kPollMin, since_age = kAgeEvery;
    Backoff backoff({.initial = absl::Milliseconds(50), .max = absl::Seconds(2), .floor = absl::Milliseconds(20)});
    while (!Stopping()) {
      if (since_age >= kAgeEvery) {
        since_age = absl::ZeroDuration();
        if (const auto age = store.OldestAge(); age.ok()) oldest.Set(absl::ToDoubleSeconds(*age));
      }
      const auto drained = store.Drain(kBatch, [this](const std::vector<OutboxRow>& rows) { return Publish(rows); });
      if (!drained.ok()) {
        failures.Add();
        if (backoff.attempts() == 0) obs::Warn("the outbox is not published", {{"error", drained.status()}});
        const absl::Duration wait = backoff.Next();
        since_age += wait;
        Wait(wait);
        continue;
      }
      if (backoff.attempts() > 0) obs::Info("the outbox is published again");
      backoff.Reset();
      published.Add(*drained);
      if (*drained == kBatch) continue;   // there is more
      pause = *drained > 0 ? kPollMin : std::min(kPollMax, pause * 2);
      since_age += pause;
      Wait(pause);
    }
  }

  Status Publish(const std::vector<OutboxRow>& rows) {
    std::vector<StreamRecord> records;
    records.reserve(rows.size());
    for (const OutboxRow& row : rows) records.push_back(row.record);
    return producer.SendAll(records);
  }

  OutboxStore& store;
  Producer& producer;
  obs::Counter& published;
  obs::Counter& failures;
  obs::Gauge& oldest;
  std::mutex mutex;
  std::condition_variable wake;
  bool woken = false, stopping = false;
  std::thread thread;
};

OutboxRelay::OutboxRelay(OutboxStore& store, Producer& producer, obs::Metrics& metrics)
    : impl_(std::make_unique<Impl>(store, producer, metrics)) {}

OutboxRelay::~OutboxRelay() { Stop(absl::InfiniteDuration()); }

Status OutboxRelay::Start() {
  impl_->thread = std::thread([impl = impl_.get()] { impl->Run(); });
  return absl::OkStatus();
}

// The transaction at hand is bounded by the producer's and the database's own limits.
void OutboxRelay::Stop(absl::Duration) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void OutboxRelay::Wake() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->woken) return;
    impl_->woken = true;
  }
  impl_->wake.notify_one();
}

}  // namespace parvis::bus
