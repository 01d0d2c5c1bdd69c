// How far apart a consumer's batches are under load. Internal to platform/bus; one thread.
//
// A replica that owns a part of the partitions gets that part of the records. It waits so much longer that its batches have as
// many records as if it owned all: a group makes as many transactions and requests however many replicas share it.
#pragma once

#include <string>
#include <vector>

#include <absl/time/time.h>

#include "platform/bus/producer.h"
#include "platform/bus/rdkafka.h"

namespace parvis::bus {

// `wait` × all ÷ owned, at least `wait` and at most `most` (which loses against `wait`).
absl::Duration Stretched(absl::Duration wait, absl::Duration most, size_t owned, size_t all);

class BatchPace {
 public:
  explicit BatchPace(const BusConfig& config)
      : wait_(config.batch_wait), most_(config.batch_wait_max), apart_(config.batch_wait) {}
  absl::Duration apart() const { return apart_; }
  // To be told often how many partitions are owned. After a change it asks the broker how many `topics` have, for 200 ms
  // at most; without an answer the pace stays and the next call asks again.
  void Update(rd_kafka_t* rk, const std::vector<std::string>& topics, size_t owned);

 private:
  const absl::Duration wait_, most_;
  absl::Duration apart_;
  size_t owned_ = 0;
};

}  // namespace parvis::bus
