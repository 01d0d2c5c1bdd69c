#include "inbox/transport/convert.h"

#include "inbox/domain/resolve.h"

namespace parvis::inbox {
namespace {

void SetTime(absl::Time from, google::protobuf::Timestamp* to) {
  const int64_t micros = absl::ToUnixMicros(from);
  const int64_t seconds = micros >= 0 ? micros / 1'000'000 : (micros - 999'999) / 1'000'000;
  to->set_seconds(seconds);
  to->set_nanos(static_cast<int32_t>(micros - seconds * 1'000'000) * 1000);
}

void ToProto(const Person& from, v1::Person& to) {
  to.set_remote_id(from.remote_id);
  to.set_name(from.name);
  to.set_handle(from.handle);
}

std::string MessageName(const Message& m, const std::string& id) {
  return ConversationName(m.workspace_id, m.conversation_id) + "/messages/" + id;
}

void ToProto(const Content& content, v1::Message& to) {
  if (content.action != Action::kUnspecified) {
    to.mutable_moderation()->set_action(static_cast<v1::Moderation::Action>(content.action));
    for (const Reason& reason : content.reasons) {
      auto* const r = to.mutable_moderation()->add_reasons();
      r->set_rule(reason.rule);
      r->set_explanation(reason.explanation);
    }
  }
  for (const auto& [type, url] : content.attachments) {
    auto* const attachment = to.add_attachments();
    attachment->set_type(type);
    attachment->set_url(url);
  }
}

}  // namespace

std::string ConversationName(const std::string& workspace_id, const std::string& id) {
  return "workspaces/" + workspace_id + "/conversations/" + id;
}

std::string CaseName(const std::string& workspace_id, const std::string& id) {
  return "workspaces/" + workspace_id + "/cases/" + id;
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

void ToProto(const Conversation& c, v1::Conversation& to) {
  to.set_name(ConversationName(c.workspace_id, c.id));
  to.set_channel_id(c.channel_id);
  to.set_network(c.network);
  to.set_remote_conversation(c.remote_conversation);
  to.set_thread(c.thread);
  to.set_post_remote_id(c.post_remote_id);
  to.set_state(static_cast<v1::Conversation::State>(c.state));
  to.set_kind(static_cast<v1::Conversation::Kind>(c.kind));
  to.set_language(c.language);
  to.set_escalated(c.escalated);
  if (c.first_message_time) ToProto(c.person, *to.mutable_person());
  to.set_assignee(c.assignee);
  if (!c.claim.member_id.empty()) {
    to.mutable_claim()->set_member_id(c.claim.member_id);
    to.mutable_claim()->set_token(c.claim.token);
    SetTime(c.claim.expire_time, to.mutable_claim()->mutable_expire_time());
  }
  if (!c.case_id.empty()) to.set_case_(CaseName(c.workspace_id, c.case_id));
  to.set_message_count(c.message_count);
  to.set_reaction_count(c.reaction_count);
  to.set_preview(c.preview);
  if (c.first_message_time) SetTime(*c.first_message_time, to.mutable_first_message_time());
  if (c.last_message_time) SetTime(*c.last_message_time, to.mutable_last_message_time());
  if (c.first_response_time) SetTime(*c.first_response_time, to.mutable_first_response_time());
  if (const auto waiting = c.WaitingSince()) SetTime(*waiting, to.mutable_waiting_since_time());
  SetTime(c.create_time, to.mutable_create_time());
  if (c.resolve_time) SetTime(*c.resolve_time, to.mutable_resolve_time());
  to.set_resolved_by(c.resolved_by);
  to.set_etag(EtagOf(c));
  to.set_reopen_count(c.reopen_count);
}

void ToProto(const Message& m, v1::Message& to) {
  to.set_name(MessageName(m, m.id));
  to.set_remote_id(m.RemoteId());
  to.set_kind(static_cast<v1::Message::Kind>(m.kind));
  to.set_parent_remote_id(m.parent_remote_id);
  ToProto(m.author, *to.mutable_author());
  to.set_by_us(m.by_us);
  to.set_member_id(m.member_id);
  to.set_text(m.content.text);
  to.set_language(m.language);
  SetTime(m.occurred_at, to.mutable_occur_time());
  // A poll may bring the new text as the creation itself, with a later revision.
  to.set_edited(m.content.is_edit || m.content.revision > m.facts_revision);
  to.set_removed(m.removed);
  to.set_hidden(m.hidden);
  ToProto(m.content, to);
  if (m.delivery.state != SendState::kNone) {
    to.mutable_delivery()->set_state(static_cast<v1::ReplyDelivery::State>(m.delivery.state));
    to.mutable_delivery()->set_reason(m.delivery.reason);
    to.mutable_delivery()->set_detail(m.delivery.detail);
    if (const auto& time = m.delivery.delivered_time) SetTime(*time, to.mutable_delivery()->mutable_delivered_time());
  }
  to.set_permalink(m.permalink);
}

void ToProto(const Note& n, v1::Note& to) {
  to.set_name(ConversationName(n.workspace_id, n.conversation_id) + "/notes/" + n.id);
  to.set_member_id(n.member_id);
  to.set_text(n.text);
  SetTime(n.create_time, to.mutable_create_time());
}

void ToProto(const Case& k, absl::Time now, v1::Case& to) {
  to.set_name(CaseName(k.workspace_id, k.id));
  to.set_conversation(ConversationName(k.workspace_id, k.conversation_id));
  to.set_title(k.title);
  to.set_owner(k.owner);
  to.set_state(static_cast<v1::Case::State>(k.state));
  SetTime(k.due_time, to.mutable_due_time());
  to.set_escalation_count(k.escalation_count);
  to.set_escalation_reason(k.escalation_reason);
  to.set_resolution(k.resolution);
  SetTime(k.create_time, to.mutable_create_time());
  if (k.resolve_time) SetTime(*k.resolve_time, to.mutable_resolve_time());
  to.set_overdue(k.OverdueAt(now));
}

std::string EncodeEvent(const Event& event) {
  v1::ConversationEvent to;
  to.set_event_id(event.id);
  to.set_workspace_id(event.conversation.workspace_id);
  to.set_sequence(event.sequence);
  to.set_type(static_cast<v1::ConversationEvent::Type>(event.type));
  SetTime(event.time, to.mutable_time());
  to.set_member_id(event.member_id);
  ToProto(event.conversation, *to.mutable_conversation());
  if (event.message) {
    ToProto(*event.message, *to.mutable_message());
    if (!event.merged_into.empty()) to.mutable_message()->set_merged_into(MessageName(*event.message, event.merged_into));
  }
  return to.SerializeAsString();
}

}  // namespace parvis::inbox
