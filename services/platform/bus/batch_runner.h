// Gives batches to a handler, finds the record that is to blame for a failure and buries it. Internal to platform/bus;
// one thread.
#pragma once

#include <atomic>
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
  // `batch_max`: records of one batch.
  BatchRunner(const Consumer::Options& options, int batch_max, Producer& dead_letters, const Clock& clock,
              obs::Metrics& metrics, Consumer::Handler handler);
  // Handles what waits in these partitions, at most one batch of each, moves their positions forward and takes it out.
  // What is to be tried again stays, and the partition's retry_at says when. ABORTED FENCED: we are a zombie.
  // `stopping` ends it between two batches.
  Status Handle(const std::vector<Partition*>& ready, const std::atomic<bool>& stopping);
  TopicMetrics& Metrics(const std::string& topic);

 private:
  // One batch of several partitions of one topic. False: each is to be handled by itself.
  StatusOr<bool> HandleTogether(const std::vector<Partition*>& group);
  Status HandleAlone(Partition& partition);
  // Handles [begin, end) of a partition's batch; `done` counts the records at the front that have been applied or
  // buried. Not OK: an error after which the rest is to be tried again, or FENCED.
  Status RunRange(Partition& partition, const std::vector<Received>& batch, size_t begin, size_t end, size_t& done);
  Status Handle(Partition& partition, const std::vector<Received>& batch);
  Status Skip(Partition& partition, const Received& record, size_t begin, size_t& done);
  Status Call(const StreamPositions& positions, const std::string& topic, const std::vector<Received>& batch);
  void Succeeded(Partition& partition);
  void Failed(Partition& partition, const Status& why);
  Status Bury(const Received& received, const Status& why);

  const Consumer::Options& options_;
  Producer& dead_letters_;
  const Clock& clock_;
  obs::Metrics& metrics_;
  const Consumer::Handler handler_;
  const size_t batch_max_;
  std::map<std::string, TopicMetrics> topics_;
};

}  // namespace parvis::bus
