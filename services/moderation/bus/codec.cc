#include "moderation/bus/codec.h"

#include <absl/strings/str_cat.h>

#include "parvis/publishing/v1/events.pb.h"
#include "platform/base/ids.h"
#include "platform/bus/envelope.h"

namespace parvis::moderation {
namespace {

void SetTime(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t micros = absl::ToUnixMicros(time);
  const int64_t seconds = micros >= 0 ? micros / 1'000'000 : (micros - 999'999) / 1'000'000;
  out->set_seconds(seconds);
  out->set_nanos(static_cast<int32_t>((micros - seconds * 1'000'000) * 1000));
}

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

publishing::v1::DeliveryKind DeliveryKindOf(Command::Kind kind) {
  switch (kind) {
    case Command::Kind::kHide:
      return publishing::v1::DELIVERY_KIND_HIDE;
    case Command::Kind::kUnhide:
      return publishing::v1::DELIVERY_KIND_UNHIDE;
    case Command::Kind::kDelete:
      return publishing::v1::DELIVERY_KIND_DELETE;
  }
  return publishing::v1::DELIVERY_KIND_UNSPECIFIED;
}

Status Incomplete(std::string_view field, std::string_view why) {
  return MakeError(Code::kInvalidArgument, "ACTIVITY_INCOMPLETE",
                   absl::StrCat("the activity's ", std::string(field), " ", std::string(why)));
}

}  // namespace

Status CheckActivity(const ingestion::v1::Activity& activity) {
  if (!IsUuid(activity.workspace_id())) return Incomplete("workspace_id", "is not a UUID");
  if (!IsUuid(activity.channel_id())) return Incomplete("channel_id", "is not a UUID");
  if (!IsUuid(activity.id())) return Incomplete("id", "is not a UUID");
  if (activity.kind() == ingestion::v1::Activity::KIND_UNSPECIFIED) return Incomplete("kind", "is missing");
  // Of a newer version: what it asks of us is not known. Kept among the dead letters until this version is newer, too.
  if (!ingestion::v1::Activity::Kind_IsValid(activity.kind())) {
    return MakeError(Code::kInvalidArgument, "ACTIVITY_KIND_UNKNOWN",
                     absl::StrCat("the activity's kind ", static_cast<int>(activity.kind()), " is not known to this version"));
  }
  if (activity.remote_id().empty()) return Incomplete("remote_id", "is missing");
  for (const std::string* id : {&activity.remote_id(), &activity.thread(), &activity.post_remote_id()}) {
    if (id->find('\0') != std::string::npos) return Incomplete("remote_id, thread or post_remote_id", "contains NUL");
  }
  return absl::OkStatus();
}

Subject ToSubject(const ingestion::v1::Activity& a) {
  Subject s;
  s.text = a.text();
  s.kind = static_cast<Kind>(a.kind());
  s.by_us = a.by_us();
  s.network = a.network();
  s.channel_id = a.channel_id();
  s.author_id = a.author().remote_id();
  s.author_handle = a.author().handle();
  return s;
}

void ToProto(const Reason& reason, v1::Reason* out) {
  out->set_rule(reason.rule);
  out->set_action(static_cast<v1::Action>(reason.action));
  out->set_explanation(reason.explanation);
  out->set_condition(reason.condition);
  for (const Span& span : reason.spans) {
    v1::Span* s = out->add_spans();
    s->set_begin(static_cast<int32_t>(span.begin));
    s->set_end(static_cast<int32_t>(span.end));
    s->set_text(span.text);
  }
}

void Fill(const Verdict& verdict, v1::Assessment* out) {
  out->set_language(verdict.language);
  out->set_intent(static_cast<v1::Intent>(verdict.intent));
  out->set_action(static_cast<v1::Action>(verdict.action));
  for (const Reason& reason : verdict.reasons) ToProto(reason, out->add_reasons());
  out->set_policy_id(verdict.policy_id);
  out->set_policy_version(verdict.policy_version);
}

StatusOr<Assessed> ReadAssessed(const StreamRecord& record) {
  v1::Assessment assessment;
  if (!assessment.ParseFromString(record.payload)) {
    return MakeError(Code::kInvalidArgument, "ASSESSMENT_UNREADABLE", "the record is not an Assessment");
  }
  const ingestion::v1::Activity& a = assessment.activity();
  PARVIS_RETURN_IF_ERROR(CheckActivity(a));
  Assessed out;
  out.workspace_id = a.workspace_id(), out.activity_id = a.id(), out.channel_id = a.channel_id(),
  out.network = a.network();
  out.kind = static_cast<Kind>(a.kind());
  out.by_us = a.by_us();
  out.remote_id = a.remote_id(), out.thread = a.thread(), out.post_remote_id = a.post_remote_id();
  out.revision = a.revision();
  out.author = {a.author().remote_id(), a.author().name(), a.author().handle()};
  out.text = a.text(), out.permalink = a.permalink();
  out.occurred_time = FromProto(a.occurred_at());
  out.verdict.language = assessment.language();
  out.verdict.intent = static_cast<Intent>(assessment.intent());
  out.verdict.action = static_cast<Action>(assessment.action());
  out.verdict.policy_id = assessment.policy_id();
  out.verdict.policy_version = assessment.policy_version();
  for (const v1::Reason& r : assessment.reasons()) {
    Reason reason{r.rule(), static_cast<Action>(r.action()), r.explanation(), {}, r.condition()};
    for (const v1::Span& s : r.spans()) {
      reason.spans.push_back({static_cast<uint32_t>(s.begin()), static_cast<uint32_t>(s.end()), s.text()});
    }
    out.verdict.reasons.push_back(std::move(reason));
  }
  out.trace = bus::ReadEnvelope(record).trace;
  return out;
}

StreamRecord ToRecord(const Command& command) {
  publishing::v1::DeliveryCommand proto;
  proto.set_command_id(command.command_id);
  proto.set_workspace_id(command.workspace_id);
  proto.set_channel_id(command.channel_id);
  proto.set_kind(DeliveryKindOf(command.kind));
  proto.set_target_remote_id(command.target_remote_id);
  proto.set_requested_by(command.requested_by);
  SetTime(command.requested_time, proto.mutable_requested_time());
  proto.set_post_remote_id(command.post_remote_id);
  proto.set_thread(command.thread);
  bus::Envelope envelope{command.command_id,     "parvis.publishing.v1.DeliveryCommand",
                         "parvis/moderation",    command.workspace_id,
                         command.requested_time, command.trace.Child()};
  return bus::ToRecord(kCommandTopic, command.channel_id, proto.SerializeAsString(), envelope);
}

}  // namespace parvis::moderation
