// The consumer loop. One thread per Consumer; batches in order per partition.
//
// kDatabase: offsets live in the effects' transaction. On assignment the epoch is claimed through OffsetStore and the
// partition starts at the database's offset. The handler gets a batch of one partition and the position to store with its
// effects; ABORTED FENCED from it means that we are a zombie: the batch is dropped and the group is left and rejoined.
// kKafka: for Kafka → Kafka stages: the offset is committed to Kafka after the handler returned OK.
//
// Errors of a handler: UNAVAILABLE, RESOURCE_EXHAUSTED, ABORTED, DEADLINE_EXCEEDED are tried again with backoff for ever
// (the partition is paused, polling goes on, readiness turns off after 30 s); anything else is blamed on a record: the
// batch is bisected, and a record that still fails after `tries_max` goes to `<topic>.dlq.<group>` with the reason as
// headers (parvis_reason, parvis_message, parvis_partition, parvis_offset), and the partition advances.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/stream.h"
#include "platform/bus/producer.h"

namespace parvis::bus {

struct Received {
  StreamRecord record;
  int32_t partition = 0;
  int64_t offset = 0;
  absl::Time timestamp;  // the broker's or producer's, as the topic is configured
};

class Consumer {
 public:
  enum class Offsets { kDatabase, kKafka };
  struct Options {
    std::string group;                       // "inbox.fold"
    std::vector<std::string> topics;
    Offsets offsets = Offsets::kDatabase;
    int tries_max = 3;
    // Told of the partitions owned after every change (by topic); may be empty. From the consumer's thread.
    std::function<void(const std::string& topic, const std::vector<StreamPosition>& owned)> on_assignment;
    // Called at least this often even when no record arrives; may be empty.
    std::function<void()> on_idle;
  };
  // Applies one batch (one partition, ascending offsets). `position.next` is the offset after the last
  // record: store it with the effects. After a dead letter the batch is empty and only the position is to be stored.
  using Handler = std::function<Status(const StreamPosition& position, const std::vector<Received>& batch)>;

  // `offsets` may be null with Offsets::kKafka. `dead_letters` must outlive the consumer.
  Consumer(const BusConfig& config, Options options, OffsetStore* offsets, Producer& dead_letters, const Clock& clock,
           obs::Metrics& metrics, Handler handler);
  ~Consumer();
  Status Start();
  // Finishes the batch at hand and leaves the group; what takes longer than `limit` is abandoned.
  void Stop(absl::Duration limit);
  Status Ready();
  // Leaves the group, joins it again and claims its partitions anew, as after FENCED: for those who learn in another way
  // that somebody claimed a partition of ours. Takes effect soon; any thread.
  void StartOver();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace parvis::bus
