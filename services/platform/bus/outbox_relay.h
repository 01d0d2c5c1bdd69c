// Moves outbox rows to Kafka: woken after a commit in this process, and polling adaptively (2–10 ms while busy, up to
// 250 ms when long idle, so that an idle service costs nothing noticeable). At least once: a crash between the ack and
// the delete sends a row again with the same ce_id, and consumers have natural keys.
#pragma once

#include <memory>

#include "platform/base/stream.h"
#include "platform/bus/producer.h"

namespace parvis::bus {

class OutboxRelay {
 public:
  OutboxRelay(OutboxStore& store, Producer& producer, obs::Metrics& metrics);
  ~OutboxRelay();
  Status Start();
  void Stop(absl::Duration limit);
  void Wake();   // after a commit; cheap, thread-safe

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::bus
