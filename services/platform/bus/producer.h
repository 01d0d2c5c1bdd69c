// An idempotent Kafka producer (acks=all, lz4). Bounded: when the local queue is full, Send says so and
// the caller sheds or waits. After a fatal error of librdkafka (an idempotent producer may become unusable) it is
// rebuilt; records in flight are then reported UNAVAILABLE PRODUCER_FATAL and their owners send again.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/app/config.h"
#include "platform/base/error.h"
#include "platform/base/stream.h"
#include "platform/obs/metrics.h"

namespace parvis::bus {

struct BusConfig {
  std::string brokers = "127.0.0.1:9092";
  int producer_queue_max = 50'000;  // records waiting for their ack
  int64_t producer_queue_max_bytes = 64 << 20;
  absl::Duration delivery_max = absl::Seconds(30);  // an ack later than this is an error
  // How long a record waits for others to travel with: the least that an acknowledgement takes.
  absl::Duration linger = absl::Milliseconds(5);
  absl::Duration session_max = absl::Seconds(10);  // consumer session timeout
  absl::Duration poll_max = absl::Seconds(60);     // consumer max.poll.interval
  std::string instance;                            // consumers' name in their groups; empty: a new one every time
  absl::Duration instance_retry = absl::Minutes(1);   // how long a consumer stays out that loses its name again and again
  int batch_max = 1000;                            // records handed to a handler at once
  absl::Duration batch_wait = absl::Milliseconds(50);
  absl::Duration batch_wait_max = absl::Milliseconds(200);
  int64_t record_max_bytes = 1 << 20;
  void Declare(app::Options& o, std::string_view prefix = "bus_");
};

// A record that belongs to somebody else; it is copied when it is handed over.
struct HeaderView {
  std::string_view name, value;
};
struct RecordView {
  std::string_view topic, key, payload;
  std::span<const HeaderView> headers;
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
  // Records that are answered for together, once: what one webhook call brings. Of one thread; the producer outlives
  // it.
  class Batch {
   public:
    // `done` is called once, after End: when all records that were taken have been acknowledged (OK), or with the first
    // error, a refusal by Add included. From the producer's thread, or from End when nothing is under way.
    Batch(Producer& producer, Done done);
    ~Batch();  // End()
    Batch(const Batch&) = delete;
    // As Send. After a refusal the caller adds nothing more.
    Status Add(const RecordView& record);
    Status Add(const StreamRecord& record);
    void End();  // idempotent

   private:
    Producer& producer_;
    void* flight_;
  };
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
