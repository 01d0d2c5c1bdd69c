// The consumer loop. One thread per Consumer; batches in order per partition.
//
// kDatabase: offsets live in the effects' transaction. On assignment the epoch is claimed through OffsetStore (1 is the
// first claim ever) and the partition starts at the database's offset. The handler gets a batch and the positions to
// store with its effects; ABORTED FENCED from it means that we are a zombie: the batch is dropped and the group is left
// and rejoined.
// A partition whose stored offset Kafka does not have (kept no longer, or its data was replaced) stands still and makes us
// unready, until somebody decides: see offset_guard.h. A group that is new begins with the oldest record there is.
// kKafka: for Kafka → Kafka stages: the offset is committed to Kafka soon (a quarter of a second) after the handler
// returned OK; what was handled after the last commit is handled again after a crash.
//
// A batch has the records of one topic, of all partitions that have some: one transaction instead of one for each. A
// lone record is handled at once; under load batches are `batch_wait` apart, so that they have something to share, and the
// further apart the smaller a part of the partitions is owned (see batch_pace.h).
//
// Errors of a handler: UNAVAILABLE, RESOURCE_EXHAUSTED, ABORTED, DEADLINE_EXCEEDED are tried again with backoff for ever
// (the partition is paused, polling goes on, readiness turns off after 30 s); anything else is blamed on a record: the
// partitions are handled one by one, the batch is bisected, and a record that still fails after `tries_max` goes to
// `<topic>.dlq.<group>` with the reason as headers (parvis_reason, parvis_message, parvis_partition, parvis_offset), and
// the partition advances.
//
// With config.instance (a name that no other process has at the same time) the broker knows a process that was killed and
// started again, and gives it its partitions at once. The price: a process that ends keeps them for session_max, so scaling
// down leaves a pause of that length. A process that finds its name taken takes it back, for it may have been itself (before the
// broker failed); the fourth time within a minute it stays out, unready (INSTANCE_FENCED), and tries again after
// `instance_retry`: what a broker in trouble did to it passes without help, two processes with one name do not.
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
  // Applies one batch: one topic, partition after partition, each with ascending offsets. `positions` has one for every
  // partition in it, whose `next` is the offset after the partition's last record: store all of them with the effects.
  // After a dead letter the batch is empty and only the position is to be stored.
  using Handler = std::function<Status(const StreamPositions& positions, const std::vector<Received>& batch)>;

  // `offsets` may be null with Offsets::kKafka. `dead_letters` must outlive the consumer.
  Consumer(const BusConfig& config, Options options, OffsetStore* offsets, Producer& dead_letters, const Clock& clock,
           obs::Metrics& metrics, Handler handler);
  ~Consumer();
  Status Start();
  // Finishes the batch at hand and leaves the group; what takes longer than `limit` is abandoned.
  void Stop(absl::Duration limit);
  // UNAVAILABLE CONSUMER_FAILING, BUS_UNAVAILABLE after 30 s; FAILED_PRECONDITION OFFSET_EXPIRED, OFFSET_BEYOND_END,
  // INSTANCE_FENCED at once.
  Status Ready();
  // Leaves the group, joins it again and claims its partitions anew, as after FENCED: for those who learn in another way
  // that somebody claimed a partition of ours. Takes effect soon; any thread.
  void StartOver();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace parvis::bus
