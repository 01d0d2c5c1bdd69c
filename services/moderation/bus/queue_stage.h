// moderation.queue: assessments in; reviews, decisions and commands out, in one transaction with the offset.
#pragma once

#include <functional>
#include <vector>

#include "moderation/domain/queue.h"
#include "platform/bus/consumer.h"
#include "platform/obs/metrics.h"

namespace parvis::moderation {

// The handler of one consumer; not thread-safe.
class QueueStage {
 public:
  // `after_commit` is called when commands were written (to wake the outbox's relay).
  QueueStage(QueueStore& store, const Clock& clock, obs::Metrics& metrics, std::function<void()> after_commit);
  // INVALID_ARGUMENT about a record that is no assessment, and the store's errors.
  Status Handle(const StreamPositions& positions, const std::vector<bus::Received>& batch);

 private:
  QueueStore& store_;
  const Clock& clock_;
  const std::function<void()> after_commit_;
  obs::Counter &reviews_, &decisions_, &commands_;
};

}  // namespace parvis::moderation
