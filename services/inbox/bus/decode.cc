#include "inbox/bus/decode.h"

#include "parvis/moderation/v1/assessment.pb.h"
#include "parvis/publishing/v1/events.pb.h"
#include "platform/base/ids.h"

namespace parvis::inbox::bus {
namespace {

namespace ing = parvis::ingestion::v1;
namespace mod = parvis::moderation::v1;
namespace pub = parvis::publishing::v1;

std::string Clean(const std::string& text) {
  if (text.find('\0') == std::string::npos) return text;
  std::string out;
  for (const char c : text) c == '\0' ? void(out += "\xEF\xBF\xBD") : void(out += c);
  return out;
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Microseconds(time.nanos() / 1000);
}

Status Missing(const char* field) {
  return MakeError(Code::kInvalidArgument, "MISSING_FIELD", std::string("the record has no ") + field);
}

Status CheckId(const char* field, const std::string& id) {
  if (IsUuid(id)) return absl::OkStatus();
  return MakeError(Code::kInvalidArgument, "NOT_AN_ID", std::string(field) + " is not a UUID");
}

std::optional<ActivityKind> KindOf(ing::Activity::Kind kind) {
  switch (kind) {
    case ing::Activity::KIND_COMMENT: return ActivityKind::kComment;
    case ing::Activity::KIND_MENTION: return ActivityKind::kMention;
    case ing::Activity::KIND_MESSAGE: return ActivityKind::kMessage;
    case ing::Activity::KIND_EDIT: return ActivityKind::kEdit;
    case ing::Activity::KIND_REMOVAL: return ActivityKind::kRemoval;
    case ing::Activity::KIND_REACTION: return ActivityKind::kReaction;
    case ing::Activity::KIND_HIDE: return ActivityKind::kHide;
    case ing::Activity::KIND_UNHIDE: return ActivityKind::kUnhide;
    default: return std::nullopt;
  }
}

Kind IntentOf(mod::Intent intent) {
  switch (intent) {
    case mod::INTENT_QUESTION: return Kind::kQuestion;
    case mod::INTENT_COMPLAINT: return Kind::kComplaint;
    case mod::INTENT_THANKS: return Kind::kThanks;
    case mod::INTENT_OTHER: return Kind::kOther;
    default: return Kind::kUnspecified;
  }
}

Action ActionOf(mod::Action action) {
  switch (action) {
    case mod::ACTION_ALLOW: return Action::kAllowed;
    case mod::ACTION_HOLD: return Action::kHeld;
    case mod::ACTION_HIDE: return Action::kHidden;
    case mod::ACTION_DELETE: return Action::kDeleted;
    case mod::ACTION_ESCALATE: return Action::kEscalated;
    default: return Action::kUnspecified;
  }
}

// What one activity cannot tell, the next best thing does: every message belongs to some conversation.
std::string ConversationOf(const ing::Activity& a) {
  for (const std::string* name : {&a.conversation(), &a.thread(), &a.parent_remote_id(), &a.remote_id()}) {
    if (!name->empty()) return Clean(*name);
  }
  return "";
}

StatusOr<std::optional<FoldInput>> DecodeAssessment(const std::string& payload) {
  // Parsed into the same object every time, whose strings keep their memory: a dozen allocations a record.
  thread_local mod::Assessment assessment;
  if (!assessment.ParseFromString(payload)) {
    return MakeError(Code::kInvalidArgument, "UNREADABLE", "the record is not an Assessment");
  }
  const ing::Activity& a = assessment.activity();
  const auto kind = KindOf(a.kind());
  if (a.kind() == ing::Activity::KIND_UNSPECIFIED) return Missing("activity.kind");
  // Of a newer version: kept among the dead letters until this version is newer, too.
  if (!kind) {
    return MakeError(Code::kInvalidArgument, "KIND_UNKNOWN",
                     "the activity's kind " + std::to_string(static_cast<int>(a.kind())) + " is not known to this version");
  }
  if (a.remote_id().empty()) return Missing("activity.remote_id");
  PARVIS_RETURN_IF_ERROR(CheckId("activity.workspace_id", a.workspace_id()));
  PARVIS_RETURN_IF_ERROR(CheckId("activity.channel_id", a.channel_id()));
  Assessed out;
  out.workspace_id = a.workspace_id();
  out.channel_id = a.channel_id();
  out.network = Clean(a.network());
  out.activity_id = Clean(a.id().empty() ? a.remote_id() : a.id());
  out.kind = *kind;
  out.remote_id = Clean(a.remote_id());
  out.thread = Clean(a.thread());
  out.conversation = ConversationOf(a);
  out.parent_remote_id = Clean(a.parent_remote_id());
  out.post_remote_id = Clean(a.post_remote_id());
  out.permalink = Clean(a.permalink());
  out.text = Clean(a.text());
  out.author = {Clean(a.author().remote_id()), Clean(a.author().name()), Clean(a.author().handle())};
  out.occurred_at = TimeOf(a.occurred_at());
  out.revision = a.revision();
  out.by_us = a.by_us();
  for (const ing::Attachment& item : a.attachments()) out.attachments.emplace_back(Clean(item.type()), Clean(item.url()));
  out.language = assessment.language().empty() ? "und" : Clean(assessment.language());
  out.intent = IntentOf(assessment.intent());
  out.action = ActionOf(assessment.action());
  out.policy_version = assessment.policy_version();
  for (const mod::Reason& r : assessment.reasons()) out.reasons.push_back({Clean(r.rule()), Clean(r.explanation())});
  return std::optional<FoldInput>(std::move(out));
}

SendState StateOf(pub::DeliveryState state) {
  switch (state) {
    case pub::DELIVERY_STATE_DELIVERED: return SendState::kSent;
    case pub::DELIVERY_STATE_FAILED:
    case pub::DELIVERY_STATE_CANCELLED:
    case pub::DELIVERY_STATE_EXPIRED: return SendState::kFailed;
    case pub::DELIVERY_STATE_UNKNOWN: return SendState::kUnknown;
    default: return SendState::kSending;
  }
}

std::string ReasonOfEnd(const pub::Delivery& d) {
  if (!d.error().reason().empty()) return Clean(d.error().reason());
  if (d.state() == pub::DELIVERY_STATE_CANCELLED) return "CANCELLED";
  if (d.state() == pub::DELIVERY_STATE_EXPIRED) return "EXPIRED";
  return "";
}

StatusOr<std::optional<FoldInput>> DecodeDelivery(const std::string& payload) {
  pub::DeliveryEvent event;
  if (!event.ParseFromString(payload)) {
    return MakeError(Code::kInvalidArgument, "UNREADABLE", "the record is not a DeliveryEvent");
  }
  const pub::Delivery& d = event.delivery();
  DeliveryUpdate out;
  switch (d.kind()) {
    case pub::DELIVERY_KIND_REPLY: out.kind = DeliveryKind::kReply; break;
    case pub::DELIVERY_KIND_HIDE:
    case pub::DELIVERY_KIND_SPAM: out.kind = DeliveryKind::kHide; break;
    case pub::DELIVERY_KIND_UNHIDE:
    case pub::DELIVERY_KIND_APPROVE: out.kind = DeliveryKind::kUnhide; break;
    case pub::DELIVERY_KIND_DELETE: out.kind = DeliveryKind::kDelete; break;
    default: return std::optional<FoldInput>();   // posts are no conversations; what is done to people changes no message
  }
  out.command_id = d.command_id();
  if (out.kind == DeliveryKind::kReply && MessageIdOfCommand(out.command_id).empty()) return std::optional<FoldInput>();
  if (out.kind != DeliveryKind::kReply && d.target_remote_id().empty()) return Missing("delivery.target_remote_id");
  PARVIS_RETURN_IF_ERROR(CheckId("workspace_id", event.workspace_id()));
  PARVIS_RETURN_IF_ERROR(CheckId("delivery.channel_id", d.channel_id()));
  out.workspace_id = event.workspace_id();
  out.channel_id = d.channel_id();
  out.state = StateOf(d.state());
  out.remote_id = Clean(d.remote_id());
  out.target_remote_id = Clean(d.target_remote_id());
  out.permalink = Clean(d.permalink());
  if (out.state != SendState::kSent) out.reason = ReasonOfEnd(d);
  if (out.state != SendState::kSent) out.detail = Clean(d.error().message());
  out.time = TimeOf(d.has_delivered_time() ? d.delivered_time() : event.time());
  out.sequence = event.sequence();
  return std::optional<FoldInput>(std::move(out));
}

}  // namespace

StatusOr<std::optional<FoldInput>> Decode(const StreamRecord& record) {
  if (record.topic == kAssessmentTopic) return DecodeAssessment(record.payload);
  if (record.topic == kDeliveryTopic) return DecodeDelivery(record.payload);
  return MakeError(Code::kInvalidArgument, "UNKNOWN_TOPIC", "the inbox does not read " + record.topic);
}

}  // namespace parvis::inbox::bus
