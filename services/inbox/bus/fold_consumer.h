// The consumer group "inbox.fold": assessments and deliveries into conversations, effects and offset in one transaction.
#pragma once

#include "inbox/domain/fold.h"
#include "platform/bus/consumer.h"

namespace parvis::inbox::bus {

inline constexpr char kGroup[] = "inbox.fold";

parvis::bus::Consumer::Options FoldOptions();

// One batch of one partition. A record that cannot be read fails the batch: the consumer then finds and parks it.
class FoldHandler {
 public:
  // Counts parvis_inbox_folded_total{kind} and observes parvis_inbox_fold_batch_seconds.
  FoldHandler(FoldStore& store, const Clock& clock, obs::Metrics& metrics);
  Status operator()(const StreamPositions& positions, const std::vector<parvis::bus::Received>& batch) const;

 private:
  FoldStore& store_;
  const Clock& clock_;
  obs::Counter& activities_;
  obs::Counter& deliveries_;
  obs::Counter& ignored_;
  obs::Histogram& seconds_;
};

}  // namespace parvis::inbox::bus
