// Records of the other services' topics as facts.
#pragma once

#include <vector>

#include "metrics/domain/facts.h"
#include "platform/base/error.h"
#include "platform/base/stream.h"

namespace parvis::metrics {

// INVALID_ARGUMENT RECORD_UNREADABLE when the payload is not of the type, RECORD_INCOMPLETE when an id is missing: the
// consumer puts such a record to the dead letters. Values of enums that a newer release added are
// kept by number ("#99", facts.h).
StatusOr<ActivityFact> ToActivityFact(const StreamRecord& record);
StatusOr<DeliveryFact> ToDeliveryFact(const StreamRecord& record);
StatusOr<ConversationFact> ToConversationFact(const StreamRecord& record);
StatusOr<SampleFact> ToSampleFact(const StreamRecord& record);

}  // namespace parvis::metrics
