#include "moderation/transport/convert.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

namespace parvis::moderation {
namespace {

void SetTime(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out->set_seconds(seconds);
  out->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

void SetReasons(const std::vector<Reason>& reasons, google::protobuf::RepeatedPtrField<v1::Reason>* out) {
  for (const Reason& reason : reasons) {
    v1::Reason* r = out->Add();
    r->set_rule(reason.rule);
    r->set_action(static_cast<v1::Action>(reason.action));
    r->set_explanation(reason.explanation);
    r->set_condition(reason.condition);
    for (const Span& span : reason.spans) {
      v1::Span* s = r->add_spans();
      s->set_begin(static_cast<int32_t>(span.begin));
      s->set_end(static_cast<int32_t>(span.end));
      s->set_text(span.text);
    }
  }
}

std::string Name(const std::string& workspace_id, const char* collection, const std::string& id) {
  return absl::StrCat("workspaces/", workspace_id, "/", collection, "/", id);
}

}  // namespace

std::string EtagOf(int64_t revision) { return absl::StrCat("r", revision); }

StatusOr<std::optional<int64_t>> RevisionOf(const std::string& etag) {
  if (etag.empty()) return std::optional<int64_t>();
  int64_t revision = 0;
  absl::string_view text = etag;
  if (!absl::ConsumePrefix(&text, "r") || !absl::SimpleAtoi(text, &revision)) {
    return InvalidField("policy.etag", "ETAG_INVALID", "is not an etag that GetPolicy returned");
  }
  return std::optional<int64_t>(revision);
}

void ToProto(const std::string& workspace_id, const PolicyRecord& policy, v1::Policy* out) {
  out->set_name(Name(workspace_id, "policies", policy.id));
  out->set_display_name(policy.display_name);
  out->set_source(policy.source);
  out->set_version(policy.version);
  out->set_active_version(policy.active_version);
  out->set_etag(EtagOf(policy.revision));
  SetTime(policy.create_time, out->mutable_create_time());
  SetTime(policy.update_time, out->mutable_update_time());
}

void ToProto(const std::string& workspace_id, const std::string& policy_id, const PolicyVersionRecord& version,
             v1::PolicyVersion* out) {
  out->set_name(absl::StrCat(Name(workspace_id, "policies", policy_id), "/versions/", version.version));
  out->set_version(version.version);
  out->set_source(version.source);
  out->set_member_id(version.member_id);
  SetTime(version.create_time, out->mutable_create_time());
}

void ToProto(const TestedText& tested, v1::TestDecision* out) {
  out->set_action(static_cast<v1::Action>(tested.verdict.action));
  SetReasons(tested.verdict.reasons, out->mutable_reasons());
  out->set_language(tested.verdict.language);
  out->set_intent(static_cast<v1::Intent>(tested.verdict.intent));
  out->set_normalized_text(tested.normalized);
}

void ToProto(const Review& review, absl::Time now, v1::Review* out) {
  out->set_name(Name(review.workspace_id, "reviews", review.id));
  const ReviewState state = review.StateAt(now);
  out->set_state(static_cast<v1::ReviewState>(state));
  out->set_activity_id(review.activity_id);
  out->set_channel_id(review.channel_id);
  out->set_network(review.network);
  out->set_remote_id(review.remote_id);
  out->set_thread(review.thread);
  out->mutable_author()->set_remote_id(review.author.remote_id);
  out->mutable_author()->set_name(review.author.name);
  out->mutable_author()->set_handle(review.author.handle);
  out->set_text(review.text);
  out->set_permalink(review.permalink);
  out->set_language(review.verdict.language);
  out->set_intent(static_cast<v1::Intent>(review.verdict.intent));
  out->set_action(static_cast<v1::Action>(review.verdict.action));
  SetReasons(review.verdict.reasons, out->mutable_reasons());
  out->set_policy_id(review.verdict.policy_id);
  out->set_policy_version(review.verdict.policy_version);
  SetTime(review.occurred_time, out->mutable_occurred_time());
  SetTime(review.create_time, out->mutable_create_time());
  if (state == ReviewState::kClaimed) {
    out->set_claim_member_id(review.claim_member_id);
    SetTime(*review.claim_expire_time, out->mutable_claim_expire_time());
  }
  out->set_decision(static_cast<v1::Action>(review.decision));
  out->set_decide_member_id(review.decide_member_id);
  out->set_note(review.note);
  if (review.end_time) SetTime(*review.end_time, out->mutable_end_time());
}

void ToProto(const Decision& decision, v1::Decision* out) {
  out->set_name(Name(decision.workspace_id, "decisions", decision.id));
  out->set_source(static_cast<v1::DecisionSource>(decision.source));
  out->set_action(static_cast<v1::Action>(decision.action));
  out->set_activity_id(decision.activity_id);
  out->set_channel_id(decision.channel_id);
  out->set_remote_id(decision.remote_id);
  SetReasons(decision.reasons, out->mutable_reasons());
  out->set_policy_id(decision.policy_id);
  out->set_policy_version(decision.policy_version);
  out->set_member_id(decision.member_id);
  out->set_note(decision.note);
  out->set_command_id(decision.command_id);
  SetTime(decision.create_time, out->mutable_create_time());
}

}  // namespace parvis::moderation
