// The partitions that a consumer owns: where each stands and the records of it that wait for the handler. Internal to
// platform/bus; one thread.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/backoff.h"
#include "platform/base/clock.h"
#include "platform/bus/consumer.h"
#include "platform/bus/rdkafka.h"

namespace parvis::bus {

// Why a partition stands still (see offset_guard.h).
struct Gap {
  Status why;
  bool beyond_end = false;   // else: expired
  int64_t stored = 0;
  absl::Time since;
};

struct Partition {
  StreamPosition position;        // as last applied; `next` is what the database (or Kafka) has
  bool claimed = false;           // its offset is known and it is fetched; records before that are not ours to handle
  bool attached = false;          // part of librdkafka's assignment
  bool fresh = false;             // the group has never stored an offset here
  bool suspect = false;           // Kafka has refused an offset of it
  bool refused = false;           // as suspect, and still attached
  std::optional<Gap> gap;         // stands still
  int64_t expected = -1;          // offset of the next record to buffer, -1 until the first
  int64_t committed = -1;         // offset that Kafka was told last
  int64_t gap_checked = -1;       // `expected` for which a gap was looked into already
  std::deque<Received> waiting;   // at most batch_max
  bool paused = false;
  bool alone = false;             // its last batch failed: until one succeeds it shares none with other partitions
  int tries = 0;                  // of the record at the front, alone
  int64_t dead_sent = -1;         // offset of the record whose dead letter has been acknowledged
  Instant retry_at;               // do not handle before
  std::optional<Instant> failing_since;
  Backoff backoff{{.initial = absl::Milliseconds(50), .max = absl::Seconds(5), .floor = absl::Milliseconds(20)}};
};

class Partitions {
 public:
  using Key = std::pair<std::string, int32_t>;
  std::map<Key, Partition>& all() { return all_; }
  Partition* Find(const std::string& topic, int32_t number);
  void Drop(const rd_kafka_topic_partition_list_t* list);
  void Disown();   // nothing of theirs may be handled or committed any more
  size_t Waiting() const;
  std::vector<std::string> Topics() const;
  std::vector<StreamPosition> Owned(const std::string& topic) const;   // claimed ones
  // Records that are not applied yet, by topic; what librdkafka does not know of yet counts as none. Asks no broker.
  std::map<std::string, int64_t> Lag(rd_kafka_t* rk) const;
  // The offsets of all partitions to commit to Kafka (`only` limits it), or null when there are none.
  ListPtr Offsets(const rd_kafka_topic_partition_list_t* only = nullptr) const;
  // Those of `only` that librdkafka fetches; may be empty.
  ListPtr Attached(const rd_kafka_topic_partition_list_t* only) const;
  // As Offsets, but only those that have moved since they were given out last.
  ListPtr MovedOffsets();

  // What is to be done with a record that was polled.
  enum class Take { kBuffered, kIgnored, kSeekBack };
  // kSeekBack: an offset was skipped and has not been asked for again yet (librdkafka 2.0.2 was seen to skip around pause and
  // resume); the caller seeks to `expected`. A second time the gap is real (compaction, retention).
  Take Add(const rd_kafka_message_t& message);

 private:
  std::map<Key, Partition> all_;
};

}  // namespace parvis::bus
