// moderation.assess: activities in, assessments out. The offset is committed after the assessments are acknowledged, so
// a crash assesses some activities again and gives the same records; consumers know them by the activity's id.
#pragma once

#include <vector>

#include "moderation/domain/assess.h"
#include "moderation/domain/policy_cache.h"
#include "platform/bus/consumer.h"
#include "platform/bus/producer.h"
#include "platform/obs/metrics.h"

namespace parvis::moderation {

// The handler of one consumer; not thread-safe.
class AssessStage {
 public:
  AssessStage(PolicyCache& policies, const Normalizer& normalizer, bus::Producer& producer, const Clock& clock,
              obs::Metrics& metrics);
  // INVALID_ARGUMENT about a record that is no activity; UNAVAILABLE when a policy or Kafka is: nothing was committed
  // then.
  Status Handle(const std::vector<bus::Received>& batch);

 private:
  PolicyCache& policies_;
  bus::Producer& producer_;
  const Clock& clock_;
  Assessor assessor_;
  std::vector<obs::Counter*> by_action_;
  obs::Counter& seconds_;
};

}  // namespace parvis::moderation
