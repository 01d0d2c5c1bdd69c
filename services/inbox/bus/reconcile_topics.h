// What Kafka tells for the reconciler: accepted activities, assessments on their way, dead letters.
#pragma once

#include <vector>

#include "inbox/domain/reconcile.h"
#include "platform/bus/topic_reader.h"

namespace parvis::inbox::bus {

// Accepted since `from`, each natural key once. RESOURCE_EXHAUSTED TOO_MANY_ACTIVITIES beyond `max`: look at a shorter
// time.
StatusOr<std::vector<Accepted>> ReadAccepted(parvis::bus::TopicReader& reader, absl::Time from, size_t max);
// Everything of Stages but `folded`.
Status ReadStages(parvis::bus::TopicReader& reader, absl::Time from, Stages& stages);

inline constexpr char kFoldGroup[] = "inbox.fold";
inline constexpr char kAssessmentTopic[] = "parvis.moderation.assessment.v1";

}  // namespace parvis::inbox::bus
