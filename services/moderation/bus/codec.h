// Between the topics' protos and the domain.
#pragma once

#include "moderation/domain/assessment.h"
#include "moderation/domain/queue.h"
#include "moderation/domain/review.h"
#include "parvis/ingestion/v1/activity.pb.h"
#include "parvis/moderation/v1/assessment.pb.h"
#include "platform/base/stream.h"

namespace parvis::moderation {

inline constexpr char kActivityTopic[] = "parvis.ingestion.activity.v1";
inline constexpr char kAssessmentTopic[] = "parvis.moderation.assessment.v1";
inline constexpr char kCommandTopic[] = "parvis.publishing.command.v1";

// INVALID_ARGUMENT: ACTIVITY_UNREADABLE when it is no Activity, ACTIVITY_INCOMPLETE when what everything later relies
// on is missing or malformed (ids, kind), ACTIVITY_KIND_UNKNOWN when a newer version wrote it. That version's fields are
// kept, and its values of other enums are let through.
Status CheckActivity(const ingestion::v1::Activity& activity);

// Views into `activity`.
Subject ToSubject(const ingestion::v1::Activity& activity);
void Fill(const Verdict& verdict, v1::Assessment* out);
void ToProto(const Reason& reason, v1::Reason* out);

// INVALID_ARGUMENT ASSESSMENT_UNREADABLE, and CheckActivity's.
StatusOr<Assessed> ReadAssessed(const StreamRecord& record);

StreamRecord ToRecord(const Command& command);

}  // namespace parvis::moderation
