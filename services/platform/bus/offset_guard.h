// Where a partition is to be read from, and whether Kafka still has what lies there. Internal to platform/bus; used by
// the consumer's thread only.
//
// Nothing is ever reset by itself: librdkafka runs with auto.offset.reset=error, and a stored offset that Kafka does
// not have stops the partition until somebody has decided what is lost:
//   OFFSET_EXPIRED     below the first record: retention removed records that the group has never handled;
//   OFFSET_BEYOND_END  behind the last record: Kafka's data was replaced or truncated. Going on there would skip the
//   new
//                      records that take the old numbers.
// The stored offset is read again at every check, so writing another one is how a person lets the partition go on; no
// restart is needed. A partition that was behind the end goes on by itself only if what fills the gap was written
// before the gap was seen (a leader that still recovers), never because new records have reached the offset.
//
// Limit: an offset alone cannot tell that a log was replaced by one that is already longer, as it looks to a process
// that starts, or takes the partition over, only after new records have reached the offset.
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>

#include "platform/bus/consumer.h"
#include "platform/bus/partitions.h"

namespace parvis::bus {

class OffsetGuard {
 public:
  // Stores a position without effects: how a group that is new in a partition notes where it began.
  using Note = std::function<Status(const StreamPosition&)>;
  // `offsets` may be null with Offsets::kKafka.
  OffsetGuard(const Consumer::Options& options, OffsetStore* offsets, const Clock& clock, obs::Metrics& metrics,
              Note note);

  // Sets partition.position as stored (claiming it with kDatabase) and returns the offset to fetch from, which may be
  // RD_KAFKA_OFFSET_BEGINNING. FAILED_PRECONDITION OFFSET_EXPIRED, OFFSET_BEYOND_END: the partition has to stand still
  // (partition.gap says since when). UNAVAILABLE and the store's errors: ask again.
  StatusOr<int64_t> Locate(rd_kafka_t* rk, Partition& partition);

 private:
  Status ReadStored(rd_kafka_t* rk, Partition& partition);
  StatusOr<int64_t> Begin(rd_kafka_t* rk, Partition& partition);
  Status Check(rd_kafka_t* rk, Partition& partition);
  StatusOr<bool> FilledByOldRecords(rd_kafka_t* rk, const Partition& partition);
  Status Stop(Partition& partition, const Status& why, int64_t low, int64_t high);

  const Consumer::Options& options_;
  OffsetStore* const offsets_;
  const Clock& clock_;
  obs::Metrics& metrics_;
  const Note note_;
};

}  // namespace parvis::bus
