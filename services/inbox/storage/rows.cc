#include "inbox/storage/rows.h"

namespace parvis::inbox::storage {
namespace {

// Pairs as a flat array: first, second, first, second ... They live as long as `pairs`.
template <class Pairs>
std::vector<std::string_view> Flat(const Pairs& pairs) {
  std::vector<std::string_view> flat;
  flat.reserve(2 * pairs.size());
  for (const auto& [first, second] : pairs) {
    flat.push_back(first);
    flat.push_back(second);
  }
  return flat;
}

template <class Pair>
std::vector<Pair> Unflat(const std::vector<std::string>& flat) {
  std::vector<Pair> pairs;
  for (size_t i = 0; i + 1 < flat.size(); i += 2) pairs.push_back({flat[i], flat[i + 1]});
  return pairs;
}

template <class Rows, class Enum>
void PutEnum(Enum value, Rows& to) {
  to.Int2(static_cast<int64_t>(value));
}

template <class Rows>
void PutPerson(const Person& person, Rows& to) {
  to.Text(person.remote_id);
  to.Text(person.name);
  to.Text(person.handle);
}

constexpr int kMessageWidth = 38;

}  // namespace

const char kConversationColumns[] =
    "c.workspace_id, c.id, c.channel_id, c.network, c.remote_conversation, c.thread, c.post_remote_id, c.state, c.kind, "
    "c.language, c.language_time, c.language_key, c.escalated, c.person_remote_id, c.person_name, c.person_handle, "
    "c.assignee, c.claim_member, c.claim_token, c.claim_expire_time, c.case_id, c.message_count, c.person_count, "
    "c.reaction_count, c.preview, c.first_key, c.last_key, c.first_message_time, c.last_message_time, c.last_ours_time, "
    "c.first_response_time, c.waiting_since_time, c.create_time, c.resolve_time, c.resolved_by, c.reopen_count, c.version";

Conversation ReadConversation(const db::Rows& rows, int row) {
  int at = 0;
  Conversation c;
  c.workspace_id = rows.Text(row, at++);
  c.id = rows.Text(row, at++);
  c.channel_id = rows.Text(row, at++);
  c.network = rows.Text(row, at++);
  c.remote_conversation = rows.Text(row, at++);
  c.thread = rows.Text(row, at++);
  c.post_remote_id = rows.Text(row, at++);
  c.state = static_cast<State>(rows.Int(row, at++));
  c.kind = static_cast<Kind>(rows.Int(row, at++));
  c.language = rows.Text(row, at++);
  c.language_time = rows.Time(row, at++);
  c.language_key = rows.Text(row, at++);
  c.escalated = rows.Bool(row, at++);
  c.person = {rows.Text(row, at), rows.Text(row, at + 1), rows.Text(row, at + 2)};
  at += 3;
  c.assignee = rows.Text(row, at++);
  c.claim = {rows.Text(row, at), rows.Int(row, at + 1), rows.Time(row, at + 2)};
  at += 3;
  c.case_id = rows.Text(row, at++);
  c.message_count = rows.Int(row, at++);
  c.person_count = rows.Int(row, at++);
  c.reaction_count = rows.Int(row, at++);
  c.preview = rows.Text(row, at++);
  c.first_key = rows.Text(row, at++);
  c.last_key = rows.Text(row, at++);
  c.first_message_time = rows.MaybeTime(row, at++);
  c.last_message_time = rows.MaybeTime(row, at++);
  c.last_ours_time = rows.MaybeTime(row, at++);
  c.first_response_time = rows.MaybeTime(row, at++);
  c.waiting_since_time = rows.MaybeTime(row, at++);
  c.create_time = rows.Time(row, at++);
  c.resolve_time = rows.MaybeTime(row, at++);
  c.resolved_by = rows.Text(row, at++);
  c.reopen_count = rows.Int(row, at++);
  c.version = rows.Int(row, at++);
  return c;
}

template <class Rows>
void WriteConversation(const Conversation& c, Rows& to) {
  to.Row(kConversationWidth);
  to.Uuid(c.workspace_id);
  to.Uuid(c.id);
  to.Uuid(c.channel_id);
  to.Text(c.network);
  to.Text(c.remote_conversation);
  to.Text(c.thread);
  to.Text(c.post_remote_id);
  PutEnum(c.state, to);
  PutEnum(c.kind, to);
  to.Text(c.language);
  to.Time(c.language_time);
  to.Text(c.language_key);
  to.Bool(c.escalated);
  PutPerson(c.person, to);
  to.Text(c.assignee);
  to.Text(c.claim.member_id);
  to.Int8(c.claim.token);
  to.Time(c.claim.expire_time);
  to.MaybeUuid(c.case_id);
  to.Int8(c.message_count);
  to.Int8(c.person_count);
  to.Int8(c.reaction_count);
  to.Text(c.preview);
  to.Text(c.first_key);
  to.Text(c.last_key);
  to.Time(c.first_message_time);
  to.Time(c.last_message_time);
  to.Time(c.last_ours_time);
  to.Time(c.first_response_time);
  to.Time(c.waiting_since_time);
  to.Time(c.create_time);
  to.Time(c.resolve_time);
  to.Text(c.resolved_by);
  to.Int8(c.reopen_count);
  to.Int8(c.version);
}
template void WriteConversation(const Conversation&, db::BinaryRows&);
template void WriteConversation(const Conversation&, RowArray&);

const char kMessageColumns[] =
    "m.workspace_id, m.channel_id, m.remote_key, m.id, m.conversation_id, m.present, m.written_here, m.kind, "
    "m.parent_remote_id, m.author_remote_id, m.author_name, m.author_handle, m.by_us, m.member_id, m.occurred_at, "
    "m.order_key, m.facts_revision, m.content_revision, m.content_is_edit, m.policy_version, m.action, m.text, "
    "m.attachments, m.reasons, m.language, m.language_revision, m.severity, m.escalated, m.removed, m.hidden, "
    "m.hidden_revision, m.delivery_state, m.delivery_sequence, m.delivery_reason, m.delivery_detail, m.delivered_time, "
    "m.permalink, m.create_time";

Message ReadMessage(const db::Rows& rows, int row) {
  int at = 0;
  Message m;
  m.workspace_id = rows.Text(row, at++);
  m.channel_id = rows.Text(row, at++);
  m.remote_key = rows.Text(row, at++);
  m.id = rows.Text(row, at++);
  m.conversation_id = rows.Text(row, at++);
  m.present = rows.Bool(row, at++);
  m.written_here = rows.Bool(row, at++);
  m.kind = static_cast<MessageKind>(rows.Int(row, at++));
  m.parent_remote_id = rows.Text(row, at++);
  m.author = {rows.Text(row, at), rows.Text(row, at + 1), rows.Text(row, at + 2)};
  at += 3;
  m.by_us = rows.Bool(row, at++);
  m.member_id = rows.Text(row, at++);
  m.occurred_at = rows.Time(row, at++);
  m.order_key = rows.Text(row, at++);
  m.facts_revision = rows.Int(row, at++);
  m.content.revision = rows.Int(row, at++);
  m.content.is_edit = rows.Bool(row, at++);
  m.content.policy_version = rows.Int(row, at++);
  m.content.action = static_cast<Action>(rows.Int(row, at++));
  m.content.text = rows.Text(row, at++);
  m.content.attachments = Unflat<std::pair<std::string, std::string>>(rows.TextArray(row, at++));
  m.content.reasons = Unflat<Reason>(rows.TextArray(row, at++));
  m.language = rows.Text(row, at++);
  m.language_revision = rows.Int(row, at++);
  m.severity = static_cast<Kind>(rows.Int(row, at++));
  m.escalated = rows.Bool(row, at++);
  m.removed = rows.Bool(row, at++);
  m.hidden = rows.Bool(row, at++);
  m.hidden_revision = rows.Int(row, at++);
  m.delivery.state = static_cast<SendState>(rows.Int(row, at++));
  m.delivery.sequence = rows.Int(row, at++);
  m.delivery.reason = rows.Text(row, at++);
  m.delivery.detail = rows.Text(row, at++);
  m.delivery.delivered_time = rows.MaybeTime(row, at++);
  m.permalink = rows.Text(row, at++);
  m.create_time = rows.Time(row, at++);
  return m;
}

template <class Rows>
void WriteMessage(const Message& m, Rows& to) {
  to.Row(kMessageWidth);
  to.Uuid(m.workspace_id);
  to.Uuid(m.channel_id);
  to.Text(m.remote_key);
  to.Uuid(m.id);
  to.MaybeUuid(m.conversation_id);
  to.Bool(m.present);
  to.Bool(m.written_here);
  PutEnum(m.kind, to);
  to.Text(m.parent_remote_id);
  PutPerson(m.author, to);
  to.Bool(m.by_us);
  to.Text(m.member_id);
  to.Time(m.occurred_at);
  to.Text(m.order_key);
  to.Int8(m.facts_revision);
  to.Int8(m.content.revision);
  to.Bool(m.content.is_edit);
  to.Int8(m.content.policy_version);
  PutEnum(m.content.action, to);
  to.Text(m.content.text);
  to.TextArray(Flat(m.content.attachments));
  to.TextArray(Flat(m.content.reasons));
  to.Text(m.language);
  to.Int8(m.language_revision);
  PutEnum(m.severity, to);
  to.Bool(m.escalated);
  to.Bool(m.removed);
  to.Bool(m.hidden);
  to.Int8(m.hidden_revision);
  PutEnum(m.delivery.state, to);
  to.Int8(m.delivery.sequence);
  to.Text(m.delivery.reason);
  to.Text(m.delivery.detail);
  to.Time(m.delivery.delivered_time);
  to.Text(m.permalink);
  to.Time(m.create_time);
}
template void WriteMessage(const Message&, db::BinaryRows&);
template void WriteMessage(const Message&, RowArray&);

const char kNoteColumns[] = "n.workspace_id, n.id, n.conversation_id, n.member_id, n.text, n.create_time";

Note ReadNote(const db::Rows& rows, int row) {
  return {.id = rows.Text(row, 1), .workspace_id = rows.Text(row, 0), .conversation_id = rows.Text(row, 2),
          .member_id = rows.Text(row, 3), .text = rows.Text(row, 4), .create_time = rows.Time(row, 5)};
}

const char kCaseColumns[] =
    "k.workspace_id, k.id, k.conversation_id, k.title, k.owner, k.state, k.due_time, k.escalation_count, "
    "k.escalation_reason, k.escalation_request, k.resolution, k.create_time, k.resolve_time";

Case ReadCase(const db::Rows& rows, int row) {
  return {.id = rows.Text(row, 1), .workspace_id = rows.Text(row, 0), .conversation_id = rows.Text(row, 2),
          .title = rows.Text(row, 3), .owner = rows.Text(row, 4), .state = static_cast<CaseState>(rows.Int(row, 5)),
          .due_time = rows.Time(row, 6), .escalation_count = rows.Int(row, 7), .escalation_reason = rows.Text(row, 8),
          .escalation_request = rows.Text(row, 9), .resolution = rows.Text(row, 10), .create_time = rows.Time(row, 11),
          .resolve_time = rows.MaybeTime(row, 12)};
}

void RowArray::Row(int) {
  rows_.emplace_back("(");
  first_ = true;
}

void RowArray::Separate() {
  if (!first_) rows_.back() += ',';
  first_ = false;
}

void RowArray::Null() { Separate(); }   // nothing between the commas is NULL

void RowArray::Put(std::string_view value) {
  Separate();
  std::string& row = rows_.back();
  row += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') row += c;
    row += c;
  }
  row += '"';
}

void RowArray::Int8(int64_t value) { Put(*db::Param(value).value); }
void RowArray::Time(absl::Time time) { Put(*db::Param(time).value); }
void RowArray::TextArray(const std::vector<std::string_view>& values) {
  Put(*db::Array(std::vector<std::string>(values.begin(), values.end())).value);
}

db::Param RowArray::Take() {
  for (std::string& row : rows_) row += ')';
  return db::Array(rows_);
}

}  // namespace parvis::inbox::storage
