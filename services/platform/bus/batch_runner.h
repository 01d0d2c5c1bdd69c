// Gives batches to a handler, finds the record that is to blame for a failure and buries it. Internal to platform/bus;
// one thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "platform/bus/consumer.h"
#include "platform/bus/partitions.h"

namespace parvis::bus {

class BatchRunner {
 public:
  struct TopicMetrics {
    obs::Counter *ok = nullptr, *failed = nullptr, *dead = nullptr;
    obs::Histogram* seconds = nullptr;
    obs::Gauge* lag = nullptr;
  };
  // `applied` is told how far a partition has been applied.
  BatchRunner(const Consumer::Options& options, Producer& dead_letters, const Clock& clock, obs::Metrics& metrics,
              Consumer::Handler handler, std::function<void(Partition&, int64_t next)> applied);
  // Handles the batch; `done` counts the records at its front that have been applied or buried. Not OK: an error after
  // which the rest is to be tried again, or FENCED.
  Status Run(Partition& partition, const std::vector<Received>& batch, size_t& done);
  TopicMetrics& Metrics(const std::string& topic);

 private:
  Status RunRange(Partition& partition, const std::vector<Received>& batch, size_t begin, size_t end, size_t& done);
  Status Handle(Partition& partition, const std::vector<Received>& batch);
  Status Skip(Partition& partition, const Received& record, size_t begin, size_t& done);
  Status Bury(const Received& received, const Status& why);

  const Consumer::Options& options_;
  Producer& dead_letters_;
  const Clock& clock_;
  obs::Metrics& metrics_;
  const Consumer::Handler handler_;
  const std::function<void(Partition&, int64_t)> applied_;
  std::map<std::string, TopicMetrics> topics_;
};

}  // namespace parvis::bus
