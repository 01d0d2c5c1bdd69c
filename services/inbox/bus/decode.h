// From the topics' records to what the fold takes.
#pragma once

#include <optional>

#include "inbox/domain/activity.h"
#include "platform/base/error.h"
#include "platform/base/stream.h"

namespace parvis::inbox::bus {

inline constexpr char kAssessmentTopic[] = "parvis.moderation.assessment.v1";
inline constexpr char kDeliveryTopic[] = "parvis.publishing.delivery.v1";

// nullopt: understood, and no concern of the inbox (a post's delivery). INVALID_ARGUMENT UNREADABLE,
// MISSING_FIELD, NOT_AN_ID, KIND_UNKNOWN (of a newer version) or UNKNOWN_TOPIC: the record goes to the dead letters. U+0000, which PostgreSQL
// cannot hold, becomes U+FFFD.
StatusOr<std::optional<FoldInput>> Decode(const StreamRecord& record);

}  // namespace parvis::inbox::bus
