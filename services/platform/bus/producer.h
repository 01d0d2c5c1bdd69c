// An idempotent Kafka producer (acks=all, lz4, linger 5 ms). Bounded: when the local queue is full, Send says so and the
// caller sheds or waits. After a fatal error of librdkafka (an idempotent producer may become unusable) it is rebuilt;
// records in flight are then reported UNAVAILABLE PRODUCER_FATAL and their owners send again.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/app/config.h"
#include "platform/base/error.h"
#include "platform/base/stream.h"
#include "platform/obs/metrics.h"

namespace parvis::bus {

struct BusConfig {
  std::string brokers = "127.0.0.1:9092";
  int producer_queue_max = 50'000;              // records waiting for their ack
  int64_t producer_queue_max_bytes = 64 << 20;
  absl::Duration delivery_max = absl::Seconds(30);   // an ack later than this is an error
  absl::Duration session_max = absl::Seconds(10);    // consumer session timeout
  absl::Duration poll_max = absl::Seconds(60);       // consumer max.poll.interval
  std::string instance;                              // consumers' name in their groups; empty: a new one every time
  int batch_max = 1000;                         // records handed to a handler at once
  absl::Duration batch_wait = absl::Milliseconds(50);
  int64_t record_max_bytes = 1 << 20;
  void Declare(app::Options& o, std::string_view prefix = "bus_");
};

class Producer {
 public:
  using Done = std::function<void(Status)>;
  Producer(const BusConfig& config, obs::Metrics& metrics);
  ~Producer();
  // Queues a record; `done` is called once, from the producer's thread, after the broker's ack (OK) or with
  // UNAVAILABLE (not acknowledged in delivery_max, or fatal). It must not block. Returns RESOURCE_EXHAUSTED
  // BUS_QUEUE_FULL or INVALID_ARGUMENT RECORD_TOO_LARGE without calling it. Records of one key keep the order of Send.
  Status Send(StreamRecord record, Done done);
  // Sends all and waits for all acks; the first error, if any.
  Status SendAll(const std::vector<StreamRecord>& records);
  // Waits until nothing is in flight; DEADLINE_EXCEEDED otherwise.
  Status Flush(absl::Duration limit);
  Status Ready();  // for readiness: a broker has answered lately

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::bus
