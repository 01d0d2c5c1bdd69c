// The consumers of metrics: one per topic, each with a group of its own.
#pragma once

#include <memory>
#include <vector>

#include "metrics/domain/facts.h"
#include "platform/bus/consumer.h"

namespace parvis::metrics {

// Topics, groups and what they fold, for the launcher's dead-letter topics see docs: <topic>.dlq.<group>.
inline constexpr char kAssessmentTopic[] = "parvis.moderation.assessment.v1", kAssessmentGroup[] = "metrics.fold.assessment";
inline constexpr char kDeliveryTopic[] = "parvis.publishing.delivery.v1", kDeliveryGroup[] = "metrics.fold.delivery";
inline constexpr char kConversationTopic[] = "parvis.inbox.conversation.v1", kConversationGroup[] = "metrics.fold.conversation";
inline constexpr char kSampleTopic[] = "parvis.metrics.sample.v1", kSampleGroup[] = "metrics.fold.sample";

// Not started yet. Everything given outlives them.
std::vector<std::unique_ptr<bus::Consumer>> MakeFolders(const bus::BusConfig& config, FactStore& facts, OffsetStore& offsets,
                                                        bus::Producer& dead_letters, const Clock& clock, obs::Metrics& metrics);

}  // namespace parvis::metrics
