#include "moderation/bus/assess_stage.h"

#include <algorithm>

#include "moderation/bus/codec.h"
#include "platform/bus/envelope.h"

namespace parvis::moderation {

AssessStage::AssessStage(PolicyCache& policies, const Normalizer& normalizer, bus::Producer& producer,
                         const Clock& clock, obs::Metrics& metrics)
    : policies_(policies),
      producer_(producer),
      clock_(clock),
      assessor_(normalizer),
      seconds_(metrics.counter("parvis_moderation_assess_seconds_total",
                               "Time spent on looking at texts, without input and output.")) {
  for (int a = 0; a <= static_cast<int>(Action::kEscalate); ++a) {
    by_action_.push_back(&metrics.counter("parvis_moderation_assessed_total",
                                          "Activities assessed, by what is to be done.",
                                          {{"action", ActionName(static_cast<Action>(a))}}));
  }
}

Status AssessStage::Handle(const std::vector<bus::Received>& batch) {
  std::vector<v1::Assessment> assessments(batch.size());
  std::vector<std::string> workspaces;
  for (size_t i = 0; i < batch.size(); ++i) {
    ingestion::v1::Activity* activity = assessments[i].mutable_activity();
    if (!activity->ParseFromString(batch[i].record.payload)) {
      return MakeError(Code::kInvalidArgument, "ACTIVITY_UNREADABLE", "the record is not an Activity");
    }
    PARVIS_RETURN_IF_ERROR(CheckActivity(*activity));
    workspaces.push_back(activity->workspace_id());
  }
  std::sort(workspaces.begin(), workspaces.end());
  workspaces.erase(std::unique(workspaces.begin(), workspaces.end()), workspaces.end());
  PARVIS_ASSIGN_OR_RETURN(const auto policies, policies_.Of(workspaces));

  const Instant began = clock_.Now();
  std::vector<StreamRecord> out;
  out.reserve(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    v1::Assessment& assessment = assessments[i];
    const PolicyInForce& policy = policies.at(assessment.activity().workspace_id());
    Verdict verdict = assessor_.Assess(ToSubject(assessment.activity()), *policy.compiled);
    verdict.policy_id = policy.active.policy_id;
    verdict.policy_version = policy.active.version;
    Fill(verdict, &assessment);
    by_action_[static_cast<size_t>(verdict.action)]->Add();
    bus::Envelope envelope = bus::ReadEnvelope(batch[i].record);
    envelope.id = assessment.activity().id();
    envelope.type = "parvis.moderation.v1.Assessment";
    envelope.source = "parvis/moderation";
    envelope.workspace_id = assessment.activity().workspace_id();
    envelope.trace = envelope.trace.Child();
    out.push_back(bus::ToRecord(kAssessmentTopic, batch[i].record.key, assessment.SerializeAsString(), envelope));
  }
  seconds_.Add(absl::ToDoubleSeconds(clock_.Now() - began));
  return producer_.SendAll(out);
}

}  // namespace parvis::moderation
