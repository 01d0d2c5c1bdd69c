// Reads a topic once, from a time to its present end, outside any consumer group: for tools that look and change nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <absl/time/time.h>

#include "platform/base/error.h"
#include "platform/bus/consumer.h"

namespace parvis::bus {

class TopicReader {
 public:
  TopicReader();
  ~TopicReader();
  // UNAVAILABLE BUS_UNAVAILABLE.
  Status Connect(const std::string& brokers);
  // Every record written at or after `from` and before the call, in the order of each partition; from one thread. `take`
  // returns false to stop. NOT_FOUND TOPIC_UNKNOWN; DEADLINE_EXCEEDED when nothing comes for `wait_max`.
  Status Read(const std::string& topic, absl::Time from, absl::Duration wait_max,
              const std::function<bool(const Received&)>& take);
  // What `group` has committed to Kafka, by partition; 0 where nothing.
  StatusOr<std::map<int32_t, int64_t>> Committed(const std::string& group, const std::string& topic);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parvis::bus
